//! Turns plans, problems and reports into text, Markdown and JSON. Prints nothing, computes nothing.
//!
//! Every function here is pure. Text from files or from the API enters an output only through one type of line,
//! [`clean`] or a JSON serialiser, so that control characters never reach a terminal; secrets are shown by where
//! they come from. Colours are chosen in one table ([`Style::ansi`]).

pub mod apply;
mod doctor;
mod human;
pub mod json;
mod line;
mod markdown;
mod plural;
mod problem;
mod style;
mod text;
mod value;
mod view;

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;

pub use doctor::doctor as doctor_human;
pub use human::plan as plan_human;
pub use markdown::plan as plan_markdown;
pub use plural::{count, number};
pub use problem::problems as problems_human;
pub use style::Style;
pub use text::clean;
pub use view::{Head, Options, PlanView};
