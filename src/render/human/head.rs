//! What is said first: which tenant, which commit, what to know before reading on.

use crate::change::Origin;
use crate::render::line::{Line, Lines};
use crate::render::style::Style;
use crate::render::view::{Head, Options, PlanView};
use crate::render::who::{commit, deployed};

/// Said first of all, where deletes are on.
pub(in crate::render) const DELETES: &str = "AUTH0_ALLOW_DELETE is true: whatever a described kind lacks is deleted";

/// The pieces of the first line.
pub(in crate::render) fn pieces(environment: &str, domain: &str, head: &Head) -> Vec<String> {
    let mut pieces = vec![environment.to_owned(), domain.to_owned()];
    pieces.extend(head.commit.as_ref().map(|of| {
        let more = if of.dirty { " and changes that are not committed" } else { "" };
        format!("commit {}{more}", commit(of).trim_end_matches('+'))
    }));
    pieces.extend(head.deployed.as_ref().map(|last| format!("last deployed {}", deployed(last, head.now))));
    pieces.dedup();
    pieces.retain(|piece| !piece.is_empty());
    pieces
}

/// Adds the first line.
pub(in crate::render) fn first(lines: &mut Lines, pieces: &[String], options: &Options) {
    let mut line = Line::new(options.colour);
    for piece in pieces {
        line = if line.width() == 0 {
            line.add(Style::Heading, piece)
        } else {
            line.add(Style::Muted, " · ").plain(piece)
        };
    }
    if line.width() > 0 {
        lines.push(line);
    }
}

pub(super) fn head(lines: &mut Lines, view: &PlanView<'_>, options: &Options, uniform: Option<Origin>) {
    let plan = view.plan;
    if view.head.deletes_undescribed {
        lines.push(Line::new(options.colour).add(Style::Warning, DELETES));
    }
    first(lines, &pieces(&plan.environment, &plan.domain, view.head), options);
    for remark in &view.head.remarks {
        lines.push(Line::new(options.colour).add(Style::Warning, remark));
    }
    if !plan.has_base && uniform == Some(Origin::Unknown) {
        let words = "no deployment of this tenant is recorded: whether the files or the tenant changed cannot be told";
        lines.push(Line::new(options.colour).add(Style::Muted, words));
    }
    let Some(reverting) = &view.head.reverting else { return };
    lines.push(Line::new(options.colour).add(Style::Heading, &reverting.what));
    if !reverting.lost.is_empty() {
        lines.gap();
        lines.push(Line::new(options.colour).add(Style::Irreversible, "Cannot come back"));
        for lost in &reverting.lost {
            lines.push(Line::new(options.colour).plain("  ").add(Style::Irreversible, "! ").plain(lost));
        }
    }
}
