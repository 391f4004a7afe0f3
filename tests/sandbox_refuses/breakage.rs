//! Breaks every rule of a type, one at a time.

use serde_json::{Map, Value, json};
use tenantry::sandbox::contract::Types;
use tenantry::sandbox::contract::notation::{Limits, Shape, Type};

use super::samples::{distinct, least_of, most_of, named, nullable, sample, unformatted, unmatched};

/// A value that breaks one rule, and what the refusal has to say.
#[derive(Debug, Clone)]
pub(crate) struct Broken {
    /// Sort of the rule, for the counts.
    pub(crate) sort: &'static str,
    pub(crate) value: Value,
    /// Path of the property in the message; empty for the whole.
    pub(crate) at: String,
    /// The rule as the API words it; `None` inside a union, where another alternative may be reported.
    pub(crate) rule: Option<String>,
}

/// The type's name as the API writes it in a message.
fn type_name(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(number) if number.is_f64() => "number",
        Value::Number(_) => "integer",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

/// Breaks a type in every way around a value that fits it.
pub(crate) fn all(wanted: &Type, types: &Types, good: &Value, at: &str) -> Vec<Broken> {
    let mut out = Vec::new();
    wrong_type(wanted, types, at, &mut out);
    let add = |out: &mut Vec<Broken>, sort, value: Value, rule: String| {
        out.push(Broken { sort, value, at: at.to_owned(), rule: Some(rule) });
    };
    match &named(wanted, types).shape {
        Shape::Enum(values) => {
            let value = if values.iter().all(Value::is_boolean) {
                json!(values.first() != Some(&json!(true)))
            } else {
                json!("no-such-value")
            };
            let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            add(&mut out, "enum", value, format!("No enum match for: {shown}"));
        }
        Shape::Integer(limits) | Shape::Number(limits) => {
            if let Some(least) = limits.least {
                let value = json!(least_of(*limits) - 1);
                add(&mut out, "limit", value.clone(), format!("Value {value} is less than minimum {least}"));
            }
            if let Some(most) = limits.most {
                let value = json!(most_of(*limits) + 1);
                add(&mut out, "limit", value.clone(), format!("Value {value} is greater than maximum {most}"));
            }
            if matches!(named(wanted, types).shape, Shape::Integer(_)) {
                let value = json!(1.5);
                let null = if nullable(wanted, types) { ", null" } else { "" };
                let outside = limits.least.is_some_and(|least| least > 1.5);
                if !outside {
                    add(&mut out, "type", value, format!("Expected type integer{null} but found type number"));
                }
            }
        }
        Shape::Text { length, format, pattern } => {
            text(*length, format.as_deref(), pattern.as_ref(), &mut |sort, value, rule| {
                add(&mut out, sort, value, rule)
            });
        }
        Shape::List { item, size, unique } => list(item, types, *size, *unique, good, at, &mut out),
        Shape::Object { .. } => object(wanted, types, good, at, &mut out),
        Shape::One(alternatives) => union(alternatives, nullable(wanted, types), types, good, at, &mut out),
        Shape::Any | Shape::Null | Shape::Boolean | Shape::Named(_) => {}
    }
    out
}

/// A value of another type, and null where null is not admitted.
fn wrong_type(wanted: &Type, types: &Types, at: &str, out: &mut Vec<Broken>) {
    let shape = &named(wanted, types).shape;
    let (name, wrong) = match shape {
        Shape::Boolean => ("boolean", json!("yes")),
        Shape::Integer(_) => ("integer", json!("seven")),
        Shape::Number(_) => ("number", json!("seven")),
        Shape::Enum(values) => (values.first().map_or("string", type_name), json!([])),
        Shape::Text { .. } => ("string", json!(7)),
        Shape::List { .. } => ("array", json!("x")),
        Shape::Object { .. } => ("object", json!("x")),
        Shape::One(_) | Shape::Any | Shape::Null | Shape::Named(_) => return,
    };
    let null = if nullable(wanted, types) { ", null" } else { "" };
    let mut add = |sort, value: Value| {
        let rule = format!("Expected type {name}{null} but found type {}", type_name(&value));
        out.push(Broken { sort, value, at: at.to_owned(), rule: Some(rule) });
    };
    add("type", wrong);
    // A body that is null is none, so the whole cannot be tried with null.
    if null.is_empty() && !at.is_empty() {
        add("null", Value::Null);
    }
}

fn text(
    length: Limits,
    format: Option<&str>,
    pattern: Option<&regex::Regex>,
    add: &mut impl FnMut(&'static str, Value, String),
) {
    if let Some(least) = length.least.filter(|least| *least >= 1.0) {
        let short = "x".repeat(usize::try_from(least_of(length) - 1).unwrap());
        let rule = format!("String is too short ({} chars), minimum {least}", short.len());
        add("limit", json!(short), rule);
    }
    if let Some(most) = length.most {
        let long = "x".repeat(usize::try_from(most_of(length) + 1).unwrap());
        let rule = format!("String is too long ({} chars), maximum {most}", long.len());
        add("limit", json!(long), rule);
    }
    if let Some(wrong) = format.and_then(unformatted) {
        add(
            "format",
            json!(wrong),
            format!("Object didn't pass validation for format {}: {wrong}", format.unwrap_or("")),
        );
    }
    if let Some((pattern, wrong)) = pattern.and_then(|pattern| Some((pattern, unmatched(pattern, length)?))) {
        add("format", json!(wrong), format!("String does not match pattern {pattern}: {wrong}"));
    }
}

fn list(item: &Type, types: &Types, size: Limits, unique: bool, good: &Value, at: &str, out: &mut Vec<Broken>) {
    let mut add = |sort, value: Value, rule: String| {
        out.push(Broken { sort, value, at: at.to_owned(), rule: Some(rule) });
    };
    let several = |count: i64| (0..count).map(|n| distinct(item, types, n)).collect::<Value>();
    if let Some(least) = size.least.filter(|least| *least >= 1.0) {
        let count = least_of(size) - 1;
        add("limit", several(count), format!("Array is too short ({count}), minimum {least}"));
    }
    if let Some(most) = size.most {
        let count = most_of(size) + 1;
        add("limit", several(count), format!("Array is too long ({count}), maximum {most}"));
    }
    if unique {
        let one = sample(item, types);
        add("unique", json!([one, one]), "Array items are not unique (indexes 0 and 1)".to_owned());
    }
    let mut items = match good {
        Value::Array(items) if !items.is_empty() => items.clone(),
        _ => several(least_of(size).max(1)).as_array().cloned().unwrap_or_default(),
    };
    let first = items.first().cloned().unwrap_or_default();
    for broken in all(item, types, &first, &format!("{at}[0]")) {
        items[0] = broken.value;
        out.push(Broken { value: json!(items), ..broken });
    }
}

fn object(wanted: &Type, types: &Types, good: &Value, at: &str, out: &mut Vec<Broken>) {
    let Shape::Object { members, rest, size } = &named(wanted, types).shape else { return };
    let base = match good {
        Value::Object(base) => base.clone(),
        _ => sample(wanted, types).as_object().cloned().unwrap_or_default(),
    };
    let mut add = |sort, value: Map<String, Value>, rule: String| {
        out.push(Broken { sort, value: Value::Object(value), at: at.to_owned(), rule: Some(rule) });
    };
    if rest.is_none() {
        let mut more = base.clone();
        more.insert("no_such_property".to_owned(), json!(1));
        let full = i64::try_from(base.len()).unwrap() >= most_of(*size);
        if !full {
            add("unknown", more, "Additional properties not allowed: no_such_property".to_owned());
        }
    }
    for (name, _) in members.iter().filter(|(_, member)| member.required) {
        let mut less = base.clone();
        less.shift_remove(name);
        // An object that may not be empty is then refused for that as well; the message has both.
        add("required", less, format!("Missing required property: {name}"));
    }
    if let Some(least) = size.least.filter(|least| *least >= 1.0 && members.values().all(|member| !member.required)) {
        add("limit", Map::new(), format!("Too few properties defined (0), minimum {least}"));
    }
    if let Some(most) = size.most {
        let mut many = base.clone();
        let wanted_count = most_of(*size) + 1;
        let names = members.keys().cloned().chain((0..wanted_count).map(|n| format!("key{n}")));
        for name in names {
            if i64::try_from(many.len()).unwrap() < wanted_count {
                let shape = members.get(&name).map(|member| &member.shape).or(rest.as_deref());
                if let Some(shape) = shape {
                    many.entry(name).or_insert_with(|| sample(shape, types));
                }
            }
        }
        if i64::try_from(many.len()).unwrap() == wanted_count {
            add("limit", many, format!("Too many properties defined ({wanted_count}), maximum {most}"));
        }
    }
    let within = |name: &str| if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") };
    let mut child = |name: &str, shape: &Type| {
        let mut around = base.clone();
        let full = i64::try_from(around.len()).unwrap() >= most_of(*size);
        if full && !around.contains_key(name) {
            around.clear();
        }
        let good = around.get(name).filter(|value| !value.is_null()).cloned().unwrap_or_else(|| sample(shape, types));
        for broken in all(shape, types, &good, &within(name)) {
            around.insert(name.to_owned(), broken.value.clone());
            out.push(Broken { value: Value::Object(around.clone()), ..broken });
        }
    };
    for (name, member) in members {
        child(name, &member.shape);
    }
    if let Some(rest) = rest {
        child("some_key", rest);
    }
}

fn union(alternatives: &[Type], null: bool, types: &Types, good: &Value, at: &str, out: &mut Vec<Broken>) {
    for alternative in alternatives {
        let good = if fits(good, alternative, types) { good.clone() } else { sample(alternative, types) };
        for broken in all(alternative, types, &good, at) {
            let is_null = null && broken.value.is_null();
            if !is_null && !alternatives.iter().any(|other| fits(&broken.value, other, types)) {
                out.push(Broken { rule: None, at: at.to_owned(), ..broken });
            }
        }
    }
}

/// Says whether a value fits a type: what tells a broken alternative from another that fits.
fn fits(value: &Value, wanted: &Type, types: &Types) -> bool {
    if value.is_null() {
        return nullable(wanted, types);
    }
    let sized = |count: usize, limits: Limits| {
        let count = i64::try_from(count).unwrap();
        count >= least_of(limits) && count <= most_of(limits)
    };
    match (&named(wanted, types).shape, value) {
        (Shape::Any, _) | (Shape::Boolean, Value::Bool(_)) => true,
        (Shape::Integer(limits) | Shape::Number(limits), Value::Number(number)) => {
            number.as_f64().is_some_and(|number| {
                limits.least.is_none_or(|least| number >= least) && limits.most.is_none_or(|most| number <= most)
            })
        }
        (Shape::Text { length, format, pattern }, Value::String(text)) => {
            sized(text.chars().count(), *length)
                && pattern.as_ref().is_none_or(|pattern| pattern.is_match(text))
                && format.as_deref().and_then(unformatted).is_none_or(|_| has_format(format.as_deref(), text))
        }
        (Shape::Enum(values), _) => values.contains(value),
        (Shape::List { item, size, .. }, Value::Array(items)) => {
            sized(items.len(), *size) && items.iter().all(|one| fits(one, item, types))
        }
        (Shape::Object { members, rest, size }, Value::Object(given)) => {
            sized(given.len(), *size)
                && members.iter().all(|(name, member)| !member.required || given.contains_key(name))
                && given.iter().all(|(name, one)| match (members.get(name), rest) {
                    (Some(member), _) => fits(one, &member.shape, types),
                    (None, Some(rest)) => fits(one, rest, types),
                    (None, None) => false,
                })
        }
        (Shape::One(alternatives), _) => alternatives.iter().any(|one| fits(value, one, types)),
        _ => false,
    }
}

/// The formats that stand beside each other in unions: addresses, networks and host names.
fn has_format(format: Option<&str>, text: &str) -> bool {
    let address = |text: &str| text.parse::<std::net::IpAddr>();
    let network = |text: &str, bits: u8| {
        text.split_once('/')
            .filter(|(_, length)| length.parse::<u8>().is_ok_and(|length| length <= bits))
            .map(|(a, _)| address(a))
    };
    match format {
        Some("ipv4") => address(text).is_ok_and(|address| address.is_ipv4()),
        Some("ipv6") => address(text).is_ok_and(|address| address.is_ipv6()),
        Some("cidr") => network(text, 32).is_some_and(|found| found.is_ok_and(|address| address.is_ipv4())),
        Some("ipv6_cidr") => network(text, 128).is_some_and(|found| found.is_ok_and(|address| address.is_ipv6())),
        Some("hostname-rfc2181") => {
            !text.is_empty()
                && text.split('.').all(|label| {
                    !label.is_empty() && label.chars().all(|c| c.is_ascii_alphanumeric() || "-_".contains(c))
                })
        }
        _ => true,
    }
}
