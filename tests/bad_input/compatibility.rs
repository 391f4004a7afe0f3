//! Repositories written for auth0-deploy-cli: what that tool gets wrong, Tenantry does not. Each test names the trap.

use serde_json::{Value, json};

use crate::common::{Output, Place};
use crate::support::{Recorder, refused, stable};

/// A place with a configuration and files, as that tool has them: `config.json` beside a folder `tenant`.
struct Repository {
    recorder: Recorder,
    place: Place,
}

impl Repository {
    fn new(options: Value, files: &[(&str, &str)]) -> Self {
        let recorder = Recorder::start(&[]);
        let place = recorder.compatibility();
        place.write("config.json", &options.to_string());
        std::fs::create_dir(place.path().join("tenant")).unwrap();
        for (name, text) in files {
            place.write(&format!("tenant/{name}"), text);
        }
        Repository { recorder, place }
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.place.run(&[&["-c", "config.json", "-i", "tenant"], arguments].concat())
    }

    fn refused(&self, code: i32) -> String {
        let output = refused(&self.place, &["-c", "config.json", "-i", "tenant", "plan"], code);
        let applied = refused(&self.place, &["-c", "config.json", "-i", "tenant", "apply", "--yes"], code);
        assert_eq!(stable(&output), stable(&applied));
        self.recorder.untouched();
        stable(&output)
    }

    /// Applies, demands that a second apply writes nothing, and returns what the first one wrote.
    fn apply(&self) -> Vec<String> {
        let before = self.recorder.writes().len();
        let _ = self.run(&["apply", "--yes"]).code(0);
        let after = self.recorder.writes();
        let _ = self.run(&["apply", "--yes"]).code(0);
        assert_eq!(self.recorder.writes(), after, "the second apply writes nothing");
        after[before..].to_vec()
    }

    /// The bodies sent to a path, in order.
    fn bodies(&self, method: &str, path: &str) -> Vec<Value> {
        let of = |(m, p, body): (String, String, Value)| (m == method && p.contains(path)).then_some(body);
        self.recorder.exchanges().into_iter().filter_map(of).collect()
    }

    fn get(&self, path: &str) -> Value {
        self.recorder.api("GET", path, &Value::Null)
    }

    fn one(&self, path: &str, name: &str) -> Value {
        let all = self.get(path);
        let list = all
            .as_array()
            .cloned()
            .or_else(|| all.as_object().unwrap().values().find_map(|value| value.as_array().cloned()));
        list.unwrap().into_iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name}: {all}"))
    }
}

const SHOP: (&str, &str) = ("clients/shop.json", "{\"name\": \"Shop\", \"app_type\": \"spa\"}");

// Data that must not be lost.

/// A folder of a database whose JSON cannot be read would make the live database look removed: deleted with its users.
#[test]
fn a_database_that_cannot_be_read_is_not_deleted() {
    let repository = Repository::new(
        json!({"AUTH0_ALLOW_DELETE": true}),
        &[SHOP, ("database-connections/Users/database.json", "{\"name\": \"Users\", \"strategy\": \"auth0\"}")],
    );
    repository.apply();
    let before = repository.recorder.writes();
    repository.place.write("tenant/database-connections/Users/database.json", "{\"name\": \"Users\", ");
    for arguments in [&["plan"][..], &["apply", "--yes"]] {
        let output = repository.run(arguments).code(1);
        assert!(output.stderr.contains("json-syntax"), "{output}");
    }
    insta::assert_snapshot!(stable(&repository.run(&["plan"])));
    std::fs::remove_file(repository.place.path().join("tenant/database-connections/Users/database.json")).unwrap();
    std::fs::create_dir_all(repository.place.path().join("tenant/database-connections/Users")).unwrap();
    let output = repository.run(&["apply", "--yes"]);
    assert_eq!(output.code, Some(1), "{output}");
    insta::assert_snapshot!("a_database_folder_without_its_file", stable(&output));
    assert_eq!(repository.recorder.writes(), before);
    assert_eq!(repository.one("/connections?strategy=auth0", "Users")["name"], "Users");
}

/// An export masks the client secret of a connection; importing it erases the secret, because options are replaced whole.
#[test]
fn a_secret_that_is_not_in_the_files_survives() {
    let repository = Repository::new(json!({}), &[SHOP]);
    repository.recorder.api(
        "POST",
        "/connections",
        &json!({"name": "google", "strategy": "google-oauth2",
            "options": {"client_id": "id", "client_secret": "kept-secret", "email": true}}),
    );
    repository.place.write(
        "tenant/connections/google.json",
        "{\"name\": \"google\", \"strategy\": \"google-oauth2\", \"options\": {\"client_id\": \"other\", \"email\": true}}",
    );
    repository.apply();
    let sent = repository.bodies("PATCH", "/connections/");
    assert_eq!(sent.len(), 1, "{sent:?}");
    let live = repository.one("/connections", "google");
    assert_eq!(
        (&live["options"]["client_id"], &live["options"]["client_secret"]),
        (&json!("other"), &json!("kept-secret"))
    );
}

/// The marker that stands for the secret has no value: nothing is sent, neither the marker's text nor options without the secret.
#[test]
fn markers_never_reach_the_tenant() {
    let repository = Repository::new(
        json!({}),
        &[
            (
                "connections/google.json",
                "{\"name\": \"google\", \"strategy\": \"google-oauth2\", \"options\": {\"client_id\": \"a\", \"client_secret\": \"##CONNECTIONS_GOOGLE_SECRET##\"}}",
            ),
            (
                "emails/provider.json",
                "{\"name\": \"smtp\", \"enabled\": true, \"credentials\": {\"smtp_host\": \"h\", \"smtp_port\": 25, \"smtp_user\": \"##SMTP_USER##\", \"smtp_pass\": \"##SMTP_PASS##\"}}",
            ),
            (
                "actions/a.json",
                "{\"name\": \"A\", \"code\": \"actions/a.js\", \"supported_triggers\": [{\"id\": \"post-login\", \"version\": \"v3\"}], \"secrets\": [{\"name\": \"KEY\", \"value\": \"##ACTION_KEY##\"}]}",
            ),
            ("actions/a.js", "exports.onExecutePostLogin = async () => {};\n"),
            (
                "attack-protection/captcha.json",
                "{\"active_provider_id\": \"hcaptcha\", \"hcaptcha\": {\"site_key\": \"a\", \"secret\": \"##CAPTCHA##\"}}",
            ),
            ("clients/shop.json", "{\"name\": \"Shop\", \"client_metadata\": {\"a.b\": \"##DOTTED##\"}}"),
        ],
    );
    insta::assert_snapshot!(repository.refused(1));
}

/// Connections and client grants of an organization go without AUTH0_ALLOW_DELETE where the list is missing or empty.
#[test]
fn links_of_an_organization_need_the_permission_to_delete() {
    let database = ("database-connections/Users/database.json", "{\"name\": \"Users\", \"strategy\": \"auth0\"}");
    let with = "{\"name\": \"acme\", \"display_name\": \"Acme\", \"connections\": [{\"name\": \"Users\", \"assign_membership_on_login\": true}]}";
    let repository = Repository::new(json!({}), &[SHOP, database, ("organizations/acme.json", with)]);
    repository.apply();
    for without in [
        "{\"name\": \"acme\", \"display_name\": \"Acme\"}",
        "{\"name\": \"acme\", \"display_name\": \"Acme\", \"connections\": []}",
    ] {
        repository.place.write("tenant/organizations/acme.json", without);
        let before = repository.recorder.writes();
        let output = repository.run(&["plan", "--detailed-exitcode"]).code(0);
        let _ = repository.run(&["apply", "--yes"]).code(0);
        assert_eq!(repository.recorder.writes(), before, "{output}");
    }
    insta::assert_snapshot!(stable(&repository.run(&["plan"])));
    // With the permission the empty list empties it; the missing one never does.
    repository.place.write("config.json", "{\"AUTH0_ALLOW_DELETE\": \"true\"}");
    repository.place.write("tenant/organizations/acme.json", "{\"name\": \"acme\", \"display_name\": \"Acme\"}");
    let targeted = ["plan", "--detailed-exitcode", "--target", "organizations"];
    let _ = repository.run(&targeted).code(0);
    repository.place.write(
        "tenant/organizations/acme.json",
        "{\"name\": \"acme\", \"display_name\": \"Acme\", \"connections\": []}",
    );
    let _ = repository.run(&targeted).code(2);
}

/// A misspelt connection of an organization empties its list.
#[test]
fn a_misspelt_link_is_an_error() {
    let repository = Repository::new(
        json!({}),
        &[
            ("database-connections/Users/database.json", "{\"name\": \"Users\", \"strategy\": \"auth0\"}"),
            (
                "organizations/acme.json",
                "{\n  \"name\": \"acme\",\n  \"display_name\": \"Acme\",\n  \"connections\": [\n    {\"name\": \"Usres\", \"assign_membership_on_login\": true}\n  ]\n}\n",
            ),
        ],
    );
    insta::assert_snapshot!(repository.refused(1));
}

/// All permissions of a role are revoked and granted anew in every run.
#[test]
fn permissions_change_one_by_one() {
    let api = (
        "resource-servers/orders.json",
        "{\"name\": \"Orders\", \"identifier\": \"https://orders\", \"scopes\": [{\"value\": \"read\"}, {\"value\": \"write\"}, {\"value\": \"list\"}]}",
    );
    let role = |permissions: &[&str]| {
        let list: Vec<Value> = permissions
            .iter()
            .map(|name| json!({"permission_name": name, "resource_server_identifier": "https://orders"}))
            .collect();
        json!({"name": "clerk", "permissions": list}).to_string()
    };
    let repository =
        Repository::new(json!({"AUTH0_ALLOW_DELETE": true}), &[api, ("roles/clerk.json", &role(&["read", "write"]))]);
    repository.apply();
    repository.place.write("tenant/roles/clerk.json", &role(&["read", "list"]));
    let writes = repository.apply();
    assert_eq!(writes.len(), 2, "{writes:?}");
    let (added, removed) = (repository.bodies("POST", "/permissions"), repository.bodies("DELETE", "/permissions"));
    let names = |body: &Value| {
        body["permissions"].as_array().unwrap().iter().map(|p| p["permission_name"].to_string()).collect::<Vec<_>>()
    };
    assert_eq!(names(added.last().unwrap()), ["\"list\""]);
    assert_eq!(names(removed.last().unwrap()), ["\"write\""]);
    // A role without the key keeps what it has.
    repository.place.write("tenant/roles/clerk.json", "{\"name\": \"clerk\"}");
    assert!(repository.apply().is_empty());
}

/// AUTH0_ALLOW_DELETE=false in the environment deletes what that tool guards loosely, and nulls keys of client_metadata.
#[test]
fn false_is_false() {
    let client = |metadata: Value| json!({"name": "Shop", "client_metadata": metadata}).to_string();
    let repository = Repository::new(json!({}), &[("clients/shop.json", &client(json!({"a": "1", "b": "2"})))]);
    repository.apply();
    let place = repository.recorder.compatibility().env("AUTH0_ALLOW_DELETE", "false").env("AUTH0_INPUT_FILE", ".");
    place.write("clients/none.txt", "an empty list of clients");
    let before = repository.recorder.writes();
    let _ = place.run(&["apply", "--yes"]).code(0);
    assert_eq!(repository.recorder.writes(), before);
    for other in ["TRUE", "1", "yes"] {
        let place = repository.recorder.compatibility().env("AUTH0_ALLOW_DELETE", other).env("AUTH0_INPUT_FILE", ".");
        place.write("clients/none.txt", "an empty list of clients");
        let output = place.run(&["apply", "--yes"]);
        assert_eq!(repository.recorder.writes(), before, "{other}: {output}");
    }
}

/// With a token alone, that tool does not know which client is its own, and deletes it.
#[test]
fn ones_own_client_stays_whatever_the_credentials() {
    let repository = Repository::new(json!({"AUTH0_ALLOW_DELETE": true}), &[SHOP, ("grants/none.txt", "")]);
    repository.apply();
    let id = &repository.recorder.sandbox.client_id;
    assert_eq!(repository.get(&format!("/clients/{id}"))["client_id"], json!(id));
    // As a token of its own.
    let body = json!({"client_id": id, "client_secret": repository.recorder.sandbox.client_secret,
        "audience": format!("{}/api/v2/", repository.recorder.sandbox.url), "grant_type": "client_credentials"});
    let token = crate::support::token(&repository.recorder.sandbox.url, &body);
    let place = Place::new().env("AUTH0_DOMAIN", &repository.recorder.sandbox.url).env("AUTH0_ACCESS_TOKEN", &token);
    place.write("config.json", "{\"AUTH0_ALLOW_DELETE\": true}");
    place.write("tenant/clients/none.txt", "");
    std::fs::create_dir(place.path().join("tenant/grants")).unwrap();
    let before = repository.recorder.writes().len();
    let output = place.run(&["-c", "config.json", "-i", "tenant", "apply", "--yes"]).code(0);
    let deleted: Vec<String> = repository.recorder.writes().split_off(before);
    assert!(
        deleted.iter().any(|write| write.starts_with("DELETE") && write.contains("/clients/")),
        "Shop goes: {output}"
    );
    assert_eq!(repository.get(&format!("/clients/{id}"))["client_id"], json!(id), "{output}");
    let grants = repository.get(&format!("/client-grants?client_id={id}")).to_string();
    assert!(grants.contains(id), "{grants}");
}

/// Without AUTH0_ALLOW_DELETE nothing is deleted, and what would go is listed and no difference.
#[test]
fn deletes_are_left_and_listed() {
    let repository = Repository::new(json!({}), &[SHOP, ("clients/second.json", "{\"name\": \"Second\"}")]);
    repository.apply();
    std::fs::remove_file(repository.place.path().join("tenant/clients/second.json")).unwrap();
    let before = repository.recorder.writes();
    let output = repository.run(&["plan", "--detailed-exitcode"]).code(0);
    insta::assert_snapshot!(stable(&output));
    let _ = repository.run(&["apply", "--yes"]).code(0);
    assert_eq!(repository.recorder.writes(), before);
    repository.place.write("config.json", "{\"AUTH0_ALLOW_DELETE\": true}");
    let output = repository.run(&["plan"]).code(0);
    insta::assert_snapshot!("deletes_that_are_allowed_are_said_first", stable(&output));
}

/// The APIs that belong to Auth0 are not described, and not deleted for that.
#[test]
fn what_belongs_to_auth0_is_not_deleted() {
    let repository = Repository::new(
        json!({"AUTH0_ALLOW_DELETE": true}),
        &[("resource-servers/orders.json", "{\"name\": \"Orders\", \"identifier\": \"https://orders\"}")],
    );
    let writes = repository.apply();
    assert!(writes.iter().all(|write| write.starts_with("POST")), "{writes:?}");
}

/// `{}` for the e-mail provider sends the live one again there; here nothing is sent.
#[test]
fn an_empty_object_is_not_a_provider() {
    let repository = Repository::new(json!({"AUTH0_ALLOW_DELETE": true}), &[SHOP, ("emails/provider.json", "{}")]);
    let output = repository.run(&["apply", "--yes"]);
    let writes = repository.recorder.writes();
    assert!(writes.iter().all(|write| !write.contains("emails")), "{writes:?}");
    insta::assert_snapshot!(stable(&output));
}

/// Files that hold `{}` are left out, with a word about it.
#[test]
fn empty_files_are_left_out() {
    let repository =
        Repository::new(json!({}), &[SHOP, ("clients/empty.json", "{}"), ("connections/empty.json", "{}")]);
    let output = repository.run(&["plan"]).code(0);
    insta::assert_snapshot!(output.stderr);
    let writes = repository.apply();
    assert_eq!(writes.len(), 1, "{writes:?}");
    let strict = Repository::new(json!({}), &[SHOP, ("roles/empty.json", "{}")]);
    insta::assert_snapshot!("an_empty_file_of_a_kind_that_needs_a_name", strict.refused(1));
}

// What is compared, and in which order it is written.

/// The dry run hides differences inside arrays of objects, and fields that are gone from them.
#[test]
fn a_plan_shows_what_a_dry_run_hides() {
    let api = |scopes: Value| json!({"name": "Orders", "identifier": "https://orders", "scopes": scopes}).to_string();
    let before = api(json!([{"value": "read", "description": "Read"}, {"value": "write", "description": "Write"}]));
    let repository = Repository::new(json!({}), &[("resource-servers/orders.json", &before)]);
    repository.apply();
    repository
        .place
        .write("tenant/resource-servers/orders.json", &api(json!([{"value": "read", "description": "Read all"}])));
    let output = repository.run(&["plan", "--detailed-exitcode"]).code(2);
    insta::assert_snapshot!(stable(&output));
    repository.apply();
    assert_eq!(
        repository.one("/resource-servers", "Orders")["scopes"],
        json!([{"value": "read", "description": "Read all"}])
    );
}

/// AUTH0_DRY_RUN alone ends with `Import Successful` although nothing was done; with _APPLY the run writes.
#[test]
fn a_dry_run_from_the_environment_does_not_apply() {
    let repository = Repository::new(json!({"AUTH0_DRY_RUN": "preview"}), &[SHOP]);
    let output = repository.run(&["apply", "--yes"]).code(1);
    insta::assert_snapshot!(stable(&output));
    repository.recorder.untouched();
    let told = repository.run(&["--json", "apply", "--yes"]).code(1);
    assert_eq!(told.json()["problems"][0]["id"], "preview-only", "{told}");
    repository.place.write("config.json", "{\"AUTH0_DRY_RUN\": true, \"AUTH0_DRY_RUN_APPLY\": true}");
    assert_eq!(repository.apply().len(), 1);
    let again = Repository::new(json!({"AUTH0_DRY_RUN": "perhaps"}), &[SHOP]);
    insta::assert_snapshot!("a_dry_run_of_no_known_sort", again.refused(1));
}

/// References of the first run are found whatever the order of kinds, and deletes run in reverse.
#[test]
fn order_follows_references() {
    let files = [
        (
            "actions/a.json",
            "{\"name\": \"A\", \"code\": \"actions/a.js\", \"supported_triggers\": [{\"id\": \"post-login\", \"version\": \"v3\"}], \"deployed\": true}",
        ),
        ("actions/a.js", "exports.onExecutePostLogin = async () => {};\n"),
        ("triggers/triggers.json", "{\"post-login\": [{\"action_name\": \"A\", \"display_name\": \"A\"}]}"),
        (
            "resource-servers/orders.json",
            "{\"name\": \"Orders\", \"identifier\": \"https://orders\", \"scopes\": [{\"value\": \"read\"}]}",
        ),
        ("clients/worker.json", "{\"name\": \"Worker\", \"app_type\": \"non_interactive\"}"),
        ("grants/worker.json", "{\"client_id\": \"Worker\", \"audience\": \"https://orders\", \"scope\": [\"read\"]}"),
    ];
    let repository = Repository::new(json!({"AUTH0_ALLOW_DELETE": true}), &files);
    repository.apply();
    for (name, _) in files {
        std::fs::remove_file(repository.place.path().join("tenant").join(name)).unwrap();
    }
    repository.place.write("tenant/triggers/triggers.json", "{\"post-login\": []}");
    let writes = repository.apply();
    let at = |text: &str| {
        writes.iter().position(|write| write.contains(text)).unwrap_or_else(|| panic!("{text}: {writes:?}"))
    };
    assert!(
        at("PATCH /api/v2/actions/triggers/post-login/bindings") < at("DELETE /api/v2/actions/actions/"),
        "{writes:?}"
    );
    // A grant goes with its client or its API, or before them; never after.
    if let Some(grant) = writes.iter().position(|write| write.contains("DELETE /api/v2/client-grants")) {
        assert!(grant < at("DELETE /api/v2/clients/") && grant < at("DELETE /api/v2/resource-servers/"), "{writes:?}");
    }
}

/// Lists that reach further than one page are read to their end.
#[test]
fn lists_are_read_to_their_end() {
    let organization = |n: usize| json!({"name": format!("org-{n}"), "display_name": format!("Org {n}")}).to_string();
    let names: Vec<(String, String)> = (0..60).map(|n| (format!("organizations/{n}.json"), organization(n))).collect();
    let files: Vec<(&str, &str)> = names.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    let repository = Repository::new(json!({}), &files);
    assert_eq!(repository.apply().len(), 60);
}

/// An empty list of enabled clients is ignored there, so that nothing can switch all of them off.
#[test]
fn no_enabled_clients_are_no_enabled_clients() {
    let database =
        |clients: Value| json!({"name": "Users", "strategy": "auth0", "enabled_clients": clients}).to_string();
    let repository = Repository::new(
        json!({"AUTH0_ALLOW_DELETE": true}),
        &[SHOP, ("database-connections/Users/database.json", &database(json!(["Shop"])))],
    );
    repository.apply();
    let id = repository.one("/connections?strategy=auth0", "Users")["id"].as_str().unwrap().to_owned();
    let enabled = |repository: &Repository| {
        repository.get(&format!("/connections/{id}/clients"))["clients"].as_array().unwrap().len()
    };
    assert_eq!(enabled(&repository), 1);
    repository.place.write("tenant/database-connections/Users/database.json", &database(json!([])));
    repository.apply();
    assert_eq!(enabled(&repository), 0);
}

/// Defaults of the validator get into what is sent, although the author wrote nothing.
#[test]
fn nothing_is_sent_that_nobody_wrote() {
    let repository = Repository::new(
        json!({}),
        &[
            SHOP,
            ("database-connections/Users/database.json", "{\"name\": \"Users\", \"strategy\": \"auth0\"}"),
            ("organizations/acme.json", "{\"name\": \"acme\", \"display_name\": \"Acme\"}"),
        ],
    );
    repository.apply();
    let keys = |bodies: Vec<Value>| {
        bodies.iter().flat_map(|body| body.as_object().unwrap().keys().cloned().collect::<Vec<_>>()).collect::<Vec<_>>()
    };
    let mut client = keys(repository.bodies("POST", "/clients"));
    client.sort();
    assert_eq!(client, ["app_type", "name"]);
    let mut database = keys(repository.bodies("POST", "/connections"));
    database.sort();
    assert_eq!(database, ["name", "strategy"]);
    let mut organization = keys(repository.bodies("POST", "/organizations"));
    organization.sort();
    assert_eq!(organization, ["display_name", "name"]);
}

// Options.

/// Lists in the environment are text for that tool in places: "rulesConfigs" also hits "rules".
#[test]
fn kinds_are_left_out_by_their_whole_name() {
    let repository = Repository::new(
        json!({}),
        &[
            SHOP,
            ("roles/clerk.json", "{\"name\": \"clerk\"}"),
            ("rules/r.json", "{\"name\": \"r\", \"script\": \"./r.js\", \"enabled\": false}"),
            ("rules/r.js", "function r(user, context, callback) { callback(null, user, context); }\n"),
        ],
    );
    let place = repository.recorder.compatibility().env("AUTH0_EXCLUDED", "[\"rulesConfigs\", \"roles\"]");
    let tenant = repository.place.path().join("tenant").display().to_string();
    let output = place.run(&["-i", &tenant, "plan"]).code(0);
    assert!(output.stdout.contains("rules/r") && !output.stdout.contains("roles/clerk"), "{output}");
}

/// `-i` loses to the environment there.
#[test]
fn the_command_line_wins() {
    let repository = Repository::new(json!({"AUTH0_INPUT_FILE": "nowhere"}), &[SHOP]);
    assert_eq!(repository.apply().len(), 1);
}

/// Options that are unknown, refused, or contradict each other are named, with their place.
#[test]
fn options_that_do_not_work() {
    let repository = Repository::new(json!({"AUTH0_EXCLUDD": ["roles"], "AUTH0_FOO": 1}), &[SHOP]);
    let output = repository.run(&["plan"]).code(0);
    insta::assert_snapshot!("options_that_are_unknown", output.stderr);
    let repository = Repository::new(json!({}), &[SHOP]);
    repository.place.write(
        "config.json",
        "{\n  \"AUTH0_DRY_RUN_INTERACTIVE\": true,\n  \"AUTH0_IGNORE_DRY_RUN_FIELDS\": {\"clients\": [\"name\"]},\n  \"AUTH0_RETRY_MAX_DELAY_MS\": 5,\n  \"EXTENSION_SECRET\": \"hunter2\",\n  \"AUTH0_EXCLUDED\": [\"roles\"],\n  \"AUTH0_INCLUDED_ONLY\": [\"clients\"],\n  \"AUTH0_ALLOW_DELETE\": \"maybe\",\n  \"AUTH0_EXCLUDED_CLIENTS\": 5\n}\n",
    );
    let output = repository.refused(1);
    assert!(!output.contains("hunter2"), "{output}");
    insta::assert_snapshot!(output);
}

#[test]
fn a_configuration_that_cannot_be_read() {
    let repository = Repository::new(json!({}), &[SHOP]);
    repository.place.write("config.json", "{\n  \"AUTH0_CLIENT_SECRET\": \"hunter2\",\n  AUTH0_DOMAIN: \"x\"\n}\n");
    let output = repository.refused(1);
    assert!(!output.contains("hunter2"), "{output}");
    insta::assert_snapshot!(output);
    let output = refused(&repository.place, &["-c", "nowhere.json", "plan"], 1);
    insta::assert_snapshot!("a_configuration_that_is_missing", stable(&output));
}

// Kinds.

#[test]
fn kinds_of_a_later_release() {
    let files = [
        SHOP,
        ("guardian/factors/sms.json", "{\"name\": \"sms\", \"enabled\": true}"),
        ("log-streams/a.json", "{\"name\": \"a\", \"type\": \"http\"}"),
    ];
    let repository = Repository::new(json!({}), &files);
    insta::assert_snapshot!(repository.refused(1));
    repository.place.write("config.json", "{\"AUTH0_EXCLUDED\": [\"guardianFactors\", \"logStreams\"]}");
    assert_eq!(repository.apply().len(), 1);
}

#[test]
fn kinds_that_are_gone() {
    let repository = Repository::new(json!({}), &[]);
    repository.place.write("tenant/tenant.yaml", "migrations:\n  a: true\nroles:\n  - name: clerk\n");
    let output = repository.run(&["plan"]).code(0);
    insta::assert_snapshot!(stable(&output));
    assert_eq!(repository.apply().len(), 1);
    let recorder = Recorder::start(&[]);
    let place = recorder.project();
    place.write("tenant.yaml", "migrations:\n  a: true\nroles:\n  - name: clerk\n");
    insta::assert_snapshot!("kinds_that_are_gone_in_a_project", stable(&refused(&place, &["plan"], 1)));
}

#[test]
fn folders_that_are_nearly_right() {
    let repository = Repository::new(
        json!({}),
        &[SHOP, ("client/b.json", "{\"name\": \"B\"}"), ("resource-server/a.json", "{}"), ("docs/a.json", "{}")],
    );
    let output = repository.run(&["plan"]).code(0);
    insta::assert_snapshot!(output.stderr);
}

#[test]
fn unknown_fields_warn_and_pass() {
    let repository = Repository::new(json!({}), &[]);
    repository.place.write("tenant/clients/shop.json", "{\n  \"name\": \"Shop\",\n  \"callback\": []\n}\n");
    let output = repository.run(&["validate"]).code(0);
    insta::assert_snapshot!(output.stderr);
}

// Files and markers.

/// Values with quotes, line ends or colons break or inject YAML there.
#[test]
fn values_do_not_break_the_file() {
    let value = "a\"b: c\n  - name: injected\n#d";
    let repository = Repository::new(
        json!({"AUTH0_KEYWORD_REPLACE_MAPPINGS": {"BRAND": value, "A(": "x"}}),
        &[(
            "tenant.yaml",
            "roles:\n  - name: clerk\n    description: \"##BRAND##\"\n  - name: second\n    description: ##BRAND##\n  - name: third\n    description: @@BRAND@@\n",
        )],
    );
    let writes = repository.apply();
    assert_eq!(writes.len(), 3, "{writes:?}");
    assert_eq!(repository.one("/roles", "clerk")["description"], value);
    assert_eq!(repository.one("/roles", "third")["description"], value);
}

/// A bare marker without a value is a comment in YAML: null there, and an error here.
#[test]
fn a_bare_marker_is_no_comment() {
    let repository =
        Repository::new(json!({}), &[("tenant.yaml", "roles:\n  - name: clerk\n    description: ##NOBODY##\n")]);
    insta::assert_snapshot!(repository.refused(1));
}

/// A client that does not exist is passed on as its name, an unknown connection is dropped.
#[test]
fn unknown_references_stop_before_the_first_write() {
    let repository = Repository::new(
        json!({}),
        &[
            SHOP,
            (
                "connections/google.json",
                "{\n  \"name\": \"google\",\n  \"strategy\": \"google-oauth2\",\n  \"enabled_clients\": [\"Shop\", \"Shopp\"]\n}\n",
            ),
            ("grants/a.json", "{\"client_id\": \"Nobody\", \"audience\": \"https://nowhere\", \"scope\": []}"),
        ],
    );
    insta::assert_snapshot!(repository.refused(1));
}

/// An export that overwrites the first of two clients of one name, and references by name to them.
#[test]
fn clients_of_one_name_are_told_apart() {
    let repository = Repository::new(json!({}), &[]);
    for _ in 0..2 {
        repository.recorder.api("POST", "/clients", &json!({"name": "Twin"}));
    }
    let _ = repository.run(&["export", "-o", "out"]);
    let twins: Vec<_> = std::fs::read_dir(repository.place.path().join("out/clients"))
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .filter(|name| name.to_string_lossy().contains("Twin"))
        .collect();
    assert_eq!(twins.len(), 2, "{twins:?}");
    let output = repository.place.run(&["-i", "out", "plan", "--detailed-exitcode"]);
    assert_eq!(output.code, Some(0), "{output}");
    // One of that name in the files means neither of them: it is not guessed.
    let repository = Repository { place: repository.recorder.compatibility(), recorder: repository.recorder };
    repository.place.write("config.json", "{}");
    repository.place.write("tenant/clients/twin.json", "{\"name\": \"Twin\", \"description\": \"x\"}");
    let before = repository.recorder.writes();
    let output = repository.run(&["apply", "--yes"]).code(1);
    let text = regex::Regex::new("[A-Za-z0-9]{32}").unwrap().replace_all(&stable(&output), "ID").into_owned();
    insta::assert_snapshot!(text);
    assert_eq!(repository.recorder.writes(), before);
}

/// Ids that an export with AUTH0_EXPORT_IDENTIFIERS writes can be read again.
#[test]
fn an_export_with_ids_loads_back() {
    let repository = Repository::new(
        json!({"AUTH0_EXPORT_IDENTIFIERS": true}),
        &[SHOP, ("roles/clerk.json", "{\"name\": \"clerk\"}")],
    );
    repository.apply();
    let _ = repository.run(&["export", "-o", "out", "--files", "json"]);
    let output = repository.place.run(&["-c", "config.json", "-i", "out", "plan", "--detailed-exitcode"]);
    assert_eq!(output.code, Some(0), "{output}");
}

/// One of three files is enough for attack protection.
#[test]
fn a_part_of_attack_protection_is_enough() {
    let repository = Repository::new(
        json!({}),
        &[("attack-protection/brute-force-protection.json", "{\"enabled\": true, \"max_attempts\": 7}")],
    );
    let writes = repository.apply();
    assert_eq!(writes, ["PATCH /api/v2/attack-protection/brute-force-protection"]);
}

/// An empty folder of triggers describes nothing.
#[test]
fn an_empty_folder_of_triggers() {
    let repository = Repository::new(json!({}), &[SHOP]);
    std::fs::create_dir(repository.place.path().join("tenant/triggers")).unwrap();
    assert_eq!(repository.apply().len(), 1);
}

/// Side files of a YAML file named by a relative path in a sub-folder are looked up twice below it there.
#[test]
fn a_relative_path_in_a_folder_works() {
    let repository = Repository::new(json!({}), &[]);
    repository.place.write("local/tenant.yaml", "clients:\n  - name: Shop\n    custom_login_page: ./login.html\nconnections:\n  - name: email\n    strategy: email\n    options: {email: {body: ./mail.html, from: a@example.com, subject: Hi, syntax: liquid}, name: email}\nroles: []\n");
    repository.place.write("local/clients/login.html", "<html>the login page</html>");
    repository.place.write("local/connections/mail.html", "<html>the mail</html>");
    for path in ["local/tenant.yaml", "./local/tenant.yaml"] {
        let output = repository.place.run(&["-c", "config.json", "-i", path, "plan"]).code(0);
        assert!(output.stdout.contains("the mail") && output.stdout.contains("the login page"), "{output}");
    }
    let absolute = repository.place.path().join("local/tenant.yaml").display().to_string();
    let output = repository.place.run(&["-c", "config.json", "-i", &absolute, "plan"]).code(0);
    assert!(output.stdout.contains("the mail"), "{output}");
}

/// Flags of the tenant that nobody listed are dropped there, on write and on read.
#[test]
fn flags_of_tomorrow_are_not_dropped() {
    let repository = Repository::new(
        json!({}),
        &[("tenant.json", "{\n  \"flags\": {\n    \"remove_alg_from_jwks\": true\n  }\n}\n")],
    );
    repository.apply();
    let sent = repository.bodies("PATCH", "/tenants/settings");
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!(sent[0]["flags"]["remove_alg_from_jwks"], true);
}

/// A token is not needed to validate files.
#[test]
fn files_are_checked_without_credentials() {
    let place = Place::new();
    place.write("config.json", "{\"AUTH0_DOMAIN\": \"acme.eu.auth0.com\"}");
    place.write("tenant/clients/shop.json", "{\"name\": \"Shop\"}");
    let _ = place.run(&["-c", "config.json", "-i", "tenant", "validate"]).code(0);
    insta::assert_snapshot!(stable(&refused(&place, &["-c", "config.json", "-i", "tenant", "plan"], 1)));
}
