//! Evaluates `${{ … }}`: a Handlebars expression over `vars`, `secrets` and `env`.
//!
//! Handlebars parses; the values are computed here, on its syntax tree, so that a value keeps its type and carries which secrets went
//! into it through every helper.

use std::collections::BTreeSet;

use handlebars::template::{HelperTemplate, Parameter, TemplateElement};
use handlebars::{Path, PathSeg, Template, TemplateErrorReason};
use serde_json::Value as Json;

use super::helpers;
use super::node::Expression;
use super::variables::{SecretState, Variables, json_text};
use crate::model::Locus;
use crate::problem::{Problem, closest};

/// How many parentheses an expression may have.
const MAX_PARENTHESES: usize = 24;

/// A value with what went into it. No `Debug`: the value may be a secret.
#[derive(Clone)]
pub(crate) struct Tainted {
    /// The value; with `missing` not empty it means nothing.
    pub(crate) json: Json,
    /// Secrets in it: `secrets.smtp`.
    pub(crate) secrets: BTreeSet<String>,
    /// Secrets that it needs and nobody has.
    pub(crate) missing: BTreeSet<String>,
}

/// Why an expression has no value.
pub(crate) struct Failure {
    id: &'static str,
    title: String,
    /// Text in the expression to point at.
    at: String,
    help: Vec<String>,
    /// A variable that other environments may set.
    variable: Option<String>,
}

impl Failure {
    /// A failure that points at a text of the expression, or at all of it.
    pub(crate) fn new(id: &'static str, title: impl Into<String>, at: impl Into<String>) -> Self {
        Failure { id, title: title.into(), at: at.into(), help: Vec::new(), variable: None }
    }

    fn help(mut self, help: impl Into<String>) -> Self {
        self.help.push(help.into());
        self
    }
}

impl Tainted {
    /// A value no secret went into.
    pub(crate) fn clean(json: Json) -> Self {
        Tainted { json, secrets: BTreeSet::new(), missing: BTreeSet::new() }
    }

    /// Adds what went into another value.
    pub(crate) fn absorb(&mut self, other: &Tainted) {
        self.secrets.extend(other.secrets.iter().cloned());
        self.missing.extend(other.missing.iter().cloned());
    }

    /// The value inside a longer text; `None` for lists and objects.
    pub(crate) fn text(&self) -> Option<String> {
        match &self.json {
            Json::Null => Some(String::new()),
            Json::String(text) => Some(text.clone()),
            Json::Array(_) | Json::Object(_) => None,
            other => Some(json_text(other)),
        }
    }
}

/// Computes an expression.
///
/// # Errors
///
/// `expression-syntax`, `unset-variable`, `unknown-helper`, `expression-type`.
pub(crate) fn evaluate(expression: &Expression, variables: &Variables) -> Result<Tainted, Problem> {
    let parsed = match parse(&expression.source) {
        Ok(parsed) => parsed,
        Err((at, title)) => {
            let at = at.map_or_else(|| expression.locus.clone(), |column| within(expression, column, 1));
            return Err(Problem::error("expression-syntax", title)
                .at(&at)
                .help("write a name such as `vars.brand`, or a helper with its values: `lower vars.brand`"));
        }
    };
    call(&parsed, variables).map_err(|failure| {
        let locus = match find_word(&expression.written, &failure.at) {
            Some(at) => within(expression, at.saturating_sub(3), failure.at.chars().count()),
            None => expression.locus.clone(),
        };
        let mut problem = Problem::error(failure.id, failure.title).at(&locus);
        if let Some(name) = &failure.variable {
            problem = variables.with_declared(problem, name);
        }
        failure.help.into_iter().fold(problem, Problem::help)
    })
}

/// The place of some characters of an expression; `at` counts bytes behind the opening braces.
fn within(expression: &Expression, at: usize, width: usize) -> Locus {
    let mut locus = expression.locus.clone();
    let at = (at + 3).min(expression.written.len());
    let before = expression.written.get(..at).unwrap_or_default();
    let word: String = expression.written.get(at..).unwrap_or_default().chars().take(width).collect();
    locus.column = locus.column.saturating_add(u32::try_from(before.chars().count()).unwrap_or(0));
    locus.start += before.len();
    locus.end = locus.start + word.len();
    locus
}

/// Finds a word that is not a part of a longer one.
fn find_word(text: &str, word: &str) -> Option<usize> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
    if word.is_empty() {
        return None;
    }
    text.match_indices(word).map(|(at, _)| at).find(|at| {
        let before = text.get(..*at).and_then(|t| t.chars().next_back());
        let after = text.get(at + word.len()..).and_then(|t| t.chars().next());
        !before.is_some_and(is_part) && !after.is_some_and(is_part)
    })
}

type SyntaxError = (Option<usize>, String);

fn parse(source: &str) -> Result<HelperTemplate, SyntaxError> {
    let trimmed = source.trim();
    if trimmed.is_empty() {
        return Err((None, "an expression is empty".to_owned()));
    }
    if trimmed.starts_with(['#', '>', '*', '!', '/', '&', '{', '~', '^', '\\', '}']) || trimmed.ends_with(['~', '}']) {
        let at = source.len() - source.trim_start().len();
        return Err((
            Some(at),
            "an expression is one value: blocks, partials and comments have no place here".to_owned(),
        ));
    }
    let open = |c: char| usize::from(matches!(c, '(' | '[' | '{'));
    if source.chars().map(open).sum::<usize>() > MAX_PARENTHESES {
        return Err((None, format!("an expression has more than {MAX_PARENTHESES} parentheses")));
    }
    let template = Template::compile(&format!("{{{{{source}}}}}")).map_err(|error| {
        let title = match error.reason() {
            TemplateErrorReason::InvalidSyntax(_) => "an expression cannot be read".to_owned(),
            other => format!("an expression cannot be read: {other}"),
        };
        let column = error.pos().map(|(_, column)| column);
        let at = column.and_then(|c| c.checked_sub(3)).and_then(|n| source.char_indices().nth(n)).map(|(at, _)| at);
        (at, title)
    })?;
    match template.elements.into_iter().next() {
        Some(TemplateElement::Expression(helper)) => Ok(*helper),
        _ => Err((None, "an expression cannot be read".to_owned())),
    }
}

fn call(helper: &HelperTemplate, variables: &Variables) -> Result<Tainted, Failure> {
    if helper.params.is_empty() && helper.hash.is_empty() {
        return parameter(&helper.name, variables);
    }
    let name = helper.name.as_name().unwrap_or_default();
    if !helper.hash.is_empty() {
        return Err(Failure::new("expression-syntax", "helpers take no `name=value`", ""));
    }
    if name == "default" {
        return default(&helper.params, variables);
    }
    let Some(function) = helpers::find(name) else {
        let known = helpers::NAMES.iter().copied();
        let failure = Failure::new("unknown-helper", format!("there is no helper `{name}`"), name);
        let failure = match closest(name, known) {
            Some(near) => failure.help(format!("did you mean `{near}`?")),
            None => failure,
        };
        return Err(failure.help(format!("the helpers are {}", helpers::list())));
    };
    let values = helper.params.iter().map(|param| parameter(param, variables)).collect::<Result<Vec<_>, _>>()?;
    let mut result = Tainted::clean(Json::Null);
    values.iter().for_each(|value| result.absorb(value));
    if result.missing.is_empty() {
        let arguments: Vec<&Json> = values.iter().map(|value| &value.json).collect();
        result.json =
            function(&arguments).map_err(|what| Failure::new("expression-type", format!("`{name}` {what}"), name))?;
    }
    Ok(result)
}

/// `default A B …`: the first that is set and not empty.
fn default(params: &[Parameter], variables: &Variables) -> Result<Tainted, Failure> {
    let Some((last, init)) = params.split_last() else {
        return Err(Failure::new("expression-type", "`default` takes two values", "default"));
    };
    for param in init {
        match parameter(param, variables) {
            Ok(value) if !value.missing.is_empty() => return Ok(value),
            Ok(value) if value.json.is_null() || value.json == "" => {}
            Ok(value) => return Ok(value),
            Err(failure) if failure.id == "unset-variable" => {}
            Err(failure) => return Err(failure),
        }
    }
    parameter(last, variables)
}

fn parameter(parameter: &Parameter, variables: &Variables) -> Result<Tainted, Failure> {
    match parameter {
        Parameter::Literal(json) => Ok(Tainted::clean(json.clone())),
        Parameter::Name(name) => lookup(std::slice::from_ref(name), name, variables),
        Parameter::Path(Path::Relative((segments, raw))) => {
            let names: Option<Vec<String>> = segments
                .iter()
                .map(|segment| match segment {
                    PathSeg::Named(name) => Some(name.clone()),
                    _ => None,
                })
                .collect();
            match names {
                Some(names) => lookup(&names, raw, variables),
                None => Err(unknown_root(raw)),
            }
        }
        Parameter::Path(Path::Local((_, _, raw))) => Err(unknown_root(raw)),
        Parameter::Subexpression(inner) => match inner.as_element() {
            TemplateElement::Expression(helper) => call(helper, variables),
            _ => Err(Failure::new("expression-syntax", "an expression cannot be read", "")),
        },
        _ => Err(Failure::new("expression-syntax", "an expression cannot be read", "")),
    }
}

fn unknown_root(raw: &str) -> Failure {
    Failure::new("expression-syntax", format!("`{raw}` is neither a variable, a secret nor a helper with values"), raw)
        .help("names start with `vars.`, `secrets.` or `env.`")
}

fn lookup(names: &[String], raw: &str, variables: &Variables) -> Result<Tainted, Failure> {
    let (root, rest) = match names {
        [root, rest @ ..] if !rest.is_empty() => (root.as_str(), rest),
        [only] if variables.values.contains_key(only) => {
            return Err(unknown_root(raw).help(format!("did you mean `vars.{only}`?")));
        }
        _ => return Err(unknown_root(raw)),
    };
    match (root, rest) {
        ("vars", [name, inner @ ..]) => {
            let mut here = variables.values.get(name).ok_or_else(|| unset_variable(name, raw, variables))?;
            for step in inner {
                let next = match here {
                    Json::Array(items) => step.parse::<usize>().ok().and_then(|n| items.get(n)),
                    other => other.get(step),
                };
                here = next.ok_or_else(|| {
                    let failure =
                        Failure::new("unset-variable", format!("`{raw}` has no value: `{step}` is not there"), raw);
                    let keys = here.as_object().into_iter().flat_map(|map| map.keys().map(String::as_str));
                    match closest(step, keys) {
                        Some(near) => failure.help(format!("did you mean `{near}`?")),
                        None => failure,
                    }
                })?;
            }
            Ok(Tainted::clean(here.clone()))
        }
        ("env", [name]) => match variables.env.get(name) {
            Some(text) => Ok(Tainted::clean(Json::from(text.as_str()))),
            None => Err(Failure::new("unset-variable", format!("the environment variable `{name}` is not set"), raw)
                .help(format!("set it before the run: `export {name}=VALUE`"))),
        },
        ("secrets", [name]) => {
            let source = format!("secrets.{name}");
            let mut value = Tainted::clean(Json::Null);
            match variables.secrets.get(name) {
                Some(SecretState::Known(secret)) => {
                    value.json = Json::from(secret.expose());
                    value.secrets.insert(source);
                }
                Some(SecretState::Missing) | None => {
                    value.missing.insert(source);
                }
            }
            Ok(value)
        }
        _ => Err(unknown_root(raw)),
    }
}

fn unset_variable(name: &str, raw: &str, variables: &Variables) -> Failure {
    let mut failure = Failure::new("unset-variable", format!("`{raw}` has no value"), raw);
    failure.variable = Some(name.to_owned());
    if variables.secrets.contains_key(name) {
        failure = failure.help(format!("`{name}` is a secret: write `secrets.{name}`"));
    } else if let Some(near) = closest(name, variables.values.keys().map(String::as_str)) {
        failure = failure.help(format!("did you mean `vars.{near}`?"));
    }
    failure.help(format!("set it under `variables`, or with `--var {name}=VALUE`"))
}
