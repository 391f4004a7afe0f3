#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
//! Each hook does what its kind needs, and nothing where there is nothing to do.

use serde_json::json;

use super::*;
use crate::change::{Action, FieldChange, How, Origin, Wait};
use crate::codec::{encode_members, put_sub_rows};
use crate::model::{Address, Described, DescribedKind, Diff, LiveKind, LiveResource, Loci, Path, Value};
use crate::schema::{Registry, Risk, Verb};

fn spec(kind: &str) -> &'static KindSpec {
    Registry::get().kind(kind).unwrap()
}

fn members(json: &Json) -> Map {
    Value::from_json(json).as_object().cloned().unwrap_or_default()
}

fn shown(members: Map) -> Json {
    Value::Object(members).redacted()
}

fn canonical(kind: &str, json: &Json) -> Json {
    let mut out = members(json);
    of(spec(kind)).canonical(&mut out);
    shown(out)
}

fn decoded(kind: &str, raw: &Json) -> Json {
    let mut out = Map::new();
    of(spec(kind)).decode(raw, &mut out, &Names::default());
    shown(out)
}

fn written(kind: &str, json: &Json) -> Json {
    let mut out = members(json);
    of(spec(kind)).written(&mut out);
    shown(out)
}

fn field(path: &[&str], after: Option<Json>) -> FieldChange {
    FieldChange {
        path: path.iter().fold(Path::root(), |path, key| path.key(key)),
        diff: Diff { before: None, after: after.as_ref().map(Value::from_json) },
        how: How::Value,
        origin: Origin::Unknown,
        risk: Risk::Safe,
        why: None,
        locus: None,
        forces_replace: false,
    }
}

fn change(kind: &str, name: &str, action: Action, fields: Vec<FieldChange>) -> Change {
    Change { fields, ..Change::new(Address::new(kind, name), action) }
}

fn live(kind: &str, id: &str, name: &str, raw: Json) -> LiveResource {
    let value = Value::from_json(&raw);
    LiveResource {
        address: Address::new(kind, name),
        id: id.to_owned(),
        value,
        raw: raw.into(),
        system: None,
        unreadable: Vec::new(),
    }
}

fn tenant(kinds: Vec<(&str, Vec<LiveResource>)>) -> Live {
    let kinds = kinds.into_iter().map(|(kind, found)| (kind.to_owned(), LiveKind::Read(found))).collect();
    Live { kinds, domain: String::new() }
}

fn step(method: Verb, path: &str, body: Json) -> Step {
    let body = encode_members(&Default::default(), &members(&body), &|_, _| true);
    Step::new(method, path, Some(body))
}

fn told(steps: &[Step]) -> Vec<String> {
    let body = |s: &Step| match s.body.as_ref().map(|b| b.to_json(&|_, name| Some(format!("id of {name}")))) {
        Some(Ok(body)) => format!(" {body}"),
        Some(Err(hole)) => format!(" lacks {}", hole.source),
        None => String::new(),
    };
    steps.iter().map(|s| format!("{} {}{}", s.method.as_str(), s.path, body(s))).collect()
}

/// The requests of a change after the hook of its kind.
fn after(change: &Change, desired: &Json, live: (&Json, &Json), tenant: &Live, mut steps: Vec<Step>) -> Vec<Step> {
    let spec = spec(&change.address.kind);
    let (desired, raw) = (members(desired), live.1);
    let write = Write { spec, change, desired: &desired, live: &members(live.0), raw, tenant };
    of(spec).steps(&write, &mut steps);
    steps
}

#[test]
fn a_kind_without_quirks_is_left_alone() {
    assert_eq!(canonical("roles", &json!({"a": 1})), json!({"a": 1}));
    assert_eq!((decoded("roles", &json!({"a": 1})), written("roles", &json!({"a": 1}))), (json!({}), json!({"a": 1})));
    assert!(of(spec("roles")).needs().is_empty() && of(spec("roles")).further_reads(&json!({})).is_empty());
}

#[test]
fn an_action_is_deployed_after_it_was_built() {
    assert_eq!(canonical("actions", &json!({"deployed": false, "name": "a"})), json!({"name": "a"}));
    assert_eq!(canonical("actions", &json!({"deployed": true})), json!({"deployed": true}));
    assert_eq!(decoded("actions", &json!({"all_changes_deployed": true})), json!({"deployed": true}));
    assert_eq!(decoded("actions", &json!({})), json!({"deployed": false}));
    let update = change("actions", "a", Action::Update, Vec::new());
    let none = (&json!({}), &json!({}));
    let steps = after(&update, &json!({"deployed": true}), none, &Live::default(), Vec::new());
    assert_eq!(told(&steps), ["POST /actions/actions/{id}/deploy"]);
    assert!(steps.iter().all(|s| matches!(&s.before, Some(Wait::Until { value, .. }) if value == "built")));
    assert!(after(&update, &json!({}), none, &Live::default(), Vec::new()).is_empty());
    let delete = change("actions", "a", Action::Delete, Vec::new());
    assert!(after(&delete, &json!({"deployed": true}), none, &Live::default(), Vec::new()).is_empty());
    let replace = change("actions", "a", Action::Replace, Vec::new());
    let steps = vec![Step::new(Verb::Delete, "/actions/actions/{id}", None)];
    assert_eq!(
        told(&after(&replace, &json!({}), none, &Live::default(), steps)),
        ["DELETE /actions/actions/{id}?force=true"]
    );
}

#[test]
fn a_captcha_that_is_not_set_up_is_not_written() {
    let live = json!({"captcha": {"hcaptcha": {"site_key": ""}, "friendly": {"site_key": "k"}, "active": "x"}});
    let expected = json!({"captcha": {"friendly": {"site_key": "k"}, "active": "x"}});
    assert_eq!(written("attackProtection", &live), expected);
    assert_eq!(written("attackProtection", &json!({"captcha": []})), json!({"captcha": []}));
}

#[test]
fn branding_sends_the_prompt_settings_again() {
    assert_eq!(of(spec("branding")).needs(), ["prompts"]);
    let settings = json!({"universal_login_experience": "new", "identifier_first": true, "other": 1});
    let tenant = tenant(vec![("prompts", vec![live("prompts", "", "", settings)])]);
    let update = change("branding", "x", Action::Update, Vec::new());
    let steps = || vec![step(Verb::Patch, "/branding", json!({"a": 1})), step(Verb::Put, "/t", json!({}))];
    let none = (&json!({}), &json!({}));
    let sent = told(&after(&update, &json!({}), none, &tenant, steps()));
    let again = r#"PATCH /prompts {"universal_login_experience":"new","identifier_first":true}"#;
    assert_eq!(sent, [r#"PATCH /branding {"a":1}"#, again, "PUT /t {}"]);
    assert_eq!(after(&update, &json!({}), none, &Live::default(), steps()).len(), 2, "nobody read the prompts");
    assert!(after(&update, &json!({}), none, &tenant, Vec::new()).is_empty());
}

#[test]
fn a_grant_of_all_scopes_lists_none() {
    let grant = json!({"allow_all_scopes": true, "scope": ["a"]});
    assert_eq!(canonical("clientGrants", &grant), json!({"allow_all_scopes": true}));
    let grant = json!({"allow_all_scopes": false, "scope": ["a"]});
    assert_eq!(canonical("clientGrants", &grant), grant);
}

#[test]
fn a_client_has_one_way_to_prove_itself() {
    let both = json!({"client_authentication_methods": {}, "token_endpoint_auth_method": "none"});
    assert_eq!(canonical("clients", &both), json!({"client_authentication_methods": {}}));
    let cleared = json!({"client_authentication_methods": null, "token_endpoint_auth_method": "none"});
    assert_eq!(canonical("clients", &cleared), cleared);
    let api = json!({"app_type": "resource_server", "refresh_token": {}, "oidc_logout": {}, "name": "a"});
    assert_eq!(canonical("clients", &api), json!({"app_type": "resource_server", "name": "a"}));
    let document = json!({"external_client_id": "https://a", "name": "theirs", "app_type": "spa"});
    assert_eq!(canonical("clients", &document), json!({"external_client_id": "https://a", "app_type": "spa"}));
}

#[test]
fn a_client_of_a_document_is_registered_by_its_address() {
    let create = change("clients", "a", Action::Create, Vec::new());
    let desired = json!({"external_client_id": "https://a"});
    let none = (&json!({}), &json!({}));
    let body = json!({"external_client_id": "https://a", "app_type": "spa"});
    let steps = after(&create, &desired, none, &Live::default(), vec![step(Verb::Post, "/clients", body)]);
    let register = r#"POST /clients/cimd/register {"external_client_id":"https://a"}"#;
    assert_eq!(told(&steps), [register, r#"PATCH /clients/{id} {"app_type":"spa"}"#]);
    let alone = vec![step(Verb::Post, "/clients", desired.clone())];
    assert_eq!(told(&after(&create, &desired, none, &Live::default(), alone)), [register]);
}

fn methods(names: &[&str]) -> Json {
    let list: Vec<Json> = names.iter().map(|name| json!({"name": name, "pem": "no key"})).collect();
    json!({"client_authentication_methods": {"private_key_jwt": {"credentials": list}}})
}

/// A client that has these credentials: names and ids.
fn with_credentials(has: &[(&str, &str)]) -> Json {
    let ids: Vec<Json> = has.iter().map(|(_, id)| json!({"id": id})).collect();
    let mut raw = json!({"client_authentication_methods": {"private_key_jwt": {"credentials": ids}}});
    let rows = has.iter().map(|(name, id)| json!({"id": id, "name": name})).collect();
    put_sub_rows(&mut raw, "credentials", rows);
    raw
}

/// What is sent when a client that has these credentials is described with those.
fn rotated(has: &[(&str, &str)], wanted: &[&str]) -> Vec<String> {
    let raw = with_credentials(has);
    let update = change("clients", "a", Action::Update, vec![field(&["client_authentication_methods"], None)]);
    let main = vec![step(Verb::Patch, "/clients/{id}", methods(wanted))];
    told(&after(&update, &methods(wanted), (&decoded("clients", &raw), &raw), &Live::default(), main))
}

fn attaches(ids: &[&str]) -> String {
    let ids: Vec<Json> = ids.iter().map(|id| json!({"id": id})).collect();
    let methods = json!({"private_key_jwt": {"credentials": ids}});
    format!("PATCH /clients/{{id}} {{\"client_authentication_methods\":{methods},\"token_endpoint_auth_method\":null}}")
}

fn makes(line: &str, name: &str) -> bool {
    line.starts_with(&format!("POST /clients/{{id}}/credentials {{\"name\":\"{name}\""))
}

#[test]
fn credentials_are_made_attached_and_only_then_deleted() {
    let names = json!({"client_authentication_methods": {"private_key_jwt": {"credentials": [{"name": "old"}]}}});
    assert_eq!(decoded("clients", &with_credentials(&[("old", "c1")])), names);
    let lines = rotated(&[("old", "c1")], &["new"]);
    assert!(makes(&lines[0], "new"), "{lines:?}");
    assert_eq!(lines[1..], [attaches(&["id of a/new"]), "DELETE /clients/{id}/credentials/c1".to_owned()]);
}

#[test]
fn without_room_for_a_third_credential_an_unused_one_goes_first() {
    let lines = rotated(&[("old", "c1"), ("kept", "c2")], &["new", "kept"]);
    assert_eq!(lines[..2], [attaches(&["c2"]), "DELETE /clients/{id}/credentials/c1".to_owned()]);
    assert!(makes(&lines[2], "new"), "{lines:?}");
    assert_eq!(lines[3..], [attaches(&["id of a/new", "c2"])]);
}

#[test]
fn a_client_whose_credentials_all_change_is_never_without_one() {
    let lines = rotated(&[("one", "c1"), ("two", "c2")], &["three", "four"]);
    assert_eq!(lines[..2], [attaches(&["c2"]), "DELETE /clients/{id}/credentials/c1".to_owned()]);
    assert!(makes(&lines[2], "three"), "{lines:?}");
    assert_eq!(lines[3..5], [attaches(&["id of a/three"]), "DELETE /clients/{id}/credentials/c2".to_owned()]);
    assert!(makes(&lines[5], "four"), "{lines:?}");
    assert_eq!(lines[6..], [attaches(&["id of a/three", "id of a/four"])]);
}

#[test]
fn a_client_without_credentials_goes_back_to_a_secret() {
    let mut raw = json!({});
    put_sub_rows(&mut raw, "credentials", vec![json!({"id": "c1", "name": "old"})]);
    let update = change("clients", "a", Action::Update, vec![field(&["client_authentication_methods"], None)]);
    let desired = json!({"client_authentication_methods": null});
    let steps = after(&update, &desired, (&json!({}), &raw), &Live::default(), Vec::new());
    let attach = r#"PATCH /clients/{id} {"client_authentication_methods":null,"token_endpoint_auth_method":"client_secret_post"}"#;
    assert_eq!(told(&steps), [attach, "DELETE /clients/{id}/credentials/c1"]);
    let untouched = change("clients", "a", Action::Update, Vec::new());
    assert!(after(&untouched, &desired, (&json!({}), &raw), &Live::default(), Vec::new()).is_empty());
}

#[test]
fn credentials_are_read_of_clients_that_have_some() {
    let quirk = of(spec("clients"));
    assert_eq!(quirk.further_reads(&json!({"client_authentication_methods": {}})).len(), 1);
    assert!(quirk.further_reads(&json!({"client_authentication_methods": null})).is_empty());
}

#[test]
fn a_database_sends_one_side_of_rival_settings() {
    let update = change("databases", "a", Action::Update, Vec::new());
    let both = || vec![step(Verb::Patch, "/connections/{id}", json!({"options": {}}))];
    let sent = |desired: Json| {
        let mut steps = both();
        let options =
            json!({"password_options": 1, "passwordPolicy": 2, "attributes": 3, "requires_username": 4, "x": 5});
        for step in &mut steps {
            if let Some(body) = &mut step.body {
                body.set("options", encode_members(&Default::default(), &members(&options), &|_, _| true));
            }
        }
        told(&after(&update, &json!({"options": desired}), (&json!({}), &json!({})), &Live::default(), steps)).concat()
    };
    let path = "PATCH /connections/{id} ";
    let new = sent(json!({"password_options": 1}));
    assert_eq!(
        new,
        format!(r#"{path}{{"options":{{"password_options":1,"attributes":3,"requires_username":4,"x":5}}}}"#)
    );
    let old = sent(json!({"passwordPolicy": 2, "requires_username": 4}));
    assert_eq!(old, format!(r#"{path}{{"options":{{"passwordPolicy":2,"requires_username":4,"x":5}}}}"#));
    assert_eq!(sent(json!({"x": 5})).matches(':').count(), 6, "who uses neither keeps both");
}

#[test]
fn credentials_of_an_email_provider_are_whole_or_refused() {
    let smtp = written("emailProvider", &json!({"name": "smtp", "credentials": {"smtp_user": "u"}}));
    assert_eq!(smtp, json!({"name": "smtp", "credentials": {"smtp_user": "u", "smtp_pass": "(smtp_pass)"}}));
    let update = |fields| change("emailProvider", "x", Action::Update, fields);
    let sent = |change: &Change, desired: Json, body: Json| {
        let live = json!({"name": "smtp"});
        let mut steps = vec![Step::new(Verb::Patch, "/emails/provider", None)];
        let field = &spec("emailProvider").fields;
        for step in &mut steps {
            step.body = Some(encode_members(field, &members(&body), &|_, _| true));
        }
        told(&after(change, &desired, (&live, &live), &Live::default(), steps)).concat()
    };
    let credentials = json!({"credentials": {"smtp_user": "u"}});
    assert!(
        sent(&update(Vec::new()), credentials.clone(), credentials)
            .contains("lacks emailProvider credentials.smtp_pass")
    );
    let other = sent(&update(Vec::new()), json!({"enabled": true}), json!({"enabled": true}));
    assert_eq!(other, r#"PATCH /emails/provider {"enabled":true}"#);
    let renamed = update(vec![field(&["name"], Some(json!("sendgrid")))]);
    let to = json!({"name": "sendgrid", "credentials": {"api_key": "k"}});
    let whole = r#"PATCH /emails/provider {"name":"sendgrid","credentials":{"api_key":"k"}}"#;
    assert_eq!(sent(&renamed, to, json!({"name": "sendgrid"})), whole);
    let bare = sent(&renamed, json!({"name": "sendgrid"}), json!({"name": "sendgrid"}));
    assert!(bare.contains("lacks emailProvider credentials.api_key"), "{bare}");
}

fn organization(grants: &Json) -> Desired {
    let value = Value::from_json(&json!({"name": "o", "client_grants": grants}));
    let described = Described { address: Address::new("organizations", "o"), id: None, value, loci: Loci::default() };
    let mut desired = Desired::default();
    desired.kinds.insert("organizations".to_owned(), DescribedKind { locus: None, resources: vec![described] });
    desired
}

fn completed(grants: &Json, live: &Live) -> Json {
    let mut desired = organization(grants);
    of(spec("organizations")).complete(&mut desired, live);
    let resources = desired.kinds.get("organizations").unwrap().resources.first().unwrap();
    resources.value.get("client_grants").unwrap().redacted()
}

#[test]
fn an_organization_may_name_a_client_for_its_grant() {
    let grant = |api: &str| live("clientGrants", api, api, json!({"client_id": "c", "audience": api}));
    let grants = || ("clientGrants", vec![grant("a"), grant("b")]);
    assert_eq!(
        completed(&json!([{"client_id": "c"}]), &tenant(vec![grants()])),
        json!([{"client_id": "c", "audience": "a"}])
    );
    let linked = json!({"client_grants": [{"client_id": "c", "audience": "b"}]});
    let with_link = tenant(vec![grants(), ("organizations", vec![live("organizations", "1", "o", linked)])]);
    assert_eq!(completed(&json!([{"client_id": "c"}]), &with_link), json!([{"client_id": "c", "audience": "b"}]));
    let given = json!([{"client_id": "c", "audience": "z"}]);
    assert_eq!(completed(&given, &with_link), given);
    assert_eq!(completed(&json!([{"client_id": "d"}]), &with_link), json!([{"client_id": "d"}]), "it has no grant");
    let two = json!({"client_grants": [{"client_id": "c", "audience": "a"}, {"client_id": "c", "audience": "b"}]});
    assert_eq!(written("organizations", &two), two);
    let one = written("organizations", &json!({"client_grants": [{"client_id": "c", "audience": "a"}]}));
    assert_eq!(one, json!({"client_grants": [{"client_id": "c"}]}));
}

#[test]
fn a_grant_is_linked_by_its_id() {
    let path = "/organizations/{id}/client-grants";
    let update = change("organizations", "o", Action::Update, Vec::new());
    let desired = json!({"client_grants": [{"client_id": "c", "audience": "a"}, {"client_id": "c", "audience": "b"}]});
    let lived = json!({"client_grants": [{"client_id": "c", "audience": "b"}]});
    let generic = vec![step(Verb::Post, path, json!({"x": 1})), step(Verb::Post, "/other", json!({}))];
    let steps = after(&update, &desired, (&lived, &json!({})), &Live::default(), generic);
    assert_eq!(told(&steps), [format!(r#"POST {path} {{"grant_id":"id of c → a"}}"#), "POST /other {}".to_owned()]);
    let none =
        after(&update, &desired, (&lived, &json!({})), &Live::default(), vec![step(Verb::Post, "/other", json!({}))]);
    assert_eq!(none.len(), 1);
}

#[test]
fn both_written_forms_of_prompts_become_one() {
    let lists = json!({
        "partials": {"login": [{"login": [{"name": "form", "template": "t"}]}]},
        "screenRenderers": [{"prompt": "p", "screen": "s", "mode": 1}, {"p": {"s2": {"prompt": "p", "screen": "s2", "mode": 2}}}]
    });
    let maps = json!({
        "partials": {"login": {"login": {"form": "t"}}},
        "screenRenderers": {"p": {"s": {"mode": 1}, "s2": {"mode": 2}}}
    });
    assert_eq!(canonical("prompts", &lists), maps);
    assert_eq!(canonical("prompts", &maps), maps);
    assert_eq!(
        canonical("prompts", &json!({"partials": {"login": [1]}, "screenRenderers": [1]})),
        json!({"partials": {"login": {}}, "screenRenderers": {}})
    );
}

#[test]
fn a_standard_screen_takes_few_settings() {
    let update = change("prompts", "x", Action::Update, Vec::new());
    let sent = |mode: &str| {
        let steps =
            vec![step(Verb::Patch, "/p/rendering", json!({"rendering_mode": mode, "head_tags": [], "filters": 1}))];
        told(&after(&update, &json!({}), (&json!({}), &json!({})), &Live::default(), steps)).concat()
    };
    assert_eq!(sent("standard"), r#"PATCH /p/rendering {"rendering_mode":"standard","head_tags":[]}"#);
    assert!(sent("advanced").contains("filters"));
}

#[test]
fn rules_that_trade_places_are_parked_first() {
    let rule = |id: &str, order: i64| live("rules", id, id, json!({"order": order}));
    let tenant = tenant(vec![("rules", vec![rule("a", 1), rule("b", 2), rule("c", 7)])]);
    let moved = |name: &str, to: i64| change("rules", name, Action::Update, vec![field(&["order"], Some(json!(to)))]);
    let (mut a, mut b) = (moved("a", 2), moved("b", 1));
    of(spec("rules")).arrange(&mut [&mut b, &mut a], &tenant);
    assert_eq!(told(&a.steps), [r#"PATCH /rules/a {"order":8}"#, r#"PATCH /rules/b {"order":9}"#]);
    assert!(b.steps.is_empty() && b.waits_for == [Address::new("rules", "a")] && a.waits_for.is_empty());
    let mut alone = moved("a", 3);
    of(spec("rules")).arrange(&mut [&mut alone], &tenant);
    assert!(alone.steps.is_empty(), "nobody stands there");
}

#[test]
fn the_usual_stage_of_a_rule_is_not_sent() {
    let sent = |stage: &str| {
        let mut body =
            encode_members(&Default::default(), &members(&json!({"stage": stage, "name": "a"})), &|_, _| true);
        of(spec("rules")).body(&mut body, true);
        body.to_json(&|_, _| None).unwrap()
    };
    assert_eq!(sent("login_success"), json!({"name": "a"}));
    assert_eq!(sent("login_failure"), json!({"stage": "login_failure", "name": "a"}));
}

#[test]
fn minutes_of_a_session_win_over_hours() {
    let both = json!({"session_lifetime": 5, "session_lifetime_in_minutes": 90, "idle_session_lifetime": 3});
    assert_eq!(canonical("tenant", &both), json!({"session_lifetime": 1.5, "idle_session_lifetime": 3}));
    assert_eq!(canonical("tenant", &json!({"session_lifetime_in_minutes": "x"})), json!({}));
}

#[test]
fn a_binding_names_its_action() {
    let bindings = json!({"post-login": [{"action_name": "a"}, {"action_name": "b", "display_name": "B"}], "x": 1});
    let expected = json!({"post-login": [{"action_name": "a", "display_name": "a"}, {"action_name": "b", "display_name": "B"}], "x": 1});
    assert_eq!(canonical("triggers", &bindings), expected);
    let raw = json!({"post-login": [{"action": {"name": "a"}}, {"action": {"name": "b"}, "display_name": "B"}, {"no": 1}], "x": 1});
    assert_eq!(decoded("triggers", &raw), json!({"post-login": expected.get("post-login").unwrap()}));
    let mut body = Body::Array(vec![encode_members(
        &Default::default(),
        &members(&json!({"display_name": "D", "action_name": "a"})),
        &|_, _| true,
    )]);
    of(spec("triggers")).body(&mut body, false);
    let sent = body.to_json(&|_, _| None).unwrap();
    assert_eq!(sent, json!([{"ref": {"type": "action_name", "value": "a"}, "display_name": "D"}]));
    let mut none = Body::object();
    of(spec("triggers")).body(&mut none, false);
    assert_eq!(none, Body::object());
}
