//! What a file says, without where and how: edits are first made here, and then the file has to say the same.

use indexmap::IndexMap;
use serde_json::Number;

use super::super::text::BEGIN;
use super::append::as_expression;
use crate::description::{Node, NodeValue, Part, Text};
use crate::model::{Map, Value};

/// A step into a file, by its own structure.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    /// A member, by its key as written.
    Key(String),
    /// An item of a list, 0-based.
    Index(usize),
}

/// One change of a file's tree. Values hold no secret.
#[derive(Debug, Clone)]
pub(super) enum Op {
    /// Another value at a place that is there.
    Set(Vec<Step>, Value),
    /// A new member of an object, or with no key a new last item of a list.
    Add(Vec<Step>, Option<String>, Value),
    /// A member or an item goes.
    Remove(Vec<Step>),
    /// An alias of an object becomes an object that merges it and has a member of its own. Made by a document for itself.
    Spread(Vec<Step>, String, Value),
}

/// A value as a file says it, markers and expressions as written.
#[derive(Clone)]
pub(super) enum Meaning {
    Null,
    Bool(bool),
    Number(Number),
    Text(Vec<Piece>),
    List(Vec<Meaning>),
    Object(IndexMap<String, Meaning>),
}

/// A part of a text.
#[derive(Clone, PartialEq, Eq)]
pub(super) enum Piece {
    Plain(String),
    /// A marker or an expression.
    Filled(String),
}

impl Op {
    /// Returns the place, or the list or object that gets something new.
    pub(super) fn at(&self) -> &[Step] {
        match self {
            Op::Set(at, _) | Op::Add(at, ..) | Op::Remove(at) | Op::Spread(at, ..) => at,
        }
    }
}

impl Meaning {
    /// What a tree says.
    pub(super) fn of(node: &Node) -> Meaning {
        match &node.value {
            NodeValue::Null => Meaning::Null,
            NodeValue::Bool(b) => Meaning::Bool(*b),
            NodeValue::Number(number) => Meaning::Number(number.clone()),
            NodeValue::Text(text) => Meaning::Text(pieces(text)),
            NodeValue::Array(items) => Meaning::List(items.iter().map(Meaning::of).collect()),
            NodeValue::Object(map) => {
                Meaning::Object(map.iter().map(|m| (m.key.as_written(), Meaning::of(&m.value))).collect())
            }
        }
    }

    /// What a value without secrets would say; a secret says nothing.
    pub(super) fn of_value(value: &Value) -> Meaning {
        match value {
            Value::Unresolved(_) => as_expression(value)
                .map_or(Meaning::Null, |written| Meaning::Text(vec![Piece::Filled(written.to_owned())])),
            Value::Null | Value::Secret(_) | Value::Fingerprint(_) => Meaning::Null,
            Value::Bool(b) => Meaning::Bool(*b),
            Value::Number(number) => Meaning::Number(number.clone()),
            Value::String(text) if text.is_empty() => Meaning::Text(Vec::new()),
            Value::String(text) => Meaning::Text(vec![Piece::Plain(text.clone())]),
            Value::Array(items) => Meaning::List(items.iter().map(Meaning::of_value).collect()),
            Value::Object(map) => {
                Meaning::Object(map.iter().map(|(key, value)| (key.clone(), Meaning::of_value(value))).collect())
            }
        }
    }

    /// Returns the value; `None` where markers or expressions stand in it.
    pub(super) fn to_value(&self) -> Option<Value> {
        Some(match self {
            Meaning::Null => Value::Null,
            Meaning::Bool(b) => Value::Bool(*b),
            Meaning::Number(number) => Value::Number(number.clone()),
            Meaning::Text(pieces) => match pieces.as_slice() {
                [] => Value::String(String::new()),
                [Piece::Plain(text)] => Value::String(text.clone()),
                _ => return None,
            },
            Meaning::List(items) => Value::Array(items.iter().map(Meaning::to_value).collect::<Option<_>>()?),
            Meaning::Object(map) => Value::Object(
                map.iter().map(|(key, value)| Some((key.clone(), value.to_value()?))).collect::<Option<Map>>()?,
            ),
        })
    }

    /// Returns the value a step further in.
    pub(super) fn get(&self, step: &Step) -> Option<&Meaning> {
        match (self, step) {
            (Meaning::Object(map), Step::Key(key)) => map.get(key),
            (Meaning::List(items), Step::Index(index)) => items.get(*index),
            _ => None,
        }
    }

    fn get_mut(&mut self, steps: &[Step]) -> Option<&mut Meaning> {
        steps.iter().try_fold(self, |here, step| match (here, step) {
            (Meaning::Object(map), Step::Key(key)) => map.get_mut(key),
            (Meaning::List(items), Step::Index(index)) => items.get_mut(*index),
            _ => None,
        })
    }

    /// Returns the value at a place.
    pub(super) fn at(&self, steps: &[Step]) -> Option<&Meaning> {
        steps.iter().try_fold(self, Meaning::get)
    }

    /// Makes a change; `None` where its place is not there.
    pub(super) fn change(&mut self, op: &Op) -> Option<()> {
        match op {
            Op::Set(at, value) => *self.get_mut(at)? = Meaning::of_value(value),
            Op::Add(at, key, value) => match (self.get_mut(at)?, key) {
                (Meaning::Object(map), Some(key)) => {
                    map.insert(key.clone(), Meaning::of_value(value));
                }
                (Meaning::List(items), None) => items.push(Meaning::of_value(value)),
                _ => return None,
            },
            Op::Spread(..) => return None,
            Op::Remove(at) => {
                let (last, holder) = at.split_last()?;
                match (self.get_mut(holder)?, last) {
                    (Meaning::Object(map), Step::Key(key)) => {
                        map.shift_remove(key)?;
                    }
                    (Meaning::List(items), Step::Index(index)) if *index < items.len() => {
                        items.remove(*index);
                    }
                    _ => return None,
                }
            }
        }
        Some(())
    }

    /// Says whether two files say the same; the order of members does not count.
    pub(super) fn same(&self, other: &Meaning) -> bool {
        match (self, other) {
            (Meaning::Null, Meaning::Null) => true,
            (Meaning::Bool(a), Meaning::Bool(b)) => a == b,
            (Meaning::Number(a), Meaning::Number(b)) => a == b || a.as_f64() == b.as_f64(),
            (Meaning::Text(a), Meaning::Text(b)) => a == b,
            (Meaning::List(a), Meaning::List(b)) => a.len() == b.len() && a.iter().zip(b).all(|(a, b)| a.same(b)),
            (Meaning::Object(a), Meaning::Object(b)) => {
                a.len() == b.len() && a.iter().all(|(key, value)| b.get(key).is_some_and(|other| value.same(other)))
            }
            _ => false,
        }
    }

    /// Says whether this is a list or object with nothing in it.
    pub(super) fn is_empty(&self) -> bool {
        match self {
            Meaning::List(items) => items.is_empty(),
            Meaning::Object(map) => map.is_empty(),
            _ => false,
        }
    }

    /// Collects the markers and expressions inside, as written.
    pub(super) fn filled(&self, into: &mut Vec<String>) {
        match self {
            Meaning::Text(pieces) => into.extend(pieces.iter().filter_map(|piece| match piece {
                Piece::Filled(written) => Some(written.clone()),
                Piece::Plain(_) => None,
            })),
            Meaning::List(items) => items.iter().for_each(|item| item.filled(into)),
            Meaning::Object(map) => map.values().for_each(|value| value.filled(into)),
            _ => {}
        }
    }
}

fn pieces(text: &Text) -> Vec<Piece> {
    let mut out: Vec<Piece> = Vec::new();
    for part in &text.parts {
        let plain = match part {
            Part::Plain(plain) => plain.as_str(),
            // This is how text that begins an expression is written.
            Part::Expression(expression) if expression.written == BEGIN => "${{",
            Part::Marker(marker) => {
                out.push(Piece::Filled(marker.bare()));
                continue;
            }
            Part::Expression(expression) => {
                out.push(Piece::Filled(expression.written.clone()));
                continue;
            }
        };
        match out.last_mut() {
            Some(Piece::Plain(before)) => before.push_str(plain),
            _ => out.push(Piece::Plain(plain.to_owned())),
        }
    }
    out
}
