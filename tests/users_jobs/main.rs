//! Users in backups: read through export jobs, brought back through import jobs, against the sandbox.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use serde_json::{Value, json};
use tenantry::api::Upload;
use tenantry::sandbox::{Options, Rate};
use tenantry::users::{BackupOptions, Class, ImportOptions, Importer, backup};

mod world;

use world::*;

const MANY: [(&str, &str, usize); 6] = [
    ("Customers", "auth0", 3000),
    ("Members", "auth0", 1000),
    ("Legacy", "auth0", 300),
    ("google", "google-oauth2", 400),
    ("corp", "samlp", 200),
    ("codes", "email", 100),
];

#[tokio::test(flavor = "multi_thread")]
async fn five_thousand_users_come_back_as_they_were_and_a_second_import_changes_nothing() {
    let old = World::new().await.furnished().await.populated(&MANY).await.organized().await;
    let (report, entries) = read(&old.client, true).await;
    assert_eq!(report.unread, []);
    assert_eq!(report.users(), 5000);
    assert!(entries.iter().all(|(_, bytes)| bytes.len() <= 1_000_000));
    let classes: Vec<(Class, Option<u64>)> =
        report.not_restorable.iter().map(|entry| (entry.class, entry.count)).collect();
    assert_eq!(
        classes,
        [
            (Class::Password, Some(3980)),
            (Class::SecondFactor, Some(100)),
            (Class::OtherProvider, Some(600)),
            (Class::Passwordless, Some(100)),
            (Class::CustomDatabase, Some(300)),
            (Class::WithoutEmail, Some(20)),
            (Class::LinkedIdentity, Some(86)),
            (Class::Session, None),
            (Class::History, None),
        ]
    );

    let new = World::new().await.furnished().await;
    let done = new.import(&entries).await;
    assert!(done.is_whole(), "{:?} {:?}", done.problems, done.failures);
    let (before, after) = (old.users().await, new.users().await);
    assert_eq!(after.len(), 3980);
    for connection in ["Customers", "Members"] {
        assert_eq!(settable(&after, connection), settable(&before, connection));
    }
    assert_eq!(
        (counted(&done, Class::Password), counted(&done, Class::OtherProvider), counted(&done, Class::WithoutEmail)),
        (3980, 600, 20)
    );

    // Roles, permissions and memberships of those who are there are what they were.
    let (_, again) = read(&new.client, false).await;
    let kept = |entries: &Entries, folder: &str, list: &str, name: &str| {
        let mut out: Vec<(String, String)> = Vec::new();
        for line in lines(entries, folder) {
            for user in line[list].as_array().unwrap() {
                let (id, rest) = match user.as_str() {
                    Some(id) => (id, String::new()),
                    None => (user["user_id"].as_str().unwrap(), user.to_string()),
                };
                if after.contains_key(id) {
                    out.push((line[name].to_string(), format!("{id} {rest}")));
                }
            }
        }
        out.sort();
        out
    };
    let roles = kept(&entries, "users/roles/", "users", "role");
    assert!(roles.len() > 1000 && roles.len() as u64 == done.roles.done, "{} {:?}", roles.len(), done.roles);
    assert_eq!(kept(&again, "users/roles/", "users", "role"), roles);
    let members = kept(&entries, "users/organizations/", "members", "organization");
    assert_eq!(members.len() as u64, done.members.done);
    assert_eq!(kept(&again, "users/organizations/", "members", "organization"), members);
    let state = new.state().await;
    let mut given = 0;
    for line in lines(&entries, "users/permissions/") {
        let held = &state["collections"][format!("user_permissions/{}", line["user_id"].as_str().unwrap())];
        let names: Vec<&str> = held.as_object().into_iter().flat_map(|held| held.keys().map(String::as_str)).collect();
        let is_there = after.contains_key(line["user_id"].as_str().unwrap());
        assert_eq!(names.len(), if is_there { 2 } else { 0 }, "{line}");
        given += names.len() as u64;
    }
    assert_eq!((given > 60, given), (true, done.permissions.done));

    let second = new.import(&entries).await;
    assert_eq!(second.connections.iter().map(|one| one.unchanged).sum::<u64>(), 3980);
    assert!(second.connections.iter().all(|one| one.inserted + one.updated + one.failed + one.kept == 0));
    assert_eq!(new.users().await, after);
    assert!(!new.progress().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_that_was_killed_goes_on_and_makes_nobody_twice() {
    let old = World::new().await.furnished().await.populated(&[("Customers", "auth0", 3000)]).await;
    let (_, entries) = read(&old.client, false).await;
    let new = World::new().await.furnished().await;
    // One write reads who is there, one starts the first import; the answer to the second import never comes.
    new.control("faults", &json!({"barrier": {"write": 3, "when": "after"}})).await;
    {
        let mut importer = new.importer(false);
        let fed = async {
            for (path, bytes) in &entries {
                importer.feed(path, bytes).await.unwrap();
            }
        };
        let held = async {
            let status = format!("{}/_sandbox/faults", new.running.url);
            while new.http.get(&status).send().await.unwrap().json::<Value>().await.unwrap()["waiting"] != json!(true) {
            }
        };
        tokio::select! {
            () = fed => panic!("it was not held"),
            () = held => {}
        }
    }
    new.control("faults", &json!({"release": true})).await;
    let kept = std::fs::read_to_string(new.progress()).unwrap();
    assert!(kept.contains("job_") && kept.contains("null") && !kept.contains("example.com"), "{kept}");

    let done = new.import(&entries).await;
    assert!(done.is_whole(), "{:?}", done.problems);
    let after = new.users().await;
    assert_eq!(settable(&after, "Customers"), settable(&old.users().await, "Customers"));
    assert_eq!(after.len(), 2985);
    let one = &done.connections[0];
    assert_eq!(one.inserted + one.unchanged + one.already_there, 2985, "{one:?}");
    assert!(!new.progress().exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_answer_that_was_lost_makes_nobody_twice() {
    let old = World::new().await.furnished().await.populated(&[("Customers", "auth0", 30)]).await;
    let (_, entries) = read(&old.client, false).await;
    let new = World::new().await.furnished().await;
    let lost = json!([{"status": 503, "share": 1.0, "handled": true, "method": "POST", "path": "/jobs/users-imports", "times": 1}]);
    new.faults(lost).await;
    let mut importer = new.importer(false);
    for (path, bytes) in &entries {
        importer.feed(path, bytes).await.unwrap();
    }
    let done = importer.finish().await.unwrap();
    assert!(done.is_whole(), "{:?}", done.problems);
    let one = &done.connections[0];
    assert_eq!((one.inserted, one.already_there), (0, 29), "the job of the lost answer made them");
    assert_eq!(settable(&new.users().await, "Customers"), settable(&old.users().await, "Customers"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_job_that_fails_is_started_once_more_and_then_named() {
    let world =
        World::new().await.furnished().await.populated(&[("Customers", "auth0", 20), ("Members", "auth0", 5)]).await;
    for steering in [json!({"fail": 1}), json!({"vanish": 1})] {
        world.steer(steering).await;
        let (report, _) = read(&world.client, true).await;
        assert_eq!((report.users(), report.unread.len()), (25, 0), "{:?}", report.unread);
    }
    // Two jobs are started ahead: the first connection meets the first failure, and the third when it is tried again.
    world.steer(json!({"fail": 3})).await;
    let (report, entries) = read(&world.client, true).await;
    assert_eq!((report.users(), report.unread.len()), (5, 1));
    assert_eq!(report.unread[0].what, "the users of the connection Customers");
    assert_eq!(report.unread[0].why.id, "users-unread");
    assert_eq!(lines(&entries, "users/by-connection/Members").len(), 5);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_that_expired_and_a_file_that_breaks_off_lose_nobody() {
    let world = World::new().await.furnished().await.populated(&[("Customers", "auth0", 4000)]).await;
    world
        .faults(json!([
            {"status": 403, "share": 1.0, "path": "/downloads", "times": 1},
            {"status": 0, "share": 1.0, "path": "/downloads", "times": 2},
        ]))
        .await;
    let (report, entries) = read(&world.client, false).await;
    let ids: Vec<String> = lines(&entries, "users/by-connection/")
        .iter()
        .map(|user| user["user_id"].as_str().unwrap().to_owned())
        .collect();
    let mut distinct = ids.clone();
    distinct.sort();
    distinct.dedup();
    assert_eq!((report.users(), ids.len(), distinct.len()), (4000, 4000, 4000));
    assert_eq!(report.unread.len(), 1, "the permissions alone: {:?}", report.unread);
    world.faults(json!([{"status": 403, "share": 1.0, "path": "/downloads", "times": 8}])).await;
    let (report, _) = read(&world.client, false).await;
    assert_eq!(report.users(), 0);
    assert!(report.unread.iter().any(|unread| unread.what == "the users of the connection Customers"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_file_that_is_too_large_is_sent_in_two() {
    let old = World::new().await.furnished().await.populated(&[("Customers", "auth0", 100)]).await;
    let (_, entries) = read(&old.client, false).await;
    let new = World::new().await.furnished().await;
    new.faults(json!([{"status": 413, "share": 1.0, "path": "/jobs/users-imports", "times": 3}])).await;
    let done = new.import(&entries).await;
    assert!(done.is_whole(), "{:?}", done.problems);
    assert_eq!(settable(&new.users().await, "Customers"), settable(&old.users().await, "Customers"));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_limits_its_rate_gets_and_gives_all_users() {
    let rate = Some(Rate { per_second: 25.0, burst: 5 });
    let old = World::new().await.furnished().await.populated(&[("Customers", "auth0", 60)]).await.organized().await;
    let (_, entries) = read(&old.client, true).await;
    let new = World::with(Options { rate, ..Options::default() }).await.furnished().await;
    let done = new.import(&entries).await;
    assert!(done.is_whole(), "{:?}", done.problems);
    let (report, _) = read(&new.client, false).await;
    assert_eq!((report.users(), report.role_users), (59, done.roles.done));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_waits_for_those_of_others() {
    let old = World::new().await.furnished().await.populated(&[("Customers", "auth0", 10)]).await;
    let (_, entries) = read(&old.client, false).await;
    let new = World::new().await.furnished().await;
    new.steer(json!({"reads": 40})).await;
    let mut others = Vec::new();
    for n in 0..2 {
        let upload = Upload {
            path: "jobs/users-imports".to_owned(),
            fields: vec![("connection_id", "con_00000000000000c2".to_owned())],
            name: "users",
            file: format!("[{{\"email\": \"other{n}@example.com\"}}]").into_bytes(),
        };
        others.push(new.client.upload(&upload).await.unwrap().body["id"].as_str().unwrap().to_owned());
    }
    new.steer(json!({"reads": 2})).await;
    let end = async {
        for id in &others {
            while new.client.get(&format!("jobs/{id}"), &[]).await.unwrap()["status"] != "completed" {}
        }
    };
    let (done, ()) = tokio::join!(new.import(&entries), end);
    assert!(done.is_whole(), "{:?}", done.problems);
    assert_eq!(new.users().await.len(), 11);
}

#[tokio::test(flavor = "multi_thread")]
async fn an_import_job_that_fails_is_started_once_more_and_then_given_up() {
    let old = World::new().await.furnished().await.populated(&[("Customers", "auth0", 8)]).await;
    let (_, entries) = read(&old.client, false).await;
    // The first job of an import is the one that reads who is there, and it is started again too.
    for (fail, is_whole) in [(1, true), (2, false), (4, false)] {
        let new = World::new().await.furnished().await;
        new.steer(json!({"fail": fail})).await;
        let done = new.import(&entries).await;
        assert_eq!(done.is_whole(), is_whole, "{fail}: {:?}", done.problems);
        let failed = done.problems.iter().filter(|problem| problem.id == "import-job-failed").count();
        assert_eq!((new.users().await.len(), failed), if fail < 4 { (8, 0) } else { (0, 1) });
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn users_who_are_there_and_differ_are_left_alone_unless_told_otherwise() {
    let old = World::new().await.furnished().await.populated(&[("Customers", "auth0", 6)]).await.organized().await;
    let (_, entries) = read(&old.client, true).await;
    let new = World::new().await.furnished().await.populated(&[("Customers", "auth0", 6)]).await;
    new.change(|state| {
        let users = state["collections"]["users"].as_object_mut().unwrap();
        users["auth0|customers00001"]["user_metadata"] = json!({"newer": true});
        // Somebody signed up anew with the same address.
        let mut other = users.shift_remove("auth0|customers00003").unwrap();
        other["user_id"] = json!("auth0|anew");
        other["identities"][0]["user_id"] = json!("anew");
        users.insert("auth0|anew".to_owned(), other);
    })
    .await;
    let before = new.users().await;
    let done = new.import(&entries).await;
    assert_eq!((done.connections[0].unchanged, done.connections[0].kept, done.connections[0].inserted), (5, 1, 0));
    assert_eq!(new.users().await, before);
    // The role goes to the account that has the address now.
    let clerk = new.id("roles", "Clerk").await;
    let held = new.client.get(&format!("roles/{clerk}/users"), &[]).await.unwrap();
    assert!(held.as_array().unwrap().iter().any(|user| user["user_id"] == "auth0|anew"), "{held}");

    let done = fed(new.importer(true), &entries).await;
    assert_eq!((done.connections[0].updated, done.connections[0].unchanged), (1, 5));
    assert_eq!(new.users().await["auth0|customers00001"]["user_metadata"]["theme"], "light");
}

#[tokio::test(flavor = "multi_thread")]
async fn users_that_the_api_refuses_are_named_by_id_and_code_and_nothing_else() {
    let old = World::new().await.furnished().await.populated(&[("Customers", "auth0", 4)]).await;
    old.change(|state| {
        state["collections"]["users"]["auth0|customers00001"]["phone_number"] = json!("call me: 0123");
        state["collections"]["users"]["auth0|customers00002"]["email"] = json!("Secret Address");
    })
    .await;
    let (_, entries) = read(&old.client, false).await;
    let new = World::new().await.furnished().await;
    let done = new.import(&entries).await;
    let named: Vec<(&str, &str, Option<&str>)> = done
        .failures
        .iter()
        .map(|failure| (failure.user_id.as_str(), failure.code.as_str(), failure.path.as_deref()))
        .collect();
    assert_eq!(
        named,
        [("auth0|customers00001", "PATTERN", Some("phone_number")), ("auth0|customers00002", "FORMAT", Some("email")),]
    );
    assert_eq!((done.connections[0].inserted, done.connections[0].failed, done.is_whole()), (2, 2, false));
    let shown = format!("{done:?}");
    assert!(!shown.contains("Secret Address") && !shown.contains("0123"), "{shown}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_tenant_lacks_is_named_and_the_rest_comes_back() {
    let old =
        World::new().await.furnished().await.populated(&[("Customers", "auth0", 30), ("Members", "auth0", 3)]).await;
    let old = old.organized().await;
    let (_, entries) = read(&old.client, true).await;
    let new = World::new().await.furnished().await;
    new.change(|state| {
        let collections = state["collections"].as_object_mut().unwrap();
        collections["connection_clients/con_00000000000000c2"] = json!({});
        collections["roles"].as_object_mut().unwrap().retain(|_, role| role["name"] != "Boss");
        collections["organizations"].as_object_mut().unwrap().retain(|_, one| one["name"] != "acme");
    })
    .await;
    let done = new.import(&entries).await;
    assert_eq!(counted(&done, Class::ConnectionRefused), 3);
    let mut ids: Vec<&str> = done.problems.iter().map(|problem| problem.id).collect();
    ids.sort_unstable();
    assert_eq!(ids, ["api-rejected", "users-target-missing", "users-target-missing"]);
    assert_eq!(done.roles.without_target, 1);
    assert_eq!((done.members.without_target, done.members.done), (4, 0));
    assert_eq!(new.users().await.len(), 29);

    let bare = World::new().await;
    let done = bare.import(&entries).await;
    assert_eq!((counted(&done, Class::ConnectionMissing), bare.users().await.len()), (33, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_token_that_may_not_read_is_told_of_and_the_rest_is_read() {
    let world = World::new().await.furnished().await.populated(&[("Customers", "auth0", 20)]).await.organized().await;
    let all = "read:connections read:connections_options read:roles read:role_members read:organizations \
               read:organization_members read:organization_member_roles";
    let (report, entries) = read(&world.seen_with(all).await, true).await;
    let what: Vec<&str> = report.unread.iter().map(|unread| unread.what.as_str()).collect();
    assert_eq!(what, ["the users of every connection"]);
    assert_eq!((report.unread[0].why.id, report.role_users > 0, report.members), ("missing-scope", true, 2));
    assert_eq!(lines(&entries, "users/organizations/")[0]["members"][0]["roles"], json!(["Clerk"]));

    let some = "read:connections read:users read:roles read:organizations read:organization_members";
    let (report, entries) = read(&world.seen_with(some).await, false).await;
    let what: Vec<&str> = report.unread.iter().map(|unread| unread.what.as_str()).collect();
    assert_eq!(what, ["permissions that users have of their own", "the roles of members of organizations"]);
    assert_eq!(report.members, 2);
    assert_eq!(lines(&entries, "users/organizations/")[0]["members"][0]["roles"], json!([]));
    assert_eq!(report.users(), 20);

    let (report, _) = read(&world.seen_with("read:users").await, true).await;
    let what: Vec<&str> = report.unread.iter().map(|unread| unread.what.as_str()).collect();
    assert_eq!(what, ["the users of every connection", "the roles of users", "the members of organizations"]);

    let giver = world.seen_with("read:connections read:users create:users").await;
    let importer = Importer::new(giver, ImportOptions { update_existing: false }, &world.progress()).unwrap();
    let done = fed(importer, &read(&world.client, true).await.1).await;
    let ids: Vec<&str> = done.problems.iter().map(|problem| problem.id).collect();
    assert_eq!((ids, done.connections[0].unchanged), (vec!["missing-scope"; 3], 19));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tenant_that_went_away_ends_the_backup() {
    let world = World::new().await.furnished().await.populated(&[("Customers", "auth0", 20)]).await;
    let World { running, client, .. } = world;
    let mut running = Some(running);
    let mut seen = 0;
    let mut sink = |_: &str, _: &[u8]| {
        // After the list of connections, nothing listens any more.
        drop(running.take());
        seen += 1;
        Ok(())
    };
    let problem = backup(&client, &BackupOptions { permissions: false }, &mut sink).await.unwrap_err();
    assert_eq!((problem.id, seen), ("no-network", 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn entries_of_no_backup_are_refused() {
    let world = World::new().await.furnished().await;
    for (path, text) in [
        ("users/connections.json", "{}"),
        ("users/connections.json", "[{\"folder\": \"a\"}]"),
        ("users/by-connection/unknown/00001.ndjson", "{}"),
        ("users/roles/00001.ndjson", "{"),
        ("users/passwords/00001.ndjson", "{}"),
        ("clients/00001.ndjson", "{}"),
    ] {
        let problem = world.importer(false).feed(path, text.as_bytes()).await.unwrap_err();
        assert_eq!(problem.id, "bad-users-entry", "{path}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sink_that_is_full_ends_the_backup() {
    let world = World::new().await.furnished().await.populated(&[("Customers", "auth0", 20)]).await;
    let mut sink = |path: &str, _: &[u8]| match path {
        "users/connections.json" => Ok(()),
        _ => Err(tenantry::problem::Problem::error("disk-full", "the disk is full")),
    };
    let problem = backup(&world.client, &BackupOptions { permissions: false }, &mut sink).await.unwrap_err();
    assert_eq!(problem.id, "disk-full");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_that_leave_the_machine_unencrypted_are_not_followed() {
    let world = World::new().await;
    for link in ["http://example.com/file", "ftp://127.0.0.1/file", "file:///etc/passwd", "no link"] {
        let problem = world.client.download(link, "a file").await.err().unwrap().problem();
        assert_eq!(problem.id, "bad-answer", "{link}");
    }
}
