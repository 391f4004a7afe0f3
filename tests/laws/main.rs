//! Laws that hold for every kind, checked on a sandbox over real HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "../common/mod.rs"]
mod common;
mod differ;
mod edit;
mod exports;
mod front;
mod hand;
mod limits;
mod nulls;
mod properties;
#[cfg(unix)]
mod random;
#[path = "../chain/raw.rs"]
#[allow(dead_code, unreachable_pub)]
mod raw;
mod sees;
mod shape;
#[path = "../site/mod.rs"]
mod site;
#[path = "../stage/mod.rs"]
mod stage;
mod tenant;
mod values;
mod whole;
mod world;

macro_rules! sees {
    ($($test:ident $kind:literal;)*) => {$(
        #[tokio::test]
        async fn $test() {
            sees::sees($kind).await;
        }
    )*};
}

sees! {
    sees_actions "actions";
    sees_attack_protection "attackProtection";
    sees_branding "branding";
    sees_client_grants "clientGrants";
    sees_clients "clients";
    sees_connections "connections";
    sees_databases "databases";
    sees_email_provider "emailProvider";
    sees_email_templates "emailTemplates";
    sees_organizations "organizations";
    sees_pages "pages";
    sees_prompts "prompts";
    sees_resource_servers "resourceServers";
    sees_roles "roles";
    sees_rules "rules";
    sees_rules_configs "rulesConfigs";
    sees_tenant "tenant";
    sees_triggers "triggers";
}
