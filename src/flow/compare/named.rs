//! What the two names of a comparison mean.

use std::path::{Path, PathBuf};

use crate::problem::{Problem, closest};

/// What a side is named by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Named {
    /// The description with the variables of an environment.
    Environment(String),
    /// The description of a commit; `None` for the environment that is chosen.
    Commit(Option<String>, String),
    /// A tenant; `None` for the environment that is chosen.
    Live(Option<String>),
    /// A description: a folder or a file.
    Path(PathBuf),
    /// A backup.
    Backup(String),
}

/// What there is to be named.
pub(super) struct Known<'a> {
    /// Names of environments; none without a project file.
    pub(super) environments: &'a [String],
    /// The working directory.
    pub(super) directory: &'a Path,
}

impl Known<'_> {
    /// Says what a name means.
    ///
    /// # Errors
    ///
    /// `unknown-side`, `unknown-environment`, `ambiguous-side`: they list what would be understood.
    pub(super) fn understand(&self, text: &str) -> Result<Named, Problem> {
        if let Some(name) = text.strip_prefix("env:") {
            return Ok(Named::Environment(self.environment(name, text)?));
        }
        if text.contains("://") {
            return Ok(Named::Backup(text.to_owned()));
        }
        if let Some(name) = text.strip_prefix("live:") {
            return Ok(Named::Live(Some(self.environment(name, text)?)));
        }
        let path = self.directory.join(text);
        let is_path = path.exists();
        let of_environment = text.split_once('@').is_some_and(|(name, _)| name.is_empty() || self.is_environment(name));
        if (text.contains(['/', '\\']) && !of_environment) || text.starts_with('.') {
            return if is_path { Ok(file(text, path)) } else { Err(self.unknown(text)) };
        }
        let meant = self.meant(text)?;
        match (meant, is_path) {
            (Some(meant), false) => Ok(meant),
            (None, true) => Ok(file(text, path)),
            (None, false) => Err(self.unknown(text)),
            (Some(meant), true) => Err(ambiguous(text, &meant)),
        }
    }

    /// What a word without a path in it means, files apart.
    fn meant(&self, text: &str) -> Result<Option<Named>, Problem> {
        if text == "live" {
            return Ok(Some(Named::Live(None)));
        }
        if self.is_environment(text) {
            return Ok(Some(Named::Environment(text.to_owned())));
        }
        Ok(match text.split_once('@') {
            Some((_, "")) | None => None,
            Some(("", commit)) => Some(Named::Commit(None, commit.to_owned())),
            Some((name, commit)) if self.is_environment(name) => {
                Some(Named::Commit(Some(name.to_owned()), commit.to_owned()))
            }
            Some((name, _)) if !self.directory.join(text).exists() => return Err(self.no_environment(name, text)),
            Some(_) => None,
        })
    }

    fn is_environment(&self, name: &str) -> bool {
        self.environments.iter().any(|known| known == name)
    }

    fn environment(&self, name: &str, text: &str) -> Result<String, Problem> {
        if self.is_environment(name) { Ok(name.to_owned()) } else { Err(self.no_environment(name, text)) }
    }

    fn no_environment(&self, name: &str, text: &str) -> Problem {
        let problem = Problem::error("unknown-environment", format!("there is no environment `{name}`"));
        let problem = self.declared(problem);
        match closest(name, self.environments.iter().map(String::as_str)) {
            Some(near) => problem.help(format!("did you mean `{}`?", text.replacen(name, near, 1))),
            None => problem,
        }
    }

    fn unknown(&self, text: &str) -> Problem {
        let title = format!("`{text}` is neither an environment nor a file that is there");
        let problem = self.declared(Problem::error("unknown-side", title));
        match closest(text, self.environments.iter().map(String::as_str)) {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem,
        }
        .help(UNDERSTOOD)
    }

    fn declared(&self, problem: Problem) -> Problem {
        match self.environments {
            [] => problem.note("environments are declared in tenantry.yaml, and there is none here"),
            all => problem.note(format!("environments: {}", all.join(", "))),
        }
    }
}

/// What is understood, for help.
const UNDERSTOOD: &str = "name a side as ENV, ENV@COMMIT, live:ENV, or by the path of a description or a backup";

fn ambiguous(text: &str, meant: &Named) -> Problem {
    let (what, instead) = match meant {
        Named::Environment(_) => ("an environment", format!("`env:{text}` for the environment")),
        Named::Live(_) => ("the live tenant", "`live:ENV` for a tenant".to_owned()),
        _ => ("a commit", "`ENV@COMMIT` with another name of the commit".to_owned()),
    };
    Problem::error("ambiguous-side", format!("`{text}` is {what}, and a file of that name is here as well"))
        .help(format!("write {instead}, `./{text}` for the file"))
}

fn file(text: &str, path: PathBuf) -> Named {
    let is_backup = [".tar.zst", ".age"].iter().any(|end| text.to_ascii_lowercase().ends_with(end));
    if is_backup && path.is_file() { Named::Backup(text.to_owned()) } else { Named::Path(path) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn names_mean_one_thing_or_none() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["stage", "dev@home", "b.tar.zst"] {
            std::fs::write(folder.path().join(name), "").unwrap();
        }
        let environments = ["dev".to_owned(), "prod".to_owned(), "stage".to_owned()];
        let known = Known { environments: &environments, directory: folder.path() };
        let id = |text: &str| known.understand(text).unwrap_err().id;
        assert_eq!(known.understand("dev"), Ok(Named::Environment("dev".to_owned())));
        assert_eq!(known.understand("env:stage"), Ok(Named::Environment("stage".to_owned())));
        assert_eq!(known.understand("live:prod"), Ok(Named::Live(Some("prod".to_owned()))));
        assert_eq!(known.understand("live"), Ok(Named::Live(None)));
        assert_eq!(known.understand("prod@v1.2"), Ok(Named::Commit(Some("prod".to_owned()), "v1.2".to_owned())));
        assert_eq!(
            known.understand("prod@feature/x"),
            Ok(Named::Commit(Some("prod".to_owned()), "feature/x".to_owned()))
        );
        assert_eq!(known.understand("@HEAD~1"), Ok(Named::Commit(None, "HEAD~1".to_owned())));
        assert_eq!(known.understand("./stage"), Ok(Named::Path(folder.path().join("./stage"))));
        assert_eq!(known.understand("b.tar.zst"), Ok(Named::Backup("b.tar.zst".to_owned())));
        assert_eq!(id("stage"), "ambiguous-side");
        assert_eq!(id("dev@home"), "ambiguous-side");
        assert_eq!(id("prd"), "unknown-side");
        assert_eq!(id("./prod"), "unknown-side");
        assert_eq!(id("live:prd"), "unknown-environment");
        assert_eq!(id("prd@HEAD"), "unknown-environment");
        assert_eq!(id("prod@"), "unknown-side");
    }
}
