//! Fields in aligned columns: sign and path, value, what to know.

use jiff::Timestamp;

use crate::change::{Facts, FieldChange, How, Origin};
use crate::model::{Address, Locus, Path, Segment, Value};
use crate::render::line::{Line, Lines};
use crate::render::outside::{Drifted, Fate, blame_of};
use crate::render::style::Style;
use crate::render::text::{shorten, width};
use crate::render::value::{brief, secret};
use crate::render::view::Options;
use crate::render::who::{author, blame};
use crate::schema::Risk;

/// Columns a path may take before its value moves to the next line.
const PATH_COLUMNS: usize = 40;

/// Columns of values that notes are aligned behind.
const VALUE_COLUMNS: usize = 44;

/// A value longer than this is cut: a certificate, a template in one line.
const LONGEST: usize = 600;

/// The same where the whole resource comes or goes, and nobody has to compare.
const SHORT: usize = 100;

/// Fields under one path: one field, or the items of one set.
pub(super) struct Row<'a> {
    /// The field, or the set.
    pub(super) path: Path,
    /// What differs there.
    pub(super) fields: Vec<&'a FieldChange>,
    items: bool,
}

/// What is known about the resource that fields belong to.
#[derive(Debug, Clone, Copy)]
pub(super) struct Context<'a> {
    /// Who changed and wrote what.
    pub(super) facts: &'a Facts,
    /// The resource.
    pub(super) address: &'a Address,
    /// What time it is.
    pub(super) now: Timestamp,
}

/// Groups fields by what they are shown under, in the order of first appearance.
pub(super) fn rows<'a>(fields: impl Iterator<Item = &'a FieldChange>) -> Vec<Row<'a>> {
    let mut rows: Vec<Row<'a>> = Vec::new();
    for field in fields {
        let parent = match field.path.0.last() {
            Some(Segment::Item(_)) if field.how == How::Item || field.how == How::Secret => field.path.parent(),
            _ => None,
        };
        match (parent, rows.iter_mut()) {
            (Some(parent), mut known) => match known.find(|row| row.items && row.path == parent) {
                Some(row) => row.fields.push(field),
                None => rows.push(Row { path: parent, fields: vec![field], items: true }),
            },
            (None, _) => rows.push(Row { path: field.path.clone(), fields: vec![field], items: false }),
        }
    }
    rows
}

/// How fields are shown.
pub(super) struct Table<'o> {
    options: &'o Options,
    context: Context<'o>,
    /// The fields were changed outside: this says who did, and what becomes of it.
    theirs: Option<&'o Drifted>,
    /// Not said again: every difference has it.
    uniform: Option<Origin>,
    /// Not said again: the place of the resource, or where fields have no place worth saying.
    place: Option<Locus>,
    places: bool,
    /// The resource comes or goes as a whole: all its fields do.
    whole: bool,
    /// Neither side is the goal of the other.
    even: bool,
    column: usize,
}

impl<'o> Table<'o> {
    /// A table for these rows.
    pub(super) fn new(rows: &[Row<'_>], options: &'o Options, uniform: Option<Origin>, context: Context<'o>) -> Self {
        let widest = rows
            .iter()
            .map(|row| width(&row.path.to_string()))
            .filter(|w| *w <= PATH_COLUMNS.min(options.width * 2 / 5))
            .max();
        let column = 4 + widest.unwrap_or(0) + 3;
        Table { options, context, theirs: None, uniform, place: None, places: false, whole: false, even: false, column }
    }

    /// Shows fields that were changed outside.
    pub(super) fn theirs(mut self, drifted: &'o Drifted) -> Self {
        self.theirs = Some(drifted);
        self
    }

    /// Shows the place of every field but this one.
    pub(super) fn with_places(mut self, but: Option<&Locus>) -> Self {
        self.places = true;
        self.place = but.cloned();
        self
    }

    /// Shows the fields of a resource that comes or goes.
    pub(super) fn whole(mut self) -> Self {
        self.whole = true;
        self
    }

    /// Shows two sides of which neither is to become the other.
    pub(super) fn evenly(mut self) -> Self {
        self.even = true;
        self
    }

    /// Adds the lines of a row. `most` limits the items of a set.
    pub(super) fn row(&self, lines: &mut Lines, row: &Row<'_>, most: usize) {
        if row.items {
            return self.items(lines, row, most);
        }
        for field in &row.fields {
            self.field(lines, field);
        }
    }

    /// Adds a row whose value is told in words.
    pub(super) fn words(&self, lines: &mut Lines, row: &Row<'_>, words: &str) {
        for field in &row.fields {
            let (sign, style) = sign(field);
            let line = self.start(sign, style, &row.path.to_string()).to(self.column).add(Style::Muted, words);
            self.push(lines, line, &self.notes(field));
        }
    }

    fn start(&self, sign: &str, style: Style, path: &str) -> Line {
        Line::new(self.options.colour).plain("  ").add(style, sign).plain(" ").plain(path)
    }

    fn items(&self, lines: &mut Lines, row: &Row<'_>, most: usize) {
        let (sign, style) = match row.fields.first() {
            Some(field) if self.whole => sign(field),
            _ => ("~", Style::Updated),
        };
        let mut line = self.start(sign, style, &row.path.to_string());
        if line.width() + 2 > self.column {
            lines.push(line);
            line = Line::new(self.options.colour);
        }
        let mut last = Vec::new();
        for field in row.fields.iter().take(most) {
            let (sign, style) = if field.diff.after.is_some() { ("+ ", Style::Added) } else { ("- ", Style::Removed) };
            let sign = if self.whole { "" } else { sign };
            let notes = self.notes(field);
            line = line.to(self.column).add(style, &format!("{sign}{}", self.cut(&item(field))));
            let news: Vec<_> = notes.iter().filter(|note| !last.contains(*note)).cloned().collect();
            self.push(lines, line, &news);
            last = notes;
            line = Line::new(self.options.colour);
        }
        if row.fields.len() > most {
            let more = format!("… and {} more", row.fields.len() - most);
            lines.push(line.to(self.column).add(Style::Muted, &more));
        }
    }

    fn field(&self, lines: &mut Lines, field: &FieldChange) {
        let (sign, style) = sign(field);
        let mut line = self.start(sign, style, &field.path.to_string());
        let notes = self.notes(field);
        let [before, after] =
            if self.even { even_sides(field) } else { sides(field) }.map(|side| side.map(|text| self.cut(&text)));
        let needed: usize = [&before, &after].into_iter().flatten().map(|text| width(text) + 3).sum();
        if line.width() + 2 > self.column && line.width() + needed > self.options.width {
            lines.push(line);
            line = Line::new(self.options.colour);
        }
        let line = line.to(self.column);
        if cleared(field) && !self.even {
            let gone = before.unwrap_or_default();
            let room = self.options.width.saturating_sub(self.column + width(CLEARED) + 1).max(20);
            let line = line.add(Style::Removed, &shorten(&gone, room)).plain(" ").add(Style::Added, CLEARED);
            return self.push(lines, line, &notes);
        }
        match (before, after) {
            (Some(before), Some(after)) => {
                let room = self.options.width.saturating_sub(self.column + 3);
                if width(&before) + width(&after) <= room {
                    let both = line.add(Style::Removed, &before).add(Style::Muted, " → ").add(Style::Added, &after);
                    self.push(lines, both, &notes);
                } else {
                    self.push(lines, line.add(Style::Removed, &format!("- {before}")), &notes);
                    let next = Line::new(self.options.colour).plain(&" ".repeat(self.column));
                    lines.push(next.add(Style::Added, &format!("+ {after}")));
                }
            }
            (Some(before), None) => self.push(lines, line.add(Style::Removed, &before), &notes),
            (None, Some(after)) => self.push(lines, line.add(Style::Added, &after), &notes),
            (None, None) => self.push(lines, line, &notes),
        }
    }

    /// Ends a line with its note: beside the value where there is room, below it else.
    fn push(&self, lines: &mut Lines, line: Line, notes: &[(Style, String)]) {
        if notes.is_empty() {
            return lines.push(line);
        }
        let mut note = Line::new(self.options.colour);
        for (style, text) in notes {
            note = if note.width() > 0 { note.add(Style::Muted, " · ") } else { note };
            note = note.add(*style, text);
        }
        let aligned = self.column + VALUE_COLUMNS.min(self.options.width / 3);
        let column = if aligned + note.width() <= self.options.width { aligned } else { 0 };
        let column = column.max(line.width() + 3);
        if column + note.width() <= self.options.width {
            return lines.push(line.to(column).join(&note));
        }
        lines.push(line);
        let start = || Line::new(self.options.colour).plain(&" ".repeat(self.column + 2));
        if self.column + 2 + note.width() <= self.options.width {
            return lines.push(start().join(&note));
        }
        for (style, text) in notes {
            lines.push(start().add(*style, text));
        }
    }

    /// What is to be known of a field: how dangerous, whose it is, where it stands.
    pub(super) fn notes(&self, field: &FieldChange) -> Vec<(Style, String)> {
        let mut notes = Vec::new();
        let by = match self.theirs {
            Some(drifted) if drifted.one_blame().is_some() => None,
            Some(drifted) => drifted.blame_of(&field.path),
            None => blame_of(self.context.facts, self.context.address, &field.path),
        };
        if field.risk > Risk::Safe && self.theirs.is_none_or(|drifted| drifted.fate == Some(Fate::Overwritten)) {
            let back = if self.theirs.is_some() { "putting it back: " } else { "" };
            let why = field.why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
            notes.push((risk_style(field.risk), format!("{back}{}{why}", field.risk.as_str())));
        }
        if self.theirs.is_some() {
            notes.extend(by.map(|by| (Style::Muted, blame(by, self.context.now))));
            return notes;
        }
        if self.uniform.is_none() && field.origin != Origin::Change {
            let style = if field.origin == Origin::Conflict { Style::Bad } else { Style::Warning };
            let by = by.filter(|_| matches!(field.origin, Origin::Conflict | Origin::Drift));
            let who = by.map(|by| format!(", outside: {}", blame(by, self.context.now))).unwrap_or_default();
            notes.push((style, format!("{}{who}", field.origin.as_str())));
        }
        let Some(locus) = field.locus.as_ref().filter(|_| self.places) else { return notes };
        // The place of the resource stands in its header: within that file the line is enough.
        let place = match &self.place {
            // Its author wrote the resource, not this.
            Some(header) if header == locus => return notes,
            Some(header) if header.file == locus.file => format!("line {}", locus.line),
            _ => format!("{}:{}", locus.file, locus.line),
        };
        let by = self.context.facts.ours.get(&(locus.file.clone(), locus.line));
        let by = by.map(|by| format!(", {}", author(by))).unwrap_or_default();
        notes.push((Style::Muted, format!("{place}{by}")));
        notes
    }

    fn cut(&self, text: &str) -> String {
        let cut = shorten(text, if self.whole { SHORT } else { LONGEST });
        if cut.len() == text.len() {
            return text.to_owned();
        }
        format!("{cut} ({})", crate::render::plural::count(text.chars().count(), "character"))
    }
}

/// Colour of a risk.
pub(super) fn risk_style(risk: Risk) -> Style {
    match risk {
        Risk::Safe => Style::Muted,
        Risk::Caution => Style::Caution,
        Risk::Destructive => Style::Destructive,
        Risk::Irreversible => Style::Irreversible,
    }
}

/// `+` for what comes, `-` for what goes, `~` for what changes.
pub(super) fn sign(field: &FieldChange) -> (&'static str, Style) {
    match (&field.diff.before, &field.diff.after) {
        (None, Some(_)) => ("+", Style::Created),
        (Some(_), None) => ("-", Style::Deleted),
        _ => ("~", Style::Updated),
    }
}

/// Said of a value that null clears.
const CLEARED: &str = "→ null";

/// Says whether a field is cleared: something is live, and the description writes null.
pub(in crate::render) fn cleared(field: &FieldChange) -> bool {
    field.how != How::Secret && field.diff.before.is_some() && field.diff.after == Some(Value::Null)
}

/// Before and after in words. A secret never shows more than that it is set and where it comes from.
fn sides(field: &FieldChange) -> [Option<String>; 2] {
    let (before, after) = (field.diff.before.as_ref(), field.diff.after.as_ref());
    if field.how != How::Secret {
        return [before.map(brief), after.map(brief)];
    }
    match (before, after) {
        (Some(_), Some(after)) => [None, Some(format!("changes {}", secret(after)))],
        (None, Some(after)) => [None, Some(format!("set {}", secret(after)))],
        (Some(_), None) => [Some("removed (secret)".to_owned()), None],
        (None, None) => [None, None],
    }
}

/// The same of two sides that are equals: a secret is there, or differs.
fn even_sides(field: &FieldChange) -> [Option<String>; 2] {
    match (&field.diff.before, &field.diff.after) {
        (Some(_), Some(_)) if field.how == How::Secret => [None, Some("differs (secret)".to_owned())],
        (Some(value), None) if field.how == How::Secret => [Some(secret(value)), None],
        (None, Some(value)) if field.how == How::Secret => [None, Some(secret(value))],
        _ => sides(field),
    }
}

/// An item of a set in words: the item, or its key with the rest of it.
pub(in crate::render) fn item(field: &FieldChange) -> String {
    let Some(value) = field.diff.after.as_ref().or(field.diff.before.as_ref()) else { return String::new() };
    let key = match field.path.0.last() {
        Some(Segment::Item(key)) => key.as_str(),
        _ => "",
    };
    if field.how == How::Secret {
        // The key of an item is a name; an item that is all secret has none.
        let named = matches!(value, Value::Object(_)) && !key.starts_with('{') && !key.is_empty();
        return if named { format!("{key} {}", secret(value)) } else { secret(value) };
    }
    let Value::Object(members) = value else { return brief(value) };
    let in_key = |v: &Value| v.as_str().is_some_and(|text| text == key || key.split(' ').any(|part| part == text));
    let rest: crate::model::Map =
        members.iter().filter(|(_, v)| !in_key(v)).map(|(k, v)| (k.clone(), v.clone())).collect();
    match (key.starts_with('{') || key.is_empty(), rest.is_empty()) {
        (true, _) => brief(value),
        (false, true) => key.to_owned(),
        (false, false) => format!("{key} {}", brief(&Value::Object(rest))),
    }
}
