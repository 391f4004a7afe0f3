//! Reads hand-written settings strictly: every value has a place, every unknown key is an error with the closest known one.

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::model::Locus;
use crate::problem::{Problem, closest};

/// A value of a settings file and where it stands.
#[derive(Debug, Clone)]
pub(super) struct Item {
    /// Where it stands.
    pub(super) locus: Locus,
    /// What stands there.
    pub(super) value: ItemValue,
}

/// What stands in a settings file.
#[derive(Debug, Clone)]
pub(super) enum ItemValue {
    /// A scalar, as JSON has it.
    Scalar(Json),
    /// A list.
    List(Vec<Item>),
    /// A mapping, in the order written; each key with its place.
    Map(IndexMap<String, (Locus, Item)>),
}

impl Item {
    /// Names what this is, for messages.
    pub(super) fn describe(&self) -> &'static str {
        match &self.value {
            ItemValue::Scalar(Json::Null) => "nothing",
            ItemValue::Scalar(Json::Bool(_)) => "a truth value",
            ItemValue::Scalar(Json::Number(_)) => "a number",
            ItemValue::Scalar(_) => "text",
            ItemValue::List(_) => "a list",
            ItemValue::Map(_) => "a mapping",
        }
    }

    /// Converts to JSON, places dropped.
    pub(super) fn to_json(&self) -> Json {
        match &self.value {
            ItemValue::Scalar(json) => json.clone(),
            ItemValue::List(items) => Json::Array(items.iter().map(Item::to_json).collect()),
            ItemValue::Map(map) => Json::Object(map.iter().map(|(k, (_, v))| (k.clone(), v.to_json())).collect()),
        }
    }

    /// Says whether nothing stands here.
    pub(super) fn is_null(&self) -> bool {
        matches!(self.value, ItemValue::Scalar(Json::Null))
    }
}

/// Collects what is wrong while reading.
#[derive(Debug, Default)]
pub(super) struct Reader {
    /// Everything found so far.
    pub(super) problems: Vec<Problem>,
}

impl Reader {
    /// Notes that something else was expected here.
    pub(super) fn expected(&mut self, item: &Item, what: &str, key: &str) {
        self.problems.push(
            Problem::error("wrong-type", format!("`{key}` takes {what}, not {}", item.describe())).at(&item.locus),
        );
    }

    /// Notes a value that makes no sense here.
    pub(super) fn invalid(&mut self, item: &Item, title: String, help: Option<String>) {
        let mut problem = Problem::error("invalid-value", title).at(&item.locus);
        problem.help.extend(help);
        self.problems.push(problem);
    }

    /// Returns the members of a mapping; keys outside `known` are errors.
    pub(super) fn map<'a>(
        &mut self,
        item: &'a Item,
        key: &str,
        known: &[&str],
    ) -> Option<&'a IndexMap<String, (Locus, Item)>> {
        let map = self.open_map(item, key)?;
        for (name, (locus, _)) in map {
            if !known.contains(&name.as_str()) {
                let mut problem = Problem::error("unknown-key", format!("`{name}` is not a key of {key}")).at(locus);
                match closest(name, known.iter().copied()) {
                    Some(near) => problem = problem.help(format!("did you mean `{near}`?")),
                    None => problem = problem.note(format!("it takes {}", list_of(known))),
                }
                self.problems.push(problem);
            }
        }
        Some(map)
    }

    /// Returns the members of a mapping with free keys.
    pub(super) fn open_map<'a>(&mut self, item: &'a Item, key: &str) -> Option<&'a IndexMap<String, (Locus, Item)>> {
        match &item.value {
            ItemValue::Map(map) => Some(map),
            _ => {
                self.expected(item, "a mapping", key);
                None
            }
        }
    }

    /// Returns text that is not empty.
    pub(super) fn text(&mut self, item: &Item, key: &str) -> Option<String> {
        match &item.value {
            ItemValue::Scalar(Json::String(text)) if !text.is_empty() => Some(text.clone()),
            ItemValue::Scalar(Json::String(_)) => {
                self.invalid(item, format!("`{key}` is empty"), None);
                None
            }
            _ => {
                self.expected(item, "text", key);
                None
            }
        }
    }

    /// Returns a list of texts; one text alone counts as a list of one.
    pub(super) fn texts(&mut self, item: &Item, key: &str) -> Vec<(String, Locus)> {
        match &item.value {
            ItemValue::List(items) => {
                items.iter().filter_map(|item| Some((self.text(item, key)?, item.locus.clone()))).collect()
            }
            ItemValue::Scalar(Json::String(_)) => {
                self.text(item, key).map(|text| (text, item.locus.clone())).into_iter().collect()
            }
            _ => {
                self.expected(item, "a list of texts", key);
                Vec::new()
            }
        }
    }

    /// Returns one of a closed set of words.
    pub(super) fn word<T: Copy>(&mut self, item: &Item, key: &str, words: &[(&str, T)]) -> Option<T> {
        let text = self.text(item, key)?;
        let found = words.iter().find(|(word, _)| *word == text).map(|(_, value)| *value);
        if found.is_none() {
            let known: Vec<&str> = words.iter().map(|(word, _)| *word).collect();
            let help = closest(&text, known.iter().copied()).map(|near| format!("did you mean `{near}`?"));
            self.invalid(item, format!("`{key}` takes {}, not `{text}`", list_of(&known)), help);
        }
        found
    }
}

/// Lists words for people: `a`, `b` or `c`.
pub(super) fn list_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
    match quoted.split_last() {
        None => "nothing".to_owned(),
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
    }
}
