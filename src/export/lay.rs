//! Which file holds what: the layouts of auth0-deploy-cli, written.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::convert::Infallible;
use std::path::PathBuf;

use indexmap::IndexMap;

use super::name::{expand, hash, sameness};
use super::resource::{stripped, written};
use super::sink::Sink;
use super::text::{Out, json, yaml};
use super::words::{Named, forget_unresolved, put_at, snake, unavailable, unreadable_member};
use super::{Additions, Export, ExportOptions, FileFormat, Format};
use crate::description::layout::{join, split_extension};
use crate::live::FoundKind;
use crate::model::{Address, Live, LiveKind, LiveResource, Map, Unavailable, Value};
use crate::problem::Problem;
use crate::quirk;
use crate::schema::{Directory, KindShape, KindSpec, Registry};

/// The one file of the single layout.
const SINGLE_FILE: &str = "tenant.yaml";

/// The resources of a kind, which may be decoded only when they are looked at.
pub trait Resources {
    /// Returns how many there are.
    fn count(&self) -> usize;
    /// Shows the one at a place.
    fn at(&self, place: usize) -> Option<Cow<'_, LiveResource>>;
}

impl Resources for Vec<LiveResource> {
    fn count(&self) -> usize {
        self.len()
    }

    fn at(&self, place: usize) -> Option<Cow<'_, LiveResource>> {
        self.get(place).map(Cow::Borrowed)
    }
}

impl Resources for FoundKind<'_> {
    fn count(&self) -> usize {
        self.count()
    }

    fn at(&self, place: usize) -> Option<Cow<'_, LiveResource>> {
        self.resource(place).map(Cow::Owned)
    }
}

/// What was found of a kind: its resources, or why there are none to be seen.
pub type Found<'f> = Result<&'f dyn Resources, &'f Unavailable>;

fn found(live: &LiveKind) -> Found<'_> {
    match live {
        LiveKind::Read(resources) => Ok(resources),
        LiveKind::Unavailable(why) => Err(why),
    }
}

/// A resource that is written.
struct Chosen {
    place: usize,
    address: Address,
    id: String,
    /// The path of its own file, as [`sameness`] sees it; empty where it has none.
    key: String,
}

/// Takes files that have been written so far, or leaves them.
pub(super) type TakeFiles<'t, E> = dyn FnMut(&mut IndexMap<PathBuf, String>) -> Result<(), E> + 't;

/// One export under way.
pub(super) struct Writer<'a> {
    registry: &'a Registry,
    pub(super) options: &'a ExportOptions,
    named: Named,
    /// Paths that have a file of their own, as [`sameness`] sees them.
    taken: HashSet<String>,
    /// Files of resources without their extension: a text beside one is taken for its own.
    stems: HashSet<String>,
    /// Names of secrets that several places would have.
    shared: BTreeSet<String>,
    /// Places by the name of their secret.
    secrets: IndexMap<String, Vec<String>>,
    root: Vec<(String, Out)>,
    /// What a description lacks, where there is one already.
    adding: Option<&'a Additions>,
    /// Resources for the lists that are there, with their kind and address.
    items: Vec<(String, Address, Out)>,
    /// Resources that were written, with the path of their file without extension, where they have one.
    placed: Vec<(Address, Option<String>)>,
    /// What the files of the kind in hand are written in.
    format: FileFormat,
    pub(super) files: IndexMap<PathBuf, String>,
    pub(super) report: Vec<Problem>,
}

/// Writes a tenant.
pub(super) fn export(registry: &Registry, live: &Live, options: &ExportOptions) -> Export {
    Writer::told_apart(registry, live, options, None).finish()
}

/// What goes into a description that is there already.
pub(super) struct Added {
    /// New files.
    pub(super) export: Export,
    /// Resources for the lists that are there.
    pub(super) items: Vec<(String, Address, Out)>,
    /// New members of the single file.
    pub(super) members: Vec<(String, Out)>,
    /// Every resource, with the path of its own file without extension, where it has one.
    pub(super) placed: Vec<(Address, Option<String>)>,
}

/// Writes what a description lacks.
pub(super) fn additions(registry: &Registry, live: &Live, options: &ExportOptions, adding: &Additions) -> Added {
    let mut done = Writer::told_apart(registry, live, options, Some(adding));
    let (items, members, placed) =
        (std::mem::take(&mut done.items), std::mem::take(&mut done.root), std::mem::take(&mut done.placed));
    Added { export: done.finish(), items, members, placed }
}

impl<'a> Writer<'a> {
    /// Writes, and once more where places would share the name of a secret.
    fn told_apart(
        registry: &'a Registry,
        live: &Live,
        options: &'a ExportOptions,
        adding: Option<&'a Additions>,
    ) -> Self {
        let mut named = Named::default();
        live.kinds.iter().for_each(|(kind, one)| named.learn(registry, kind, found(one)));
        let run = |named: Named, shared: BTreeSet<String>| {
            let mut writer = Writer::new(registry, options, adding, named, shared);
            for spec in writer.kinds() {
                let Ok(()) = writer.kind::<Infallible>(spec, live.kinds.get(&spec.name).map(found), &mut |_| Ok(()));
            }
            writer
        };
        let mut first = run(named, BTreeSet::new());
        let shared = first.shared_names();
        if shared.is_empty() {
            return first;
        }
        let named = std::mem::take(&mut first.named);
        drop(first);
        run(named, shared)
    }

    /// Begins; `shared` are the names of secrets that several places would have.
    pub(super) fn new(
        registry: &'a Registry,
        options: &'a ExportOptions,
        adding: Option<&'a Additions>,
        named: Named,
        shared: BTreeSet<String>,
    ) -> Self {
        let paths = || adding.into_iter().flat_map(|adding| &adding.paths);
        Writer {
            registry,
            options,
            named,
            taken: paths().map(|path| sameness(path)).collect(),
            stems: paths().map(|path| sameness(split_extension(path).0)).collect(),
            shared,
            secrets: IndexMap::new(),
            root: Vec::new(),
            adding,
            items: Vec::new(),
            placed: Vec::new(),
            format: options.files,
            files: IndexMap::new(),
            report: Vec::new(),
        }
    }

    /// Returns the kinds that are written, in their order.
    fn kinds(&self) -> Vec<&'a KindSpec> {
        self.registry.kinds().filter(|spec| self.options.filters.covers_kind(&spec.name)).collect()
    }

    /// Returns the names of secrets that several places would have, or that the files use for something else.
    pub(super) fn shared_names(&self) -> BTreeSet<String> {
        let repeated = |(name, places): (&String, &Vec<String>)| (places.len() > 1).then(|| name.clone());
        let mut shared: BTreeSet<String> = self.secrets.iter().filter_map(repeated).collect();
        let used = self.adding.into_iter().flat_map(|adding| &adding.secrets);
        shared.extend(used.filter(|name| self.secrets.contains_key(*name)).cloned());
        shared
    }

    pub(super) fn finish(mut self) -> Export {
        if self.options.format == Format::Single && !self.root.is_empty() {
            let root = Out::Object(std::mem::take(&mut self.root));
            self.files.insert(PathBuf::from(SINGLE_FILE), yaml(&root));
        }
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

    /// Writes a kind; after each of its resources `take` may have the files that there are.
    ///
    /// # Errors
    ///
    /// Those of `take`.
    pub(super) fn kind<E>(
        &mut self,
        spec: &'a KindSpec,
        found: Option<Found<'_>>,
        take: &mut TakeFiles<'_, E>,
    ) -> Result<(), E> {
        let format = self.adding.and_then(|adding| adding.formats.get(&spec.name));
        self.format = format.copied().unwrap_or(self.options.files);
        let found = match found {
            Some(Ok(found)) => found,
            Some(Err(_)) if self.is_described(spec) => return Ok(()),
            Some(Err(why)) => {
                self.report.push(unavailable(&spec.name, why));
                return Ok(());
            }
            None if self.is_described(spec) => return Ok(()),
            None => {
                self.report.push(Problem::warning("export-unreadable", format!("`{}` were not read", spec.name)));
                return Ok(());
            }
        };
        let resources = self.chosen(spec, found);
        if resources.is_empty() && self.adding.is_some() {
            return Ok(());
        }
        if resources.is_empty() {
            let title = format!("there are no `{}` to write: the kind is left out", spec.name);
            self.report
                .push(Problem::remark("export-empty-kind", title).note("a kind that is left out is not managed"));
            return Ok(());
        }
        let suffixes = self.suffixes(spec, &resources);
        let mut list = Vec::new();
        for (chosen, suffix) in resources.into_iter().zip(suffixes) {
            let before = list.len();
            let Some(resource) = found.at(chosen.place) else { continue };
            self.resource(spec, &resource, &suffix, &mut list);
            if self.is_described(spec)
                && list.len() > before
                && let Some(item) = list.pop()
            {
                self.items.push((spec.name.clone(), chosen.address, item));
            }
            take(&mut self.files)?;
        }
        if list.is_empty() {
            return Ok(());
        }
        match (&spec.directory, self.options.format) {
            (_, Format::Single) => self.root.push((spec.name.clone(), Out::List(list))),
            (Directory::Array { path } | Directory::File { path }, Format::Directory) => {
                self.file(path, &Out::List(list))
            }
            // Each resource has its own file already.
            (Directory::Files { .. }, Format::Directory) => {}
        }
        take(&mut self.files)
    }

    /// Says whether the files speak of a kind already.
    fn is_described(&self, spec: &KindSpec) -> bool {
        self.adding.is_some_and(|adding| adding.described.contains(&spec.name))
    }

    /// Returns the resources to be written, sorted by address; the others are reported.
    fn chosen(&mut self, spec: &KindSpec, found: &dyn Resources) -> Vec<Chosen> {
        let mut left_out = Vec::new();
        let mut chosen = Vec::new();
        for (place, resource) in (0..found.count()).filter_map(|place| Some((place, found.at(place)?))) {
            match &resource.system {
                _ if !self.options.filters.covers(&resource.address, &resource.value) => {}
                // Who has described the kind knows what is not theirs.
                Some(_) if self.is_described(spec) => {}
                Some(why) => left_out.push((resource.address.clone(), why.clone())),
                None if self.adding.is_some_and(|adding| !adding.covers(&resource)) => {}
                None => {
                    let (address, id, key) = (resource.address.clone(), resource.id.clone(), self.key(spec, &resource));
                    chosen.push(Chosen { place, address, id, key });
                }
            }
        }
        if !left_out.is_empty() {
            left_out.sort();
            let belongs = if left_out.len() == 1 { "belongs" } else { "belong" };
            let title =
                format!("left out of `{}`: {} that {belongs} to Auth0 or to this client", spec.name, left_out.len());
            let mut problem = Problem::remark("export-system", title);
            for (address, why) in left_out {
                problem = problem
                    .note(format!("{address}: {}", if why == "own" { "this client stands on it" } else { &why }));
            }
            self.report.push(problem);
        }
        chosen.sort_by(|a, b| (&a.address, &a.id).cmp(&(&b.address, &b.id)));
        chosen
    }

    /// Returns the path of a resource's own file, as [`sameness`] sees it.
    fn key(&self, spec: &KindSpec, resource: &LiveResource) -> String {
        let Directory::Files { folder, file } = &spec.directory else { return String::new() };
        let members = resource.value.as_object().cloned().unwrap_or_default();
        sameness(&join(folder, &expand(file, "", &|member| self.value_of(spec, &[&members], member))))
    }

    /// Returns what is added to the file names of each resource, so that no disk takes two for one.
    fn suffixes(&mut self, spec: &KindSpec, resources: &[Chosen]) -> Vec<String> {
        if !matches!(spec.directory, Directory::Files { .. }) {
            return vec![String::new(); resources.len()];
        }
        let own_files: HashSet<String> = self
            .registry
            .kinds()
            .filter_map(|other| match &other.directory {
                Directory::File { path } | Directory::Array { path } => Some(sameness(path)),
                Directory::Files { .. } => None,
            })
            .collect();
        let keys: Vec<String> = resources.iter().map(|chosen| chosen.key.clone()).collect();
        let mut counts: HashMap<&str, usize> = HashMap::new();
        for key in &keys {
            *counts.entry(key).or_default() += 1;
        }
        let is_taken = |key: &String| {
            let is_there = self.adding.is_some() && self.stems.contains(key);
            counts.get(key.as_str()).is_some_and(|n| *n > 1) || own_files.contains(key) || is_there
        };
        let suffixes: Vec<String> = keys
            .iter()
            .zip(resources)
            .map(|(key, resource)| match is_taken(key) {
                true => format!("-{}", hash(&format!("{} {}", resource.address, resource.id))),
                false => String::new(),
            })
            .collect();
        self.stems.extend(keys);
        suffixes
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
            (KindShape::Single, _, _) if out.is_empty() && self.adding.is_some() => {}
            (KindShape::Single, _, _) if out.is_empty() => {
                let title = format!("nothing is set in `{}`: it is left out", spec.name);
                self.report.push(Problem::remark("export-empty-kind", title));
            }
            // A page or template that nobody has changed.
            (KindShape::Collection, _, _) if !spec.names.is_empty() && out.len() <= spec.identity.len() => {}
            (KindShape::Single, Format::Single, _) => {
                self.root.push((spec.name.clone(), Out::Object(out)));
                self.placed.push((resource.address.clone(), None));
            }
            (KindShape::Single, Format::Directory, _) => {
                self.gathered(&path, out);
                self.placed.push((resource.address.clone(), Some(path)));
            }
            (KindShape::Collection, Format::Directory, Directory::Files { .. }) => {
                self.file(&path, &Out::Object(out));
                self.placed.push((resource.address.clone(), Some(path)));
            }
            (KindShape::Collection, _, _) => {
                list.push(Out::Object(out));
                self.placed.push((resource.address.clone(), None));
            }
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

    pub(super) fn marker(&mut self, place: &str, found: &str) {
        self.report.push(
            Problem::warning("export-marker", format!("{place} holds `{found}`, which is not read as text"))
                .note("files of code and text have no way to write it otherwise")
                .help("change the text, or give a variable of that name this value"),
        );
    }

    /// Adds a file of the description; the tenant's settings are JSON in every directory.
    pub(super) fn file(&mut self, path: &str, value: &Out) {
        let (extension, text) = match self.format {
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
            let name = kinds.filter_map(|kind| self.named.get(kind, &value)).next().map(str::to_owned);
            Some(name.unwrap_or(value))
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
