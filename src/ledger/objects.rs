//! A ledger as git has it: commits of one ref, whose tree holds `deployments/ID.json` and `journals/ID.jsonl`.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use git2::{ErrorCode, Index, IndexEntry, IndexTime, Oid, Repository, Signature, TreeWalkMode, TreeWalkResult};

use super::records::DEPLOYMENTS;
use crate::deployment::stored;

/// Files of a commit, by path.
pub(super) type Files = BTreeMap<String, Oid>;

const FILE_MODE: u32 = 0o100_644;

/// Returns the commit a ref names.
pub(super) fn tip(git: &Repository, reference: &str) -> Result<Option<Oid>, git2::Error> {
    match git.refname_to_id(reference) {
        Ok(id) => Ok(Some(id)),
        Err(error) if error.code() == ErrorCode::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Returns the files of a commit.
pub(super) fn files(git: &Repository, commit: Option<Oid>) -> Result<Files, git2::Error> {
    let mut files = Files::new();
    let Some(commit) = commit else { return Ok(files) };
    git.find_commit(commit)?.tree()?.walk(TreeWalkMode::PreOrder, |folder, entry| {
        if let (Some(git2::ObjectType::Blob), Ok(name)) = (entry.kind(), entry.name()) {
            files.insert(format!("{folder}{name}"), entry.id());
        }
        TreeWalkResult::Ok
    })?;
    Ok(files)
}

/// Returns what two copies hold together.
pub(super) fn union(git: &Repository, mut one: Files, two: Files) -> Result<Files, git2::Error> {
    for (path, theirs) in two {
        let take = match one.get(&path) {
            None => true,
            Some(ours) if *ours == theirs => false,
            Some(ours) => better(&path, git.find_blob(*ours)?.content(), git.find_blob(theirs)?.content()).is_lt(),
        };
        if take {
            one.insert(path, theirs);
        }
    }
    Ok(one)
}

/// Says which of two contents of one file is to be kept: greater is better.
fn better(path: &str, ours: &[u8], theirs: &[u8]) -> Ordering {
    let by_bytes = || ours.len().cmp(&theirs.len()).then_with(|| ours.cmp(theirs));
    if !path.starts_with(DEPLOYMENTS) {
        // A journal only ever grows.
        return by_bytes();
    }
    match (stored::read(path, ours), stored::read(path, theirs)) {
        (Ok(ours), Ok(theirs)) => stored::preference(&ours, &theirs),
        (ours, theirs) => {
            // A later version's record is whole, as far as can be told; a damaged one gives way to anything.
            let worth = |read: &Result<_, crate::problem::Problem>| match read {
                Err(problem) if problem.id == "ledger-too-new" => 2,
                Ok(_) => 1,
                Err(_) => 0,
            };
            worth(&ours).cmp(&worth(&theirs)).then_with(by_bytes)
        }
    }
}

/// Makes a commit; no ref names it yet.
pub(super) fn commit(git: &Repository, files: &Files, parents: &[Oid], message: &str) -> Result<Oid, git2::Error> {
    let mut index = Index::new()?;
    for (path, id) in files {
        let zero = IndexTime::new(0, 0);
        index.add(&IndexEntry {
            ctime: zero,
            mtime: zero,
            dev: 0,
            ino: 0,
            mode: FILE_MODE,
            uid: 0,
            gid: 0,
            file_size: 0,
            id: *id,
            flags: 0,
            flags_extended: 0,
            path: path.clone().into_bytes(),
        })?;
    }
    let tree = git.find_tree(index.write_tree_to(git)?)?;
    let parents = parents.iter().map(|id| git.find_commit(*id)).collect::<Result<Vec<_>, _>>()?;
    // Whoever deploys need not have told git a name.
    let by = Signature::now("Tenantry", "tenantry@localhost")?;
    git.commit(None, &by, &by, message, &tree, &parents.iter().collect::<Vec<_>>())
}

/// Moves a ref, if it still names what it is thought to name.
pub(super) fn advance(git: &Repository, reference: &str, from: Option<Oid>, to: Oid) -> Result<bool, git2::Error> {
    let moved = match from {
        Some(from) => git.reference_matching(reference, to, true, from, "tenantry"),
        None => git.reference(reference, to, false, "tenantry"),
    };
    match moved {
        Ok(_) => {
            sync(&git.commondir().join(reference));
            Ok(true)
        }
        Err(error)
            if matches!(
                error.code(),
                ErrorCode::Modified | ErrorCode::Exists | ErrorCode::Locked | ErrorCode::NotFound
            ) =>
        {
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Says whether a commit has another among its ancestors, or is it. Where that cannot be told, it has not.
pub(super) fn holds(git: &Repository, commit: Oid, other: Oid) -> bool {
    commit == other || git.graph_descendant_of(commit, other).unwrap_or(false)
}

/// Makes a commit of this run last over a power cut: itself, its trees, and the files that are new in it.
pub(super) fn make_last(git: &Repository, commit: Oid, new: &[Oid]) -> Result<(), git2::Error> {
    let mut objects = vec![commit];
    let found = git.find_commit(commit)?;
    objects.extend(found.parent_ids());
    let tree = found.tree()?;
    objects.push(tree.id());
    objects.extend(tree.iter().map(|entry| entry.id()));
    objects.extend(new);
    for id in objects {
        sync(&loose(git, id));
    }
    Ok(())
}

fn loose(git: &Repository, id: Oid) -> PathBuf {
    let id = id.to_string();
    let (folder, file) = id.split_at(2);
    git.commondir().join("objects").join(folder).join(file)
}

/// Flushes a file and its folder. What is in a pack has been flushed by whoever packed it.
fn sync(path: &Path) {
    for place in [Some(path), path.parent()].into_iter().flatten() {
        if let Ok(place) = fs::File::open(place) {
            let _ = place.sync_all();
        }
    }
}
