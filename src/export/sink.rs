//! What does not stand in a resource's own file: secrets, and texts with files of their own.

use std::path::PathBuf;

use super::Format;
use super::lay::Writer;
use super::name::{expand, part};
use super::resource::Elsewhere;
use super::text::{Out, marker_in};
use crate::description::layout::{join, parent, split_extension};
use crate::model::{Address, Map};
use crate::schema::{Directory, FieldSpec, FileBase, FileSpec, KindSpec, MissingFile, TextKind};

/// Where one resource's values go.
pub(super) struct Sink<'w, 'a> {
    pub(super) writer: &'w mut Writer<'a>,
    pub(super) spec: &'w KindSpec,
    pub(super) address: &'w Address,
    pub(super) suffix: &'w str,
    /// The resource's own file, without extension.
    pub(super) path: &'w str,
}

impl Elsewhere for Sink<'_, '_> {
    fn secret(&mut self, path: &str) -> Out {
        self.writer.secret(self.address, path)
    }

    fn reveals(&self) -> bool {
        self.writer.options.secrets
    }

    fn side_file(
        &mut self,
        field: &FieldSpec,
        file: &FileSpec,
        inside: &[&Map],
        path: &str,
        text: &str,
    ) -> Option<Out> {
        let (base, default) = match self.writer.options.format {
            Format::Directory => (&file.directory, &file.default_directory),
            Format::Single => (&file.single, &file.default_single),
        };
        let folder = self.folder(base)?;
        let unfit = marker_in(text).or_else(|| text.contains('\0').then_some("\\0"));
        if let Some(found) = unfit {
            // Inside the file of the resource it can be escaped; the reader takes such a text for no path.
            if (file.optional || file.missing == MissingFile::Text) && text.contains(['\n', '<', '\0']) {
                return None;
            }
            self.writer.marker(&format!("{} {path}", self.address), found);
        }
        let fallback = format!("{}_{}", self.path, part(path));
        let expanded = match default {
            Some(template) => {
                let made = expand(template, self.suffix, &|member| self.writer.value_of(self.spec, inside, member));
                if template.contains('/') { made } else { join(&folder, &made) }
            }
            None => format!("{fallback}.{}", extension(field)),
        };
        let (stem, extension) = split_extension(&expanded);
        let full = self.writer.free(stem, &format!(".{extension}"), self.path, &format!("{} {path}", self.address));
        self.writer.files.insert(PathBuf::from(&full), text.to_owned());
        let below = if folder.is_empty() { None } else { full.strip_prefix(&format!("{folder}/")).map(str::to_owned) };
        Some(Out::Text(below.unwrap_or(full)))
    }
}

impl Sink<'_, '_> {
    /// Returns the folder that a side file's path is relative to; `None` where the text stands in the resource.
    fn folder(&self, base: &FileBase) -> Option<String> {
        let in_directory = self.writer.options.format == Format::Directory;
        let kind_folder = || match &self.spec.directory {
            Directory::Files { folder, .. } => folder.clone(),
            Directory::File { path } | Directory::Array { path } => parent(path).to_owned(),
        };
        match base {
            FileBase::Inline => None,
            FileBase::Root => Some(String::new()),
            FileBase::Kind if in_directory => Some(parent(self.path).to_owned()),
            FileBase::Kind => Some(kind_folder()),
            FileBase::File if in_directory => Some(parent(self.path).to_owned()),
            FileBase::File => Some(String::new()),
            // Its name would depend on the resource's: paths from the root are read just as well.
            FileBase::Folder(folder) if folder.contains('{') => Some(String::new()),
            FileBase::Folder(folder) => Some(folder.clone()),
        }
    }
}

fn extension(field: &FieldSpec) -> &'static str {
    match field.text {
        Some(TextKind::Js) => "js",
        Some(TextKind::Html) => "html",
        Some(TextKind::Liquid) => "liquid",
        Some(TextKind::Pem) => "pem",
        None => "txt",
    }
}
