//! What is said first: which tenant, which commit, what to know before reading on.

use crate::change::Origin;
use crate::render::line::{Line, Lines};
use crate::render::style::Style;
use crate::render::view::{Options, PlanView};

pub(super) fn head(lines: &mut Lines, view: &PlanView<'_>, options: &Options, uniform: Option<Origin>) {
    let plan = view.plan;
    let mut pieces = vec![plan.environment.clone(), plan.domain.clone()];
    pieces.extend(view.head.commit.as_ref().map(|commit| format!("commit {commit}")));
    pieces.extend(view.head.deployed.as_ref().map(|deployed| format!("last deployed {deployed}")));
    let mut line = Line::new(options.colour);
    for piece in pieces.iter().filter(|piece| !piece.is_empty()) {
        line = if line.width() == 0 {
            line.add(Style::Heading, piece)
        } else {
            line.add(Style::Muted, " · ").plain(piece)
        };
    }
    if line.width() > 0 {
        lines.push(line);
    }
    for remark in &view.head.remarks {
        lines.push(Line::new(options.colour).add(Style::Warning, remark));
    }
    let origin = match uniform {
        Some(Origin::Unknown) => {
            "no deployment of this tenant is recorded: whether the files or the tenant changed cannot be told"
        }
        Some(Origin::Drift) => "every difference was made outside since the last deployment",
        _ => return,
    };
    lines.push(Line::new(options.colour).add(Style::Muted, origin));
}
