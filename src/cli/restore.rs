//! `tenantry restore`

use std::path::{Path, PathBuf};
use std::sync::Arc;

use clap::ValueEnum;
use indexmap::IndexMap;

use super::apply::{Going, Telling, carry};
use super::backup::Key;
use super::exit_code::ExitCode;
use super::interrupt::Interrupt;
use super::plan::Selection;
use super::ui::Ui;
use super::{Ended, Global, failed, refused};
use crate::apply::Outcome;
use crate::archive::Unseal;
use crate::flow::{self, About, Opened, Rehearsed, Request, RestoreRequest, UsersRequest};
use crate::model::{Address, Secret, Sources};
use crate::problem::Problem;
use crate::project::read_secrets;
use crate::render::json::v1;
use crate::render::restore::{RehearsalView, RestoreView, after, before, missing_secrets, rehearsal};
use crate::render::{Head, Options, PlanView, plan_human, restored_users};
use crate::schema::Registry;
use crate::users::{ImportOptions, ImportReport};

/// Restore an archive
///
/// Compares what the archive of a backup holds with the tenant, shows the plan, asks and applies it as `apply` does, with the policy,
/// the ledger and the secrets of the environment: onto the same tenant, another, or an empty one. Secrets that the archive does not hold
/// are listed before anything is written. Afterwards lists what has another id.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// The archive: a file, or URL of one in a bucket
    #[arg(value_name = "FILE")]
    archive: String,
    #[command(flatten)]
    key: Key,
    /// Secrets that the archive does not hold: a YAML or JSON file of names and values
    #[arg(long, value_name = "FILE")]
    secrets: Option<PathBuf>,
    /// Restore into a fresh sandbox, and say whether everything came back; needs no tenant
    #[arg(
        long,
        conflicts_with_all = ["secrets", "targets", "prune", "overwrite", "send_secrets", "yes", "approve", "keep_going", "no_lock"]
    )]
    rehearse: bool,
    /// Import the users of the archive too, when all else is done
    #[arg(long, value_name = "WHICH", value_enum, num_args = 0..=1, default_missing_value = "missing", require_equals = true)]
    users: Option<WhichUsers>,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    going: Going,
}

/// Which users are imported.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum WhichUsers {
    /// Those who are not there
    Missing,
    /// Those too who are there and differ: they become as in the archive
    All,
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui, interrupt: &Interrupt) -> Ended {
    let base = global.request(&interrupt.token)?;
    let key = match args.key.unseal(&base.around, ui) {
        Ok(key) => Arc::new(key),
        Err(problem) => return refused(ui, problem),
    };
    let archive = match flow::open_archive(&args.archive, Arc::clone(&key), &base).await {
        Ok(archive) => Arc::new(archive),
        Err(failure) => return failed(ui, &failure),
    };
    if let (Some(_), Err(failure)) = (args.users, flow::has_users(&archive)) {
        return failed(ui, &failure);
    }
    if args.rehearse {
        let users = args.users.map(|_| (args.archive.as_str(), key));
        return rehearse(&archive, users, &base, ui, interrupt).await;
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
    let actor = flow::actor(&restoring.planned.past, &request.plan.base.around.env);
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
        users: args.users.map(|_| usize::try_from(archive.contents.users.values().sum::<u64>()).unwrap_or(usize::MAX)),
    };
    let told = Telling {
        more: Some(&|options: &Options| before(&view, options)),
        again: Some(format!("tenantry restore {}", args.archive)),
    };
    let carried = carry(restoring.planned, &args.going, false, &request.plan.base, told, ui, interrupt).await?;
    let ids = match carried.deployment {
        Some(_) => about.new_ids(&carried.report.made),
        None => Vec::new(),
    };
    if !ui.json {
        ui.answer(&after(&ids, &about.mentions, &is_configured_elsewhere, &ui.out))?;
    }
    let mut told_apply = carried.document;
    let mut code = carried.code;
    let users = match args.users.filter(|_| carried.code == ExitCode::Done) {
        // Nobody was asked where nothing else was to be done.
        Some(_) if carried.deployment.is_none() && !args.going.yes => {
            let problem = Problem::error("usage", "everything but the users is there, and nobody was asked about them");
            return refused(ui, problem.help("add `--yes` to import them"));
        }
        Some(which) => {
            let options = ImportOptions { update_existing: which == WhichUsers::All };
            let users = UsersRequest { options, actor, no_lock: args.going.no_lock };
            match flow::restore_users(&args.archive, key, &archive, &users, &request.plan.base).await {
                Ok((report, problems)) => {
                    ui.problems(&problems, &Sources::default());
                    Some(report)
                }
                Err(failure) if carried.deployment.is_none() => return failed(ui, &failure),
                // What was restored before is not taken back: this is a part of it.
                Err(failure) => {
                    ui.problems(&failure.problems, &failure.sources);
                    if let Some(apply) = &mut told_apply {
                        apply.problems.extend(v1::problems_of(&failure.problems));
                    }
                    code = ExitCode::Partial;
                    None
                }
            }
        }
        None => None,
    };
    if let Some(apply) = told_apply {
        let users = users.as_ref().map(v1::Users::from);
        ui.answer(&v1::text(&v1::Restore { users, ..document(&archive, &about, &view, &ids, apply) }))?;
    } else if let (Some(report), false) = (&users, ui.json) {
        ui.answer(&restored_users(report, &ui.out))?;
        ui.problems(&report.problems, &Sources::default());
    }
    let whole = users.as_ref().is_none_or(ImportReport::is_whole);
    Ok(if whole { code } else { ExitCode::Partial })
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
        users: None,
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

/// Reads the secrets that are given in a file. None of its lines is ever shown.
fn given(file: &Path, base: &Request) -> Result<IndexMap<String, Secret>, Vec<Problem>> {
    read_secrets(&base.around.directory.join(file), &base.around.directory)
}

/// Rehearses, and shows what came of it. `users`: where the archive is and what opens it, where its users are rehearsed too.
pub(super) async fn rehearse(
    archive: &Arc<Opened>,
    users: Option<(&str, Arc<Unseal>)>,
    base: &Request,
    ui: &Ui,
    interrupt: &Interrupt,
) -> Ended {
    let rehearsed = tokio::select! {
        biased;
        () = interrupt.token.cancelled() => return Ok(interrupt.code()),
        rehearsed = flow::rehearse(archive, users, base) => rehearsed,
    };
    match rehearsed {
        Ok(rehearsed) => shown(archive, &rehearsed, ui),
        Err(failure) => failed(ui, &failure),
    }
}

/// Shows what a rehearsal showed: 0 where everything came back, 2 where something is left to do, else 1.
fn shown(archive: &Opened, rehearsed: &Rehearsed, ui: &Ui) -> Ended {
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
            differs: rehearsed.differs.clone(),
            users: rehearsed.users.as_ref().map(v1::Users::from),
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
        if let Some(report) = &rehearsed.users {
            ui.answer(&restored_users(report, &ui.out))?;
            ui.problems(&report.problems, &Sources::default());
        }
        let view = RehearsalView {
            archive: &label,
            resources: &rehearsed.resources,
            made_up: rehearsed.made_up.len(),
            report: &rehearsed.report,
            differs: &rehearsed.differs,
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
