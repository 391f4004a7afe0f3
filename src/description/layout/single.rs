//! The single YAML file.

use indexmap::IndexMap;

use super::kinds::{Meaning, dropped, meaning, unknown_kind, unsupported};
use super::{KindNodes, Reading, ResourceNode, file_name, split_extension};
use crate::description::node::{Member, Node, NodeValue};
use crate::problem::Problem;
use crate::schema::{KindShape, KindSpec};

/// Folder of the kind whose screens the single file keeps as paths of JSON files.
const SCREENS: &str = "prompts";

impl Reading<'_> {
    /// Reads the single file.
    pub(super) fn single(&mut self, file: &str) {
        let (_, extension) = split_extension(file_name(file));
        if !matches!(extension, "yaml" | "yml") {
            let problem =
                Problem::error("unknown-format", "a description is a folder, or a file that ends in .yaml or .yml")
                    .at(&self.tree.locus(file));
            self.problem(problem);
            return;
        }
        let Some(node) = self.load(file) else { return };
        let NodeValue::Object(map) = node.value else {
            if node.value != NodeValue::Null {
                self.problem(
                    Problem::error("wrong-type", format!("a description is an object with kinds, not {}", node.sort()))
                        .at(&node.locus),
                );
            }
            return;
        };
        for member in map.members {
            self.root_member(member, file);
        }
    }

    fn root_member(&mut self, member: Member, file: &str) {
        let locus = member.key_locus;
        let Some(name) = member.key.as_str() else {
            let title =
                format!("`{}` stands where a kind is expected: a kind is not a marker", member.key.as_written());
            self.problem(Problem::error("unknown-kind", title).at(&locus));
            return;
        };
        match name {
            "exclude" => self.out.description.exclude = self.names_by_kind(&member.value, name),
            "include" => self.out.description.include = self.names_by_kind(&member.value, name),
            name => match meaning(name, self.options.registry) {
                // Nothing is written of it: it is not described.
                _ if member.value.is_null() => {}
                _ if !self.options.filters.covers_kind(name) => {}
                Meaning::Kind => {
                    let Some(spec) = self.options.registry.kind(name) else { return };
                    if let Some(mut resources) = self.resources(spec, member.value, file) {
                        if super::claim::folder_of(spec, self.options) == SCREENS {
                            resources.iter_mut().for_each(super::partials::renderers);
                        }
                        self.out.description.kinds.insert(name.to_owned(), KindNodes { locus, resources });
                    }
                }
                Meaning::Unsupported => self.problem(unsupported(name, &locus, self.options.compatibility)),
                Meaning::Dropped(version) => self.problem(dropped(name, version, &locus, self.options.compatibility)),
                Meaning::Unknown => {
                    if let Some(mut problem) = unknown_kind(name, self.options.registry) {
                        problem = problem.at(&locus);
                        self.problem(problem);
                    }
                }
            },
        }
    }

    /// Takes the resources out of a kind's value.
    pub(super) fn resources(&mut self, spec: &KindSpec, node: Node, file: &str) -> Option<Vec<ResourceNode>> {
        let resource = |node| ResourceNode { node, file: file.to_owned(), side_texts: Vec::new() };
        match (spec.shape, node) {
            (KindShape::Single, node) if node.as_object().is_some() => Some(vec![resource(node)]),
            (KindShape::Collection, Node { value: NodeValue::Array(items), .. }) => {
                Some(items.into_iter().map(resource).collect())
            }
            (shape, node) => {
                let takes = if shape == KindShape::Single { "an object" } else { "a list" };
                let title = format!("`{}` takes {takes}, not {}", spec.name, node.sort());
                self.problem(Problem::error("wrong-type", title).at(&node.locus));
                None
            }
        }
    }

    /// Reads `exclude:` and `include:`: lists of names by kind.
    fn names_by_kind(&mut self, node: &Node, key: &str) -> IndexMap<String, Vec<String>> {
        let mut names = IndexMap::new();
        let wrong =
            |node: &Node| Problem::error("wrong-type", format!("`{key}` takes lists of names by kind")).at(&node.locus);
        let NodeValue::Object(map) = &node.value else {
            if !node.is_null() {
                self.problem(wrong(node));
            }
            return names;
        };
        for member in map.iter() {
            let Some(kind) = member.key.as_str() else {
                self.problem(wrong(&member.value));
                continue;
            };
            // `defaults` names what auth0-deploy-cli leaves out of exports; there is nothing to leave alone.
            if kind != "defaults"
                && let Some(problem) = unknown_kind(kind, self.options.registry)
            {
                self.problem(problem.at(&member.key_locus));
                continue;
            }
            let Some(items) = member.value.as_array() else {
                if !member.value.is_null() {
                    self.problem(wrong(&member.value));
                }
                continue;
            };
            let mut list = Vec::new();
            for item in items {
                match item.as_str() {
                    Some(name) => list.push(name.to_owned()),
                    None => self.problem(wrong(item)),
                }
            }
            if kind != "defaults" {
                names.insert(kind.to_owned(), list);
            }
        }
        names
    }
}
