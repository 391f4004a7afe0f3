//! The lock and the memory of a tenant, against the sandbox.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod site;

use std::time::Duration;

use futures_util::future::join_all;
use serde_json::{Value as Json, json};
use tenantry::lock::{Lock, Owner, ROLE, Taken, Terms, take};
use tenantry::memory::{self, Memory};
use tenantry::plan;
use tenantry::problem::Problem;

use site::{DEPLOYMENT, Site, describe};

fn owner(name: &str) -> Owner {
    Owner { deployment: format!("01JD7Q5G9W3V5H2C8K4M6N{name:0>4}"), actor: name.to_owned() }
}

fn locked(taken: Result<Taken, Problem>) -> Lock {
    match taken.unwrap() {
        Taken::Locked(lock) => lock,
        Taken::Unlocked(problem) => panic!("{problem:?}"),
    }
}

async fn race(site: &Site, clients: &[tenantry::api::Client], round: usize) -> Lock {
    let tries = clients.iter().enumerate().map(|(n, client)| {
        let client = client.clone();
        tokio::spawn(async move { take(&client, &owner(&format!("{round}x{n}")), None, Terms::default()).await })
    });
    let mut winners = Vec::new();
    for result in join_all(tries).await {
        match result.unwrap() {
            Ok(Taken::Locked(lock)) => winners.push(lock),
            Err(problem) => assert_eq!(problem.id, "locked", "{problem:?}"),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(winners.len(), 1, "round {round}");
    assert_eq!(site.count("/roles").await, 1);
    winners.pop().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_those_who_race_one_wins() {
    let site = Site::start().await;
    let clients = [site.again().await, site.again().await, site.again().await];
    for round in 0..60 {
        let lock = race(&site, &clients, round).await;
        lock.check().unwrap();
        assert!(lock.release().await.is_empty());
        assert_eq!(site.count("/roles").await, 0);
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn of_those_who_race_for_what_ran_out_one_wins() {
    let site = Site::start().await;
    let clients = [site.again().await, site.again().await, site.again().await];
    let mut held = race(&site, &clients, 0).await;
    for round in 1..60 {
        site.control("POST", "clock", &json!({"advance_ms": 301_000})).await;
        let lock = race(&site, &clients, round).await;
        let id = site.role(ROLE).await.1;
        // The one before learns it at the latest when it wants to renew, and leaves the other's lock alone.
        let _ = held.renew().await;
        let _ = held.check().unwrap_err();
        let said = held.release().await;
        assert!(said.iter().all(|p| p.id == "lock-lost"), "{said:?}");
        assert_eq!(site.role(ROLE).await.1, id);
        held = lock;
    }
}

#[tokio::test]
async fn who_holds_it_and_until_when_is_said() {
    let site = Site::start().await;
    site.control("POST", "clock", &json!({"now": "2030-01-01T00:00:00Z"})).await;
    let client = site.again().await;
    let lock = locked(take(&client, &owner("ana"), None, Terms::default()).await);
    let problem = take(&site.client, &owner("ben"), None, Terms::default()).await.unwrap_err();
    assert_eq!(problem.id, "locked");
    assert!(problem.title.contains("ana") && problem.title.contains("01JD7Q5G9W3V5H2C8K4M6N0ana"), "{problem:?}");
    assert!(problem.notes[0].contains("2030-01-01T00:0"), "{problem:?}");
    drop(lock);
}

#[tokio::test]
async fn a_lock_that_is_renewed_lasts() {
    let site = Site::start().await;
    let lock = locked(take(&site.client, &owner("ana"), None, Terms::default()).await);
    for _ in 0..5 {
        site.control("POST", "clock", &json!({"advance_ms": 200_000})).await;
        lock.renew().await.unwrap();
        lock.check().unwrap();
        let problem = take(&site.again().await, &owner("ben"), None, Terms::default()).await.unwrap_err();
        assert_eq!(problem.id, "locked");
    }
    assert!(lock.release().await.is_empty());
}

#[tokio::test]
async fn nothing_is_sent_when_it_is_about_to_run_out() {
    let site = Site::start().await;
    let lock = locked(take(&site.client, &owner("ana"), None, Terms::default()).await);
    site.control("POST", "clock", &json!({"advance_ms": 241_000})).await;
    let described = json!({"roles": [{"name": "Clerk"}]});
    let planned = site.plan(&described).await;
    let report = site.apply(planned, None, Some(&lock), &site.settings()).await;
    let tenantry::apply::Outcome::Failed(problem) = &report.changes[0].2 else { panic!("{report:?}") };
    assert_eq!(problem.id, "lock-lost");
    assert_eq!((report.requests, report.wrote()), (0, false));
}

#[tokio::test]
async fn the_lock_of_a_dead_deployment_is_taken_over() {
    let site = Site::start().await;
    let dead = locked(take(&site.client, &owner("dead"), None, Terms::default()).await);
    let id = owner("dead").deployment;
    let other = take(&site.client, &owner("ana"), Some("another"), Terms::default()).await.unwrap_err();
    assert_eq!(other.id, "locked");
    let lock = locked(take(&site.client, &owner("ana"), Some(&id), Terms::default()).await);
    assert_eq!(dead.renew().await.unwrap_err().id, "lock-lost", "should it live after all, it stops");
    let _ = dead.release().await;
    lock.renew().await.unwrap();
    assert_eq!(site.count("/roles").await, 1);
}

#[tokio::test]
async fn an_answer_that_was_lost_leaves_no_doubt() {
    for (status, handled) in [(0, true), (503, true), (0, false), (503, false)] {
        let site = Site::start().await;
        let fault =
            json!({"status": status, "share": 1.0, "handled": handled, "method": "POST", "path": "/roles", "times": 1});
        site.control("POST", "faults", &json!({ "faults": [fault] })).await;
        let lock = locked(take(&site.client, &owner("ana"), None, Terms::default()).await);
        lock.renew().await.unwrap();
        assert!(lock.release().await.is_empty());
        assert_eq!(site.count("/roles").await, 0);
    }
}

#[tokio::test]
async fn a_role_of_that_name_that_is_not_ours_is_left_alone() {
    let site = Site::start().await;
    let _ = site.raw("POST", "/roles", Some(&json!({"name": ROLE, "description": "mine"}))).await;
    let problem = take(&site.client, &owner("ana"), None, Terms::default()).await.unwrap_err();
    assert!(problem.id == "locked" && problem.help[0].contains(ROLE), "{problem:?}");
    assert_eq!(site.role(ROLE).await.0, "mine");
}

#[tokio::test]
async fn without_scopes_it_runs_unlocked_and_says_so() {
    let site = Site::start().await;
    let client = site.with_scopes(&["read:roles", "create:roles"]).await;
    let Taken::Unlocked(problem) = take(&client, &owner("ana"), None, Terms::default()).await.unwrap() else {
        panic!()
    };
    assert!(problem.id == "unlocked" && problem.notes[0].contains("update:roles, delete:roles"), "{problem:?}");
    assert_eq!(site.count("/roles").await, 0);
}

#[tokio::test]
async fn an_interrupted_run_releases_it() {
    let site = Site::start().await;
    let lock = locked(
        take(&site.client, &owner("ana"), None, Terms { renewed_every: Duration::from_secs(3600), ..Terms::default() })
            .await,
    );
    site.cancel.cancel();
    assert!(lock.release().await.is_empty());
    assert_eq!(site.count("/roles").await, 0);
}

#[tokio::test]
async fn nobody_plans_the_lock_or_exports_it() {
    let site = Site::start().await;
    let _lock = locked(take(&site.client, &owner("ana"), None, Terms::default()).await);
    let options =
        plan::Options { delete_undescribed: true, prune: vec!["roles".to_owned()], ..plan::Options::default() };
    let planned = site.plan_of(&describe(&json!({"roles": []})), &options).await;
    assert!(planned.plan.changes.is_empty() && planned.plan.unmanaged.resources.is_empty(), "{:?}", planned.plan);
    let system = planned.live.resources("roles")[0].system.as_deref();
    assert!(system.unwrap().contains("lock"), "{system:?}");
}

fn remembered() -> Memory {
    Memory {
        reverted: None,
        deployment: DEPLOYMENT.to_owned(),
        commit: Some("4f2c9ab0".repeat(5)),
        digest: "0123456789abcdef".repeat(4),
    }
}

#[tokio::test]
async fn a_tenant_remembers_what_it_runs() {
    let site = Site::start().await;
    assert_eq!(memory::read(&site.client).await.unwrap(), (None, Vec::new()));
    assert!(memory::write(&site.client, &remembered()).await.unwrap().is_empty());
    let (found, notes) = memory::read(&site.client).await.unwrap();
    let found = found.unwrap();
    assert!(notes.is_empty() && found.has_digest(&remembered().digest));
    assert_eq!((found.deployment, found.commit), (remembered().deployment, remembered().commit));
    // Neither plan nor export knows of it.
    let options = plan::Options { delete_undescribed: true, ..plan::Options::default() };
    let described = json!({"clients": [{"name": "Tenantry Deployer", "client_metadata": {}}]});
    let planned = site.plan_of(&describe(&described), &options).await;
    let own = planned.live.resources("clients").iter().find(|c| c.address.name.as_deref() == Some("Tenantry Deployer"));
    assert!(!format!("{:?}", own.unwrap().value).contains("01JD7"));
    assert!(planned.plan.left.iter().all(|left| left.fields.is_empty()), "{:?}", planned.plan.left);
    let touched = planned.plan.changes.iter().any(|c| c.address.name.as_deref() == Some("Tenantry Deployer"));
    assert!(!touched, "{:?}", planned.plan.changes);
}

#[tokio::test]
async fn another_change_of_the_metadata_does_not_make_it_forget() {
    let site = Site::start().await;
    // Another client of the same form: the deployer's own is never written.
    let body = json!({"name": "Shop", "client_metadata": {"tenantry": "kept", "a": "1"}});
    let _ = site.raw("POST", "/clients", Some(&body)).await;
    let described = json!({"clients": [{"name": "Shop", "client_metadata": {"b": "2"}}]});
    let report = site.apply(site.plan(&described).await, None, None, &site.settings()).await;
    assert!(report.complete(), "{report:?}");
    let (_, clients) = site.raw("GET", "/clients?per_page=100", None).await;
    let shop = clients.as_array().unwrap().iter().find(|c| c["name"] == "Shop").unwrap();
    assert_eq!(shop["client_metadata"], json!({"tenantry": "kept", "b": "2"}));
}

#[tokio::test]
async fn ten_keys_are_all_there_is() {
    let site = Site::start().await;
    let keys: serde_json::Map<String, Json> = (0..10).map(|n| (format!("k{n}"), json!("v"))).collect();
    let path = format!("/clients/{}", site.client.client_id().unwrap());
    let (status, _) = site.raw("PATCH", &path, Some(&json!({ "client_metadata": keys }))).await;
    assert_eq!(status, 200);
    let notes = memory::write(&site.client, &remembered()).await.unwrap();
    assert_eq!(notes[0].id, "memory-full");
    let (_, after) = site.raw("GET", &path, None).await;
    assert_eq!(after["client_metadata"], Json::Object(keys));
}

#[tokio::test]
async fn without_scopes_there_is_no_memory_and_a_note() {
    let site = Site::start().await;
    let client = site.with_scopes(&["read:roles"]).await;
    let (found, notes) = memory::read(&client).await.unwrap();
    assert!(found.is_none() && notes[0].id == "memory-missing", "{notes:?}");
    assert_eq!(memory::write(&client, &remembered()).await.unwrap()[0].id, "memory-missing");
}
