//! Users of an archive come back where they are asked for.

use serde_json::{Value as Json, json};

use crate::archive::How;
use crate::chain::Tenant;
use crate::common::Place;
use crate::world::{DOMAIN, EVERYTHING_ALLOWED, archive, project, restore, tenant};

const OTHER: &str = "travel0-copy.eu.auth0.com";

/// Users with their roles, by e-mail address.
fn people(tenant: &Tenant) -> Vec<(String, Json, usize)> {
    let users = tenant.ask("GET", "users?per_page=50", &Json::Null);
    let mut out: Vec<(String, Json, usize)> = users
        .as_array()
        .unwrap()
        .iter()
        .map(|user| {
            let id = user["user_id"].as_str().unwrap().replace('|', "%7C");
            let roles = tenant.ask("GET", &format!("users/{id}/roles"), &Json::Null);
            let email = user["email"].as_str().unwrap().to_owned();
            (email, user["app_metadata"].clone(), roles.as_array().unwrap().len())
        })
        .collect();
    out.sort_by(|a, b| a.0.cmp(&b.0));
    out
}

fn world(place: &Place) -> Tenant {
    let from = tenant(place, "from", DOMAIN);
    // A connection takes imports only where it is enabled for somebody.
    let app = from.ask("POST", "clients", &json!({"name": "App"}))["client_id"].clone();
    let _ = from.ask("POST", "connections", &json!({"name": "staff", "strategy": "auth0", "enabled_clients": [app]}));
    let role = from.ask("POST", "roles", &json!({"name": "Clerk"}));
    for name in ["ana", "ben"] {
        let body = json!({"connection": "staff", "email": format!("{name}@example.com"), "password": "Correct-Horse-7",
            "app_metadata": {"name": name}});
        let user = from.ask("POST", "users", &body);
        if name == "ana" {
            let path = format!("roles/{}/users", role["id"].as_str().unwrap());
            let _ = from.ask("POST", &path, &json!({"users": [user["user_id"]]}));
        }
    }
    from
}

#[test]
fn users_come_back_with_their_roles_and_a_second_restore_makes_none() {
    let place = Place::new();
    let from = world(&place);
    let _ = archive(&place, &from, DOMAIN, "archive", &How { users: true, ..How::default() });
    let to = tenant(&place, "to", OTHER);
    let place = project(place, "new", &to, EVERYTHING_ALLOWED);
    let said = restore(&place, "new", "archive", &["--yes", "--users"]).code(0);
    assert!(said.stdout.contains("2 users of the archive are imported"), "{said}");
    assert!(said.stdout.contains("2 made"), "{said}");
    assert_eq!(people(&from), people(&to), "{said}");
    let again = restore(&place, "new", "archive", &["--users"]).code(64);
    assert!(again.stderr.contains("--yes"), "{again}");
    let document = restore(&place, "new", "archive", &["--yes", "--users", "--json"]).code(0).json();
    assert_eq!(document["users"]["connections"][0]["inserted"], json!(0), "{document:#}");
    assert_eq!(document["users"]["complete"], json!(true), "{document:#}");
    assert_eq!(people(&from), people(&to));
}

#[test]
fn users_are_restored_only_where_they_are_asked_for_and_there() {
    let place = Place::new();
    let from = world(&place);
    let _ = archive(&place, &from, DOMAIN, "with", &How { users: true, ..How::default() });
    let _ = archive(&place, &from, DOMAIN, "without", &How::default());
    let to = tenant(&place, "to", OTHER);
    let place = project(place, "new", &to, EVERYTHING_ALLOWED);
    let said = restore(&place, "new", "without", &["--yes", "--users"]).code(1);
    assert!(said.stderr.contains("error[no-users]"), "{said}");
    let _ = restore(&place, "new", "with", &["--yes"]).code(0);
    assert!(people(&to).is_empty());
}

#[test]
fn users_are_rehearsed_too_where_they_are_asked_for() {
    let place = Place::new();
    let from = world(&place);
    let _ = archive(&place, &from, DOMAIN, "with", &How { users: true, ..How::default() });
    let _ = archive(&place, &from, DOMAIN, "without", &How::default());
    let document = place.run(&["restore", "with", "--rehearse", "--users", "--json"]).code(0).json();
    assert_eq!(document["users"]["connections"][0]["name"], "staff", "{document:#}");
    assert_eq!(document["users"]["connections"][0]["inserted"], json!(2), "{document:#}");
    let said = place.run(&["restore", "with", "--rehearse", "--users"]).code(0);
    assert!(said.stdout.contains("2 made"), "{said}");
    let said = place.run(&["restore", "without", "--rehearse", "--users"]).code(1);
    assert!(said.stderr.contains("error[no-users]"), "{said}");
}

#[test]
fn users_are_imported_only_while_nobody_else_holds_the_lock() {
    let place = Place::new();
    let from = world(&place);
    let _ = archive(&place, &from, DOMAIN, "archive", &How { users: true, ..How::default() });
    let to = tenant(&place, "to", OTHER);
    let place = project(place, "new", &to, EVERYTHING_ALLOWED);
    let _ = restore(&place, "new", "archive", &["--yes"]).code(0);
    let held = json!({"deployment": "01JD7", "actor": "ana", "until": "2099-01-01T00:00:00Z", "token": "t"});
    let role = to.ask("POST", "roles", &json!({"name": "tenantry-lock", "description": held.to_string()}));
    let said = restore(&place, "new", "archive", &["--yes", "--users"]).code(6);
    assert!(said.stderr.contains("error[locked]"), "{said}");
    assert!(people(&to).is_empty());
    let _ = to.ask("DELETE", &format!("roles/{}", role["id"].as_str().unwrap()), &Json::Null);
    let _ = restore(&place, "new", "archive", &["--yes", "--users"]).code(0);
    assert_eq!(people(&to).len(), 2);
    assert!(!to.ask("GET", "roles", &Json::Null).to_string().contains("tenantry-lock"), "the lock is released");
}
