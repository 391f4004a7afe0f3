//! Fills a [`Node`] with the values of one environment.

use std::collections::{BTreeSet, HashMap};

use super::expression::{Tainted, evaluate};
use super::fill::{Filled, Piece, fill, key_text, whole};
use super::node::{Member, Node, NodeValue, Text};
use super::variables::Variables;
use super::yaml::duplicate_key;
use crate::model::{Loci, Locus, Map, Path, Secret, Unresolved, Value};
use crate::problem::{Problem, sorted};

/// A tree with its values, and where they stand.
#[derive(Debug, Clone, PartialEq)]
pub struct Rendered {
    /// The value.
    pub value: Value,
    /// Where each value stands.
    pub loci: Loci,
    /// Where the key of each member stands, at the path of the member.
    pub keys: Loci,
}

/// Fills all markers and expressions of a tree.
///
/// # Errors
///
/// All that is wrong with it: `unset-variable`, `expression-syntax`, `expression-type`, `unknown-helper`, `marker-object`,
/// `expansion-too-large`, `duplicate-key` (two keys that become the same), `secret-in-key`.
pub fn render(node: &Node, variables: &Variables) -> Result<Rendered, Vec<Problem>> {
    let mut renderer = Renderer { variables, problems: Vec::new(), loci: Loci::default(), keys: Loci::default() };
    let value = renderer.one(node, &Path::root());
    if renderer.problems.is_empty() {
        Ok(Rendered { value, loci: renderer.loci, keys: renderer.keys })
    } else {
        Err(sorted(renderer.problems))
    }
}

struct Renderer<'v> {
    variables: &'v Variables,
    problems: Vec<Problem>,
    loci: Loci,
    keys: Loci,
}

impl Renderer<'_> {
    fn one(&mut self, node: &Node, path: &Path) -> Value {
        match &node.value {
            NodeValue::Text(text) if text.written.is_some() => match fill(text, &node.locus, self.variables) {
                Ok(Filled::Pieces(pieces)) => {
                    self.loci.insert(path.clone(), node.locus.clone());
                    self.joined(pieces)
                }
                Ok(Filled::Nodes(nodes)) => match nodes.as_slice() {
                    [only] => self.filled(only, path),
                    _ => Value::Null,
                },
                Err(problems) => {
                    self.problems.extend(problems);
                    Value::Null
                }
            },
            _ => self.filled(node, path),
        }
    }

    /// Renders a node that holds no markers at its top; expressions may be left in it.
    fn filled(&mut self, node: &Node, path: &Path) -> Value {
        self.loci.insert(path.clone(), node.locus.clone());
        match &node.value {
            NodeValue::Null => Value::Null,
            NodeValue::Bool(b) => Value::Bool(*b),
            NodeValue::Number(number) => Value::Number(number.clone()),
            NodeValue::Text(text) => match text.as_str() {
                Some(text) => Value::String(text.to_owned()),
                None => match fill(text, &node.locus, self.variables) {
                    Ok(Filled::Pieces(pieces)) => self.joined(pieces),
                    Ok(Filled::Nodes(_)) => Value::Null,
                    Err(problems) => {
                        self.problems.extend(problems);
                        Value::Null
                    }
                },
            },
            NodeValue::Array(items) => self.array(items, path),
            NodeValue::Object(map) => {
                let mut values = Map::new();
                let mut first: HashMap<String, Locus> = HashMap::new();
                for member in map.iter() {
                    let Some(key) = self.key(member) else {
                        // What else is wrong below is told at once.
                        self.one(&member.value, path);
                        continue;
                    };
                    if let Some(first) = first.get(&key) {
                        self.problems.push(
                            duplicate_key(&key, &member.key_locus, first)
                                .note("the keys are written differently and become the same"),
                        );
                    }
                    first.entry(key.clone()).or_insert_with(|| member.key_locus.clone());
                    let path = path.key(&key);
                    self.keys.insert(path.clone(), member.key_locus.clone());
                    let value = self.one(&member.value, &path);
                    values.insert(key, value);
                }
                Value::Object(values)
            }
        }
    }

    fn array(&mut self, items: &[Node], path: &Path) -> Value {
        let mut values: Vec<Value> = Vec::with_capacity(items.len());
        for item in items {
            let several = match &item.value {
                NodeValue::Text(text) if text.markers().next().is_some() => {
                    match fill(text, &item.locus, self.variables) {
                        Ok(Filled::Nodes(nodes)) => Some(nodes),
                        _ => None,
                    }
                }
                _ => None,
            };
            match several {
                Some(nodes) => {
                    for node in &nodes {
                        let value = self.filled(node, &path.index(values.len()));
                        values.push(value);
                    }
                }
                None => {
                    let value = self.one(item, &path.index(values.len()));
                    values.push(value);
                }
            }
        }
        Value::Array(values)
    }

    fn key(&mut self, member: &Member) -> Option<String> {
        if let Some(key) = member.key.as_str() {
            return Some(key.to_owned());
        }
        let not_a_key = |locus: &Locus| {
            Problem::error(
                "marker-object",
                format!("`{}` becomes a list or an object, which is no key", member.key.as_written()),
            )
            .at(locus)
        };
        let pieces = match fill(&member.key, &member.key_locus, self.variables) {
            Ok(Filled::Pieces(pieces)) => Ok(pieces),
            Ok(Filled::Nodes(nodes)) => match nodes.first().and_then(|node| key_text(&node.value)) {
                Some(Text { parts, .. }) => fill(&Text { parts, written: None }, &member.key_locus, self.variables)
                    .map(|filled| match filled {
                        Filled::Pieces(pieces) => pieces,
                        Filled::Nodes(_) => Vec::new(),
                    }),
                None => Err(vec![not_a_key(&member.key_locus)]),
            },
            Err(problems) => Err(problems),
        };
        let value = match pieces {
            Ok(pieces) => {
                let before = self.problems.len();
                let value = self.joined(pieces);
                if self.problems.len() > before {
                    return None;
                }
                value
            }
            Err(problems) => {
                self.problems.extend(problems);
                return None;
            }
        };
        match value {
            Value::String(text) => Some(text),
            Value::Null => Some("null".to_owned()),
            Value::Bool(b) => Some(b.to_string()),
            Value::Number(number) => Some(super::json::number_text(&number)),
            Value::Secret(_) | Value::Unresolved(_) | Value::Fingerprint(_) => {
                self.problems.push(
                    Problem::error("secret-in-key", "a secret cannot be a key: keys are shown everywhere")
                        .at(&member.key_locus),
                );
                None
            }
            Value::Array(_) | Value::Object(_) => {
                self.problems.push(not_a_key(&member.key_locus));
                None
            }
        }
    }

    /// Joins the pieces of a scalar; one expression alone keeps its type.
    fn joined(&mut self, pieces: Vec<Piece>) -> Value {
        let is_alone = pieces.len() == 1;
        let mut whole_text = Tainted::clean(serde_json::Value::Null);
        let mut out = String::new();
        for piece in pieces {
            match piece {
                Piece::Text(text) => out.push_str(&text),
                Piece::Secret(secret) => {
                    out.push_str(secret.expose());
                    whole_text.secrets.insert(secret.source().to_owned());
                }
                Piece::Missing(source) => {
                    whole_text.missing.insert(source);
                }
                Piece::Expression(expression) => match evaluate(&expression, self.variables) {
                    Ok(value) if is_alone => return finish(value),
                    Ok(value) => {
                        whole_text.absorb(&value);
                        match value.text() {
                            Some(text) => out.push_str(&text),
                            None => self.problems.push(
                                Problem::error("expression-type", "a list or an object stands inside a longer text")
                                    .at(&expression.locus)
                                    .help("use `join` or `json` to make text of it, or let the expression stand alone"),
                            ),
                        }
                    }
                    Err(problem) => self.problems.push(problem),
                },
            }
        }
        whole_text.json = serde_json::Value::String(out);
        finish(whole_text)
    }
}

fn sources(names: BTreeSet<String>) -> String {
    names.into_iter().collect::<Vec<_>>().join(", ")
}

/// A value with its taint: what a secret went into is one, and always text.
pub(crate) fn finish(value: Tainted) -> Value {
    if !value.missing.is_empty() {
        return Value::Unresolved(Unresolved { source: sources(value.missing) });
    }
    if !value.secrets.is_empty() {
        let text = value.text().unwrap_or_else(|| super::variables::json_text(&value.json));
        return Value::Secret(Secret::new(text, sources(value.secrets)));
    }
    from_json(value.json)
}

fn from_json(json: serde_json::Value) -> Value {
    match json {
        serde_json::Value::Number(number) => Value::Number(whole(&number)),
        serde_json::Value::Array(items) => Value::Array(items.into_iter().map(from_json).collect()),
        serde_json::Value::Object(map) => Value::Object(map.into_iter().map(|(k, v)| (k, from_json(v))).collect()),
        other => Value::from_json(&other),
    }
}
