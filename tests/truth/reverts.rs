//! What is taken back, and what is not.

use serde_json::{Value as Json, json};

use crate::world::{CLERK, NOTHING_MAY_GO, Site, refused};

#[tokio::test]
async fn a_revert_deletes_what_its_own_deployment_made_whatever_the_policy_says() {
    let site = Site::start("policy: { delete: [], max_deletes: 0 }", CLERK);
    site.deploy(CLERK);
    site.deploy("roles:\n  - {name: Clerk, description: first}\n  - {name: New}\n");
    let _ = site.run(&["revert", "--yes"]).code(0);
    assert!(site.live("roles", "New").await.is_none());
    assert!(site.live("roles", "Clerk").await.is_some());
}

#[tokio::test]
async fn a_revert_deletes_nothing_else() {
    let site = Site::start("policy: { delete: [], max_deletes: 0, protect: [roles/Kept] }", CLERK);
    site.deploy(CLERK);
    let made = "roles:\n  - {name: Clerk, description: first}\n  - {name: New}\n";
    site.deploy(made);
    // Made anew by somebody: not what the deployment made.
    let id = site.id("roles", "New").await;
    site.outside("DELETE", &format!("/roles/{id}"), &Json::Null).await;
    site.outside("POST", "/roles", &json!({"name": "New"})).await;
    let said = site.run(&["revert", "--yes", "--json"]);
    assert!(said.code == Some(0) && site.live("roles", "New").await.is_some(), "{said}");
    // Changed by somebody: a conflict.
    site.deploy("roles:\n  - {name: Clerk, description: first}\n  - {name: New}\n  - {name: Newer, description: a}\n");
    let id = site.id("roles", "Newer").await;
    site.outside("PATCH", &format!("/roles/{id}"), &json!({"description": "mine"})).await;
    let said = site.run(&["revert", "--yes", "--json"]).code(3);
    assert_eq!(refused(&said), ["conflict"], "{said}");
    let text = site.run(&["revert", "--yes"]).code(3).stdout;
    assert!(text.contains("--overwrite roles/Newer") && !text.contains("adopt"), "{text}");
    let _ = site.run(&["revert", "--yes", "--overwrite", "roles/Newer"]).code(0);
    assert!(site.live("roles", "Newer").await.is_none());
}

#[tokio::test]
async fn protection_holds_against_a_revert() {
    let site = Site::start(NOTHING_MAY_GO, CLERK);
    site.deploy(CLERK);
    site.deploy("roles:\n  - {name: Clerk, description: first}\n  - {name: Kept}\n");
    site.project("policy: { delete: [], protect: [roles/Kept] }");
    let said = site.run(&["revert", "--yes", "--json"]).code(3);
    assert!(refused(&said).contains(&"protected".to_owned()), "{said}");
}

#[tokio::test]
async fn a_connection_that_nobody_uses_yet_goes_without_approval_and_one_with_users_does_not() {
    let site = Site::start(NOTHING_MAY_GO, CLERK);
    site.deploy(CLERK);
    let with = "roles:\n  - {name: Clerk, description: first}\ndatabases:\n  - {name: staff, strategy: auth0}\n";
    site.deploy(with);
    let said = site.run(&["revert", "--yes"]).code(0);
    assert!(said.stdout.contains("0 users are deleted with it"), "{said}");
    let _ = site.run(&["apply", "--yes", "--approve", "reverted"]).code(0);
    let user = json!({"connection": "staff", "email": "eve@acme.example", "password": "Canary-1-password!"});
    site.outside("POST", "/users", &user).await;
    let said = site.run(&["revert", "--yes", "--json"]).code(3);
    assert_eq!(refused(&said), ["approval"], "{said}");
}

/// The API keeps one form of password settings: what a write takes away of the other comes back.
#[tokio::test]
async fn a_revert_brings_back_the_form_of_password_settings_that_went_along() {
    let people = |options: &str| format!("databases:\n  - {{name: People, strategy: auth0, options: {{{options}}}}}\n");
    let (older, newer) = (
        people("passwordPolicy: fair, password_history: {enable: true, size: 7}"),
        people("password_options: {complexity: {min_length: 20}, history: {active: true, size: 9}}"),
    );
    for (first, then, member) in [(&newer, &older, "password_options"), (&older, &newer, "password_history")] {
        let site = Site::start("policy: { approve: [] }", first);
        site.deploy(first);
        let before = site.live("connections", "People").await.unwrap()["options"].clone();
        let said = {
            site.place.write("tenant.yaml", then);
            site.run(&["apply", "--yes"]).code(0)
        };
        assert!(said.stdout.contains(&format!("- options.{member}")), "what goes along is shown: {said}");
        let between = site.live("connections", "People").await.unwrap()["options"].clone();
        assert!(between.get(member).is_none(), "{between:#}");
        let said = site.run(&["revert", "--yes"]).code(0);
        let after = site.live("connections", "People").await.unwrap()["options"].clone();
        assert_eq!(after[member], before[member], "{said}");
        assert_eq!(after["passwordPolicy"], before["passwordPolicy"], "{said}");
    }
}

#[tokio::test]
async fn on_failure_revert_takes_back_what_was_made() {
    let site = Site::start("policy: { delete: [], max_deletes: 0 }", CLERK);
    site.deploy(CLERK);
    let fault = json!({"status": 400, "share": 1.0, "method": "PATCH", "path": "/tenants/settings", "times": 9});
    let _ = site.control("POST", "faults", &json!({"faults": [fault]})).await;
    let with = "tenant: {friendly_name: Acme}\nroles:\n  - {name: Clerk, description: first}\n  - {name: New}\n";
    site.place.write("tenant.yaml", with);
    let said = site.run(&["apply", "--yes", "--keep-going"]).code(5);
    assert!(site.live("roles", "New").await.is_some(), "{said}");
    let _ = site.run(&["revert", "--yes"]).code(0);
    let said = site.run(&["apply", "--yes", "--approve", "reverted", "--on-failure", "revert"]).code(1);
    assert!(site.live("roles", "New").await.is_none(), "{said}");
}

#[tokio::test]
async fn going_back_takes_back_what_was_described_since() {
    let site = Site::start("policy: { delete: [] }", CLERK);
    let git = |words: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.args(words).current_dir(site.place.path());
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "ana").env(format!("GIT_{who}_EMAIL"), "ana@acme.example");
        }
        let done = command.output().unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    git(&["init", "-q", "-b", "main"]);
    site.place.write(".gitignore", ".tenantry/\n");
    site.outside("POST", "/roles", &json!({"name": "Older", "description": "by hand"})).await;
    let shop = "clients:\n  - {name: Shop, app_type: spa}\n";
    site.place.write("tenant.yaml", &format!("{shop}{CLERK}"));
    git(&["add", "-A"]);
    git(&["commit", "-qm", "one"]);
    let then = git(&["rev-parse", "HEAD"]);
    let _ = site.run(&["apply", "--yes"]).code(0);
    let more = "clients:\n  - {name: Shop, app_type: spa, description: new, callbacks: [https://a.example/cb]}\n\
                roles:\n  - {name: Clerk, description: second}\n  - {name: New}\n  - {name: Older, description: ours}\n\
                tenant: {friendly_name: Acme}\n";
    site.place.write("tenant.yaml", more);
    git(&["commit", "-qam", "two"]);
    let _ = site.run(&["apply", "--yes"]).code(0);
    let said = site.run(&["revert", "--to", &then, "--yes"]).code(0);
    let shop = site.live("clients", "Shop").await.unwrap();
    let empty = |member: &str| {
        shop[member].as_str().is_none_or(str::is_empty) && shop[member].as_array().is_none_or(Vec::is_empty)
    };
    assert!(empty("description") && empty("callbacks"), "{said}\n{shop}");
    assert!(site.live("roles", "New").await.is_none(), "{said}");
    assert_eq!(site.live("roles", "Older").await.unwrap()["description"], "by hand", "{said}");
    assert_eq!(site.live("roles", "Clerk").await.unwrap()["description"], "first");
    // And the files of then find nothing to do, nor anything to delete.
    git(&["checkout", "-q", &then]);
    let said = site.run(&["plan", "--detailed-exitcode"]).code(0);
    assert!(said.stdout.contains("No changes"), "{said}");
    let _ = site.run(&["drift"]).code(0);
}

#[tokio::test]
async fn a_throw_away_runner_does_not_deploy_again_what_was_gone_back_from() {
    let site = Site::start("", CLERK);
    let git = |words: &[&str]| {
        let mut command = std::process::Command::new("git");
        command.args(words).current_dir(site.place.path());
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "ana").env(format!("GIT_{who}_EMAIL"), "ana@acme.example");
        }
        let done = command.output().unwrap();
        assert!(done.status.success(), "{done:?}");
        String::from_utf8(done.stdout).unwrap().trim().to_owned()
    };
    let on_a_new_machine = |words: &[&str]| {
        let _ = std::fs::remove_dir_all(site.place.path().join(".tenantry"));
        site.run(words)
    };
    git(&["init", "-q", "-b", "main"]);
    site.place.write(".gitignore", ".tenantry/\n");
    git(&["add", "-A"]);
    git(&["commit", "-qm", "one"]);
    let then = git(&["rev-parse", "HEAD"]);
    let _ = on_a_new_machine(&["apply", "--yes"]).code(0);
    site.place.write("tenant.yaml", "roles:\n  - {name: Clerk, description: broken}\n  - {name: Broken}\n");
    git(&["commit", "-qam", "two"]);
    let _ = on_a_new_machine(&["apply", "--yes"]).code(0);
    site.project("policy: { delete: [roles] }");
    git(&["commit", "-qam", "let roles go"]);
    let _ = on_a_new_machine(&["revert", "--to", &then, "--yes", "--approve", "policy"]).code(0);
    let said = on_a_new_machine(&["apply", "--yes"]).code(3);
    assert!(said.stdout.contains("reverted   roles/Broken") && said.stdout.contains("again: `description`"), "{said}");
    assert!(said.stdout.contains("the tenant remembers that it was taken back from commit"), "{said}");
    // Another description passes, and what was not touched stays refused afterwards.
    site.place.write("tenant.yaml", "roles:\n  - {name: Clerk, description: first}\n  - {name: Guest}\n");
    git(&["commit", "-qam", "three"]);
    let _ = on_a_new_machine(&["apply", "--yes"]).code(0);
    site.place.write("tenant.yaml", "roles:\n  - {name: Clerk, description: broken}\n  - {name: Guest}\n");
    git(&["commit", "-qam", "four"]);
    let said = on_a_new_machine(&["apply", "--yes"]).code(3);
    assert!(said.stdout.contains("reverted   roles/Clerk"), "{said}");
    let _ = on_a_new_machine(&["apply", "--yes", "--approve", "reverted"]).code(0);
    assert_eq!(site.live("roles", "Clerk").await.unwrap()["description"], "broken");
    let _ = on_a_new_machine(&["plan", "--detailed-exitcode"]).code(0);
}
