//! Joins what stands in files of its own: code, pages, e-mail bodies, partials.

use std::collections::BTreeSet;

use super::layout::{FileState, Layout, ResourceNode, Tree, clean, file_name, join, leaves, parent, split_extension};
use super::{Format, Leniency, Variables, fill_text, load, render};
use indexmap::IndexMap;

use crate::model::{Loci, Locus, Map, Path, Segment, Sources, Value};
use crate::problem::Problem;
use crate::schema::{FieldSpec, FileBase, FileSpec, KindSpec, MissingFile};

/// Longest text that may be meant as a path, in bytes.
const LONGEST_PATH_BYTES: usize = 1024;

/// What joining needs, and what it finds.
pub(super) struct Joiner<'a> {
    pub(super) tree: &'a Tree,
    pub(super) layout: &'a Layout,
    pub(super) variables: &'a Variables,
    pub(super) compatibility: bool,
    pub(super) problems: Vec<Problem>,
    pub(super) wanted: BTreeSet<String>,
    pub(super) sources: Sources,
    /// Paths of the side files that were joined.
    pub(super) files: BTreeSet<String>,
    /// Members of the resource at hand that are left out: their file is missing, with a warning.
    pub(super) dropped: Vec<Path>,
}

/// The resource whose files are joined.
struct Subject<'a> {
    spec: &'a KindSpec,
    /// Path of the file it stands in.
    file: &'a str,
    /// Its top-level members, for templates of paths.
    members: Map,
}

/// What became of looking for a file.
enum Found {
    /// It is there.
    At(String),
    /// It is not; the path it was expected at.
    Nowhere(String),
    /// It has to be read first, or a problem was noted.
    Later,
}

impl Joiner<'_> {
    /// Replaces every path to a side file by what stands there.
    pub(super) fn join(&mut self, spec: &KindSpec, node: &ResourceNode, value: &mut Value, loci: &mut Loci) {
        let Some(members) = value.as_object().cloned() else { return };
        let subject = Subject { spec, file: &node.file, members };
        self.left_out(&subject, value, loci);
        self.walk(&subject, &spec.fields, value, &Path::root(), loci);
        for side in &node.side_texts {
            let Some(place) = at_mut(value, &side.at) else { continue };
            let base = FileBase::Folder(side.base.clone());
            let file = FileSpec {
                directory: base.clone(),
                single: base,
                missing: if side.is_json { MissingFile::Error } else { MissingFile::Empty },
                missing_for: IndexMap::new(),
                json: side.is_json,
                optional: false,
                trim: !side.is_json,
                or_default: false,
                default_directory: None,
                default_single: None,
            };
            self.one(&subject, &file, place, &side.at, loci);
        }
        for path in std::mem::take(&mut self.dropped) {
            if let (Some(parent), Some(Segment::Key(key))) = (path.parent(), path.0.last())
                && let Some(map) = at_mut(value, &parent).and_then(Value::as_object_mut)
            {
                map.shift_remove(key);
            }
        }
    }

    /// Adds members that are left out because their file has the usual name: `pages/login.html` beside `pages/login.json`.
    fn left_out(&mut self, subject: &Subject<'_>, value: &mut Value, loci: &mut Loci) {
        if *self.layout != Layout::Directory {
            return;
        }
        let Some(map) = value.as_object_mut() else { return };
        for (name, field) in subject.spec.fields.members() {
            let Some(file) = &field.file else { continue };
            if map.get(name).is_some_and(|value| !matches!(value, Value::Null)) {
                continue;
            }
            let Some(found) = self.usual(subject, file) else { continue };
            map.insert(name.clone(), Value::String(found.clone()));
            loci.insert(Path::root().key(name), self.tree.locus(&found));
        }
    }

    /// Returns the file a member stands in when nothing names it: one with the same base name, or the template's. A member that
    /// may be the text itself is not looked for under its template: nobody may have meant a file.
    fn usual(&self, subject: &Subject<'_>, file: &FileSpec) -> Option<String> {
        let template = file.default_directory.as_ref()?;
        let (_, extension) = split_extension(file_name(template));
        let folder = parent(subject.file);
        let (stem, _) = split_extension(file_name(subject.file));
        let beside = join(folder, &format!("{stem}.{extension}"));
        if self.tree.has_file(&beside) {
            return Some(beside);
        }
        let named = clean(&expand(template, &subject.members).filter(|_| !file.optional)?);
        [named.clone(), join(folder, &named)].into_iter().find(|path| self.tree.has_file(path))
    }

    fn walk(&mut self, subject: &Subject<'_>, field: &FieldSpec, value: &mut Value, path: &Path, loci: &mut Loci) {
        if let Some(file) = &field.file {
            self.one(subject, file, value, path, loci);
            return;
        }
        match value {
            Value::Object(map) => {
                for (name, value) in map.iter_mut() {
                    if let Some(field) = field.member(name) {
                        self.walk(subject, field, value, &path.key(name), loci);
                    }
                }
            }
            Value::Array(items) => {
                let Some(field) = field.item() else { return };
                for (n, value) in items.iter_mut().enumerate() {
                    self.walk(subject, field, value, &path.index(n), loci);
                }
            }
            _ => {}
        }
    }

    fn one(&mut self, subject: &Subject<'_>, file: &FileSpec, value: &mut Value, path: &Path, loci: &mut Loci) {
        let Value::String(written) = &*value else { return };
        let base = match if *self.layout == Layout::Directory { &file.directory } else { &file.single } {
            FileBase::Inline => return,
            base => self.base(subject, base),
        };
        if written.is_empty() {
            return;
        }
        let is_no_path = written.len() > LONGEST_PATH_BYTES || written.contains(['\n', '\0', '<']);
        let may_be_text = file.optional || rule_of(subject, file) == MissingFile::Text;
        if may_be_text && is_no_path {
            return;
        }
        let locus = loci.at(path).cloned();
        match self.find(subject, &base, written, file, locus.as_ref()) {
            Found::At(found) => {
                if let Some(content) = self.content(file, &found, path, loci) {
                    *value = content;
                }
            }
            Found::Nowhere(expected) => match rule_of(subject, file) {
                MissingFile::Text => {}
                _ if file.optional => {}
                rule => self.missing(rule, &expected, value, path, locus.as_ref()),
            },
            Found::Later => {}
        }
    }

    /// Returns the folder paths of a member start at.
    fn base(&self, subject: &Subject<'_>, base: &FileBase) -> String {
        match base {
            FileBase::Root | FileBase::Inline => String::new(),
            FileBase::File => parent(subject.file).to_owned(),
            FileBase::Folder(template) => {
                expand(template, &subject.members).map(|folder| clean(&folder)).unwrap_or_default()
            }
            FileBase::Kind if *self.layout == Layout::Directory => parent(subject.file).to_owned(),
            FileBase::Kind => match &subject.spec.directory {
                crate::schema::Directory::Files { folder, .. } => folder.clone(),
                crate::schema::Directory::File { path } | crate::schema::Directory::Array { path } => {
                    parent(path).to_owned()
                }
            },
        }
    }

    fn find(
        &mut self,
        subject: &Subject<'_>,
        base: &str,
        written: &str,
        file: &FileSpec,
        locus: Option<&Locus>,
    ) -> Found {
        let named = clean(written);
        let rootless = named.trim_start_matches('/');
        let expected = clean(&join(base, rootless));
        for path in [expected.clone(), rootless.to_owned()] {
            if !leaves(&path) && self.tree.has_file(&path) {
                return Found::At(path);
            }
        }
        // Exports of older versions of auth0-deploy-cli wrote the output folder into the path.
        let parts: Vec<&str> = rootless.split('/').collect();
        for skipped in 1..parts.len().saturating_sub(1) {
            let rest = parts.get(skipped..).unwrap_or_default().join("/");
            if !rest.starts_with("..") && self.tree.has_file(&rest) {
                return Found::At(rest);
            }
        }
        let outside = if leaves(&expected) { expected.clone() } else { named };
        if leaves(&outside) && !file.optional {
            return self.outside(&outside, locus);
        }
        if *self.layout == Layout::Directory
            && (file.or_default || self.compatibility)
            && let Some(usual) = self.usual(subject, file)
        {
            return Found::At(usual);
        }
        Found::Nowhere(expected)
    }

    /// A file outside the description's folder: auth0-deploy-cli reads it with a warning.
    fn outside(&mut self, path: &str, locus: Option<&Locus>) -> Found {
        let title = format!("{} lies outside the description's folder", self.tree.shown(path));
        if !self.compatibility {
            self.problems.push(
                Problem::error("outside-folder", title)
                    .at_maybe(locus)
                    .help("move the file into the folder, or let `description` name a folder that holds both"),
            );
            return Found::Later;
        }
        match self.tree.get(path) {
            None | Some(FileState::Unread) => {
                self.wanted.insert(path.to_owned());
                Found::Later
            }
            Some(FileState::Absent) => Found::Nowhere(path.to_owned()),
            Some(_) => {
                self.problems.push(Problem::warning("outside-folder", title).at_maybe(locus));
                Found::At(path.to_owned())
            }
        }
    }

    fn content(&mut self, file: &FileSpec, found: &str, path: &Path, loci: &mut Loci) -> Option<Value> {
        let bytes = match self.tree.read(found) {
            Ok(bytes) => bytes,
            Err(Some(problem)) => {
                self.problems.push(problem);
                return None;
            }
            Err(None) => {
                self.wanted.insert(found.to_owned());
                return None;
            }
        };
        let shown = self.tree.shown(found);
        self.files.insert(found.to_owned());
        if let Ok(text) = std::str::from_utf8(bytes) {
            self.sources.insert(&shown, text);
        }
        if file.json {
            return self.structure(&shown, bytes, path, loci);
        }
        let leniency = if self.compatibility { Leniency::MarkersPass } else { Leniency::Strict };
        let (value, problems) = fill_text(&shown, bytes, self.variables, leniency);
        let failed = problems.iter().any(Problem::is_error);
        self.problems.extend(problems);
        loci.insert(path.clone(), Locus::file(&shown));
        match value {
            _ if failed => None,
            Value::String(text) if file.trim => Some(Value::String(text.trim().to_owned())),
            value => Some(value),
        }
    }

    /// Reads a side file that holds an object.
    fn structure(&mut self, shown: &str, bytes: &[u8], path: &Path, loci: &mut Loci) -> Option<Value> {
        let rendered = load(shown, bytes, Format::Json, &self.variables.known_names()).and_then(|loaded| {
            self.problems.extend(loaded.warnings);
            render(&loaded.node, self.variables)
        });
        match rendered {
            Ok(rendered) => {
                for (inner, locus) in rendered.loci.iter() {
                    let mut whole = path.clone();
                    whole.0.extend(inner.0.iter().cloned());
                    loci.insert(whole, locus.clone());
                }
                Some(rendered.value)
            }
            Err(problems) => {
                self.problems.extend(problems);
                None
            }
        }
    }

    fn missing(&mut self, rule: MissingFile, expected: &str, value: &mut Value, path: &Path, locus: Option<&Locus>) {
        let shown = self.tree.shown(expected);
        let title = if shown.len() > LONGEST_PATH_BYTES || shown.contains('\n') {
            "a file name is expected here, not its content".to_owned()
        } else {
            format!("{shown} is missing")
        };
        let near =
            crate::problem::closest(file_name(expected), self.tree.files_in(parent(expected)).collect::<Vec<_>>());
        let mut problem = Problem::error("missing-file", title).at_maybe(locus);
        problem = match near {
            Some(near) => problem.help(format!("did you mean `{near}`?")),
            None => problem.help("add the file, or correct the path"),
        };
        match rule {
            MissingFile::Warn | MissingFile::Empty if self.compatibility => {
                problem.severity = crate::problem::Severity::Warning;
                if rule == MissingFile::Empty {
                    *value = Value::String(String::new());
                } else {
                    // Nothing is known of it: it is not described.
                    self.dropped.push(path.clone());
                }
            }
            _ => {}
        }
        self.problems.push(problem);
    }
}

/// Returns what a missing file means for this resource.
fn rule_of(subject: &Subject<'_>, file: &FileSpec) -> MissingFile {
    let names = subject.spec.identity.iter().filter_map(|member| subject.members.get(member)?.as_str());
    names.filter_map(|name| file.missing_for.get(name)).next().copied().unwrap_or(file.missing)
}

/// Returns the value at a path of members.
fn at_mut<'v>(value: &'v mut Value, path: &Path) -> Option<&'v mut Value> {
    path.0.iter().try_fold(value, |value, segment| match segment {
        Segment::Key(key) => value.as_object_mut()?.get_mut(key),
        Segment::Index(_) | Segment::Item(_) => None,
    })
}

/// Fills `{member}` of a template of a path; what comes from a value is made safe as part of a path.
fn expand(template: &str, members: &Map) -> Option<String> {
    let mut out = String::new();
    let mut rest = template;
    while let Some((before, after)) = rest.split_once('{') {
        let (name, behind) = after.split_once('}')?;
        out.push_str(before);
        out.push_str(&super::layout::safe_name(members.get(name)?.as_str()?));
        rest = behind;
    }
    out.push_str(rest);
    Some(out)
}
