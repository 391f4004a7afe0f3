//! A tenant that can be shown to strangers: every name, address, id and text of people's own gives way to one that is made up.
//!
//! What is kept is what a schema knows: the words of enumerations, numbers, truth values, colours, and the names of members. All else
//! is replaced by a keyed hash of itself, so that the same value is the same everywhere and references stay what they are, and nobody
//! without the key can tell what it was. Code and pages are reduced to the number of their lines.

use std::collections::BTreeSet;
use std::net::IpAddr;

use serde_json::Value as Json;
use sha2::{Digest, Sha256};
use ulid::Ulid;

use crate::description::Filters;
use crate::model::{Address, Live, LiveKind, LiveResource, Map, Secret, Unresolved, Value};
use crate::schema::{FieldSpec, KindSpec, PartStep, Registry, Shape, TextKind};

/// Scopes of OpenID Connect, which say nothing about anybody.
const SCOPES: [&str; 7] = ["openid", "profile", "email", "address", "phone", "offline_access", "read:current_user"];
/// What the name of a scope may begin with.
const VERBS: [&str; 8] = ["read", "create", "update", "delete", "write", "list", "manage", "view"];
/// Parts of paths that say nothing about anybody.
const PATHS: [&str; 17] = [
    "api",
    "v1",
    "v2",
    "v3",
    "oauth",
    "oauth2",
    "token",
    "authorize",
    "callback",
    "login",
    "logout",
    "userinfo",
    "saml",
    ".well-known",
    "openid-configuration",
    "jwks.json",
    "jwks",
];
/// Tags that a page template has to have (Management API, `PUT /branding/templates/universal-login`).
const TAGS: [&str; 2] = ["{%- auth0:head -%}", "{%- auth0:widget -%}"];
/// Longest text that may be a name, in words.
const MOST_WORDS: usize = 4;

/// What hashes are keyed with; it is forgotten after the run.
#[derive(Clone)]
pub struct Key(String);

impl Key {
    /// A new one, which nobody can guess: 160 random bits.
    pub fn random() -> Self {
        Key(format!("{}{}", Ulid::generate(), Ulid::generate()))
    }

    /// Returns hexadecimal digits that stand for a text.
    fn hash(&self, text: &str) -> String {
        let mut hash = Sha256::new();
        hash.update(self.0.as_bytes());
        hash.update([0]);
        hash.update(text.as_bytes());
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn short(&self, text: &str) -> String {
        self.hash(text).chars().take(10).collect()
    }
}

/// Returns what a filter leaves of a tenant.
pub fn filtered(live: &Live, filters: &Filters) -> Live {
    let mut out = live.clone();
    for found in out.kinds.values_mut() {
        if let LiveKind::Read(resources) = found {
            resources.retain(|resource| filters.covers(&resource.address, &resource.value));
        }
    }
    out
}

/// Returns a tenant in which everything is replaced that says whose it is.
pub fn sanitized(registry: &Registry, live: &Live, key: &Key) -> Live {
    let masker = Masker { key, words: words(registry) };
    let mut out = Live { domain: masker.host(&live.domain), ..Live::default() };
    for (name, found) in &live.kinds {
        let found = match (found, registry.kind(name)) {
            (LiveKind::Read(resources), Some(spec)) => {
                LiveKind::Read(resources.iter().map(|resource| masker.resource(spec, resource)).collect())
            }
            (other, _) => other.clone(),
        };
        out.kinds.insert(name.clone(), found);
    }
    out
}

struct Masker<'a> {
    key: &'a Key,
    /// Words that the API has given to everybody.
    words: BTreeSet<String>,
}

impl Masker<'_> {
    fn resource(&self, spec: &KindSpec, resource: &LiveResource) -> LiveResource {
        let id = if resource.id.is_empty() { String::new() } else { self.text(&resource.id) };
        let mut value = self.value(Some(&spec.fields), &resource.value, is_made_by_api(spec, None));
        if let (Value::Object(before), Value::Object(after)) = (&resource.value, &mut value) {
            // Below these members keys are languages, screens and texts of Auth0's own.
            for (name, member) in before.iter().filter(|(name, _)| is_made_by_api(spec, Some(name))) {
                let field = spec.field(name);
                after.insert(name.clone(), self.value(field, member, true));
            }
        }
        let address = value
            .as_object()
            .and_then(|members| crate::codec::address_of(spec, members))
            .map(|address| Address { id: resource.address.id.as_ref().map(|id| self.text(id)), ..address })
            .unwrap_or_else(|| Address {
                kind: resource.address.kind.clone(),
                name: resource.address.name.as_ref().map(|name| self.text(name)),
                id: resource.address.id.as_ref().map(|id| self.text(id)),
            });
        LiveResource {
            address,
            id,
            value,
            raw: Json::Null.into(),
            system: resource.system.clone(),
            unreadable: resource.unreadable.clone(),
        }
    }

    fn value(&self, field: Option<&FieldSpec>, value: &Value, keys_are_known: bool) -> Value {
        match value {
            Value::Null | Value::Bool(_) | Value::Number(_) => value.clone(),
            Value::Secret(_) => Value::Secret(Secret::new("hidden", "a secret")),
            Value::Unresolved(_) | Value::Fingerprint(_) => {
                Value::Unresolved(Unresolved { source: "a secret".to_owned() })
            }
            Value::String(text) => Value::String(self.of_field(field, text)),
            Value::Array(items) => {
                let item = field.and_then(FieldSpec::item);
                Value::Array(items.iter().map(|value| self.value(item, value, keys_are_known)).collect())
            }
            Value::Object(members) => Value::Object(self.members(field, members, keys_are_known)),
        }
    }

    fn members(&self, field: Option<&FieldSpec>, members: &Map, keys_are_known: bool) -> Map {
        let known = |name: &str| match field.map(|field| &field.shape) {
            Some(Shape::Record { members, .. }) => members.contains_key(name),
            _ => false,
        };
        let key = |name: &str| {
            if keys_are_known || known(name) || self.words.contains(name) { name.to_owned() } else { self.text(name) }
        };
        let value =
            |name: &str, value: &Value| self.value(field.and_then(|field| field.member(name)), value, keys_are_known);
        members.iter().map(|(name, member)| (key(name), value(name, member))).collect()
    }

    fn of_field(&self, field: Option<&FieldSpec>, text: &str) -> String {
        let lines = || text.lines().count().max(1);
        let plural = |n: usize| if n == 1 { "1 line was here".to_owned() } else { format!("{n} lines were here") };
        match field.and_then(|field| field.text) {
            _ if text.is_empty() => String::new(),
            Some(TextKind::Js) => format!("// {}\n", plural(lines())),
            Some(TextKind::Html | TextKind::Liquid) => self.page(text, &plural(lines())),
            Some(TextKind::Pem) => self.text(text),
            None if text.contains('\n') || text.contains("</") || text.contains("{%") => {
                self.page(text, &plural(lines()))
            }
            None => self.text(text),
        }
    }

    fn page(&self, text: &str, words: &str) -> String {
        let mut out = format!("<!-- {words} -->\n");
        let squeezed: String = text.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
        for tag in TAGS {
            let bare: String = tag.chars().filter(|c| !c.is_whitespace() && *c != '-').collect();
            if squeezed.contains(&bare) {
                out.push_str(tag);
                out.push('\n');
            }
        }
        out
    }

    /// Replaces a text by its own shape alone, so that the same text is replaced by the same everywhere.
    fn text(&self, text: &str) -> String {
        if text.is_empty() || self.words.contains(text) || is_harmless(text) {
            return text.to_owned();
        }
        if let Some((name, address)) = text.strip_suffix('>').and_then(|rest| rest.split_once('<'))
            && is_email(address)
        {
            return format!("{} <{}>", self.text(name.trim()), self.text(address));
        }
        if is_email(text)
            && let Some((name, host)) = text.rsplit_once('@')
        {
            return format!("name{}@{}", self.key.short(name), self.host(host));
        }
        if let Some(url) = self.url(text) {
            return url;
        }
        if let Some(address) = self.network(text) {
            return address;
        }
        if let Some((verb, _)) = text.split_once(':').filter(|(verb, rest)| VERBS.contains(verb) && !rest.is_empty()) {
            return format!("{verb}:name{}", self.key.short(text));
        }
        if is_host(text) {
            return self.host(text);
        }
        if text.len() >= 20 && text.chars().all(|c| c.is_ascii_alphanumeric()) {
            return self.key.hash(text).chars().take(text.len()).collect();
        }
        let kind = if text.split_whitespace().count() > MOST_WORDS { "text" } else { "name" };
        format!("{kind}{}", self.key.short(text))
    }

    fn url(&self, text: &str) -> Option<String> {
        let (scheme, rest) = text.split_once("://")?;
        if scheme.is_empty() || !scheme.chars().all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c)) {
            return None;
        }
        let scheme = match scheme {
            "http" | "https" | "wss" | "ws" | "ldap" | "ldaps" => scheme.to_owned(),
            other => format!("app{}", self.key.short(other)),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        let authority = authority.rsplit('@').next().unwrap_or(authority);
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if port.chars().all(|c| c.is_ascii_digit()) => (host, format!(":{port}")),
            _ => (authority, String::new()),
        };
        let end = path.find(['?', '#']).unwrap_or(path.len());
        let (path, query) = path.split_at(end);
        let path: Vec<String> = path.split('/').map(|part| self.part(part)).collect();
        let query = match query.chars().next() {
            Some(sign) if query.len() > 1 => format!("{sign}name{}", self.key.short(query)),
            _ => query.to_owned(),
        };
        Some(format!("{scheme}://{}{port}{}{query}", self.host(host), path.join("/")))
    }

    fn part(&self, part: &str) -> String {
        if part.is_empty() || PATHS.contains(&part) || part == "*" {
            part.to_owned()
        } else {
            format!("name{}", self.key.short(part))
        }
    }

    fn host(&self, host: &str) -> String {
        if host.is_empty() || host == "localhost" || host == "127.0.0.1" || host == "[::1]" || host == "*" {
            return host.to_owned();
        }
        if let Some(rest) = host.strip_prefix("*.") {
            return format!("*.{}", self.host(rest));
        }
        if let Some(address) = self.network(host) {
            return address;
        }
        let lower = host.to_lowercase();
        // The region is worth knowing, and no name.
        let region =
            lower.strip_suffix(".auth0.com").map(|front| front.split_once('.').map_or("", |(_, region)| region));
        match region {
            Some("") => format!("name{}.auth0.com", self.key.short(&lower)),
            Some(region @ ("eu" | "us" | "au" | "jp" | "uk" | "ca")) => {
                format!("name{}.{region}.auth0.com", self.key.short(&lower))
            }
            _ => format!("name{}.example", self.key.short(&lower)),
        }
    }

    /// Replaces an address of a network; the length of its prefix stays.
    fn network(&self, text: &str) -> Option<String> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) if prefix.parse::<u8>().is_ok() => (address, format!("/{prefix}")),
            Some(_) => return None,
            None => (text, String::new()),
        };
        let parsed: IpAddr = address.parse().ok()?;
        let hash = self.key.hash(address);
        let byte = |n: usize| u8::from_str_radix(hash.get(n * 2..n * 2 + 2).unwrap_or("00"), 16).unwrap_or_default();
        Some(match parsed {
            IpAddr::V4(_) => format!("10.{}.{}.{}{prefix}", byte(0), byte(1), byte(2)),
            IpAddr::V6(_) => format!("2001:db8::{:x}{:02x}{prefix}", byte(0), byte(1)),
        })
    }
}

/// Says whether the keys below a member, or of the resource itself, are the API's own: it keeps them behind endpoints of their own.
fn is_made_by_api(spec: &KindSpec, member: Option<&str>) -> bool {
    spec.parts.iter().any(|part| match (part.at.first(), member) {
        (Some(PartStep::Key(key)), Some(member)) => {
            key == member && part.at.iter().any(|step| matches!(step, PartStep::Capture(_)))
        }
        (Some(PartStep::Capture(_)), None) => true,
        _ => false,
    })
}

/// Collects what the schemas list as values, and the fixed names of resources.
fn words(registry: &Registry) -> BTreeSet<String> {
    let mut out: BTreeSet<String> = SCOPES.iter().map(|word| (*word).to_owned()).collect();
    for spec in registry.kinds() {
        out.extend(spec.names.iter().cloned());
        listed(&spec.json, &mut out);
    }
    out
}

fn listed(json: &Json, into: &mut BTreeSet<String>) {
    match json {
        Json::Object(map) => {
            for (keyword, value) in map {
                if matches!(keyword.as_str(), "enum" | "const" | "default") {
                    strings(value, into);
                }
                listed(value, into);
            }
        }
        Json::Array(items) => items.iter().for_each(|item| listed(item, into)),
        _ => {}
    }
}

fn strings(json: &Json, into: &mut BTreeSet<String>) {
    match json {
        Json::String(text) => {
            into.insert(text.clone());
        }
        Json::Array(items) => items.iter().for_each(|item| strings(item, into)),
        _ => {}
    }
}

/// Numbers, versions, colours, codes of countries, times.
fn is_harmless(text: &str) -> bool {
    let number = text.strip_prefix('v').unwrap_or(text);
    let is_number = number.contains(|c: char| c.is_ascii_digit())
        && number.len() <= 8
        && number.chars().all(|c| c.is_ascii_digit() || c == '.');
    let is_colour = text
        .strip_prefix('#')
        .is_some_and(|digits| matches!(digits.len(), 3 | 4 | 6 | 8) && digits.chars().all(|c| c.is_ascii_hexdigit()));
    let is_country = text.len() == 2 && text.chars().all(|c| c.is_ascii_uppercase());
    let is_time = text.len() >= 20
        && text.get(10..11) == Some("T")
        && text.chars().all(|c| c.is_ascii_digit() || "-:.TZ+".contains(c));
    is_number || is_colour || is_country || is_time
}

fn is_email(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(name, host)| {
        !name.is_empty() && is_host(host) && !text.contains(|c: char| c.is_whitespace() || "<>/:".contains(c))
    })
}

fn is_host(text: &str) -> bool {
    let text = text.strip_prefix("*.").unwrap_or(text);
    let is_label = |label: &str| {
        !label.is_empty()
            && label.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_'))
            && !label.starts_with('-')
    };
    let last = text.rsplit('.').next().unwrap_or_default();
    text.contains('.')
        && text.split('.').all(is_label)
        && last.len() > 1
        && last.chars().all(|c| c.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn masked(text: &str) -> String {
        let key = Key("fixed".to_owned());
        Masker { key: &key, words: words(Registry::get()) }.text(text)
    }

    #[test]
    fn every_shape_keeps_its_shape() {
        let shown: Vec<String> = [
            "My App",
            "A sentence that tells strangers a lot",
            "https://shop.acme.example:8443/a/callback?x=1",
            "https://acme.eu.auth0.com/api/v2/",
            "com.acme.app://acme.eu.auth0.com/ios",
            "*.acme.example",
            "ops@acme.example",
            "Acme <ops@acme.example>",
            "203.0.113.0/24",
            "read:orders",
            "openid",
            "spa",
            "#ff0000",
            "http://localhost:3000/callback",
            "AaBbCcDdEeFfGgHhIiJjKkLlMmNnOoPp",
        ]
        .into_iter()
        .map(|text| format!("{text} -> {}", masked(text)))
        .collect();
        insta::assert_snapshot!(shown.join("\n"));
    }

    #[test]
    fn another_run_makes_up_other_names() {
        let (one, two) = (Key::random(), Key::random());
        assert_ne!(one.hash("acme"), two.hash("acme"));
        assert_eq!(masked("acme"), masked("acme"));
    }
}
