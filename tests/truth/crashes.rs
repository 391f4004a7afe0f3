//! Work that a crash cut short, and deployments that came after.

use serde_json::json;

use crate::world::{AFTER, CLERK, Site, TWO};

#[tokio::test]
async fn what_a_crashed_deployment_wrote_is_nobody_elses_doing() {
    let site = Site::start("policy: { delete: all }", TWO);
    site.deploy(TWO);
    site.place.write("tenant.yaml", AFTER);
    // The lock is the first write.
    site.killed(4, "after").await;
    let plan = site.run(&["plan", "--json"]).code(0).json();
    let warning = plan["problems"].as_array().unwrap().iter().find(|p| p["id"] == "unfinished-deployment").unwrap();
    let notes = warning["notes"].to_string();
    assert!(notes.contains("which did not end: "), "{notes}");
    assert_eq!(plan["already"], json!([]));
    assert_eq!(plan["drifted"], json!([]));
    let drift = site.run(&["drift"]).code(0);
    assert!(
        drift.stderr.contains("[unfinished-deployment]") && drift.stderr.contains("which did not end: "),
        "{drift}"
    );
    let json = site.run(&["drift", "--json"]).code(0).json();
    assert!(json["problems"].to_string().contains("unfinished-deployment"), "{json}");
    let strangers = site.run(&["drift", "--all", "--json"]).json();
    assert!(!strangers["strangers"].to_string().contains("roles/New"), "{strangers}");
    // Somebody else's doing still is.
    let id = site.id("roles", "Clerk").await;
    site.outside("PATCH", &format!("/roles/{id}"), &json!({"description": "mine"})).await;
    let drift = site.run(&["drift"]).code(2);
    assert!(drift.stdout.contains("roles/Clerk") && drift.stdout.contains("dana@acme.example"), "{drift}");
    site.outside("PATCH", &format!("/roles/{id}"), &json!({"description": "second"})).await;
    let _ = site.run(&["apply", "--resume", "--yes"]).code(0);
    let history = site.run(&["history", "--json"]).code(0).json();
    let tally = &history["deployments"][0]["tally"];
    assert_eq!([&tally["created"], &tally["updated"], &tally["deleted"]], [1, 2, 1], "{history}");
}

#[tokio::test]
async fn a_program_that_died_with_the_lock_does_not_lock_this_machine_out() {
    let site = Site::start("", CLERK);
    // The lock is taken, and nothing else happened.
    site.killed(1, "after").await;
    let _ = site.run(&["apply", "--yes"]).code(0);
}

#[tokio::test]
async fn a_later_deployment_is_called_by_its_name() {
    let site = Site::start("", CLERK);
    site.deploy(CLERK);
    let second = site.deploy("roles:\n  - {name: Clerk, description: second}\n");
    let third = site.deploy("roles:\n  - {name: Clerk, description: third}\n");
    let said = site.run(&["revert", &second, "--yes"]).code(3);
    assert!(said.stdout.contains(&format!("by deployment {}", &third[..8])), "{said}");
    let text = said.stdout.replace(&third, "THIRD").replace(&second, "SECOND");
    assert!(text.contains("`tenantry revert 01") && text.contains("--overwrite roles/Clerk"), "{text}");
    assert!(!text.contains("adopt") && !text.contains("by whom is not known"), "{text}");
    let _ = site.run(&["revert", &second, "--yes", "--overwrite", "roles/Clerk"]).code(0);
    assert_eq!(site.live("roles", "Clerk").await.unwrap()["description"], "first");
}
