//! From [`Settings`] to what the description asks for: reads files and asks for secrets until nothing is wanted.

use std::collections::BTreeSet;

use indexmap::IndexMap;
use regex::Regex;

use super::secret::{COMMAND_TIMEOUT, Resolved, SecretContext, SecretSource, resolve};
use super::settings::{Mode, Settings, Surroundings};
use crate::description::layout::{Description, LayoutOptions, read_layout};
use crate::description::{
    DescribeOptions, DescribeOutcome, Node, NodeValue, Part, SecretState, Variables, describe, has_errors,
};
use crate::files::{DescriptionFiles, find_description};
use crate::model::{Secret, Sources};
use crate::problem::{Problem, sorted};
use crate::schema::Registry;

/// Most times that files may turn out to be needed: names of files in files in files.
const MOST_ROUNDS: usize = 8;

/// Whether secrets are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// Those the description names.
    Ask,
    /// None: every secret is unresolved (`validate`).
    Leave,
}

/// A description that was read and checked.
#[derive(Debug)]
pub struct LoadedDescription {
    /// Before substitution.
    pub description: Description,
    /// After.
    pub outcome: DescribeOutcome,
    /// The files.
    pub files: DescriptionFiles,
    /// The values it was filled with.
    pub variables: Variables,
    /// Every problem, of the files and of what they ask, in the order of places. With an error the outcome is of no use.
    pub problems: Vec<Problem>,
    /// Texts of all files that were read.
    pub sources: Sources,
    /// Secrets that are named and could not be had: name and why.
    pub missing_secrets: Vec<(String, String)>,
}

/// Reads and checks the description.
///
/// # Errors
///
/// `no-description` and `missing-description` where there is none; all else is in [`LoadedDescription::problems`].
pub async fn load_description(
    settings: &Settings,
    around: &Surroundings,
    secrets: Secrets,
) -> Result<LoadedDescription, Problem> {
    let Some(path) = &settings.description else {
        return Err(Problem::error("no-description", "no description is named")
            .help("name the folder or the YAML file with -i, or set AUTH0_INPUT_FILE"));
    };
    let files = find_description(path, settings.base_path.as_deref(), &around.directory)?;
    Ok(load_files(settings, around, files, secrets, &IndexMap::new()).await)
}

/// Reads and checks a description whose files were found already. `given` are secrets that are known; no other source is asked
/// for them.
pub async fn load_files(
    settings: &Settings,
    around: &Surroundings,
    mut files: DescriptionFiles,
    secrets: Secrets,
    given: &IndexMap<String, Secret>,
) -> LoadedDescription {
    let mut variables = variables_of(settings);
    let known = given.iter().map(|(name, secret)| (name.clone(), SecretState::Known(secret.clone())));
    variables.secrets.extend(known);
    let registry = Registry::get();
    let compatibility = settings.mode == Mode::Compatibility;
    let names = variables.known_names();
    let mut layout = Default::default();
    for _ in 0..MOST_ROUNDS {
        layout = read_layout(
            &files.tree,
            &LayoutOptions {
                registry,
                names: &names,
                filters: &settings.filters,
                compatibility,
                single: files.single.clone(),
                connections_directory: settings.connections_directory.clone(),
            },
        );
        if layout.wanted.is_empty() {
            break;
        }
        files.read(&layout.wanted);
    }
    let mut missing_secrets = Vec::new();
    if secrets == Secrets::Ask {
        missing_secrets = ask(settings, around, &layout.description, &mut variables).await;
    }
    let mut outcome = DescribeOutcome::default();
    for _ in 0..MOST_ROUNDS {
        outcome = describe(
            &layout.description,
            &files.tree,
            &DescribeOptions {
                registry,
                variables: &variables,
                filters: &settings.filters,
                compatibility,
                lenient: settings.lenient,
            },
        );
        if outcome.wanted.is_empty() {
            break;
        }
        files.read(&outcome.wanted);
    }
    let mut problems = layout.problems;
    // What a broken file would say of its neighbours is noise: references to what could not be read.
    let broken = has_errors(&problems);
    problems
        .extend(outcome.problems.iter().filter(|problem| !broken || problem.id != "reference-not-described").cloned());
    let mut sources = layout.sources;
    sources.merge(outcome.sources.clone());
    LoadedDescription {
        description: layout.description,
        outcome,
        files,
        variables,
        problems: sorted(problems),
        sources,
        missing_secrets,
    }
}

/// The values of the environment; no secret has been asked for.
fn variables_of(settings: &Settings) -> Variables {
    Variables {
        values: settings.values.values.clone(),
        secrets: settings.secrets.keys().map(|name| (name.clone(), SecretState::Missing)).collect(),
        env: settings.values.env.iter().map(|(name, value)| (name.clone(), value.clone())).collect(),
        // The environment is among the values already, in the order auth0-deploy-cli has.
        markers_from_env: false,
        declared_elsewhere: settings.values.elsewhere.clone(),
    }
}

/// Asks for the secrets that are declared or named; returns those nobody has, with the reason.
async fn ask(
    settings: &Settings,
    around: &Surroundings,
    description: &Description,
    variables: &mut Variables,
) -> Vec<(String, String)> {
    let context =
        SecretContext { env: around.env.clone(), folder: settings.root.clone(), command_timeout: COMMAND_TIMEOUT };
    let mut wanted: IndexMap<String, SecretSource> = settings.secrets.clone();
    for name in secret_names(description) {
        wanted.entry(name.clone()).or_insert_with(|| settings.secret_source(&name));
    }
    let mut missing = Vec::new();
    for (name, source) in wanted {
        if matches!(variables.secrets.get(&name), Some(SecretState::Known(_))) {
            continue;
        }
        match resolve(&source, &format!("secrets.{name}"), &context).await {
            Resolved::Known(secret) => {
                variables.secrets.insert(name, SecretState::Known(secret));
            }
            Resolved::Missing(why) => {
                variables.secrets.insert(name.clone(), SecretState::Missing);
                missing.push((name, why));
            }
        }
    }
    missing
}

/// Returns the names that expressions use after `secrets.`.
fn secret_names(description: &Description) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let Ok(pattern) = Regex::new(r"\bsecrets\.([A-Za-z_][A-Za-z0-9_-]*)") else { return names };
    for kind in description.kinds.values() {
        for resource in &kind.resources {
            collect(&resource.node, &pattern, &mut names);
        }
    }
    names
}

fn collect(node: &Node, pattern: &Regex, names: &mut BTreeSet<String>) {
    match &node.value {
        NodeValue::Text(text) => {
            for part in &text.parts {
                if let Part::Expression(expression) = part {
                    names.extend(
                        pattern
                            .captures_iter(&expression.source)
                            .filter_map(|found| Some(found.get(1)?.as_str().to_owned())),
                    );
                }
            }
        }
        NodeValue::Array(items) => items.iter().for_each(|item| collect(item, pattern, names)),
        NodeValue::Object(map) => map.iter().for_each(|member| collect(&member.value, pattern, names)),
        _ => {}
    }
}
