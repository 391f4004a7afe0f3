//! Descriptions that do not hold. Each is refused offline, and by `apply` before a token is asked for.

use crate::common::Place;
use crate::support::{Recorder, places, refused, stable};

/// Writes files over a small description that holds, and demands that it is refused: by `validate` offline, and by `apply` without
/// a request. Returns what `validate` said.
fn bad(files: &[(&str, &str)]) -> String {
    let recorder = Recorder::start(&[]);
    let place = recorder.project();
    place.write("clients/shop.yaml", "name: Shop\napp_type: spa\n");
    for (name, text) in files {
        place.write(name, text);
    }
    refused_everywhere(&recorder, &place)
}

fn refused_everywhere(recorder: &Recorder, place: &Place) -> String {
    let validated = refused(place, &["validate"], 1);
    let applied = refused(place, &["apply", "--yes"], 1);
    assert_eq!(validated.stderr, applied.stderr, "both say the same");
    assert!(recorder.exchanges().is_empty(), "{:?}", recorder.exchanges());
    for (file, line, column) in places(&validated) {
        let text = std::fs::read(place.path().join(&file)).unwrap_or_default();
        let text = String::from_utf8_lossy(&text);
        let shown = text.lines().nth(line as usize - 1).unwrap_or_default();
        assert!(column as usize <= shown.chars().count() + 1, "{file}:{line}:{column} is not in {shown:?}");
    }
    stable(&validated)
}

/// The same for a description that is one file.
fn bad_single(text: &str) -> String {
    let recorder = Recorder::start(&[]);
    let place = recorder.project();
    place.write("tenant.yaml", text);
    refused_everywhere(&recorder, &place)
}

macro_rules! bad {
    ($name:ident, $($file:expr => $text:expr),+ $(,)?) => {
        #[test]
        fn $name() {
            insta::assert_snapshot!(bad(&[$(($file, $text)),+]));
        }
    };
}

macro_rules! bad_single {
    ($name:ident, $text:expr) => {
        #[test]
        fn $name() {
            insta::assert_snapshot!(bad_single($text));
        }
    };
}

// Unknown words.
bad_single!(unknown_kind_in_a_single_file, "clientz:\n  - name: Shop\nroles: []\n");
bad!(unknown_field, "clients/shop.yaml" => "name: Shop\ncallback:\n  - https://shop.example.com/cb\n");
bad!(unknown_field_deep_inside, "clients/shop.yaml" => "name: Shop\njwt_configuration:\n  lifetime_in_second: 10\n");
bad!(unknown_field_in_json, "clients/second.json" => "{\n  \"name\": \"Second\",\n  \"callback\": []\n}\n");
bad!(unknown_fields_all_at_once,
    "clients/shop.yaml" => "name: Shop\ncallback: []\nweb_origin: []\n",
    "roles/admin.json" => "{\"name\": \"admin\", \"desciption\": \"x\"}\n");

bad_single!(a_kind_of_a_later_release, "guardianFactors:\n  - name: sms\n    enabled: true\nclients: []\n");
bad!(two_layouts, "tenant.yaml" => "roles: []\n");
bad!(one_resource_in_two_files_of_one_name, "clients/shop.json" => "{\"name\": \"Other\"}\n");

// Things said twice.
bad!(duplicate_key, "clients/shop.yaml" => "name: Shop\napp_type: spa\nname: Other\n");
bad!(duplicate_key_in_json, "roles/admin.json" => "{\n  \"name\": \"admin\",\n  \"name\": \"root\"\n}\n");
bad_single!(duplicate_key_of_a_kind, "roles:\n  - name: a\nclients: []\nroles:\n  - name: b\n");
bad!(duplicate_name, "clients/again.json" => "{\"name\": \"Shop\"}\n");
bad_single!(duplicate_name_in_one_file, "roles:\n  - name: admin\n  - name: admin\n");

// Side files.
bad!(missing_side_file,
    "actions/enrich.json" => "{\n  \"name\": \"Enrich\",\n  \"code\": \"./actions/enrich/code.js\",\n  \"supported_triggers\": [{\"id\": \"post-login\", \"version\": \"v3\"}]\n}\n");
bad!(side_file_under_another_name,
    "actions/enrich.yaml" => "name: Enrich\ncode: ./actions/enrich/cod.js\nsupported_triggers: [{id: post-login, version: v3}]\n",
    "actions/enrich/code.js" => "exports.onExecutePostLogin = async () => {};\n");

// Markers.
bad!(markers_without_values,
    "tenantry.yaml" => "variables: {SUPPORT_EMAIL: a@example.com, shop_url: https://shop.example.com}\nenvironments:\n  dev: {domain: 'http://127.0.0.1:1'}\n",
    "tenant.json" => "{\n  \"friendly_name\": \"##BRAND##\",\n  \"support_email\": \"##SUPPORT_EMIAL##\"\n}\n",
    "clients/shop.yaml" => "name: Shop\ncallbacks: @@CALLBACKS@@\nclient_metadata:\n  url: ${{ vars.shop_ulr }}/x\n  other: ${{ env.NOPE }}\n",
    "actions/enrich.yaml" => "name: Enrich\ncode: ./actions/enrich/code.js\nsupported_triggers: [{id: post-login, version: v3}]\n",
    "actions/enrich/code.js" => "exports.onExecutePostLogin = async () => {\n  const url = \"##SHOP_API##\";\n};\n");
bad!(expression_that_is_none, "clients/shop.yaml" => "name: Shop\ndescription: ${{ vars.brand\n");
bad!(expression_with_unknown_helper, "clients/shop.yaml" => "name: Shop\ndescription: ${{ shout vars.brand }}\n");

// Types and values.
bad!(wrong_type, "clients/shop.yaml" => "name: Shop\ncallbacks: https://shop.example.com/cb\noidc_conformant: yes\n");
bad_single!(wrong_type_of_a_kind, "clients:\n  name: Shop\n");
bad!(wrong_type_in_a_list, "roles/admin.json" => "{\n  \"name\": \"admin\",\n  \"permissions\": [\"read:orders\"]\n}\n");
bad!(wrong_value_of_an_enumeration, "clients/shop.yaml" => "name: Shop\napp_type: singlepage\n");
bad!(missing_name, "clients/shop.yaml" => "app_type: spa\n");
bad!(a_list_where_one_resource_belongs, "clients/shop.yaml" => "- name: Shop\n- name: Other\n");
bad!(number_out_of_range, "attack-protection/brute-force-protection.yaml" => "enabled: true\nmax_attempts: 101\n");

// Syntax.
bad!(yaml_syntax, "clients/shop.yaml" => "name: Shop\n  app_type: spa\n");
bad!(yaml_syntax_of_brackets, "clients/shop.yaml" => "name: Shop\ncallbacks: [https://shop.example.com\n");
bad!(yaml_tab, "clients/shop.yaml" => "name: Shop\njwt_configuration:\n\talg: RS256\n");
bad!(yaml_tag, "clients/shop.yaml" => "name: !!python/object:os.system Shop\n");
bad!(several_documents, "clients/shop.yaml" => "name: Shop\n---\nname: Other\n");
bad!(json_syntax, "roles/admin.json" => "{\n  \"name\": \"admin\",\n}\n");
bad!(json_cut_off, "roles/admin.json" => "{\n  \"name\": \"adm");
bad!(empty_json, "roles/admin.json" => "");
bad!(control_character, "clients/shop.yaml" => "name: Shop\ndescription: a\u{7}b\n");
bad!(unknown_alias, "clients/shop.yaml" => "name: Shop\ncallbacks: *none\n");
bad!(alias_bomb,
    "clients/shop.yaml" => "a: &a [lol, lol, lol, lol, lol, lol, lol, lol, lol]\nb: &b [*a, *a, *a, *a, *a, *a, *a, *a, *a]\nc: &c [*b, *b, *b, *b, *b, *b, *b, *b, *b]\nd: &d [*c, *c, *c, *c, *c, *c, *c, *c, *c]\ne: &e [*d, *d, *d, *d, *d, *d, *d, *d, *d]\nf: &f [*e, *e, *e, *e, *e, *e, *e, *e, *e]\ng: &g [*f, *f, *f, *f, *f, *f, *f, *f, *f]\nname: Shop\ncallbacks: *g\n");
bad!(alias_of_itself, "clients/shop.yaml" => "name: Shop\nclient_metadata: &a\n  b: *a\n");

#[test]
fn nested_too_deep() {
    let text = format!("name: Shop\nclient_metadata: {}{}\n", "[".repeat(5000), "]".repeat(5000));
    let output = bad(&[("clients/shop.yaml", &text)]);
    assert!(output.len() < 2000, "{output}");
    insta::assert_snapshot!(output);
}

#[test]
fn invalid_utf8() {
    let recorder = Recorder::start(&[]);
    let place = recorder.project();
    std::fs::create_dir(place.path().join("clients")).unwrap();
    std::fs::write(place.path().join("clients/shop.yaml"), b"name: Shop\ndescription: Gr\xfc\xdfe\n").unwrap();
    std::fs::write(place.path().join("clients/other.json"), b"\xff\xfe{\x00}\x00").unwrap();
    insta::assert_snapshot!(refused_everywhere(&recorder, &place));
}

#[test]
fn a_side_file_that_is_not_utf8() {
    let recorder = Recorder::start(&[]);
    let place = recorder.project();
    place.write(
        "actions/enrich.yaml",
        "name: Enrich\ncode: ./actions/enrich/code.js\nsupported_triggers: [{id: post-login, version: v3}]\n",
    );
    std::fs::create_dir(place.path().join("actions/enrich")).unwrap();
    std::fs::write(place.path().join("actions/enrich/code.js"), b"// Gr\xfc\xdfe\n").unwrap();
    insta::assert_snapshot!(refused_everywhere(&recorder, &place));
}

#[test]
fn a_hundred_megabytes() {
    let recorder = Recorder::start(&[]);
    let place = recorder.project();
    std::fs::create_dir(place.path().join("clients")).unwrap();
    let file = std::fs::File::create(place.path().join("clients/shop.yaml")).unwrap();
    file.set_len(100 * 1024 * 1024).unwrap();
    place.write(
        "actions/enrich.yaml",
        "name: Enrich\ncode: ./actions/enrich/code.js\nsupported_triggers: [{id: post-login, version: v3}]\n",
    );
    std::fs::create_dir(place.path().join("actions/enrich")).unwrap();
    let file = std::fs::File::create(place.path().join("actions/enrich/code.js")).unwrap();
    file.set_len(100 * 1024 * 1024).unwrap();
    insta::assert_snapshot!(refused_everywhere(&recorder, &place));
}

#[cfg(unix)]
#[test]
fn files_that_cannot_be_read() {
    use std::os::unix::fs::symlink;
    let recorder = Recorder::start(&[]);
    let place = recorder.project();
    place.write(
        "actions/enrich.yaml",
        "name: Enrich\ncode: ./actions/enrich/code.js\nsupported_triggers: [{id: post-login, version: v3}]\n",
    );
    std::fs::create_dir(place.path().join("actions/enrich")).unwrap();
    // Dead links: unreadable for everyone, also for root.
    symlink("nowhere.js", place.path().join("actions/enrich/code.js")).unwrap();
    std::fs::create_dir(place.path().join("clients")).unwrap();
    symlink("nowhere.json", place.path().join("clients/shop.json")).unwrap();
    insta::assert_snapshot!(refused_everywhere(&recorder, &place));
}

#[cfg(unix)]
#[test]
fn a_side_file_outside() {
    let recorder = Recorder::start(&[]);
    let place = recorder.project();
    place.write(
        "tenantry.yaml",
        &format!("description: tenant\nenvironments:\n  dev: {{domain: '{}'}}\n", recorder.sandbox.url),
    );
    place.write("secret.txt", "the secret of this machine\n");
    place.write(
        "tenant/actions/enrich.yaml",
        "name: Enrich\ncode: ../secret.txt\nsupported_triggers: [{id: post-login, version: v3}]\n",
    );
    place.write(
        "tenant/actions/other.yaml",
        "name: Other\ncode: ./actions/other/code.js\nsupported_triggers: [{id: post-login, version: v3}]\n",
    );
    std::fs::create_dir(place.path().join("tenant/actions/other")).unwrap();
    std::os::unix::fs::symlink("../../../secret.txt", place.path().join("tenant/actions/other/code.js")).unwrap();
    let output = refused_everywhere(&recorder, &place);
    assert!(!output.contains("the secret of"), "{output}");
    insta::assert_snapshot!(output);
}

#[test]
fn nothing_described() {
    let recorder = Recorder::start(&[]);
    insta::assert_snapshot!(refused_everywhere(&recorder, &recorder.project()));
}

#[test]
fn a_description_that_is_not_there() {
    let recorder = Recorder::start(&[]);
    let place = recorder.project();
    let output = refused(&place, &["-i", "tenants/acme", "validate"], 1);
    insta::assert_snapshot!(stable(&output));
}
