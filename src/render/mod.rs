//! Turns plans, problems and reports into text, Markdown and JSON. Prints nothing, computes nothing.
//!
//! Every function here is pure. Text from files or from the API enters an output only through one type of line,
//! [`clean`] or a JSON serialiser, so that control characters never reach a terminal; secrets are shown by where
//! they come from. Colours are chosen in one table ([`Style::ansi`]).

mod adopt;
pub mod apply;
mod backup;
mod compare;
mod doctor;
mod drift;
mod export;
mod history;
mod html;
mod human;
pub mod json;
mod line;
mod markdown;
mod moment;
mod outside;
mod plural;
mod problem;
mod refusals;
pub mod restore;
mod restored_users;
mod section;
mod style;
mod text;
mod value;
mod view;
mod who;
mod written;

#[cfg(test)]
mod deployed_samples;
#[cfg(test)]
mod deployed_tests;
#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use adopt::{AdoptView, adopt as adopt_human};
pub use backup::{
    BackupView, VerifiedView, backup as backup_human, backups as backups_human, verified as verified_human,
};
pub use compare::{CompareView, MissingVariable, SideName, compare as compare_human};
pub use doctor::doctor as doctor_human;
pub use drift::{DriftView, drift as drift_human};
pub use export::{ExportView, export as export_human};
pub use history::{HistoryView, deployment as deployment_human, history as history_human};
pub use html::plan as plan_html;
pub use human::plan as plan_human;
pub use markdown::plan as plan_markdown;
pub use outside::{Drifted, Fate, Happened, drifted};
pub use plural::{count, number};
pub use problem::problems as problems_human;
pub use restored_users::restored_users;
pub use style::Style;
pub use text::clean;
pub use view::{Deployed, Head, Options, PlanView, Reverting};
pub use written::AdoptedFile;
