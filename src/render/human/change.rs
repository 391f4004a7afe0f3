//! One change: its header, its fields, what goes along.

use super::code;
use super::rows::{Context, Row, Table, risk_style, rows};
use crate::change::{Action, Change, Origin, Step};
use crate::model::{Path, Value};
use crate::render::line::{Line, Lines};
use crate::render::outside::blame_of;
use crate::render::plural::count;
use crate::render::style::Style;
use crate::render::text::width;
use crate::render::view::Options;
use crate::render::who::{author, blame};
use crate::schema::{Risk, Verb};

/// Fields shown of a resource that comes or goes, and items of its sets.
const MOST: usize = 24;

/// Fields of an update that are shown where a plan is shown in brief, besides the dangerous ones.
const FEW: usize = 3;

/// Adds a change; actions stand in `column`. Fields that only drifted are told elsewhere.
pub(super) fn change(
    lines: &mut Lines,
    change: &Change,
    options: &Options,
    (uniform, brief): (Option<Origin>, bool),
    column: usize,
    context: Context<'_>,
) {
    lines.gap();
    // What is said of all fields is said once, in the header.
    let same = change.fields.first().map(|f| f.origin).filter(|o| change.fields.iter().all(|f| f.origin == *o));
    let told = uniform.or(same.filter(|origin| *origin == Origin::Unknown || *origin == change.origin));
    header(lines, change, options, uniform.is_none() && told == Some(Origin::Unknown), column, &context);
    let whole = matches!(change.action, Action::Create | Action::Delete);
    let rows = rows(change.fields.iter().filter(|field| whole || field.origin != Origin::Drift));
    let table = Table::new(&rows, options, if whole { Some(Origin::Unknown) } else { told }, context);
    let table = if whole { table.whole() } else { table.with_places(change.locus.as_ref()) };
    let most = if whole { MOST } else { usize::MAX };
    // What is dangerous is never left out.
    let shown = |(n, row): &(usize, &Row<'_>)| {
        *n < most && (!brief || *n < FEW || row.fields.iter().any(|field| field.risk > Risk::Safe))
    };
    let shown: Vec<&Row<'_>> = rows.iter().enumerate().filter(shown).map(|(_, row)| row).collect();
    let left = rows.len() - shown.len();
    text_rows(lines, shown.into_iter(), &table, options, most);
    if left > 0 {
        let how = if brief { "-v shows all" } else { "--json has all" };
        let more = format!("  … and {}; {how}", count(left, "more field"));
        lines.push(Line::new(options.colour).add(Style::Muted, &more));
    }
    below(lines, change, options, &context);
}

/// Adds a resource to create without its fields: one line, and what is to be known of it.
pub(super) fn in_a_line(lines: &mut Lines, change: &Change, options: &Options, column: usize, context: Context<'_>) {
    header(lines, change, options, false, column, &context);
    below(lines, change, options, &context);
}

/// Adds rows, texts among them as a diff. `most` limits the items of a set.
pub(super) fn text_rows<'a>(
    lines: &mut Lines,
    rows: impl Iterator<Item = &'a Row<'a>>,
    table: &Table<'_>,
    options: &Options,
    most: usize,
) {
    for row in rows {
        match text_of(row, options) {
            Some((before, after)) => diff(lines, row, table, (&before, &after), options),
            None => match long_text(row) {
                Some(words) => table.words(lines, row, &words),
                None => table.row(lines, row, most),
            },
        }
    }
}

/// Adds what is to be known of the change as a whole: how many it hits, why it is dangerous, what goes along.
fn below(lines: &mut Lines, change: &Change, options: &Options, context: &Context<'_>) {
    let style = if change.risk > Risk::Safe { risk_style(change.risk) } else { Style::Muted };
    let mut say = |style: Style, words: &str| {
        lines.push(Line::new(options.colour).plain("  ").add(style, "! ").plain(words));
    };
    for effect in context.facts.effects.get(&change.address).into_iter().flatten() {
        say(if effect.count == Some(0) { Style::Muted } else { style }, &effect.text);
    }
    for reason in &change.reasons {
        say(style, reason);
    }
    for cascade in &change.cascades {
        let line = Line::new(options.colour).plain("  ").add(Style::Deleted, "- ");
        lines.push(line.add(Style::Address, &cascade.to_string()).plain(" is deleted with it"));
    }
    if !change.missing_secrets.is_empty() {
        let names = change.missing_secrets.join(", ");
        let line =
            Line::new(options.colour).plain("  ").add(Style::Bad, "! ").plain("has to send secrets nobody gave: ");
        lines.push(line.add(Style::Bad, &names));
    }
}

fn header(lines: &mut Lines, change: &Change, options: &Options, unknown: bool, column: usize, context: &Context<'_>) {
    let style = match change.action {
        Action::Create => Style::Created,
        Action::Update => Style::Updated,
        Action::Replace => Style::Replaced,
        Action::Delete => Style::Deleted,
    };
    let mut line = Line::new(options.colour)
        .add(Style::Address, &change.address.to_string())
        .to(column)
        .add(style, &format!("{}{}", change.action.as_str(), then(&change.steps)));
    if change.risk > Risk::Safe {
        line = line.plain("   ").add(risk_style(change.risk), change.risk.as_str());
    }
    let whole = matches!(change.action, Action::Create | Action::Delete);
    if change.origin == Origin::Conflict {
        line = line.plain("   ").add(Style::Bad, "conflict");
    } else if unknown && change.action != Action::Create {
        line = line.plain("   ").add(Style::Warning, Origin::Unknown.as_str());
    }
    let mut about = Vec::new();
    if let Some(locus) = change.locus.as_ref().filter(|_| change.action != Action::Delete) {
        let mut place = format!("{}:{}", locus.file, locus.line);
        let by = context.facts.ours.get(&(locus.file.clone(), locus.line)).filter(|_| whole);
        place.extend(by.map(|by| format!(", {}", author(by))));
        about.push(place);
    }
    if change.origin == Origin::Conflict {
        let by = blame_of(context.facts, &change.address, &Path::root());
        about.extend(by.map(|by| format!("outside: {}", blame(by, context.now))));
    }
    let fits = |line: &Line, words: &str| line.width() + 3 + width(words) <= options.width;
    let mut started = Some(line);
    for words in about {
        match started.take() {
            Some(line) if fits(&line, &words) => started = Some(line.plain("   ").add(Style::Muted, &words)),
            line => {
                line.into_iter().for_each(|line| lines.push(line));
                lines.push(Line::new(options.colour).plain("  ").add(Style::Muted, &words));
            }
        }
    }
    started.into_iter().for_each(|line| lines.push(line));
}

/// What follows the write: a request without a body is an act, named by the end of its path.
fn then(steps: &[Step]) -> String {
    let acts = steps.iter().filter(|step| step.method == Verb::Post && step.body.is_none() && !step.creates);
    let names = acts.filter_map(|step| step.path.rsplit('/').next()).filter(|name| !name.contains('{'));
    names.map(|name| format!(", then {name}")).collect()
}

fn text_of(row: &Row<'_>, options: &Options) -> Option<(String, String)> {
    match row.fields.as_slice() {
        [field] => code::texts(field, options.width),
        _ => None,
    }
}

/// Says how long a text is that comes or goes as a whole.
fn long_text(row: &Row<'_>) -> Option<String> {
    let [field] = row.fields.as_slice() else { return None };
    match (&field.diff.before, &field.diff.after, field.how) {
        (_, _, crate::change::How::Secret) => None,
        (Some(Value::String(text)), None, _) | (None, Some(Value::String(text)), _)
            if text.trim_end().contains('\n') =>
        {
            Some(count(text.lines().count(), "line"))
        }
        _ => None,
    }
}

fn diff(lines: &mut Lines, row: &Row<'_>, table: &Table<'_>, (before, after): (&str, &str), options: &Options) {
    let (added, removed) = code::stat(before, after);
    let mut line =
        Line::new(options.colour).plain("  ").add(Style::Updated, "~").plain(" ").plain(&row.path.to_string());
    for (style, note) in row.fields.iter().flat_map(|field| table.notes(field)) {
        line = line.plain("   ").add(style, &note);
    }
    line = line.plain("   ").add(Style::Added, &format!("+{added}")).add(Style::Removed, &format!(" -{removed}"));
    lines.push(line);
    code::code(lines, before, after, options);
}
