//! `tenantry apply`

use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::exit_code::ExitCode;
use super::interrupt::Interrupt;
use super::plan::{Selection, Shown};
use super::progress::Progress;
use super::ui::Ui;
use super::{Ended, Global, failed, refused};
use crate::apply::{Outcome, Report};
use crate::change::Plan;
use crate::deployment::Purpose;
use crate::files::read_settings_file;
use crate::flow::{self, Applied, ApplyRequest, Back, PlanRequest, Planned, Request};
use crate::guard::{Approved, short_id};
use crate::model::AddressPattern;
use crate::problem::Problem;
use crate::receipt::Receipt;
use crate::render::json::v1;
use crate::render::{self, plan_human};
use crate::schema::Risk;

/// Make the tenant what the description says
///
/// Shows the plan, asks, and applies it; with FILE applies a plan that `plan -o` saved, and refuses (4) where anything it rests on
/// moved. Ctrl-C finishes what is in flight and stops.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// A plan that `plan -o` saved
    #[arg(value_name = "FILE", conflicts_with_all = ["targets", "prune", "overwrite", "send_secrets", "resume"])]
    file: Option<PathBuf>,
    #[command(flatten)]
    selection: Selection,
    #[command(flatten)]
    going: Going,
    /// Go on with the last deployment where it crashed, was interrupted or failed; the files must be those it deployed
    #[arg(long)]
    resume: bool,
    /// After a failure, take back what was done
    #[arg(long, value_name = "WHAT", value_enum, conflicts_with = "keep_going")]
    on_failure: Option<OnFailure>,
}

/// What happens after a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum OnFailure {
    /// What was done is taken back
    Revert,
}

/// How a plan is carried out; apply and revert share it.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Going {
    /// Do not ask
    #[arg(short = 'y', long)]
    pub(super) yes: bool,
    /// Approve changes of this risk (caution, destructive or irreversible), a looser `policy`, or `reverted` changes; repeatable
    #[arg(long, value_name = "RISK", value_parser = approval)]
    approve: Vec<Approval>,
    /// After a failure, go on with what does not depend on it
    #[arg(long)]
    keep_going: bool,
    /// Take no lock: something else keeps others from applying at the same time
    #[arg(long)]
    pub(super) no_lock: bool,
}

/// One thing that is approved.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Approval {
    Risk(Risk),
    Policy,
    Reverted,
}

pub(super) fn approval(text: &str) -> Result<Approval, String> {
    match (text, Risk::parse(text)) {
        ("policy", _) => Ok(Approval::Policy),
        ("reverted", _) => Ok(Approval::Reverted),
        (_, Some(risk)) if risk > Risk::Safe => Ok(Approval::Risk(risk)),
        _ => Err("expected caution, destructive, irreversible, policy or reverted".to_owned()),
    }
}

impl Going {
    pub(super) fn approved(&self) -> Approved {
        approved(&self.approve)
    }
}

/// Puts together what is approved.
pub(super) fn approved(approvals: &[Approval]) -> Approved {
    let risk = |approval: &Approval| match approval {
        Approval::Risk(risk) => Some(*risk),
        Approval::Policy | Approval::Reverted => None,
    };
    Approved {
        risks: approvals.iter().filter_map(risk).collect(),
        policy: approvals.contains(&Approval::Policy),
        reverted: approvals.contains(&Approval::Reverted),
    }
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui, interrupt: &Interrupt) -> Ended {
    let base = global.request(&interrupt.token)?;
    let saved = match args.file.as_deref().map(|file| saved(file, &base)).transpose() {
        Ok(saved) => saved,
        Err(problem) => return refused(ui, problem),
    };
    let mut request = args.selection.request(base, args.going.approved());
    request.resume = args.resume;
    if let Some(receipt) = &saved {
        match asked(receipt) {
            Ok(asked) => asked.onto(&mut request),
            Err(problem) => return refused(ui, problem),
        }
    }
    let planned = tokio::select! {
        biased;
        () = interrupt.token.cancelled() => return Ok(interrupt.code()),
        planned = flow::plan(&request) => planned,
    };
    let planned = match planned {
        Ok(planned) => planned,
        Err(failure) => return failed(ui, &failure),
    };
    if let Some(receipt) = &saved {
        let moved = receipt.moved(&planned.receipt(serde_json::Value::Null));
        if !moved.is_empty() {
            planned.session.close().await;
            return world_moved(moved, ui);
        }
    }
    let (code, deployment) = carry_out(planned, &args.going, args.resume, &request.base, ui, interrupt).await?;
    match (args.on_failure, code, deployment) {
        (Some(OnFailure::Revert), ExitCode::Partial, Some(id)) => {
            ui.tell(&format!("\nTaking back deployment {id}\n"));
            take_back(&request, id, &args.going, ui, interrupt).await
        }
        _ => Ok(code),
    }
}

/// Takes back what a failed deployment did. What was asked for did not happen, so the end is an error all the same.
async fn take_back(request: &PlanRequest, id: String, going: &Going, ui: &Ui, interrupt: &Interrupt) -> Ended {
    match flow::revert(request, &Back::Deployment(id)).await {
        Ok(planned) => {
            let (code, _) = carry_out(planned, going, false, &request.base, ui, interrupt).await?;
            Ok(if code == ExitCode::Done { ExitCode::Error } else { code })
        }
        Err(failure) => failed(ui, &failure),
    }
}

/// Reads a saved plan.
fn saved(file: &Path, base: &Request) -> Result<Receipt, Problem> {
    let (name, bytes) = read_settings_file(&base.around.directory.join(file), &base.around.directory)?;
    Receipt::read(&bytes, &name)
}

/// The options of a saved plan.
struct Asked {
    targets: Vec<AddressPattern>,
    prune: Vec<String>,
    overwrite: Vec<AddressPattern>,
    send_secrets: bool,
}

fn asked(receipt: &Receipt) -> Result<Asked, Problem> {
    let patterns = |texts: &[String]| {
        let patterns: Result<Vec<AddressPattern>, String> =
            texts.iter().map(|text| AddressPattern::new(text)).collect();
        patterns.map_err(|why| {
            Problem::error("plan-damaged", "the saved plan names an address that is none")
                .note(why)
                .help("save it again with `tenantry plan -o FILE`")
        })
    };
    Ok(Asked {
        targets: patterns(&receipt.asked.targets)?,
        prune: receipt.asked.prune.clone(),
        overwrite: patterns(&receipt.asked.overwrite)?,
        send_secrets: receipt.asked.send_secrets,
    })
}

impl Asked {
    fn onto(self, request: &mut PlanRequest) {
        request.targets = self.targets;
        request.prune = self.prune;
        request.overwrite = self.overwrite;
        request.send_secrets = self.send_secrets;
    }
}

/// Ends where the tenant moved since the plan was made.
fn world_moved(moved: Vec<String>, ui: &Ui) -> Ended {
    let problem = Problem::error("plan-moved", "the plan does not hold any more: nothing was written");
    let problem = moved.into_iter().fold(problem, Problem::note);
    ui.failed(&[problem.help("look at a new plan: `tenantry plan`")], &Default::default())?;
    Ok(ExitCode::Moved)
}

/// What is told around an apply that is more than one.
#[derive(Default)]
pub(super) struct Telling<'a> {
    /// Shown between the plan and the question.
    pub(super) more: Option<&'a dyn Fn(&render::Options) -> String>,
    /// The command that carries it on where it was done in part.
    pub(super) again: Option<String>,
}

/// What came of a plan that was shown.
pub(super) struct Carried {
    /// How the command ends.
    pub(super) code: ExitCode,
    /// The deployment, where there was one.
    pub(super) deployment: Option<String>,
    /// What was done.
    pub(super) report: Report,
    /// The JSON answer, where one is asked for and nothing else was answered yet.
    pub(super) document: Option<v1::Apply>,
}

impl Carried {
    fn ended(code: ExitCode) -> Self {
        Carried { code, deployment: None, report: Report::default(), document: None }
    }
}

/// Shows a plan, asks, applies it, and shows what came of it. Returns the deployment too, where there was one.
pub(super) async fn carry_out(
    planned: Planned,
    going: &Going,
    resume: bool,
    base: &Request,
    ui: &Ui,
    interrupt: &Interrupt,
) -> io::Result<(ExitCode, Option<String>)> {
    let carried = carry(planned, going, resume, base, Telling::default(), ui, interrupt).await?;
    if let Some(document) = &carried.document {
        ui.answer(&v1::text(document))?;
    }
    Ok((carried.code, carried.deployment))
}

/// As [`carry_out`]; the JSON answer is left to the caller.
pub(super) async fn carry(
    planned: Planned,
    going: &Going,
    resume: bool,
    base: &Request,
    telling: Telling<'_>,
    ui: &Ui,
    interrupt: &Interrupt,
) -> io::Result<Carried> {
    let mut shown = Shown::new(&planned);
    if !ui.json {
        ui.problems(&planned.problems, &planned.sources);
        ui.answer(&plan_human(&shown.view(), &ui.out))?;
        if let Some(more) = telling.more {
            ui.answer(&more(&ui.out))?;
        }
    }
    if planned.settings.preview_only && shown.plan.has_changes() {
        planned.session.close().await;
        let problem = Problem::error("preview-only", "AUTH0_DRY_RUN asks for a preview, and apply would write");
        return Ok(Carried::ended(refused(ui, problem.help("run `tenantry plan`, or unset AUTH0_DRY_RUN"))?));
    }
    let resumed = planned.resumes(resume);
    let to_do = shown.plan.has_changes() || resumed.is_some() || !planned.closes.is_empty();
    if !shown.refusals.is_empty() || !to_do {
        planned.session.close().await;
        return Ok(unapplied(&shown, ui));
    }
    if !going.yes && shown.plan.has_changes() {
        let answer = ask(&shown.plan, ui, interrupt).await;
        if answer != Answer::Yes {
            planned.session.close().await;
            return Ok(Carried::ended(declined(&answer, ui, interrupt)?));
        }
    }
    let request = ApplyRequest {
        keep_going: going.keep_going,
        no_lock: going.no_lock,
        actor: flow::actor(&planned.past, &base.around.env),
        shown: shown.document(),
        resumed,
        cancel: interrupt.token.clone(),
    };
    let history = planned.past.history.clone();
    // A revert is not resumed: the same one again goes on where it stopped.
    let again = telling.again.or_else(|| match &planned.purpose {
        Purpose::Revert(of) => of.first().map(|id| {
            let id = if ui.json { id } else { short_id(&history, id) };
            format!("tenantry revert {id}")
        }),
        _ => None,
    });
    let progress = Progress::start(&shown.plan, ui);
    let applied = flow::apply(planned, &request, &|event| progress.event(&event)).await;
    progress.end();
    let (deployment, report, problems) = match applied {
        Applied::Ran { deployment, report, problems } => (deployment, report, problems),
        Applied::Refused(refusals) => {
            shown.refusals = refusals;
            return Ok(unapplied(&shown, ui));
        }
        Applied::Moved(moved) => return Ok(Carried::ended(world_moved(moved, ui)?)),
        Applied::Stopped(problem) => {
            let code = ExitCode::of(std::slice::from_ref(&problem));
            ui.failed(&[problem], &Default::default())?;
            return Ok(Carried::ended(code));
        }
    };
    let short = short_id(&history, &deployment);
    // All of it may be done: what could not be recorded is an error all the same.
    let code = match code(&report, interrupt) {
        ExitCode::Done if problems.iter().any(Problem::is_error) => ExitCode::Error,
        code => code,
    };
    // A short id may be that of two deployments by the time that a script uses it.
    let named = if ui.json { deployment.as_str() } else { short };
    let again = again.as_deref();
    let applied = render::apply::Applied { deployment: Some(named), report: &report, problems: &problems, again };
    let document = ui.json.then(|| v1::Apply::new(&shown.view(), &applied));
    if !ui.json {
        ui.answer(&format!("\n{}", render::apply::report(&applied, &ui.out)))?;
        let notes = report.notes.iter().map(|(_, note)| note.clone());
        ui.problems(&notes.chain(problems).collect::<Vec<_>>(), &Default::default());
    }
    Ok(Carried { code, deployment: Some(deployment), report, document })
}

/// Ends where there is nothing to do, or guards refuse.
fn unapplied(shown: &Shown, ui: &Ui) -> Carried {
    let document = ui.json.then(|| {
        let changes = shown.plan.changes.iter();
        let changes = changes.map(|change| (change.address.clone(), change.action, Outcome::NotStarted)).collect();
        let report = Report { changes, ..Report::default() };
        let applied = render::apply::Applied { deployment: None, report: &report, problems: &[], again: None };
        v1::Apply::new(&shown.view(), &applied)
    });
    let code = if shown.refusals.is_empty() { ExitCode::Done } else { ExitCode::Refused };
    Carried { document, ..Carried::ended(code) }
}

/// Ends where the answer was not yes.
fn declined(answer: &Answer, ui: &Ui, interrupt: &Interrupt) -> Ended {
    match answer {
        Answer::Yes | Answer::No => {
            ui.tell("Nothing was changed.\n");
            Ok(ExitCode::Error)
        }
        Answer::Interrupted => Ok(interrupt.code()),
        Answer::Nobody => {
            let problem = Problem::error("usage", "there is no terminal to ask whether to apply this plan");
            refused(ui, problem.help("add `--yes` to apply without asking"))
        }
    }
}

fn code(report: &Report, interrupt: &Interrupt) -> ExitCode {
    match (report.complete(), report.wrote(), report.interrupted) {
        (true, ..) => ExitCode::Done,
        (false, true, _) => ExitCode::Partial,
        (false, false, true) => interrupt.code(),
        (false, false, false) => ExitCode::Error,
    }
}

/// What people said.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Yes,
    No,
    Interrupted,
    Nobody,
}

/// Asks at the terminal. Only `yes`, in full, is a yes.
async fn ask(plan: &Plan, ui: &Ui, interrupt: &Interrupt) -> Answer {
    if !ui.can_ask || ui.json {
        return Answer::Nobody;
    }
    let place = if plan.environment.is_empty() { &plan.domain } else { &plan.environment };
    let changes = render::count(plan.changes.len(), "change");
    ui.tell(&format!("\nApply {changes} to {}? Only `yes` applies: ", render::clean(place)));
    let read = tokio::task::spawn_blocking(|| {
        let mut line = String::new();
        io::stdin().lock().read_line(&mut line).map(|_| line)
    });
    tokio::select! {
        line = read => match line {
            Ok(Ok(line)) if line.trim() == "yes" => Answer::Yes,
            _ => Answer::No,
        },
        () = interrupt.token.cancelled() => Answer::Interrupted,
    }
}
