//! What a marker becomes where it stands.
//!
//! auth0-deploy-cli replaces markers in the raw text of a file and parses the outcome. Here the file is parsed first; then each scalar
//! that holds markers is filled the same way, alone: its own text with the values in it is parsed as one value in its position. Where
//! that gives what the position can hold, it is what auth0-deploy-cli would have read. Where it does not (a quote or a line break
//! in the value, a colon: that tool stops or reads another file), the value stands for itself.
//!
//! | where | `##X##` | `@@X@@` |
//! | --- | --- | --- |
//! | bare | read as YAML (JSON): `5` is a number, `[a]` a list | the value |
//! | alone in quotes | text, escapes of the quotes apply | the value: the quotes go |
//! | in longer text | text | JSON text if that parses, else the text |
//! | bare in `[ … ]` | `"b", "c"` are two items | one item |
//! | key | text | text |
//! | block scalar, side file | text | JSON text |
//! | comment | nothing | nothing |

use serde_json::Value as Json;

use super::hole::{Holes, Stock};
use super::json::number_text;
use super::load::parse_swapped;
use super::node::{
    Expression, Format, Marker, Member, Node, NodeMap, NodeValue, Part, Position, Sigil, Style, Text, Written,
};
use super::place::Places;
use super::scalar;
use super::variables::{MarkerValue, Variables, json_text, text_form};
use crate::model::{Locus, Secret};
use crate::problem::Problem;

/// A part of a scalar whose markers are filled.
pub(crate) enum Piece {
    /// Text that may be shown.
    Text(String),
    /// An expression to evaluate.
    Expression(Expression),
    /// Text from a secret.
    Secret(Secret),
    /// A secret nobody has, by its source.
    Missing(String),
}

/// A scalar whose markers are filled.
pub(crate) enum Filled {
    /// Values without markers: one, but for a bare marker in `[ … ]`.
    Nodes(Vec<Node>),
    /// Text, in pieces.
    Pieces(Vec<Piece>),
}

/// A part with the value of its marker.
enum Slot<'t> {
    Plain(&'t str),
    Marker(&'t Marker, MarkerValue),
    Expression(&'t Expression),
}

/// Fills the markers of a scalar.
///
/// # Errors
///
/// `unset-variable`, `expansion-too-large`, `marker-object`; all of the scalar.
pub(crate) fn fill(text: &Text, locus: &Locus, variables: &Variables) -> Result<Filled, Vec<Problem>> {
    let slots = slots(&text.parts, variables)?;
    let has_markers = slots.iter().any(|slot| matches!(slot, Slot::Marker(..)));
    let (Some(written), true) = (&text.written, has_markers) else {
        return Ok(Filled::Pieces(join(&slots, false)));
    };
    if slots.iter().any(|slot| matches!(slot, Slot::Marker(_, MarkerValue::Missing(_))))
        || written.style == Style::Block
    {
        return Ok(Filled::Pieces(join(&slots, written.style == Style::Block)));
    }
    let secrets: Vec<&str> = slots
        .iter()
        .filter_map(|slot| match slot {
            Slot::Marker(_, MarkerValue::Secret(secret)) => Some(secret.source()),
            _ => None,
        })
        .collect();
    if !secrets.is_empty() {
        // A secret is always text; only the escapes of its quotes count.
        let source = secrets.join(", ");
        let quoted = if written.style == Style::Plain { None } else { reparse(written, locus, variables) };
        return Ok(Filled::Pieces(match quoted.as_deref() {
            Some([Node { value: NodeValue::Text(text), .. }]) if text.as_str().is_some() => {
                vec![Piece::Secret(Secret::new(text.as_str().unwrap_or_default(), source))]
            }
            _ => join(&slots, false),
        }));
    }
    if let ([Slot::Marker(marker, value)], Style::Plain, None) = (slots.as_slice(), written.style, &written.tag)
        && marker.sigil == Sigil::Json
    {
        return Ok(match value {
            MarkerValue::Json(json) => Filled::Nodes(vec![from_json(json, locus)]),
            _ => Filled::Pieces(vec![Piece::Text(marker.bare())]),
        });
    }
    Ok(match reparse(written, locus, variables) {
        Some(nodes) => Filled::Nodes(nodes),
        None => Filled::Pieces(join(&slots, false)),
    })
}

/// Fills the markers of a text that is no YAML and no JSON.
pub(crate) fn fill_raw(parts: &[Part], variables: &Variables) -> Result<Vec<Piece>, Vec<Problem>> {
    Ok(join(&slots(parts, variables)?, true))
}

fn slots<'t>(parts: &'t [Part], variables: &Variables) -> Result<Vec<Slot<'t>>, Vec<Problem>> {
    let (mut slots, mut problems) = (Vec::new(), Vec::new());
    for part in parts {
        match part {
            Part::Plain(text) => slots.push(Slot::Plain(text)),
            Part::Expression(expression) => slots.push(Slot::Expression(expression)),
            Part::Marker(marker) => match variables.marker(marker) {
                Ok(MarkerValue::Json(json)) if marker.sigil == Sigil::Text && text_form(&json).is_none() => {
                    problems.push(
                        Problem::error(
                            "marker-object",
                            format!("`{}` stands for an object, which has no text form", marker.bare()),
                        )
                        .at(&marker.locus)
                        .help(format!("write `@@{}@@` to insert it as it is", marker.name)),
                    );
                }
                Ok(value) => slots.push(Slot::Marker(marker, value)),
                Err(problem) => problems.push(problem),
            },
        }
    }
    if problems.is_empty() { Ok(slots) } else { Err(problems) }
}

/// What replacement in the raw text inserts for a marker.
fn inserted(marker: &Marker, value: &MarkerValue) -> String {
    match (value, marker.sigil) {
        (MarkerValue::Json(json), Sigil::Json) => json_text(json),
        (MarkerValue::Json(json), Sigil::Text) => text_form(json).unwrap_or_default(),
        (MarkerValue::Secret(secret), Sigil::Json) => Json::from(secret.expose()).to_string(),
        (MarkerValue::Secret(secret), Sigil::Text) => secret.expose().to_owned(),
        (MarkerValue::Missing(_), _) => String::new(),
        (MarkerValue::Literal, _) => marker.written.clone(),
    }
}

/// Joins parts to text. `as_inserted` keeps the JSON text of `@@`, as files that are not parsed do.
fn join(slots: &[Slot<'_>], as_inserted: bool) -> Vec<Piece> {
    let mut pieces = Vec::new();
    for slot in slots {
        match slot {
            Slot::Plain(text) => pieces.push(Piece::Text((*text).to_owned())),
            Slot::Expression(expression) => pieces.push(Piece::Expression((*expression).clone())),
            Slot::Marker(_, MarkerValue::Missing(source)) => pieces.push(Piece::Missing(source.clone())),
            Slot::Marker(marker, value) => {
                // The quotes around a `@@` marker are characters of a text that goes on around them.
                let quote = marker.written.chars().next().filter(|c| matches!(c, '"' | '\''));
                let quote = if as_inserted || slots.len() == 1 { None } else { quote };
                let text = match value {
                    MarkerValue::Json(Json::String(text)) if !as_inserted => text.clone(),
                    MarkerValue::Secret(secret) if !as_inserted => secret.expose().to_owned(),
                    MarkerValue::Literal if slots.len() == 1 && !as_inserted => marker.bare(),
                    _ => inserted(marker, value),
                };
                let quote = if matches!(value, MarkerValue::Literal) { None } else { quote };
                if let Some(quote) = quote {
                    pieces.push(Piece::Text(quote.to_string()));
                }
                pieces.push(match value {
                    MarkerValue::Secret(secret) => Piece::Secret(Secret::new(text, secret.source())),
                    _ => Piece::Text(text),
                });
                if let Some(quote) = quote {
                    pieces.push(Piece::Text(quote.to_string()));
                }
            }
        }
    }
    pieces
}

/// Parses a scalar with the values in it; `None` where that is not what its position can hold.
fn reparse(written: &Written, locus: &Locus, variables: &Variables) -> Option<Vec<Node>> {
    let slots = slots(&written.raw, variables).ok()?;
    let inserts: Vec<String> = slots
        .iter()
        .map(|slot| match slot {
            Slot::Plain(text) => (*text).to_owned(),
            Slot::Marker(marker, value) => inserted(marker, value),
            Slot::Expression(_) => String::new(),
        })
        .collect();
    let (mut stock, mut holes) = (Stock::new(inserts.iter().map(String::as_str)), Holes::default());
    let (before, behind) = match (written.format, written.position) {
        (Format::Yaml, Position::BlockValue) => ("k: ", ""),
        (Format::Yaml, Position::BlockItem) => ("- ", ""),
        (Format::Yaml, Position::FlowValue) => ("{k: ", "}"),
        (Format::Yaml, Position::BlockKey) => ("", ": 1"),
        (Format::Yaml, Position::FlowKey) => ("{", ": 1}"),
        (Format::Json, Position::FlowKey) => ("{", ":1}"),
        (_, Position::FlowItem) => ("[", "]"),
        _ => ("", ""),
    };
    let mut fragment = String::from(before);
    if let Some(tag) = &written.tag {
        fragment.push_str("!!");
        fragment.push_str(tag);
        fragment.push(' ');
    }
    for (slot, insert) in slots.iter().zip(&inserts) {
        match slot {
            Slot::Expression(expression) => {
                holes.push(&mut fragment, &mut stock, Part::Expression((*expression).clone()), 0)?;
            }
            // js-yaml lets a line of quoted text start anywhere; indented, it means the same to every reader.
            Slot::Marker(..) if written.format == Format::Yaml && written.style != Style::Plain => {
                fragment.push_str(&insert.replace('\n', "\n "));
            }
            _ => fragment.push_str(insert),
        }
    }
    fragment.push_str(behind);
    let node = parse_swapped(&fragment, &holes, written.format, &Places::Fixed(locus.clone())).ok()?.node;
    match (written.position, node.value) {
        (Position::BlockValue | Position::FlowValue, value) if written.format == Format::Yaml => {
            let member = only_member(value)?;
            (member.key.as_str() == Some("k")).then(|| vec![member.value])
        }
        (Position::BlockKey | Position::FlowKey, value) => {
            let member = only_member(value)?;
            let is_ours = matches!(&member.value.value, NodeValue::Number(one) if one.as_u64() == Some(1));
            is_ours.then(|| vec![Node { locus: locus.clone(), value: NodeValue::Text(member.key) }])
        }
        (Position::BlockItem, NodeValue::Array(items)) => (items.len() == 1).then_some(items),
        (Position::FlowItem, NodeValue::Array(items)) => {
            (items.len() == 1 || written.style == Style::Plain).then_some(items)
        }
        (Position::BlockItem | Position::FlowItem, _) => None,
        (_, value) => Some(vec![Node { locus: locus.clone(), value }]),
    }
    // A value such as `#fff` is a comment to YAML; null would clear the field.
    .filter(|nodes| {
        let is_null = matches!(nodes.as_slice(), [Node { value: NodeValue::Null, .. }]);
        !(is_null && inserts.concat().trim_start().starts_with('#'))
    })
    .filter(|nodes| {
        written.style == Style::Plain || matches!(nodes.as_slice(), [Node { value: NodeValue::Text(_), .. }])
    })
}

fn only_member(value: NodeValue) -> Option<Member> {
    match value {
        NodeValue::Object(map) if map.members.len() == 1 => map.members.into_iter().next(),
        _ => None,
    }
}

/// A value as a tree whose every place is the marker's.
fn from_json(json: &Json, locus: &Locus) -> Node {
    let value = match json {
        Json::Null => NodeValue::Null,
        Json::Bool(b) => NodeValue::Bool(*b),
        Json::Number(number) => NodeValue::Number(whole(number)),
        Json::String(text) => NodeValue::Text(Text::plain(text.as_str())),
        Json::Array(items) => NodeValue::Array(items.iter().map(|item| from_json(item, locus)).collect()),
        Json::Object(map) => NodeValue::Object(NodeMap {
            members: map
                .iter()
                .map(|(key, value)| Member {
                    key: Text::plain(key.as_str()),
                    key_locus: locus.clone(),
                    value: from_json(value, locus),
                })
                .collect(),
        }),
    };
    Node { locus: locus.clone(), value }
}

/// A number without a fraction as an integer.
pub(crate) fn whole(number: &serde_json::Number) -> serde_json::Number {
    match number.as_f64() {
        Some(float) if number.is_f64() => scalar::finite(float).unwrap_or_else(|| number.clone()),
        _ => number.clone(),
    }
}

/// A key from what a marker became; `None` for lists and objects.
pub(crate) fn key_text(value: &NodeValue) -> Option<Text> {
    Some(match value {
        NodeValue::Text(text) => text.clone(),
        NodeValue::Null => Text::plain("null"),
        NodeValue::Bool(b) => Text::plain(b.to_string()),
        NodeValue::Number(number) => Text::plain(number_text(number)),
        NodeValue::Array(_) | NodeValue::Object(_) => return None,
    })
}
