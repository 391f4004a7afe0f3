//! What an export says of what it left out, and the names it makes.

use std::collections::HashMap;

use super::lay::Found;
use crate::model::{Address, Map, Unavailable, Value};
use crate::problem::Problem;
use crate::schema::Registry;

/// Upper case with underscores: `clientGrants` → `CLIENT_GRANTS`. What is no letter or digit of ASCII parts words.
pub(super) fn snake(text: &str) -> String {
    let mut out = String::new();
    let mut before_is_lower = false;
    for c in text.chars() {
        if !c.is_ascii_alphanumeric() {
            before_is_lower = false;
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
            continue;
        }
        if c.is_ascii_uppercase() && before_is_lower {
            out.push('_');
        }
        before_is_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        out.push(c.to_ascii_uppercase());
    }
    out.trim_end_matches('_').to_owned()
}

/// Names by the values that literal references hold, by kind: an API by its identifier. A name that holds itself is not kept.
#[derive(Debug, Default)]
pub(super) struct Named(HashMap<String, HashMap<String, String>>);

impl Named {
    /// Takes in what was found of a kind.
    pub(super) fn learn(&mut self, registry: &Registry, kind: &str, found: Found<'_>) {
        let (Some(spec), Ok(found)) = (registry.kind(kind), found) else { return };
        for resource in (0..found.count()).filter_map(|place| found.at(place)) {
            let Some(name) = resource.value.get("name").and_then(Value::as_str) else { continue };
            for member in spec.identity.iter().chain(&spec.also).filter(|member| *member != "name") {
                if let Some(value) = resource.value.get(member).and_then(Value::as_str) {
                    self.0.entry(kind.to_owned()).or_default().insert(value.to_owned(), name.to_owned());
                }
            }
        }
    }

    /// Returns the name of the resource of a kind that a value stands for.
    pub(super) fn get(&self, kind: &str, value: &str) -> Option<&str> {
        self.0.get(kind)?.get(value).map(String::as_str)
    }
}

pub(super) fn unavailable(kind: &str, why: &Unavailable) -> Problem {
    match why {
        Unavailable::Scope(scopes) => {
            let scopes = scopes.join("` or `");
            Problem::warning("export-unreadable", format!("`{kind}` could not be read and are left out"))
                .note(format!("this needs the scope `{scopes}`"))
                .help("grant it to the client that Tenantry uses, and export again")
        }
        Unavailable::Feature(words) => {
            Problem::remark("export-unavailable", format!("this tenant has no `{kind}`")).note(words.clone())
        }
    }
}

pub(super) fn unreadable_member(address: &Address, member: &str, why: &Unavailable) -> Problem {
    let title = format!("{address}: `{member}` could not be read and is left out");
    match why {
        Unavailable::Scope(scopes) => Problem::warning("export-unreadable", title)
            .note(format!("this needs the scope `{}`", scopes.join("` or `")))
            .help("grant it to the client that Tenantry uses, and export again"),
        Unavailable::Feature(words) => Problem::remark("export-unavailable", title).note(words.clone()),
    }
}

/// Says that a part of a description could not be compared with the tenant.
pub fn unreadable_here(what: &str, why: &Unavailable) -> Problem {
    let title = format!("`{what}` could not be read, and stays in the files as it is");
    match why {
        Unavailable::Scope(scopes) => Problem::warning("export-unreadable", title)
            .note(format!("this needs the scope `{}`", scopes.join("` or `")))
            .help("grant it to the client that Tenantry uses, and export again"),
        Unavailable::Feature(words) => Problem::remark("export-unavailable", title).note(words.clone()),
    }
}

/// Takes out what no read returns.
pub(super) fn forget_unresolved(members: &mut Map) {
    members.retain(|_, value| !matches!(value, Value::Unresolved(_)));
    for inner in members.values_mut().filter_map(Value::as_object_mut) {
        forget_unresolved(inner);
    }
}

/// Sets the member at a path such as `options.client_secret`.
pub(super) fn put_at(members: &mut Map, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            members.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            if let Value::Object(inner) = members.entry(first.to_owned()).or_insert_with(Value::object) {
                put_at(inner, rest, value);
            }
        }
    }
}
