use super::*;
use crate::repository::testing::{Repos, git};

/// Clones that deploy at once: nothing is lost, whoever is first.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn clones_race_and_nothing_is_lost() {
    let repos = Repos::new();
    let (remote, one) = repos.pair();
    let two = repos.clone_of(&remote, "two", &[]);
    let mut tasks = Vec::new();
    for (first, place) in [(100, one.clone()), (150, two.clone())] {
        tasks.push(tokio::spawn(async move {
            let mut problems = Vec::new();
            for n in first..first + 4 {
                let ledger = Ledger::open(&LedgerPlace::Git, &place, "prod", DOMAIN).unwrap();
                problems.extend(ledger.begin(&sample(&id(n))).await.unwrap());
                problems.extend(ledger.finish(&ended(&id(n))).await.unwrap());
            }
            problems
        }));
    }
    for task in tasks {
        assert_eq!(task.await.unwrap(), []);
    }
    let expected: Vec<String> = (100..104).chain(150..154).map(id).collect();
    for place in [&one, &two] {
        let ledger = Ledger::open(&LedgerPlace::Git, place, "prod", DOMAIN).unwrap();
        let (history, problems) = ledger.read().await.unwrap();
        assert_eq!((ids(&history), unfinished(&history), problems), (expected.clone(), 0, Vec::new()));
    }
    git(&remote, &["fsck", "--strict"]);
}

/// Two processes of one clone, without a remote.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn one_clone_races_with_itself() {
    let repos = Repos::new();
    let top = repos.repository("one");
    let tasks: Vec<_> = [100, 150]
        .into_iter()
        .map(|first| {
            let place = top.clone();
            tokio::spawn(async move {
                let ledger = Ledger::open(&LedgerPlace::Git, &place, "prod", DOMAIN).unwrap();
                for n in first..first + 10 {
                    ledger.finish(&ended(&id(n))).await.unwrap();
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let ledger = Ledger::open(&LedgerPlace::Git, &top, "prod", DOMAIN).unwrap();
    assert_eq!(ids(&ledger.read().await.unwrap().0).len(), 20);
}
