//! YAML with the meaning js-yaml 4.3.2 gives it, and the place of every value.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::ops::Range;

use granit_parser::{ErrorKind, Event, Parser, ScalarStyle, ScanError, Span, StructureStyle, Tag};
use indexmap::IndexMap;

use super::MAX_DEPTH;
use super::hole::Source;
use super::json::number_text;
use super::node::{Format, Member, Node, NodeMap, NodeValue, Position, Style, Text};
use super::scalar;
use crate::model::Locus;
use crate::problem::Problem;

/// How many values aliases and merges of one file may repeat, together.
const MAX_REPEATED: usize = 200_000;

/// Builds the tree of one document; warnings come with it.
pub(crate) fn compose(source: &Source<'_>) -> Result<(Node, Vec<Problem>), Problem> {
    let mut composer = Composer {
        source,
        frames: Vec::new(),
        anchors: HashMap::new(),
        open_anchors: HashSet::new(),
        repeated: 0,
        root: None,
        warnings: Vec::new(),
    };
    let mut options = granit_parser::Options::default();
    options.set_emit_comments(false);
    options.emit_unresolved_aliases = true;
    options.flow_nesting_limit = MAX_DEPTH + 1;
    options.block_nesting_limit = MAX_DEPTH + 1;
    let mut documents = 0;
    for next in Parser::new_from_str_with_options(source.text, options) {
        let (event, span) = next.map_err(|error| composer.syntax(&error))?;
        if matches!(event, Event::DocumentStart(..)) {
            documents += 1;
            if documents > 1 {
                return Err(Problem::error(
                    "several-documents",
                    "a file holds one YAML document, this one has several",
                )
                .label(&composer.locus(&span), "a second document starts here")
                .help("split the file, or remove the `---` line"));
            }
        } else {
            composer.event(event, &span)?;
        }
    }
    let root = composer.root.unwrap_or_else(|| Node { locus: source.places.locus(0..0), value: NodeValue::Null });
    Ok((root, composer.warnings))
}

struct Composer<'s> {
    source: &'s Source<'s>,
    frames: Vec<Frame>,
    anchors: HashMap<usize, Anchored>,
    open_anchors: HashSet<usize>,
    repeated: usize,
    root: Option<Node>,
    warnings: Vec<Problem>,
}

/// A finished node that aliases may repeat.
struct Anchored {
    node: Node,
    size: usize,
    depth: usize,
}

/// A collection that is being read.
struct Frame {
    range: Range<usize>,
    is_flow: bool,
    anchor: usize,
    content: Content,
}

enum Content {
    Array(Vec<Node>),
    Object(Box<Members>),
}

#[derive(Default)]
struct Members {
    members: IndexMap<String, Member>,
    /// Keys that came by a merge: an explicit key may follow.
    overridable: HashSet<String>,
    pending: Option<Key>,
}

enum Key {
    Merge,
    Text(Text, Locus),
}

impl Composer<'_> {
    fn event(&mut self, event: Event<'_>, span: &Span) -> Result<(), Problem> {
        let mut range = span.byte_range().unwrap_or(0..0);
        if let Event::Scalar(_, ScalarStyle::Literal | ScalarStyle::Folded, ..) = event {
            // What follows a block scalar is found behind blank lines and indentation.
            let content = self.source.text.get(range.clone()).unwrap_or_default();
            range.end = range.start + content.trim_end().len();
        }
        match event {
            Event::Scalar(content, style, anchor, tag) => {
                let is_merge = content == "<<" && style == ScalarStyle::Plain && tag.is_none();
                let node = self.scalar(&content, style, tag.as_deref(), range.clone())?;
                self.anchor(anchor, &node);
                if is_merge && self.at_key() {
                    self.merge_key();
                    return Ok(());
                }
                self.place(node, range.end)
            }
            Event::SequenceStart(style, anchor, tag) => {
                self.tag_is(tag.as_ref(), "seq", span)?;
                self.open(range, style, anchor, Content::Array(Vec::new()))
            }
            Event::MappingStart(style, anchor, tag) => {
                self.tag_is(tag.as_ref(), "map", span)?;
                self.open(range, style, anchor, Content::Object(Box::default()))
            }
            Event::SequenceEnd | Event::MappingEnd => self.close(range.end),
            Event::Alias(id) => self.alias(id, range),
            Event::UnresolvedAlias(name) => Err(Problem::error(
                "yaml-syntax",
                format!("the alias `*{}` has no anchor before it", self.source.holes.restore(&name)),
            )
            .at(&self.locus(span))),
            _ => Ok(()),
        }
    }

    fn at_key(&self) -> bool {
        matches!(self.frames.last(), Some(Frame { content: Content::Object(map), .. }) if map.pending.is_none())
    }

    fn position(&self) -> Position {
        match self.frames.last() {
            None => Position::Root,
            Some(Frame { content: Content::Array(_), is_flow, .. }) => {
                if *is_flow {
                    Position::FlowItem
                } else {
                    Position::BlockItem
                }
            }
            Some(Frame { content: Content::Object(map), is_flow, .. }) => match (is_flow, map.pending.is_some()) {
                (true, true) => Position::FlowValue,
                (true, false) => Position::FlowKey,
                (false, true) => Position::BlockValue,
                (false, false) => Position::BlockKey,
            },
        }
    }

    fn scalar(
        &mut self,
        content: &str,
        style: ScalarStyle,
        tag: Option<&Tag>,
        range: Range<usize>,
    ) -> Result<Node, Problem> {
        let locus = self.source.places.locus(range.clone());
        let written = match style {
            ScalarStyle::Plain => Style::Plain,
            ScalarStyle::SingleQuoted => Style::Single,
            ScalarStyle::DoubleQuoted => Style::Double,
            _ => Style::Block,
        };
        let tag = match tag {
            None => None,
            Some(tag) if is_non_specific(tag) => Some("str"),
            Some(tag) => match tag.core_suffix() {
                Some(core @ ("str" | "int" | "float" | "bool" | "null")) => Some(core),
                _ => return Err(self.unknown_tag(tag, &locus)),
            },
        };
        if self.source.holes.any_in(content) {
            let raw = self.source.text.get(range).unwrap_or_default();
            let text = self.source.text(content, raw, (Format::Yaml, written, self.position()), tag);
            return Ok(Node { locus, value: NodeValue::Text(text) });
        }
        let value = match tag {
            None if written == Style::Plain => {
                if let Some(why) = scalar::disputed(content) {
                    self.warnings.push(
                        Problem::warning("ambiguous-scalar", format!("`{content}` is not read alike everywhere"))
                            .label(&locus, why)
                            .help("put it in quotes"),
                    );
                }
                scalar::resolve(content)
            }
            None | Some("str") => NodeValue::Text(Text::plain(content)),
            Some(tag) => match (tag, scalar::resolve(content)) {
                ("null", NodeValue::Null) => NodeValue::Null,
                ("bool", NodeValue::Bool(b)) => NodeValue::Bool(b),
                ("int", NodeValue::Number(n)) if !n.is_f64() && !content.contains(['.', 'e', 'E']) => {
                    NodeValue::Number(n)
                }
                ("float", NodeValue::Number(n)) => NodeValue::Number(n),
                _ => {
                    return Err(Problem::error(
                        "yaml-tag",
                        format!("`{content}` is not what its tag `!!{tag}` asks for"),
                    )
                    .at(&locus));
                }
            },
        };
        Ok(Node { locus, value })
    }

    fn tag_is(&self, tag: Option<&Cow<'_, Tag>>, core: &str, span: &Span) -> Result<(), Problem> {
        match tag {
            Some(tag) if !is_non_specific(tag) && tag.core_suffix() != Some(core) => {
                Err(self.unknown_tag(tag, &self.locus(span)))
            }
            _ => Ok(()),
        }
    }

    fn unknown_tag(&self, tag: &Tag, locus: &Locus) -> Problem {
        let written = format!("{}{}", tag.original_handle(), tag.suffix());
        let written = self.source.holes.restore(&written);
        Problem::error("yaml-tag", format!("the tag `{written}` cannot be used here"))
            .at(locus)
            .note("known are `!!str`, `!!int`, `!!float`, `!!bool`, `!!null`, `!!seq` and `!!map`, each on its own sort of value")
            .help("remove the tag; quote the value if it is to be text")
    }

    fn open(
        &mut self,
        range: Range<usize>,
        style: StructureStyle,
        anchor: usize,
        content: Content,
    ) -> Result<(), Problem> {
        if self.frames.len() >= MAX_DEPTH {
            return Err(too_deep(&self.source.places.locus(range)));
        }
        if anchor != 0 {
            self.open_anchors.insert(anchor);
        }
        self.frames.push(Frame { range, is_flow: style == StructureStyle::Flow, anchor, content });
        Ok(())
    }

    fn close(&mut self, end: usize) -> Result<(), Problem> {
        let Some(frame) = self.frames.pop() else { return Ok(()) };
        // The end of a block collection is noticed only at what follows it; its last child tells where it ended.
        let end = if frame.is_flow { end } else { frame.range.end };
        let locus = self.source.places.locus(frame.range.start..end);
        let value = match frame.content {
            Content::Array(items) => NodeValue::Array(items),
            Content::Object(map) => NodeValue::Object(NodeMap { members: map.members.into_values().collect() }),
        };
        let node = Node { locus, value };
        self.open_anchors.remove(&frame.anchor);
        self.anchor(frame.anchor, &node);
        self.place(node, end)
    }

    fn anchor(&mut self, id: usize, node: &Node) {
        if id != 0 {
            let (size, depth) = measure(node);
            self.anchors.insert(id, Anchored { node: node.clone(), size, depth });
        }
    }

    fn alias(&mut self, id: usize, range: Range<usize>) -> Result<(), Problem> {
        let locus = self.source.places.locus(range.clone());
        if self.open_anchors.contains(&id) {
            return Err(Problem::error("yaml-syntax", "an alias stands inside its own anchor").at(&locus));
        }
        let Some(anchored) = self.anchors.get(&id) else {
            return Err(Problem::error("yaml-syntax", "an alias has no anchor before it").at(&locus));
        };
        self.repeated = self.repeated.saturating_add(anchored.size);
        if self.repeated > MAX_REPEATED {
            return Err(Problem::error("alias-bomb", "aliases repeat too much of this file")
                .label(&locus, format!("more than {MAX_REPEATED} values from here on"))
                .help("write fewer aliases of aliases"));
        }
        if self.frames.len() + anchored.depth > MAX_DEPTH {
            return Err(too_deep(&locus));
        }
        let node = Node { locus, value: anchored.node.value.clone() };
        self.place(node, range.end)
    }

    fn merge_key(&mut self) {
        if let Some(Frame { content: Content::Object(map), .. }) = self.frames.last_mut() {
            map.pending = Some(Key::Merge);
        }
    }

    /// Puts a finished node into the collection around it.
    fn place(&mut self, node: Node, end: usize) -> Result<(), Problem> {
        let Some(frame) = self.frames.last_mut() else {
            self.root = Some(node);
            return Ok(());
        };
        frame.range.end = frame.range.end.max(end);
        match &mut frame.content {
            Content::Array(items) => items.push(node),
            Content::Object(map) => match map.pending.take() {
                None => map.pending = Some(key(node)?),
                Some(Key::Merge) => map.merge(node)?,
                Some(Key::Text(key, key_locus)) => map.add(Member { key, key_locus, value: node })?,
            },
        }
        Ok(())
    }

    fn locus(&self, span: &Span) -> Locus {
        self.source.places.locus(span.byte_range().unwrap_or(0..0))
    }

    fn syntax(&self, error: &ScanError) -> Problem {
        let at = error.marker().byte_offset().unwrap_or(self.source.text.len());
        let locus = self.source.places.locus(at..at);
        if matches!(error.kind(), ErrorKind::RecursionLimitExceeded) {
            return too_deep(&locus);
        }
        let what = self.source.holes.restore(&error.info());
        let problem = |locus: &Locus, help: &str| {
            Problem::error("yaml-syntax", format!("this is not YAML: {what}")).at(locus).help(help)
        };
        if what.starts_with("tabs disallowed") {
            // The parser names what follows the tab.
            let before = self.source.text.get(..at).unwrap_or_default();
            let tab = before.rfind('\t').filter(|tab| !before.get(*tab..).unwrap_or_default().contains('\n'));
            let locus = tab.map_or(locus, |tab| self.source.places.locus(tab..tab + 1));
            return problem(&locus, "indent with spaces");
        }
        if what.starts_with("mapping values") {
            return problem(
                &locus,
                "check the indentation of this line and the one before, or quote the text with the colon",
            );
        }
        Problem::error("yaml-syntax", format!("this is not YAML: {what}")).at(&locus)
    }
}

impl Members {
    fn add(&mut self, member: Member) -> Result<(), Problem> {
        let name = member.key.as_written();
        if let Some(first) = self.members.get(&name).filter(|_| !self.overridable.contains(&name)) {
            return Err(duplicate_key(&name, &member.key_locus, &first.key_locus));
        }
        self.overridable.remove(&name);
        self.members.insert(name, member);
        Ok(())
    }

    /// `<<: *defaults`, or a list of such: keys that stand here already win.
    fn merge(&mut self, from: Node) -> Result<(), Problem> {
        let refused = |locus: &Locus| {
            Problem::error("yaml-syntax", "only objects can be merged with `<<`")
                .at(locus)
                .help("give it an alias of an object, or a list of those")
        };
        let maps = match from.value {
            NodeValue::Object(map) => vec![map],
            NodeValue::Array(items) => items
                .into_iter()
                .map(|item| match item.value {
                    NodeValue::Object(map) => Ok(map),
                    _ => Err(refused(&item.locus)),
                })
                .collect::<Result<_, _>>()?,
            _ => return Err(refused(&from.locus)),
        };
        for member in maps.into_iter().flat_map(|map| map.members) {
            let name = member.key.as_written();
            if !self.members.contains_key(&name) {
                self.overridable.insert(name.clone());
                self.members.insert(name, member);
            }
        }
        Ok(())
    }
}

/// A key written twice.
pub(crate) fn duplicate_key(name: &str, second: &Locus, first: &Locus) -> Problem {
    Problem::error("duplicate-key", format!("the key `{name}` is written twice"))
        .label(second, "again here")
        .label(first, "first here")
        .help("keep one of them")
}

/// A file nested too deep.
pub(crate) fn too_deep(locus: &Locus) -> Problem {
    Problem::error("nested-too-deep", format!("lists and objects are nested more than {MAX_DEPTH} levels deep"))
        .at(locus)
}

/// Reads a node as a key.
fn key(node: Node) -> Result<Key, Problem> {
    let text = match node.value {
        NodeValue::Text(text) => text,
        NodeValue::Null => Text::plain("null"),
        NodeValue::Bool(b) => Text::plain(b.to_string()),
        NodeValue::Number(n) => Text::plain(number_text(&n)),
        NodeValue::Array(_) | NodeValue::Object(_) => {
            return Err(Problem::error("yaml-syntax", "a list or an object cannot be a key")
                .at(&node.locus)
                .help("quote it if it is text, or if a marker such as `{{ … }}` was meant"));
        }
    };
    Ok(Key::Text(text, node.locus))
}

fn is_non_specific(tag: &Tag) -> bool {
    tag.original_handle().len() + tag.suffix().len() == 1
}

/// Counts the values in a tree, and its levels.
fn measure(node: &Node) -> (usize, usize) {
    let below = |nodes: &mut dyn Iterator<Item = &Node>| {
        nodes.map(measure).fold((1, 0), |(size, depth), (s, d)| (size + s, depth.max(d)))
    };
    match &node.value {
        NodeValue::Array(items) => {
            let (size, depth) = below(&mut items.iter());
            (size, depth + 1)
        }
        NodeValue::Object(map) => {
            let (size, depth) = below(&mut map.iter().map(|member| &member.value));
            (size, depth + 1)
        }
        // Long texts weigh more: repeating them is what fills memory.
        NodeValue::Text(text) => (1 + text.as_str().map_or(0, str::len) / 256, 0),
        _ => (1, 0),
    }
}
