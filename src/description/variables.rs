//! [`Variables`]: the values of one environment.

use std::fmt;

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::json::number_text;
use super::marker::{KnownNames, find_markers};
use super::node::{Marker, Part, Sigil};
use super::place::Places;
use crate::model::{Locus, Secret};
use crate::problem::{Problem, closest};

/// Longest text that values with markers in them may grow to, in bytes.
const MAX_EXPANDED_BYTES: usize = 16 * 1024 * 1024;

/// The values of one environment.
#[derive(Clone, Default)]
pub struct Variables {
    /// `vars.NAME`, `##NAME##`, `@@NAME@@`; in the order in which markers inside values are filled.
    pub values: IndexMap<String, Json>,
    /// `secrets.NAME`; markers find them too. A name that is not here is a secret without a value.
    pub secrets: IndexMap<String, SecretState>,
    /// `env.NAME`.
    pub env: IndexMap<String, String>,
    /// Compatibility mode: environment variables are values of markers, and win over `values` (auth0-deploy-cli 8.43 source).
    pub markers_from_env: bool,
    /// Which environments set a name that this one may lack; for messages.
    pub declared_elsewhere: IndexMap<String, Vec<String>>,
}

impl fmt::Debug for Variables {
    /// Names only: mappings of auth0-deploy-cli hold secrets, and the environment does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Variables { values, secrets, env, markers_from_env, declared_elsewhere } = self;
        let mut out = f.debug_struct("Variables");
        out.field("values", &values.keys()).field("secrets", secrets).field("env", &env.keys());
        out.field("markers_from_env", markers_from_env).field("declared_elsewhere", declared_elsewhere).finish()
    }
}

/// What is known of a secret.
#[derive(Debug, Clone)]
pub enum SecretState {
    /// Its value.
    Known(Secret),
    /// It is declared, and could not be had.
    Missing,
}

/// What a marker stands for.
#[derive(Debug, Clone)]
pub(crate) enum MarkerValue {
    /// A value.
    Json(Json),
    /// A secret.
    Secret(Secret),
    /// A secret nobody has, by its source.
    Missing(String),
    /// The marker itself: Auth0's own `@@password@@` and `@@config@@`.
    Literal,
}

impl Variables {
    /// Returns the names that markers find a value for.
    pub fn known_names(&self) -> KnownNames {
        self.marker_names().collect()
    }

    fn marker_names(&self) -> impl Iterator<Item = &str> {
        let env = self.markers_from_env.then_some(&self.env).into_iter().flat_map(IndexMap::keys);
        env.chain(self.values.keys()).chain(self.secrets.keys()).map(String::as_str)
    }

    /// Says whether a marker of this name has a value.
    pub(crate) fn knows(&self, name: &str) -> bool {
        self.values.contains_key(name)
            || self.secrets.contains_key(name)
            || (self.markers_from_env && self.env.contains_key(name))
    }

    /// Returns what a marker stands for.
    ///
    /// # Errors
    ///
    /// `unset-variable`, `expansion-too-large`.
    pub(crate) fn marker(&self, marker: &Marker) -> Result<MarkerValue, Problem> {
        if let Some((index, json)) = self.ranked(&marker.name) {
            let mut budget = MAX_EXPANDED_BYTES;
            let Some(json) = self.expand_json(json, (marker.sigil, index), &mut budget) else {
                return Err(Problem::error(
                    "expansion-too-large",
                    format!("the value of `{}` grows without end", marker.bare()),
                )
                .at(&marker.locus)
                .note("markers inside the value are filled with values that hold markers again"));
            };
            if let Some(placeholder) = json.as_str().filter(|text| is_placeholder(text)) {
                return Err(Problem::error(
                    "unset-variable",
                    format!("`{}` has no value but the marker `{placeholder}`", marker.bare()),
                )
                .at(&marker.locus)
                .help(format!("give `{}` its real value", marker.name)));
            }
            return Ok(MarkerValue::Json(json));
        }
        match self.secrets.get(&marker.name) {
            Some(SecretState::Known(secret)) => Ok(MarkerValue::Secret(secret.clone())),
            Some(SecretState::Missing) => Ok(MarkerValue::Missing(format!("secrets.{}", marker.name))),
            None if marker.sigil == Sigil::Json && matches!(marker.name.as_str(), "password" | "config") => {
                Ok(MarkerValue::Literal)
            }
            None => Err(self.unset_marker(marker)),
        }
    }

    /// Returns a value and its turn: names are filled in this order.
    fn ranked(&self, name: &str) -> Option<(usize, Json)> {
        if self.markers_from_env
            && let Some((index, _, text)) = self.env.get_full(name)
        {
            return Some((index, Json::String(text.clone())));
        }
        let (index, _, json) = self.values.get_full(name)?;
        Some((index + if self.markers_from_env { self.env.len() } else { 0 }, json.clone()))
    }

    /// Fills markers inside a value: those whose turn comes later, `@@` before `##` (auth0-deploy-cli 8.43 source).
    fn expand_json(&self, json: Json, after: (Sigil, usize), budget: &mut usize) -> Option<Json> {
        Some(match json {
            Json::String(text) => Json::String(self.expand(text, after, budget)?),
            Json::Array(items) => {
                Json::Array(items.into_iter().map(|item| self.expand_json(item, after, budget)).collect::<Option<_>>()?)
            }
            Json::Object(map) => Json::Object(
                map.into_iter()
                    .map(|(key, value)| Some((key, self.expand_json(value, after, budget)?)))
                    .collect::<Option<_>>()?,
            ),
            other => other,
        })
    }

    fn expand(&self, text: String, after: (Sigil, usize), budget: &mut usize) -> Option<String> {
        *budget = budget.checked_sub(text.len())?;
        if !text.contains("##") && !text.contains("@@") {
            return Some(text);
        }
        let places = Places::Fixed(Locus::file(""));
        let (mut out, mut done) = (String::new(), 0);
        for found in find_markers(&text, &|name| self.ranked(name).is_some(), &places) {
            let Part::Marker(marker) = &found.part else { continue };
            let Some((index, json)) = self.ranked(&marker.name) else { continue };
            let turn = (marker.sigil, index);
            if turn <= after {
                continue;
            }
            let json = self.expand_json(json, turn, budget)?;
            out.push_str(text.get(done..found.range.start)?);
            out.push_str(&match marker.sigil {
                Sigil::Json => json_text(&json),
                Sigil::Text => text_form(&json).unwrap_or_else(|| json_text(&json)),
            });
            done = found.range.end;
        }
        out.push_str(text.get(done..)?);
        Some(out)
    }

    fn unset_marker(&self, marker: &Marker) -> Problem {
        let written = marker.bare();
        let problem = Problem::error("unset-variable", format!("`{written}` has no value"))
            .label(&marker.locus, format!("`{}` is not set", marker.name));
        let problem = self.with_declared(problem, &marker.name);
        let problem = match closest(&marker.name, self.marker_names()) {
            Some(near) => problem.help(format!("did you mean `{}`?", written.replace(&marker.name, near))),
            None => problem,
        };
        // Only a repository of auth0-deploy-cli fills markers from the process environment, and only it has no project file.
        let place = if self.markers_from_env { "AUTH0_KEYWORD_REPLACE_MAPPINGS" } else { "variables" };
        problem.help(format!("set it under `{place}`, or with `--var {}=VALUE`", marker.name))
    }

    /// Adds which environments do set a name.
    pub(crate) fn with_declared(&self, problem: Problem, name: &str) -> Problem {
        match self.declared_elsewhere.get(name).map(Vec::as_slice) {
            None | Some([]) => problem,
            Some([one]) => problem.note(format!("`{one}` sets it")),
            Some([init @ .., last]) => problem.note(format!("`{}` and `{last}` set it", init.join("`, `"))),
        }
    }
}

/// Says whether a value is one marker and nothing else: somebody passed it on without filling it.
fn is_placeholder(text: &str) -> bool {
    let inner = |sign: &str| text.strip_prefix(sign).and_then(|rest| rest.strip_suffix(sign));
    inner("##").or_else(|| inner("@@")).is_some_and(|name| {
        !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    })
}

/// A value as `@@` inserts it.
pub(crate) fn json_text(json: &Json) -> String {
    match json {
        Json::Number(number) => number_text(number),
        Json::Array(items) => format!("[{}]", items.iter().map(json_text).collect::<Vec<_>>().join(",")),
        Json::Object(map) => {
            let members: Vec<String> =
                map.iter().map(|(key, value)| format!("{}:{}", Json::from(key.as_str()), json_text(value))).collect();
            format!("{{{}}}", members.join(","))
        }
        other => other.to_string(),
    }
}

/// A value as `##` inserts it; `None` for an object, which has no text form.
pub(crate) fn text_form(json: &Json) -> Option<String> {
    Some(match json {
        Json::String(text) => text.clone(),
        Json::Number(number) => number_text(number),
        Json::Object(_) => return None,
        // JavaScript joins null as nothing.
        Json::Array(items) => items
            .iter()
            .map(|item| if item.is_null() { Some(String::new()) } else { text_form(item) })
            .collect::<Option<Vec<_>>>()?
            .join(","),
        other => other.to_string(),
    })
}
