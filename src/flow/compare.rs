//! `compare`: two sides as equals; what differs as the environments ask for, and what nothing explains.

mod named;
mod read;

use std::sync::Arc;

use super::{Failed, Request};
use crate::archive::Unseal;
use crate::compare::{Compared, Pairs, Reference, Side, compare as judge};
use crate::model::{Address, Sources};
use crate::problem::{Problem, sorted};
use crate::render::{MissingVariable, SideName};
use crate::schema::Registry;
use named::{Known, Named};
use read::{Read, environments};

/// What is compared.
#[derive(Debug)]
pub struct CompareRequest {
    /// What every story is told.
    pub base: Request,
    /// The first side, as people name it: `dev`, `prod@v1.2`, `live:prod`, a path.
    pub one: String,
    /// The second.
    pub other: String,
    /// What opens backups that are encrypted.
    pub key: Arc<Unseal>,
}

/// What was found.
pub struct ComparedSides {
    /// The first side.
    pub one: SideName,
    /// The second.
    pub other: SideName,
    /// What differs.
    pub compared: Compared,
    /// Variables that one environment has and the other lacks.
    pub missing: Vec<MissingVariable>,
    /// Warnings and notes.
    pub problems: Vec<Problem>,
    /// Texts of the files.
    pub sources: Sources,
}

/// Compares two sides.
///
/// # Errors
///
/// `unknown-side`, `ambiguous-side`, `unknown-environment`; those of the files of both sides at once; of the repository and the
/// network.
pub async fn compare(request: &CompareRequest) -> Result<ComparedSides, Failed> {
    let (one, other) = named(request)?;
    let (one, other) = (
        Read::files(&request.one, &one, &request.base, &request.key).await,
        Read::files(&request.other, &other, &request.base, &request.key).await,
    );
    let (mut one, mut other) = match (one, other) {
        (Ok(one), Ok(other)) => (one, other),
        (Err(failed), Ok(_)) | (Ok(_), Err(failed)) => return Err(failed),
        (Err(mut first), Err(second)) => {
            first.problems.extend(second.problems);
            first.sources.merge(second.sources);
            return Err(Failed::new(sorted(first.problems), first.sources));
        }
    };
    let mut sources = one.sources();
    sources.merge(other.sources());
    if one.is_live && one.kept.is_none() {
        one.tenant(&other).await.map_err(|problem| Failed::one(problem, sources.clone()))?;
    }
    if other.is_live && other.kept.is_none() {
        other.tenant(&one).await.map_err(|problem| Failed::one(problem, sources.clone()))?;
    }
    let compared = compared(&one, &other).await;
    let mut problems = std::mem::take(&mut one.problems);
    problems.append(&mut other.problems);
    let missing = missing(&one, &other);
    let name = |read: Read| SideName { name: read.text, what: read.what, environment: read.environment };
    Ok(ComparedSides { one: name(one), other: name(other), compared, missing, problems: sorted(problems), sources })
}

/// Says what both names mean.
fn named(request: &CompareRequest) -> Result<(Named, Named), Failed> {
    let environments = environments(&request.base)?;
    let known = Known { environments: &environments, directory: &request.base.around.directory };
    match (known.understand(&request.one), known.understand(&request.other)) {
        (Ok(one), Ok(other)) => Ok((one, other)),
        (one, other) => {
            let mut problems: Vec<Problem> = [one.err(), other.err()].into_iter().flatten().collect();
            problems.dedup();
            Err(Failed::new(problems, Sources::default()))
        }
    }
}

async fn compared(one: &Read, other: &Read) -> Compared {
    let registry = Registry::get();
    let moved: Vec<(Address, Address)> = one
        .settings
        .moved
        .iter()
        .chain(&other.settings.moved)
        .flat_map(|moved| [(moved.from.clone(), moved.to.clone()), (moved.to.clone(), moved.from.clone())])
        .collect();
    let described = !one.is_live && !other.is_live;
    let pairs = Pairs { by_id: described || one.same_tenant(other), moved: &moved };
    let (first, second) = (one.side(other), other.side(one));
    let rendered = references(one, other).await;
    let places: Vec<_> = rendered.iter().map(|reference| reference.places.places()).collect();
    let references: Vec<Reference<'_>> = rendered
        .iter()
        .zip(&places)
        .map(|(rendered, places)| Reference { one: &rendered.one, other: &rendered.other, places })
        .collect();
    judge(registry, &first, &second, pairs, &references)
}

/// One description, rendered for both environments.
struct Rendered<'a> {
    one: Side,
    other: Side,
    /// The side whose description it is.
    places: &'a Read,
}

/// The descriptions of both sides, each rendered for both environments. None where a side has no environment, or nothing could
/// differ: one description, one environment.
async fn references<'a>(one: &'a Read, other: &'a Read) -> Vec<Rendered<'a>> {
    let mut out = Vec::new();
    if one.environment.is_none() || other.environment.is_none() {
        return out;
    }
    let (Some(first), Some(second)) = (&one.loaded, &other.loaded) else { return out };
    if one.place == other.place {
        if one.environment != other.environment {
            out.push(Rendered { one: one.described(first, other), other: other.described(second, one), places: one });
        }
        return out;
    }
    if let Some(theirs) = other.rendered(one).await {
        out.push(Rendered { one: one.described(first, other), other: other.described(&theirs, one), places: one });
    }
    if let Some(ours) = one.rendered(other).await {
        out.push(Rendered { one: one.described(&ours, other), other: other.described(second, one), places: other });
    }
    out
}

/// Finds what one environment has a value for and the other has not.
fn missing(one: &Read, other: &Read) -> Vec<MissingVariable> {
    let (Some(first), Some(second)) = (&one.environment, &other.environment) else { return Vec::new() };
    if first == second {
        return Vec::new();
    }
    let (ours, theirs) = (one.names(), other.names());
    let of = |name: &String, has: &String, lacks: &String| MissingVariable {
        name: name.clone(),
        has: has.clone(),
        lacks: lacks.clone(),
    };
    let lacking = ours.difference(&theirs).map(|name| of(name, first, second));
    lacking.chain(theirs.difference(&ours).map(|name| of(name, second, first))).collect()
}
