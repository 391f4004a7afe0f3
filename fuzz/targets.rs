//! What is tried on bytes that anybody may have written: no panic, and what was read means what it says.

use std::sync::LazyLock;

use tenantry::deployment::stored;
use tenantry::description::{
    DescribeOptions, Format, Leniency, SecretState, Variables, describe, fill_text, layout, load,
};
use tenantry::journal;
use tenantry::model::{Address, AddressPattern};
use tenantry::receipt::Receipt;
use tenantry::schema::Registry;

/// Markers `##X##` and expressions have values, one of them secret-free text with what breaks formats.
static VARIABLES: LazyLock<Variables> = LazyLock::new(|| {
    let mut variables = Variables::default();
    variables.values.insert("X".to_owned(), "a \"b\" 'c'\n- d: {e}".into());
    variables.values.insert("LIST".to_owned(), serde_json::json!(["one", 2, null]));
    variables.secrets.insert("s".to_owned(), SecretState::Missing);
    variables
});

/// Addresses and patterns of them.
pub(crate) fn address(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(address) = Address::parse(text) {
        assert_eq!(Address::parse(&address.to_string()), Some(address.clone()), "an address reads what it prints");
        if let Ok(pattern) = AddressPattern::new(&address.to_string()) {
            assert!(pattern.matches(&address), "an address matches itself");
        }
    }
    let _ = AddressPattern::new(text);
}

/// The single YAML file, the settings of the directory layout, and a YAML and a JSON file in it; then rendering and checks.
pub(crate) fn description(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let names = VARIABLES.known_names();
    for format in [Format::Yaml, Format::Json] {
        let _ = load("file", bytes, format, &names);
    }
    let single = layout::Tree::of([("tenant.yaml", text.as_ref()), ("code.js", text.as_ref())]);
    described(&single, Some("tenant.yaml"));
    let directory = layout::Tree::of([
        ("tenant.json", text.as_ref()),
        ("clients/a.json", text.as_ref()),
        ("clients/b.yaml", text.as_ref()),
        ("actions/c.yaml", text.as_ref()),
        ("actions/c/code.js", text.as_ref()),
    ]);
    described(&directory, None);
}

fn described(tree: &layout::Tree, single: Option<&str>) {
    let registry = Registry::get();
    let filters = Default::default();
    for compatibility in [false, true] {
        let found = layout::read_layout(
            tree,
            &layout::LayoutOptions {
                registry,
                names: &VARIABLES.known_names(),
                filters: &filters,
                compatibility,
                single: single.map(str::to_owned),
                connections_directory: None,
            },
        );
        let options = DescribeOptions {
            registry,
            variables: &VARIABLES,
            filters: &filters,
            compatibility,
            lenient: compatibility,
        };
        let outcome = describe(&found.description, tree, &options);
        for problem in found.problems.iter().chain(&outcome.problems) {
            assert!(!problem.title.is_empty(), "a problem says what happened");
        }
    }
}

/// Files beside YAML and JSON.
pub(crate) fn side_file(bytes: &[u8]) {
    for leniency in [Leniency::Strict, Leniency::MarkersPass] {
        let _ = fill_text("code.js", bytes, &VARIABLES, leniency);
    }
}

/// Journals: what was read of a cut one is a beginning of the whole.
pub(crate) fn journal(bytes: &[u8]) {
    let Ok(whole) = journal::parse("journal", bytes) else { return };
    let cut = bytes.get(..bytes.len() / 2).unwrap_or_default();
    if let Ok(part) = journal::parse("journal", cut) {
        assert!(part.entries.entries.len() <= whole.entries.entries.len(), "nothing appears by cutting");
    }
}

/// Records of deployments.
pub(crate) fn record(bytes: &[u8]) {
    if let Ok(record) = stored::read("record", bytes) {
        let again = stored::read("record", stored::write(&record).as_bytes());
        assert!(again.is_ok(), "a record reads what it writes");
    }
}

/// Saved plans.
pub(crate) fn receipt(bytes: &[u8]) {
    let _ = Receipt::read(bytes, "plan.json");
}
