//! `tenantry schema`

use serde_json::{Map, Value as Json};

use super::exit_code::ExitCode;
use super::ui::Ui;
use super::{Ended, refused};
use crate::problem::{Problem, closest};
use crate::render::json::v1;
use crate::schema::{Registry, describe, reference};

/// Print the JSON Schema of a description, for editors
///
/// Of the single file by default; with a KIND, of one resource of it.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Kind whose resources to describe: clients
    kind: Option<String>,
    /// Print the reference of all kinds as Markdown
    #[arg(long, conflicts_with = "kind")]
    docs: bool,
    /// Print the JSON Schema of what --json prints instead
    #[arg(long, conflicts_with_all = ["kind", "docs"])]
    output: bool,
}

pub(super) fn run(args: &Args, ui: &Ui) -> Ended {
    let registry = Registry::get();
    let text = match &args.kind {
        None if args.docs => reference(registry),
        None if args.output => text(&v1::schema()),
        None => text(&describe(registry)),
        Some(name) if registry.kind(name).is_some() => text(&resource(describe(registry), name)),
        Some(name) => {
            let mut problem = Problem::error("usage", format!("there is no kind `{name}`"));
            if let Some(near) = closest(name, registry.names()) {
                problem = problem.help(format!("did you mean `tenantry schema {near}`?"));
            }
            return refused(ui, problem);
        }
    };
    ui.answer(&text)?;
    Ok(ExitCode::Done)
}

/// The schema of one resource: the definitions of all, entered at its own.
fn resource(whole: Json, kind: &str) -> Json {
    let mut out = Map::new();
    for member in ["$schema", "$defs"] {
        if let Some(value) = whole.get(member) {
            out.insert(member.to_owned(), value.clone());
        }
    }
    out.insert("$ref".to_owned(), Json::String(format!("#/$defs/{kind}")));
    Json::Object(out)
}

fn text(schema: &Json) -> String {
    format!("{schema:#}\n")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use serde_json::json;

    use super::*;

    #[test]
    fn a_resource_of_every_kind_has_a_schema() {
        let whole = describe(Registry::get());
        for kind in Registry::get().names() {
            assert!(jsonschema::validator_for(&resource(whole.clone(), kind)).is_ok(), "{kind}");
        }
        let roles = jsonschema::validator_for(&resource(whole, "roles")).unwrap();
        assert!(roles.is_valid(&json!({"name": "Admin"})));
        assert!(!roles.is_valid(&json!({"nam": "Admin"})));
    }
}
