//! `restore --users`: the users of an archive, through import jobs.

use std::path::Path;
use std::sync::Arc;

use ulid::Ulid;

use super::restore::Opened;
use super::{Failed, Request, Session};
use crate::archive::{Reader, USERS, Unseal};
use crate::ledger::Ledger;
use crate::lock::{self, Lock, Taken};
use crate::model::{Locus, Sources};
use crate::problem::Problem;
use crate::project::{Settings, load_settings};
use crate::users::{ImportOptions, ImportReport, Importer};

/// Entries that are read ahead of the import.
const AHEAD: usize = 1;

/// What an import of users is told.
#[derive(Debug, Clone)]
pub struct UsersRequest {
    /// Which users are written.
    pub options: ImportOptions,
    /// Who imports: a name for people.
    pub actor: String,
    /// Nobody else is kept from applying at the same time.
    pub no_lock: bool,
}

/// Whose users are imported.
pub(super) struct UsersOf<'a> {
    /// Where the archive is.
    pub(super) file: &'a str,
    /// What opens it.
    pub(super) key: Arc<Unseal>,
    /// What is in it.
    pub(super) archive: &'a Opened,
}

/// Imports the users of an archive that was read to its end before: it is read again, entry by entry. The tenant is locked meanwhile.
///
/// Returns what came of it, and what to know about the lock. An import that was killed goes on where it was: what was done stands in a file beside the ledger.
///
/// # Errors
///
/// Those of the settings, of the archive, and of [`Importer`]; `locked`.
pub async fn restore_users(
    file: &str,
    key: Arc<Unseal>,
    archive: &Opened,
    users: &UsersRequest,
    request: &Request,
) -> Result<(ImportReport, Vec<Problem>), Failed> {
    let loaded = load_settings(&request.flags, &request.around)?;
    let sources = loaded.sources;
    let session =
        Session::open(&loaded.settings, request).await.map_err(|problem| Failed::one(problem, sources.clone()))?;
    let done = locked(UsersOf { file, key, archive }, users, &loaded.settings, &session, request).await;
    session.close().await;
    done.map_err(|problem| Failed::one(problem, sources))
}

/// Holds the lock while users are imported.
async fn locked(
    of: UsersOf<'_>,
    users: &UsersRequest,
    settings: &Settings,
    session: &Session,
    request: &Request,
) -> Result<(ImportReport, Vec<Problem>), Problem> {
    let client = &session.client;
    let ledger = Ledger::open(&settings.ledger_place(), &settings.root, &settings.environment, client.domain())?;
    let journals = ledger.journal("users");
    let folder = journals.parent().unwrap_or(&settings.root);
    std::fs::create_dir_all(folder).map_err(|error| {
        Problem::error("unwritable-file", format!("{} cannot be made: {error}", folder.display()))
            .help("make the ledger's folder writable")
    })?;
    let mut problems = Vec::new();
    let id = Ulid::generate().to_string();
    let _presence = ledger.presence(&id);
    let lock = if users.no_lock {
        None
    } else {
        let owner = lock::Owner { deployment: id.clone(), actor: users.actor.clone() };
        let is_dead = |other: &str| other != id && ledger.is_dead(other);
        match lock::take_from(client, &owner, &is_dead, lock::Terms::default()).await? {
            Taken::Locked(lock) => Some(lock),
            Taken::Unlocked(problem) => {
                problems.push(problem);
                None
            }
        }
    };
    let done = import(of, users.options, folder, lock.as_ref(), session, request).await;
    if let Some(lock) = lock {
        problems.extend(lock.release().await);
    }
    Ok((done?, problems))
}

/// Imports over a connection that is open; what was done is kept in `folder`. A lock that is lost stops it between two files.
pub(super) async fn import(
    UsersOf { file, key, archive }: UsersOf<'_>,
    options: ImportOptions,
    folder: &Path,
    lock: Option<&Lock>,
    session: &Session,
    request: &Request,
) -> Result<ImportReport, Problem> {
    let progress = folder.join(format!("users-{}.json", archive.label()));
    let mut importer = Importer::new(session.client.clone(), options, &progress)?;
    let source = crate::storage::open(file, &request.around).await?;
    let (send, mut entries) = tokio::sync::mpsc::channel::<(String, Vec<u8>)>(AHEAD);
    let reading = tokio::task::spawn_blocking(move || -> Result<(), Problem> {
        let mut reader = Reader::open(source, &key)?;
        while let Some((path, bytes)) = reader.next_entry()? {
            // Nobody waits for the rest where the import ended.
            if path.starts_with(USERS) && send.blocking_send((path, bytes)).is_err() {
                return Ok(());
            }
        }
        reader.finish().map(|_| ())
    });
    while let Some((path, bytes)) = entries.recv().await {
        lock.map_or(Ok(()), Lock::check)?;
        importer.feed(&path, &bytes).await?;
    }
    let read = reading.await.unwrap_or_else(|_| Err(Problem::error("archive-unreadable", "reading broke off")));
    read.map_err(|problem| if problem.labels.is_empty() { problem.at(&Locus::file(file)) } else { problem })?;
    importer.finish().await
}

/// Says that an archive holds no users, where it does not.
///
/// # Errors
///
/// `no-users`.
pub fn has_users(archive: &Opened) -> Result<u64, Failed> {
    let users: u64 = archive.contents.users.values().sum();
    if users > 0 {
        return Ok(users);
    }
    let problem = Problem::error("no-users", "there are no users in this archive")
        .note("they are backed up only where they are asked for")
        .help("leave --users away, or take another archive: `tenantry backup --users` writes one");
    Err(Failed::one(problem, Sources::default()))
}
