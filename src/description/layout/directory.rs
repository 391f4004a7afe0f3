//! The directory layout: a folder per kind.

use std::collections::BTreeMap;

use super::claim::{EXTENSIONS, empty_is_absent, folder_of, is_gathered, own_files, stems, variants};
use super::kinds::{dropped, unsupported};
use super::known::{DROPPED, Home, KINDS, PIECES, Piece, PieceHome};
use super::tree::{file_name, join, parent, split_extension};
use super::{KindNodes, Reading, ResourceNode};
use crate::description::node::{Member, Node, NodeMap, NodeValue, Text};
use crate::model::Locus;
use crate::problem::{Problem, closest};
use crate::schema::{Directory, KindSpec};

impl Reading<'_> {
    /// Reads the directory.
    pub(super) fn directory(&mut self) {
        let registry = self.options.registry;
        let own = own_files(self.options);
        for spec in registry.kinds().filter(|spec| self.options.filters.covers_kind(&spec.name)) {
            let read = match &spec.directory {
                _ if is_gathered(spec) => self.gathered(spec, None),
                Directory::Files { file, .. } if file.contains('/') => self.folders(spec, file),
                Directory::Files { .. } => self.files(spec, &own),
                Directory::File { path } => self.gathered(spec, Some(path)),
                Directory::Array { path } => self.array(spec, path),
            };
            if let Some(nodes) = read {
                self.out.description.kinds.insert(spec.name.clone(), nodes);
            }
        }
        self.strangers(&own);
    }

    /// One file per resource.
    fn files(&mut self, spec: &KindSpec, own: &[String]) -> Option<KindNodes> {
        let folder = folder_of(spec, self.options).to_owned();
        if !self.tree.has_folder(&folder) {
            return None;
        }
        let mut resources = Vec::new();
        for (_, paths) in stems(self.tree, &folder, own) {
            if let Some(path) = self.only(&paths) {
                resources.extend(self.resource(spec, &path));
            }
        }
        Some(KindNodes { locus: self.tree.locus(&folder), resources })
    }

    /// One folder per resource.
    fn folders(&mut self, spec: &KindSpec, template: &str) -> Option<KindNodes> {
        let folder = folder_of(spec, self.options).to_owned();
        if !self.tree.has_folder(&folder) {
            return None;
        }
        let name = file_name(template);
        let mut resources = Vec::new();
        let inside: Vec<String> = self.tree.folders_in(&folder).map(|inner| join(&folder, inner)).collect();
        for inner in inside {
            let paths = variants(self.tree, &join(&inner, name));
            if paths.is_empty() {
                // Taken for absent, the live resource would count as removed.
                self.problem(
                    Problem::error("missing-file", format!("{} has no {name}.json", self.tree.shown(&inner)))
                        .at(&self.tree.locus(&inner))
                        .help(format!("add {name}.json, or remove the folder")),
                );
            } else if let Some(path) = self.only(&paths) {
                resources.extend(self.resource(spec, &path));
            }
        }
        for paths in stems(self.tree, &folder, &[]).into_values() {
            for path in paths {
                self.problem(
                    Problem::warning("ignored-file", format!("{} is not read", self.tree.shown(&path)))
                        .at(&self.tree.locus(&path))
                        .help(format!("`{}` are read from {folder}/NAME/{name}.json", spec.name)),
                );
            }
        }
        Some(KindNodes { locus: self.tree.locus(&folder), resources })
    }

    /// One file with the list of all.
    fn array(&mut self, spec: &KindSpec, path: &str) -> Option<KindNodes> {
        let paths = variants(self.tree, path);
        if paths.is_empty() {
            let folder = parent(path);
            let described = !folder.is_empty() && !stems(self.tree, folder, &[]).is_empty();
            if described {
                self.problem(
                    Problem::error(
                        "missing-file",
                        format!("{} has no {}.json", self.tree.shown(folder), file_name(path)),
                    )
                    .at(&self.tree.locus(folder))
                    .help(format!("`{}` are one list in {path}.json", spec.name)),
                );
            }
            return None;
        }
        let file = self.only(&paths)?;
        let node = self.load(&file)?;
        let resources = self.resources(spec, node, &file)?;
        Some(KindNodes { locus: self.tree.locus(&file), resources })
    }

    /// One object: a file, or pieces of it in files of their own, or both.
    fn gathered(&mut self, spec: &KindSpec, path: Option<&str>) -> Option<KindNodes> {
        let folder = folder_of(spec, self.options).to_owned();
        let main = path.and_then(|path| self.main_file(path, &folder));
        let mut object = match &main {
            Some(file) => {
                let node = self.load(file)?;
                self.object(spec, node)?
            }
            None => Node { locus: self.tree.locus(&folder), value: NodeValue::Object(NodeMap::default()) },
        };
        let mut file = main;
        let mut side_texts = Vec::new();
        for piece in PIECES.iter().filter(|piece| piece.folder == folder) {
            let Some((from, node)) = self.piece(piece) else { continue };
            if matches!(piece.home, PieceHome::Partials(_)) {
                side_texts = super::partials::texts(&node, piece);
            }
            let key_locus = node.locus.clone();
            if let NodeValue::Object(map) = &mut object.value {
                map.members.retain(|member| member.key.as_str() != Some(piece.member));
                map.members.push(Member { key: Text::plain(piece.member), key_locus, value: node });
            }
            if file.is_none() {
                object.locus = self.tree.locus(&from);
                file = Some(from);
            }
        }
        let file = file?;
        let locus = object.locus.clone();
        Some(KindNodes { locus, resources: vec![ResourceNode { node: object, file, side_texts }] })
    }

    /// Finds the file of a kind that has one; a folder of its own may call it what it likes.
    fn main_file(&mut self, path: &str, folder: &str) -> Option<String> {
        let named = variants(self.tree, path);
        if !named.is_empty() {
            return self.only(&named);
        }
        let shared = KINDS.iter().filter(|(_, home)| match home {
            Home::Folder(other) => *other == folder,
            Home::File(other) => parent(other) == folder,
        });
        if folder.is_empty() || folder.contains('/') || shared.count() > 1 || PIECES.iter().any(|p| p.folder == folder)
        {
            return None;
        }
        // auth0-deploy-cli takes the first JSON file of such a folder; where there are several that is a guess.
        let others: Vec<String> = stems(self.tree, folder, &[]).into_values().flatten().collect();
        match &others[..] {
            [] => None,
            [only] => Some(only.clone()),
            [first, ..] => {
                let problem =
                    Problem::error("duplicate-file", format!("{folder}/ holds several files, none is {path}.json"))
                        .at(&self.tree.locus(first))
                        .help(format!("keep one, as {path}.json"));
                self.problem(problem);
                None
            }
        }
    }

    fn piece(&mut self, piece: &Piece) -> Option<(String, Node)> {
        match piece.home {
            PieceHome::File(name) => {
                let file = self.only(&variants(self.tree, &join(piece.folder, name)))?;
                Some((file.clone(), self.load(&file)?))
            }
            PieceHome::Partials(name) => {
                let file = self.only(&variants(self.tree, &join(piece.folder, name)))?;
                let node = self.load(&file)?;
                Some((file, super::partials::by_screen(node, &mut self.out.problems)))
            }
            PieceHome::List(name) => {
                let folder = join(piece.folder, name);
                let nodes = self.nodes_in(&folder);
                let first = nodes.first().map(|(file, _)| file.clone())?;
                let items = nodes.into_iter().map(|(_, node)| node).collect();
                Some((first, Node { locus: self.tree.locus(&folder), value: NodeValue::Array(items) }))
            }
            PieceHome::Screens(name) => {
                let folder = join(piece.folder, name);
                let nodes = self.nodes_in(&folder);
                let first = nodes.first().map(|(file, _)| file.clone())?;
                let locus = self.tree.locus(&folder);
                Some((first, super::partials::screens(nodes, &locus, &mut self.out.problems)))
            }
        }
    }

    fn nodes_in(&mut self, folder: &str) -> Vec<(String, Node)> {
        let mut nodes = Vec::new();
        for paths in stems(self.tree, folder, &[]).into_values() {
            if let Some(path) = self.only(&paths)
                && let Some(node) = self.load(&path)
            {
                nodes.push((path, node));
            }
        }
        nodes
    }

    fn resource(&mut self, spec: &KindSpec, path: &str) -> Option<ResourceNode> {
        let node = self.load(path)?;
        let node = self.object(spec, node)?;
        let is_empty = node.as_object().is_some_and(|map| map.members.is_empty());
        if is_empty && empty_is_absent(parent(path)) {
            self.problem(
                Problem::warning("empty-file", "this file describes nothing and is left out")
                    .at(&node.locus)
                    .help("remove it, or describe a resource in it"),
            );
            return None;
        }
        Some(ResourceNode { node, file: path.to_owned(), side_texts: Vec::new() })
    }

    fn object(&mut self, spec: &KindSpec, node: Node) -> Option<Node> {
        if node.as_object().is_some() {
            return Some(node);
        }
        self.problem(
            Problem::error("wrong-type", format!("a file of `{}` holds an object, not {}", spec.name, node.sort()))
                .at(&node.locus),
        );
        None
    }

    /// Returns the one file; several of one name are an error.
    fn only(&mut self, paths: &[String]) -> Option<String> {
        if let [first, second, ..] = paths {
            let title = format!("{} and {} describe the same thing", self.tree.shown(first), self.tree.shown(second));
            let problem = Problem::error("duplicate-file", title)
                .at(&self.tree.locus(first))
                .at(&self.tree.locus(second))
                .help("keep one of them");
            self.problem(problem);
            return None;
        }
        paths.first().cloned()
    }

    /// Looks at what no kind of Tenantry claims.
    fn strangers(&mut self, own: &[String]) {
        for name in ["tenant.yaml", "tenant.yml"].into_iter().filter(|name| self.tree.has_file(name)) {
            let title = format!("{name} stands beside files of the directory layout");
            let problem = if self.options.compatibility {
                Problem::warning("ignored-file", format!("{title}: it is not read"))
            } else {
                Problem::error("two-layouts", title)
            };
            let problem = problem
                .at(&self.tree.locus(name))
                .note("tenant.yaml is a description of its own; in a directory the tenant settings are tenant.json")
                .help(format!("name {name} itself with -i, or move its content into the folders"));
            self.problem(problem);
        }
        for (kind, home) in KINDS {
            if self.options.registry.kind(kind).is_some() || !self.options.filters.covers_kind(kind) {
                continue;
            }
            let first = match home {
                Home::File(path) => variants(self.tree, path).into_iter().next(),
                Home::Folder(folder) => std::iter::once(folder.to_owned())
                    .chain(self.tree.folders_in(folder).map(|name| join(folder, name)))
                    .find_map(|folder| stems(self.tree, &folder, own).into_values().flatten().next()),
            };
            if let Some(file) = first {
                self.problem(unsupported(kind, &self.tree.locus(&file), self.options.compatibility));
            }
        }
        self.near_misses();
    }

    fn near_misses(&mut self) {
        let known: Vec<String> = KINDS
            .iter()
            .map(|(_, home)| match home {
                Home::Folder(folder) => top(folder).to_owned(),
                Home::File(path) => top(parent(path)).to_owned(),
            })
            .chain(self.options.registry.kinds().map(|spec| top(folder_of(spec, self.options)).to_owned()))
            .filter(|folder| !folder.is_empty())
            .collect();
        let folders: Vec<String> = self.tree.folders_in("").map(str::to_owned).collect();
        for folder in folders.iter().filter(|folder| !known.contains(folder)) {
            let locus = self.tree.locus(folder);
            if let Some((kind, version)) = DROPPED.iter().find(|(kind, _)| *kind == folder.as_str()) {
                if self.options.compatibility {
                    self.problem(dropped(kind, version, &locus, true));
                }
                continue;
            }
            let holds_files = self.holds_files(folder);
            if let Some(near) = closest(folder, known.iter().map(String::as_str)).filter(|_| holds_files) {
                self.problem(
                    Problem::warning("near-miss-folder", format!("the folder {folder}/ is not read"))
                        .at(&locus)
                        .help(format!("did you mean {near}/?")),
                );
            }
        }
    }

    fn holds_files(&self, folder: &str) -> bool {
        let inner = self.tree.folders_in(folder).map(|name| join(folder, name));
        std::iter::once(folder.to_owned())
            .chain(inner)
            .any(|folder| self.tree.files_in(&folder).any(|name| EXTENSIONS.contains(&split_extension(name).1)))
    }
}

/// Returns the first part of a path.
fn top(path: &str) -> &str {
    path.split('/').next().unwrap_or(path)
}

/// Collects members by key, in order, for objects that are made rather than written.
pub(super) fn object_of(locus: &Locus, members: BTreeMap<String, Node>) -> Node {
    let members = members
        .into_iter()
        .map(|(key, value)| Member { key: Text::plain(key), key_locus: value.locus.clone(), value })
        .collect();
    Node { locus: locus.clone(), value: NodeValue::Object(NodeMap { members }) }
}
