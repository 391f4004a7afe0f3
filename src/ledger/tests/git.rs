use std::fs;

use super::*;
use crate::repository::testing::{Repos, commit, git, put};

fn open(root: &Path, environment: &str) -> Ledger {
    Ledger::open(&LedgerPlace::Git, root, environment, DOMAIN).unwrap()
}

async fn known(root: &Path) -> Vec<String> {
    ids(&open(root, "prod").read().await.unwrap().0)
}

const REF: &str = "refs/tenantry/prod";

#[tokio::test]
async fn without_a_remote_it_stays_here_and_says_so() {
    let repos = Repos::new();
    let top = repos.repository("one");
    let ledger = open(&top, "prod");
    let (history, problems) = ledger.read().await.unwrap();
    assert_eq!((history, problem_ids(&problems)), (History::none(), vec!["ledger-local"]));
    assert_eq!(ledger.begin(&sample(&id(1))).await.unwrap(), []);
    assert_eq!(unfinished(&ledger.read().await.unwrap().0), 1);
    fs::write(ledger.journal(&id(1)), "{}\n").unwrap();
    assert_eq!(ledger.finish(&ended(&id(1))).await.unwrap(), []);
    let (history, _) = ledger.read().await.unwrap();
    assert_eq!((ids(&history), unfinished(&history)), (vec![id(1)], 0));

    // Plain git reads it, and the work tree knows nothing of it.
    let log = git(&top, &["log", "--format=%an|%s", REF]);
    assert_eq!(log, "Tenantry|apply on acme.eu.auth0.com: done\nTenantry|apply on acme.eu.auth0.com: begins");
    let files = git(&top, &["ls-tree", "-r", "--name-only", REF]);
    assert_eq!(files, format!("deployments/{0}.json\njournals/{0}.jsonl", id(1)));
    assert!(git(&top, &["show", &format!("{REF}:deployments/{}.json", id(1))]).contains("\"actor\": \"Ana\""));
    assert_eq!(git(&top, &["status", "--porcelain"]), "");
    assert_eq!(ledger.journal(&id(1)), top.join(format!(".git/tenantry/prod/journals/{}.jsonl", id(1))));
    git(&top, &["fsck", "--strict"]);
}

#[tokio::test]
async fn what_one_machine_deploys_the_next_one_knows() {
    let repos = Repos::new();
    let (remote, one) = repos.pair();
    let two = repos.clone_of(&remote, "two", &[]);
    let ledger = open(&one, "prod");
    assert_eq!(ledger.begin(&sample(&id(1))).await.unwrap(), []);
    assert_eq!(known(&two).await, [id(1)], "it is there before the first write");
    fs::write(ledger.journal(&id(1)), "{\"n\":1}\n").unwrap();
    assert_eq!(ledger.finish(&ended(&id(1))).await.unwrap(), []);

    let other = open(&two, "prod");
    let (history, problems) = other.read().await.unwrap();
    assert_eq!((unfinished(&history), problems), (0, Vec::new()));
    let journal = other.find_journal(&id(1)).unwrap().unwrap();
    assert_eq!(fs::read_to_string(journal).unwrap(), "{\"n\":1}\n");
    assert_eq!(other.find_journal(&id(9)).unwrap(), None);
    other.finish(&ended(&id(2))).await.unwrap();
    assert_eq!(known(&one).await, [id(1), id(2)]);
    // Read with plain git in a clone that never deployed.
    let three = repos.clone_of(&remote, "three", &[]);
    assert_eq!(known(&three).await, [id(1), id(2)]);
    assert_eq!(git(&three, &["rev-parse", REF]), git(&two, &["rev-parse", REF]));
    git(&remote, &["fsck", "--strict"]);
}

#[tokio::test]
async fn two_that_went_apart_come_together() {
    let repos = Repos::new();
    let (remote, one) = repos.pair();
    let two = repos.clone_of(&remote, "two", &[]);
    open(&one, "prod").finish(&ended(&id(1))).await.unwrap();
    // The second has not heard of it: its push is rejected, and then it has.
    open(&two, "prod").begin(&sample(&id(2))).await.unwrap();
    assert_eq!(known(&two).await, [id(1), id(2)]);

    // The first deploys without the remote for a while.
    let hidden = repos.path("hidden.git");
    fs::rename(&remote, &hidden).unwrap();
    let (_, problems) = open(&one, "prod").read().await.unwrap();
    assert_eq!(problem_ids(&problems), ["ledger-offline"]);
    let problems = open(&one, "prod").finish(&ended(&id(3))).await.unwrap();
    assert_eq!(problem_ids(&problems), ["ledger-not-pushed"]);
    assert_eq!(known(&one).await, [id(1), id(3)]);
    fs::rename(&hidden, &remote).unwrap();
    open(&two, "prod").finish(&ended(&id(2))).await.unwrap();

    let (history, problems) = open(&one, "prod").read().await.unwrap();
    assert_eq!(ids(&history), [id(1), id(2), id(3)], "both sides count before they are joined");
    assert_eq!(problem_ids(&problems), ["ledger-not-pushed"]);
    open(&one, "prod").begin(&sample(&id(4))).await.unwrap();
    for clone in [&one, &two] {
        let (history, problems) = open(clone, "prod").read().await.unwrap();
        assert_eq!((ids(&history), unfinished(&history)), (vec![id(1), id(2), id(3), id(4)], 1));
        assert_eq!(problems, []);
    }
    assert_eq!(git(&two, &["rev-list", "--merges", "--count", REF]), "1");
}

#[tokio::test]
async fn a_deployment_that_another_clone_finished_is_finished() {
    let repos = Repos::new();
    let (remote, one) = repos.pair();
    let two = repos.clone_of(&remote, "two", &[]);
    open(&one, "prod").begin(&sample(&id(1))).await.unwrap();
    open(&two, "prod").finish(&ended(&id(1))).await.unwrap();
    open(&one, "prod").begin(&sample(&id(2))).await.unwrap();
    let (history, _) = open(&two, "prod").read().await.unwrap();
    assert_eq!(history.unfinished().map(|record| record.id.clone()).collect::<Vec<_>>(), [id(2)]);
}

#[tokio::test]
async fn a_remote_that_takes_nothing_stops_a_deployment_before_it_begins() {
    let repos = Repos::new();
    let (remote, one) = repos.pair();
    put(&remote, "hooks/pre-receive", "#!/bin/sh\necho the ledger is not for you >&2\nexit 1\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(remote.join("hooks/pre-receive"), fs::Permissions::from_mode(0o755)).unwrap();
    }
    let ledger = open(&one, "prod");
    let problem = ledger.begin(&sample(&id(1))).await.unwrap_err();
    assert_eq!((problem.id, problem.is_error()), ("ledger-not-pushed", true));
    assert!(problem.notes[0].contains("the ledger is not for you"), "{problem:?}");
    assert_eq!(known(&one).await, Vec::<String>::new(), "what did not begin is not remembered");

    fs::rename(&remote, repos.path("gone")).unwrap();
    assert_eq!(ledger.begin(&sample(&id(1))).await.unwrap_err().id, "ledger-not-pushed");
    let problems = ledger.finish(&ended(&id(1))).await.unwrap();
    assert_eq!(problem_ids(&problems), ["ledger-not-pushed"]);
    assert_eq!(known(&one).await, [id(1)], "an outcome is kept whatever the remote says");
}

#[tokio::test]
async fn hooks_and_settings_of_the_repository_do_not_matter() {
    let repos = Repos::new();
    let (remote, one) = repos.pair();
    put(&one, ".git/hooks/pre-push", "#!/bin/sh\nexit 1\n");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(one.join(".git/hooks/pre-push"), fs::Permissions::from_mode(0o755)).unwrap();
    }
    for (name, value) in [
        ("fetch.prune", "true"),
        ("fetch.pruneTags", "true"),
        ("push.followTags", "true"),
        ("push.default", "nothing"),
        ("core.logAllRefUpdates", "always"),
        ("transfer.fsckObjects", "true"),
    ] {
        git(&one, &["config", name, value]);
    }
    git(&one, &["tag", "v1"]);
    let ledger = open(&one, "prod");
    ledger.begin(&sample(&id(1))).await.unwrap();
    ledger.finish(&ended(&id(1))).await.unwrap();
    assert_eq!(known(&one).await, [id(1)]);
    assert_eq!(git(&remote, &["tag"]), "", "only the ledger is pushed");
    assert_eq!(git(&one, &["tag"]), "v1");
}

#[tokio::test]
async fn shallow_partial_detached_bare_and_linked() {
    let repos = Repos::new();
    let (remote, one) = repos.pair();
    commit(&one, "Ana", "second");
    git(&one, &["push", "--quiet"]);
    git(&remote, &["config", "uploadpack.allowFilter", "true"]);
    for n in 1..=3 {
        open(&one, "prod").finish(&ended(&id(n))).await.unwrap();
    }
    let shallow = repos.clone_of(&remote, "shallow", &["--depth", "1"]);
    git(&shallow, &["checkout", "--quiet", "--detach"]);
    let partial = repos.clone_of(&remote, "partial", &["--filter=blob:none", "--no-checkout"]);
    let bare = repos.clone_of(&remote, "bare.git", &["--bare"]);
    let linked = repos.path("linked");
    git(&one, &["worktree", "add", "--quiet", "--detach", linked.to_str().unwrap()]);
    put(&linked, "deep/tenantry.yaml", "x");
    let sparse = repos.clone_of(&remote, "sparse", &["--sparse"]);
    git(&sparse, &["sparse-checkout", "set", "--sparse-index", "none"]);
    let mut all: Vec<String> = (1..=3).map(id).collect();
    for (n, place) in (4..).zip([&shallow, &partial, &bare, &sparse, &linked.join("deep")]) {
        let ledger = open(place, "prod");
        let (history, problems) = ledger.read().await.unwrap();
        assert_eq!((ids(&history), problems), (all.clone(), Vec::new()), "{}", place.display());
        assert_eq!(ledger.begin(&sample(&id(n))).await.unwrap(), [], "{}", place.display());
        fs::write(ledger.journal(&id(n)), "{}\n").unwrap();
        assert_eq!(ledger.finish(&ended(&id(n))).await.unwrap(), [], "{}", place.display());
        all.push(id(n));
    }
    assert_eq!(known(&one).await, all);
    // Worktrees share the ledger, and so its journals.
    assert_eq!(open(&linked, "prod").journal(&id(1)), open(&one, "prod").journal(&id(1)));
}

#[tokio::test]
async fn a_lock_that_was_left_behind_is_named() {
    let repos = Repos::new();
    let (_, one) = repos.pair();
    let alone = repos.repository("alone");
    for (place, begins) in [(&one, true), (&alone, false)] {
        put(place, ".git/refs/tenantry/prod.lock", "");
        let ledger = open(place, "prod");
        assert_eq!(ledger.begin(&sample(&id(1))).await.is_ok(), begins, "the remote has it, or nobody");
        let problem = ledger.finish(&ended(&id(1))).await.unwrap_err();
        assert_eq!(problem.id, "ledger-unwritable");
        assert!(problem.help[0].ends_with("refs/tenantry/prod.lock"), "{problem:?}");
        fs::remove_file(place.join(".git/refs/tenantry/prod.lock")).unwrap();
        assert_eq!(ledger.finish(&ended(&id(1))).await.unwrap(), []);
    }
}

#[tokio::test]
async fn a_ledger_that_was_fetched_shallow_loses_nothing() {
    let repos = Repos::new();
    let (remote, one) = repos.pair();
    for n in 1..=3 {
        open(&one, "prod").finish(&ended(&id(n))).await.unwrap();
    }
    let two = repos.clone_of(&remote, "two", &["--depth", "1"]);
    git(&two, &["fetch", "--quiet", "--depth", "1", "origin", &format!("{REF}:{REF}")]);
    open(&two, "prod").finish(&ended(&id(4))).await.unwrap();
    open(&one, "prod").finish(&ended(&id(5))).await.unwrap();
    assert_eq!(known(&two).await, [1, 2, 3, 4, 5].map(id));
}

#[tokio::test]
async fn environments_of_one_tenant_share_what_they_know() {
    let repos = Repos::new();
    let (remote, one) = repos.pair();
    let two = repos.clone_of(&remote, "two", &[]);
    open(&one, "prod").finish(&ended(&id(1))).await.unwrap();
    let canary = open(&two, "canary");
    assert_eq!(ids(&canary.read().await.unwrap().0), [id(1)]);
    canary.finish(&ended(&id(2))).await.unwrap();
    assert_eq!(known(&one).await, [id(1), id(2)]);
    let elsewhere = Ledger::open(&LedgerPlace::Git, &one, "prod", "other.eu.auth0.com").unwrap();
    let (history, problems) = elsewhere.read().await.unwrap();
    assert_eq!((history, problem_ids(&problems)), (History::none(), vec!["ledger-other-tenant"]));
}

#[tokio::test]
async fn no_repository_and_no_origin_are_said() {
    let repos = Repos::new();
    let folder = repos.path("plain");
    fs::create_dir_all(&folder).unwrap();
    let problem = Ledger::open(&LedgerPlace::Git, &folder, "prod", DOMAIN).unwrap_err();
    assert_eq!((problem.id, problem.help[0].as_str()), ("ledger-no-repository", "git init"));

    let top = repos.repository("one");
    git(&top, &["remote", "add", "a", "/nowhere"]);
    git(&top, &["remote", "add", "b", "/nowhere"]);
    let ledger = open(&top, "prod");
    ledger.finish(&ended(&id(1))).await.unwrap();
    let (history, problems) = ledger.read().await.unwrap();
    assert_eq!((ids(&history), problem_ids(&problems)), (vec![id(1)], vec!["ledger-local"]));
    assert_eq!(problems[0].notes, ["there are a, b"]);
    git(&top, &["remote", "remove", "b"]);
    assert_eq!(problem_ids(&open(&top, "prod").read().await.unwrap().1), ["ledger-offline"]);
}

#[tokio::test]
async fn a_damaged_record_is_named_unless_another_copy_is_whole() {
    let repos = Repos::new();
    let (_, one) = repos.pair();
    open(&one, "prod").finish(&ended(&id(1))).await.unwrap();
    // Somebody edits the ledger by hand, in this clone alone.
    put(&one, "edit/x.json", "{");
    let blob = git(&one, &["hash-object", "-w", "edit/x.json"]);
    let entry = format!("100644,{blob},deployments/{}.json", id(1));
    let index = one.join("edit/index");
    let run = |args: &[&str]| {
        let output = std::process::Command::new("git")
            .args(args)
            .current_dir(&one)
            .env("GIT_INDEX_FILE", &index)
            .env("GIT_COMMITTER_NAME", "x")
            .env("GIT_COMMITTER_EMAIL", "x")
            .env("GIT_AUTHOR_NAME", "x")
            .env("GIT_AUTHOR_EMAIL", "x")
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    };
    run(&["update-index", "--add", "--cacheinfo", &entry]);
    let tree = run(&["write-tree"]);
    let edited = run(&["commit-tree", &tree, "-p", REF, "-m", "edit"]);
    git(&one, &["update-ref", REF, &edited]);
    assert_eq!(known(&one).await, [id(1)], "the remote has it whole");
    git(&one, &["update-ref", "-d", "refs/tenantry-remote/prod"]);
    git(&one, &["remote", "remove", "origin"]);
    let problem = open(&one, "prod").read().await.unwrap_err();
    assert_eq!(problem.id, "ledger-damaged");
    assert!(problem.title.starts_with(&format!("{REF}:deployments/{}.json", id(1))), "{}", problem.title);
}
