//! The plan screen.

mod change;
mod code;
mod head;
mod rows;
mod sections;
mod totals;

pub(super) use code::texts;
pub(super) use rows::item;
pub(super) use sections::{kept, unavailable};
pub(super) use totals::{forecast, numbers};

use super::line::Lines;
use super::view::{Options, PlanView};
use crate::change::{Origin, Plan};

/// Shows a plan to people: what would be done, field by field, what is left alone and why, what it costs.
pub fn plan(view: &PlanView<'_>, options: &Options) -> String {
    let mut lines = Lines::default();
    let uniform = uniform_origin(view.plan);
    head::head(&mut lines, view, options, uniform);
    let column = sections::column(view.plan.changes.iter().map(|change| change.address.to_string())).max(24);
    for change in &view.plan.changes {
        change::change(&mut lines, change, options, uniform, column);
    }
    sections::sections(&mut lines, view.plan, options, uniform);
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
