//! An edit whose file is known, waiting for those before it.

use std::cmp::Reverse;

use super::Why;
use super::meaning::{Meaning, Op, Step};
use crate::model::{Map, Segment, Value};

/// A change of one file.
#[derive(Debug, Clone)]
pub(super) struct Pending {
    /// Numbers of the edits that it makes.
    pub(super) edits: Vec<usize>,
    /// The deepest place that was there at first.
    pub(super) steps: Vec<Step>,
    /// The way on from there.
    pub(super) rest: Vec<Segment>,
    /// The new value; `None` where it goes.
    pub(super) value: Option<Value>,
}

impl Pending {
    /// Changes come before additions, removals last and from the end: so that numbers of items stay true.
    pub(super) fn turn(&self) -> (u8, Reverse<&[Step]>) {
        match (&self.value, self.rest.is_empty()) {
            (Some(_), true) => (0, Reverse(&[])),
            (Some(_), false) => (1, Reverse(&[])),
            (None, _) => (2, Reverse(&self.steps)),
        }
    }

    /// Returns the change, as the file is now.
    ///
    /// # Errors
    ///
    /// [`Why::NoPlace`].
    pub(super) fn op(&self, file: &Meaning) -> Result<Op, Why> {
        let mut at = self.steps.clone();
        let mut rest = self.rest.as_slice();
        // An earlier edit may have made a part of the way.
        while let [Segment::Key(key), more @ ..] = rest {
            let next = Step::Key(key.clone());
            if file.at(&at).and_then(|here| here.get(&next)).is_none() {
                break;
            }
            at.push(next);
            rest = more;
        }
        let Some(value) = &self.value else {
            return if rest.is_empty() && !at.is_empty() { Ok(Op::Remove(at)) } else { Err(Why::NoPlace) };
        };
        let holder = file.at(&at).ok_or(Why::NoPlace)?;
        let (first, more) = match rest {
            [] => return Ok(Op::Set(at, value.clone())),
            [first, more @ ..] => (first, more),
        };
        let value = nested(more, value).ok_or(Why::NoPlace)?;
        match (holder, first) {
            (Meaning::Object(_), Segment::Key(key) | Segment::Item(key)) => Ok(Op::Add(at, Some(key.clone()), value)),
            (Meaning::Null, Segment::Key(_) | Segment::Item(_)) => {
                Ok(Op::Set(at, nested(std::slice::from_ref(first), &value).ok_or(Why::NoPlace)?))
            }
            (Meaning::List(_), Segment::Item(_)) if more.is_empty() => Ok(Op::Add(at, None, value)),
            _ => Err(Why::NoPlace),
        }
    }
}

/// Wraps a value in what holds it; `None` for a part of an item that is not there.
pub(super) fn nested(rest: &[Segment], value: &Value) -> Option<Value> {
    match rest {
        [] => Some(value.clone()),
        [Segment::Key(key), more @ ..] => {
            Some(Value::Object([(key.clone(), nested(more, value)?)].into_iter().collect::<Map>()))
        }
        [Segment::Item(_)] => Some(Value::Array(vec![value.clone()])),
        _ => None,
    }
}

/// Puts a value at a place inside another, or takes out what is there; `None` where there is no such place, or nothing would be left.
pub(super) fn put(whole: &Value, path: &[Segment], value: Option<&Value>) -> Option<Value> {
    let Some((first, rest)) = path.split_first() else { return value.cloned() };
    match (whole, first) {
        (Value::Object(map), Segment::Key(key)) => {
            let mut map: Map = map.clone();
            if let (None, []) = (value, rest) {
                map.shift_remove(key)?;
            } else {
                let inner = put(map.get(key).unwrap_or(&Value::Null), rest, value)?;
                map.insert(key.clone(), inner);
            }
            Some(Value::Object(map))
        }
        (Value::Array(items), Segment::Index(index)) => {
            let mut items = items.clone();
            if let (None, []) = (value, rest) {
                items.get(*index)?;
                items.remove(*index);
            } else {
                let inner = put(items.get(*index)?, rest, value)?;
                *items.get_mut(*index)? = inner;
            }
            Some(Value::Array(items))
        }
        (Value::Array(items), Segment::Item(_)) if rest.is_empty() => {
            let mut items = items.clone();
            items.push(value?.clone());
            Some(Value::Array(items))
        }
        (Value::Null, Segment::Key(_)) => put(&Value::object(), path, value),
        (Value::Null, Segment::Item(_)) => put(&Value::Array(Vec::new()), path, value),
        _ => None,
    }
}
