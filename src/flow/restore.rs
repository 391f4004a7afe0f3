//! `restore`: the description of an archive, planned, judged and applied like any other.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Read;
use std::path::PathBuf;
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::half::Halves;
use super::past::Past;
use super::plan::{Described, Made, PlanRequest, Planned, answer, options};
use super::targets::unmatched;
use super::{Failed, Request, Session};
use crate::archive::{self, Contents, Header, Unseal};
use crate::change::Action;
use crate::codec::Names;
use crate::deployment::{Back, Deployment, Purpose};
use crate::description::has_errors;
use crate::description::layout::{FileState, Tree};
use crate::files::{Behind, DescriptionFiles};
use crate::guard;
use crate::live::{Reach, of_objects, read};
use crate::model::{Address, Base, BaseResource, Desired, Live, Locus, Path, Secret, Sources};
use crate::plan;
use crate::problem::{Problem, Severity};
use crate::project::{LoadedDescription, Mode, Secrets, Settings, VariableSettings, load_files, load_settings};
use crate::receipt;
use crate::restore::{
    LeftOut, Mention, NewId, Objects, Settled, Stays, Then, left_without, management_api, mentions, settle,
    without_left_out,
};
use crate::schema::Registry;

/// An archive that was read to its end: everything in it is as it was written.
pub struct Opened {
    /// What it says of itself.
    pub header: Header,
    /// What is in it, and what is not.
    pub contents: Contents,
    /// Files of the description by path, without `description/`.
    pub(super) files: BTreeMap<String, Arc<[u8]>>,
    /// Ids of the tenant it was taken of.
    objects: Objects,
    /// Its resources.
    then: Live,
    /// Kinds that were read, also those of which there was nothing.
    pub(super) kinds: BTreeSet<String>,
}

/// What a restore is told besides what every plan is.
#[derive(Debug, Clone)]
pub struct RestoreRequest {
    /// What every plan is told; its description is not looked at.
    pub plan: PlanRequest,
    /// Secrets that are given: they win over every other source.
    pub secrets: IndexMap<String, Secret>,
}

/// A restore, planned and judged.
pub struct Restoring {
    /// The plan.
    pub planned: Planned,
    /// What to know of it besides.
    pub about: About,
}

/// What to know of a restore besides its plan.
pub struct About {
    /// Domain of the tenant that the archive was taken of.
    pub from: String,
    /// Domain of the tenant that it is restored onto.
    pub to: String,
    /// Where described texts name the other tenant.
    pub mentions: Vec<Mention>,
    /// References to what is not restored, which were left out.
    pub left_out: Vec<LeftOut>,
    /// Where the identifier of the other tenant's Management API became that of this one's.
    pub management_api: Vec<(Address, Option<Locus>)>,
    /// What had no value in the archive, has one now, and cannot be cleared.
    pub stays: Vec<Stays>,
    objects: Arc<Opened>,
    settled: Settled,
    live: Live,
}

impl Opened {
    /// Reads an archive to its end.
    ///
    /// # Errors
    ///
    /// Those of [`archive::Reader`].
    pub fn read(source: impl Read + Send + 'static, key: &Unseal) -> Result<Opened, Problem> {
        let mut reader = archive::Reader::open(source, key)?;
        let header = reader.header().clone();
        let mut files = BTreeMap::new();
        let mut rows: BTreeMap<String, Vec<Json>> = BTreeMap::new();
        while let Some((path, bytes)) = reader.next_entry()? {
            if let Some(file) = path.strip_prefix("description/") {
                files.insert(file.to_owned(), Arc::from(bytes));
            } else if let Some(kind) = archive::kind_of_objects(&path) {
                let lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
                let found: Result<Vec<Json>, _> = lines.map(serde_json::from_slice).collect();
                let found = found.map_err(|error| {
                    Problem::error("archive-damaged", format!("{path} of the archive is not what it should be"))
                        .note(error.to_string())
                        .help("take another archive")
                })?;
                rows.entry(kind.to_owned()).or_default().extend(found);
            }
        }
        let contents = reader.finish()?.contents;
        let objects = Objects::read(Registry::get(), &rows);
        let kinds = rows.keys().cloned().collect();
        let then = of_objects(Registry::get(), rows);
        Ok(Opened { header, contents, files, objects, then, kinds })
    }

    /// Names it by the tenant it was taken of and when: `travel0.eu.auth0.com-20261122T101500Z`.
    pub fn label(&self) -> String {
        format!("{}-{}", self.header.domain, self.header.started.strftime("%Y%m%dT%H%M%SZ"))
    }

    /// The files of its description.
    fn description(&self) -> DescriptionFiles {
        in_memory(self.files.iter().map(|(path, bytes)| (path.as_str(), Arc::clone(bytes))))
    }
}

/// Reads an archive to its end: a file, or an object of a bucket.
///
/// # Errors
///
/// `backup-unreadable` and the like where it cannot be read, and those of [`archive::Reader`]; `interrupted`.
pub async fn open_archive(file: &str, key: Arc<Unseal>, request: &Request) -> Result<Opened, Failed> {
    let at = |problem: Problem| {
        let problem = if problem.labels.is_empty() { problem.at(&Locus::file(file)) } else { problem };
        Failed::one(problem, Sources::default())
    };
    let source = crate::storage::open(file, &request.around).await.map_err(at)?;
    let read = tokio::task::spawn_blocking(move || Opened::read(source, &key));
    let read = tokio::select! {
        () = request.cancel.cancelled() => Err(Problem::error("interrupted", "interrupted before everything was read")),
        read = read => read.unwrap_or_else(|_| Err(Problem::error("archive-unreadable", "reading broke off"))),
    };
    read.map_err(at)
}

/// Nothing lies behind the files of an archive.
#[derive(Debug)]
struct Nothing;

impl Behind for Nothing {
    fn read(&self, _path: &str) -> FileState {
        FileState::Absent
    }
}

/// Plans a restore onto the tenant that the settings name.
///
/// # Errors
///
/// Those of the settings, of the archive's description, and of [`plan`](super::plan()).
pub async fn restore(request: &RestoreRequest, archive: &Arc<Opened>) -> Result<Restoring, Failed> {
    let base = &request.plan.base;
    let loaded = load_settings(&base.flags, &base.around)?;
    let mut described = described(archive, loaded.settings, base, Secrets::Ask, &request.secrets).await?;
    described.problems.splice(0..0, loaded.warnings);
    let sources = described.sources.clone();
    let session =
        Session::open(&described.settings, base).await.map_err(|problem| Failed::one(problem, sources.clone()))?;
    on_session(&request.plan, archive, described, session).await
}

/// Reads the description of an archive, with the settings of the tenant it is restored onto: but no variable of theirs counts, and
/// what looks like a marker is text.
pub(super) async fn described(
    archive: &Opened,
    mut settings: Settings,
    base: &Request,
    secrets: Secrets,
    given: &IndexMap<String, Secret>,
) -> Result<Described, Failed> {
    // Addresses are those of then: nothing was renamed since.
    settings.moved.clear();
    let loaded = literal(archive.description(), &settings, base, secrets, given).await;
    let mut problems = loaded.problems;
    // An archive holds no markers: what looks like one is text, and stays it.
    problems.retain(|problem| {
        problem.is_error() || !["unset-variable", "reference-not-described", "id-not-live"].contains(&problem.id)
    });
    if has_errors(&problems) {
        return Err(Failed::new(problems, loaded.sources));
    }
    let mut desired = loaded.outcome.desired;
    let digest = receipt::description_digest(&desired);
    archive.objects.identify(&mut desired);
    nothing_of(archive, &settings, &mut desired);
    Ok(Described {
        settings,
        desired,
        filters: loaded.outcome.filters,
        left_alone: loaded.outcome.left_alone,
        digest,
        problems,
        sources: loaded.sources,
    })
}

/// Reads a description that an export wrote: no variable counts, and what looks like a marker is text.
pub(super) async fn literal(
    files: DescriptionFiles,
    settings: &Settings,
    base: &Request,
    secrets: Secrets,
    given: &IndexMap<String, Secret>,
) -> LoadedDescription {
    let literal = Settings {
        mode: Mode::Compatibility,
        values: VariableSettings { lenient_side_files: true, ..VariableSettings::default() },
        base_path: None,
        connections_directory: None,
        moved: Vec::new(),
        ..settings.clone()
    };
    load_files(&literal, &base.around, files, secrets, given).await
}

/// The files of a description that is on no disk, by path.
pub(super) fn in_memory<'a>(found: impl IntoIterator<Item = (&'a str, Arc<[u8]>)>) -> DescriptionFiles {
    let mut tree = Tree::new("description");
    for (path, bytes) in found {
        for (at, _) in path.match_indices('/') {
            tree.insert_folder(path.get(..at).unwrap_or_default());
        }
        tree.insert(path, FileState::Read(bytes));
    }
    DescriptionFiles::from_elsewhere(tree, None, PathBuf::from("description"), Box::new(Nothing))
}

/// A kind that was read, and of which there was nothing to write, asks for nothing to be there.
fn nothing_of(archive: &Opened, settings: &Settings, desired: &mut Desired) {
    let unread = |kind: &str| archive.contents.unread.iter().any(|unread| unread.what == kind);
    for kind in archive.kinds.iter().filter(|kind| settings.filters.covers_kind(kind) && !unread(kind)) {
        if Registry::get().kind(kind).is_some_and(|spec| spec.is_open_set()) {
            desired.kinds.entry(kind.clone()).or_default();
        }
    }
}

/// Plans a restore over a connection that is open. It is closed where that fails.
pub(super) async fn on_session(
    request: &PlanRequest,
    archive: &Arc<Opened>,
    mut described: Described,
    session: Session,
) -> Result<Restoring, Failed> {
    let sources = described.sources.clone();
    match made(request, archive, &mut described, &session).await {
        Ok((made, about)) => {
            let mut planned = made.with(described, session, request);
            planned.purpose = Purpose::Restore(archive.label());
            planned.lost = lost(archive, &about, &planned);
            planned.refusals = guard::judge(&planned.plan, planned.judgement());
            Ok(Restoring { planned, about })
        }
        Err(problems) => {
            session.close().await;
            described.problems.extend(problems);
            Err(Failed::new(described.problems, sources))
        }
    }
}

async fn made(
    request: &PlanRequest,
    archive: &Arc<Opened>,
    described: &mut Described,
    session: &Session,
) -> Result<(Made, About), Vec<Problem>> {
    let one = |problem: Problem| vec![problem];
    let registry = Registry::get();
    let mut problems = session.client.warnings();
    let settings = described.settings.clone();
    let mut past = Past::read(&settings, &request.base, session, &mut problems).await.map_err(one)?;
    let (live, names) = read(&session.client, registry, Reach::Described(&described.desired)).await.map_err(one)?;
    past.recover(&settings, &request.base, session, (&live, &names), &mut problems).await.map_err(one)?;
    // What is deployed is the archive, whatever is checked out here.
    past.commit = None;
    let about = adapted(archive, described, (&live, &names), &past);
    let mut broken = plan::complete(registry, &mut described.desired, &live, &names);
    for problem in broken.iter_mut().filter(|problem| problem.id == "unknown-scope") {
        problem.severity = Severity::Warning;
    }
    problems.extend(broken);
    described.problems.extend(problems);
    let options = plan::Options { leave_refused: true, ..options(request, described, &past) };
    let halves = Halves::read(&past, &live, &mut described.problems);
    // The same restore is carried on; another deployment that did not end is said.
    let same = |open: &&Deployment| open.purpose == Purpose::Restore(archive.label());
    if let Some(open) = past.history.unfinished().last().filter(|open| !same(open)) {
        described.problems.push(halves.warn(open));
    }
    let mut base = halves.onto(past.base.as_ref(), &live).as_ref().map(whole);
    if let Some(base) = &mut base {
        left_without(registry, &described.desired, base);
    }
    let mut made = plan::make(registry, &described.desired, &live, base.as_ref(), &options);
    halves.disown(&mut made);
    // An archive speaks of more than the files that were deployed: only what moved since was done by somebody.
    made.already.retain(|(address, path)| base.as_ref().is_none_or(|base| moved_since(base, &live, address, path)));
    made.notes.retain(|note| note.id != "id-not-live");
    let told = unmatched(&request.targets, &described.desired, &live, past.base.as_ref());
    described.problems.extend(told);
    described.problems.extend(plan::problems(&made));
    if has_errors(&described.problems) {
        return Err(Vec::new());
    }
    past.repository = None;
    answer(&mut made, &past, session, (&live, &names), &request.base).await;
    Ok((Made { plan: made, live, names, past, at: None, back: Back::default() }, about))
}

/// An archive describes a tenant in full: what was deployed is held against it as it was left in full. Else every field that the files
/// leave to Auth0 would look like a change of ours.
fn whole(base: &Base) -> Base {
    let full = |(address, left): (&Address, &BaseResource)| {
        let mut left = left.clone();
        if let Some(spec) = Registry::get().kind(&address.kind) {
            left.desired = plan::over(&spec.fields, &left.live, &left.desired);
        }
        (address.clone(), left)
    };
    Base { resources: base.resources.iter().map(full).collect() }
}

/// Says whether a leaf has another value than the last deployment left.
fn moved_since(base: &Base, live: &Live, address: &Address, path: &Path) -> bool {
    let left = base.resources.get(address);
    let now = live.resources(&address.kind).iter().find(|now| now.address == *address);
    match (Registry::get().kind(&address.kind), left, now) {
        (Some(spec), Some(left), Some(now)) => {
            plan::lookup(&spec.fields, &left.live, path) != plan::lookup(&spec.fields, &now.value, path)
        }
        _ => true,
    }
}

/// Brings what the archive asks for onto this tenant.
fn adapted(archive: &Arc<Opened>, described: &mut Described, (live, names): (&Live, &Names), past: &Past) -> About {
    let registry = Registry::get();
    let (from, to) = (archive.header.domain.clone(), live.domain.clone());
    let desired = &mut described.desired;
    let then = Then::find(registry, desired, &archive.then);
    let settled = settle(registry, desired, live, past.base.as_ref());
    let left_out = without_left_out(registry, desired, &archive.objects, names, &described.left_alone);
    let management_api = management_api(desired, &from, &to);
    let other = Some(from.as_str()).filter(|from| *from != to);
    let mentions = mentions(registry, desired, &archive.objects, live, other);
    let stays = then.clear(registry, desired, live);
    let objects = Arc::clone(archive);
    About { from, to, mentions, left_out, management_api, stays, objects, settled, live: live.clone() }
}

/// What cannot come back, in sentences.
fn lost(archive: &Opened, about: &About, planned: &Planned) -> Vec<String> {
    let mut out = Vec::new();
    let anew = |change: &&crate::change::Change| {
        let spec = Registry::get().kind(&change.address.kind);
        change.action == Action::Create && spec.is_some_and(|spec| spec.own.is_some() && spec.own == spec.id)
    };
    let known = |change: &&crate::change::Change| {
        let bare = Address { id: None, ..change.address.clone() };
        archive.objects.iter().any(|object| object.address == bare)
    };
    let new: Vec<&Address> = planned.plan.changes.iter().filter(anew).filter(known).map(|c| &c.address).collect();
    let told = "what uses the old ones has to be told";
    match new.as_slice() {
        [] => {}
        [one] => out.push(format!("{one} gets a new id and a new secret: {told}")),
        [one, ..] => out.push(format!("{} {} get new ids and new secrets: {told}", new.len(), one.kind)),
    }
    let stays = |one: &Stays| format!("`{}`: `{}` had no value, and the API takes none back", one.address, one.path);
    out.extend(about.stays.iter().map(stays));
    // What only another tenant lacks is still there on the same one, and secrets are asked for one by one.
    let elsewhere = archive.header.domain != planned.live.domain;
    let classes = archive.contents.not_restorable.iter().filter(|class| elsewhere && class.count != Some(0));
    for class in classes.filter(|class| class.class != "secrets") {
        let count = class.count.map(|count| format!(" ({count})")).unwrap_or_default();
        out.push(format!("{}{count}: {}", class.class.replace('-', " "), class.why));
    }
    out
}

impl About {
    /// Returns what has another id than in the archive. `made` is what the restore made.
    pub fn new_ids(&self, made: &[(Address, String)]) -> Vec<NewId> {
        self.objects.objects.new_ids(&self.live, made, &self.settled.ids)
    }
}
