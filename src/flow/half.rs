//! Deployments that did not end, or ended in part: what they wrote is nobody else's doing.

use std::collections::BTreeSet;

use super::along;
use super::past::Past;
use crate::change::Plan;
use crate::deployment::{Deployment, Outcome};
use crate::journal::{self, Half};
use crate::model::{Address, Base, Live, Path};
use crate::problem::{Problem, Severity};
use crate::schema::Registry;

/// Most resources that a warning names.
const MOST_NAMED: usize = 5;

/// What was written by deployments that the base does not hold.
pub(super) struct Halves<'a>(Vec<Written<'a>>);

/// What one of them wrote.
struct Written<'a> {
    deployment: &'a Deployment,
    half: Half,
    /// Lists that lost what it deleted.
    lists: Vec<(Address, Path)>,
    /// Resources that a request was or may have been sent for.
    touched: BTreeSet<Address>,
}

impl<'a> Halves<'a> {
    /// Reads their journals. One that cannot be read is a warning: then what it wrote looks like somebody else's doing.
    pub(super) fn read(past: &'a Past, live: &Live, problems: &mut Vec<Problem>) -> Halves<'a> {
        let partial = past.history.last().filter(|last| last.outcome == Some(Outcome::Partial));
        let mut out = Vec::new();
        for deployment in past.history.unfinished().chain(partial) {
            let entries = match past.ledger.find_journal(&deployment.id) {
                // It may have stopped before anything was written down.
                Ok(None) => continue,
                Ok(Some(path)) => journal::read(&path),
                Err(problem) => Err(problem),
            };
            match entries {
                Ok(entries) => {
                    let key = past.key.as_ref();
                    let half = journal::half(Registry::get(), &entries, &deployment.images, live, key);
                    let lists = along::lists(&entries, &deployment.images);
                    out.push(Written { deployment, half, lists, touched: entries.touched() });
                }
                Err(problem) => problems.push(Problem { severity: Severity::Warning, ..problem }),
            }
        }
        Halves(out)
    }

    /// Returns a base in which what they wrote counts as left by a deployment.
    pub(super) fn onto(&self, base: Option<&Base>, live: &Live) -> Option<Base> {
        let registry = Registry::get();
        let base = base?.clone();
        let mut base = self.0.iter().fold(base, |base, written| written.half.onto(registry, &base));
        for written in &self.0 {
            along::lose(registry, &mut base, &written.lists, live);
        }
        Some(base)
    }

    /// Says whether they made this.
    pub(super) fn made(&self, address: &Address) -> bool {
        self.0.iter().any(|written| written.half.wrote(address, &Path::root()))
    }

    /// Takes what they wrote from what somebody else is said to have done.
    pub(super) fn disown(&self, plan: &mut Plan) {
        plan.already.retain(|(address, path)| !self.0.iter().any(|written| written.half.wrote(address, path)));
        self.0.iter().for_each(|written| along::disown(plan, &written.touched));
    }

    /// Says that a deployment began and did not end, and what it wrote.
    pub(super) fn warn(&self, open: &Deployment) -> Problem {
        let problem = Problem { severity: Severity::Warning, ..unfinished(open) };
        let wrote = self.0.iter().find(|written| written.deployment.id == open.id);
        let mut names: Vec<String> = wrote
            .into_iter()
            .flat_map(|written| written.half.addresses())
            .map(|address| format!("`{address}`"))
            .collect();
        if names.is_empty() {
            return problem;
        }
        if names.len() > MOST_NAMED {
            let more = names.len() - MOST_NAMED;
            names.truncate(MOST_NAMED);
            names.push(format!("{more} more"));
        }
        problem.note(format!("written by deployment {}, which did not end: {}", open.id, names.join(", ")))
    }
}

/// Says that a deployment began and never ended.
pub(super) fn unfinished(open: &Deployment) -> Problem {
    Problem::error("unfinished-deployment", format!("deployment {} began and did not end", open.id))
        .note(format!("{} started it on {}", open.actor, open.started.strftime("%d %b %Y at %H:%M UTC")))
        .help("`tenantry apply --resume` carries it on; `tenantry revert` takes it back")
}
