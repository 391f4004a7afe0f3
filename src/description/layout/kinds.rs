//! Which kind a name means, and what is said of names that mean none.

use super::known::{DROPPED, KINDS, VIRTUAL};
use crate::model::Locus;
use crate::problem::{Problem, closest};
use crate::schema::Registry;

/// What a name of a kind means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Meaning {
    /// A kind of Tenantry.
    Kind,
    /// A kind of auth0-deploy-cli that Tenantry does not know yet.
    Unsupported,
    /// A kind that auth0-deploy-cli has dropped, in this version.
    Dropped(&'static str),
    /// Nothing.
    Unknown,
}

/// Tells what a name means.
pub(super) fn meaning(name: &str, registry: &Registry) -> Meaning {
    if registry.kind(name).is_some() {
        Meaning::Kind
    } else if KINDS.iter().any(|(kind, _)| *kind == name) {
        Meaning::Unsupported
    } else if let Some((_, version)) = DROPPED.iter().find(|(kind, _)| *kind == name) {
        Meaning::Dropped(version)
    } else {
        Meaning::Unknown
    }
}

/// Returns every name that may stand where kinds are included, excluded or deleted.
pub fn described_names(registry: &Registry) -> Vec<&str> {
    let mut names: Vec<&str> = registry.names().chain(KINDS.iter().map(|(kind, _)| *kind)).chain([VIRTUAL]).collect();
    names.sort_unstable();
    names.dedup();
    names
}

/// Returns what is to be said of a name where a kind is expected; `None` where it is one.
pub fn unknown_kind(name: &str, registry: &Registry) -> Option<Problem> {
    let names = described_names(registry);
    if names.contains(&name) || matches!(meaning(name, registry), Meaning::Dropped(_)) {
        return None;
    }
    let problem = Problem::error("unknown-kind", format!("`{name}` is not a kind"));
    Some(match closest(name, names) {
        Some(near) => problem.help(format!("did you mean `{near}`?")),
        None => problem.help("run `tenantry schema` for the kinds there are"),
    })
}

/// The error for a kind that Tenantry does not know yet.
pub(super) fn unsupported(name: &str, locus: &Locus, compatibility: bool) -> Problem {
    let help = if compatibility {
        format!("leave it out for now: add `{name}` to AUTH0_EXCLUDED")
    } else {
        format!("leave it out for now: add `{name}` to the environment's `exclude`")
    };
    Problem::error("unsupported-kind", format!("`{name}` is a kind that Tenantry does not support yet"))
        .at(locus)
        .note("it is not skipped silently: nothing of it would be deployed")
        .help(help)
}

/// The warning or error for a kind that is gone.
pub(super) fn dropped(name: &str, version: &str, locus: &Locus, compatibility: bool) -> Problem {
    let title = format!("`{name}` is gone: auth0-deploy-cli dropped it with version {version}");
    if compatibility {
        Problem::warning("dropped-kind", format!("{title}; it is left out")).at(locus).help("remove it")
    } else {
        Problem::error("unknown-kind", title).at(locus).help("remove it")
    }
}
