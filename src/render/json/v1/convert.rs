//! From the types inside Tenantry to version 1.

use serde_json::Value as Json;

use super::outside::{Blame, Drifted};
use super::{
    Applied, Apply, ApplyNote, Author, Change, Counts, Deployed, Effect, Export, Field, Forecast, Label, Leaf, Left,
    Place, Plan, Problem, Problems, Refusal, Request, Secret, Skipped, Unmanaged, Unreadable,
};
use crate::apply::Outcome;
use crate::change::{self, Facts, FieldChange, How, Kept, Origin};
use crate::model::{Address, Locus, Path, Unavailable, Value};
use crate::problem::{self, Severity, sorted};
use crate::render::apply;
use crate::render::human::{kept, unavailable};
use crate::render::outside::{self, blame_of, drifted};
use crate::render::value::secret;
use crate::render::view::{PlanView, duration};

impl From<&PlanView<'_>> for Plan {
    fn from(view: &PlanView<'_>) -> Self {
        let plan = view.plan;
        Plan {
            format: "tenantry.plan/1",
            environment: plan.environment.clone(),
            domain: plan.domain.clone(),
            commit: view.head.commit.as_ref().map(|commit| commit.id.clone()),
            dirty: view.head.commit.as_ref().map(|commit| commit.dirty),
            deployed: view.head.deployed.as_ref().map(Deployed::from),
            has_base: plan.has_base,
            has_changes: plan.has_changes(),
            cannot_come_back: view.head.reverting.iter().flat_map(|reverting| reverting.lost.clone()).collect(),
            changes: plan.changes.iter().map(|change| changed(change, plan)).collect(),
            left: plan.left.iter().map(|left| self::left(left, &plan.facts)).collect(),
            unmanaged: Unmanaged {
                kinds: plan.unmanaged.kinds.clone(),
                resources: plan.unmanaged.resources.iter().map(ToString::to_string).collect(),
            },
            secrets: plan
                .secrets
                .iter()
                .map(|(address, path, source)| Secret {
                    address: address.to_string(),
                    path: path.to_string(),
                    source: source.clone(),
                })
                .collect(),
            unreadable: plan.unreadable.iter().map(unreadable).collect(),
            skipped: plan
                .skipped
                .iter()
                .map(|(kind, (words, n))| Skipped { kind: kind.clone(), resources: *n, words: words.clone() })
                .collect(),
            unchanged: plan.unchanged.iter().map(ToString::to_string).collect(),
            drifted: drifted(plan, view.refusals).iter().map(Drifted::from).collect(),
            already: leaves(&plan.already),
            released: leaves(&plan.released),
            refusals: view.refusals.iter().map(Refusal::from).collect(),
            problems: plan.notes.iter().chain(&plan.facts.notes).map(Problem::from).collect(),
            counts: counts(plan),
            forecast: Forecast {
                requests: plan.forecast.requests,
                depth: plan.forecast.depth,
                seconds: if plan.has_changes() { duration(&plan.forecast, view.head).seconds } else { 0 },
            },
        }
    }
}

fn counts(plan: &change::Plan) -> Counts {
    let counts = plan.counts();
    let outside = outside::counts(plan);
    Counts {
        actions: counts.actions.iter().map(|(action, n)| (action.as_str(), *n)).collect(),
        unchanged: counts.unchanged,
        secrets_not_comparable: counts.secrets,
        drifted: outside.drifted,
        conflicts: outside.conflicts,
        left: plan.left.len(),
        unmanaged_kinds: plan.unmanaged.kinds.len(),
        unmanaged_resources: plan.unmanaged.resources.len(),
    }
}

/// Names fields.
pub(super) fn leaves(leaves: &[(Address, Path)]) -> Vec<Leaf> {
    leaves.iter().map(|(address, path)| Leaf { address: address.to_string(), path: path.to_string() }).collect()
}

fn changed(change: &change::Change, plan: &change::Plan) -> Change {
    let (all, facts) = (&plan.changes, &plan.facts);
    let effects = facts.effects.get(&change.address).into_iter().flatten();
    let whole = matches!(change.origin, Origin::Drift | Origin::Conflict);
    Change {
        address: change.address.to_string(),
        kind: change.address.kind.clone(),
        name: change.address.name.clone(),
        id: change.id.clone(),
        action: change.action.as_str(),
        origin: origin(change.origin),
        risk: change.risk.as_str(),
        effects: effects
            .map(|effect| Effect { count: effect.count, at_least: effect.at_least, text: effect.text.clone() })
            .collect(),
        outside: blame_of(facts, &change.address, &Path::root()).filter(|_| whole).map(Blame::from),
        author: author(facts, change.locus.as_ref()),
        reasons: change.reasons.clone(),
        cascades: change.cascades.iter().map(ToString::to_string).collect(),
        place: change.locus.as_ref().map(Place::from),
        fields: change.fields.iter().map(|f| field(f, &change.address, facts)).collect(),
        requests: change
            .steps
            .iter()
            .map(|step| Request { method: step.method.as_str(), path: step.path.clone() })
            .collect(),
        after: change.after.iter().filter_map(|n| all.get(*n)).map(|other| other.address.to_string()).collect(),
        missing_secrets: change.missing_secrets.clone(),
    }
}

fn field(field: &FieldChange, address: &Address, facts: &Facts) -> Field {
    let outside = matches!(field.origin, Origin::Drift | Origin::Conflict);
    Field {
        path: field.path.to_string(),
        how: how(field.how),
        before: side(field, field.diff.before.as_ref()),
        after: side(field, field.diff.after.as_ref()),
        origin: origin(field.origin),
        risk: field.risk.as_str(),
        why: field.why.clone(),
        place: field.locus.as_ref().map(Place::from),
        outside: blame_of(facts, address, &field.path).filter(|_| outside).map(Blame::from),
        author: author(facts, field.locus.as_ref()),
        forces_replace: field.forces_replace,
    }
}

fn author(facts: &Facts, locus: Option<&Locus>) -> Option<Author> {
    let locus = locus?;
    let author = facts.ours.get(&(locus.file.clone(), locus.line))?;
    Some(Author { name: author.name.clone(), commit: author.commit.clone() })
}

/// The word for how a field is read.
pub(super) fn how(how: How) -> &'static str {
    match how {
        How::Value => "value",
        How::Item => "item",
        How::Text => "text",
        How::Secret => "secret",
    }
}

fn origin(origin: Origin) -> &'static str {
    match origin {
        Origin::Change => "change",
        Origin::Drift => "drift",
        Origin::Conflict => "conflict",
        Origin::Unknown => "unknown",
    }
}

/// One side of a field.
pub(super) fn side(field: &FieldChange, value: Option<&Value>) -> Option<Json> {
    value.map(|value| if field.how == How::Secret { hidden(value) } else { value.redacted() })
}

/// A secret field, even where its value is not known to be one: only where it comes from.
fn hidden(value: &Value) -> Json {
    match value {
        Value::Secret(_) | Value::Unresolved(_) | Value::Fingerprint(_) => value.redacted(),
        _ => Json::String(secret(value)),
    }
}

impl From<&Locus> for Place {
    fn from(locus: &Locus) -> Self {
        Place { file: locus.file.to_string(), line: locus.line, column: locus.column }
    }
}

fn left(left: &change::Left, facts: &Facts) -> Left {
    Left {
        address: left.address.to_string(),
        reason: match left.why {
            Kept::DeleteNotAllowed => "delete-not-allowed",
            Kept::System(_) => "system",
            Kept::Own => "own",
            Kept::Ambiguous(_) => "ambiguous",
            Kept::CreateOnly => "create-only",
            Kept::Fixed => "immutable",
            Kept::Foreign(..) => "refers-to-unsupported-kind",
            Kept::Refused(_) => "would-be-refused",
            Kept::Drift => "drift-kept",
        },
        words: kept(&left.why, left.fields.is_empty()),
        fields: left.fields.iter().map(|f| field(f, &left.address, facts)).collect(),
    }
}

fn unreadable((what, why): &(String, Unavailable)) -> Unreadable {
    let scopes = match why {
        Unavailable::Scope(scopes) => scopes.clone(),
        Unavailable::Feature(_) => Vec::new(),
    };
    Unreadable { what: what.clone(), scopes, words: unavailable(why) }
}

impl From<&change::Refusal> for Refusal {
    fn from(refusal: &change::Refusal) -> Self {
        Refusal {
            guard: refusal.guard,
            address: refusal.address.as_ref().map(ToString::to_string),
            problem: Problem::from(&refusal.problem),
        }
    }
}

impl From<&problem::Problem> for Problem {
    fn from(problem: &problem::Problem) -> Self {
        Problem {
            id: problem.id,
            severity: match problem.severity {
                Severity::Error => "error",
                Severity::Warning => "warning",
                Severity::Note => "note",
            },
            title: problem.title.clone(),
            labels: problem
                .labels
                .iter()
                .map(|label| Label { place: Place::from(&label.locus), text: label.text.clone() })
                .collect(),
            notes: problem.notes.clone(),
            help: problem.help.clone(),
        }
    }
}

impl From<&[problem::Problem]> for Problems {
    fn from(problems: &[problem::Problem]) -> Self {
        Problems { format: "tenantry.problems/1", problems: problems_of(problems) }
    }
}

impl Apply {
    /// What an apply of a plan did.
    pub fn new(view: &PlanView<'_>, applied: &apply::Applied<'_>) -> Self {
        let report = applied.report;
        Apply {
            format: "tenantry.apply/1",
            deployment: applied.deployment.map(str::to_owned),
            complete: report.complete(),
            interrupted: report.interrupted,
            requests: report.requests,
            failed_requests: report.failed,
            side_effects: leaves(&report.side_effects),
            notes: report
                .notes
                .iter()
                .map(|(address, problem)| ApplyNote { address: address.to_string(), problem: Problem::from(problem) })
                .collect(),
            problems: applied.problems.iter().map(Problem::from).collect(),
            next: applied.next(),
            changes: report
                .changes
                .iter()
                .map(|(address, action, outcome)| Applied::new(address, *action, outcome))
                .collect(),
            plan: Plan::from(view),
        }
    }
}

impl Applied {
    /// How one change ended.
    pub fn new(address: &Address, action: change::Action, outcome: &Outcome) -> Self {
        let (word, problem) = match outcome {
            Outcome::Done => ("done", None),
            Outcome::Failed(problem) => ("failed", Some(problem)),
            Outcome::InDoubt(problem) => ("in-doubt", Some(problem)),
            Outcome::NotStarted => ("not-started", None),
        };
        let problem = problem.map(Problem::from);
        Applied { address: address.to_string(), action: action.as_str(), outcome: word, problem }
    }
}

/// Problems in the order they are shown in.
pub fn problems_of(problems: &[problem::Problem]) -> Vec<Problem> {
    sorted(problems.to_vec()).iter().map(Problem::from).collect()
}

impl Export {
    /// What was changed in a description that was there, and what was found on the way.
    pub fn updated(view: &crate::render::ExportView<'_>, problems: &[problem::Problem]) -> Self {
        Export {
            format: "tenantry.export/1",
            files: view.files.iter().filter(|file| !file.gone).map(|file| file.path.clone()).collect(),
            secrets: view.secrets.to_vec(),
            updated: Some(view.into()),
            problems: problems_of(problems),
        }
    }

    /// What was written, and what was found on the way.
    pub fn new(export: &crate::export::Export, problems: &[problem::Problem]) -> Self {
        Export {
            format: "tenantry.export/1",
            files: export.files.keys().map(|path| path.to_string_lossy().replace('\\', "/")).collect(),
            secrets: export.secrets.clone(),
            updated: None,
            problems: problems_of(problems),
        }
    }
}
