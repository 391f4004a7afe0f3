//! `restore --rehearse`: an archive restored into a fresh sandbox, and planned again: nothing may be left to do.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use indexmap::IndexMap;
use serde_json::json;

use super::apply::apply_open;
use super::plan::PlanRequest;
use super::restore::{Opened, Restoring, described, on_session};
use super::restore_users::{UsersOf, import};
use super::{Applied, ApplyRequest, Failed, Request, Session};
use crate::api::{Method, Write};
use crate::apply::Report;
use crate::archive::Unseal;
use crate::change::{Plan, Refusal};
use crate::description::Filters;
use crate::export::{self, ExportOptions};
use crate::guard::Approved;
use crate::live::{Reach, read};
use crate::model::{Live, LiveKind, Secret, Sources, Value};
use crate::problem::Problem;
use crate::project::{DeleteRule, DriftRule, LedgerPlace, Mode, Policy, Ruled, Secrets, Settings, VariableSettings};
use crate::restore::{NewId, made_up};
use crate::schema::Registry;
use crate::users::{ImportOptions, ImportReport};

/// A domain for what only tenants with a domain of their own have: page templates, partials.
const CUSTOM_DOMAIN: &str = "login.rehearsal.example";

/// What a rehearsal showed.
#[derive(Debug, Default)]
pub struct Rehearsed {
    /// Described resources by kind.
    pub resources: BTreeMap<String, usize>,
    /// Names of the secrets that were made up.
    pub made_up: Vec<String>,
    /// What was done.
    pub report: Report,
    /// What guards said against it: a bug, as the rehearsal's policy allows everything.
    pub refusals: Vec<Refusal>,
    /// What was left to do afterwards; `None` where that was not looked at, because not all could be done.
    pub left: Option<Plan>,
    /// Files of the description that an export afterwards does not write as they are in the archive, but for new ids.
    pub differs: Vec<String>,
    /// What became of the users, where they were rehearsed too.
    pub users: Option<ImportReport>,
    /// Users were rehearsed too, and could not be imported.
    pub users_failed: bool,
    /// Warnings and notes.
    pub problems: Vec<Problem>,
}

impl Rehearsed {
    /// Says whether everything came back.
    pub fn is_good(&self) -> bool {
        let users = !self.users_failed && self.users.as_ref().is_none_or(ImportReport::is_whole);
        let left = self.left.as_ref().is_some_and(|plan| !plan.has_changes());
        self.refusals.is_empty() && left && users && self.differs.is_empty()
    }
}

/// Restores an archive into a fresh sandbox, which is gone afterwards. No tenant, ledger or credential is touched or needed.
///
/// `users` says where the archive is and what opens it, where its users are imported too.
///
/// # Errors
///
/// Those of the archive's description; `sandbox-failed`.
pub async fn rehearse(
    archive: &Arc<Opened>,
    users: Option<(&str, Arc<Unseal>)>,
    base: &Request,
) -> Result<Rehearsed, Failed> {
    let bare = |problem: Problem| Failed::one(problem, Sources::default());
    let folder = tempfile::tempdir().map_err(|error| {
        bare(
            Problem::error("unwritable-file", format!("there is no room for a rehearsal: {error}"))
                .help("make room in the folder for temporary files (TMPDIR)"),
        )
    })?;
    let settings = settings(folder.path());
    let names = &archive.contents.secrets;
    let given: IndexMap<String, Secret> =
        names.iter().map(|name| (name.clone(), Secret::new(made_up(name), format!("secrets.{name}")))).collect();
    let mut rehearsed = Rehearsed { made_up: names.clone(), ..Rehearsed::default() };
    let request = request(base);
    let first = described(archive, settings.clone(), base, Secrets::Leave, &given).await?;
    rehearsed.resources =
        first.desired.kinds.iter().map(|(kind, described)| (kind.clone(), described.resources.len())).collect();
    rehearsed.resources.retain(|_, count| *count > 0);
    let session = Session::rehearsal(&archive.header.domain, base).await.map_err(bare)?;
    if let Err(problem) = own_domain(&session).await {
        session.close().await;
        return Err(bare(problem));
    }
    let Restoring { planned, about } = on_session(&request, archive, first, session).await?;
    rehearsed.problems = planned.problems.clone();
    let asked = ApplyRequest {
        keep_going: true,
        no_lock: true,
        actor: "a rehearsal".to_owned(),
        cancel: base.cancel.clone(),
        ..ApplyRequest::default()
    };
    let applied = apply_open(&planned, &asked, &|_| {}).await;
    let session = planned.session;
    match applied {
        Applied::Ran { report, problems, .. } => {
            rehearsed.report = report;
            rehearsed.problems.extend(problems);
        }
        Applied::Refused(refusals) => rehearsed.refusals = refusals,
        Applied::Stopped(problem) => {
            session.close().await;
            return Err(bare(problem));
        }
        Applied::Moved(moved) => {
            session.close().await;
            let problem = Problem::error("plan-moved", "the sandbox moved during the rehearsal; please report it");
            return Err(bare(moved.into_iter().fold(problem, Problem::note)));
        }
    }
    if !rehearsed.refusals.is_empty() || !rehearsed.report.complete() {
        session.close().await;
        return Ok(rehearsed);
    }
    let again = match described(archive, settings, base, Secrets::Leave, &given).await {
        Ok(again) => again,
        Err(failed) => {
            session.close().await;
            return Err(failed);
        }
    };
    let ids = about.new_ids(&rehearsed.report.made);
    let planned = on_session(&request, archive, again, session).await?.planned;
    let (plan, session) = (planned.plan, planned.session);
    let more = more(archive, &ids, users, folder.path(), &session, base, &mut rehearsed).await;
    session.close().await;
    rehearsed.left = Some(plan);
    more.map_err(bare)?;
    Ok(rehearsed)
}

/// Holds an export of what came back against the archive's description, and imports the users.
async fn more(
    archive: &Opened,
    ids: &[NewId],
    users: Option<(&str, Arc<Unseal>)>,
    folder: &std::path::Path,
    session: &Session,
    base: &Request,
    rehearsed: &mut Rehearsed,
) -> Result<(), Problem> {
    // Another version may write the same otherwise.
    if archive.header.tool == env!("CARGO_PKG_VERSION") {
        let (mut live, _) = read(&session.client, Registry::get(), Reach::Whole(&archive.kinds)).await?;
        with_ids_of_then(&mut live, ids);
        let options = ExportOptions { secrets: archive.header.encrypted, ..ExportOptions::default() };
        let written = export::files(Registry::get(), &live, &options).files;
        let written: BTreeMap<String, String> =
            written.into_iter().map(|(path, text)| (path.to_string_lossy().replace('\\', "/"), text)).collect();
        for (path, bytes) in &archive.files {
            if written.get(path).is_none_or(|text| text.as_bytes() != &**bytes) {
                rehearsed.differs.push(path.clone());
            }
        }
    }
    let Some((file, key)) = users else { return Ok(()) };
    let options = ImportOptions { update_existing: false };
    match import(UsersOf { file, key, archive }, options, folder, None, session, base).await {
        Ok(report) => rehearsed.users = Some(report),
        Err(problem) => {
            rehearsed.users_failed = true;
            rehearsed.problems.push(problem);
        }
    }
    Ok(())
}

/// Gives what came back the ids it had: files may hold them, or be called after them.
fn with_ids_of_then(live: &mut Live, ids: &[NewId]) {
    let old: HashMap<&str, &str> = ids.iter().map(|id| (id.new.as_str(), id.old.as_str())).collect();
    // Names are joined from several: of a client and an API.
    let renamed = |text: &mut String| {
        let parts: Vec<&str> = text.split(" → ").collect();
        if parts.iter().any(|part| old.contains_key(part)) {
            let parts: Vec<&str> = parts.into_iter().map(|part| old.get(part).copied().unwrap_or(part)).collect();
            *text = parts.join(" → ");
        }
    };
    for kind in live.kinds.values_mut() {
        let LiveKind::Read(resources) = kind else { continue };
        for resource in resources {
            renamed(&mut resource.id);
            [&mut resource.address.id, &mut resource.address.name].into_iter().flatten().for_each(renamed);
            each_text(&mut resource.value, &renamed);
        }
    }
}

fn each_text(value: &mut Value, change: &impl Fn(&mut String)) {
    match value {
        Value::String(text) => change(text),
        Value::Array(items) => items.iter_mut().for_each(|item| each_text(item, change)),
        Value::Object(members) => members.values_mut().for_each(|member| each_text(member, change)),
        _ => {}
    }
}

/// Some resources need a tenant with a domain of its own, which no archive brings.
async fn own_domain(session: &Session) -> Result<(), Problem> {
    let failed = |failure: crate::api::Failure| failure.problem();
    let write = |path: String, body| Write { method: Method::POST, path, body, correlation_id: None };
    let wanted = json!({ "domain": CUSTOM_DOMAIN, "type": "auth0_managed_certs" });
    let made = session.client.send(write("/custom-domains".to_owned(), Some(wanted))).await.map_err(failed)?;
    let id = made.body.get("custom_domain_id").and_then(serde_json::Value::as_str).unwrap_or_default().to_owned();
    session.client.send(write(format!("/custom-domains/{id}/verify"), None)).await.map_err(failed)?;
    Ok(())
}

/// A project in which everything is allowed.
fn settings(folder: &std::path::Path) -> Settings {
    Settings {
        mode: Mode::Project,
        environment: "rehearsal".to_owned(),
        root: folder.to_path_buf(),
        description: None,
        target: None,
        sandbox: None,
        values: VariableSettings::default(),
        secrets: IndexMap::new(),
        policy: Policy {
            delete: Ruled::default_of(DeleteRule::All),
            drift: Ruled::default_of(DriftRule::Overwrite),
            approve: Ruled::default_of(Vec::new()),
            ..Policy::default()
        },
        filters: Filters::default(),
        moved: Vec::new(),
        export: Default::default(),
        fingerprint_key: None,
        ledger: LedgerPlace::Folder(folder.join("ledger")),
        ledger_recipient: None,
        ledger_identity: None,
        lenient: true,
        preview_only: false,
        base_path: None,
        connections_directory: None,
    }
}

fn request(base: &Request) -> PlanRequest {
    PlanRequest {
        base: base.clone(),
        at: None,
        resume: false,
        targets: Vec::new(),
        prune: Vec::new(),
        send_secrets: false,
        overwrite: Vec::new(),
        approved: Approved::default(),
    }
}
