//! Brings users of a backup back, through import jobs.

use std::collections::{HashMap, VecDeque};
use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use serde_json::Value;

use super::assign::Targets;
use super::chunk::{Chunk, Chunker, LIMIT};
use super::class::{self, Class, Connection, Counts};
use super::convert;
use super::exported::{self, Failed};
use super::job::{self, Ended};
use super::progress::{Counted, Progress, Sent};
use super::report::{ConnectionImport, ImportReport, UserFailure};
use super::target::{Existing, Found, Present};
use crate::api::{Client, Failure, ListStyle, Upload};
use crate::codec::encode_segment;
use crate::problem::Problem;

/// Import jobs that a tenant runs at once (Auth0 documentation, rate limits).
const JOBS_AT_ONCE: usize = 2;

/// How often what may have been done is sent again. It does nothing twice: who is there is told, not made again.
pub(super) const IN_DOUBT: u32 = 3;

/// Refused users that are named; all are counted.
const MOST_NAMED: usize = 1000;

/// How to import.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImportOptions {
    /// Whether users who are there and differ become as in the backup. Metadata are overwritten then, not merged; user name,
    /// phone number and blocking stay as they are (Auth0 documentation, bulk user imports). Else they are left alone.
    pub update_existing: bool,
}

/// Takes the entries `users/…` of a backup, in order, and brings to the tenant what they say.
///
/// Who is there already is not imported again, so that a second import changes nothing. A killed import goes on where it was
/// when it is fed the same entries with the same progress file.
pub struct Importer {
    pub(super) client: Client,
    options: ImportOptions,
    progress: Progress,
    /// Connections of the backup by folder.
    archived: HashMap<String, Connection>,
    /// Connections of the tenant by name.
    there: HashMap<String, Connection>,
    current: Option<Current>,
    running: VecDeque<Running>,
    pub(super) present: Present,
    counts: Counts,
    pub(super) targets: Targets,
    pub(super) report: ImportReport,
}

/// The connection whose users are fed.
struct Current {
    folder: String,
    /// Index in the report.
    at: usize,
    /// Where the users go; `None` where they cannot.
    target: Result<Connection, Class>,
    existing: Existing,
    chunker: Chunker,
}

/// A chunk on its way.
struct Running {
    job: String,
    digest: String,
    /// Index of the connection in the report.
    at: usize,
    connection: Connection,
    chunk: Chunk,
    is_second: bool,
}

impl Importer {
    /// Prepares an import. `progress` is a file that survives a kill; it is made when needed, and removed at the end.
    ///
    /// # Errors
    ///
    /// `bad-import-progress`.
    pub fn new(client: Client, options: ImportOptions, progress: &Path) -> Result<Importer, Problem> {
        let progress = Progress::open(progress, client.domain())?;
        Ok(Importer {
            client,
            options,
            progress,
            archived: HashMap::new(),
            there: HashMap::new(),
            current: None,
            running: VecDeque::new(),
            present: Present::default(),
            counts: Counts::default(),
            targets: Targets::default(),
            report: ImportReport::default(),
        })
    }

    /// Takes one entry of the backup.
    ///
    /// # Errors
    ///
    /// `bad-users-entry` for what no backup holds; those of a tenant that cannot be reached or does not let us in; those of the
    /// progress file; `interrupted`. What concerns single users or connections is in the report instead.
    pub async fn feed(&mut self, path: &str, bytes: &[u8]) -> Result<(), Problem> {
        let parts: Vec<&str> = path.split('/').collect();
        match parts.as_slice() {
            ["users", "connections.json"] => self.connections(path, bytes).await,
            ["users", "by-connection", folder, _] => self.users(path, folder, bytes).await,
            ["users", part @ ("roles" | "permissions" | "organizations"), _] => {
                // Nobody gets a role before he is there.
                self.settled().await?;
                let part = (*part).to_owned();
                self.assign(&part, path, bytes).await
            }
            _ => Err(bad_entry(path, "no entry of users has this name")),
        }
    }

    /// Waits for what is under way and says what was done.
    ///
    /// # Errors
    ///
    /// As [`Importer::feed`].
    pub async fn finish(mut self) -> Result<ImportReport, Problem> {
        self.settled().await?;
        self.progress.end();
        let mut report = self.report;
        let always = if report.connections.is_empty() { &[][..] } else { &[Class::Session, Class::History] };
        report.not_imported = self.counts.list(always);
        Ok(report)
    }

    async fn connections(&mut self, path: &str, bytes: &[u8]) -> Result<(), Problem> {
        let listed: Vec<Value> =
            serde_json::from_slice(bytes).map_err(|_| bad_entry(path, "it is no list of connections"))?;
        for entry in &listed {
            let folder = entry.get("folder").and_then(Value::as_str);
            let connection = entry.get("connection").cloned().and_then(|one| serde_json::from_value(one).ok());
            let (Some(folder), Some(connection)) = (folder, connection) else {
                return Err(bad_entry(path, "it lists something that is no connection"));
            };
            self.archived.insert(folder.to_owned(), connection);
        }
        let style = ListStyle::Checkpoint { rows: "connections".to_owned(), max: 100 };
        let query = [("fields", "id,name,strategy,options")];
        let rows = self.client.list("connections", &query, &style).await.map_err(|failure| failure.problem())?;
        let found = rows.iter().filter_map(Connection::read);
        self.there = found.map(|connection| (connection.name.clone(), connection)).collect();
        Ok(())
    }

    async fn users(&mut self, path: &str, folder: &str, bytes: &[u8]) -> Result<(), Problem> {
        if self.current.as_ref().is_none_or(|current| current.folder != folder) {
            self.flush().await?;
            let archived = self.archived.get(folder).cloned();
            let archived =
                archived.ok_or_else(|| bad_entry(path, "users/connections.json does not name the connection"))?;
            self.enter(folder, &archived).await?;
        }
        let lines = bytes.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii).filter(|line| !line.is_empty());
        for line in lines {
            let user: Value = serde_json::from_slice(line).unwrap_or_default();
            if let Some((connection, at, chunk)) = self.collect(&user) {
                self.chunk(&connection, at, chunk).await?;
            }
        }
        Ok(())
    }

    /// Turns to a connection: finds it on the tenant and reads who is there.
    async fn enter(&mut self, folder: &str, archived: &Connection) -> Result<(), Problem> {
        let there = self.there.get(&archived.name).filter(|there| there.strategy == archived.strategy).cloned();
        let mut existing = Existing::default();
        if let Some(there) = &there {
            let mut take = |_: &[u8], user: Value| {
                if class::home(&user).is_none_or(|home| home == there.name) {
                    existing.add(&user);
                }
                Ok(())
            };
            match exported::each(&self.client, there, None, &mut take).await {
                Ok(()) => {}
                Err(Failed::Stopped(problem)) => return Err(problem),
                // Not fatal: the API tells of users who are there. But a role needs to know who is.
                Err(Failed::Unread(why)) => {
                    let note = "users who are there already are not compared with the backup";
                    self.report.problems.push(why.note(note));
                }
            }
        }
        let target = match there {
            Some(there) => there.refuses().map_or(Ok(there), Err),
            None => Err(archived.refuses().unwrap_or(Class::ConnectionMissing)),
        };
        self.report.connections.push(ConnectionImport { name: archived.name.clone(), ..ConnectionImport::default() });
        let at = self.report.connections.len() - 1;
        let chunker = Chunker::new(LIMIT);
        self.current = Some(Current { folder: folder.to_owned(), at, target, existing, chunker });
        Ok(())
    }

    /// Adds a user to the current chunk, or to a class; returns the chunk that is full.
    fn collect(&mut self, user: &Value) -> Option<(Connection, usize, Chunk)> {
        let current = self.current.as_mut()?;
        let target = match &current.target {
            Ok(target) => target.clone(),
            Err(class) => {
                let id = user.get("user_id").and_then(Value::as_str).unwrap_or_default();
                if current.existing.has(id) {
                    self.present.add(id, id);
                } else {
                    self.counts.add(*class, 1);
                }
                return None;
            }
        };
        let user = match convert::convert(user) {
            Ok(user) => user,
            Err(class) => {
                self.counts.add(class, 1);
                return None;
            }
        };
        match current.chunker.push(user) {
            Ok(full) => full.map(|chunk| (target, current.at, chunk)),
            Err(_) => {
                self.counts.add(Class::TooLarge, 1);
                None
            }
        }
    }

    /// Sends what is collected.
    async fn flush(&mut self) -> Result<(), Problem> {
        let Some(current) = &mut self.current else { return Ok(()) };
        if let (Ok(target), Some(chunk)) = (current.target.clone(), current.chunker.finish()) {
            let at = current.at;
            self.chunk(&target, at, chunk).await?;
        }
        self.current = None;
        Ok(())
    }

    /// Sends what is collected and waits for all jobs.
    async fn settled(&mut self) -> Result<(), Problem> {
        self.flush().await?;
        self.room(0).await
    }

    /// Sends those of a chunk who are not there, unless an earlier run did.
    async fn chunk(&mut self, connection: &Connection, at: usize, chunk: Chunk) -> Result<(), Problem> {
        let digest = chunk.digest(&connection.name);
        if let Some(Sent { job: Some(job), result }) = self.progress.of(&digest).cloned() {
            if let Some(counted) = result.filter(|counted| counted.failed == 0) {
                self.came(&chunk, &[]);
                self.add(at, counted, 0);
                return Ok(());
            }
            // What it did, and whom it refused, is read from the job, ended or not.
            let connection = connection.clone();
            self.running.push_back(Running { job, digest, at, connection, chunk, is_second: false });
            return self.room(JOBS_AT_ONCE).await;
        }
        let mut absent = Vec::new();
        for user in chunk.users {
            let nobody = Existing::default();
            let existing = self.current.as_ref().map_or(&nobody, |current| &current.existing);
            let (there, is_equal) = match existing.find(&user) {
                Found::Nobody => {
                    absent.push(user);
                    continue;
                }
                Found::Equal(id) => (id.to_owned(), true),
                Found::Differs(id) => (id.to_owned(), false),
            };
            self.present.add(&user.id, &there);
            if is_equal {
                self.of(at).unchanged += 1;
            } else if self.options.update_existing {
                absent.push(user);
            } else {
                self.of(at).kept += 1;
            }
        }
        if absent.is_empty() {
            return Ok(());
        }
        for user in &absent {
            self.counts.add(Class::SecondFactor, u64::from(user.has_factor));
            self.counts.add(Class::LinkedIdentity, u64::from(user.is_linked));
        }
        self.room(JOBS_AT_ONCE - 1).await?;
        self.start(connection, at, Chunk { users: absent }, digest, false).await
    }

    fn of(&mut self, at: usize) -> &mut ConnectionImport {
        if self.report.connections.len() <= at {
            self.report.connections.resize(at + 1, ConnectionImport::default());
        }
        &mut self.report.connections[at]
    }

    /// Starts the import job of a chunk.
    async fn start(
        &mut self,
        connection: &Connection,
        at: usize,
        chunk: Chunk,
        digest: String,
        is_second: bool,
    ) -> Result<(), Problem> {
        self.progress.set(&digest, Sent::default())?;
        let mut fields = vec![("connection_id", connection.id.clone())];
        fields.push(("upsert", self.options.update_existing.to_string()));
        fields.push(("send_completion_email", false.to_string()));
        let path = "jobs/users-imports".to_owned();
        let upload = Upload { path: path.clone(), fields, name: "users", file: chunk.file() };
        let (mut doubts, mut pause, mut waited) = (0, Duration::from_millis(500), Duration::ZERO);
        let answer = loop {
            match self.client.upload(&upload).await {
                Ok(answer) => break answer,
                // Somebody else imports too.
                Err(Failure::Refused { status: 429, message, .. })
                    if message.contains("active import users jobs") && waited < job::LONGEST =>
                {
                    if !self.running.is_empty() {
                        Box::pin(self.room(self.running.len() - 1)).await?;
                        continue;
                    }
                    self.client.wait(pause).await.map_err(|failure| failure.problem())?;
                    waited += pause;
                    pause = (pause * 2).min(Duration::from_secs(60));
                }
                Err(Failure::Refused { status: 413, .. }) => return Box::pin(self.halved(connection, at, chunk)).await,
                Err(Failure::InDoubt { .. }) if doubts < IN_DOUBT => {
                    doubts += 1;
                    self.client.wait(pause).await.map_err(|failure| failure.problem())?;
                }
                Err(
                    failure @ (Failure::Refused { status: 400..429, .. }
                    | Failure::Scope { .. }
                    | Failure::NotFound { .. }),
                ) => {
                    self.refused(connection, &chunk, &failure);
                    return Ok(());
                }
                Err(failure) => return Err(failure.problem()),
            }
        };
        let Some(job) = job::id_of(&answer.body) else {
            let (method, reason) = (Method::POST, "the job has no id".to_owned());
            return Err(Failure::BadAnswer { method, path, status: answer.status, reason }.problem());
        };
        self.progress.set(&digest, Sent { job: Some(job.clone()), result: None })?;
        self.running.push_back(Running { job, digest, at, connection: connection.clone(), chunk, is_second });
        Ok(())
    }

    /// Sends a chunk that was too large in two.
    async fn halved(&mut self, connection: &Connection, at: usize, chunk: Chunk) -> Result<(), Problem> {
        match chunk.halves() {
            Ok(halves) => {
                for half in halves {
                    let digest = half.digest(&connection.name);
                    self.room(JOBS_AT_ONCE - 1).await?;
                    self.start(connection, at, half, digest, false).await?;
                }
            }
            Err(one) => self.counts.add(Class::TooLarge, one.users.len() as u64),
        }
        Ok(())
    }

    /// Notes that a connection takes no users; the rest of them is not tried.
    fn refused(&mut self, connection: &Connection, chunk: &Chunk, failure: &Failure) {
        self.counts.add(Class::ConnectionRefused, chunk.users.len() as u64);
        let note = format!("so the users of the connection `{}` were not imported", connection.name);
        let problem = failure.problem().note(note);
        if !self.report.problems.contains(&problem) {
            self.report.problems.push(problem);
        }
        if let Some(current) = &mut self.current {
            current.target = Err(Class::ConnectionRefused);
        }
    }

    /// Waits until no more than `most` jobs run.
    async fn room(&mut self, most: usize) -> Result<(), Problem> {
        while self.running.len() > most {
            let Some(oldest) = self.running.pop_front() else { break };
            match job::ended(&self.client, &oldest.job).await.map_err(|failure| failure.problem())? {
                Ended::Completed(job) => self.count(&oldest, &job).await?,
                Ended::Failed(details) => self.failed(oldest, format!("Auth0 says: {details}")).await?,
                Ended::Gone => self.failed(oldest, "Auth0 does not know the job any more".to_owned()).await?,
            }
        }
        Ok(())
    }

    /// Starts a job that failed once more; after that its users are given up.
    async fn failed(&mut self, job: Running, why: String) -> Result<(), Problem> {
        let Running { connection, at, chunk, digest, is_second, .. } = job;
        if !is_second {
            return Box::pin(self.start(&connection, at, chunk, digest, true)).await;
        }
        self.of(at).failed += chunk.users.len() as u64;
        let title = format!("{} users of the connection `{}` were not imported", chunk.users.len(), connection.name);
        let problem = Problem::error("import-job-failed", title).note(why);
        self.report.problems.push(problem.help("import again: who is there already is not imported twice"));
        Ok(())
    }

    /// Counts what a job did, and names those it refused.
    async fn count(&mut self, done: &Running, job: &Value) -> Result<(), Problem> {
        let number = |name: &str| job.get("summary").and_then(|summary| summary.get(name)?.as_u64()).unwrap_or(0);
        let counted = Counted { inserted: number("inserted"), updated: number("updated"), failed: number("failed") };
        let errors = if counted.failed == 0 {
            Value::Null
        } else {
            let path = format!("jobs/{}/errors", encode_segment(&done.job));
            match self.client.get(&path, &[]).await {
                Ok(errors) => errors,
                Err(Failure::NotFound { .. }) => Value::Null,
                Err(failure) => return Err(failure.problem()),
            }
        };
        let (mut refused, mut duplicates) = (Vec::new(), 0);
        for entry in errors.as_array().map_or(&[][..], Vec::as_slice) {
            let text = |value: Option<&Value>| value.and_then(Value::as_str).unwrap_or_default().to_owned();
            let own_id = text(entry.get("user").and_then(|user| user.get("user_id")));
            let error = entry.get("errors").and_then(|errors| errors.get(0));
            let code: String = text(error.and_then(|error| error.get("code"))).chars().take(64).collect();
            if code == "DUPLICATED_USER" {
                duplicates += 1;
                continue;
            }
            let user_id = if own_id.is_empty() { own_id } else { format!("auth0|{own_id}") };
            let path = text(error.and_then(|error| error.get("path")));
            refused.push(user_id.clone());
            if self.report.failures.len() < MOST_NAMED {
                let path = Some(path.chars().take(128).collect::<String>()).filter(|path| !path.is_empty());
                let connection = done.connection.name.clone();
                self.report.failures.push(UserFailure { connection, user_id, code, path });
            }
        }
        refused.sort();
        self.came(&done.chunk, &refused);
        self.add(done.at, counted, duplicates);
        self.progress.set(&done.digest, Sent { job: Some(done.job.clone()), result: Some(counted) })
    }
}

impl Importer {
    /// Remembers that the users of a chunk are there, but for those refused (sorted).
    fn came(&mut self, chunk: &Chunk, refused: &[String]) {
        for user in &chunk.users {
            if refused.binary_search(&user.id).is_err() && self.present.id(&user.id).is_none() {
                self.present.add(&user.id, &user.id);
            }
        }
    }

    fn add(&mut self, at: usize, counted: Counted, duplicates: u64) {
        self.counts.add(Class::Password, counted.inserted);
        let of = self.of(at);
        of.inserted += counted.inserted;
        of.updated += counted.updated;
        of.already_there += duplicates;
        of.failed += counted.failed.saturating_sub(duplicates);
    }
}

/// Says that an entry is none of a backup's.
pub(super) fn bad_entry(path: &str, why: &str) -> Problem {
    Problem::error("bad-users-entry", format!("the entry `{path}` of the backup cannot be used"))
        .note(why.to_owned())
        .help("check the backup with `tenantry backup verify`")
}
