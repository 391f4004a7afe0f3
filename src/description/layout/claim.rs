//! Which files of a directory belong to which kind.

use std::collections::BTreeMap;

use super::LayoutOptions;
use super::known::{EMPTY_IS_ABSENT, Home, KINDS, SINGLE_FILE_JSON};
use super::tree::{Tree, join, parent, split_extension};
use crate::schema::{Directory, KindShape, KindSpec};

/// Extensions a kind's files may have, the first as auth0-deploy-cli writes them.
pub(super) const EXTENSIONS: [&str; 3] = ["json", "yaml", "yml"];

/// Returns the folder of a kind in a directory; `""` where it is a file of the root.
pub(super) fn folder_of<'a>(spec: &'a KindSpec, options: &'a LayoutOptions<'_>) -> &'a str {
    let folder = match &spec.directory {
        Directory::Files { folder, .. } => folder.as_str(),
        Directory::File { path } | Directory::Array { path } => parent(path),
    };
    match &options.connections_directory {
        Some(other) if folder == "connections" => other.trim_end_matches('/'),
        _ => folder,
    }
}

/// Says whether the kind is one object gathered from several files of its folder.
pub(super) fn is_gathered(spec: &KindSpec) -> bool {
    spec.shape == KindShape::Single && matches!(spec.directory, Directory::Files { .. })
}

/// Returns the files of a path without extension that are there.
pub(super) fn variants(tree: &Tree, path: &str) -> Vec<String> {
    EXTENSIONS
        .iter()
        // The tenant's settings in a directory are tenant.json: tenant.yaml is always the single file.
        .filter(|extension| path != "tenant" || **extension == "json")
        .map(|extension| format!("{path}.{extension}"))
        .filter(|file| tree.has_file(file))
        .collect()
}

/// Returns the paths (without extension) that some kind keeps as a file of its own.
pub(super) fn own_files(options: &LayoutOptions<'_>) -> Vec<String> {
    let known = KINDS.iter().filter_map(|(_, home)| match home {
        Home::File(path) => Some((*path).to_owned()),
        Home::Folder(_) => None,
    });
    let ours = options.registry.kinds().filter_map(|spec| match &spec.directory {
        Directory::File { path } | Directory::Array { path } => Some(path.clone()),
        Directory::Files { .. } => None,
    });
    known.chain(ours).collect()
}

/// Returns the kind's files that lie directly in a folder, by stem; files that another kind has for itself are left out.
pub(super) fn stems(tree: &Tree, folder: &str, own: &[String]) -> BTreeMap<String, Vec<String>> {
    let mut stems: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for name in tree.files_in(folder) {
        let (stem, extension) = split_extension(name);
        let path = join(folder, stem);
        if EXTENSIONS.contains(&extension) && !own.contains(&path) {
            stems.entry(stem.to_owned()).or_default().push(join(folder, name));
        }
    }
    stems
}

/// Returns a file that describes something in the directory layout, whatever its kind.
pub(super) fn first_described_file(tree: &Tree, options: &LayoutOptions<'_>) -> Option<String> {
    let known = KINDS.iter().map(|(_, home)| match home {
        Home::Folder(folder) => (*folder, None),
        Home::File(path) => (parent(path), Some((*path).to_owned())),
    });
    let ours = options.registry.kinds().map(|spec| {
        let file = match &spec.directory {
            Directory::File { path } | Directory::Array { path } => Some(path.clone()),
            Directory::Files { .. } => None,
        };
        (folder_of(spec, options), file)
    });
    known.chain(ours).find_map(|(folder, file)| match file {
        Some(path) => variants(tree, &path).into_iter().next(),
        None if SINGLE_FILE_JSON.contains(&folder) => None,
        None => {
            let inside =
                std::iter::once(folder.to_owned()).chain(tree.folders_in(folder).map(|name| join(folder, name)));
            inside
                .filter(|folder| !SINGLE_FILE_JSON.contains(&folder.as_str()))
                .find_map(|folder| stems(tree, &folder, &[]).into_values().flatten().next())
        }
    })
}

/// Says whether auth0-deploy-cli leaves out files of this folder that hold `{}`.
pub(super) fn empty_is_absent(folder: &str) -> bool {
    EMPTY_IS_ABSENT.contains(&folder)
}
