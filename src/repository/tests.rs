#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use std::collections::BTreeSet;
use std::sync::Arc;

use super::testing::{Repos, commit, git, put};
use super::*;
use crate::description::layout::FileState;
use crate::files::DescriptionFiles;

fn read<'a>(files: &'a DescriptionFiles, path: &str) -> &'a str {
    std::str::from_utf8(files.tree.read(path).unwrap()).unwrap()
}

#[test]
fn the_repository_is_found_from_within() {
    let repos = Repos::new();
    let top = repos.repository("one");
    put(&top, "tenants/acme/tenant.yaml", "tenant: {}\n");
    for at in [top.clone(), top.join("tenants/acme"), top.join("tenants/acme/tenant.yaml"), top.join("yet/to/come")] {
        assert_eq!(Repository::find(&at).unwrap().common_dir(), top.join(".git"), "{}", at.display());
    }
    assert!(Repository::find(&repos.path("elsewhere")).is_none());
    let bare = repos.bare("bare.git");
    assert_eq!(Repository::find(&bare).unwrap().work_tree(), None);
    put(&repos.path("broken"), ".git", "gitdir: nowhere\n");
    assert!(Repository::find(&repos.path("broken")).is_none());
}

#[test]
fn the_commit_and_whether_it_is_what_is_deployed() {
    let repos = Repos::new();
    let top = repos.repository("one");
    put(&top, "t/clients/a.yaml", "a: 1\n");
    put(&top, "other/x.yaml", "a: 1\n");
    put(&top, ".gitignore", "*.ignored.yaml\n");
    let id = commit(&top, "Ana", "second");
    let (repository, description) = (Repository::find(&top).unwrap(), top.join("t"));
    let is_dirty = || {
        let head = repository.head(&[&description]).unwrap();
        assert_eq!(head.id, id);
        head.dirty
    };
    assert!(!is_dirty());
    put(&top, "other/x.yaml", "a: 2\n");
    put(&top, "t/notes.docx", "x");
    put(&top, "t/a.ignored.yaml", "x");
    put(&top, "t/.idea/x.json", "x");
    assert!(!is_dirty(), "nothing of the description has changed");
    assert!(repository.head(&[&description, &top.join("other/x.yaml")]).unwrap().dirty);
    assert!(repository.head(&[&top]).unwrap().dirty, "all of the repository");
    assert_eq!(repository.head(&[&repos.path("elsewhere")]), None, "a description that no commit holds");
    put(&top, "t/roles/b.yaml", "b: 1\n");
    assert!(is_dirty(), "a file that was never added");
    std::fs::remove_dir_all(top.join("t/roles")).unwrap();
    assert!(!is_dirty());
    std::fs::remove_file(top.join("t/clients/a.yaml")).unwrap();
    assert!(is_dirty(), "a file that is gone");
    git(&top, &["add", "--all"]);
    assert!(is_dirty(), "staged is not committed");
}

#[test]
fn before_the_first_commit_there_is_none() {
    let repos = Repos::new();
    let top = repos.path("empty");
    std::fs::create_dir_all(&top).unwrap();
    git(&top, &["init", "--quiet"]);
    assert_eq!(Repository::find(&top).unwrap().head(&[&top]), None);
}

#[test]
fn worktrees_and_detached_heads() {
    let repos = Repos::new();
    let top = repos.repository("one");
    let first = git(&top, &["rev-parse", "HEAD"]);
    commit(&top, "Ana", "second");
    let linked = repos.path("linked");
    git(&top, &["worktree", "add", "--quiet", "--detach", linked.to_str().unwrap(), &first]);
    let repository = Repository::find(&linked).unwrap();
    assert_eq!(repository.common_dir(), top.join(".git"));
    assert_eq!(repository.work_tree(), Some(linked.as_path()));
    assert_eq!(repository.head(&[&linked]), Some(Commit { id: first, dirty: false }));
}

#[test]
fn what_a_sparse_checkout_leaves_out_is_not_gone() {
    let repos = Repos::new();
    let (remote, one) = repos.pair();
    put(&one, "t/a.yaml", "a: 1\n");
    put(&one, "other/b.yaml", "a: 1\n");
    let id = commit(&one, "Ana", "second");
    git(&one, &["push", "--quiet"]);
    for (name, index) in [("full", "--no-sparse-index"), ("sparse", "--sparse-index")] {
        let clone = repos.clone_of(&remote, name, &["--sparse"]);
        git(&clone, &["sparse-checkout", "set", index, "t"]);
        let repository = Repository::find(&clone).unwrap();
        let head = repository.head(&[&clone.join("t")]);
        assert_eq!(head, Some(Commit { id: id.clone(), dirty: false }), "{name}");
        assert!(repository.description_at("HEAD", &clone.join("other"), None, &clone).is_ok());
    }
}

fn lines(wanted: &[(&str, u32)]) -> BTreeSet<(Arc<str>, u32)> {
    wanted.iter().map(|(file, line)| (Arc::from(*file), *line)).collect()
}

#[test]
fn lines_have_authors() {
    let repos = Repos::new();
    let top = repos.repository("one");
    put(&top, "t/a.yaml", "one: 1\ntwo: 2\n");
    let first = commit(&top, "Ana", "a");
    put(&top, "t/a.yaml", "one: 1\ntwo: 3\nthree: 3\n");
    let second = commit(&top, "Béa", "b");
    put(&top, "t/a.yaml", "zero: 0\none: 1\ntwo: 3\nthree: 4\n");
    put(&top, "t/new.yaml", "x: 1\n");
    let repository = Repository::find(&top).unwrap();
    git(&top, &["config", "user.name", "Cleo"]);
    let wanted = lines(&[
        ("a.yaml", 1),
        ("a.yaml", 2),
        ("a.yaml", 3),
        ("a.yaml", 4),
        ("a.yaml", 99),
        ("new.yaml", 1),
        ("new.yaml", 9),
        ("none.yaml", 1),
        ("../../outside.yaml", 1),
    ]);
    put(&repos.path("."), "outside.yaml", "x\n");
    let found = repository.who_wrote(&wanted, &top.join("t"));
    let named: Vec<(String, Option<&str>)> =
        found.iter().map(|((file, line), by)| (format!("{file}:{line} {}", by.name), by.commit.as_deref())).collect();
    let expected = [
        ("a.yaml:1 Cleo", None),
        ("a.yaml:2 Ana", Some(&first[..7])),
        ("a.yaml:3 Béa", Some(&second[..7])),
        ("a.yaml:4 Cleo", None),
        ("new.yaml:1 Cleo", None),
    ];
    assert_eq!(named, expected.map(|(text, commit)| (text.to_owned(), commit)));
    assert_eq!(repository.actor().as_deref(), Some("Cleo"));
}

#[test]
fn a_shallow_clone_does_not_name_the_wrong_author() {
    let repos = Repos::new();
    let (remote, one) = repos.pair();
    put(&one, "a.yaml", "one: 1\n");
    commit(&one, "Ana", "a");
    put(&one, "b.yaml", "two: 2\n");
    commit(&one, "Bea", "b");
    put(&one, "a.yaml", "one: 1\ntwo: 2\n");
    commit(&one, "Cleo", "c");
    git(&one, &["push", "--quiet"]);
    let shallow = repos.clone_of(&remote, "shallow", &["--depth", "2"]);
    let repository = Repository::find(&shallow).unwrap();
    assert!(repository.is_shallow());
    let found = repository.who_wrote(&lines(&[("a.yaml", 1), ("a.yaml", 2)]), &shallow);
    let named: Vec<(u32, &str)> = found.iter().map(|((_, line), by)| (*line, by.name.as_str())).collect();
    assert_eq!(named, [(2, "Cleo")]);
}

#[test]
fn the_description_of_then() {
    let repos = Repos::new();
    let top = repos.repository("one");
    put(&top, "t/clients/a.json", "{}");
    put(&top, "t/actions/x/code.js", "then");
    put(&top, "t/logo.png", "png");
    put(&top, "t/node_modules/x/package.json", "{}");
    put(&top, "t/.cache/x.json", "{}");
    put(&top, "shared/y.js", "shared then");
    put(&top, "tenantry.yaml", "description: t\n");
    let then = commit(&top, "Ana", "then");
    git(&top, &["tag", "v1"]);
    git(&top, &["branch", "old"]);
    put(&top, "t/actions/x/code.js", "now");
    put(&top, "shared/y.js", "shared now");
    std::fs::remove_file(top.join("t/clients/a.json")).unwrap();
    put(&top, "t/roles/b.json", "{}");
    commit(&top, "Ana", "now");

    let repository = Repository::find(&top).unwrap();
    for name in [then.as_str(), &then[..10], "v1", "old", "HEAD~1"] {
        assert_eq!(repository.commit(name).unwrap(), then);
        let mut files = repository.description_at(name, &top.join("t"), None, &top).unwrap();
        assert_eq!(read(&files, "actions/x/code.js"), "then");
        assert!(files.tree.has_file("clients/a.json") && !files.tree.has_folder("roles"));
        assert!(!files.tree.has_folder("node_modules") && !files.tree.has_folder(".cache"));
        assert_eq!(files.tree.get("logo.png"), Some(&FileState::Unread));
        assert_eq!(files.tree.shown("actions/x/code.js"), "t/actions/x/code.js");
        files.read(&BTreeSet::from(
            ["logo.png", "../shared/y.js", "../none.js", "../../x", "/etc/passwd"].map(str::to_owned),
        ));
        assert_eq!(read(&files, "logo.png"), "png");
        assert_eq!(read(&files, "../shared/y.js"), "shared then");
        assert_eq!(files.tree.get("../none.js"), Some(&FileState::Absent));
        assert!(matches!(files.tree.get("../../x"), Some(FileState::Unreadable(_))));
        assert!(matches!(files.tree.get("/etc/passwd"), Some(FileState::Unreadable(_))));
    }
    let project = repository.file_at(&then, &top.join("tenantry.yaml"), &top).unwrap();
    assert_eq!(project.as_deref(), Some(&b"description: t\n"[..]));
    assert_eq!(repository.file_at(&then, &top.join("none.yaml"), &top).unwrap(), None);
    assert_eq!(repository.file_at(&then, Path::new("/etc/passwd"), &top).unwrap_err().id, "outside-repository");
    let gone = repository.description_at(&then, &top.join("never"), None, &top).unwrap_err();
    assert_eq!(
        gone.to_string(),
        format!("[missing-description]: the description never is not in commit {}", &then[..7])
    );
}

#[test]
fn a_folder_that_is_gone_today_was_there_then() {
    let repos = Repos::new();
    let top = repos.repository("one");
    put(&top, "old/deep/clients/a.json", "{}");
    commit(&top, "Ana", "then");
    std::fs::remove_dir_all(top.join("old")).unwrap();
    commit(&top, "Ana", "now");
    let repository = Repository::find(&top).unwrap();
    let files = repository.description_at("HEAD~1", &top.join("old/deep"), None, &top).unwrap();
    assert!(files.tree.has_file("clients/a.json"));
}

#[test]
fn a_single_file_of_then() {
    let repos = Repos::new();
    let top = repos.repository("one");
    put(&top, "t/tenant.yaml", "tenant: {}");
    put(&top, "t/pages/login.html", "x");
    commit(&top, "Ana", "then");
    let repository = Repository::find(&top).unwrap();
    let file = top.join("t/tenant.yaml");
    let files = repository.description_at("HEAD", &file, None, &top).unwrap();
    assert_eq!((files.single.as_deref(), read(&files, "pages/login.html")), (Some("tenant.yaml"), "x"));
    let files = repository.description_at("HEAD", &file, Some(&top.join("t/pages")), &top).unwrap();
    assert_eq!(files.single.as_deref(), Some("../tenant.yaml"));
    assert_eq!(read(&files, "../tenant.yaml"), "tenant: {}");
}

#[cfg(unix)]
#[test]
fn links_of_then_stay_inside() {
    use std::os::unix::fs::symlink;
    let repos = Repos::new();
    let top = repos.repository("one");
    put(&top, "secret.json", "{}");
    put(&top, "d/clients/a.json", "[1]");
    symlink("../../secret.json", top.join("d/clients/b.json")).unwrap();
    symlink("a.json", top.join("d/clients/c.json")).unwrap();
    symlink("nowhere", top.join("d/clients/e.json")).unwrap();
    symlink("f.json", top.join("d/clients/f.json")).unwrap();
    symlink("..", top.join("d/clients/loop")).unwrap();
    commit(&top, "Ana", "links");
    let files = Repository::find(&top).unwrap().description_at("HEAD", &top.join("d"), None, &top).unwrap();
    assert_eq!(read(&files, "clients/c.json"), "[1]");
    assert_eq!(files.tree.get("clients/b.json"), Some(&FileState::Outside));
    assert!(matches!(files.tree.get("clients/e.json"), Some(FileState::Unreadable(_))));
    assert!(matches!(files.tree.get("clients/f.json"), Some(FileState::Unreadable(_))));
    assert_eq!(files.tree.get("clients/loop"), None);
}

#[test]
fn a_commit_that_is_not_there_is_named() {
    let repos = Repos::new();
    let (remote, one) = repos.pair();
    let first = git(&one, &["rev-parse", "HEAD"]);
    commit(&one, "Ana", "second");
    git(&one, &["push", "--quiet"]);
    let shallow = repos.clone_of(&remote, "shallow", &["--depth", "1"]);
    let of = |at: &Path, name: &str| Repository::find(at).unwrap().description_at(name, at, None, at).unwrap_err();
    let problem = of(&shallow, &first);
    assert_eq!((problem.id, problem.help[0].as_str()), ("commit-missing", "git fetch --unshallow"));
    let problem = of(&one, "nonsense");
    assert_eq!((problem.id, problem.help[0].as_str()), ("commit-missing", "git fetch --all --tags"));
    assert_eq!(of(&one, "").id, "commit-missing");
    assert_eq!(of(&one, "HEAD:README.md").id, "commit-missing");
}
