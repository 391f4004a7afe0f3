//! The plan screen.

mod change;
mod code;
mod even;
mod head;
mod outside;
mod rows;
mod sections;
mod totals;

pub(super) use code::texts;
pub(super) use even::evenly;
pub(super) use head::{DELETES, first, pieces};
pub(super) use outside::{drifts, fate_words};
pub(super) use rows::{cleared, item};
pub(super) use sections::{column, kept, leaves, list, unavailable};
pub(super) use totals::{forecast, numbers};

use rows::Context;

use super::line::{Line, Lines};
use super::outside::is_drift_alone;
use super::style::Style;
use super::view::{Options, PlanView};
use crate::change::{Action, Origin, Plan};

/// Resources to create that are shown with their fields; of more, each takes a line.
const FEW: usize = 12;

/// Shows a plan to people: what would be done, field by field, what is left alone and why, what it costs.
pub fn plan(view: &PlanView<'_>, options: &Options) -> String {
    let mut lines = Lines::default();
    let uniform = uniform_origin(view.plan);
    head::head(&mut lines, view, options, uniform);
    // What only puts back what was changed outside is told where that is told.
    let ours: Vec<_> = view.plan.changes.iter().filter(|change| !is_drift_alone(change)).collect();
    let column = sections::column(ours.iter().map(|change| change.address.to_string())).max(24);
    let creates = ours.iter().filter(|change| change.action == Action::Create).count();
    let brief = !options.detail && creates > FEW;
    let mut was_brief = false;
    for change in ours {
        let context = Context { facts: &view.plan.facts, address: &change.address, now: view.head.now };
        if brief && change.action == Action::Create {
            if !std::mem::replace(&mut was_brief, true) {
                lines.gap();
            }
            change::in_a_line(&mut lines, change, options, column, context);
        } else {
            was_brief = false;
            // Of a tenant that was never deployed everything differs.
            let brief = brief && !view.plan.has_base;
            change::change(&mut lines, change, options, (uniform, brief), column, context);
        }
    }
    if brief {
        lines.gap();
        let words = format!("The fields of the {creates} resources to create are left out: -v shows all.");
        lines.push(Line::new(options.colour).add(Style::Muted, &words));
    }
    outside::section(&mut lines, view, options);
    sections::sections(&mut lines, view.plan, options, uniform, view.head.reverting.is_some());
    lines.gap();
    totals::totals(&mut lines, view, options);
    lines.finish()
}

/// The origin all differences share; `None` where they do not, or there are none. A shared one is said once, at the top.
fn uniform_origin(plan: &Plan) -> Option<Origin> {
    let mut origins = plan.changes.iter().flat_map(|c| &c.fields).map(|f| f.origin);
    let first = origins.next()?;
    origins.all(|origin| origin == first).then_some(first)
}
