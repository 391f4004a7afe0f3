//! Stories of one kind each: numbered folders, every one a chain of descriptions that are deployed one after the other.
//!
//! Each step is planned, applied and planned again, through the real program against a sandbox of its own. The second plan must find
//! nothing, and a second apply must write nothing, which the sandbox's record proves. What is printed and what was written is a
//! snapshot, to be read with a stranger's eyes.
//!
//! `scenario.yaml` says what a folder shows ([`scenario::Scenario`]); `step-N/` is the description of its N-th step.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, unreachable_pub)]

#[path = "../common/mod.rs"]
mod common;

mod harness;
mod raw;
mod scenario;
mod story;

use std::path::Path;

/// Makes a test of every folder, and one that none was forgotten.
macro_rules! scenarios {
    ($($test:ident: $folder:literal,)*) => {
        $(#[test] fn $test() { harness::run($folder); })*

        #[test]
        fn every_folder_is_a_test() {
            let known = [$($folder),*];
            let here = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/scenarios");
            let entries = std::fs::read_dir(here).unwrap().map(|entry| entry.unwrap());
            let folders = entries.filter(|e| e.path().join("scenario.yaml").is_file());
            let mut names: Vec<String> = folders.map(|e| e.file_name().into_string().unwrap()).collect();
            names.sort();
            assert_eq!(names, known);
        }
    };
}

scenarios! {
    create_a_client: "001-create-a-client",
    credentials_of_a_client: "002-credentials-of-a-client",
    clients_of_one_name: "003-clients-of-one-name",
    renamed_without_moved: "004-renamed-without-moved",
    renamed_with_moved: "005-renamed-with-moved",
    replace_a_client_grant: "006-replace-a-client-grant",
    replace_a_connection: "007-replace-a-connection",
    replace_an_api: "008-replace-an-api",
    replace_an_action: "009-replace-an-action",
    code_of_an_action: "010-code-of-an-action",
    delete_a_bound_action: "011-delete-a-bound-action",
    order_of_bindings: "012-order-of-bindings",
    rules_swap: "013-rules-swap",
    permissions_of_a_role: "014-permissions-of-a-role",
    options_of_a_connection: "015-options-of-a-connection",
    clients_of_a_connection: "016-clients-of-a-connection",
    password_of_the_mail_server: "017-password-of-the-mail-server",
    configuration_of_a_database: "018-configuration-of-a-database",
    scim_of_a_connection: "019-scim-of-a-connection",
    settings_of_a_database: "020-settings-of-a-database",
    scripts_of_a_database: "021-scripts-of-a-database",
    links_of_an_organization: "022-links-of-an-organization",
    grants_of_an_organization: "023-grants-of-an-organization",
    apis_of_auth0: "024-apis-of-auth0",
    the_deployer: "025-the-deployer",
    tenant_settings: "026-tenant-settings",
    pages: "027-pages",
    texts_of_prompts: "028-texts-of-prompts",
    custom_domain: "029-custom-domain",
    captcha: "030-captcha",
    rule_settings: "031-rule-settings",
    mail_templates: "032-mail-templates",
    metadata_of_a_client: "033-metadata-of-a-client",
    null_empty_absent: "034-null-empty-absent",
    absent_and_empty_kinds: "035-absent-and-empty-kinds",
    allow_delete: "036-allow-delete",
    removals_left: "037-removals-left",
    smaller_subscription: "038-smaller-subscription",
    missing_scope: "039-missing-scope",
    failure_half_way: "040-failure-half-way",
    keep_going: "041-keep-going",
    target: "042-target",
    password_settings: "043-password-settings-that-go-along",
    both_forms_of_password_settings: "044-both-forms-of-password-settings",
}

#[test]
fn a_day_on_production() {
    story::run("101-a-day-on-production");
}

#[test]
fn a_day_with_throw_away_clones() {
    story::run("102-a-day-with-throw-away-clones");
}
