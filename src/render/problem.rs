//! Problems as rustc shows them: title, place with its source line, facts, next steps.

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::plural::count;
use super::style::Style;
use super::text::{clean, clean_lines};
use super::view::Options;
use crate::model::{Locus, Sources};
use crate::problem::{Label, Problem, Severity, sorted};

/// Shows problems sorted by place, with lines of the files they are about, and counts errors and warnings at the end.
pub fn problems(problems: &[Problem], sources: &Sources, options: &Options) -> String {
    let problems = sorted(problems.to_vec());
    let mut out = String::new();
    for problem in &problems {
        out.push_str(&one(problem, sources, options));
        out.push_str("\n\n");
    }
    if let Some(total) = total(&problems) {
        out.push_str(&total);
        out.push('\n');
    } else if out.ends_with("\n\n") {
        out.pop();
    }
    out
}

/// Counts errors and warnings, where there are two at least.
fn total(problems: &[Problem]) -> Option<String> {
    let of = |severity| problems.iter().filter(|p| p.severity == severity).count();
    let words: Vec<String> = [(of(Severity::Error), "error"), (of(Severity::Warning), "warning")]
        .into_iter()
        .filter(|(n, _)| *n > 0)
        .map(|(n, noun)| count(n, noun))
        .collect();
    (problems.len() > 1 && !words.is_empty()).then(|| words.join(", "))
}

fn one(problem: &Problem, sources: &Sources, options: &Options) -> String {
    let level = match problem.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
        Severity::Note => Level::NOTE,
    };
    let mut group = Group::with_title(level.primary_title(clean(&problem.title)).id(problem.id));
    let mut shown: Vec<&str> = Vec::new();
    for label in &problem.labels {
        let file: &str = &label.locus.file;
        if shown.contains(&file) {
            continue;
        }
        shown.push(file);
        let of_file: Vec<&Label> = problem.labels.iter().filter(|l| *l.locus.file == *file).collect();
        group = match sources.get(file).and_then(|text| Excerpt::new(text, &of_file)) {
            Some(excerpt) => group.element(excerpt.snippet(file)),
            None => of_file.iter().fold(group, |group, label| {
                let group = group.element(origin(&label.locus));
                if label.text.is_empty() { group } else { group.element(Level::NOTE.message(clean_lines(&label.text))) }
            }),
        };
    }
    for note in &problem.notes {
        group = group.element(Level::NOTE.message(clean_lines(note)));
    }
    for help in &problem.help {
        group = group.element(Level::HELP.message(clean_lines(help)));
    }
    renderer(options).render(&[group])
}

/// A place whose text is not at hand. The start of a file is the file itself.
fn origin(locus: &Locus) -> Origin<'static> {
    let origin = Origin::path(clean(&locus.file).into_owned());
    if (locus.line, locus.column, locus.end) == (1, 1, 0) {
        return origin;
    }
    origin.line(usize::try_from(locus.line).unwrap_or(1)).char_column(usize::try_from(locus.column).unwrap_or(1))
}

fn renderer(options: &Options) -> Renderer {
    let renderer = if options.colour {
        Renderer::styled()
            .error(Style::Bad.ansi())
            .warning(Style::Warning.ansi())
            .help(Style::Help.ansi())
            .note(Style::Good.ansi())
            .line_num(Style::Muted.ansi())
            .emphasis(Style::Heading.ansi())
    } else {
        Renderer::plain()
    };
    renderer.decor_style(DecorStyle::Ascii).term_width(options.width.max(40))
}

/// Lines of a file around its labels, cleaned, with the labels' places carried over.
struct Excerpt {
    text: String,
    first_line: usize,
    spans: Vec<(std::ops::Range<usize>, String)>,
}

/// Bytes of one line that are shown; a longer line (minified code) is left out.
const LINE_BYTES: usize = 2000;

impl Excerpt {
    /// Takes the lines the labels touch. `None` where a label does not lie in the text: the file changed meanwhile.
    fn new(text: &str, labels: &[&Label]) -> Option<Excerpt> {
        let sound = |l: &Locus| l.start <= l.end && text.is_char_boundary(l.start) && text.is_char_boundary(l.end);
        // The start of a file without extent stands for the file: there is no line to show.
        if !labels.iter().all(|l| l.locus.end <= text.len() && sound(&l.locus) && l.locus.end > 0) {
            return None;
        }
        let start = labels.iter().map(|l| l.locus.start).min()?;
        let end = labels.iter().map(|l| first_line_end(text, &l.locus)).max()?;
        let from = text.get(..start)?.rfind('\n').map_or(0, |at| at + 1);
        let to = text.get(end..)?.find('\n').map_or(text.len(), |at| end + at);
        let lines = text.get(from..to)?;
        if lines.split('\n').any(|line| line.len() > LINE_BYTES) {
            return None;
        }
        let place = |at: usize| text.get(from..at).map(|before| clean_lines(before).len());
        let mut spans = Vec::new();
        for label in labels {
            let end = first_line_end(text, &label.locus).max(label.locus.start);
            spans.push((place(label.locus.start)?..place(end)?, clean(&label.text).into_owned()));
        }
        let first_line = text.get(..from)?.matches('\n').count() + 1;
        Some(Excerpt { text: clean_lines(lines), first_line, spans })
    }

    fn snippet(self, file: &str) -> Snippet<'static, annotate_snippets::Annotation<'static>> {
        let mut snippet =
            Snippet::source(self.text).path(clean(file).into_owned()).line_start(self.first_line).fold(true);
        for (at, (span, text)) in self.spans.into_iter().enumerate() {
            let kind = if at == 0 { AnnotationKind::Primary } else { AnnotationKind::Context };
            let annotation = kind.span(span);
            snippet = snippet.annotation(if text.is_empty() { annotation } else { annotation.label(text) });
        }
        snippet
    }
}

/// Where a label's marking ends: with its first line, so that a long object does not fill the screen.
fn first_line_end(text: &str, locus: &Locus) -> usize {
    let span = text.get(locus.start..locus.end).unwrap_or_default();
    let line = span.split('\n').next().unwrap_or_default();
    locus.start + line.trim_end_matches('\r').len()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    const FILE: &str = "clients/storefront.yaml";
    const TEXT: &str =
        "name: Storefront\napp_type: spa\ncallback: https://shop.example.com/cb\nweb_origins:\n\t- a\u{1b}[2Jb\n";

    fn at(text: &str, part: &str) -> Locus {
        let start = text.find(part).unwrap();
        let line = text[..start].matches('\n').count() + 1;
        let column = start - text[..start].rfind('\n').map_or(0, |n| n + 1) + 1;
        Locus {
            file: FILE.into(),
            line: u32::try_from(line).unwrap(),
            column: u32::try_from(column).unwrap(),
            start,
            end: start + part.len(),
        }
    }

    fn sources() -> Sources {
        let mut sources = Sources::default();
        sources.insert(FILE, TEXT);
        sources
    }

    fn show(list: &[Problem]) -> String {
        problems(list, &sources(), &Options::default())
    }

    #[test]
    fn shows_the_line_and_the_way_out() {
        let list = [
            Problem::warning("server-set", "`client_id` is set by Auth0").at(&Locus::file("clients/gone.json")),
            Problem::error("unknown-field", "`callback` is not a field of `clients`")
                .label(&at(TEXT, "callback"), "no such field")
                .note("fields of clients are listed by `tenantry schema`")
                .help("did you mean `callbacks`? It takes a list of URLs"),
            Problem::error("nothing-there", "the description is empty").help("run `tenantry init`"),
        ];
        insta::assert_snapshot!(show(&list));
    }

    #[test]
    fn control_characters_do_not_get_out() {
        let list = [Problem::error("bad-value", "`\u{1b}[31m` is not a URL")
            .label(&at(TEXT, "a\u{1b}[2Jb"), "here \u{7}")
            .note("two\nlines\r")];
        let text = show(&list);
        assert!(!text.contains(['\u{1b}', '\u{7}', '\r']), "{text:?}");
        insta::assert_snapshot!(text);
    }

    #[test]
    fn several_places_in_one_file() {
        let list = [Problem::error("repeated-key", "`name` stands twice")
            .label(&at(TEXT, "app_type"), "again")
            .label(&at(TEXT, "name"), "first here")];
        insta::assert_snapshot!(show(&list));
    }

    #[test]
    fn a_long_value_is_marked_on_its_first_line() {
        let list = [Problem::error("bad-value", "this is no list").label(&at(TEXT, "app_type: spa\ncallback"), "")];
        insta::assert_snapshot!(show(&list));
    }

    #[test]
    fn a_place_that_no_longer_exists_is_named_without_its_line() {
        let mut locus = at(TEXT, "callback");
        locus.end = 10_000;
        let text = show(&[Problem::error("gone", "the file changed").label(&locus, "it was here")]);
        assert!(text.contains("clients/storefront.yaml:3:1"), "{text}");
        assert!(text.contains("it was here"), "{text}");
    }

    #[test]
    fn nothing_is_nothing() {
        assert_eq!(show(&[]), "");
    }
}
