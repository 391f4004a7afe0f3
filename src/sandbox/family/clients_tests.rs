#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use super::super::testing::{call, connection, create, delete, get, members, patch, post, refused, run, tenant};
use super::*;

fn client(state: &mut State, body: Value) -> (String, Value) {
    let made = create(state, "/clients", body);
    (text(&made, "client_id").to_owned(), made)
}

#[test]
fn a_bare_create_adds_the_recorded_defaults() {
    let mut state = tenant();
    let (id, made) = client(&mut state, json!({"name": "Shop"}));
    assert_eq!((id.len(), text(&made, "client_secret").len()), (32, 64));
    let tokens = json!({
        "rotation_type": "non-rotating", "expiration_type": "non-expiring", "leeway": 0,
        "infinite_token_lifetime": true, "infinite_idle_token_lifetime": true,
        "token_lifetime": 2_592_000, "idle_token_lifetime": 1_296_000,
    });
    assert_eq!(made["refresh_token"], tokens);
    assert_eq!(made["jwt_configuration"], json!({"lifetime_in_seconds": 36000, "secret_encoded": false}));
    assert_eq!(made["grant_types"], json!(["authorization_code", "implicit", "refresh_token", "client_credentials"]));
    assert_eq!((&made["tenant"], &made["cross_origin_auth"]), (&json!("acme"), &json!(false)));
    assert_eq!(
        members(&made),
        [
            "callback_url_template",
            "client_id",
            "client_secret",
            "cross_origin_auth",
            "cross_origin_authentication",
            "custom_login_page_on",
            "encrypted",
            "global",
            "grant_types",
            "is_first_party",
            "is_token_endpoint_ip_header_trusted",
            "jwt_configuration",
            "name",
            "oidc_conformant",
            "refresh_token",
            "signing_keys",
            "sso_disabled",
            "tenant",
        ]
    );
    assert_eq!(members(&made["signing_keys"][0]), ["cert", "key", "pkcs7", "subject"]);
    let read = get(&mut state, &format!("/clients/{id}"));
    assert!(read.get("encrypted").is_none());
    assert_eq!(members(&read["signing_keys"][0]), ["cert", "pkcs7", "subject"]);
}

#[test]
fn defaults_follow_method_and_type() {
    let mut state = tenant();
    let (_, made) = client(&mut state, json!({"name": "a", "token_endpoint_auth_method": "client_secret_post"}));
    assert_eq!(made["refresh_token"]["token_lifetime"], 31_557_600);
    assert_eq!(made["refresh_token"]["idle_token_lifetime"], 2_592_000);
    let (_, made) = client(&mut state, json!({"name": "b", "token_endpoint_auth_method": "none"}));
    assert_eq!(made["refresh_token"]["token_lifetime"], 2_592_000);
    assert_eq!(made["grant_types"], json!(["authorization_code", "implicit", "refresh_token"]));
    let (_, made) = client(&mut state, json!({"name": "c", "app_type": "resource_server"}));
    assert_eq!((&made["grant_types"], &made["jwt_configuration"]["alg"]), (&json!([]), &json!("RS256")));
    let (_, made) = client(&mut state, json!({"name": "d", "jwt_configuration": {"alg": "RS256"}}));
    assert_eq!(made["jwt_configuration"], json!({"alg": "RS256", "secret_encoded": false}));
    let (_, made) = client(&mut state, json!({"name": "e", "session_transfer": {"allow_refresh_token": true}}));
    assert_eq!(made["session_transfer"]["enforce_device_binding"], "ip");
    assert_eq!(made["session_transfer"]["allow_refresh_token"], true);
}

#[test]
fn names_may_repeat_but_aliases_may_not() {
    let mut state = tenant();
    let (first, _) = client(&mut state, json!({"name": "Twin", "client_aliases": ["urn:a"]}));
    let (second, _) = client(&mut state, json!({"name": "Twin"}));
    assert_ne!(first, second);
    let body = json!({"name": "Third", "client_aliases": ["urn:a"]});
    assert_eq!(refused(&mut state, Method::Post, "/clients", body).status, 409);
}

#[test]
fn a_patch_keeps_replaces_merges_and_removes() {
    let mut state = tenant();
    let (id, _) = client(
        &mut state,
        json!({
            "name": "Shop", "callbacks": ["https://a"], "logo_uri": "https://l", "addons": {"aws": {"role": "r"}},
            "mobile": {"ios": {"team_id": "t"}}, "client_metadata": {"a": "1", "b": "2"},
        }),
    );
    let at = format!("/clients/{id}");
    let made = patch(
        &mut state,
        &at,
        json!({
            "callbacks": ["https://b"], "logo_uri": null, "addons": {"samlp": {}}, "cross_origin_authentication": true,
            "mobile": {"android": {"app_package_name": "p"}}, "client_metadata": {"a": null, "c": "3"},
            "jwt_configuration": {"alg": "RS256"},
        }),
    );
    assert_eq!(made["name"], "Shop");
    assert_eq!(made["callbacks"], json!(["https://b"]));
    assert!(made.get("logo_uri").is_none() && made.get("encrypted").is_none());
    assert_eq!(made["addons"], json!({"samlp": {}}));
    assert_eq!(made["mobile"], json!({"ios": {"team_id": "t"}, "android": {"app_package_name": "p"}}));
    assert_eq!(made["client_metadata"], json!({"b": "2", "c": "3"}));
    assert_eq!(made["cross_origin_auth"], true);
    let jwt = json!({"lifetime_in_seconds": 36000, "secret_encoded": false, "alg": "RS256"});
    assert_eq!(made["jwt_configuration"], jwt);
    let cleared = patch(&mut state, &at, json!({"client_metadata": {"b": null, "c": null}}));
    assert_eq!(cleared["client_metadata"], json!({}));
}

#[test]
fn null_takes_even_what_a_create_filled_in() {
    let mut state = tenant();
    let (id, _) = client(&mut state, json!({"name": "Shop", "session_transfer": {}}));
    let at = format!("/clients/{id}");
    let body = json!({"refresh_token": null, "session_transfer": null, "grant_types": null});
    let made = patch(&mut state, &at, body);
    for gone in ["refresh_token", "session_transfer", "grant_types"] {
        assert!(made.get(gone).is_none(), "{gone}");
    }
    let tokens = json!({"rotation_type": "rotating", "expiration_type": "expiring"});
    let made =
        patch(&mut state, &at, json!({"refresh_token": tokens, "session_transfer": {"enforce_device_binding": "asn"}}));
    assert_eq!(made["refresh_token"]["infinite_token_lifetime"], false);
    assert_eq!(made["session_transfer"]["enforce_device_binding"], "asn");
    assert_eq!(made["session_transfer"]["enforce_cascade_revocation"], true);
}

#[test]
fn metadata_has_limits_also_after_merging() {
    let mut state = tenant();
    let ten: Map<String, Value> = (0..10).map(|i| (format!("k{i}"), json!("v"))).collect();
    let (id, _) = client(&mut state, json!({"name": "Shop", "client_metadata": ten}));
    let at = format!("/clients/{id}");
    assert_eq!(refused(&mut state, Method::Patch, &at, json!({"client_metadata": {"k10": "v"}})).status, 400);
    let eleven: Map<String, Value> = (0..11).map(|i| (format!("k{i}"), json!("v"))).collect();
    let body = json!({"name": "Shop", "client_metadata": eleven});
    assert_eq!(refused(&mut state, Method::Post, "/clients", body).status, 400);
    let long = json!({"client_metadata": {"k0": "v".repeat(256)}});
    assert_eq!(refused(&mut state, Method::Patch, &at, long).status, 400);
    assert_eq!(refused(&mut state, Method::Patch, &at, json!({"client_metadata": {"k0": 1}})).status, 400);
    let swapped = patch(&mut state, &at, json!({"client_metadata": {"k0": null, "k10": "v"}}));
    assert_eq!(swapped["client_metadata"].as_object().unwrap().len(), 10);
}

#[test]
fn authentication_is_by_credentials_or_by_method_never_both() {
    let mut state = tenant();
    let (id, _) = client(&mut state, json!({"name": "Node", "token_endpoint_auth_method": "client_secret_post"}));
    let at = format!("/clients/{id}");
    let subject = json!({"credential_type": "cert_subject_dn", "subject_dn": "CN=a"});
    let credential = create(&mut state, &format!("{at}/credentials"), subject);
    let named = json!([{"id": credential["id"]}]);
    let right = json!({"tls_client_auth": {"credentials": named}});
    let both = json!({"client_authentication_methods": right});
    assert_eq!(refused(&mut state, Method::Patch, &at, both).status, 400);
    let attach = json!({"client_authentication_methods": right, "token_endpoint_auth_method": null});
    let made = patch(&mut state, &at, attach);
    assert_eq!(made["client_authentication_methods"], right);
    assert!(made.get("client_secret").is_none() && made.get("token_endpoint_auth_method").is_none());
    let wrong_kind = json!({"client_authentication_methods": {"private_key_jwt": {"credentials": named}}});
    assert_eq!(refused(&mut state, Method::Patch, &at, wrong_kind).status, 400);
    let dangling = json!({"client_authentication_methods": {"tls_client_auth": {"credentials": [{"id": "cred_x"}]}}});
    assert_eq!(refused(&mut state, Method::Patch, &at, dangling).status, 400);
}

#[test]
fn a_create_answers_whole_credentials_and_reads_their_ids() {
    let mut state = tenant();
    let given = json!({"name": "mine", "credential_type": "cert_subject_dn", "subject_dn": "CN=a"});
    let methods = json!({"tls_client_auth": {"credentials": [given]}});
    let (id, made) = client(&mut state, json!({"name": "Node", "client_authentication_methods": methods}));
    let whole = &made["client_authentication_methods"]["tls_client_auth"]["credentials"][0];
    assert_eq!(members(whole), ["alg", "created_at", "credential_type", "id", "name", "subject_dn", "updated_at"]);
    assert!(made.get("client_secret").is_none());
    let read = get(&mut state, &format!("/clients/{id}"));
    let named = json!([{"id": whole["id"]}]);
    assert_eq!(read["client_authentication_methods"]["tls_client_auth"]["credentials"], named);
    assert_eq!(get(&mut state, &format!("/clients/{id}/credentials"))[0], *whole);
}

#[test]
fn a_create_with_a_bad_credential_leaves_nothing_behind() {
    let mut state = tenant();
    let methods = json!({"private_key_jwt": {"credentials": [{"credential_type": "public_key", "pem": "x"}]}});
    let body = json!({"name": "Node", "client_authentication_methods": methods});
    assert_eq!(refused(&mut state, Method::Post, "/clients", body).status, 400);
}

#[test]
fn create_only_members_cannot_be_patched() {
    let mut state = tenant();
    let (id, _) = client(&mut state, json!({"name": "Shop"}));
    let at = format!("/clients/{id}");
    for body in [
        json!({"third_party_security_mode": "strict"}),
        json!({"jwt_configuration": {"secret_encoded": true}}),
        json!({"default_organization": {"organization_id": "org_x", "flows": ["client_credentials"]}}),
    ] {
        assert_eq!(refused(&mut state, Method::Patch, &at, body.clone()).status, 400, "{body}");
    }
}

#[test]
fn a_reference_that_died_does_not_block_other_changes() {
    let mut state = tenant();
    let organization = create(&mut state, "/organizations", json!({"name": "acme"}));
    let (id, _) = client(&mut state, json!({"name": "Shop"}));
    let at = format!("/clients/{id}");
    let default = json!({"organization_id": organization["id"], "flows": ["client_credentials"]});
    patch(&mut state, &at, json!({"default_organization": default}));
    delete(&mut state, &format!("/organizations/{}", text(&organization, "id")), Value::Null);
    assert_eq!(patch(&mut state, &at, json!({"name": "Store"}))["name"], "Store");
    assert_eq!(refused(&mut state, Method::Patch, &at, json!({"default_organization": default})).status, 400);
}

#[test]
fn secrets_need_their_scope() {
    let mut state = tenant();
    let (id, made) = client(&mut state, json!({"name": "Shop"}));
    let at = format!("/clients/{id}");
    let mut poor = call(Method::Get, &at, Value::Null);
    poor.caller.scopes = vec!["read:clients".to_owned()];
    let seen = run(&mut state, poor).unwrap().body.unwrap();
    assert!(seen.get("client_secret").is_none() && seen.get("signing_keys").is_none());
    let mut poorer = call(Method::Get, &at, Value::Null);
    poorer.caller.scopes = vec!["read:client_summary".to_owned()];
    assert_eq!(members(&run(&mut state, poorer).unwrap().body.unwrap()), ["client_id", "name"]);
    let mut writer = call(Method::Patch, &at, json!({"client_secret": "s"}));
    writer.caller.scopes = vec!["update:clients".to_owned()];
    assert_eq!(run(&mut state, writer).unwrap_err().code.as_deref(), Some("insufficient_scope"));
    assert_eq!(get(&mut state, &at)["client_secret"], made["client_secret"]);
    let rotated = create(&mut state, &format!("{at}/rotate-secret"), Value::Null);
    assert_ne!(rotated["client_secret"], made["client_secret"]);
    assert_eq!(get(&mut state, &at)["client_secret"], rotated["client_secret"]);
    assert_eq!(refused(&mut state, Method::Post, "/clients/x/rotate-secret", Value::Null).status, 404);
}

#[test]
fn lists_filter_page_and_select() {
    let mut state = tenant();
    client(&mut state, json!({"name": "A", "app_type": "spa"}));
    client(&mut state, json!({"name": "B", "app_type": "native", "is_first_party": false}));
    let names = |list: &Value| -> Vec<String> {
        list.as_array().unwrap().iter().map(|row| text(row, "name").to_owned()).collect()
    };
    assert_eq!(names(&get(&mut state, "/clients?is_global=false")), ["Default App", "A", "B"]);
    assert_eq!(names(&get(&mut state, "/clients?is_global=true")), ["All Applications"]);
    assert_eq!(names(&get(&mut state, "/clients?app_type=spa,native")), ["A", "B"]);
    assert_eq!(names(&get(&mut state, "/clients?is_first_party=false")), ["B"]);
    let page = get(&mut state, "/clients?page=1&per_page=3&include_totals=true&fields=name");
    assert_eq!(page, json!({"total": 4, "start": 3, "limit": 3, "clients": [{"name": "B"}]}));
    let first = get(&mut state, "/clients?take=3");
    assert_eq!(first["clients"].as_array().unwrap().len(), 3);
    assert!(first["next"].is_string());
    let error = refused(&mut state, Method::Get, "/clients?q=name:A", Value::Null);
    assert_eq!(error.code.as_deref(), Some("invalid_query_string"));
}

#[test]
fn the_global_client_stays() {
    let mut state = tenant();
    let list = get(&mut state, "/clients?is_global=true");
    let at = format!("/clients/{}", text(&list[0], "client_id"));
    assert_eq!(refused(&mut state, Method::Delete, &at, Value::Null).status, 400);
    let page = "<html>new</html>";
    let made = patch(&mut state, &at, json!({"custom_login_page": page, "custom_login_page_on": true}));
    assert!(made.get("cross_origin_auth").is_none());
    assert_eq!((&made["custom_login_page"], &made["global"]), (&json!(page), &json!(true)));
}

#[test]
fn a_delete_takes_what_hangs_on_it_and_may_repeat() {
    let mut state = tenant();
    let (id, _) = client(&mut state, json!({"name": "Shop"}));
    let at = format!("/clients/{id}");
    post(&mut state, &format!("{at}/credentials"), json!({"credential_type": "cert_subject_dn", "subject_dn": "CN=a"}));
    let audience = "https://acme.eu.auth0.com/api/v2/";
    let grant = create(&mut state, "/client-grants", json!({"client_id": id, "audience": audience, "scope": []}));
    let organization = create(&mut state, "/organizations", json!({"name": "acme"}));
    let org = format!("/organizations/{}", text(&organization, "id"));
    post(&mut state, &format!("{org}/client-grants"), json!({"grant_id": grant["id"]}));
    post(&mut state, &format!("{org}/clients"), json!({"clients": [{"client_id": id, "use_for_member_access": true}]}));
    connection(&mut state, "con_1", "db", "auth0");
    let enable = json!([{"client_id": id, "status": true}]);
    assert_eq!(run(&mut state, call(Method::Patch, "/connections/con_1/clients", enable)).unwrap().status, 204);
    let enabled = json!({"connections": [{"id": "con_1", "name": "db", "strategy": "auth0"}]});
    assert_eq!(get(&mut state, &format!("{at}/connections")), enabled);
    assert_eq!(delete(&mut state, &at, Value::Null).status, 204);
    assert_eq!(get(&mut state, "/client-grants"), json!([]));
    assert_eq!(get(&mut state, &format!("{org}/client-grants")), json!([]));
    assert_eq!(get(&mut state, &format!("{org}/clients")), json!({"clients": []}));
    assert_eq!(get(&mut state, "/connections/con_1/clients"), json!({"clients": []}));
    assert_eq!(delete(&mut state, &at, Value::Null).status, 204);
    let error = refused(&mut state, Method::Get, &at, Value::Null);
    assert_eq!((error.status, error.message.as_str()), (404, "The client does not exist"));
}

#[test]
fn a_metadata_document_is_registered_once() {
    let mut state = tenant();
    let body = json!({"external_client_id": "https://tool.example/client.json"});
    let first = create(&mut state, "/clients/cimd/register", body.clone());
    let id = text(&first, "client_id").to_owned();
    let read = get(&mut state, &format!("/clients/{id}"));
    assert_eq!((text(&read, "name"), &read["external_client_id"]), ("tool.example", &body["external_client_id"]));
    assert_eq!((&read["external_metadata_type"], &read["is_first_party"]), (&json!("cimd"), &json!(false)));
    let second = post(&mut state, "/clients/cimd/register", body);
    assert_eq!((second.status, text(&second.body.unwrap(), "client_id")), (200, id.as_str()));
    let plain = json!({"external_client_id": "http://tool.example/client.json"});
    assert_eq!(refused(&mut state, Method::Post, "/clients/cimd/register", plain).status, 400);
}
