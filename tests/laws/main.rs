//! Laws that hold for every kind, checked on a sandbox over real HTTP.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

mod differ;
mod edit;
mod front;
mod properties;
mod sees;
mod shape;
mod tenant;
mod values;

macro_rules! sees {
    ($($test:ident $kind:literal $least:literal [$($known:expr),* $(,)?];)*) => {$(
        #[tokio::test]
        async fn $test() {
            sees::sees($kind, $least, &[$($known),*]).await;
        }
    )*};
}

sees! {
    sees_actions "actions" 0 [];
    sees_attack_protection "attackProtection" 0 [];
    sees_branding "branding" 0 [];
    sees_client_grants "clientGrants" 0 [];
    sees_clients "clients" 0 [];
    sees_connections "connections" 0 [];
    sees_databases "databases" 0 [];
    sees_email_provider "emailProvider" 0 [];
    sees_email_templates "emailTemplates" 0 [];
    sees_organizations "organizations" 0 [];
    sees_pages "pages" 0 [];
    sees_prompts "prompts" 0 [];
    sees_resource_servers "resourceServers" 0 [];
    sees_roles "roles" 0 [];
    sees_rules "rules" 0 [];
    sees_rules_configs "rulesConfigs" 0 [];
    sees_tenant "tenant" 0 [];
    sees_triggers "triggers" 0 [];
}
