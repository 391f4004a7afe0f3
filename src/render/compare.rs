//! The answer of `compare`: what is suspect first, what the environments explain in short.

use std::collections::BTreeMap;

use super::human::{column, evenly, list, unavailable};
use super::line::{Line, Lines};
use super::plural::{count, number};
use super::style::Style;
use super::text::{clean, width};
use super::view::Options;
use crate::change::FieldChange;
use crate::compare::{Compared, Explanation, Leaf, Only, Resource};
use crate::model::Address;

/// Entries shown of what one variable explains, without `--all`.
const MOST: usize = 3;

/// One side, for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SideName {
    /// As it was named.
    pub name: String,
    /// What that is.
    pub what: String,
    /// Its environment, where it has one.
    pub environment: Option<String>,
}

/// A variable that one environment has and the other lacks.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingVariable {
    /// `brand`, `secrets.google`.
    pub name: String,
    /// The environment that lacks it.
    pub lacks: String,
    /// The environment that has it.
    pub has: String,
}

/// What was compared, and what was found.
#[derive(Debug, Clone, Copy)]
pub struct CompareView<'a> {
    /// The first side.
    pub one: &'a SideName,
    /// The second side.
    pub other: &'a SideName,
    /// What differs.
    pub compared: &'a Compared,
    /// Variables that one environment has and the other lacks.
    pub missing: &'a [MissingVariable],
    /// What is expected is shown leaf by leaf.
    pub all: bool,
}

impl CompareView<'_> {
    /// Names the side that alone has a resource.
    pub(super) fn only(&self, which: Only) -> &str {
        match which {
            Only::One => &self.one.name,
            Only::Other => &self.other.name,
        }
    }

    /// Names the side that lacks a resource.
    pub(super) fn lacks(&self, which: Only) -> &str {
        match which {
            Only::One => &self.other.name,
            Only::Other => &self.one.name,
        }
    }
}

/// Shows what differs between two sides.
pub fn compare(view: &CompareView<'_>, options: &Options) -> String {
    let mut lines = Lines::default();
    head(&mut lines, view, options);
    suspect(&mut lines, view, options);
    if view.all {
        expected(&mut lines, view, options);
    } else {
        summary(&mut lines, view, options);
    }
    let side = |second: bool| if second { &view.other.name } else { &view.one.name };
    let unread: Vec<[String; 2]> = view
        .compared
        .uncompared
        .iter()
        .map(|one| [one.what.clone(), format!("in {}: {}", side(one.second), unavailable(&one.why))])
        .collect();
    list(&mut lines, "Could not be read, so not compared", &unread, usize::MAX, options);
    let missing: Vec<[String; 2]> = view
        .missing
        .iter()
        .map(|one| [one.name.clone(), format!("{} has it, {} lacks it", one.has, one.lacks)])
        .collect();
    list(&mut lines, "Variables that only one of the two environments has", &missing, usize::MAX, options);
    lines.gap();
    totals(&mut lines, view, options);
    lines.finish()
}

fn head(lines: &mut Lines, view: &CompareView<'_>, options: &Options) {
    let column = 2 + [view.one, view.other].map(|side| width(&clean(&side.name))).into_iter().max().unwrap_or(0) + 3;
    for (sign, style, side) in [("-", Style::Removed, view.one), ("+", Style::Added, view.other)] {
        let line = Line::new(options.colour).add(style, sign).plain(" ").add(Style::Heading, &side.name);
        lines.push(line.to(column).add(Style::Muted, &side.what));
    }
}

fn suspect(lines: &mut Lines, view: &CompareView<'_>, options: &Options) {
    let ambiguous = &view.compared.ambiguous;
    let any = view.compared.resources.iter().any(|(_, resource)| match resource {
        Resource::Both(leaves) => leaves.iter().any(|leaf| leaf.expected.is_none()),
        Resource::Only(_, why) => why.is_none(),
    });
    if !any && ambiguous.is_empty() {
        return;
    }
    lines.gap();
    lines.push(Line::new(options.colour).add(Style::Heading, "Suspect: nothing explains it"));
    let at = column(view.compared.resources.iter().filter_map(|(address, resource)| match resource {
        Resource::Only(_, None) => Some(address.to_string()),
        _ => None,
    }));
    for (address, resource) in &view.compared.resources {
        match resource {
            Resource::Only(which, None) => {
                let line = Line::new(options.colour).add(Style::Address, &address.to_string()).to(at);
                lines.push(line.add(Style::Warning, &format!("only in {}", view.only(*which))));
            }
            Resource::Only(_, Some(_)) => {}
            Resource::Both(leaves) => {
                both(lines, address, leaves.iter().filter(|leaf| leaf.expected.is_none()), None, options);
            }
        }
    }
    for (address, ids) in ambiguous {
        let line = Line::new(options.colour).add(Style::Address, &address.to_string()).plain("   ");
        let words = format!("not compared: several in {} have this name ({})", view.other.name, ids.join(", "));
        lines.push(line.add(Style::Warning, &words));
    }
}

fn both<'a>(
    lines: &mut Lines,
    address: &Address,
    leaves: impl Iterator<Item = &'a Leaf>,
    words: Option<&str>,
    options: &Options,
) {
    let fields: Vec<FieldChange> = leaves.map(field).collect();
    if fields.is_empty() {
        return;
    }
    let line = Line::new(options.colour).add(Style::Address, &address.to_string());
    lines.push(match words {
        Some(words) => line.plain("   ").add(Style::Muted, words),
        None => line,
    });
    evenly(lines, address, &fields, options);
}

/// The difference with the place where it stands, on either side.
fn field(leaf: &Leaf) -> FieldChange {
    FieldChange { locus: leaf.one.clone().or_else(|| leaf.other.clone()), ..leaf.field.clone() }
}

fn expected(lines: &mut Lines, view: &CompareView<'_>, options: &Options) {
    if view.compared.expected() == 0 {
        return;
    }
    lines.gap();
    lines.push(Line::new(options.colour).add(Style::Heading, "Expected: the environments ask for it"));
    for (address, resource) in &view.compared.resources {
        match resource {
            Resource::Only(which, Some(why)) => {
                let line = Line::new(options.colour).add(Style::Address, &address.to_string()).plain("   ");
                let words = format!("only in {}: {}", view.only(*which), explained(why, view.lacks(*which)));
                lines.push(line.add(Style::Muted, &words));
            }
            Resource::Only(_, None) => {}
            Resource::Both(leaves) => {
                let mut by: BTreeMap<&Explanation, Vec<&Leaf>> = BTreeMap::new();
                for leaf in leaves {
                    if let Some(why) = &leaf.expected {
                        by.entry(why).or_default().push(leaf);
                    }
                }
                for (why, leaves) in by {
                    both(lines, address, leaves.into_iter(), Some(&explained(why, "")), options);
                }
            }
        }
    }
}

/// What is expected, by what explains it.
fn summary(lines: &mut Lines, view: &CompareView<'_>, options: &Options) {
    let mut by: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (address, resource) in &view.compared.resources {
        match resource {
            Resource::Only(which, Some(why)) => {
                let words = format!("{address} (only in {})", view.only(*which));
                by.entry(explained(why, view.lacks(*which))).or_default().push(words);
            }
            Resource::Only(_, None) => {}
            Resource::Both(leaves) => {
                for leaf in leaves {
                    if let Some(why) = &leaf.expected {
                        let path = match leaf.field.path.parent() {
                            Some(parent) if leaf.field.how == crate::change::How::Item => parent,
                            _ => leaf.field.path.clone(),
                        };
                        let words = format!("{address} {path}");
                        let known = by.entry(explained(why, "")).or_default();
                        if !known.contains(&words) {
                            known.push(words);
                        }
                    }
                }
            }
        }
    }
    let entries: Vec<[String; 2]> = by.into_iter().map(|(why, places)| [why, some(&places)]).collect();
    list(lines, "Expected: the environments ask for it (--all shows each)", &entries, usize::MAX, options);
}

/// Names the first few.
fn some(places: &[String]) -> String {
    let more = places.len().saturating_sub(MOST);
    let mut shown: Vec<String> = places.iter().take(MOST).cloned().collect();
    if more > 0 {
        shown.push(format!("and {more} more"));
    }
    shown.join(", ")
}

/// Says what explains a difference.
fn explained(why: &Explanation, lacks: &str) -> String {
    match why {
        Explanation::Variables(names) if names.is_empty() => "variables".to_owned(),
        Explanation::Variables(names) => names.join(", "),
        Explanation::LeftAlone => format!("left alone by {lacks}"),
    }
}

fn totals(lines: &mut Lines, view: &CompareView<'_>, options: &Options) {
    let compared = view.compared;
    let (suspect, expected) = (compared.suspect(), compared.expected());
    let mut line = Line::new(options.colour);
    line = match (suspect, expected) {
        (0, 0) => line.add(Style::Good, "No differences"),
        (0, n) => line.add(Style::Good, &format!("{} expected, none suspect", count(n, "difference"))),
        (n, 0) => line.add(Style::Bad, &count(n, "suspect difference")),
        (n, m) => line.add(Style::Bad, &count(n, "suspect difference")).plain(&format!(", {} expected", number(m))),
    };
    line = line.plain(&format!(", {} the same", count(compared.same, "resource")));
    if !compared.secrets.is_empty() {
        line = line.plain(&format!(", {} not comparable", count(compared.secrets.len(), "secret")));
    }
    if !compared.uncompared.is_empty() {
        line = line.add(Style::Bad, &format!(", {} not readable", number(compared.uncompared.len())));
    }
    if !compared.unspoken.is_empty() {
        line = line.plain(&format!(", {} not described", count(compared.unspoken.len(), "kind")));
    }
    lines.push(line);
}
