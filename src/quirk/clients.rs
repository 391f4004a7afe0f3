//! Clients: credentials are objects of their own that are made, attached by id and only then may go.

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::thumbprint::thumbprint;
use super::{Quirk, Write};
use crate::change::{Action, Step};
use crate::codec::{Body, Names, encode_members, sub_rows};
use crate::model::{Map, Path, Segment, Value};
use crate::schema::{FieldSpec, Verb};

/// See the module.
pub(super) struct Clients;

const METHODS: &str = "client_authentication_methods";

/// How the name of a key ends that is there and that no method uses.
const NOT_IN_USE: &str = " (not in use)";
const AUTH_METHOD: &str = "token_endpoint_auth_method";
const METADATA: &str = "client_metadata";
/// The metadata of the deployer's client in which the tenant remembers what it runs (see `memory`): nobody describes it.
pub const MEMORY: &str = "tenantry";
/// Kind under which the ids of credentials made on the way are kept.
const CREDENTIALS: &str = "clientAuthCredentials";

/// What may be described of a client made from a metadata document; the rest is the document's (auth0-deploy-cli 8.43
/// source). Its name, too: in the files it is only what others call it by.
const BESIDE_DOCUMENT: &[&str] = &[
    "external_client_id",
    "description",
    "app_type",
    "allowed_origins",
    "web_origins",
    "grant_types",
    "oidc_conformant",
    "organization_discovery_methods",
    "client_metadata",
    "default_organization",
    "require_proof_of_possession",
    "token_quota",
    "skip_non_verifiable_callback_uri_confirmation_prompt",
    "jwt_configuration",
    "refresh_token",
];

/// Takes out what Tenantry itself keeps in a client: it is neither compared nor written nor exported.
fn forget(members: &mut Map) {
    if let Some(Value::Object(metadata)) = members.get_mut(METADATA) {
        metadata.shift_remove(MEMORY);
    }
}

impl Quirk for Clients {
    fn canonical(&self, members: &mut Map) {
        if members.get("external_client_id").is_some_and(|id| *id != Value::Null) {
            members.retain(|name, _| BESIDE_DOCUMENT.contains(&name.as_str()));
        }
        // The block decides; attaching credentials sends the other one as null.
        if members.get(METHODS).is_some_and(|m| *m != Value::Null) {
            members.shift_remove(AUTH_METHOD);
        }
        if members.get("app_type").and_then(Value::as_str) == Some("resource_server") {
            for refused in ["oidc_logout", "refresh_token"] {
                members.shift_remove(refused);
            }
        }
        forget(members);
        for credential in credentials_mut(members) {
            let key = credential.get("pem").and_then(Value::as_str).and_then(thumbprint);
            if let (Some(kid), false) = (key, credential.contains_key("kid")) {
                credential.insert("kid".to_owned(), Value::from(kid));
            }
        }
    }

    fn further_reads(&self, raw: &Json) -> Vec<(&'static str, String)> {
        match raw.get(METHODS) {
            Some(Json::Object(_)) => vec![("credentials", "/clients/{id}/credentials".to_owned())],
            _ => Vec::new(),
        }
    }

    /// The client lists ids only; names and keys stand in the list of its credentials.
    fn decode(&self, raw: &Json, members: &mut Map, _names: &Names) {
        forget(members);
        let rows = sub_rows(raw, "credentials");
        let Some(Json::Object(methods)) = raw.get(METHODS) else { return };
        let mut out = Map::new();
        for (method, settings) in methods {
            let attached: Vec<&Json> =
                settings.get("credentials").and_then(Json::as_array).into_iter().flatten().collect();
            let id = |row: &Json| row.get("id").and_then(Json::as_str).map(str::to_owned);
            let ids: Vec<Option<String>> = attached.iter().map(|reference| id(reference)).collect();
            let used = attached
                .into_iter()
                .map(|reference| rows.into_iter().flatten().find(|row| id(row) == id(reference)).unwrap_or(reference));
            let used: Vec<&Json> = used.collect();
            // Of a swap that stopped half-way the other key is still there, under the same name and not in use.
            let is_left = |row: &&Json| {
                let named =
                    used.iter().any(|other| other.get("name").is_some() && other.get("name") == row.get("name"));
                named && !ids.contains(&id(row)) && !is_in_use(methods, row)
            };
            let left = rows.into_iter().flatten().filter(is_left);
            let shown = |row: &Json| {
                let shown = ["name", "credential_type", "kid", "alg", "expires_at", "subject_dn"];
                let members = shown.iter().filter_map(|m| Some(((*m).to_owned(), Value::from_json(row.get(*m)?))));
                members.collect::<Map>()
            };
            let left = left.map(|row| {
                let mut members = shown(row);
                let name = members.get("name").and_then(Value::as_str).map(|name| format!("{name}{NOT_IN_USE}"));
                members.extend(name.map(|name| ("name".to_owned(), Value::from(name))));
                Value::Object(members)
            });
            let known = used.iter().map(|row| Value::Object(shown(row))).chain(left);
            let list = Value::Array(known.collect());
            out.insert(method.clone(), Value::Object(Map::from_iter([("credentials".to_owned(), list)])));
        }
        members.insert(METHODS.to_owned(), Value::Object(out));
    }

    /// The other key of a swap.
    fn is_left_over(&self, path: &Path) -> bool {
        matches!(path.0.last(), Some(Segment::Item(name)) if name.ends_with(NOT_IN_USE))
    }

    /// A computed key id is not written: it follows from the key.
    fn written(&self, members: &mut Map) {
        for credential in credentials_mut(members) {
            credential.shift_remove("kid");
        }
    }

    fn steps(&self, write: &Write<'_>, steps: &mut Vec<Step>) {
        if let (Some(id), Action::Create | Action::Replace) =
            (write.desired.get("external_client_id"), write.change.action)
        {
            register(id, steps);
        }
        if write.change.action == Action::Delete || !write.desired.contains_key(METHODS) {
            return;
        }
        if matches!(write.change.action, Action::Create | Action::Replace) {
            // A create takes whole credentials inside.
            for step in steps.iter_mut().filter(|s| s.path == "/clients") {
                strip_kids(&mut step.body);
            }
            return;
        }
        for step in steps.iter_mut().filter(|s| s.path == "/clients/{id}") {
            if let Some(body) = &mut step.body {
                // The two exclude each other: what attaches or detaches credentials sets both.
                body.remove(METHODS);
                body.remove(AUTH_METHOD);
            }
        }
        steps.retain(|s| !matches!(&s.body, Some(Body::Object(m)) if m.is_empty() && s.path == "/clients/{id}"));
        let touched = |f: &crate::change::FieldChange| f.path.first_key() == Some(METHODS);
        if write.change.fields.iter().any(touched) {
            credential_steps(write, steps);
        }
    }
}

/// A client made from a metadata document is registered by its URL alone; the rest follows as an update.
fn register(id: &Value, steps: &mut Vec<Step>) {
    let Some(at) = steps.iter().position(|s| s.path == "/clients" && s.method == Verb::Post) else { return };
    let Some(step) = steps.get_mut(at) else { return };
    let settings = step.body.take();
    step.path = "/clients/cimd/register".to_owned();
    step.body = Some(Body::Object(IndexMap::from_iter([("external_client_id".to_owned(), Body::Value(id.clone()))])));
    if let Some(Body::Object(mut members)) = settings {
        members.shift_remove("external_client_id");
        // Taken by a create only (API description, PATCH /clients/{id}).
        if let Some(Body::Object(jwt)) = members.get_mut("jwt_configuration") {
            jwt.shift_remove("secret_encoded");
        }
        if !members.is_empty() {
            steps.insert(at + 1, Step::new(Verb::Patch, "/clients/{id}", Some(Body::Object(members))));
        }
    }
}

/// Says whether a client proves itself with a credential.
fn is_in_use(methods: &serde_json::Map<String, Json>, row: &Json) -> bool {
    let lists = methods.values().filter_map(|settings| settings.get("credentials").and_then(Json::as_array));
    lists.flatten().any(|reference| reference.get("id") == row.get("id"))
}

fn credentials_mut(members: &mut Map) -> impl Iterator<Item = &mut Map> {
    let methods = members.get_mut(METHODS).and_then(Value::as_object_mut);
    methods.into_iter().flat_map(|methods| methods.values_mut()).flat_map(|method| {
        let list = method.as_object_mut().and_then(|m| m.get_mut("credentials"));
        let items = if let Some(Value::Array(items)) = list { Some(items) } else { None };
        items.into_iter().flatten().filter_map(Value::as_object_mut)
    })
}

/// Removes key ids that follow from the key beside them.
fn strip_kids(body: &mut Option<Body>) {
    let Some(Body::Object(members)) = body else { return };
    let Some(Body::Object(methods)) = members.get_mut(METHODS) else { return };
    for method in methods.values_mut() {
        let Body::Object(method) = method else { continue };
        let Some(Body::Array(items)) = method.get_mut("credentials") else { continue };
        for item in items {
            strip_kid(item);
        }
    }
}

fn strip_kid(item: &mut Body) {
    let Body::Object(item) = item else { return };
    let computed = match (item.get("pem"), item.get("kid")) {
        (Some(Body::Value(Value::String(pem))), Some(Body::Value(Value::String(kid)))) => {
            thumbprint(pem).as_ref() == Some(kid)
        }
        _ => false,
    };
    if computed {
        item.shift_remove("kid");
    }
}

/// Most credentials of a client (recorded traffic).
const MOST: usize = 2;

/// A described credential: the method it is for, its reference, and the request that makes it where it is new.
struct Wanted {
    method: String,
    reference: Body,
    make: Option<Step>,
}

/// Makes what is new or has another key, attaches, then deletes what is no longer used.
///
/// Where there is no room for a new one, one that is no longer used goes first, so that the client is never without any.
fn credential_steps(write: &Write<'_>, steps: &mut Vec<Step>) {
    let rows = sub_rows(write.raw, "credentials").unwrap_or_default();
    let Some(Value::Object(methods)) = write.desired.get(METHODS) else {
        // Without credentials the client needs another way to prove itself.
        let method = write.desired.get(AUTH_METHOD).cloned().unwrap_or_else(|| Value::from("client_secret_post"));
        let mut body = Body::object();
        body.set(METHODS, Body::Value(Value::Null));
        body.set(AUTH_METHOD, Body::Value(method));
        steps.push(Step::new(Verb::Patch, "/clients/{id}", Some(body)));
        steps.extend(rows.iter().filter_map(id_of).map(drop_one));
        return;
    };
    let mut kept: Vec<&str> = Vec::new();
    let mut wanted = wanted(write, methods, rows, &mut kept, steps);
    let mut unused: Vec<&str> = rows.iter().filter_map(id_of).filter(|id| !kept.contains(id)).collect();
    let mut there = rows.len();
    for at in 0..wanted.len() {
        let Some(make) = wanted.get_mut(at).and_then(|w| w.make.take()) else { continue };
        if there >= MOST && !unused.is_empty() {
            let gone = unused.remove(0);
            let known = wanted.iter().enumerate().filter(|(n, w)| *n < at || w.is_there());
            let ready: Vec<&Wanted> = known.map(|(_, w)| w).collect();
            let body = if ready.is_empty() { live_without(write.raw, gone) } else { attach(&ready) };
            steps.push(Step::new(Verb::Patch, "/clients/{id}", Some(body)));
            steps.push(drop_one(gone));
            there -= 1;
        }
        steps.push(make);
        there += 1;
    }
    steps.push(Step::new(Verb::Patch, "/clients/{id}", Some(attach(&wanted.iter().collect::<Vec<_>>()))));
    steps.extend(unused.into_iter().map(drop_one));
}

impl Wanted {
    /// Says whether the client has it already.
    fn is_there(&self) -> bool {
        matches!(self.reference, Body::Value(_))
    }
}

/// Finds for every described credential the live one, or how it is made; changes expiries on the way.
fn wanted<'r>(
    write: &Write<'_>,
    methods: &Map,
    rows: &'r [Json],
    kept: &mut Vec<&'r str>,
    steps: &mut Vec<Step>,
) -> Vec<Wanted> {
    let client = write.change.address.name.clone().unwrap_or_default();
    let mut out = Vec::new();
    for (method, settings) in methods {
        let items = settings.get("credentials").and_then(Value::as_array).unwrap_or_default();
        let item_spec = item_spec(write, method);
        for item in items.iter().filter_map(Value::as_object) {
            let name = item.get("name").and_then(Value::as_str).unwrap_or_default();
            let named = |row: &&Json| row.get("name").and_then(Json::as_str) == Some(name);
            let live = rows.iter().find(|row| named(row) && same_key(item, row));
            let (reference, make) = match live.and_then(id_of) {
                Some(id) => {
                    kept.push(id);
                    expiry(item, live, id, steps);
                    (Body::Value(Value::from(id)), None)
                }
                None => {
                    let key = format!("{client}/{name}");
                    let make = make(&item_spec, method, item, &key);
                    (Body::Ref { kinds: vec![CREDENTIALS.to_owned()], name: key }, Some(make))
                }
            };
            out.push(Wanted { method: method.clone(), reference, make });
        }
    }
    out
}

fn id_of(row: &Json) -> Option<&str> {
    row.get("id").and_then(Json::as_str)
}

fn drop_one(id: &str) -> Step {
    Step::new(Verb::Delete, format!("/clients/{{id}}/credentials/{id}"), None)
}

/// Returns the body that lets the client use these credentials and no others.
fn attach(wanted: &[&Wanted]) -> Body {
    let mut methods: IndexMap<String, Vec<Body>> = IndexMap::new();
    for credential in wanted {
        let reference = IndexMap::from_iter([("id".to_owned(), credential.reference.clone())]);
        methods.entry(credential.method.clone()).or_default().push(Body::Object(reference));
    }
    let methods = methods.into_iter().map(|(method, list)| (method, Body::Array(list).wrapped(Some("credentials"))));
    let mut body = Body::object();
    body.set(METHODS, Body::Object(methods.collect()));
    body.set(AUTH_METHOD, Body::Value(Value::Null));
    body
}

/// Returns the body that lets the client use what it uses now, but for one credential.
fn live_without(raw: &Json, gone: &str) -> Body {
    let mut out = Map::new();
    for (method, settings) in raw.get(METHODS).and_then(Json::as_object).into_iter().flatten() {
        let list = settings.get("credentials").and_then(Json::as_array).into_iter().flatten();
        let stays = list.filter_map(id_of).filter(|id| *id != gone);
        let items = stays.map(|id| Value::Object(Map::from_iter([("id".to_owned(), Value::from(id))])));
        let items = Value::Array(items.collect());
        out.insert(method.clone(), Value::Object(Map::from_iter([("credentials".to_owned(), items)])));
    }
    let mut body = Body::object();
    body.set(METHODS, Body::Value(Value::Object(out)));
    body.set(AUTH_METHOD, Body::Value(Value::Null));
    body
}

fn item_spec(write: &Write<'_>, method: &str) -> FieldSpec {
    let list = write.spec.field(METHODS).and_then(|f| f.member(method)).and_then(|f| f.member("credentials"));
    list.and_then(FieldSpec::item).cloned().unwrap_or_default()
}

fn same_key(item: &Map, row: &Json) -> bool {
    match (item.get("kid").and_then(Value::as_str), row.get("kid").and_then(Json::as_str)) {
        (Some(wanted), Some(found)) => wanted == found,
        _ => true,
    }
}

fn make(spec: &FieldSpec, method: &str, item: &Map, key: &str) -> Step {
    let mut body = encode_members(spec, item, &|_, _| true);
    strip_kid(&mut body);
    if !item.contains_key("credential_type") {
        let sort = match method {
            "private_key_jwt" => "public_key",
            "self_signed_tls_client_auth" => "x509_cert",
            _ => "cert_subject_dn",
        };
        body.set("credential_type", Body::Value(Value::from(sort)));
    }
    let mut step = Step::new(Verb::Post, "/clients/{id}/credentials", Some(body));
    step.creates = true;
    step.makes = Some((CREDENTIALS.to_owned(), key.to_owned(), "id".to_owned()));
    step
}

/// The expiry is the one member of a credential that can be changed.
fn expiry(item: &Map, live: Option<&Json>, id: &str, steps: &mut Vec<Step>) {
    let Some(Value::String(wanted)) = item.get("expires_at") else { return };
    if live.and_then(|row| row.get("expires_at")).and_then(Json::as_str) != Some(wanted) {
        let body = IndexMap::from_iter([("expires_at".to_owned(), Body::Value(Value::from(wanted.as_str())))]);
        steps.push(Step::new(Verb::Patch, format!("/clients/{{id}}/credentials/{id}"), Some(Body::Object(body))));
    }
}
