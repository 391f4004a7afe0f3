//! Who wrote the lines of the description.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use super::Repository;
use crate::change::Author;

/// Name of who wrote what is not committed, where git knows none.
const NOBODY: &str = "you";

impl Repository {
    /// Returns who wrote lines (1-based) of files in the work tree, named as shown from `directory`. Lines of files outside the
    /// repository, and lines older than what a shallow clone holds, have no answer.
    pub fn who_wrote(&self, lines: &BTreeSet<(Arc<str>, u32)>, directory: &Path) -> BTreeMap<(Arc<str>, u32), Author> {
        let mut of_file: BTreeMap<&Arc<str>, Vec<u32>> = BTreeMap::new();
        for (file, line) in lines {
            of_file.entry(file).or_default().push(*line);
        }
        let Ok(git) = self.git() else { return BTreeMap::new() };
        let me = self.actor().unwrap_or_else(|| NOBODY.to_owned());
        let shallow = git.is_shallow();
        let mut out = BTreeMap::new();
        for (file, lines) in of_file {
            let path = directory.join(file.as_ref());
            let (Some(inside), Ok(text)) = (self.inside(&path), std::fs::read(&path)) else { continue };
            let mut authors = authors(&git, &inside, &text, &lines, &me, shallow);
            for line in lines {
                if let Some(author) = authors.remove(&line) {
                    out.insert((file.clone(), line), author);
                }
            }
        }
        out
    }
}

fn authors(
    git: &git2::Repository,
    path: &str,
    text: &[u8],
    lines: &[u32],
    me: &str,
    shallow: bool,
) -> BTreeMap<u32, Author> {
    let mine = || Author { name: me.to_owned(), commit: None };
    let mut options = git2::BlameOptions::new();
    options.use_mailmap(true);
    let committed = match git.blame_file(Path::new(path), Some(&mut options)) {
        Ok(committed) => committed,
        // The file was never committed; so was none of its lines.
        Err(error) if error.code() == git2::ErrorCode::NotFound => {
            let last = u32::try_from(text.split(|byte| *byte == b'\n').count()).unwrap_or(u32::MAX);
            return lines.iter().filter(|line| **line <= last).map(|line| (*line, mine())).collect();
        }
        Err(_) => return BTreeMap::new(),
    };
    let Ok(now) = committed.blame_buffer(text) else { return BTreeMap::new() };
    let author = |line: u32| {
        let hunk = now.get_line(usize::try_from(line).ok()?)?;
        let id = hunk.final_commit_id();
        if id.is_zero() {
            return Some(mine());
        }
        let commit = git.find_commit(id).ok()?;
        // Whoever made the oldest commit of a shallow clone need not have written what was there before.
        if shallow && commit.parent_count() == 0 {
            return None;
        }
        let by = hunk.final_signature()?;
        let name = String::from_utf8_lossy(by.name_bytes()).trim().to_owned();
        let short: String = id.to_string().chars().take(7).collect();
        Some(Author { name, commit: Some(short) })
    };
    lines.iter().filter_map(|line| Some((*line, author(*line)?))).collect()
}
