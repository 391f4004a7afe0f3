//! Tests of reading and filling together.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod contexts;
mod expressions;
mod laws;
mod reading;

use serde_json::Value as Json;

use super::{Format, Rendered, Variables, load, render};
use crate::problem::Problem;

/// Variables with these values.
fn with(values: Json) -> Variables {
    let Json::Object(values) = values else { panic!("not an object") };
    Variables { values: values.into_iter().collect(), ..Variables::default() }
}

/// Loads and renders.
fn run(format: Format, text: &str, variables: &Variables) -> Result<Rendered, Vec<Problem>> {
    let file = if format == Format::Yaml { "t.yaml" } else { "t.json" };
    render(&load(file, text.as_bytes(), format, &variables.known_names())?.node, variables)
}

/// Problems as one text.
fn shown(problems: &[Problem]) -> String {
    let mut out = String::new();
    for problem in problems {
        out.push_str(&format!("{problem}\n"));
        for label in &problem.labels {
            out.push_str(&format!("  {} {}\n", label.locus, label.text));
        }
        problem.notes.iter().for_each(|note| out.push_str(&format!("  note: {note}\n")));
        problem.help.iter().for_each(|help| out.push_str(&format!("  help: {help}\n")));
    }
    out
}
