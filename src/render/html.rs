//! The plan as one HTML file that needs nothing beside it: for the artifacts of a pipeline.

use handlebars::Handlebars;
use serde::Serialize;

use super::human::{DELETES, fate_words, forecast, numbers, pieces};
use super::markdown::{ROWS, changed_field, notes};
use super::outside::{blame_of, drifted, is_drift_alone};
use super::plural::count;
use super::refusals::groups;
use super::section::sections;
use super::style::Style;
use super::text::clean;
use super::view::PlanView;
use super::who::blame;
use crate::change::{Action, Change, FieldChange, Origin};
use crate::model::Path;
use crate::problem::Problem;
use crate::schema::Risk;

/// The page. It escapes whatever is put into it.
const TEMPLATE: &str = include_str!("../../templates/plan.html.hbs");

/// Text in pieces: what stood between back ticks is code.
type Prose = Vec<Piece>;

#[derive(Debug, Serialize)]
struct Piece {
    code: bool,
    text: String,
}

/// Text of a kind that the page has a colour for.
#[derive(Debug, Serialize)]
struct Kinded {
    kind: &'static str,
    text: String,
}

#[derive(Debug, Serialize)]
struct Page {
    title: String,
    pieces: Vec<String>,
    deletes: Option<&'static str>,
    remarks: Vec<Prose>,
    reverting: Option<String>,
    lost: Vec<Prose>,
    nothing: bool,
    numbers: Vec<Kinded>,
    forecast: Option<String>,
    refusals: Vec<Refused>,
    changes: Vec<Changed>,
    outside: Vec<Outside>,
    sections: Vec<Listed>,
}

#[derive(Debug, Serialize)]
struct Refused {
    guard: &'static str,
    entries: Vec<RefusedEntry>,
    help: Vec<Prose>,
}

#[derive(Debug, Serialize)]
struct RefusedEntry {
    title: Prose,
    place: Option<String>,
    notes: Vec<Prose>,
}

#[derive(Debug, Serialize)]
struct Changed {
    kind: &'static str,
    action: &'static str,
    address: String,
    risk: Option<&'static str>,
    risk_kind: &'static str,
    unknown: Option<&'static str>,
    place: Option<String>,
    open: bool,
    points: Vec<Prose>,
    lines: Vec<Kinded>,
}

#[derive(Debug, Serialize)]
struct Outside {
    address: String,
    kind: &'static str,
    words: String,
    by: Option<String>,
    lines: Vec<Kinded>,
}

#[derive(Debug, Serialize)]
struct Listed {
    title: &'static str,
    count: usize,
    entries: Vec<ListedEntry>,
    more: usize,
}

#[derive(Debug, Serialize)]
struct ListedEntry {
    name: String,
    words: Prose,
}

/// Writes a plan as HTML.
///
/// # Errors
///
/// `template`, which is a bug: the page cannot be put together.
pub fn plan(view: &PlanView<'_>) -> Result<String, Problem> {
    let page = page(view);
    Handlebars::new()
        .render_template(TEMPLATE, &page)
        .map(|text| format!("{}\n", text.trim()))
        .map_err(|error| Problem::error("template", format!("the page cannot be put together: {error}")))
}

fn page(view: &PlanView<'_>) -> Page {
    let plan = view.plan;
    let reverting = view.head.reverting.as_ref();
    let name = if plan.environment.is_empty() { &plan.domain } else { &plan.environment };
    Page {
        title: format!("Plan for {}", clean(name)),
        pieces: pieces(&plan.environment, &plan.domain, view.head).iter().map(|piece| clean(piece).into()).collect(),
        deletes: view.head.deletes_undescribed.then_some(DELETES),
        remarks: view.head.remarks.iter().map(|text| prose(text)).collect(),
        reverting: reverting.map(|reverting| clean(&reverting.what).into()),
        lost: reverting.iter().flat_map(|reverting| &reverting.lost).map(|text| prose(text)).collect(),
        nothing: !plan.has_changes(),
        numbers: numbers(view).into_iter().map(|(style, text)| Kinded { kind: kind(style), text }).collect(),
        forecast: plan.has_changes().then(|| forecast(view)),
        refusals: refusals(view),
        changes: plan.changes.iter().filter(|change| !is_drift_alone(change)).map(|c| changed(c, view)).collect(),
        outside: outside(view),
        sections: sections(plan, reverting.is_some())
            .into_iter()
            .map(|section| Listed {
                title: section.title,
                count: section.entries.len(),
                more: section.entries.len().saturating_sub(ROWS),
                entries: section
                    .entries
                    .into_iter()
                    .take(ROWS)
                    .map(|entry| ListedEntry { name: clean(&entry.name).into(), words: prose(&entry.words) })
                    .collect(),
            })
            .collect(),
    }
}

/// The class of a meaning.
fn kind(style: Style) -> &'static str {
    match style {
        Style::Created | Style::Added | Style::AddedWord | Style::Good => "good",
        Style::Deleted | Style::Removed | Style::RemovedWord | Style::Irreversible | Style::Bad => "bad",
        Style::Updated | Style::Replaced | Style::Caution | Style::Destructive | Style::Warning => "care",
        Style::Plain | Style::Muted | Style::Heading | Style::Address | Style::Help => "plain",
    }
}

fn refusals(view: &PlanView<'_>) -> Vec<Refused> {
    let entry = |refusal: &&crate::change::Refusal| RefusedEntry {
        title: prose(&refusal.problem.title),
        place: refusal.problem.labels.first().map(|l| clean(&format!("{}:{}", l.locus.file, l.locus.line)).into()),
        notes: refusal.problem.notes.iter().map(|note| prose(note)).collect(),
    };
    groups(view.refusals)
        .iter()
        .map(|group| Refused {
            guard: group.guard,
            entries: group.refusals.iter().map(entry).collect(),
            help: group.help.iter().map(|help| prose(help)).collect(),
        })
        .collect()
}

fn changed(change: &Change, view: &PlanView<'_>) -> Changed {
    let (facts, now) = (&view.plan.facts, view.head.now);
    let whole = matches!(change.action, Action::Create | Action::Delete);
    let unknown = view.plan.has_base
        && change.action != Action::Create
        && !change.fields.is_empty()
        && change.fields.iter().all(|field| field.origin == Origin::Unknown);
    let mut points = Vec::new();
    if change.origin == Origin::Conflict {
        let by = blame_of(facts, &change.address, &Path::root()).map(|by| format!(": {}", blame(by, now)));
        points.push(prose(&format!("conflict{}", by.unwrap_or_default())));
    }
    let effects = facts.effects.get(&change.address).into_iter().flatten().map(|effect| &effect.text);
    points.extend(effects.chain(&change.reasons).map(|text| prose(text)));
    let along = |address: &crate::model::Address| {
        vec![
            Piece { code: true, text: clean(&address.to_string()).into() },
            Piece { code: false, text: " is deleted with it".to_owned() },
        ]
    };
    points.extend(change.cascades.iter().map(along));
    if !change.missing_secrets.is_empty() {
        points.push(prose(&format!("has to send secrets nobody gave: {}", change.missing_secrets.join(", "))));
    }
    let fields: Vec<&FieldChange> = change.fields.iter().filter(|f| whole || f.origin != Origin::Drift).collect();
    let mut text = String::new();
    for field in fields.iter().take(ROWS) {
        text.push_str(&changed_field(field, &notes(field, change, facts, now)));
    }
    if fields.len() > ROWS {
        text.push_str(&format!("  … and {}\n", count(fields.len() - ROWS, "more field")));
    }
    Changed {
        kind: match change.action {
            Action::Create => "good",
            Action::Update | Action::Replace => "care",
            Action::Delete => "bad",
        },
        action: change.action.as_str(),
        address: clean(&change.address.to_string()).into(),
        risk: (change.risk > Risk::Safe).then(|| change.risk.as_str()),
        risk_kind: if change.risk > Risk::Caution { "bad" } else { "care" },
        unknown: unknown.then(|| Origin::Unknown.as_str()),
        place: change.locus.as_ref().map(|locus| clean(&format!("{}:{}", locus.file, locus.line)).into()),
        // What comes new is long and harmless.
        open: change.action != Action::Create,
        points,
        lines: lines(&text),
    }
}

fn outside(view: &PlanView<'_>) -> Vec<Outside> {
    let mut out = Vec::new();
    for one in drifted(view.plan, view.refusals) {
        let (style, words) = fate_words(&one);
        let mut text = String::new();
        for field in one.fields.iter().take(ROWS) {
            let by = one.blame_of(&field.path).filter(|_| one.one_blame().is_none());
            let note = by.map(|by| format!("  # {}", clean(&blame(by, view.head.now)))).unwrap_or_default();
            text.push_str(&changed_field(field, &note));
        }
        out.push(Outside {
            address: clean(&one.address.to_string()).into(),
            kind: kind(style),
            words,
            by: one.one_blame().map(|by| clean(&blame(by, view.head.now)).into()),
            lines: lines(&text),
        });
    }
    out
}

/// The lines of a diff, each with its class.
fn lines(diff: &str) -> Vec<Kinded> {
    let line = |text: &str| Kinded {
        kind: match text.chars().next() {
            Some('+') => "add",
            Some('-') => "gone",
            Some('#' | '@') => "about",
            _ => "same",
        },
        text: text.to_owned(),
    };
    diff.lines().map(line).collect()
}

fn prose(text: &str) -> Prose {
    let text = clean(text);
    let parts: Vec<&str> = text.split('`').collect();
    if parts.len().is_multiple_of(2) {
        return vec![Piece { code: false, text: text.into() }];
    }
    let piece = |(n, part): (usize, &&str)| Piece { code: n % 2 == 1, text: (*part).to_owned() };
    parts.iter().enumerate().map(piece).filter(|piece| !piece.text.is_empty()).collect()
}
