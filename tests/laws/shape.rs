//! The leaves of a schema, and the JSON Schema that stands behind each.

use serde_json::Value as Json;
use tenantry::schema::{FieldSpec, KindSpec, Registry, Shape};

/// A step in a pattern of leaves.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// A known member.
    Member(String),
    /// Any key.
    Key,
    /// Any item of a keyed list.
    Item,
}

/// What an edit at a leaf does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum LeafKind {
    /// Puts another value there.
    Value,
    /// Adds an item to a set or a keyed list.
    Item,
}

/// A field with the JSON Schemas that describe it, alternatives side by side.
#[derive(Clone)]
pub(crate) struct Node<'a> {
    pub(crate) field: &'a FieldSpec,
    pub(crate) json: Vec<&'a Json>,
    root: &'a Json,
}

/// A place that an edit of its own can change.
#[derive(Clone)]
pub(crate) struct Leaf {
    pub(crate) pattern: Vec<Step>,
    pub(crate) kind: LeafKind,
    /// Why no edit is expected to show: a rule of the schema.
    pub(crate) exempt: Option<&'static str>,
}

impl Leaf {
    pub(crate) fn name(&self) -> String {
        let mut out = String::new();
        for step in &self.pattern {
            match step {
                Step::Member(name) if out.is_empty() => out.push_str(name),
                Step::Member(name) => {
                    out.push('.');
                    out.push_str(name);
                }
                Step::Key => out.push_str(".*"),
                Step::Item => out.push_str("[]"),
            }
        }
        if self.kind == LeafKind::Item {
            out.push_str("[+]");
        }
        out
    }
}

impl<'a> Node<'a> {
    pub(crate) fn root(spec: &'a KindSpec) -> Node<'a> {
        let mut node = Node { field: &spec.fields, json: Vec::new(), root: &spec.json };
        node.json = node.expand(&spec.json);
        node
    }

    /// Follows `$ref` and takes alternatives apart.
    fn expand(&self, json: &'a Json) -> Vec<&'a Json> {
        let mut out = vec![json];
        if let Some(target) = json.get("$ref").and_then(Json::as_str).and_then(|r| self.root.pointer(&r[1..])) {
            out.extend(self.expand(target));
        }
        for word in ["oneOf", "anyOf", "allOf"] {
            for inner in json.get(word).and_then(Json::as_array).into_iter().flatten() {
                out.extend(self.expand(inner));
            }
        }
        for word in ["then", "else"] {
            if let Some(inner) = json.get(word) {
                out.extend(self.expand(inner));
            }
        }
        out
    }

    fn below(&self, field: &'a FieldSpec, found: Vec<&'a Json>) -> Node<'a> {
        let json = found.into_iter().flat_map(|json| self.expand(json)).collect();
        Node { field, json, root: self.root }
    }

    pub(crate) fn member(&self, name: &str) -> Option<Node<'a>> {
        let field = self.field.member(name)?;
        let found = self.json.iter().filter_map(|j| j.get("properties")?.get(name));
        let mut found: Vec<&Json> = found.collect();
        if found.is_empty() {
            found = self.json.iter().filter_map(|j| j.get("additionalProperties")).collect();
        }
        Some(self.below(field, found))
    }

    pub(crate) fn values(&self) -> Option<Node<'a>> {
        let field = match &self.field.shape {
            Shape::Map(values) => values,
            Shape::Record { rest: Some(rest), .. } => rest,
            _ => return None,
        };
        Some(self.below(field, self.json.iter().filter_map(|j| j.get("additionalProperties")).collect()))
    }

    pub(crate) fn item(&self) -> Option<Node<'a>> {
        let field = self.field.item()?;
        Some(self.below(field, self.json.iter().filter_map(|j| j.get("items")).collect()))
    }

    /// Returns the first of a keyword over the alternatives.
    pub(crate) fn keyword(&self, word: &str) -> Option<&'a Json> {
        self.json.iter().find_map(|j| j.get(word))
    }

    pub(crate) fn required(&self) -> Vec<&'a str> {
        let lists = self.json.iter().filter_map(|j| j.get("required")?.as_array());
        let mut out: Vec<&str> = lists.flatten().filter_map(Json::as_str).collect();
        out.extend(self.field.required_on_create.iter().map(String::as_str));
        out
    }
}

/// Says whether people write the member at all.
pub(crate) fn is_written(field: &FieldSpec) -> bool {
    !(field.read_only || field.skip || field.owned || field.alias.is_some())
}

/// Says whether a field refers to kinds that have no schema yet: what holds such a reference is left alone whole.
pub(crate) fn is_foreign(field: &FieldSpec) -> bool {
    let field = field.item().unwrap_or(field);
    !field.reference.is_empty() && field.reference.iter().all(|kind| Registry::get().kind(kind).is_none())
}

/// Lists every leaf of a kind that people write.
pub(crate) fn leaves(spec: &KindSpec) -> Vec<Leaf> {
    let mut out = Vec::new();
    walk(spec, &Node::root(spec), &[], None, &mut out);
    out
}

fn walk<'a>(spec: &KindSpec, node: &Node<'a>, pattern: &[Step], exempt: Option<&'static str>, out: &mut Vec<Leaf>) {
    let field = node.field;
    let top = match pattern {
        [Step::Member(name)] => Some(name),
        _ => None,
    };
    let exempt = match field {
        _ if exempt.is_some() => exempt,
        f if f.write_only => Some("no read returns it"),
        f if f.create_only => Some("set on create only"),
        f if f.immutable || f.fixed => Some("cannot be changed"),
        f if f.step.is_some() => Some("no body carries it"),
        f if f.in_path => Some("part of the path"),
        f if is_foreign(f) => Some("refers to a kind without a schema"),
        _ if top.is_some_and(|name| spec.identity.contains(name)) => Some("tells resources apart"),
        _ => None,
    };
    let with = |step: Step| {
        let mut steps = pattern.to_vec();
        steps.push(step);
        steps
    };
    let leaf = |kind: LeafKind| Leaf { pattern: pattern.to_vec(), kind, exempt };
    match &field.shape {
        Shape::Record { members, rest, .. } => {
            for (name, member) in members {
                if is_written(member)
                    && let Some(node) = node.member(name)
                {
                    walk(spec, &node, &with(Step::Member(name.clone())), exempt, out);
                }
            }
            if members.is_empty()
                && rest.is_some()
                && let Some(values) = node.values()
            {
                walk(spec, &values, &with(Step::Key), exempt, out);
            }
            if members.is_empty() && rest.is_none() {
                out.push(leaf(LeafKind::Value));
            }
        }
        Shape::Map(_) => {
            if let Some(values) = node.values() {
                walk(spec, &values, &with(Step::Key), exempt, out);
            }
        }
        Shape::List(_) if !field.key.is_empty() => {
            out.push(leaf(LeafKind::Item));
            if let Some(item) = node.item() {
                let mut found = Vec::new();
                walk(spec, &item, &with(Step::Item), exempt, &mut found);
                // Another key is another item.
                let is_key = |leaf: &Leaf| match leaf.pattern.last() {
                    Some(Step::Member(name)) => leaf.pattern.len() == pattern.len() + 2 && field.key.contains(name),
                    _ => false,
                };
                out.extend(found.into_iter().filter(|leaf| !is_key(leaf)));
            }
        }
        Shape::List(_) if field.set => out.push(leaf(LeafKind::Item)),
        Shape::List(_) | Shape::Scalar | Shape::Any => out.push(leaf(LeafKind::Value)),
    }
}
