//! The progress of an apply: a bar on a terminal, lines elsewhere.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

use super::ui::Ui;
use crate::apply::ApplyEvent;
use crate::change::Plan;
use crate::render;

/// Shows events of an apply on stderr.
pub(super) struct Progress<'u> {
    bar: Option<ProgressBar>,
    ui: &'u Ui,
}

impl<'u> Progress<'u> {
    /// Starts with nothing done.
    pub(super) fn start(plan: &Plan, ui: &'u Ui) -> Self {
        let bar = ui.live.then(|| {
            let bar = ProgressBar::new(u64::try_from(plan.changes.len()).unwrap_or(u64::MAX));
            if let Ok(style) = ProgressStyle::with_template("{spinner} {pos}/{len} {wide_msg}") {
                bar.set_style(style);
            }
            bar.enable_steady_tick(Duration::from_millis(120));
            bar
        });
        Progress { bar, ui }
    }

    /// Shows one event.
    pub(super) fn event(&self, event: &ApplyEvent) {
        let line = render::apply::event(event, &self.ui.err);
        match (&self.bar, event) {
            (Some(bar), ApplyEvent::Started { address, action }) => {
                bar.set_message(render::clean(&format!("{} {address}", action.as_str())).into_owned());
            }
            (Some(bar), ApplyEvent::Ended { .. }) => {
                bar.inc(1);
                if let Some(line) = line {
                    bar.println(line);
                }
            }
            (None, _) => {
                if let Some(line) = line {
                    self.ui.tell(&format!("{line}\n"));
                }
            }
            (Some(_), ApplyEvent::Sent { .. }) => {}
        }
    }

    /// Takes the bar away.
    pub(super) fn end(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
