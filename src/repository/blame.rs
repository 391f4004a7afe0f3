//! Who wrote the lines of the description.
//!
//! The `git` program tells, ten times faster than the library over a long history. Where it is not there, nobody is named.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::{Repository, program};
use crate::change::Author;

/// Name of who wrote what is not committed, where git knows none.
const NOBODY: &str = "you";

/// Files that are looked at at once.
const AT_ONCE: usize = 4;

/// What is asked of one file: its name as shown, and lines.
type Asked<'a> = (&'a Arc<str>, BTreeSet<u32>);

impl Repository {
    /// Returns who wrote lines (1-based) of files in the work tree, named as shown from `directory`. Lines of files outside the
    /// repository, and lines older than what a shallow clone holds, have no answer. Blocks: git is run once per file.
    pub fn who_wrote(&self, lines: &BTreeSet<(Arc<str>, u32)>, directory: &Path) -> BTreeMap<(Arc<str>, u32), Author> {
        let mut of_file: BTreeMap<&Arc<str>, BTreeSet<u32>> = BTreeMap::new();
        for (file, line) in lines {
            of_file.entry(file).or_default().insert(*line);
        }
        let asked: Vec<Asked<'_>> = of_file.into_iter().collect();
        let me = self.actor().unwrap_or_else(|| NOBODY.to_owned());
        let shallow = self.is_shallow();
        let answer = |(file, lines): &Asked<'_>| {
            let found = self.authors(&directory.join(file.as_ref()), lines, &me, shallow).unwrap_or_default();
            found.into_iter().map(|(line, author)| (((*file).clone(), line), author)).collect::<Vec<_>>()
        };
        std::thread::scope(|scope| {
            let share = asked.len().div_ceil(AT_ONCE).max(1);
            let threads: Vec<_> = asked
                .chunks(share)
                .map(|part| scope.spawn(move || part.iter().flat_map(answer).collect::<Vec<_>>()))
                .collect();
            threads.into_iter().filter_map(|thread| thread.join().ok()).flatten().collect()
        })
    }

    fn authors(&self, path: &Path, lines: &BTreeSet<u32>, me: &str, shallow: bool) -> Option<BTreeMap<u32, Author>> {
        let (inside, top) = (self.inside(path)?, self.work_tree()?);
        let text = std::fs::read(path).ok()?;
        let last = u32::try_from(text.split_inclusive(|byte| *byte == b'\n').count()).ok()?;
        let lines: BTreeSet<u32> = lines.range(1..=last).copied().collect();
        if !self.is_committed(&inside) {
            let mine = Author { name: me.to_owned(), commit: None };
            return Some(lines.into_iter().map(|line| (line, mine.clone())).collect());
        }
        if lines.is_empty() {
            return None;
        }
        let mut git = program(top);
        // A partial clone would fetch every old version of the file.
        git.env("GIT_NO_LAZY_FETCH", "1").args(["blame", "--line-porcelain"]);
        git.args(ranges(&lines).iter().map(|(first, last)| format!("-L{first},{last}")));
        let output = git.arg("--").arg(&inside).output().ok().filter(|output| output.status.success())?;
        let mut authors = authors_of(&String::from_utf8_lossy(&output.stdout), me, shallow);
        authors.retain(|line, _| lines.contains(line));
        Some(authors)
    }

    fn is_committed(&self, inside: &str) -> bool {
        let look = || -> Result<bool, git2::Error> {
            let git = self.git()?;
            let tree = git.head()?.peel_to_tree()?;
            Ok(tree.get_path(Path::new(inside)).is_ok())
        };
        look().unwrap_or(false)
    }
}

/// Joins lines that follow each other.
fn ranges(lines: &BTreeSet<u32>) -> Vec<(u32, u32)> {
    let mut out: Vec<(u32, u32)> = Vec::new();
    for line in lines {
        match out.last_mut() {
            Some((_, last)) if *last + 1 == *line => *last = *line,
            _ => out.push((*line, *line)),
        }
    }
    out
}

/// Reads what `git blame --line-porcelain` prints: per line a head, `COMMIT THEN NOW`, facts of the commit, and the text after a tab.
fn authors_of(printed: &str, me: &str, shallow: bool) -> BTreeMap<u32, Author> {
    let mut out = BTreeMap::new();
    let (mut head, mut name, mut boundary) = (None, "", false);
    for line in printed.split('\n') {
        if line.starts_with('\t') {
            // Whoever made the oldest commit of a shallow clone need not have written what was there before.
            if let Some((commit, number)) = head.take().filter(|_| !(shallow && boundary)) {
                out.insert(number, author(commit, name, me));
            }
            (name, boundary) = ("", false);
        } else if head.is_none() {
            let mut words = line.split(' ');
            let (commit, number) = (words.next(), words.nth(1).and_then(|word| word.parse::<u32>().ok()));
            head = commit.zip(number);
        } else if let Some(who) = line.strip_prefix("author ") {
            name = who;
        } else if line == "boundary" {
            boundary = true;
        }
    }
    out
}

fn author(commit: &str, name: &str, me: &str) -> Author {
    if commit.bytes().all(|byte| byte == b'0') {
        return Author { name: me.to_owned(), commit: None };
    }
    Author { name: name.trim().to_owned(), commit: Some(commit.chars().take(7).collect()) }
}
