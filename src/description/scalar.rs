//! What a plain YAML scalar means: js-yaml 4.3.2, default schema.

use serde_json::Number;

use super::node::NodeValue;
use super::node::Text;

/// The meaning of a plain scalar. Infinities, NaN and dates stay text, as JSON has none of them.
pub(crate) fn resolve(text: &str) -> NodeValue {
    match text {
        "" | "~" | "null" | "Null" | "NULL" => NodeValue::Null,
        "true" | "True" | "TRUE" => NodeValue::Bool(true),
        "false" | "False" | "FALSE" => NodeValue::Bool(false),
        _ => match number(text) {
            Some(number) => NodeValue::Number(number),
            None => NodeValue::Text(Text::plain(text)),
        },
    }
}

/// Reads a number as js-yaml 4.3.2 does; `None` if it is not one.
pub(crate) fn number(text: &str) -> Option<Number> {
    integer(text).or_else(|| float(text))
}

fn integer(text: &str) -> Option<Number> {
    let (negative, digits) = match text.strip_prefix(['-', '+']) {
        Some(rest) => (text.starts_with('-'), rest),
        None => (false, text),
    };
    let (radix, digits) = match digits.as_bytes() {
        [b'0', b'b', ..] => (2, digits.get(2..)?),
        [b'0', b'o', ..] => (8, digits.get(2..)?),
        [b'0', b'x', ..] => (16, digits.get(2..)?),
        _ => (10, digits),
    };
    if digits.is_empty() || !digits.chars().all(|c| c.is_digit(radix)) {
        return None;
    }
    match u64::from_str_radix(digits, radix) {
        Ok(value) if !negative => Some(Number::from(value)),
        Ok(value) => match i64::try_from(-i128::from(value)) {
            Ok(value) => Some(Number::from(value)),
            Err(_) => finite(-(value as f64)),
        },
        // Too long for an exact integer: the nearest double, as JavaScript has it.
        Err(_) => {
            let value = if radix == 10 {
                digits.parse().ok()?
            } else {
                digits.chars().fold(0.0, |sum, c| sum * f64::from(radix) + f64::from(c.to_digit(radix).unwrap_or(0)))
            };
            finite(if negative { -value } else { value })
        }
    }
}

fn float(text: &str) -> Option<Number> {
    // `.5` may not carry a sign, `5.` and `5e3` may: the pattern of js-yaml's float type.
    let body = text.strip_prefix(['-', '+']).unwrap_or(text);
    let (mantissa, exponent) = match body.find(['e', 'E']) {
        Some(at) => (body.get(..at)?, body.get(at + 1..)),
        None => (body, None),
    };
    let digits = |s: &str| s.bytes().all(|b| b.is_ascii_digit());
    let (whole, fraction) = match mantissa.split_once('.') {
        Some((whole, fraction)) => (whole, Some(fraction)),
        None => (mantissa, None),
    };
    let shape = if whole.is_empty() {
        body.len() == text.len() && fraction.is_some_and(|f| !f.is_empty() && digits(f))
    } else {
        digits(whole) && fraction.is_none_or(digits)
    };
    let exponent_shape = exponent.is_none_or(|e| {
        let e = e.strip_prefix(['-', '+']).unwrap_or(e);
        !e.is_empty() && digits(e)
    });
    if !shape || !exponent_shape {
        return None;
    }
    finite(text.strip_prefix('+').unwrap_or(text).parse().ok()?)
}

/// A number from a double; one without a fraction becomes an integer, as JSON text has no difference.
pub(crate) fn finite(value: f64) -> Option<Number> {
    const EXACT: f64 = 9_007_199_254_740_992.0;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        return Some(Number::from(value as i64));
    }
    Number::from_f64(value)
}

/// Says why readers of YAML disagree about a plain scalar, if they do.
pub(crate) fn disputed(text: &str) -> Option<&'static str> {
    let first = text.bytes().next()?;
    if first.is_ascii_digit() && is_date(text) {
        return Some("auth0-deploy-cli reads it as a date; here it is text");
    }
    if !(first.is_ascii_digit() || matches!(first, b'+' | b'-' | b'.')) {
        return None;
    }
    if matches!(text.trim_start_matches(['+', '-']), ".inf" | ".Inf" | ".INF" | ".nan" | ".NaN" | ".NAN") {
        return Some("it is a number that JSON does not have; here it is text");
    }
    if number(text).is_some() {
        return None;
    }
    if text.contains('_') && number(&text.replace('_', "")).is_some() {
        return Some("older YAML readers take it for a number; here it is text");
    }
    float_overflows(text).then_some("older YAML readers take it for infinity; here it is text")
}

fn float_overflows(text: &str) -> bool {
    text.bytes().all(|b| b.is_ascii_digit() || matches!(b, b'+' | b'-' | b'.' | b'e' | b'E'))
        && text.parse::<f64>().is_ok_and(f64::is_infinite)
}

/// `2001-12-14`, or with a time: what js-yaml's timestamp type takes.
fn is_date(text: &str) -> bool {
    let mut fields = text.splitn(3, '-');
    let (Some(year), Some(month), Some(rest)) = (fields.next(), fields.next(), fields.next()) else { return false };
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let day_end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (day, time) = rest.split_at(day_end);
    year.len() == 4
        && digits(year)
        && digits(month)
        && month.len() <= 2
        && digits(day)
        && day.len() <= 2
        && (time.is_empty() && month.len() == 2 && day.len() == 2
            || (time.starts_with(['T', 't', ' ', '\t']) && time.contains(':')))
}
