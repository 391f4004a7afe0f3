//! Values that fit a type, and texts that fit or do not fit a format or pattern.

use serde_json::{Map, Value, json};
use tenantry::sandbox::contract::Types;
use tenantry::sandbox::contract::notation::{Limits, Shape, Type};

/// A format with a text that has it and one that has not.
const FORMATS: &[(&str, &str, &str)] = &[
    ("absolute-https-uri-or-empty", "https://a.example", "http://a.example"),
    ("absolute-https-uri-with-placeholders-or-empty", "https://a.example", "http://a.example"),
    ("absolute-uri-or-empty", "https://a.example", "logo.png"),
    ("callback-url", "https://a.example/cb", "not a url"),
    ("cidr", "10.0.0.0/8", "10.0.0.0/33"),
    ("client-grant-id", "cgr_0123456789abcdef", "cgr_1"),
    ("connection-id", "con_0123456789abcdef", "con_1"),
    ("date-time", "2030-01-02T03:04:05.678Z", "tomorrow"),
    ("ec-initiate-login-uri-template-url", "https://a.example", "http://a.example"),
    ("email", "a@b.example", "a at b"),
    ("email-or-empty", "a@b.example", "a at b"),
    ("hostname-rfc2181", "smtp.a.example", "smtp..a"),
    ("html-color", "#ff00aa", "red"),
    ("html-color-or-null", "#ff00aa", "red"),
    ("ipv4", "10.0.0.1", "10.0.0.256"),
    ("ipv6", "::1", ":::1"),
    ("ipv6_cidr", "fe80::/10", "fe80::/129"),
    ("organization-id", "org_0123456789abcdef", "org_1"),
    ("organization-name", "acme-1", "Acme"),
    ("role-id", "rol_0123456789abcdef", "rol_1"),
    ("strict-https-uri-or-null", "https://a.example/x.png", "http://a.example/x.png"),
    ("url", "https://a.example", "not a url"),
    ("hostname", "a.example", "smtp..a"),
    ("https-uri-reference", "https://a.example/x", "http://a.example"),
    ("strict-uri", "https://a.example", "not a url"),
    ("url-or-null", "https://a.example", "not a url"),
    ("url-with-placeholders", "https://a.example", "not a url"),
];

/// Texts one of which fits each pattern in use.
const FITTING: &[&str] = &[
    "abc",
    "US",
    "#ff00aa",
    "abcdefghijkl",
    "client.metadata.x",
    "organization.metadata.x",
    "transaction.custom_domain.domain_metadata.x",
    "user.user_metadata.x",
    "user.app_metadata.x",
    "untrusted_data.authorization_params.ext-x",
];
/// Texts one of which does not fit each pattern in use.
const UNFITTING: &[&str] = &["<b>", "a b", "zz", "red", "\u{0}", "a\nb", "", "-", "no such key!", "<abcdefghij>"];

/// Follows a name to its type.
pub(crate) fn named<'a>(wanted: &'a Type, types: &'a Types) -> &'a Type {
    match &wanted.shape {
        Shape::Named(name) => named(types.get(name).expect("a type of that name"), types),
        _ => wanted,
    }
}

/// Says whether null is admitted.
pub(crate) fn nullable(wanted: &Type, types: &Types) -> bool {
    wanted.nullable || named(wanted, types).nullable
}

/// Returns a small value that fits: of optional members none.
pub(crate) fn sample(wanted: &Type, types: &Types) -> Value {
    match &named(wanted, types).shape {
        Shape::Any | Shape::Text { format: None, pattern: None, length: Limits { least: None, most: None } } => {
            json!("x")
        }
        Shape::Null => Value::Null,
        Shape::Boolean => json!(true),
        Shape::Integer(limits) | Shape::Number(limits) => json!(least_of(*limits).max(1).min(most_of(*limits))),
        Shape::Text { format, pattern, length } => {
            let pool = match format {
                Some(name) => FORMATS.iter().filter(|row| row.0 == name).map(|row| row.1).collect(),
                None => Vec::new(),
            };
            let unit = "x".repeat(usize::try_from(least_of(*length).max(1)).unwrap());
            let pool = pool.into_iter().chain(FITTING.iter().copied()).chain([unit.as_str()]);
            let fits = |text: &&str| {
                let count = i64::try_from(text.chars().count()).unwrap();
                count >= least_of(*length)
                    && count <= most_of(*length)
                    && pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
            };
            let found = pool.into_iter().find(fits);
            // Patterns of two add-ons are longer than any text worth writing down.
            json!(found.map(str::to_owned).unwrap_or_else(|| format!("{}==", "A".repeat(86))))
        }
        Shape::Enum(values) => values.first().cloned().unwrap_or_default(),
        Shape::List { item, size, .. } => {
            let count = least_of(*size).max(0);
            (0..count).map(|n| distinct(item, types, n)).collect()
        }
        Shape::Object { members, rest, size } => {
            let mut out = Map::new();
            for (name, member) in members.iter().filter(|(_, member)| member.required) {
                out.insert(name.clone(), sample(&member.shape, types));
            }
            for (name, member) in members {
                if i64::try_from(out.len()).unwrap() < least_of(*size) && !out.contains_key(name) {
                    out.insert(name.clone(), sample(&member.shape, types));
                }
            }
            if let Some(rest) = rest {
                while i64::try_from(out.len()).unwrap() < least_of(*size) {
                    out.insert(format!("member{}", out.len()), sample(rest, types));
                }
            }
            Value::Object(out)
        }
        Shape::One(types_) => sample(types_.first().expect("an alternative"), types),
        Shape::Named(_) => unreachable!("names are followed"),
    }
}

/// Returns a value that fits with every member there is: at the lower edge of every limit, or at the upper.
pub(crate) fn whole(wanted: &Type, types: &Types, high: bool) -> Value {
    let edge = |limits: Limits, without: i64| {
        let (least, most) = (limits.least.map(|_| least_of(limits)), limits.most.map(|_| most_of(limits)));
        if high { most.or(least) } else { least.or(most) }.unwrap_or(without)
    };
    match &named(wanted, types).shape {
        Shape::Integer(limits) | Shape::Number(limits) => json!(edge(*limits, 1)),
        Shape::Text { format: None, pattern: None, length } => {
            json!("x".repeat(usize::try_from(edge(*length, 1)).unwrap()))
        }
        Shape::Enum(values) => if high { values.last() } else { values.first() }.cloned().unwrap_or_default(),
        Shape::List { item, size, .. } => {
            let count = edge(*size, 1);
            (0..count).map(|n| if count > 1 { distinct(item, types, n) } else { whole(item, types, high) }).collect()
        }
        Shape::Object { members, rest, size } => {
            let mut out = Map::new();
            let all = members.iter().filter(|(_, member)| member.required).chain(members);
            for (name, member) in all {
                if i64::try_from(out.len()).unwrap() < most_of(*size) && !out.contains_key(name) {
                    out.insert(name.clone(), whole(&member.shape, types, high));
                }
            }
            if let Some(rest) = rest {
                let count = i64::try_from(out.len()).unwrap().max(edge(*size, 1));
                while i64::try_from(out.len()).unwrap() < count {
                    out.insert(format!("key{}", out.len()), whole(rest, types, high));
                }
            }
            Value::Object(out)
        }
        Shape::One(alternatives) => {
            let one = if high { alternatives.last() } else { alternatives.first() };
            whole(one.expect("an alternative"), types, high)
        }
        _ => sample(wanted, types),
    }
}

/// Returns the n-th of several values that fit and differ, as far as they can.
pub(crate) fn distinct(item: &Type, types: &Types, n: i64) -> Value {
    match &named(item, types).shape {
        Shape::Enum(values) => values.get(usize::try_from(n).unwrap() % values.len()).cloned().unwrap_or_default(),
        Shape::Any | Shape::Text { format: None, pattern: None, .. } => json!(format!("item-{n}")),
        Shape::Integer(_) | Shape::Number(_) => json!(n + 1),
        _ => sample(item, types),
    }
}

/// Returns a text that breaks a format.
pub(crate) fn unformatted(format: &str) -> Option<&'static str> {
    FORMATS.iter().find(|row| row.0 == format).map(|row| row.2)
}

/// Returns a text that breaks a pattern and no limit.
pub(crate) fn unmatched(pattern: &regex::Regex, length: Limits) -> Option<&'static str> {
    UNFITTING.iter().copied().find(|text| {
        let count = i64::try_from(text.chars().count()).unwrap();
        !pattern.is_match(text) && count >= least_of(length) && count <= most_of(length)
    })
}

/// Lower limit; 0 where there is none.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn least_of(limits: Limits) -> i64 {
    limits.least.map_or(0, |least| least.ceil() as i64)
}

/// Upper limit; very high where there is none.
#[allow(clippy::cast_possible_truncation)]
pub(crate) fn most_of(limits: Limits) -> i64 {
    limits.most.map_or(i64::MAX, |most| most.floor() as i64)
}
