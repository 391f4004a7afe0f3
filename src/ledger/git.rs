//! A ledger in git: `refs/tenantry/ENVIRONMENT`, a commit when a deployment begins and one when it ends.
//!
//! The library reads and writes objects and refs, the `git` program talks to the remote. What the remote has is fetched to
//! `refs/tenantry-remote/`. Where the two went apart, their union is a commit with both as parents.

use std::path::{Path, PathBuf};
use std::time::Duration;

use git2::Oid;

use super::objects::{self, Files};
use super::program::{Program, Said};
use super::records::{DEPLOYMENTS, File, JOURNALS, history, is_record, journal_name, record_name};
use crate::deployment::{Deployment, History, Outcome, Purpose, stored};
use crate::files::{Access, write_atomically};
use crate::problem::Problem;
use crate::repository::Repository;

/// Where the ledgers of this clone are.
const HERE: &str = "refs/tenantry/";

/// Where what the remote has is fetched to.
const THERE: &str = "refs/tenantry-remote/";

/// Fetches the ledgers of all environments: two of them may be one tenant.
const FETCH: &str = "+refs/tenantry/*:refs/tenantry-remote/*";

/// Most times that others may be faster.
const MOST_TRIES: usize = 16;

/// Time between two tries.
const PAUSE: Duration = Duration::from_millis(25);

/// What git says where two push at once.
const AT_ONCE: [&str; 4] =
    ["cannot lock ref", "failed to update ref", "reference already exists", "incorrect old value"];

#[derive(Debug)]
pub(super) struct GitLedger {
    repository: Repository,
    program: Program,
    remote: Remote,
    environment: String,
    domain: String,
}

/// Where the ledger is shared.
#[derive(Debug)]
enum Remote {
    Named(String),
    None,
    /// Several, and none is `origin`.
    Unclear(Vec<String>),
}

/// A commit that no ref names yet.
struct Prepared {
    on: Option<Oid>,
    commit: Oid,
    lease: Option<Oid>,
}

/// Whether a deployment may go on without the remote.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Remoteness {
    Needed,
    Wanted,
}

impl GitLedger {
    pub(super) fn describe(&self) -> String {
        format!("the ref {HERE}{}", self.environment)
    }

    pub(super) fn open(root: &Path, environment: &str, domain: String) -> Result<Self, Problem> {
        let Some(repository) = Repository::open(root)? else {
            let title = format!("the ledger is to be kept in git, and {} is in no git repository", root.display());
            return Err(Problem::error("ledger-no-repository", title)
                .help("git init")
                .help("or keep it in a folder: `ledger: dir:.tenantry`"));
        };
        let git = repository.git().map_err(|error| unreadable(&error))?;
        let mut names: Vec<String> = git
            .remotes()
            .map_err(|error| unreadable(&error))?
            .iter()
            .filter_map(|name| name.ok().flatten().map(str::to_owned))
            .collect();
        let remote = match names.iter().position(|name| name == "origin") {
            Some(origin) => Remote::Named(names.swap_remove(origin)),
            None if names.len() > 1 => Remote::Unclear(names),
            None => names.pop().map_or(Remote::None, Remote::Named),
        };
        let own_ssh = ["GIT_SSH", "GIT_SSH_COMMAND"].iter().any(|name| std::env::var_os(name).is_some())
            || git.config().and_then(|config| config.get_entry("core.sshCommand").map(|_| ())).is_ok();
        let folder = repository.work_tree().unwrap_or(repository.common_dir());
        let program = Program::new(repository.common_dir(), folder, own_ssh);
        Ok(GitLedger { program, remote, environment: environment.to_owned(), domain, repository })
    }

    pub(super) async fn read(&self) -> Result<(History, Vec<Problem>), Problem> {
        let mut warnings = Vec::new();
        match &self.remote {
            Remote::Named(remote) => {
                if let Err(said) = self.program.fetch(remote, FETCH).await {
                    warnings.push(offline(remote, &said));
                }
            }
            Remote::None => warnings.push(
                Problem::remark("ledger-local", "this repository has no remote: the ledger stays in this clone")
                    .help("git remote add origin URL"),
            ),
            Remote::Unclear(names) => warnings.push(
                Problem::warning("ledger-local", "none of the remotes is `origin`: the ledger stays in this clone")
                    .note(format!("there are {}", names.join(", ")))
                    .help(format!("git remote rename {} origin", names.first().map_or("NAME", |name| name))),
            ),
        }
        let (history, problems) = self.known()?;
        warnings.extend(problems);
        if warnings.iter().all(|problem| problem.id != "ledger-offline") {
            warnings.extend(self.follow());
        }
        Ok((history, warnings))
    }

    pub(super) async fn begin(&self, record: &Deployment) -> Result<Vec<Problem>, Problem> {
        self.make_room()?;
        let files = vec![(format!("{DEPLOYMENTS}/{}", record_name(&record.id)), stored::write(record).into_bytes())];
        self.keep(files, &message(record), Remoteness::Needed).await
    }

    pub(super) async fn finish(&self, record: &Deployment) -> Result<Vec<Problem>, Problem> {
        let mut files =
            vec![(format!("{DEPLOYMENTS}/{}", record_name(&record.id)), stored::write(record).into_bytes())];
        if let Ok(journal) = std::fs::read(self.journal(&record.id)) {
            files.push((format!("{JOURNALS}/{}", journal_name(&record.id)), journal));
        }
        self.keep(files, &message(record), Remoteness::Wanted).await
    }

    pub(super) fn journal(&self, deployment: &str) -> PathBuf {
        self.journals().join(journal_name(deployment))
    }

    pub(super) fn take_journal(&self, deployment: &str, path: PathBuf) -> Result<Option<PathBuf>, Problem> {
        let wanted = format!("{JOURNALS}/{}", journal_name(deployment));
        let find = || -> Result<Option<Vec<u8>>, git2::Error> {
            let git = self.repository.git()?;
            for reference in references(&git)? {
                let files = objects::files(&git, objects::tip(&git, &reference)?)?;
                if let Some(id) = files.get(&wanted) {
                    return Ok(Some(git.find_blob(*id)?.content().to_vec()));
                }
            }
            Ok(None)
        };
        match find().map_err(|error| unreadable(&error))? {
            Some(bytes) => write_atomically(&path, &bytes, Access::Owner).map(|()| Some(path)),
            None => Ok(None),
        }
    }

    fn journals(&self) -> PathBuf {
        self.repository.common_dir().join("tenantry").join(&self.environment).join(JOURNALS)
    }

    fn here(&self) -> String {
        format!("{HERE}{}", self.environment)
    }

    fn there(&self) -> String {
        format!("{THERE}{}", self.environment)
    }

    /// Makes the folder of the journals: where that fails, nothing has been written anywhere.
    fn make_room(&self) -> Result<(), Problem> {
        let folder = self.journals();
        std::fs::create_dir_all(&folder).map_err(|error| {
            let title = format!("the deployment cannot be recorded: {} cannot be made: {error}", folder.display());
            Problem::error("ledger-unwritable", title).help("make the repository's git folder writable")
        })
    }

    /// Reads what this clone knows, its own and what was fetched.
    fn known(&self) -> Result<(History, Vec<Problem>), Problem> {
        let git = self.repository.git().map_err(|error| unreadable(&error))?;
        let (here, there) = (self.here(), self.there());
        let own = || -> Result<Vec<File>, git2::Error> {
            let own = objects::files(&git, objects::tip(&git, &here)?)?;
            let all = objects::union(&git, own, objects::files(&git, objects::tip(&git, &there)?)?)?;
            records(&git, &all, &here)
        };
        let (mut known, problems) = history(own().map_err(|error| unreadable(&error))?, &self.domain)?;
        // Environments of the same tenant share what they know. What is wrong with the others is for them to say.
        let others = || -> Result<History, git2::Error> {
            let mut out = History::none();
            for reference in references(&git)?.iter().filter(|name| **name != here && **name != there) {
                for file in records(&git, &objects::files(&git, objects::tip(&git, reference)?)?, reference)? {
                    if let Ok((found, _)) = history(vec![file], &self.domain) {
                        out = out.union(found);
                    }
                }
            }
            Ok(out)
        };
        known = known.union(others().unwrap_or_else(|_| History::none()));
        Ok((known, problems))
    }

    /// Lets this clone's ref follow what was fetched, where it holds nothing of its own; warns where it does.
    fn follow(&self) -> Option<Problem> {
        let Remote::Named(remote) = &self.remote else { return None };
        let git = self.repository.git().ok()?;
        let here = objects::tip(&git, &self.here()).ok()?;
        let there = objects::tip(&git, &self.there()).ok()?;
        match (here, there) {
            (None, None) => None,
            (Some(here), there) if there.is_none_or(|there| !objects::holds(&git, there, here)) => {
                let title = format!("the ledger of `{}` has deployments that `{remote}` lacks", self.environment);
                Some(self.next_step(Problem::warning("ledger-not-pushed", title), remote))
            }
            (here, Some(there)) => {
                // Only for those who look with git: what is known does not depend on it.
                let _ = objects::advance(&git, &self.here(), here, there);
                None
            }
            (Some(_), None) => None,
        }
    }

    fn next_step(&self, problem: Problem, remote: &str) -> Problem {
        problem.help(format!("git push {remote} {0}:{0}", self.here())).help("the next deployment sends them along")
    }

    /// Keeps files in a commit on top of all that is known.
    async fn keep(
        &self,
        files: Vec<(String, Vec<u8>)>,
        message: &str,
        remoteness: Remoteness,
    ) -> Result<Vec<Problem>, Problem> {
        let mut said = Said("others were faster every time".to_owned());
        let mut kept = false;
        for attempt in 0..MOST_TRIES {
            if attempt > 0 {
                tokio::time::sleep(PAUSE).await;
            }
            let prepared = self.prepare(&files, message).map_err(|error| unwritable(&error))?;
            let Remote::Named(remote) = &self.remote else {
                if self.move_to(&prepared)? {
                    return Ok(Vec::new());
                }
                continue;
            };
            // An outcome is kept whatever the remote says.
            if remoteness == Remoteness::Wanted {
                if !self.move_to(&prepared)? {
                    continue;
                }
                kept = true;
            }
            let lease = prepared.lease.map(|id| id.to_string()).unwrap_or_default();
            match self.program.push(remote, &prepared.commit.to_string(), &self.here(), &lease).await {
                Ok(()) => {
                    self.was_taken(&prepared)?;
                    return Ok(Vec::new());
                }
                Err(why) => said = why,
            }
            if let Err(why) = self.program.fetch(remote, FETCH).await {
                said = why;
                break;
            }
            let there = self.tip_there()?;
            // The push arrived and its answer was lost.
            if there == Some(prepared.commit) {
                self.was_taken(&prepared)?;
                return Ok(Vec::new());
            }
            // Two pushes at once can make the remote refuse both.
            if there == prepared.lease && !AT_ONCE.iter().any(|words| said.0.contains(words)) {
                break;
            }
        }
        match (&self.remote, remoteness) {
            (Remote::Named(remote), Remoteness::Wanted) if kept => {
                Ok(vec![self.next_step(self.refused(remote, &said), remote)])
            }
            (Remote::Named(remote), Remoteness::Needed) => {
                let mut problem = self.refused(remote, &said);
                problem.severity = crate::problem::Severity::Error;
                Err(problem
                    .note("nothing was written to the tenant: what another machine needs to take it back would be here alone")
                    .help(format!("give this machine leave to push to `{remote}`; GitHub Actions: `permissions: contents: write`"))
                    .help("or keep the ledger in a folder: `ledger: dir:PATH`"))
            }
            _ => {
                let lock = self.repository.common_dir().join(format!("{}.lock", self.here()));
                let title = format!("the deployment cannot be recorded: {} cannot be moved", self.here());
                Err(Problem::error("ledger-unwritable", title)
                    .note("another program moves it all the time, or one that crashed left its lock behind")
                    .help(format!("if no git runs, remove {}", lock.display())))
            }
        }
    }

    fn refused(&self, remote: &str, said: &Said) -> Problem {
        let title = format!("`{remote}` did not take the ledger of `{}`", self.environment);
        Problem::warning("ledger-not-pushed", title).note(format!("git says: {}", said.0))
    }

    fn tip_there(&self) -> Result<Option<Oid>, Problem> {
        let read = || objects::tip(&self.repository.git()?, &self.there());
        read().map_err(|error: git2::Error| unreadable(&error))
    }

    /// Makes the commit, on top of what is here and what was fetched.
    fn prepare(&self, new: &[(String, Vec<u8>)], message: &str) -> Result<Prepared, git2::Error> {
        let git = self.repository.git()?;
        let (here, lease) = (objects::tip(&git, &self.here())?, objects::tip(&git, &self.there())?);
        let parents: Vec<Oid> = match (here, lease) {
            (Some(here), Some(there)) if objects::holds(&git, here, there) => vec![here],
            (Some(here), Some(there)) if objects::holds(&git, there, here) => vec![there],
            (here, there) => here.into_iter().chain(there).collect(),
        };
        let mut files = Files::new();
        for parent in &parents {
            files = objects::union(&git, files, objects::files(&git, Some(*parent))?)?;
        }
        let (mut blobs, mut additions) = (Vec::new(), Files::new());
        for (path, bytes) in new {
            let id = git.blob(bytes)?;
            blobs.push(id);
            additions.insert(path.clone(), id);
        }
        let before = files.clone();
        files.extend(additions);
        let commit = match parents[..] {
            [only] if files == before => only,
            _ => objects::commit(&git, &files, &parents, message)?,
        };
        objects::make_last(&git, commit, &blobs)?;
        Ok(Prepared { on: here, commit, lease })
    }

    fn move_to(&self, prepared: &Prepared) -> Result<bool, Problem> {
        let advance = || {
            let git = self.repository.git()?;
            objects::advance(&git, &self.here(), prepared.on, prepared.commit)
        };
        advance().map_err(|error: git2::Error| unwritable(&error))
    }

    /// The remote has it: so has what stands for the remote, and this clone.
    fn was_taken(&self, prepared: &Prepared) -> Result<(), Problem> {
        let note = || -> Result<(), git2::Error> {
            let git = self.repository.git()?;
            git.reference(&self.there(), prepared.commit, true, "tenantry")?;
            // Another process of this clone may have been faster: the next commit joins both.
            objects::advance(&git, &self.here(), prepared.on, prepared.commit).map(|_| ())
        };
        note().map_err(|error| unwritable(&error))
    }
}

/// Returns the refs of all environments, here and as fetched.
fn references(git: &git2::Repository) -> Result<Vec<String>, git2::Error> {
    let mut out = Vec::new();
    for prefix in [HERE, THERE] {
        for name in git.references_glob(&format!("{prefix}*"))?.names() {
            out.push(name?.to_owned());
        }
    }
    Ok(out)
}

fn records(git: &git2::Repository, files: &Files, shown: &str) -> Result<Vec<File>, git2::Error> {
    let mut out = Vec::new();
    for (path, id) in files {
        let Some(name) = path.strip_prefix(DEPLOYMENTS).and_then(|rest| rest.strip_prefix('/')) else { continue };
        if is_record(name) {
            let bytes = git.find_blob(*id)?.content().to_vec();
            out.push(File { name: name.to_owned(), shown: format!("{shown}:{path}"), bytes });
        }
    }
    Ok(out)
}

fn message(record: &Deployment) -> String {
    let line = |text: &str| text.chars().filter(|c| !c.is_control()).collect::<String>();
    let what = match &record.purpose {
        Purpose::Apply => "apply".to_owned(),
        Purpose::Revert(ids) => format!("revert of {}", ids.join(", ")),
        Purpose::Baseline => "baseline".to_owned(),
        Purpose::Restore(archive) => format!("restore of {}", line(archive)),
    };
    let stage = match record.outcome {
        None => "begins",
        Some(Outcome::Done) => "done",
        Some(Outcome::Partial) => "done in part",
        Some(Outcome::Failed) => "failed",
    };
    let commit = match &record.commit {
        Some(commit) => format!("Commit: {}{}\n", line(&commit.id), if commit.dirty { ", with changes" } else { "" }),
        None => String::new(),
    };
    let (domain, actor) = (line(&record.domain), line(&record.actor));
    format!("{what} on {domain}: {stage}\n\nDeployment: {}\nActor: {actor}\n{commit}", line(&record.id))
}

fn offline(remote: &str, said: &Said) -> Problem {
    Problem::warning("ledger-offline", format!("the ledger could not be fetched from `{remote}`"))
        .note(format!("git says: {}", said.0))
        .note("what others deployed since the last fetch is not known here")
        .help(format!("git fetch {remote} '{FETCH}'"))
}

fn unreadable(error: &git2::Error) -> Problem {
    Problem::error("ledger-unreadable", format!("the ledger in git cannot be read: {}", error.message()))
        .help("git fsck")
}

fn unwritable(error: &git2::Error) -> Problem {
    Problem::error("ledger-unwritable", format!("the deployment cannot be recorded: {}", error.message()))
        .help("make the repository's git folder writable")
}
