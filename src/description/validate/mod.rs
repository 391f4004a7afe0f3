//! From a [`Description`] to [`Desired`]: rendered, side files joined, every rule of the schemas checked.
//!
//! All problems of all resources are collected; a resource with errors is left out of the desired state, which is then of no use
//! but for further messages.

mod cross;
mod group;
mod rules;
mod shape;

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;

use super::layout::{Description, ResourceNode, Tree};
use super::resolve::{OpenReference, open_references};
use super::sidefile::Joiner;
use super::{Filters, Rendered, Variables, render};
use crate::codec::address_of;
use crate::model::{Address, Described, DescribedKind, Desired, Loci, Path, Sources, Value};
use crate::problem::{Problem, Severity, sorted};
use crate::schema::{KindShape, KindSpec, Registry};

/// How a description is checked.
#[derive(Debug, Clone)]
pub struct DescribeOptions<'a> {
    /// The kinds there are.
    pub registry: &'a Registry,
    /// The values of the environment.
    pub variables: &'a Variables,
    /// What is managed.
    pub filters: &'a Filters,
    /// The rules of auth0-deploy-cli where they are softer.
    pub compatibility: bool,
    /// Unknown fields warn and pass.
    pub lenient: bool,
}

/// What checking gave.
#[derive(Debug, Clone, Default)]
pub struct DescribeOutcome {
    /// What the description asks for.
    pub desired: Desired,
    /// Everything found, in the order of places.
    pub problems: Vec<Problem>,
    /// Files that have to be read first.
    pub wanted: BTreeSet<String>,
    /// Texts of the side files.
    pub sources: Sources,
    /// Paths of the side files.
    pub files: BTreeSet<String>,
    /// References that the files do not hold; live may.
    pub references: Vec<OpenReference>,
    /// What is managed, with what the files themselves leave alone.
    pub filters: Filters,
    /// Described resources that are left alone.
    pub left_alone: Vec<Address>,
}

/// Renders and checks a description for one environment.
///
/// # Errors
///
/// Errors are in [`DescribeOutcome::problems`]: those of [`render`] and [`fill_text`](super::fill_text), `missing-file`,
/// `outside-folder`, `unknown-field` (a warning where lenient), `wrong-type`, `invalid-value`, `missing-field`, `duplicate-name`,
/// `described-elsewhere`, `duplicate-field`. Warnings: `server-set`. Notes: `deprecated-field`, `over-limit`,
/// `reference-not-described`.
pub fn describe(description: &Description, tree: &Tree, options: &DescribeOptions<'_>) -> DescribeOutcome {
    let filters = options.filters.replaced_by(&description.exclude, &description.include);
    let mut describer = Describer {
        options,
        joiner: Joiner {
            tree,
            layout: &description.layout,
            variables: options.variables,
            compatibility: options.compatibility,
            problems: Vec::new(),
            wanted: BTreeSet::new(),
            sources: Sources::default(),
            files: BTreeSet::new(),
            dropped: Vec::new(),
        },
        problems: Vec::new(),
    };
    let mut desired = Desired::default();
    for (name, nodes) in &description.kinds {
        let Some(spec) = options.registry.kind(name) else { continue };
        if !filters.covers_kind(name) {
            continue;
        }
        let is_empty = |node: &ResourceNode| node.node.as_object().is_some_and(|map| map.members.is_empty());
        if spec.empty_is_unmanaged && nodes.resources.iter().all(is_empty) {
            continue;
        }
        let resources = describer.kind(spec, &nodes.resources);
        desired.kinds.insert(name.clone(), DescribedKind { locus: Some(nodes.locus.clone()), resources });
    }
    cross::shared_names(&desired, options.registry, &mut describer.problems);
    let left_alone = leave_alone(&mut desired, &filters, options.registry);
    let (references, notes) = open_references(&desired, &left_alone, options.registry);
    let Describer { joiner, mut problems, .. } = describer;
    problems.extend(joiner.problems);
    problems.extend(notes);
    DescribeOutcome {
        desired,
        problems: sorted(group::grouped(problems)),
        wanted: joiner.wanted,
        sources: joiner.sources,
        files: joiner.files,
        references,
        filters,
        left_alone,
    }
}

/// Takes what is not managed out of the desired state; what stands and falls with it goes too.
fn leave_alone(desired: &mut Desired, filters: &Filters, registry: &Registry) -> Vec<Address> {
    let mut left_alone = Vec::new();
    loop {
        let before = left_alone.len();
        for (name, kind) in &mut desired.kinds {
            let Some(spec) = registry.kind(name) else { continue };
            let known = left_alone.clone();
            kind.resources.retain(|resource| {
                let covered = filters.covers_with(spec, &resource.address, &resource.value, &known);
                if !covered {
                    left_alone.push(resource.address.clone());
                }
                covered
            });
        }
        if left_alone.len() == before {
            return left_alone;
        }
    }
}

struct Describer<'a> {
    options: &'a DescribeOptions<'a>,
    joiner: Joiner<'a>,
    problems: Vec<Problem>,
}

impl Describer<'_> {
    fn kind(&mut self, spec: &KindSpec, nodes: &[ResourceNode]) -> Vec<Described> {
        let rules = rules::Rules::of(spec);
        let mut resources: Vec<Described> = nodes.iter().filter_map(|node| self.resource(spec, node, &rules)).collect();
        self.tell_apart(&mut resources);
        if let Some(limit) = spec.limit
            && resources.len() > limit as usize
        {
            self.problems.push(
                Problem::remark(
                    "over-limit",
                    format!("{} `{}` are described, Auth0 allows {limit}", resources.len(), spec.name),
                )
                .at_maybe(resources.get(limit as usize).and_then(|r| r.loci.at(&Path::root()))),
            );
        }
        resources
    }

    fn resource(&mut self, spec: &KindSpec, node: &ResourceNode, rules: &rules::Rules<'_>) -> Option<Described> {
        let Rendered { mut value, mut loci, mut keys } = match render(&node.node, self.options.variables) {
            Ok(rendered) => rendered,
            Err(problems) => {
                self.problems.extend(problems);
                return None;
            }
        };
        if value.as_object().is_none() {
            self.problems.push(
                Problem::error("wrong-type", format!("each of `{}` is an object", spec.name))
                    .at_maybe(loci.at(&Path::root())),
            );
            return None;
        }
        let id = take_id(spec, &mut value);
        let before = self.problems.len();
        let lenient = self.options.lenient || self.options.compatibility;
        cross::elsewhere(spec, &value, &keys, &mut self.problems);
        for member in spec.elsewhere.keys() {
            // It has been reported; as an unknown field it would be once more.
            value.as_object_mut().and_then(|map| map.shift_remove(member));
        }
        shape::Shaper { spec, lenient, problems: &mut self.problems }.shape(&mut value, &mut loci, &mut keys);
        self.joiner.join(spec, node, &mut value, &mut loci);
        rules.check(&value, &loci, &mut self.problems);
        cross::only(spec, &value, &loci, &mut self.problems);
        cross::limits(spec, &value, &loci, &mut self.problems);
        let found = self.problems.iter().skip(before).any(Problem::is_error);
        let members = value.as_object()?;
        let Some(address) = address_of(spec, members) else {
            if !found {
                self.problems.push(no_name(spec, &loci));
            }
            return None;
        };
        Some(Described { address, id, value, loci })
    }

    /// Names that repeat: allowed where every bearer has an id of its own.
    fn tell_apart(&mut self, resources: &mut [Described]) {
        let mut by_address: BTreeMap<Address, Vec<usize>> = BTreeMap::new();
        for (n, resource) in resources.iter().enumerate() {
            by_address.entry(resource.address.clone()).or_default().push(n);
        }
        for (address, bearers) in by_address.into_iter().filter(|(_, bearers)| bearers.len() > 1) {
            let ids: BTreeSet<&str> = bearers.iter().filter_map(|n| resources.get(*n)?.id.as_deref()).collect();
            if ids.len() == bearers.len() {
                for n in bearers {
                    if let Some(resource) = resources.get_mut(n)
                        && let Some(id) = resource.id.clone()
                    {
                        resource.address = address.clone().with_id(&id);
                    }
                }
                continue;
            }
            let place = |n: usize| resources.get(n).and_then(|r| r.loci.at(&identity_path(r))).cloned();
            let first = bearers.first().and_then(|n| place(*n));
            for n in bearers.into_iter().skip(1) {
                let mut problem = Problem::error("duplicate-name", format!("`{address}` is described twice"))
                    .at_maybe(place(n).as_ref());
                if let (Some(_), Some(label)) = (&first, problem.labels.first_mut()) {
                    label.text = "again here".to_owned();
                }
                if let Some(first) = &first {
                    problem = problem.label(first, "first here");
                }
                self.problems.push(problem.help("rename or remove one of them, or give each its id"));
            }
        }
    }
}

fn identity_path(resource: &Described) -> Path {
    let named = |key: &&str| resource.value.get(key).is_some();
    ["name"].iter().find(|key| named(key)).map_or_else(Path::root, |key| Path::root().key(key))
}

fn take_id(spec: &KindSpec, value: &mut Value) -> Option<String> {
    // A member that is part of the identity tells resources apart under its own name.
    let member = spec.id.as_ref().filter(|id| !spec.identity.contains(id) && spec.shape == KindShape::Collection)?;
    let field_is_written = spec.field(member).is_some_and(|field| !field.read_only);
    if field_is_written {
        return None;
    }
    match value.as_object_mut()?.shift_remove(member) {
        Some(Value::String(id)) if !id.is_empty() => Some(id),
        _ => None,
    }
}

fn no_name(spec: &KindSpec, loci: &Loci) -> Problem {
    let members: Vec<String> = spec.identity.iter().map(|member| format!("`{member}`")).collect();
    Problem::error("missing-field", format!("one of `{}` cannot be named: it needs {}", spec.name, members.join(", ")))
        .at_maybe(loci.at(&Path::root()))
}

/// Says whether problems stop the run.
pub fn has_errors(problems: &[Problem]) -> bool {
    problems.iter().any(|problem| problem.severity == Severity::Error)
}

impl Filters {
    /// Returns these filters with the lists that the description's own `exclude:` and `include:` replace.
    #[must_use]
    pub fn replaced_by(
        &self,
        exclude: &IndexMap<String, Vec<String>>,
        include: &IndexMap<String, Vec<String>>,
    ) -> Filters {
        let mut filters = self.clone();
        for (kind, names) in exclude {
            filters.excluded_names.insert(kind.clone(), names.clone());
        }
        for (kind, names) in include {
            filters.included_names.insert(kind.clone(), names.clone());
        }
        filters
    }
}

#[cfg(test)]
mod tests;
