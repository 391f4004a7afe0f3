//! The worked example with secrets of every sort, through every command that has to do with them, at the loudest: the tenant gets each,
//! and nothing else does. And the search that says so, put to the test.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod common;

use common::{Place, Sandbox};

/// What the environment gives, by variable: plain, with line breaks and quotes, in capitals for a helper to make small.
const GIVEN: [(&str, &str); 7] = [
    ("GOOGLE", "canary-google-0123456789"),
    ("GLOBEX", "CANARY-GLOBEX-IN-CAPITALS"),
    ("SMTP", "canary \"quoted\" 'twice' \\ smtp"),
    ("CRM", "canary-crm-first-line\ncanary-crm-\"second\"-line\n"),
    ("LEGACY", "canary-legacy/+&=?#%20"),
    ("FRAUD", "canary-fräud-日本-check"),
    ("FINGERPRINTS", "canary-key-of-fingerprints-0123456789"),
];

/// What a helper makes of one of them.
const DERIVED: &str = "canary-globex-in-capitals";

/// The worked example, pointed at a tenant of its own, which records what it is asked.
fn example() -> (Place, Sandbox) {
    let place = Place::with("tenants/travel0");
    let sandbox = Sandbox::start(&place, &["--rate", "off", "--record", "record.ndjson"]);
    let secrets = [
        ("google_client_secret", "GOOGLE"),
        ("globex_client_secret", "GLOBEX"),
        ("smtp_password", "SMTP"),
        ("crm_token", "CRM"),
        ("legacy_members_token", "LEGACY"),
        ("fraud_check_key", "FRAUD"),
    ];
    let secrets: String = secrets.iter().map(|(name, env)| format!("      {name}: {{ env: {env} }}\n")).collect();
    let there = format!(
        "  there:\n    domain: {}\n    variables: environments/sandbox.yaml\n    policy: {{ delete: all, approve: [] }}\n    \
         fingerprint_key: {{ env: FINGERPRINTS }}\n    secrets:\n{secrets}",
        sandbox.url
    );
    let project = place.read("tenantry.yaml");
    place.write("tenantry.yaml", &project.replacen("environments:\n", &format!("environments:\n{there}"), 1));
    let globex = place.read("connections/globex.yaml");
    let derived = globex.replace("${{ secrets.globex_client_secret }}", "${{ lower secrets.globex_client_secret }}");
    assert_ne!(globex, derived);
    place.write("connections/globex.yaml", &derived);
    let place = GIVEN.iter().fold(sandbox.point(place), |place, (name, value)| place.env(name, value));
    (place, sandbox)
}

#[test]
fn the_tenant_gets_every_secret_and_nothing_else_does() {
    let (place, _sandbox) = example();
    for trace in ["-v", "-vv", "-vvv"] {
        let _ = place.run(&[trace, "-e", "there", "plan", "-o", "saved.json"]).code(0);
    }
    let _ = place.run(&["-vvv", "-e", "there", "apply", "--yes"]).code(0);
    let received = place.read("record.ndjson");
    for (name, value) in GIVEN.iter().filter(|(name, _)| !["GLOBEX", "FINGERPRINTS"].contains(name)) {
        let escaped = serde_json::Value::from(*value).to_string();
        assert!(received.contains(&escaped), "the tenant never got {name}");
    }
    assert!(received.contains(DERIVED), "the tenant never got what a helper made");
    // From now on the search knows what the tenant keeps: what a helper made, and what it made itself.
    let _ = place.run(&["-vvv", "-e", "there", "plan"]).code(0);
    let known = place.known();
    let counted = |name: &str| known.iter().filter(|known| *known == name).count();
    assert!(counted("the tenant's client_secret") >= 3, "{known:?}");
    assert!(GIVEN.iter().all(|(name, _)| counted(name) == 1), "{known:?}");

    let role = place.read("roles/travel-agent.yaml");
    place.write("roles/travel-agent.yaml", &format!("{role}\n# Another deployment.\n"));
    let smtp = "canary-smtp-of-the-second-deployment";
    let place = place.env("SMTP", smtp);
    let _ = place.run(&["-vvv", "-e", "there", "apply", "--yes"]).code(0);
    assert!(place.read("record.ndjson").contains(smtp), "the tenant never got the new one");
    // The old one is lost: nobody can read it back.
    let _ = place.run(&["-vvv", "-e", "there", "revert", "--yes"]);
    let _ = place.run(&["-vvv", "-e", "there", "history"]).code(0);
    let _ = place.run(&["-vvv", "-e", "there", "drift"]);
    for (to, more) in [("out", &[][..]), ("single", &["--format", "single"]), ("plain", &["--sanitize"])] {
        let said = place.run(&[&["-vvv", "-e", "there", "export", "-o", to], more].concat());
        assert!(matches!(said.code, Some(0 | 5)), "{said}");
    }
    let said = place.run(&["-vvv", "-e", "there", "backup", "-o", "backups"]);
    assert!(matches!(said.code, Some(0 | 5)), "{said}");
    let _ = place.run(&["-vvv", "--json", "-e", "there", "plan"]);
    assert!(place.tally().runs >= 12 && place.tally().bytes > 500_000, "{:?}", place.tally());
}

/// Demands that the search stops at what happens between a beginning and an end.
fn found(what: &str, place: &Place, happens: impl FnOnce(&Place) -> Vec<u8>) {
    let _ = place.command(&["validate"]);
    let said = happens(place);
    let searched = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| place.heard(&said, b"")));
    assert!(searched.is_err(), "not found: {what}");
}

/// Whoever starts the program in another way than through a [`Place`] is not searched.
#[test]
fn only_a_place_starts_the_program() {
    let mut folders = vec![std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")];
    let mut starts = Vec::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|end| end == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                if text.contains(concat!("CARGO_BIN_", "EXE_tenantry")) {
                    starts.push(path);
                }
            }
        }
    }
    assert_eq!(starts.len(), 1, "{starts:?}");
    assert!(starts[0].ends_with("common/mod.rs"), "{starts:?}");
}

#[test]
fn the_search_finds_what_it_has_to_find() {
    let crm = GIVEN[3].1;
    let fresh = || GIVEN.iter().fold(Place::new(), |place, (name, value)| place.env(&format!("SECRET_{name}"), value));
    found("an output", &fresh(), |_| crm.as_bytes().to_vec());
    found("an escaped output", &fresh(), |_| serde_json::to_vec(crm).unwrap());
    found("a line of it", &fresh(), |_| b"... canary-crm-first-line ...".to_vec());
    let place = fresh();
    found("a file", &place, |place| {
        place.write("deep/er/file.txt", &format!("x{}x", GIVEN[0].1));
        Vec::new()
    });
    std::fs::remove_dir_all(place.path()).unwrap();
    let place = fresh();
    found("an archive", &place, |place| {
        let packed = zstd::encode_all(GIVEN[0].1.as_bytes(), 19).unwrap();
        // Broken off is found too.
        std::fs::write(place.path().join("x.tar.zst"), [&packed[..], b"more"].concat()).unwrap();
        Vec::new()
    });
    std::fs::remove_dir_all(place.path()).unwrap();
}
