//! Options of auth0-deploy-cli, decoded one way for every use.

use indexmap::IndexMap;
use serde_json::Value as Json;

use crate::model::{Locus, Secret};
use crate::problem::Problem;

/// Where an option was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In the process environment.
    Env,
    /// In the file.
    File(Locus),
}

impl Place {
    /// Adds the place to a problem.
    pub(super) fn mark(&self, problem: Problem) -> Problem {
        match self {
            Place::Env => problem.note("it is set in the environment"),
            Place::File(locus) => problem.at(locus),
        }
    }
}

/// An option as given.
#[derive(Clone)]
pub(super) struct Given {
    pub(super) place: Place,
    pub(super) value: Json,
}

impl Given {
    /// The value; text of the environment is decoded where it is JSON.
    pub(super) fn decoded(&self) -> Json {
        match (&self.place, &self.value) {
            (Place::Env, Json::String(text)) => serde_json::from_str(text).unwrap_or_else(|_| self.value.clone()),
            // People put JSON in quotes into the file as well; there it is meant the same way.
            (_, Json::String(text)) if text.trim_start().starts_with(['[', '{']) => {
                serde_json::from_str(text).unwrap_or_else(|_| self.value.clone())
            }
            _ => self.value.clone(),
        }
    }

    /// Says whether it asks for something: not empty, not false.
    pub(super) fn is_on(&self) -> bool {
        match self.decoded() {
            Json::Null | Json::Bool(false) => false,
            Json::String(text) => !text.is_empty(),
            Json::Array(items) => !items.is_empty(),
            Json::Object(map) => !map.is_empty(),
            _ => true,
        }
    }
}

/// Decodes options and collects what is wrong with them.
pub(super) struct OptionReader {
    given: IndexMap<String, Given>,
    /// Everything found so far.
    pub(super) problems: Vec<Problem>,
}

impl OptionReader {
    /// Starts with what is given.
    pub(super) fn new(given: IndexMap<String, Given>) -> Self {
        OptionReader { given, problems: Vec::new() }
    }

    /// Returns an option as given.
    pub(super) fn given(&self, option: &str) -> Option<Given> {
        self.given.get(option).cloned()
    }

    /// Notes that an option has a value it cannot have. The value is not shown: it may be a secret.
    pub(super) fn wrong(&mut self, option: &str, takes: &str) {
        if let Some(given) = self.given(option) {
            let problem = Problem::error("invalid-option", format!("{option} takes {takes}"));
            self.problems.push(given.place.mark(problem));
        }
    }

    /// Text; empty text counts as not given.
    pub(super) fn text(&mut self, option: &str) -> Option<String> {
        match self.given(option)?.value {
            Json::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
            Json::Number(number) => Some(number.to_string()),
            Json::Null => None,
            _ => {
                self.wrong(option, "text");
                None
            }
        }
    }

    /// Text that must not be shown.
    pub(super) fn secret(&mut self, option: &str) -> Option<Secret> {
        self.text(option).map(|text| Secret::new(text, option))
    }

    /// One of a few words.
    pub(super) fn one_of(&mut self, option: &str, words: &[&str]) -> Option<String> {
        let text = self.text(option)?;
        if words.contains(&text.as_str()) {
            return Some(text);
        }
        self.wrong(option, &words.join(", "));
        None
    }

    /// A whole number.
    pub(super) fn count(&mut self, option: &str) -> Option<u32> {
        let count = self.given(option)?.decoded().as_u64().and_then(|n| u32::try_from(n).ok());
        if count.is_none() {
            self.wrong(option, "a whole number");
        }
        count
    }

    /// A switch: `true` or `false`, as such or as text. Nothing and empty text are false.
    pub(super) fn flag(&mut self, option: &str) -> bool {
        let Some(given) = self.given(option) else { return false };
        match given.decoded() {
            Json::Bool(on) => on,
            Json::Null => false,
            Json::String(text) if text.is_empty() || text.eq_ignore_ascii_case("false") => false,
            Json::String(text) if text.eq_ignore_ascii_case("true") => true,
            Json::Number(number) if number.as_u64() == Some(0) => false,
            Json::Number(number) if number.as_u64() == Some(1) => true,
            _ => {
                self.wrong(option, "true or false");
                false
            }
        }
    }

    /// A switch that only `true` turns on; anything else that looks like consent is warned about.
    pub(super) fn exactly_true(&mut self, option: &str) -> bool {
        let Some(given) = self.given(option) else { return false };
        match &given.value {
            Json::Bool(on) => *on,
            Json::String(text) if text == "true" => true,
            Json::String(text) if text.is_empty() || text == "false" => false,
            Json::Null => false,
            _ => {
                let problem =
                    Problem::warning("invalid-option", format!("{option} is not exactly `true`: it counts as false"))
                        .help(format!("write `true` or remove {option}"));
                self.problems.push(given.place.mark(problem));
                false
            }
        }
    }

    /// A request for a preview: true, `true` or `preview`.
    pub(super) fn preview(&mut self, option: &str) -> bool {
        let Some(given) = self.given(option) else { return false };
        match given.decoded() {
            Json::Bool(on) => on,
            Json::Null => false,
            Json::String(text) if text.is_empty() || text == "false" => false,
            Json::String(text) if text == "preview" || text == "true" => true,
            _ => {
                self.wrong(option, "true, false or preview");
                // Whoever asks for a preview in a way we do not know must not get a deployment.
                true
            }
        }
    }

    /// A list of texts. A single text stands for itself.
    pub(super) fn texts(&mut self, option: &str) -> Option<Vec<String>> {
        let list = texts(&self.given(option)?.decoded());
        match list {
            Ok(list) => list,
            Err(()) => {
                self.wrong(option, "a list of texts");
                None
            }
        }
    }

    /// A list of kinds; one text may name several, parted by commas.
    pub(super) fn kinds(&mut self, option: &str) -> Option<Vec<String>> {
        let list = self.texts(option)?;
        let split = |text: &String| text.split(',').map(|kind| kind.trim().to_owned()).collect::<Vec<_>>();
        Some(list.iter().flat_map(split).filter(|kind| !kind.is_empty()).collect())
    }

    /// Lists of texts by kind.
    pub(super) fn texts_by_kind(&mut self, option: &str) -> IndexMap<String, Vec<String>> {
        let Some(given) = self.given(option) else { return IndexMap::new() };
        let decoded = match given.decoded() {
            Json::Null => return IndexMap::new(),
            Json::Object(map) => map
                .iter()
                .map(|(kind, fields)| Ok((kind.clone(), texts(fields)?.unwrap_or_default())))
                .collect::<Result<_, ()>>(),
            _ => Err(()),
        };
        decoded.unwrap_or_else(|()| {
            self.wrong(option, "lists of fields by kind");
            IndexMap::new()
        })
    }
}

fn texts(json: &Json) -> Result<Option<Vec<String>>, ()> {
    match json {
        Json::Null => Ok(None),
        Json::String(text) if text.is_empty() => Ok(None),
        Json::String(text) => Ok(Some(vec![text.clone()])),
        Json::Array(items) => items
            .iter()
            .map(|item| item.as_str().map(str::to_owned).ok_or(()))
            .collect::<Result<Vec<_>, ()>>()
            .map(Some),
        _ => Err(()),
    }
}
