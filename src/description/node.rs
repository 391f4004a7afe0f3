//! [`Node`]: what a file says, with the place of every value and key, before substitution.

use std::fmt;
use std::sync::Arc;

use serde_json::Number;

use crate::model::Locus;

/// The two formats a description is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// YAML, as js-yaml 4.3.2 reads it (the reader of auth0-deploy-cli).
    Yaml,
    /// JSON, as RFC 8259 has it.
    Json,
}

/// A value as written, and where.
#[derive(Debug, Clone, PartialEq)]
pub struct Node {
    /// Place of the value. For a value reached through a YAML alias, the place of the alias; for a block scalar, its first line of
    /// text, without the `|`.
    pub locus: Locus,
    /// The value.
    pub value: NodeValue,
}

/// What stands at a place.
#[derive(Debug, Clone, PartialEq)]
pub enum NodeValue {
    /// `null`, `~`, or nothing.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A number; integers are exact, `1.0` is the integer 1.
    Number(Number),
    /// Text, or a scalar with markers or expressions whose value is not known yet.
    Text(Text),
    /// A list.
    Array(Vec<Node>),
    /// An object.
    Object(NodeMap),
}

/// Members of an object, in the order written.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct NodeMap {
    /// The members; no two keys are written alike.
    pub members: Vec<Member>,
}

/// A key with its value.
#[derive(Debug, Clone, PartialEq)]
pub struct Member {
    /// The key.
    pub key: Text,
    /// Place of the key.
    pub key_locus: Locus,
    /// The value.
    pub value: Node,
}

/// Text, with the markers and expressions in it.
#[derive(Debug, Clone, PartialEq)]
pub struct Text {
    /// The content, escapes resolved. Neighbouring parts are never both [`Part::Plain`].
    pub parts: Vec<Part>,
    /// How the scalar was written; `None` where nothing has to be filled in.
    pub written: Option<Arc<Written>>,
}

/// A part of a [`Text`].
#[derive(Clone, PartialEq)]
pub enum Part {
    /// Characters that stand for themselves.
    Plain(String),
    /// `##NAME##` or `@@NAME@@`.
    Marker(Marker),
    /// `${{ … }}`.
    Expression(Expression),
}

impl fmt::Debug for Part {
    /// Without characters that stand for themselves: somebody may have written a secret there.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Plain(text) => write!(f, "Plain({} bytes)", text.len()),
            Part::Marker(marker) => marker.fmt(f),
            Part::Expression(expression) => expression.fmt(f),
        }
    }
}

/// The two sorts of markers of auth0-deploy-cli.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Sigil {
    /// `@@NAME@@`: the value as JSON.
    Json,
    /// `##NAME##`: the value as text.
    Text,
}

/// `##NAME##` or `@@NAME@@` in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Marker {
    /// Which of the two.
    pub sigil: Sigil,
    /// The name between the signs.
    pub name: String,
    /// The marker as written, with the pair of quotes that `@@` takes with it.
    pub written: String,
    /// Place of the marker, without those quotes.
    pub locus: Locus,
}

/// `${{ … }}` in a file.
#[derive(Debug, Clone, PartialEq)]
pub struct Expression {
    /// What stands between the braces, escapes of the scalar around it resolved.
    pub source: String,
    /// The whole as written.
    pub written: String,
    /// Place of the whole.
    pub locus: Locus,
}

/// How a scalar is quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// Not at all; in JSON a bare word that a marker is part of.
    Plain,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `|` or `>`
    Block,
}

/// Where in the structure a scalar stands: a bare marker means something else in each.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Position {
    /// The whole document.
    Root,
    /// Behind `key:` in block notation.
    BlockValue,
    /// Behind `- `.
    BlockItem,
    /// An item of `[ … ]`.
    FlowItem,
    /// A value of `{ … }`.
    FlowValue,
    /// A key in block notation.
    BlockKey,
    /// A key of `{ … }`.
    FlowKey,
}

/// How a scalar with markers or expressions stands in its file.
#[derive(Debug, Clone, PartialEq)]
pub struct Written {
    /// Format of the file.
    pub format: Format,
    /// How it is quoted.
    pub style: Style,
    /// Where it stands.
    pub position: Position,
    /// An explicit YAML tag: `!!str`.
    pub tag: Option<String>,
    /// The scalar as written, quotes and escapes included; empty for block scalars.
    pub raw: Vec<Part>,
}

impl Node {
    /// Returns the text, if it is text without markers and expressions.
    pub fn as_str(&self) -> Option<&str> {
        match &self.value {
            NodeValue::Text(text) => text.as_str(),
            _ => None,
        }
    }

    /// Returns the items of a list.
    pub fn as_array(&self) -> Option<&[Node]> {
        match &self.value {
            NodeValue::Array(items) => Some(items),
            _ => None,
        }
    }

    /// Returns the members of an object.
    pub fn as_object(&self) -> Option<&NodeMap> {
        match &self.value {
            NodeValue::Object(map) => Some(map),
            _ => None,
        }
    }

    /// Returns the value of a member whose key is written so.
    pub fn get(&self, key: &str) -> Option<&Node> {
        self.as_object()?.get(key).map(|member| &member.value)
    }

    /// Says whether nothing is written here.
    pub fn is_null(&self) -> bool {
        self.value == NodeValue::Null
    }

    /// Names the sort of value, for messages: `a list`.
    pub fn sort(&self) -> &'static str {
        match &self.value {
            NodeValue::Null => "null",
            NodeValue::Bool(_) => "true or false",
            NodeValue::Number(_) => "a number",
            NodeValue::Text(_) => "text",
            NodeValue::Array(_) => "a list",
            NodeValue::Object(_) => "an object",
        }
    }
}

impl NodeMap {
    /// Returns a member whose key is written so.
    pub fn get(&self, key: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.key.as_str() == Some(key))
    }

    /// Returns the members, in the order written.
    pub fn iter(&self) -> impl Iterator<Item = &Member> {
        self.members.iter()
    }
}

impl Text {
    /// Text that stands for itself.
    pub fn plain(text: impl Into<String>) -> Self {
        let text = text.into();
        Text { parts: if text.is_empty() { Vec::new() } else { vec![Part::Plain(text)] }, written: None }
    }

    /// Returns the text, if there is nothing to fill in.
    pub fn as_str(&self) -> Option<&str> {
        match self.parts.as_slice() {
            [] => Some(""),
            [Part::Plain(text)] => Some(text),
            _ => None,
        }
    }

    /// Returns the text with markers and expressions as written.
    pub fn as_written(&self) -> String {
        self.parts
            .iter()
            .map(|part| match part {
                Part::Plain(text) => text.as_str(),
                Part::Marker(marker) => &marker.written,
                Part::Expression(expression) => &expression.written,
            })
            .collect()
    }

    /// Returns the markers in it.
    pub fn markers(&self) -> impl Iterator<Item = &Marker> {
        self.parts.iter().filter_map(|part| match part {
            Part::Marker(marker) => Some(marker),
            _ => None,
        })
    }
}

impl Marker {
    /// Returns the marker without quotes: `##NAME##`.
    pub fn bare(&self) -> String {
        match self.sigil {
            Sigil::Json => format!("@@{}@@", self.name),
            Sigil::Text => format!("##{}##", self.name),
        }
    }
}
