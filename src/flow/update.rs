//! `export` into a description that is there: edits until the files say what the tenant has.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path as FsPath;

use indexmap::IndexMap;

use super::adopt::{OwnFile, moved, others, own_variables};
use super::export::{ExportRequest, Exported, Updated, Wrote, options};
use super::past::Past;
use super::{Failed, Session};
use crate::change::Plan;
use crate::codec::Names;
use crate::description::layout::Layout;
use crate::description::{has_errors, read_yaml, render};
use crate::export::edit::{Edit, Edited, Existing, OwnVariables, edit};
use crate::export::into::{self, Differences};
use crate::export::{self, ExportOptions, Format};
use crate::files::{DescriptionFiles, Together, write_together};
use crate::live::{Answers, Reach, read_again};
use crate::model::{Address, Described, Desired, Live, LiveResource, Path, Sources};
use crate::plan;
use crate::problem::Problem;
use crate::project::{LoadedDescription, Secrets, Settings, load_description, load_files};
use crate::render::AdoptedFile;
use crate::schema::{KindShape, KindSpec, Registry};

/// Most times that files are read again and compared after they were changed.
const MOST_ROUNDS: usize = 4;

/// Brings a description that is there up to date.
///
/// # Errors
///
/// Those of the description, the ledger and the network; `export-outside`, `export-broken`, `unwritable-file`.
pub(super) async fn update(
    request: &ExportRequest,
    settings: Settings,
    sources: Sources,
    mut problems: Vec<Problem>,
) -> Result<Exported, Failed> {
    let around = &request.base.around;
    let mut sources = sources;
    let asked = load_description(&settings, around, Secrets::Ask)
        .await
        .map_err(|problem| Failed::one(problem, sources.clone()))?;
    sources.merge(asked.sources.clone());
    problems.extend(asked.problems.iter().filter(|problem| problem.id != "reference-not-described").cloned());
    if has_errors(&problems) {
        return Err(Failed::new(problems, sources));
    }
    let fail = |problem: Problem| Failed::one(problem, sources.clone());
    let own = own_variables(&settings, around).map_err(fail)?;
    let session = Session::open(&settings, &request.base).await.map_err(fail)?;
    problems.extend(session.client.warnings());
    let read = async {
        let mut past = Past::read(&settings, &request.base, &session, &mut problems).await?;
        let (live, names) = around_what_is_there(&session, &asked).await?;
        past.recover(&settings, &request.base, &session, (&live, &names), &mut problems).await?;
        Ok((past, live, names))
    }
    .await;
    session.close().await;
    let (past, live, names) = read.map_err(fail)?;
    let live = into::lean(Registry::get(), &live);
    let format = match &asked.description.layout {
        Layout::Single(_) => Format::Single,
        Layout::Directory => Format::Directory,
    };
    let mut options = options(&settings, format, request.files.unwrap_or_default());
    options.filters = asked.outcome.filters.clone();
    let files = asked.files.with([], []);
    let mut under = Under {
        request,
        settings: settings.clone(),
        options,
        live: &live,
        names: &names,
        past: &past,
        files,
        own,
        changed: BTreeMap::new(),
        gone_files: BTreeSet::new(),
        variables: None,
        renamed: Vec::new(),
        out: Updated::default(),
        report: Vec::new(),
    };
    under.run(asked).await.map_err(|problems| Failed::new(problems, sources.clone()))?;
    let before = others(&request.base, &settings.environment).await;
    let mut out = under.write().map_err(fail)?;
    problems.append(&mut under.report);
    out.moves_along = if out.files.is_empty() {
        Vec::new()
    } else {
        moved(&before, &others(&request.base, &settings.environment).await)
    };
    Ok(Exported { wrote: Wrote::Into(Box::new(out)), problems, sources, settings })
}

/// A description under way from what it is to what the tenant has.
struct Under<'a> {
    request: &'a ExportRequest,
    settings: Settings,
    options: ExportOptions,
    live: &'a Live,
    names: &'a Names,
    past: &'a Past,
    /// The files as they were.
    files: DescriptionFiles,
    own: Option<OwnFile>,
    changed: BTreeMap<String, Vec<u8>>,
    gone_files: BTreeSet<String>,
    /// The environment's own file of variables, as it becomes.
    variables: Option<Vec<u8>>,
    /// Renames that were taken over: from what to what.
    renamed: Vec<(Address, Address)>,
    out: Updated,
    report: Vec<Problem>,
}

/// Reads what is described, and all of the kinds that are not, or of which the tenant has more than is described.
///
/// # Errors
///
/// The first of the network.
async fn around_what_is_there(session: &Session, asked: &LoadedDescription) -> Result<(Live, Names), Problem> {
    let registry = Registry::get();
    let (desired, filters) = (&asked.outcome.desired, &asked.outcome.filters);
    let covered = || registry.kinds().filter(|spec| filters.covers_kind(&spec.name));
    // Of a fixed set, such as pages, only what is described is read otherwise.
    let is_named =
        |spec: &KindSpec| !spec.names.is_empty() || (!spec.places.is_empty() && spec.shape == KindShape::Collection);
    let undescribed = covered().filter(|spec| !desired.kinds.contains_key(&spec.name) || is_named(spec));
    let mut kinds: BTreeSet<String> = undescribed.map(|spec| spec.name.clone()).collect();
    let answers = Answers::with_lists();
    let (live, names) = read_again(&session.client, registry, Reach::Both(desired, &kinds), &answers).await?;
    let mut completed = desired.clone();
    let _ = plan::complete(registry, &mut completed, &live, &names);
    let before = kinds.len();
    for (kind, described) in &completed.kinds {
        let is_described = |resource: &LiveResource| {
            let same = |other: &Described| match &other.id {
                Some(id) => *id == resource.id,
                None => other.address == resource.address,
            };
            described.resources.iter().any(same)
        };
        let is_stranger = |resource: &LiveResource| {
            resource.system.is_none()
                && filters.covers(&resource.address, &resource.value)
                && resource.address.name.is_some()
                && !is_described(resource)
        };
        if filters.covers_kind(kind) && live.resources(kind).iter().any(is_stranger) {
            kinds.insert(kind.clone());
        }
    }
    if kinds.len() == before {
        return Ok((live, names));
    }
    // What is new has to be known whole, with all that hangs on it.
    read_again(&session.client, registry, Reach::Both(desired, &kinds), &answers).await
}

impl Under<'_> {
    /// Edits until the files say what the tenant has; what then still differs is named.
    async fn run(&mut self, asked: LoadedDescription) -> Result<(), Vec<Problem>> {
        let registry = Registry::get();
        let mut asked = Some(asked);
        let mut tried: BTreeSet<(Address, Path)> = BTreeSet::new();
        for round in 0..MOST_ROUNDS {
            let around = &self.request.base.around;
            let changed = self.changed.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
            let files = self.files.with(changed, self.gone_files.iter().map(String::as_str));
            let read = load_files(&self.settings, around, files, Secrets::Leave, &IndexMap::new()).await;
            if has_errors(&read.problems) {
                return Err(broken(read.problems));
            }
            // What a secret is can be compared in the first round; no later one asks for it again.
            let desired = asked.take().map_or_else(|| read.outcome.desired.clone(), |asked| asked.outcome.desired);
            let (mut found, plan) = self.compare(desired, &read);
            if round == 0 {
                self.tell(&plan);
                self.out.pending.clone_from(&found.pending);
                self.out.left.append(&mut found.left);
                self.out.gone = found.gone.iter().map(|address| (address.clone(), file_of(&read, address))).collect();
                if self.request.remove_files {
                    found.edits.extend(into::removals(&found.gone));
                    self.out.removed = true;
                }
            }
            self.out.conflicts.append(&mut found.conflicts);
            let is_last = round + 1 == MOST_ROUNDS;
            let mut edits = found.edits;
            edits.retain(|edit| !tried.contains(&(edit.address.clone(), edit.path.clone())));
            if is_last {
                let why = "the file was changed, and still does not say what the tenant has";
                let rest = edits.into_iter().map(|edit| (edit.address, edit.path, why.to_owned()));
                self.out.left.extend(rest);
                break;
            }
            let new = if round == 0 { found.new } else { BTreeSet::new() };
            if edits.is_empty() && new.is_empty() {
                break;
            }
            let edited = self.edit(&read, &edits)?;
            self.settle(&read, &edits, edited, &mut tried);
            if !new.is_empty() {
                let changed = self.changed.iter().map(|(path, bytes)| (path.as_str(), bytes.as_slice()));
                let files = self.files.with(changed, self.gone_files.iter().map(String::as_str));
                let now =
                    load_files(&self.settings, &self.request.base.around, files, Secrets::Leave, &IndexMap::new())
                        .await;
                let existing = existing(registry, &now, None);
                let placed = into::place(&existing, self.live, &new, &self.options)?;
                self.changed.extend(placed.files);
                let shown = |file: &str| now.files.tree.shown(file);
                self.out.added.extend(placed.placed.iter().map(|(address, file)| (address.clone(), shown(file))));
                self.out.left.extend(placed.left.into_iter().map(|(address, why)| (address, Path::root(), why)));
                self.out.secrets = placed.secrets;
                self.report.extend(placed.report);
            }
        }
        Ok(())
    }

    /// Plans the description as it is now, and reads the plan the other way round.
    fn compare(&self, mut desired: Desired, read: &LoadedDescription) -> (Differences, Plan) {
        let registry = Registry::get();
        let as_written: Vec<Vec<Address>> = desired.kinds.values().map(addresses).collect();
        // A name that leads nowhere is a difference of the field that holds it.
        let _ = plan::complete(registry, &mut desired, self.live, self.names);
        let mut written: HashMap<Address, Address> = HashMap::new();
        for (before, kind) in as_written.into_iter().zip(desired.kinds.values()) {
            written.extend(addresses(kind).into_iter().zip(before));
        }
        let settings = &self.settings;
        let options = plan::Options {
            environment: settings.environment.clone(),
            fingerprint_key: self.past.key.clone(),
            filters: read.outcome.filters.clone(),
            moved: settings
                .moved
                .iter()
                .map(|moved| (moved.from.clone(), moved.to.clone()))
                .chain(self.renamed.iter().cloned())
                .collect(),
            ..plan::Options::default()
        };
        let plan = plan::make(registry, &desired, self.live, self.past.base.as_ref(), &options);
        let mut found = into::differences(registry, &plan, self.live, &desired, &read.outcome.filters);
        for edit in &mut found.edits {
            if let Some(address) = written.get(&edit.address) {
                edit.address = address.clone();
            }
        }
        for address in &mut found.gone {
            if let Some(as_written) = written.get(address) {
                *address = as_written.clone();
            }
        }
        (found, plan)
    }

    /// Names what of the description could not be read.
    fn tell(&mut self, plan: &Plan) {
        for (what, why) in &plan.unreadable {
            self.report.push(export::unreadable_here(what, why));
        }
        for (kind, (words, _)) in &plan.skipped {
            self.report.push(
                Problem::remark(
                    "export-unavailable",
                    format!("this tenant has no `{kind}`: its files stay as they are"),
                )
                .note(words.clone()),
            );
        }
    }

    fn edit(&self, read: &LoadedDescription, edits: &[Edit]) -> Result<Edited, Vec<Problem>> {
        let bytes = self.variables.as_deref();
        let own = self.own.as_ref().map(|own| OwnVariables {
            shown: &own.shown,
            bytes: bytes.unwrap_or(&own.bytes),
            format: own.format,
            at: &[],
        });
        edit(&existing(Registry::get(), read, own), edits, self.request.edit)
    }

    /// Takes over what one round of edits gave.
    fn settle(
        &mut self,
        read: &LoadedDescription,
        edits: &[Edit],
        edited: Edited,
        tried: &mut BTreeSet<(Address, Path)>,
    ) {
        self.changed.extend(edited.files);
        for path in &edited.removed_files {
            self.changed.remove(path);
        }
        self.gone_files.extend(edited.removed_files);
        if let Some(bytes) = edited.variables {
            self.give(&bytes);
            self.variables = Some(bytes);
        }
        for (address, path, _) in &edited.done {
            tried.insert((address.clone(), path.clone()));
            if !path.is_root() {
                self.out.done.push((address.clone(), path.clone()));
            }
        }
        for (address, path, why) in edited.left {
            tried.insert((address.clone(), path.clone()));
            if self.out.left.iter().any(|(a, p, _)| (a, p) == (&address, &path)) {
                continue;
            }
            self.out.behind_markers += usize::from(matches!(why, export::edit::Why::Marker(_)));
            self.out.left.push((address, path, why.to_string()));
        }
        self.out.done.sort();
        self.out.done.dedup();
        // A resource that was renamed in the tenant is remembered under its old name.
        for (address, path, _) in &edited.done {
            let Some(spec) = Registry::get().kind(&address.kind) else { continue };
            let Some(member) = path.first_key().filter(|member| spec.identity.iter().any(|known| known == member))
            else {
                continue;
            };
            let described = read.outcome.desired.kinds.get(&address.kind);
            let resource = described.and_then(|kind| kind.resources.iter().find(|other| other.address == *address));
            let new = edits.iter().find(|edit| edit.address == *address && edit.path == *path);
            let (Some(resource), Some(value)) = (resource, new.and_then(|edit| edit.value.clone())) else { continue };
            let Some(mut members) = resource.value.as_object().cloned() else { continue };
            members.insert(member.to_owned(), value);
            if let Some(after) = crate::codec::address_of(spec, &members).filter(|after| after != address) {
                self.renamed.push((address.clone(), after));
            }
        }
    }

    /// Gives the variables the values that their file has now.
    fn give(&mut self, bytes: &[u8]) {
        let Some(own) = &self.own else { return };
        let values = |bytes: &[u8]| {
            let loaded = read_yaml(&own.shown, bytes).ok()?;
            render(&loaded.node, &Default::default()).ok()?.value.to_json().ok()
        };
        let (Some(before), Some(after)) = (values(&own.bytes), values(bytes)) else { return };
        for (name, value) in after.as_object().into_iter().flatten() {
            if before.get(name) != Some(value) {
                self.settings.values.values.insert(name.clone(), value.clone());
            }
        }
    }

    /// Writes all that changed, or nothing.
    fn write(&mut self) -> Result<Updated, Problem> {
        let directory = &self.request.base.around.directory;
        let root = self.files.folder().to_path_buf();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let mut out = std::mem::take(&mut self.out);
        let mut together = Together::default();
        for (path, bytes) in &self.changed {
            let before = self.files.tree.read(path).ok();
            if before == Some(bytes.as_slice()) {
                continue;
            }
            if before.is_none() && !self.files.tree.has_file(path) {
                inside(&root, path, &self.files.tree.shown(path))?;
            }
            let was = before.map(text).unwrap_or_default();
            out.files.push(AdoptedFile::new(self.files.tree.shown(path), &was, Some(&text(bytes))));
            together.written.push((root.join(path), bytes.clone()));
        }
        if let (Some(bytes), Some(own)) = (&self.variables, &self.own) {
            out.files.push(AdoptedFile::new(own.shown.clone(), &text(&own.bytes), Some(&text(bytes))));
            together.written.push((own.path.clone(), bytes.clone()));
        }
        for path in &self.gone_files {
            let was = self.files.tree.read(path).map(text).unwrap_or_default();
            out.files.push(AdoptedFile::new(self.files.tree.shown(path), &was, None));
            together.removed.push(root.join(path));
        }
        out.files.sort_by(|a, b| a.path.cmp(&b.path));
        write_together(&together, directory)?;
        Ok(out)
    }
}

/// Demands that a new file lies where it seems to: no folder on the way is a link.
fn inside(root: &FsPath, path: &str, shown: &str) -> Result<(), Problem> {
    let outside = |why: &str| {
        Err(Problem::error("export-outside", format!("{shown} cannot be written: {why}"))
            .note("nothing was written")
            .help("remove the link, or put the folder itself there"))
    };
    if !export::stays_inside(FsPath::new(path)) {
        return outside("it would lie outside of the description's folder");
    }
    let mut here = root.to_path_buf();
    for part in FsPath::new(path).components() {
        here.push(part);
        match here.symlink_metadata() {
            Ok(found) if found.file_type().is_symlink() => return outside("a link stands in its way"),
            Ok(_) => {}
            Err(_) => break,
        }
    }
    Ok(())
}

fn existing<'a>(
    registry: &'a Registry,
    read: &'a LoadedDescription,
    own_variables: Option<OwnVariables<'a>>,
) -> Existing<'a> {
    Existing {
        registry,
        tree: &read.files.tree,
        description: &read.description,
        variables: &read.variables,
        desired: &read.outcome.desired,
        side_files: &read.outcome.files,
        own_variables,
    }
}

fn addresses(kind: &crate::model::DescribedKind) -> Vec<Address> {
    kind.resources.iter().map(|resource| resource.address.clone()).collect()
}

/// Returns the file that a described resource stands in, as shown to people.
fn file_of(read: &LoadedDescription, address: &Address) -> String {
    let kind = read.outcome.desired.kinds.get(&address.kind);
    let resource = kind.and_then(|kind| kind.resources.iter().find(|resource| resource.address == *address));
    let locus = resource.and_then(|resource| resource.loci.at(&Path::root()));
    locus.map(|locus| locus.file.to_string()).unwrap_or_default()
}

/// The files as changed do not load: nothing of it is written.
fn broken(problems: Vec<Problem>) -> Vec<Problem> {
    let first = Problem::error("export-broken", "the description would not load any more: nothing was written")
        .help("please report this, with the problems that follow; `tenantry export` into a new folder works meanwhile");
    std::iter::once(first).chain(problems.into_iter().filter(Problem::is_error)).collect()
}
