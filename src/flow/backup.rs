//! `backup`: the tenant into one archive, in a folder or a bucket.

use std::collections::BTreeSet;
use std::path::PathBuf;

use jiff::Timestamp;

use super::{Failed, Request, Session};
use crate::api::{Client, Failure};
use crate::archive::{
    self, ArchiveName, Contents, DESCRIPTION, Format, Header, Manifest, NotRestorable, OBJECTS, Seal, Unread, Writer,
};
use crate::codec::masked;
use crate::export::{self, ExportOptions, Survey};
use crate::live::{Found, FoundKind, Reach, gather};
use crate::model::{Live, LiveKind, LiveResource, Sources, Unavailable, count};
use crate::problem::{Problem, Severity};
use crate::project::{Settings, load_settings};
use crate::schema::{KindSpec, Registry};
use crate::storage::{NewFile, Place, Sink, Stored, Upload, Written};
use crate::users;

/// Size at which the objects of a kind go on in a further entry.
const OBJECTS_BYTES: usize = 8 * 1024 * 1024;

/// How archives of one file are named at the end: that it is one.
const ENDS: [(&str, bool); 2] = [(".tar.zst", false), (".tar.zst.age", true)];

/// What `backup` is asked.
#[derive(Debug)]
pub struct BackupRequest {
    /// Where the project is.
    pub base: Request,
    /// A folder, a place in a bucket, or one file in either.
    pub output: String,
    /// How many finished backups of this tenant the place keeps; `None` for all.
    pub keep: Option<usize>,
    /// Who can open it.
    pub seal: Seal,
    /// What is read of users; `None` for nothing.
    pub users: Option<users::BackupOptions>,
}

/// A backup that was written.
#[derive(Debug)]
pub struct BackedUp {
    /// The file, as it is shown.
    pub shown: String,
    /// Its size and digest.
    pub written: Written,
    /// What it says of itself.
    pub header: Header,
    /// What is in it.
    pub manifest: Manifest,
    /// It was read again, and is what was written.
    pub read_back: bool,
    /// Older backups that were removed, as they are shown.
    pub removed: Vec<String>,
    /// Warnings and notes.
    pub problems: Vec<Problem>,
    /// Texts of the files.
    pub sources: Sources,
}

/// Writes one archive, reads it again, and then removes what is more than is to be kept.
///
/// # Errors
///
/// Errors of the settings, the network, the place. Nothing is left behind then, and no other backup was touched.
pub async fn backup(request: &BackupRequest) -> Result<BackedUp, Failed> {
    let loaded = load_settings(&request.base.flags, &request.base.around)?;
    let sources = loaded.sources;
    let fail = |problem: Problem| Failed::one(problem, sources.clone());
    let (place, file) = target(request).map_err(fail)?;
    let session = Session::open(&loaded.settings, &request.base).await.map_err(fail)?;
    let mut problems = loaded.warnings;
    problems.extend(session.client.warnings());
    let done = async {
        let mut run = Run {
            request,
            settings: &loaded.settings,
            client: &session.client,
            place: &place,
            header: Header {
                format: Format::CURRENT,
                tool: env!("CARGO_PKG_VERSION").to_owned(),
                domain: session.client.domain().to_owned(),
                environment: loaded.settings.environment.clone(),
                started: Timestamp::now(),
                encrypted: request.seal.is_sealed(),
            },
            is_whole: false,
            problems: Vec::new(),
        };
        let done = run.run(file).await?;
        problems.append(&mut run.problems);
        Ok(BackedUp { header: run.header, ..done })
    }
    .await;
    session.close().await;
    let mut done = done.map_err(fail)?;
    done.problems = problems;
    done.sources = sources;
    Ok(done)
}

/// Returns the place, and the file where one is named.
fn target(request: &BackupRequest) -> Result<(Place, Option<String>), Problem> {
    let around = &request.base.around;
    let Some((end, is_sealed)) = ENDS.into_iter().find(|(end, _)| request.output.ends_with(end)) else {
        return Ok((Place::parse(&request.output, around)?, None));
    };
    if request.keep.is_some() {
        return Err(Problem::error("usage", "--keep is about a folder of backups, and -o names one file")
            .help("give the folder: each backup gets a name of its own"));
    }
    if is_sealed != request.seal.is_sealed() {
        let (what, other) = if is_sealed { ("is not encrypted", ".tar.zst") } else { ("is encrypted", ".tar.zst.age") };
        return Err(Problem::error("usage", format!("the file is to end with {end}, and the backup {what}"))
            .help(format!("let its name end with {other}")));
    }
    let (place, file) = Place::parse_file(&request.output, around)?;
    Ok((place, Some(file)))
}

struct Run<'a> {
    request: &'a BackupRequest,
    settings: &'a Settings,
    client: &'a Client,
    place: &'a Place,
    header: Header,
    /// Everything that was asked for could be read.
    is_whole: bool,
    problems: Vec<Problem>,
}

impl Run<'_> {
    async fn run(&mut self, file: Option<String>) -> Result<BackedUp, Problem> {
        let name = self.name();
        let new = file.map_or_else(|| NewFile::Numbered(name.clone()), NewFile::Named);
        // The place is tried first: a bucket that is gone is told before minutes of reading.
        let (sink, upload) = self.place.begin(new, &self.request.base.cancel).await?;
        let (written, manifest, upload) = self.write(sink, upload).await?;
        let (shown, file) = (upload.shown().to_owned(), upload.file().to_owned());
        upload.publish().await?;
        tracing::info!(file = %shown, bytes = written.bytes, "written");
        let read_back = self.read_back(&file, &shown, &written).await?;
        let removed = self.thin(&name, &file, read_back).await;
        if !self.header.encrypted {
            self.problems.push(
                Problem::remark("backup-open", "the backup is not encrypted: secrets are masked in it")
                    .help("encrypt it for a key with `--recipient age1…`: then it holds those that the API returns"),
            );
        }
        let (header, problems, sources) = (self.header.clone(), Vec::new(), Sources::default());
        Ok(BackedUp { shown, written, header, manifest, read_back, removed, problems, sources })
    }

    /// Names the archive. What a sandbox holds is never taken for a backup of the tenant that it stands in for.
    fn name(&self) -> ArchiveName {
        let domain = match &self.settings.sandbox {
            Some(_) => format!("sandbox-{}", self.header.domain),
            None => self.header.domain.clone(),
        };
        ArchiveName::new(&domain, self.header.started, self.header.encrypted)
    }

    /// Writes everything; on any error nothing is left behind.
    async fn write(&mut self, sink: Sink, upload: Upload) -> Result<(Written, Manifest, Upload), Problem> {
        match self.fill(sink).await {
            Ok((written, manifest)) => Ok((written, manifest, upload)),
            Err(problem) => {
                // The place knows better why it took no more.
                let cause = upload.abandon().await.filter(|_| problem.id == "backup-unwritable");
                Err(cause.unwrap_or(problem))
            }
        }
    }

    async fn fill(&mut self, sink: Sink) -> Result<(Written, Manifest), Problem> {
        let registry = Registry::get();
        let mut writer = Writer::start(sink, &self.header, &self.request.seal)?;
        let filters = &self.settings.filters;
        let kinds: BTreeSet<String> =
            registry.names().filter(|kind| filters.covers_kind(kind)).map(str::to_owned).collect();
        tracing::info!(kinds = kinds.len(), "reading the tenant");
        let mut found = gather(self.client, registry, Reach::Whole(&kinds)).await?;
        let mut contents = Contents::default();
        self.tenant(registry, &mut found, &mut writer, &mut contents)?;
        drop(found);
        self.signing_keys(&mut writer, &mut contents).await?;
        let mut unread = contents.unread.len();
        if let Some(options) = self.request.users {
            unread += self.users(options, &mut writer, &mut contents).await?;
        }
        self.say_unread(unread);
        let (sink, manifest) = writer.finish(Timestamp::now(), contents)?;
        Ok((sink.end()?, manifest))
    }

    /// Adds the tenant's objects, then its description. Both go resource by resource, so that no more than one is decoded at a time.
    fn tenant(
        &mut self,
        registry: &Registry,
        found: &mut Found,
        writer: &mut Writer<Sink>,
        contents: &mut Contents,
    ) -> Result<(), Problem> {
        let options = ExportOptions {
            secrets: self.header.encrypted,
            filters: self.settings.filters.clone(),
            ..ExportOptions::default()
        };
        let kinds = || registry.kinds().filter(|spec| self.settings.filters.covers_kind(&spec.name));
        let mut survey = Survey::new(registry, &options);
        for spec in kinds() {
            let Some(kind) = found.kind(spec) else { continue };
            match &kind {
                Ok(kind) => self.objects(spec, kind, writer, contents)?,
                Err(why) => contents.unread.extend(unread_kind(&spec.name, why)),
            }
            survey.kind(spec, Some(shown(&kind)));
        }
        let mut description = survey.written();
        for spec in kinds() {
            let kind = found.kind(spec);
            let mut add = |path: PathBuf, text: String| {
                let path = path.to_string_lossy().replace('\\', "/");
                writer.add(&format!("{DESCRIPTION}{path}"), text.as_bytes())
            };
            description.kind(spec, kind.as_ref().map(shown), &mut add)?;
            drop(kind);
            found.forget(spec);
        }
        let export = description.finish();
        // What could not be read is told once, of all parts together; what an export leaves out is in the objects.
        let told = |problem: &Problem| problem.id != "export-unreadable" && problem.severity != Severity::Note;
        self.problems.extend(export.report.into_iter().filter(told));
        let secrets = export.secrets.len() as u64;
        if secrets > 0 {
            contents.not_restorable.push(NotRestorable {
                class: "secrets".to_owned(),
                count: Some(secrets),
                why: match self.header.encrypted {
                    true => "no read returns them: a restore asks for them by name".to_owned(),
                    false => "not in a backup that is not encrypted, or returned by no read: a restore asks for them"
                        .to_owned(),
                },
            });
        }
        contents.secrets = export.secrets;
        Ok(())
    }

    /// Adds the objects of a kind, and notes what of them could not be read.
    fn objects(
        &self,
        spec: &KindSpec,
        kind: &FoundKind<'_>,
        writer: &mut Writer<Sink>,
        contents: &mut Contents,
    ) -> Result<(), Problem> {
        let mut lines = Lines { writer, kind: &spec.name, number: 1, bytes: Vec::new() };
        for resource in (0..kind.count()).filter_map(|place| kind.resource(place)) {
            lines.add(&self.line(spec, &resource.raw)?)?;
            contents.unread.extend(unread_members(&resource));
        }
        lines.put()?;
        contents.counts.insert(spec.name.clone(), kind.count() as u64);
        Ok(())
    }

    fn line(&self, spec: &KindSpec, raw: &serde_json::Value) -> Result<Vec<u8>, Problem> {
        let line = match self.header.encrypted {
            true => serde_json::to_vec(raw),
            false => serde_json::to_vec(&masked(spec, raw)),
        };
        line.map_err(|error| Problem::error("backup-unwritable", format!("an object cannot be written: {error}")))
    }

    /// Adds the public parts of the tenant's signing keys.
    async fn signing_keys(&self, writer: &mut Writer<Sink>, contents: &mut Contents) -> Result<(), Problem> {
        match self.client.get("keys/signing", &[]).await {
            Ok(keys) => {
                let count = keys.as_array().map_or(1, Vec::len) as u64;
                contents.not_restorable.push(NotRestorable {
                    class: "signing-keys".to_owned(),
                    count: Some(count),
                    why: "their private parts never leave Auth0: tokens of this tenant do not verify in another"
                        .to_owned(),
                });
                writer.add(archive::SIGNING_KEYS, keys.to_string().as_bytes())
            }
            Err(Failure::Scope { needed, .. }) => {
                contents.unread.push(Unread { what: "signing keys".to_owned(), why: scope(&needed) });
                Ok(())
            }
            Err(Failure::NotFound { .. } | Failure::Feature { .. }) => Ok(()),
            Err(failure) => Err(failure.problem()),
        }
    }

    /// Adds the users. Returns how much of them could not be read; what was left out on purpose is none of it.
    async fn users(
        &self,
        options: users::BackupOptions,
        writer: &mut Writer<Sink>,
        contents: &mut Contents,
    ) -> Result<usize, Problem> {
        tracing::info!("reading the users");
        let report = users::backup(self.client, &options, &mut |path, bytes| writer.add(path, bytes)).await?;
        contents.users = report.connections.iter().map(|one| (one.name.clone(), one.users)).collect();
        let mut failed = 0;
        for one in report.unread {
            failed += usize::from(one.why.severity != Severity::Note);
            let why = std::iter::once(one.why.title).chain(one.why.notes).collect::<Vec<_>>().join("; ");
            contents.unread.push(Unread { what: one.what, why });
        }
        for one in report.not_restorable {
            let class = serde_json::to_value(one.class).ok().and_then(|class| class.as_str().map(str::to_owned));
            let (class, why) = (class.unwrap_or_default(), one.why.to_owned());
            contents.not_restorable.push(NotRestorable { class, count: one.count, why });
        }
        Ok(failed)
    }

    fn say_unread(&mut self, unread: usize) {
        self.is_whole = unread == 0;
        // Which they are is in the answer and in the manifest.
        if unread > 0 {
            let parts = count(unread, "part");
            let verb = if unread == 1 { "is" } else { "are" };
            let title = format!("{parts} of the tenant could not be read and {verb} not in the backup");
            let mut problem = Problem::warning("backup-unread", title);
            if self.request.keep.is_some() {
                problem = problem.note("so no older backup was removed: it may hold what this one lacks");
            }
            let help = "the answer says why: where a scope is missing, grant it to the client that Tenantry uses, or \
                        `exclude` the kind from this environment";
            self.problems.push(problem.help(help));
        }
    }

    /// Reads the file again. Whoever may write but not read gets a warning; a file that differs is an error.
    async fn read_back(&mut self, file: &str, shown: &str, written: &Written) -> Result<bool, Problem> {
        let opened = self.place.open(file).await;
        let digest = match opened {
            Ok(source) => digest_of(source).await,
            Err(problem) => Err(problem),
        };
        match digest {
            Ok(found) if found == *written => Ok(true),
            Ok(_) => Err(Problem::error("backup-differs", format!("{shown} is not what was written"))
                .note("the place keeps something else than it was given; other backups are untouched")
                .help("remove it, check the disk or service, and back up again")),
            Err(why) => {
                let mut problem =
                    Problem::warning("backup-not-read-back", format!("{shown} was written, and cannot be read again"))
                        .note(why.title);
                if self.request.keep.is_some() {
                    problem = problem.note("so no older backup was removed");
                }
                self.problems.push(problem.help("allow reading there too, to have every backup checked"));
                Ok(false)
            }
        }
    }

    /// Removes what is more than is to be kept, where this backup has everything. A failure is a warning: the backup is there.
    async fn thin(&mut self, name: &ArchiveName, file: &str, read_back: bool) -> Vec<String> {
        let Some(keep) = self.request.keep.filter(|_| read_back && self.is_whole) else { return Vec::new() };
        let found = match self.place.list().await {
            Ok(found) => found,
            Err(problem) => {
                self.problems.push(unthinned(problem));
                return Vec::new();
            }
        };
        let mut removed = Vec::new();
        for stored in superfluous(found, &name.tenant, file, keep) {
            match self.place.remove(&stored.file).await {
                Ok(()) => removed.push(self.place.shown(&stored.file)),
                Err(problem) => self.problems.push(unthinned(problem)),
            }
        }
        removed
    }
}

/// Returns the finished backups of a tenant beyond the newest `keep`, oldest first; never the one just written.
fn superfluous(found: Vec<Stored>, tenant: &str, written: &str, keep: usize) -> Vec<Stored> {
    let ours = |stored: &Stored| stored.name.tenant == tenant && stored.name.finished && stored.file != written;
    let mut others: Vec<Stored> = found.into_iter().filter(ours).collect();
    others.sort_by_key(|stored| stored.name.order());
    let more = others.len().saturating_sub(keep.saturating_sub(1));
    others.truncate(more);
    others
}

fn unthinned(problem: Problem) -> Problem {
    Problem::warning("backup-not-thinned", "not every backup that is more than --keep was removed")
        .note(problem.title)
        .help("remove what is too old by hand: `tenantry backup list PLACE` shows it")
}

/// Shows an export what was found of a kind.
fn shown<'f>(kind: &'f Result<FoundKind<'_>, &'f Unavailable>) -> export::Found<'f> {
    match kind {
        Ok(kind) => Ok(kind),
        Err(why) => Err(why),
    }
}

fn objects_path(kind: &str, number: usize) -> String {
    match number {
        1 => format!("{OBJECTS}{kind}.ndjson"),
        number => format!("{OBJECTS}{kind}.{number}.ndjson"),
    }
}

/// Objects of a kind as lines, in as many entries as it takes.
struct Lines<'a> {
    writer: &'a mut Writer<Sink>,
    kind: &'a str,
    number: usize,
    bytes: Vec<u8>,
}

impl Lines<'_> {
    fn add(&mut self, line: &[u8]) -> Result<(), Problem> {
        if !self.bytes.is_empty() && self.bytes.len() + line.len() >= OBJECTS_BYTES {
            self.put()?;
            self.number += 1;
        }
        self.bytes.extend_from_slice(line);
        self.bytes.push(b'\n');
        Ok(())
    }

    /// Writes what has come together; a kind that has nothing gets its empty entry.
    fn put(&mut self) -> Result<(), Problem> {
        self.writer.add(&objects_path(self.kind, self.number), &self.bytes)?;
        self.bytes.clear();
        Ok(())
    }
}

/// Lists what could not be read for want of a scope: kinds by name, members behind the address of their resource. What a
/// subscription lacks is not there at all.
pub(super) fn unread(live: &Live) -> Vec<Unread> {
    let of = |(kind, found): (&String, &LiveKind)| match found {
        LiveKind::Unavailable(why) => unread_kind(kind, why).into_iter().collect(),
        LiveKind::Read(resources) => resources.iter().flat_map(unread_members).collect::<Vec<_>>(),
    };
    live.kinds.iter().flat_map(of).collect()
}

fn unread_kind(kind: &str, why: &Unavailable) -> Option<Unread> {
    match why {
        Unavailable::Scope(needed) => Some(Unread { what: kind.to_owned(), why: scope(needed) }),
        Unavailable::Feature(_) => None,
    }
}

fn unread_members(resource: &LiveResource) -> Vec<Unread> {
    let unread = |(member, why): &(String, Unavailable)| match why {
        Unavailable::Scope(needed) => {
            Some(Unread { what: format!("{} {member}", resource.address), why: scope(needed) })
        }
        Unavailable::Feature(_) => None,
    };
    resource.unreadable.iter().filter_map(unread).collect()
}

fn scope(needed: &[String]) -> String {
    if needed.is_empty() {
        return "the token may not read it".to_owned();
    }
    format!("this needs the scope `{}`", needed.join("` or `"))
}

/// Digests a file; blocks a thread of its own.
async fn digest_of(mut source: Box<dyn std::io::Read + Send>) -> Result<Written, Problem> {
    use sha2::Digest;
    let work = move || -> std::io::Result<Written> {
        let (mut digest, mut bytes) = (sha2::Sha256::new(), 0);
        let mut buffer = vec![0; 256 * 1024];
        loop {
            let read = source.read(&mut buffer)?;
            if read == 0 {
                return Ok(Written { bytes, sha256: digest.finalize().into() });
            }
            digest.update(buffer.get(..read).unwrap_or_default());
            bytes += read as u64;
        }
    };
    let failed = |error: std::io::Error| {
        error
            .downcast::<Problem>()
            .unwrap_or_else(|error| Problem::error("backup-unreadable", format!("it cannot be read: {error}")))
    };
    let joined = tokio::task::spawn_blocking(work).await;
    joined.unwrap_or_else(|_| Err(std::io::Error::other("reading broke off"))).map_err(failed)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn stored(file: &str) -> Stored {
        Stored { file: file.to_owned(), name: ArchiveName::parse(file).unwrap(), bytes: 1 }
    }

    #[test]
    fn only_finished_backups_of_the_same_tenant_are_too_many() {
        let files = [
            "a-20261103T000000Z.tar.zst",
            "a-20261101T000000Z.tar.zst.age",
            "b-20261001T000000Z.tar.zst",
            "a-20261002T000000Z.tar.zst.partial",
            "a-20261102T000000Z-2.tar.zst",
            "a-20261102T000000Z.tar.zst",
        ];
        let found = || files.iter().map(|file| stored(file)).collect::<Vec<_>>();
        let names = |keep| {
            let more = superfluous(found(), "a", "a-20261103T000000Z.tar.zst", keep);
            more.into_iter().map(|stored| stored.file).collect::<Vec<_>>()
        };
        assert_eq!(names(2), ["a-20261101T000000Z.tar.zst.age", "a-20261102T000000Z.tar.zst"]);
        assert_eq!(names(9), Vec::<String>::new());
        assert_eq!(names(1).len(), 3, "the one just written stays, whatever its time says");
    }
}
