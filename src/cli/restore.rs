//! `tenantry restore`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use indexmap::IndexMap;

use super::apply::{Going, Telling, carry};
use super::exit_code::ExitCode;
use super::interrupt::Interrupt;
use super::plan::Selection;
use super::ui::Ui;
use super::{Ended, Global, failed, refused};
use crate::apply::Outcome;
use crate::archive::Unseal;
use crate::files::read_settings_file;
use crate::flow::{self, About, Opened, Rehearsed, Request, RestoreRequest};
use crate::model::{Address, Secret, Sources};
use crate::problem::Problem;
use crate::project::read_secrets;
use crate::render::json::v1;
use crate::render::restore::{RehearsalView, RestoreView, after, before, missing_secrets, rehearsal};
use crate::render::{Head, Options, PlanView, plan_human};
use crate::schema::Registry;

/// The passphrase that opens an archive.
const PASSPHRASE: &str = "TENANTRY_BACKUP_PASSPHRASE";

/// Restore an archive
///
/// Compares what the archive of a backup holds with the tenant, shows the plan, asks and applies it as `apply` does, with the policy,
/// the ledger and the secrets of the environment: onto the same tenant, another, or an empty one. Secrets that the archive does not hold
/// are listed before anything is written. Afterwards lists what has another id.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The archive
    #[arg(value_name = "FILE")]
    archive: PathBuf,
    /// File with the age identity that opens the archive; a passphrase is read from TENANTRY_BACKUP_PASSPHRASE
    #[arg(long, value_name = "FILE")]
    identity: Option<PathBuf>,
    /// Secrets that the archive does not hold: a YAML or JSON file of names and values
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
    /// Restore into a fresh sandbox, and say whether everything came back; needs no tenant
    #[arg(
        long,
        conflicts_with_all = ["secrets", "targets", "prune", "overwrite", "send_secrets", "yes", "approve", "keep_going", "no_lock"]
    )]
    rehearse: bool,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    going: Going,
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui, interrupt: &Interrupt) -> Ended {
    let base = global.request(&interrupt.token)?;
    let archive = match open(&args.archive, args.identity.as_deref(), &base).await {
        Ok(archive) => Arc::new(archive),
        Err(problem) => return refused(ui, problem),
    };
    if args.rehearse {
        return rehearse(&archive, &base, ui, interrupt).await;
    }
    let secrets = match args.secrets.as_deref().map(|file| given(file, &base)).transpose() {
        Ok(secrets) => secrets.unwrap_or_default(),
        Err(problems) => return failed(ui, &flow::Failed { problems, sources: Sources::default() }),
    };
    let request = RestoreRequest { plan: args.selection.request(base, args.going.approved()), secrets };
    let restoring = tokio::select! {
        biased;
        () = interrupt.token.cancelled() => return Ok(interrupt.code()),
        restoring = flow::restore(&request, &archive) => restoring,
    };
    let restoring = match restoring {
        Ok(restoring) => restoring,
        Err(failure) => return failed(ui, &failure),
    };
    let about = restoring.about;
    let plan = restoring.planned.plan.clone();
    let moved: Vec<Address> = about.management_api.iter().map(|(address, _)| address.clone()).collect();
    let view = RestoreView {
        from: &about.from,
        to: &about.to,
        plan: &plan,
        mentions: &about.mentions,
        left_out: &about.left_out,
        management_api: &moved,
    };
    let told = Telling {
        more: Some(&|options: &Options| before(&view, options)),
        again: Some(format!("tenantry restore {}", args.archive.display())),
    };
    let carried = carry(restoring.planned, &args.going, false, &request.plan.base, told, ui, interrupt).await?;
    let ids = match carried.deployment {
        Some(_) => about.new_ids(&carried.report.made),
        None => Vec::new(),
    };
    if let Some(apply) = carried.document {
        ui.answer(&v1::text(&document(&archive, &about, &view, &ids, apply)))?;
    } else if !ui.json {
        ui.answer(&after(&ids, &about.mentions, &is_configured_elsewhere, &ui.out))?;
    }
    Ok(carried.code)
}

/// Says whether ids of a kind are known outside the tenant: an application knows its client id.
fn is_configured_elsewhere(kind: &str) -> bool {
    Registry::get().kind(kind).is_some_and(|spec| spec.own.is_some() && spec.own == spec.id)
}

fn document(
    archive: &Opened,
    about: &About,
    view: &RestoreView<'_>,
    ids: &[crate::restore::NewId],
    apply: v1::Apply,
) -> v1::Restore {
    v1::Restore {
        format: "tenantry.restore/1",
        archive: archive_of(archive),
        missing_secrets: missing_secrets(view.plan)
            .iter()
            .map(|(name, addresses)| v1::MissingSecret::new(name, addresses))
            .collect(),
        mentions: about.mentions.iter().map(v1::Mention::from).collect(),
        left_out: about.left_out.iter().map(v1::LeftOut::from).collect(),
        management_api: view.management_api.iter().map(ToString::to_string).collect(),
        ids: ids.iter().map(v1::NewId::from).collect(),
        apply,
    }
}

fn archive_of(archive: &Opened) -> v1::ArchiveOf {
    let header = &archive.header;
    v1::ArchiveOf {
        domain: header.domain.clone(),
        environment: header.environment.clone(),
        started: header.started.to_string(),
        tool: header.tool.clone(),
        encrypted: header.encrypted,
    }
}

/// Reads an archive to its end, away from what must not wait.
async fn open(path: &Path, identity: Option<&Path>, base: &Request) -> Result<Opened, Problem> {
    let identity = match identity {
        Some(file) => Some(read_settings_file(&base.around.directory.join(file), &base.around.directory)?.1),
        None => None,
    };
    let passphrase = base.around.env.get(PASSPHRASE).filter(|text| !text.is_empty());
    let key = Unseal::new(identity.as_deref(), passphrase.map(|text| Secret::new(text.clone(), PASSPHRASE)))?;
    let full = base.around.directory.join(path);
    let shown = path.display().to_string();
    let missing = |why: String| {
        Problem::error("missing-archive", format!("the archive {shown} cannot be read: {why}"))
            .help("`tenantry backup list` names those there are")
    };
    let file = std::fs::File::open(&full).map_err(|error| missing(error.to_string()))?;
    if file.metadata().is_ok_and(|metadata| metadata.is_dir()) {
        return Err(missing("it is a folder".to_owned()));
    }
    let read = tokio::task::spawn_blocking(move || Opened::read(std::io::BufReader::new(file), &key)).await;
    read.unwrap_or_else(|error| Err(missing(error.to_string())))
}

/// Reads the secrets that are given in a file. None of its lines is ever shown.
fn given(file: &Path, base: &Request) -> Result<IndexMap<String, Secret>, Vec<Problem>> {
    read_secrets(&base.around.directory.join(file), &base.around.directory)
}

async fn rehearse(archive: &Arc<Opened>, base: &Request, ui: &Ui, interrupt: &Interrupt) -> Ended {
    let rehearsed = tokio::select! {
        biased;
        () = interrupt.token.cancelled() => return Ok(interrupt.code()),
        rehearsed = flow::rehearse(archive, base) => rehearsed,
    };
    match rehearsed {
        Ok(rehearsed) => shown(archive, &rehearsed, ui),
        Err(failure) => failed(ui, &failure),
    }
}

/// Shows what a rehearsal showed: 0 where everything came back, 2 where something is left to do, else 1.
pub(super) fn shown(archive: &Opened, rehearsed: &Rehearsed, ui: &Ui) -> Ended {
    let label = archive.label();
    let left = rehearsed.left.as_ref().filter(|plan| plan.has_changes());
    let head = Head::default();
    let view = left.map(|plan| PlanView { plan, refusals: &[], head: &head });
    if ui.json {
        let not_done = |(address, action, outcome): &(Address, crate::change::Action, Outcome)| match outcome {
            Outcome::Done => None,
            _ => Some(v1::Applied::new(address, *action, outcome)),
        };
        let document = v1::Rehearsal {
            format: "tenantry.rehearsal/1",
            archive: archive_of(archive),
            good: rehearsed.is_good(),
            resources: rehearsed.resources.clone(),
            made_up: rehearsed.made_up.clone(),
            failed: rehearsed.report.changes.iter().filter_map(not_done).collect(),
            left: view.as_ref().map(v1::Plan::from),
            problems: v1::problems_of(&rehearsed.problems),
        };
        ui.answer(&v1::text(&document))?;
    } else {
        ui.problems(&rehearsed.problems, &Sources::default());
        let refused: Vec<Problem> = rehearsed.refusals.iter().map(|refusal| refusal.problem.clone()).collect();
        ui.problems(&refused, &Sources::default());
        if let Some(view) = &view {
            ui.answer(&plan_human(view, &ui.out))?;
        }
        let view = RehearsalView {
            archive: &label,
            resources: &rehearsed.resources,
            made_up: rehearsed.made_up.len(),
            report: &rehearsed.report,
            good: rehearsed.is_good(),
        };
        ui.answer(&rehearsal(&view, &ui.out))?;
    }
    Ok(match (rehearsed.is_good(), left.is_some()) {
        (true, _) => ExitCode::Done,
        (false, true) => ExitCode::Differences,
        (false, false) => ExitCode::Error,
    })
}
