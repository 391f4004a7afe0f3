//! Reads the few files that settings are made of.

use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::deploy_cli::{ConfigFile, DeployCli};
use super::file::{ProjectFile, VariableSource};
use super::reader::{Item, ItemValue};
use super::settings::{Flags, Settings, Surroundings};
use crate::description::layout::unknown_kind;
use crate::description::{Node, NodeValue, read_json, read_yaml};
use crate::files::read_settings_file;
use crate::model::{Address, AddressPattern, Locus, Secret, Sources};
use crate::problem::Problem;
use crate::schema::Registry;

/// Name of the project file.
pub const PROJECT_FILE: &str = "tenantry.yaml";

/// Settings with what was said while they were read.
#[derive(Debug)]
pub struct Loaded {
    /// The settings.
    pub settings: Settings,
    /// Warnings.
    pub warnings: Vec<Problem>,
    /// Texts of the files that were read.
    pub sources: Sources,
}

/// What went wrong, with the texts to show it in.
#[derive(Debug)]
pub struct Failed {
    /// Errors, and the warnings beside them.
    pub problems: Vec<Problem>,
    /// Texts of the files that were read.
    pub sources: Sources,
}

/// Returns the project file that holds for a folder: in it, or in one above it up to the repository's root.
pub fn find_project_file(directory: &Path) -> Option<PathBuf> {
    for folder in directory.ancestors() {
        let file = folder.join(PROJECT_FILE);
        if file.is_file() {
            return Some(file);
        }
        if folder.join(".git").exists() {
            return None;
        }
    }
    None
}

/// Reads the settings of this run.
///
/// # Errors
///
/// Problems of [`ProjectFile`], [`DeployCli`] and [`Settings`]; `missing-file`, `unreadable-file`, those of
/// [`read_yaml`], `conflicting-options` where `-c` stands beside a project file.
pub fn load_settings(flags: &Flags, around: &Surroundings) -> Result<Loaded, Failed> {
    let mut loader = Loader { around, sources: Sources::default(), warnings: Vec::new() };
    match loader.settings(flags) {
        Ok(settings) => Ok(Loaded { settings, warnings: loader.warnings, sources: loader.sources }),
        Err(mut problems) => {
            problems.extend(loader.warnings);
            Err(Failed { problems: crate::problem::sorted(problems), sources: loader.sources })
        }
    }
}

/// Reads and checks a project file alone, for commands that look at all its environments.
///
/// # Errors
///
/// As [`load_settings`].
pub fn load_project_file(path: &Path, around: &Surroundings) -> Result<ProjectFile, Failed> {
    let mut loader = Loader { around, sources: Sources::default(), warnings: Vec::new() };
    loader.project_file(path).map_err(|problems| Failed { problems, sources: loader.sources })
}

struct Loader<'a> {
    around: &'a Surroundings,
    sources: Sources,
    warnings: Vec<Problem>,
}

impl Loader<'_> {
    fn settings(&mut self, flags: &Flags) -> Result<Settings, Vec<Problem>> {
        match (find_project_file(&self.around.directory), &flags.config) {
            (Some(path), None) => {
                let file = self.project_file(&path)?;
                let variables = self.variables_of(&file, flags, &path)?;
                Settings::project(&path, file, variables, flags, self.around).map_err(|problem| vec![problem])
            }
            (Some(path), Some(_)) => {
                let shown = crate::files::shown(&path, &self.around.directory);
                Err(vec![
                    Problem::error(
                        "conflicting-options",
                        format!("-c names a configuration, and there is {shown} as well"),
                    )
                    .help("leave -c away to use the project file")
                    .help("or start in a folder outside the project with -C to work as auth0-deploy-cli does"),
                ])
            }
            (None, config) => {
                let file = config.as_deref().map(|path| self.config_file(path)).transpose()?;
                let (read, problems) = DeployCli::read(file.as_ref(), &self.around.env);
                let (errors, warnings): (Vec<_>, Vec<_>) = problems.into_iter().partition(Problem::is_error);
                self.warnings.extend(warnings);
                if !errors.is_empty() {
                    return Err(errors);
                }
                self.excluded_kinds(&read);
                Settings::compatibility(read, config.as_deref(), flags, self.around).map_err(|problem| vec![problem])
            }
        }
    }

    fn project_file(&mut self, path: &Path) -> Result<ProjectFile, Vec<Problem>> {
        let node = self.read(path)?;
        let item = item_of(node);
        let file = ProjectFile::from_item(&item).inspect_err(|problems| {
            // Where somebody wrote a secret itself, no line of the file is shown.
            if problems.iter().any(|problem| problem.id == "secret-in-file") {
                self.sources = Sources::default();
            }
        })?;
        let problems = kinds_of(&file);
        if problems.is_empty() { Ok(file) } else { Err(problems) }
    }

    /// Reads the chosen environment's own file of variables.
    fn variables_of(
        &mut self,
        file: &ProjectFile,
        flags: &Flags,
        path: &Path,
    ) -> Result<IndexMap<String, Json>, Vec<Problem>> {
        let chosen = match &flags.environment {
            Some(name) => file.environments.get(name),
            None => file.environments.values().next(),
        };
        let Some(VariableSource::File(own, locus)) = chosen.map(|environment| &environment.variables) else {
            return Ok(IndexMap::new());
        };
        let own = path.parent().unwrap_or(Path::new("")).join(own);
        let node = self.read(&own).map_err(|problems| {
            let named = |mut problem: Problem| {
                // A file that is not there has no place of its own to show.
                if problem.id == "missing-file" {
                    problem.labels.clear();
                }
                problem.label(locus, "named here")
            };
            problems.into_iter().map(named).collect::<Vec<_>>()
        })?;
        let item = item_of(node);
        match item.to_json() {
            Json::Object(map) => Ok(map.into_iter().collect()),
            Json::Null => Ok(IndexMap::new()),
            _ => Err(vec![
                Problem::error("wrong-type", format!("a file of variables holds an object, not {}", item.describe()))
                    .at(&item.locus),
            ]),
        }
    }

    fn config_file(&mut self, path: &Path) -> Result<ConfigFile, Vec<Problem>> {
        let node = self.read(&self.around.directory.join(path));
        // Secrets stand in this file: none of its lines is ever shown.
        self.sources = Sources::default();
        let node = node?;
        let item = item_of(node);
        let ItemValue::Map(map) = &item.value else {
            return Err(vec![
                Problem::error("wrong-type", format!("a configuration is an object, not {}", item.describe()))
                    .at(&item.locus),
            ]);
        };
        let values = map.iter().map(|(key, (locus, item))| (key.clone(), (locus.clone(), item.to_json())));
        Ok(ConfigFile { values: values.collect() })
    }

    fn read(&mut self, path: &Path) -> Result<Node, Vec<Problem>> {
        let (name, bytes) = read_settings_file(path, &self.around.directory).map_err(|problem| vec![problem])?;
        if let Ok(text) = std::str::from_utf8(&bytes) {
            self.sources.insert(&name, text);
        }
        let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
        let loaded = if is_json { read_json(&name, &bytes) } else { read_yaml(&name, &bytes) }?;
        self.warnings.extend(loaded.warnings);
        Ok(loaded.node)
    }

    fn excluded_kinds(&mut self, read: &DeployCli) {
        let lists = [("AUTH0_EXCLUDED", Some(&read.excluded)), ("AUTH0_INCLUDED_ONLY", read.included_only.as_ref())];
        for (option, kinds) in lists {
            for kind in kinds.into_iter().flatten() {
                if let Some(mut problem) = unknown_kind(kind, Registry::get()) {
                    problem.severity = crate::problem::Severity::Warning;
                    self.warnings.push(problem.note(format!("{option} names it")));
                }
            }
        }
    }
}

/// Reads a file of secrets: YAML or JSON, names and values. No problem shows a line of it.
///
/// # Errors
///
/// Those of the file; `wrong-type` where a value is no text.
pub fn read_secrets(path: &Path, directory: &Path) -> Result<IndexMap<String, Secret>, Vec<Problem>> {
    let (name, bytes) = read_settings_file(path, directory).map_err(|problem| vec![problem])?;
    let is_json = path.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("json"));
    let item = item_of(if is_json { read_json(&name, &bytes) } else { read_yaml(&name, &bytes) }?.node);
    let wrong = |title: String, item: &Item| Problem::error("wrong-type", title).at(&item.locus);
    let ItemValue::Map(map) = &item.value else {
        return Err(vec![wrong(format!("a file of secrets holds an object, not {}", item.describe()), &item)]);
    };
    let (mut out, mut problems) = (IndexMap::new(), Vec::new());
    for (key, (_, value)) in map {
        match value.to_json() {
            Json::String(text) => {
                out.insert(key.clone(), Secret::new(text, format!("secrets.{key}")));
            }
            Json::Number(number) => {
                out.insert(key.clone(), Secret::new(number.to_string(), format!("secrets.{key}")));
            }
            _ => problems.push(wrong(format!("the secret `{key}` is a text, not {}", value.describe()), value)),
        }
    }
    if problems.is_empty() { Ok(out) } else { Err(problems) }
}

/// Checks every kind that a project file names.
fn kinds_of(file: &ProjectFile) -> Vec<Problem> {
    let mut problems = Vec::new();
    let mut check = |kind: &str, locus: Option<&Locus>| {
        if let Some(problem) = unknown_kind(kind, Registry::get()) {
            problems.push(problem.at_maybe(locus));
        }
    };
    let plain = |pattern: &AddressPattern| {
        let kind = pattern.as_str().split('/').next().unwrap_or_default().to_owned();
        (!kind.contains(['*', '?', '[', '{'])).then_some(kind)
    };
    for moved in &file.moved {
        let Address { kind, .. } = &moved.from;
        check(kind, Some(&moved.locus));
    }
    for environment in file.environments.values() {
        let policy = &environment.policy;
        for rule in environment.include.iter().chain(&environment.exclude).chain(&policy.protect) {
            if let Some(kind) = plain(&rule.value) {
                check(&kind, rule.locus.as_ref());
            }
        }
        if let super::DeleteRule::Kinds(kinds) = &policy.delete.value {
            for kind in kinds {
                check(kind, policy.delete.locus.as_ref());
            }
        }
    }
    problems
}

/// Takes a parsed file as settings.
fn item_of(node: Node) -> Item {
    let value = match node.value {
        NodeValue::Null => ItemValue::Scalar(Json::Null),
        NodeValue::Bool(b) => ItemValue::Scalar(Json::Bool(b)),
        NodeValue::Number(number) => ItemValue::Scalar(Json::Number(number)),
        NodeValue::Text(text) => ItemValue::Scalar(Json::String(text.as_written())),
        NodeValue::Array(items) => ItemValue::List(items.into_iter().map(item_of).collect()),
        NodeValue::Object(map) => ItemValue::Map(
            map.members
                .into_iter()
                .map(|member| (member.key.as_written(), (member.key_locus, item_of(member.value))))
                .collect(),
        ),
    };
    Item { locus: node.locus, value }
}
