//! The reference of all kinds, as Markdown: `docs/kinds.md`.

use std::fmt::Write as _;

use serde_json::Value as Json;

use super::endpoint::Scopes;
use super::field::{FieldSpec, FileSpec, Risk, RiskSpec, Shape, TextKind};
use super::registry::Registry;
use super::spec::{Directory, KindShape, KindSpec};

/// Columns that running text is filled to.
const WIDTH: usize = 120;
/// Most allowed values that a row lists.
const LISTED_VALUES: usize = 24;

/// Returns the reference page of every kind, in alphabetical order.
pub fn reference(registry: &Registry) -> String {
    let mut page = Page::default();
    page.line("# Kinds");
    page.gap();
    page.text(
        "What Tenantry knows of each kind of resource. This page is made from `schemas/` by `tenantry schema --docs`; \
         change the schema, not the page.",
    );
    page.gap();
    page.text(
        "A kind that a description leaves out is not managed. A member that it leaves out is not managed either. Members of \
         objects are written `object.member`, those of list items `list[].member`, those under free keys `map.*`.",
    );
    page.gap();
    for spec in registry.kinds() {
        page.line(&format!("- [{}](#{}): {}", spec.name, spec.name.to_lowercase(), spec.title));
    }
    for spec in registry.kinds() {
        kind(&mut page, spec);
    }
    page.out
}

#[derive(Default)]
struct Page {
    out: String,
}

impl Page {
    fn line(&mut self, line: &str) {
        self.out.push_str(line);
        self.out.push('\n');
    }

    fn gap(&mut self) {
        self.out.push('\n');
    }

    /// Fills running text.
    fn text(&mut self, text: &str) {
        self.filled("", "", text);
    }

    fn item(&mut self, text: &str) {
        self.filled("- ", "  ", text);
    }

    fn filled(&mut self, first: &str, rest: &str, text: &str) {
        let mut line = first.to_owned();
        let mut is_fresh = true;
        for word in text.split_whitespace() {
            if !is_fresh && line.chars().count() + 1 + word.chars().count() > WIDTH {
                self.line(&line);
                line = rest.to_owned();
                is_fresh = true;
            }
            if !is_fresh {
                line.push(' ');
            }
            line.push_str(word);
            is_fresh = false;
        }
        self.line(&line);
    }
}

fn kind(page: &mut Page, spec: &KindSpec) {
    page.gap();
    page.line(&format!("## {}", spec.name));
    page.gap();
    page.text(&format!("**{}.** {}", spec.title, spec.description));
    page.gap();
    page.item(&format!("Directory: {}", directory(spec)));
    let shape = if spec.shape == KindShape::Single { "an object" } else { "a list" };
    page.item(&format!("Single file: `{}:`, {shape}", spec.name));
    identity(page, spec);
    references(page, spec);
    scopes(page, spec);
    going(page, spec);
    for rule in &spec.system {
        page.item(&format!("Never touched: where `{}` {} ({})", rule.member, matching(rule), rule.why));
    }
    if let Some(limit) = spec.limit {
        page.item(&format!("At most {limit} in a tenant"));
    }
    if spec.optional {
        page.item("Not every subscription has it");
    }
    members(page, spec);
}

fn directory(spec: &KindSpec) -> String {
    let one =
        |path: &str| if path == "tenant" { "`tenant.json`".to_owned() } else { format!("`{path}.yaml` or `.json`") };
    match &spec.directory {
        Directory::Files { folder, .. } if spec.shape == KindShape::Single => format!("files in `{folder}/`"),
        Directory::Files { folder, file } => {
            format!("{}, one file each", one(&format!("{folder}/{}", file.replace('{', "<").replace('}', ">"))))
        }
        Directory::File { path } => one(path),
        Directory::Array { path } => format!("{}, a list", one(path)),
    }
}

fn matching(rule: &super::spec::SystemRule) -> String {
    match (&rule.equals, &rule.matches) {
        (Some(value), _) => format!("is `{value}`"),
        (None, Some(pattern)) => format!("matches `{pattern}`"),
        (None, None) => "is set".to_owned(),
    }
}

fn identity(page: &mut Page, spec: &KindSpec) {
    if spec.shape == KindShape::Single {
        page.item(&format!("Address: `{}`; there is one", spec.name));
        return;
    }
    let mut text = format!("Told apart by {}", code_list(spec.identity.iter().map(String::as_str)));
    if !spec.also.is_empty() {
        let _ = write!(text, ", or by {}", code_list(spec.also.iter().map(String::as_str)));
    }
    if !spec.unique {
        text.push_str("; names may repeat, then the address carries the id");
    }
    if let Some(other) = &spec.shares {
        let _ = write!(text, "; names are unique together with `{other}`");
    }
    page.item(&text);
    if !spec.names.is_empty() {
        page.item(&format!("A closed set, never deleted: {}", code_list(spec.names.iter().map(String::as_str))));
    }
}

fn references(page: &mut Page, spec: &KindSpec) {
    let mut kinds: Vec<String> = Vec::new();
    each(&spec.fields, "", &mut |_, field| {
        if !field.read_only {
            kinds.extend(field.reference.iter().chain(&field.literal_reference).cloned());
        }
    });
    kinds.sort_unstable();
    kinds.dedup();
    if !kinds.is_empty() {
        page.item(&format!("Refers to {}", code_list(kinds.iter().map(String::as_str))));
    }
    if !spec.after.is_empty() {
        page.item(&format!("Applied after {}", code_list(spec.after.iter().map(String::as_str))));
    }
}

fn scopes(page: &mut Page, spec: &KindSpec) {
    let Scopes { read, create, update, delete, extra } = &spec.scopes;
    let mut parts = Vec::new();
    for (verb, scopes) in [("read", read), ("create", create), ("update", update), ("delete", delete)] {
        if !scopes.is_empty() {
            parts.push(format!("{verb} {}", code_list(scopes.iter().map(String::as_str))));
        }
    }
    if !parts.is_empty() {
        page.item(&format!("Scopes: {}", parts.join("; ")));
    }
    for (scope, why) in extra {
        page.item(&format!("With `{scope}`: {why}"));
    }
    for (path, field) in spec.subs() {
        let Some(sub) = &field.sub else { continue };
        let mut all: Vec<&str> = Vec::new();
        for scope in
            sub.scopes.read.iter().chain(&sub.scopes.create).chain(&sub.scopes.update).chain(&sub.scopes.delete)
        {
            if !all.contains(&scope.as_str()) {
                all.push(scope);
            }
        }
        if !all.is_empty() {
            page.item(&format!("Scopes of `{path}`: {}", code_list(all)));
        }
    }
}

fn going(page: &mut Page, spec: &KindSpec) {
    if !spec.is_open_set() {
        return;
    }
    let why = spec.delete_why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    let mut text = format!("A delete is {}{why}", spec.delete_risk.as_str());
    if spec.asynchronous_delete {
        text.push_str("; it goes on after the answer");
    }
    page.item(&text);
    if !spec.cascades.is_empty() {
        let along = spec.cascades.iter().map(|cascade| match &cascade.items {
            Some(items) => format!("items of `{}.{items}`", cascade.kind),
            None => format!("`{}`", cascade.kind),
        });
        page.item(&format!("A delete takes along {}", along.collect::<Vec<_>>().join(", ")));
    }
}

fn members(page: &mut Page, spec: &KindSpec) {
    let (mut rows, mut server_set) = (Vec::new(), Vec::new());
    let required: Vec<&str> =
        spec.json.get("required").and_then(Json::as_array).into_iter().flatten().filter_map(Json::as_str).collect();
    each(&spec.fields, "", &mut |path, field| {
        if field.read_only {
            server_set.push(path.to_owned());
        } else {
            rows.push(row(path, field, required.contains(&path)));
        }
    });
    if !rows.is_empty() {
        page.gap();
        page.line("| member | type | default | |");
        page.line("| --- | --- | --- | --- |");
        for row in rows {
            page.line(&row);
        }
    }
    if !server_set.is_empty() {
        page.gap();
        let set = code_list(server_set.iter().map(String::as_str));
        page.text(&format!("Set by the server, in files ignored with a warning: {set}."));
    }
}

/// Visits every member below a field, parents first; what lies below a member that the server sets is left out.
fn each(field: &FieldSpec, path: &str, visit: &mut dyn FnMut(&str, &FieldSpec)) {
    let mut go = |path: String, member: &FieldSpec| {
        visit(&path, member);
        if !member.read_only {
            each(member, &path, visit);
        }
    };
    match &field.shape {
        Shape::Record { members, rest, .. } => {
            for (name, member) in members {
                go(if path.is_empty() { name.clone() } else { format!("{path}.{name}") }, member);
            }
            if let Some(rest) = rest.as_deref().filter(|rest| !says_nothing(rest) && !rest.read_only) {
                go(if path.is_empty() { "*".to_owned() } else { format!("{path}.*") }, rest);
            }
        }
        Shape::Map(values) => {
            let path = if path.is_empty() { "*".to_owned() } else { format!("{path}.*") };
            if says_nothing(values) {
                each(values, &path, visit);
            } else {
                go(path, values);
            }
        }
        Shape::List(items) => each(items, &format!("{path}[]"), visit),
        Shape::Scalar | Shape::Any => {}
    }
}

/// A map's values need no row of their own where nothing is known of them but the type.
fn says_nothing(field: &FieldSpec) -> bool {
    field.description.is_empty() && matches!(field.shape, Shape::Scalar | Shape::Any | Shape::Record { .. })
}

fn row(path: &str, field: &FieldSpec, is_required: bool) -> String {
    let default = match &field.default {
        Some(value) => code(&short(value)),
        None if !field.default_when.is_empty() => "depends".to_owned(),
        None => String::new(),
    };
    let cells = [code(path), types(field), default, remarks(field, is_required)];
    format!("| {} |", cells.map(|cell| cell.replace('|', "\\|").replace('\n', " ")).join(" | "))
}

fn short(value: &Json) -> String {
    let text = value.to_string();
    if text.chars().count() > 60 { format!("{}…", text.chars().take(60).collect::<String>()) } else { text }
}

fn types(field: &FieldSpec) -> String {
    let word = |name: &str| match name {
        "array" => match field.item() {
            Some(item) if !item.types.is_empty() => format!("list of {}", plain_types(item)),
            _ => "list".to_owned(),
        },
        "object" if matches!(&field.shape, Shape::Map(_)) => "map".to_owned(),
        other => other.to_owned(),
    };
    field.types.iter().map(|name| word(name)).collect::<Vec<_>>().join(" or ")
}

fn plain_types(field: &FieldSpec) -> String {
    field.types.join(" or ")
}

fn remarks(field: &FieldSpec, is_required: bool) -> String {
    let mut out: Vec<String> = Vec::new();
    if !field.description.is_empty() {
        out.push(field.description.trim_end_matches('.').to_owned());
    }
    let values = if field.values.is_empty() { field.item().map(|i| &i.values) } else { Some(&field.values) };
    if let Some(values) = values.filter(|values| !values.is_empty()) {
        let shown: Vec<String> = values.iter().take(LISTED_VALUES).map(value_word).collect();
        let more = values.len().saturating_sub(LISTED_VALUES);
        let tail = if more > 0 { format!(" and {more} more") } else { String::new() };
        out.push(format!("One of {}{tail}", shown.join(", ")));
    }
    if is_required {
        out.push("Required".to_owned());
    }
    for (conditions, default) in &field.default_when {
        let when: Vec<String> = conditions.iter().map(|(m, v)| format!("{} is {}", code(m), value_word(v))).collect();
        out.push(format!("Default {} where {}", code(&short(default)), when.join(" and ")));
    }
    let item_references = field.item().map(|i| (&i.reference, &i.literal_reference));
    for kinds in [Some((&field.reference, &field.literal_reference)), item_references].into_iter().flatten() {
        if !kinds.0.is_empty() {
            out.push(format!("Name of one of {}", code_list(kinds.0.iter().map(String::as_str))));
        } else if !kinds.1.is_empty() {
            out.push(format!("Names one of {}", code_list(kinds.1.iter().map(String::as_str))));
        }
    }
    out.extend(notes(field));
    out.extend(risk(field.risk, field.why.as_deref()));
    out.join(". ")
}

fn notes(field: &FieldSpec) -> Vec<String> {
    let mut out = Vec::new();
    let mut say = |holds: bool, words: &str| {
        if holds {
            out.push(words.to_owned());
        }
    };
    say(field.deprecated, "*Deprecated*");
    say(field.secret, "*Secret*");
    say(field.write_only, "No read returns it");
    say(field.immutable && !field.fixed, "A change replaces the resource");
    say(field.fixed, "Cannot change");
    say(field.create_only, "Counts when the resource is made");
    say(field.update_only, "Written by an update right after the create");
    say(field.skip, "Neither sent nor compared");
    say(field.owned, "Auth0 writes it");
    say(field.merged, "Merged with what is live");
    say(field.sub.is_some(), "Endpoints of its own");
    say(field.set, "Order means nothing");
    say(field.text == Some(TextKind::Pem), "Compared by its Base64 body");
    if let Some(alias) = &field.alias {
        out.push(format!("Older name of {}", code(alias)));
    }
    if !field.key.is_empty() {
        let order = if field.ordered { "in order" } else { "in any order" };
        out.push(format!("Items told apart by {}, {order}", code_list(field.key.iter().map(String::as_str))));
    }
    if let Some(file) = &field.file {
        out.push(side_file(file));
    }
    out
}

fn side_file(file: &FileSpec) -> String {
    let shown = |path: &str| code(&path.replace('{', "<").replace('}', ">"));
    let may = if file.optional { "May stand in a file of its own" } else { "In a file of its own" };
    match (&file.default_directory, &file.default_single) {
        (Some(one), Some(other)) if one == other => format!("{may}: {}", shown(one)),
        (Some(directory), Some(single)) => {
            format!("{may}: {}, beside the single file {}", shown(directory), shown(single))
        }
        (Some(only), None) | (None, Some(only)) => format!("{may}: {}", shown(only)),
        (None, None) => may.to_owned(),
    }
}

fn risk(risk: RiskSpec, why: Option<&str>) -> Option<String> {
    let RiskSpec { add, remove, change } = risk;
    let mut levels: Vec<(Risk, Vec<&str>)> = Vec::new();
    for (level, what) in [(change, "to change"), (remove, "to remove"), (add, "to add to")] {
        if level == Risk::Safe {
            continue;
        }
        match levels.iter_mut().find(|(known, _)| *known == level) {
            Some((_, whats)) => whats.push(what),
            None => levels.push((level, vec![what])),
        }
    }
    if levels.is_empty() {
        return None;
    }
    let said: Vec<String> =
        levels.into_iter().map(|(level, whats)| format!("**{}** {}", level.as_str(), whats.join(" or "))).collect();
    Some(match why {
        Some(why) => format!("{}: {why}", said.join(", ")),
        None => said.join(", "),
    })
}

fn value_word(value: &Json) -> String {
    match value {
        Json::String(text) if !text.is_empty() => code(text),
        other => code(&other.to_string()),
    }
}

fn code(text: &str) -> String {
    format!("`{text}`")
}

fn code_list<'a>(items: impl IntoIterator<Item = &'a str>) -> String {
    items.into_iter().map(code).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn committed() -> std::path::PathBuf {
        std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/kinds.md")
    }

    #[test]
    fn the_committed_page_is_that_of_the_schemas() {
        let page = reference(Registry::get());
        if std::env::var_os("REGENERATE").is_some() {
            std::fs::write(committed(), &page).unwrap();
        }
        let found = std::fs::read_to_string(committed()).unwrap().replace("\r\n", "\n");
        let differs = page.lines().zip(found.lines()).find(|(new, old)| new != old);
        assert!(page == found, "docs/kinds.md is out of date (run with REGENERATE=1): {differs:?}");
    }

    #[test]
    fn every_kind_and_every_member_is_named() {
        let page = reference(Registry::get());
        for spec in Registry::get().kinds() {
            assert!(page.contains(&format!("\n## {}\n", spec.name)), "{}", spec.name);
            for (name, _) in spec.fields.members() {
                assert!(page.contains(&format!("`{name}`")), "{}.{name}", spec.name);
            }
        }
    }

    #[test]
    fn every_row_has_four_cells() {
        let page = reference(Registry::get());
        for line in page.lines().filter(|line| line.starts_with('|')) {
            let bars = line.replace("\\|", "").matches('|').count();
            assert_eq!(bars, 5, "{line}");
        }
    }
}
