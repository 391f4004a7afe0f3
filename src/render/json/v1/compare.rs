//! What differs between two sides.

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::Value as Json;

use super::convert::{how, side};
use super::{Place, Secret};
use crate::compare::{Explanation, Leaf, Only, Resource};
use crate::model::{Locus, Unavailable};
use crate::render::compare::{CompareView, SideName};
use crate::render::human::unavailable;

/// What differs between two sides: `tenantry.compare/1`.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Compare {
    /// Name and version of this format.
    pub format: &'static str,
    /// The first side.
    pub one: ComparedSide,
    /// The second side.
    pub other: ComparedSide,
    /// Resources that differ, by address.
    pub resources: Vec<ComparedResource>,
    /// What could not be read.
    pub unreadable: Vec<ComparedUnreadable>,
    /// Resources of the first side whose name several on the second have.
    pub ambiguous: Vec<ComparedAmbiguous>,
    /// Secrets that cannot be compared.
    pub secrets: Vec<Secret>,
    /// Kinds of a tenant that the description on the other side does not speak of: not compared.
    pub not_described: Vec<String>,
    /// Variables that one of the two environments has and the other lacks.
    pub missing_variables: Vec<ComparedVariable>,
    /// Numbers.
    pub counts: ComparedCounts,
}

/// One of the two sides.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ComparedSide {
    /// As it was named.
    pub name: String,
    /// What that is, for people.
    pub what: String,
    /// Its environment; null where it has none.
    pub environment: Option<String>,
}

/// A resource that differs.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ComparedResource {
    /// Which.
    pub address: String,
    /// `both`, `one` or `other`: the sides that have it.
    pub held_by: &'static str,
    /// Why that only one side has it is expected; missing where it is suspect, and where both have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
    /// What differs; empty where only one side has it.
    pub fields: Vec<ComparedField>,
}

/// A field that differs.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ComparedField {
    /// Where.
    pub path: String,
    /// `value`, `item`, `text` or `secret`.
    pub how: &'static str,
    /// The first side's value. Missing where there is none; where it comes from for a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one: Option<Json>,
    /// The second side's value, likewise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other: Option<Json>,
    /// Where the first side's files say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_place: Option<Place>,
    /// Where the second side's files say so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub other_place: Option<Place>,
    /// Why it is expected; missing where it is suspect.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<Expected>,
}

/// Why a difference is expected.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct Expected {
    /// `variables` or `left alone`: by the environment's `include` or `exclude`.
    pub by: &'static str,
    /// Names of the variables, where they can be told.
    pub variables: Vec<String>,
}

/// Something that could not be read.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ComparedUnreadable {
    /// A kind, or an address with a member.
    pub what: String,
    /// `one` or `other`: the side that could not be read.
    pub side: &'static str,
    /// Scopes any of which would do; empty where the feature is lacking.
    pub scopes: Vec<String>,
    /// Why, for people.
    pub words: String,
    /// Resources the other side has there; with any of them this counts as suspect.
    pub held_by_the_other: usize,
}

/// A name that several resources have.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ComparedAmbiguous {
    /// The resource of the first side.
    pub address: String,
    /// Ids of those on the second.
    pub ids: Vec<String>,
}

/// A variable that one environment has and the other lacks.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ComparedVariable {
    /// Its name; a secret's begins with `secrets.`.
    pub name: String,
    /// The environment that has it.
    pub has: String,
    /// The environment that lacks it.
    pub lacks: String,
}

/// Numbers of a comparison.
#[derive(Debug, Clone, Serialize, JsonSchema)]
pub struct ComparedCounts {
    /// Differences that nothing explains.
    pub suspect: usize,
    /// Differences that the environments ask for.
    pub expected: usize,
    /// Resources that are the same.
    pub same: usize,
}

impl From<&SideName> for ComparedSide {
    fn from(side: &SideName) -> Self {
        ComparedSide { name: side.name.clone(), what: side.what.clone(), environment: side.environment.clone() }
    }
}

impl From<&Explanation> for Expected {
    fn from(why: &Explanation) -> Self {
        match why {
            Explanation::Variables(names) => Expected { by: "variables", variables: names.clone() },
            Explanation::LeftAlone => Expected { by: "left alone", variables: Vec::new() },
        }
    }
}

impl From<&Leaf> for ComparedField {
    fn from(leaf: &Leaf) -> Self {
        let place = |locus: &Option<Locus>| locus.as_ref().map(Place::from);
        ComparedField {
            path: leaf.field.path.to_string(),
            how: how(leaf.field.how),
            one: side(&leaf.field, leaf.field.diff.before.as_ref()),
            other: side(&leaf.field, leaf.field.diff.after.as_ref()),
            one_place: place(&leaf.one),
            other_place: place(&leaf.other),
            expected: leaf.expected.as_ref().map(Expected::from),
        }
    }
}

impl From<&CompareView<'_>> for Compare {
    fn from(view: &CompareView<'_>) -> Self {
        let compared = view.compared;
        let which = |second: bool| if second { "other" } else { "one" };
        let resource = |(address, resource): &(crate::model::Address, Resource)| {
            let (held_by, expected, fields) = match resource {
                Resource::Both(leaves) => ("both", None, leaves.iter().map(ComparedField::from).collect()),
                Resource::Only(only, why) => {
                    (which(*only == Only::Other), why.as_ref().map(Expected::from), Vec::new())
                }
            };
            ComparedResource { address: address.to_string(), held_by, expected, fields }
        };
        Compare {
            format: "tenantry.compare/1",
            one: view.one.into(),
            other: view.other.into(),
            resources: compared.resources.iter().map(resource).collect(),
            unreadable: compared
                .uncompared
                .iter()
                .map(|one| ComparedUnreadable {
                    what: one.what.clone(),
                    side: which(one.second),
                    scopes: match &one.why {
                        Unavailable::Scope(scopes) => scopes.clone(),
                        Unavailable::Feature(_) => Vec::new(),
                    },
                    words: unavailable(&one.why),
                    held_by_the_other: one.held,
                })
                .collect(),
            ambiguous: compared
                .ambiguous
                .iter()
                .map(|(address, ids)| ComparedAmbiguous { address: address.to_string(), ids: ids.clone() })
                .collect(),
            secrets: compared
                .secrets
                .iter()
                .map(|(address, path, source)| Secret {
                    address: address.to_string(),
                    path: path.to_string(),
                    source: source.clone(),
                })
                .collect(),
            not_described: compared.unspoken.clone(),
            missing_variables: view
                .missing
                .iter()
                .map(|one| ComparedVariable { name: one.name.clone(), has: one.has.clone(), lacks: one.lacks.clone() })
                .collect(),
            counts: ComparedCounts { suspect: compared.suspect(), expected: compared.expected(), same: compared.same },
        }
    }
}
