//! Which file holds what: the layouts of auth0-deploy-cli, written.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::path::PathBuf;

use indexmap::IndexMap;

use super::name::{expand, hash, part, sameness};
use super::resource::{stripped, written};
use super::sink::Sink;
use super::text::{Out, json, marker_in, yaml};
use super::{Export, ExportOptions, FileFormat, Format};
use crate::description::layout::{PIECES, PieceHome, join, parent};
use crate::model::{Address, Live, LiveKind, LiveResource, Map, Unavailable, Value};
use crate::problem::Problem;
use crate::quirk;
use crate::schema::{Directory, KindShape, KindSpec, Registry};

/// The one file of the single layout.
const SINGLE_FILE: &str = "tenant.yaml";

/// One export under way.
pub(super) struct Writer<'a> {
    registry: &'a Registry,
    live: &'a Live,
    pub(super) options: &'a ExportOptions,
    /// Names by the value that a literal reference holds, by kind.
    named: HashMap<(&'a str, &'a str), &'a str>,
    /// Paths that have a file of their own, as [`sameness`] sees them.
    taken: HashSet<String>,
    /// Files of resources without their extension: a text beside one is taken for its own.
    stems: HashSet<String>,
    /// Names of secrets that several places would have.
    shared: BTreeSet<String>,
    /// Places by the name of their secret.
    secrets: IndexMap<String, Vec<String>>,
    root: Vec<(String, Out)>,
    pub(super) files: IndexMap<PathBuf, String>,
    report: Vec<Problem>,
}

/// Writes a tenant.
pub(super) fn export(registry: &Registry, live: &Live, options: &ExportOptions) -> Export {
    let first = Writer::run(registry, live, options, BTreeSet::new());
    let repeated = |(name, places): (&String, &Vec<String>)| (places.len() > 1).then(|| name.clone());
    let shared: BTreeSet<String> = first.secrets.iter().filter_map(repeated).collect();
    let done = if shared.is_empty() { first } else { Writer::run(registry, live, options, shared) };
    done.finish()
}

impl<'a> Writer<'a> {
    fn run(registry: &'a Registry, live: &'a Live, options: &'a ExportOptions, shared: BTreeSet<String>) -> Self {
        let mut writer = Writer {
            registry,
            live,
            options,
            named: named(registry, live),
            taken: HashSet::new(),
            stems: HashSet::new(),
            shared,
            secrets: IndexMap::new(),
            root: Vec::new(),
            files: IndexMap::new(),
            report: Vec::new(),
        };
        for spec in registry.kinds().filter(|spec| options.filters.covers_kind(&spec.name)) {
            writer.kind(spec);
        }
        if options.format == Format::Single && !writer.root.is_empty() {
            let root = Out::Object(std::mem::take(&mut writer.root));
            writer.files.insert(PathBuf::from(SINGLE_FILE), yaml(&root));
        }
        writer
    }

    fn finish(mut self) -> Export {
        if !self.secrets.is_empty() {
            let mut problem = Problem::remark(
                "export-secrets",
                format!("{} secrets are not in the files, which ask for them by name", self.secrets.len()),
            );
            for (name, places) in &self.secrets {
                problem = problem.note(format!("secrets.{name}: {}", places.join(", ")));
            }
            self.report.push(problem.help("declare them under `secrets`, or set TENANTRY_SECRET_NAME for each"));
        }
        self.files.sort_keys();
        let secrets = self.secrets.into_keys().collect();
        Export { files: self.files, secrets, report: crate::problem::sorted(self.report) }
    }

    fn kind(&mut self, spec: &'a KindSpec) {
        let live = self.live;
        let found = match live.kinds.get(&spec.name) {
            Some(LiveKind::Read(found)) => found,
            Some(LiveKind::Unavailable(why)) => {
                self.report.push(unavailable(&spec.name, why));
                return;
            }
            None => {
                self.report.push(Problem::warning("export-unreadable", format!("`{}` were not read", spec.name)));
                return;
            }
        };
        let resources = self.chosen(spec, found);
        if resources.is_empty() {
            let title = format!("there are no `{}` to write: the kind is left out", spec.name);
            self.report
                .push(Problem::remark("export-empty-kind", title).note("a kind that is left out is not managed"));
            return;
        }
        let suffixes = self.suffixes(spec, &resources);
        let mut list = Vec::new();
        for (resource, suffix) in resources.iter().zip(suffixes) {
            self.resource(spec, resource, &suffix, &mut list);
        }
        if list.is_empty() {
            return;
        }
        match (&spec.directory, self.options.format) {
            (_, Format::Single) => self.root.push((spec.name.clone(), Out::List(list))),
            (Directory::Array { path } | Directory::File { path }, Format::Directory) => {
                self.file(path, &Out::List(list))
            }
            // Each resource has its own file already.
            (Directory::Files { .. }, Format::Directory) => {}
        }
    }

    /// Returns the resources to be written, sorted by address; the others are reported.
    fn chosen(&mut self, spec: &KindSpec, found: &'a [LiveResource]) -> Vec<&'a LiveResource> {
        let mut left_out = Vec::new();
        let mut chosen = Vec::new();
        for resource in found {
            match &resource.system {
                _ if !self.options.filters.covers(&resource.address, &resource.value) => {}
                Some(why) => left_out.push((&resource.address, why)),
                None => chosen.push(resource),
            }
        }
        if !left_out.is_empty() {
            left_out.sort();
            let belongs = if left_out.len() == 1 { "belongs" } else { "belong" };
            let title =
                format!("left out of `{}`: {} that {belongs} to Auth0 or to this client", spec.name, left_out.len());
            let mut problem = Problem::remark("export-system", title);
            for (address, why) in left_out {
                problem =
                    problem.note(format!("{address}: {}", if why == "own" { "this client stands on it" } else { why }));
            }
            self.report.push(problem);
        }
        chosen.sort_by(|a, b| (&a.address, &a.id).cmp(&(&b.address, &b.id)));
        chosen
    }

    /// Returns what is added to the file names of each resource, so that no disk takes two for one.
    fn suffixes(&mut self, spec: &KindSpec, resources: &[&LiveResource]) -> Vec<String> {
        let Directory::Files { folder, file } = &spec.directory else { return vec![String::new(); resources.len()] };
        let own_files: HashSet<String> = self
            .registry
            .kinds()
            .filter_map(|other| match &other.directory {
                Directory::File { path } | Directory::Array { path } => Some(sameness(path)),
                Directory::Files { .. } => None,
            })
            .collect();
        let keys: Vec<String> = resources
            .iter()
            .map(|resource| {
                let members = resource.value.as_object().cloned().unwrap_or_default();
                sameness(&join(folder, &expand(file, "", &|member| self.value_of(spec, &[&members], member))))
            })
            .collect();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for key in &keys {
            *counts.entry(key).or_default() += 1;
        }
        self.stems.extend(keys.iter().cloned());
        let is_taken = |key: &String| counts.get(key.as_str()).is_some_and(|n| *n > 1) || own_files.contains(key);
        keys.iter()
            .zip(resources)
            .map(|(key, resource)| match is_taken(key) {
                true => format!("-{}", hash(&format!("{} {}", resource.address, resource.id))),
                false => String::new(),
            })
            .collect()
    }

    fn resource(&mut self, spec: &'a KindSpec, resource: &LiveResource, suffix: &str, list: &mut Vec<Out>) {
        let Some(mut members) = resource.value.as_object().cloned() else { return };
        quirk::of(spec).written(&mut members);
        for (member, why) in &resource.unreadable {
            members.shift_remove(member);
            self.report.push(unreadable_member(&resource.address, member, why));
        }
        let of_kind = |paths: &IndexMap<String, Vec<String>>| paths.get(&spec.name).cloned().unwrap_or_default();
        let (without, with) = (of_kind(&self.options.without), of_kind(&self.options.with));
        if self.options.bare.contains(&spec.name) {
            forget_unresolved(&mut members);
        }
        stripped(spec, &mut members, &without, &with);
        for path in &with {
            if let Some(found) = resource.raw.pointer(&format!("/{}", path.replace('.', "/"))) {
                put_at(&mut members, path, Value::from_json(found));
            }
        }
        let path = self.path_of(spec, &members, suffix);
        let ids = self.options.ids;
        let mut sink = Sink { writer: self, spec, address: &resource.address, suffix, path: &path };
        let out = written(spec, resource, &members, ids, &mut sink);
        match (spec.shape, self.options.format, &spec.directory) {
            (KindShape::Single, _, _) if out.is_empty() => {
                let title = format!("nothing is set in `{}`: it is left out", spec.name);
                self.report.push(Problem::remark("export-empty-kind", title));
            }
            // A page or template that nobody has changed.
            (KindShape::Collection, _, _) if !spec.names.is_empty() && out.len() <= spec.identity.len() => {}
            (KindShape::Single, Format::Single, _) => self.root.push((spec.name.clone(), Out::Object(out))),
            (KindShape::Single, Format::Directory, _) => self.gathered(&path, out),
            (KindShape::Collection, Format::Directory, Directory::Files { .. }) => self.file(&path, &Out::Object(out)),
            (KindShape::Collection, _, _) => list.push(Out::Object(out)),
        }
    }

    /// Returns the path of a resource's own file in a directory, without extension.
    fn path_of(&self, spec: &KindSpec, members: &Map, suffix: &str) -> String {
        match &spec.directory {
            Directory::File { path } | Directory::Array { path } => path.clone(),
            // auth0-deploy-cli 8.43 names the one file of such a folder like the folder: triggers/triggers.json.
            Directory::Files { folder, .. } if spec.shape == KindShape::Single => join(folder, folder),
            Directory::Files { folder, file } => {
                join(folder, &expand(file, suffix, &|member| self.value_of(spec, &[members], member)))
            }
        }
    }

    /// Writes one object, of which some members have files of their own.
    fn gathered(&mut self, path: &str, mut members: Vec<(String, Out)>) {
        let folder = parent(path);
        for piece in PIECES.iter().filter(|piece| piece.folder == folder) {
            let Some(at) = members.iter().position(|(name, _)| name == piece.member) else { continue };
            let is_whole = match (&piece.home, members.get(at)) {
                (PieceHome::List(_), Some((_, Out::List(items)))) => !items.is_empty(),
                (PieceHome::Screens(_) | PieceHome::Partials(_), Some((_, Out::Object(prompts)))) => {
                    !prompts.is_empty()
                }
                (PieceHome::File(_), Some(_)) => true,
                _ => false,
            };
            if !is_whole {
                continue;
            }
            let (_, value) = members.remove(at);
            match (&piece.home, value) {
                (PieceHome::List(name), Out::List(items)) => self.list_piece(&join(folder, name), &items),
                (PieceHome::Screens(name), Out::Object(prompts)) => self.screens(&join(folder, name), prompts),
                (PieceHome::Partials(name), Out::Object(prompts)) => self.partials(folder, name, prompts),
                (PieceHome::File(name), value) => self.file(&join(folder, name), &value),
                _ => {}
            }
        }
        if !members.is_empty() {
            self.file(path, &Out::Object(members));
        }
    }

    fn list_piece(&mut self, folder: &str, items: &[Out]) {
        for item in items {
            let name = match item {
                Out::Object(members) => {
                    members.iter().find_map(|(_, value)| if let Out::Text(text) = value { Some(text) } else { None })
                }
                _ => None,
            };
            let name = name.map_or_else(|| "undefined".to_owned(), |name| part(name));
            let path = self.free(&join(folder, &name), "", "", &json(item));
            self.file(&path, item);
        }
    }

    /// Writes which snippets stand in which files, and these.
    fn partials(&mut self, folder: &str, name: &str, prompts: Vec<(String, Out)>) {
        let mut list = Vec::new();
        for (prompt, screens) in prompts {
            let mut by_screen = Vec::new();
            for (screen, points) in members_of(screens) {
                let mut items = Vec::new();
                for (point, text) in members_of(points) {
                    let template = match text {
                        Out::Text(text) if !text.is_empty() => {
                            let parts = [prompt.as_str(), &screen, &point].map(part);
                            Out::Text(self.partial(folder, &format!("{name}/{}", parts.join("/")), &text))
                        }
                        other => other,
                    };
                    items.push(Out::Object(vec![
                        ("name".to_owned(), Out::Text(point)),
                        ("template".to_owned(), template),
                    ]));
                }
                by_screen.push(Out::Object(vec![(screen, Out::List(items))]));
            }
            list.push((prompt, Out::List(by_screen)));
        }
        self.file(&join(folder, name), &Out::Object(list));
    }

    /// Writes one snippet and returns its path below the kind's folder.
    fn partial(&mut self, folder: &str, path: &str, text: &str) -> String {
        if let Some(found) = marker_in(text) {
            self.marker(path, found);
        }
        if text.trim() != text {
            let title = format!("white space around the snippet {path} is not kept");
            self.report.push(Problem::warning("export-trimmed", title));
        }
        let full = self.free(&join(folder, path), ".liquid", "", path);
        self.files.insert(PathBuf::from(&full), text.to_owned());
        full.strip_prefix(&format!("{folder}/")).map_or(full.clone(), str::to_owned)
    }

    pub(super) fn marker(&mut self, place: &str, found: &str) {
        self.report.push(
            Problem::warning("export-marker", format!("{place} holds `{found}`, which is not read as text"))
                .note("files of code and text have no way to write it otherwise")
                .help("change the text, or give a variable of that name this value"),
        );
    }

    /// Writes a file per screen, which says which it is.
    fn screens(&mut self, folder: &str, prompts: Vec<(String, Out)>) {
        for (prompt, screens) in prompts {
            let Out::Object(screens) = screens else { continue };
            for (screen, settings) in screens {
                let Out::Object(settings) = settings else { continue };
                let name = part(&format!("{prompt}_{screen}"));
                let mut members =
                    vec![("prompt".to_owned(), Out::Text(prompt.clone())), ("screen".to_owned(), Out::Text(screen))];
                members.extend(settings);
                self.file(&join(folder, &name), &Out::Object(members));
            }
        }
    }

    /// Adds a file of the description; the tenant's settings are JSON in every directory.
    fn file(&mut self, path: &str, value: &Out) {
        let (extension, text) = match self.options.files {
            FileFormat::Yaml if path != "tenant" => ("yaml", yaml(value)),
            _ => ("json", json(value)),
        };
        let path = format!("{path}.{extension}");
        self.taken.insert(sameness(&path));
        self.files.insert(PathBuf::from(path), text);
    }

    /// Returns a path that no file has, beside no resource but `own`: this one, or one told apart by what it is for.
    pub(super) fn free(&mut self, path: &str, extension: &str, own: &str, purpose: &str) -> String {
        let plain = format!("{path}{extension}");
        let is_beside_another = path != own && self.stems.contains(&sameness(path));
        if !is_beside_another && self.taken.insert(sameness(&plain)) {
            return plain;
        }
        let told_apart = format!("{path}-{}{extension}", hash(purpose));
        self.taken.insert(sameness(&told_apart));
        told_apart
    }

    /// Returns what stands for `{member}` in the template of a path: text, or the name of what a reference leads to.
    pub(super) fn value_of(&self, spec: &KindSpec, inside: &[&Map], member: &str) -> Option<String> {
        let text = |member: &str| match inside.iter().find_map(|members| members.get(member))? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            _ => None,
        };
        text(member).or_else(|| {
            let value = text(member.strip_suffix(".name")?)?;
            let field = spec.field(member.strip_suffix(".name")?)?;
            let kinds = field.literal_reference.iter().chain(&field.reference);
            let name = kinds.filter_map(|kind| self.named.get(&(kind.as_str(), value.as_str()))).next();
            Some(name.map_or(value.clone(), |name| (*name).to_owned()))
        })
    }

    /// Names a secret: `CONNECTIONS_GLOBEX_OPTIONS_CLIENT_SECRET`.
    pub(super) fn secret(&mut self, address: &Address, path: &str) -> Out {
        let place = format!("{address} {path}");
        let words = [snake(&address.kind), snake(address.name.as_deref().unwrap_or_default()), snake(path)];
        let mut name = words.iter().filter(|word| !word.is_empty()).cloned().collect::<Vec<_>>().join("_");
        // A name that nothing is left of, or that several places would have.
        if (address.name.is_some() && words.get(1).is_some_and(String::is_empty)) || self.shared.contains(&name) {
            name = format!("{name}_{}", hash(&place).to_uppercase());
        }
        let places = self.secrets.entry(name.clone()).or_default();
        if !places.contains(&place) {
            places.push(place);
        }
        Out::Expression(format!("${{{{ secrets.{name} }}}}"))
    }
}

fn members_of(value: Out) -> Vec<(String, Out)> {
    if let Out::Object(members) = value { members } else { Vec::new() }
}

/// Upper case with underscores: `clientGrants` → `CLIENT_GRANTS`. What is no letter or digit of ASCII parts words.
fn snake(text: &str) -> String {
    let mut out = String::new();
    let mut before_is_lower = false;
    for c in text.chars() {
        if !c.is_ascii_alphanumeric() {
            before_is_lower = false;
            if !out.is_empty() && !out.ends_with('_') {
                out.push('_');
            }
            continue;
        }
        if c.is_ascii_uppercase() && before_is_lower {
            out.push('_');
        }
        before_is_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        out.push(c.to_ascii_uppercase());
    }
    out.trim_end_matches('_').to_owned()
}

/// Returns names by the values that literal references hold: an API by its identifier.
fn named<'a>(registry: &'a Registry, live: &'a Live) -> HashMap<(&'a str, &'a str), &'a str> {
    let mut out = HashMap::new();
    for spec in registry.kinds() {
        for resource in live.resources(&spec.name) {
            let Some(name) = resource.value.get("name").and_then(Value::as_str) else { continue };
            for member in spec.identity.iter().chain(&spec.also) {
                if let Some(value) = resource.value.get(member).and_then(Value::as_str) {
                    out.insert((spec.name.as_str(), value), name);
                }
            }
        }
    }
    out
}

fn unavailable(kind: &str, why: &Unavailable) -> Problem {
    match why {
        Unavailable::Scope(scopes) => {
            let scopes = scopes.join("` or `");
            Problem::warning("export-unreadable", format!("`{kind}` could not be read and are left out"))
                .note(format!("this needs the scope `{scopes}`"))
                .help("grant it to the client that Tenantry uses, and export again")
        }
        Unavailable::Feature(words) => {
            Problem::remark("export-unavailable", format!("this tenant has no `{kind}`")).note(words.clone())
        }
    }
}

fn unreadable_member(address: &Address, member: &str, why: &Unavailable) -> Problem {
    let title = format!("{address}: `{member}` could not be read and is left out");
    match why {
        Unavailable::Scope(scopes) => Problem::warning("export-unreadable", title)
            .note(format!("this needs the scope `{}`", scopes.join("` or `")))
            .help("grant it to the client that Tenantry uses, and export again"),
        Unavailable::Feature(words) => Problem::remark("export-unavailable", title).note(words.clone()),
    }
}

/// Takes out what no read returns.
fn forget_unresolved(members: &mut Map) {
    members.retain(|_, value| !matches!(value, Value::Unresolved(_)));
    for inner in members.values_mut().filter_map(Value::as_object_mut) {
        forget_unresolved(inner);
    }
}

/// Sets the member at a path such as `options.client_secret`.
fn put_at(members: &mut Map, path: &str, value: Value) {
    match path.split_once('.') {
        None => {
            members.insert(path.to_owned(), value);
        }
        Some((first, rest)) => {
            if let Value::Object(inner) = members.entry(first.to_owned()).or_insert_with(Value::object) {
                put_at(inner, rest, value);
            }
        }
    }
}
