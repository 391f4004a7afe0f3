#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, clippy::print_stderr)]
//! Random files, random changes: a change is made, nothing else is, and comments stay.

use std::fmt::Write as _;

use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::TestRunner;
use serde_json::{Value as Json, json};

use super::Why;
use super::document::Document;
use super::meaning::{Meaning, Op, Step};
use crate::description::{Format, KnownNames};
use crate::model::Value;

/// A value with the way it is written.
#[derive(Debug, Clone)]
enum Written {
    Scalar(&'static str),
    Block { folded: bool, lines: Vec<&'static str> },
    List { flow: u8, items: Vec<Written> },
    Object { flow: u8, members: Vec<Written> },
}

const SCALARS: [&str; 19] = [
    "",
    "word",
    "two words",
    "'single'",
    "'it''s'",
    "\"double\"",
    "\"a\\nb\"",
    "1",
    "-2.5",
    "true",
    "null",
    "~",
    "##X##",
    "\"##X##/y\"",
    "@@Y@@",
    "${{ vars.x }}",
    "\"é 🙂\"",
    "https://a.example/b?c=d",
    "x-y_z",
];
const LINES: [&str; 6] = ["line", "a: b", "# no comment", "- x", "  deeper", "'q'"];
const KEYS: [&str; 6] = ["a", "bc", "'d e'", "\"f\"", "1", "g-h"];
const TEXTS: [&str; 16] = [
    "new",
    "",
    " lead",
    "trail ",
    "a: b",
    "x # y",
    "- z",
    "##X##",
    "@@Y@@ and ##Z##",
    "${{ x }}",
    "one\ntwo\n",
    "\n\nthree",
    "it's \"both\"",
    "é\u{2028}🙂",
    "\ttab",
    "null",
];

fn written() -> impl Strategy<Value = Written> {
    let leaf = prop_oneof![
        4 => prop::sample::select(&SCALARS[..]).prop_map(Written::Scalar),
        1 => (any::<bool>(), prop::collection::vec(prop::sample::select(&LINES[..]), 1..4)).prop_map(|(folded, mut lines)| {
            lines.insert(0, "first");
            Written::Block { folded, lines }
        }),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            (0..6u8, prop::collection::vec(inner.clone(), 0..4))
                .prop_map(|(flow, items)| Written::List { flow, items }),
            (0..6u8, prop::collection::vec(inner, 0..5)).prop_map(|(flow, members)| Written::Object { flow, members }),
        ]
    })
}

fn any_json() -> impl Strategy<Value = Json> {
    let leaf = prop_oneof![
        Just(Json::Null),
        any::<bool>().prop_map(Json::from),
        (-99..99i32).prop_map(Json::from),
        prop::sample::select(&TEXTS[..]).prop_map(Json::from),
        "\\PC{0,8}".prop_map(Json::from),
    ];
    leaf.prop_recursive(3, 8, 3, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..3).prop_map(Json::from),
            prop::collection::btree_map("[a-z #:]{1,4}", inner, 0..3).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

/// Writes YAML with a numbered comment wherever one can stand.
struct Printer {
    out: String,
    comments: usize,
    indent: usize,
}

impl Printer {
    fn comment(&mut self) {
        if self.comments % 3 != 2 {
            let _ = write!(self.out, " # c{}", self.comments);
        }
        self.comments += 1;
    }

    fn own_line(&mut self, indent: usize) {
        if self.comments % 4 == 1 {
            let _ = writeln!(self.out, "{}# c{}", " ".repeat(indent), self.comments);
        }
        if self.comments % 7 == 3 {
            self.out.push('\n');
        }
        self.comments += 1;
    }

    /// Writes a value behind its key or dash, to the end of its last line.
    fn value(&mut self, value: &Written, indent: usize, is_member: bool) {
        match value {
            Written::Scalar(text) => {
                if !text.is_empty() {
                    self.out.push(' ');
                }
                self.out.push_str(text);
                self.comment();
                self.out.push('\n');
            }
            Written::Block { folded, lines } => {
                self.out.push_str(if *folded { " >-" } else { " |" });
                self.comment();
                self.out.push('\n');
                for line in lines {
                    let _ = writeln!(self.out, "{}{line}", " ".repeat(indent + self.indent));
                }
            }
            Written::List { flow, items } if *flow < 2 || items.is_empty() => self.flow(value, *flow, indent),
            Written::Object { flow, members } if *flow < 2 || members.is_empty() => self.flow(value, *flow, indent),
            Written::List { .. } | Written::Object { .. } => {
                self.comment();
                self.out.push('\n');
                // A list may stand right below its key.
                let is_flush = self.comments.is_multiple_of(2) && matches!(value, Written::List { .. }) && is_member;
                self.block(value, if is_flush { indent } else { indent + self.indent });
            }
        }
    }

    fn flow(&mut self, value: &Written, flow: u8, indent: usize) {
        self.out.push(' ');
        self.brackets(value, flow == 1, indent + self.indent);
        self.comment();
        self.out.push('\n');
    }

    fn brackets(&mut self, value: &Written, tall: bool, indent: usize) {
        let parts: Vec<(String, &Written)> = match value {
            Written::Scalar(text) => {
                self.out.push_str(if text.is_empty() { "null" } else { text });
                return;
            }
            Written::Block { .. } => {
                self.out.push_str("'block'");
                return;
            }
            Written::List { items, .. } => items.iter().map(|item| (String::new(), item)).collect(),
            Written::Object { members, .. } => {
                members.iter().enumerate().map(|(n, member)| (format!("{}: ", KEYS[n]), member)).collect()
            }
        };
        let is_list = matches!(value, Written::List { .. });
        self.out.push(if is_list { '[' } else { '{' });
        let count = parts.len();
        for (n, (key, part)) in parts.into_iter().enumerate() {
            if tall {
                let _ = write!(self.out, "\n{}", " ".repeat(indent));
            } else if n > 0 {
                self.out.push(' ');
            }
            self.out.push_str(&key);
            self.brackets(part, false, indent);
            if n + 1 < count {
                self.out.push(',');
            }
            if tall {
                self.comment();
            }
        }
        if tall && count > 0 {
            let _ = write!(self.out, "\n{}", " ".repeat(indent - 1));
        }
        self.out.push(if is_list { ']' } else { '}' });
    }

    fn block(&mut self, value: &Written, indent: usize) {
        match value {
            Written::List { items, .. } => {
                for item in items {
                    self.own_line(indent);
                    let _ = write!(self.out, "{}-", " ".repeat(indent));
                    self.value(item, indent, false);
                }
            }
            Written::Object { members, .. } => {
                for (n, member) in members.iter().enumerate() {
                    self.own_line(indent);
                    let _ = write!(self.out, "{}{}:", " ".repeat(indent), KEYS[n]);
                    self.value(member, indent, true);
                }
            }
            _ => {}
        }
    }
}

fn yaml(value: &Written, indent: usize) -> Option<String> {
    let mut printer = Printer { out: String::new(), comments: 0, indent };
    let is_empty = match value {
        Written::List { items, .. } => items.is_empty(),
        Written::Object { members, .. } => members.is_empty(),
        _ => true,
    };
    if is_empty {
        return None;
    }
    printer.block(value, 0);
    Some(printer.out)
}

/// Collects the ways to every value.
fn places(meaning: &Meaning, here: &mut Vec<Step>, into: &mut Vec<Vec<Step>>) {
    into.push(here.clone());
    let mut inner = |step: Step, value: &Meaning| {
        here.push(step);
        places(value, here, into);
        here.pop();
    };
    match meaning {
        Meaning::List(items) => items.iter().enumerate().for_each(|(n, item)| inner(Step::Index(n), item)),
        Meaning::Object(map) => map.iter().for_each(|(key, value)| inner(Step::Key(key.clone()), value)),
        _ => {}
    }
}

fn op(meaning: &Meaning, which: usize, how: u8, value: &Json) -> Op {
    let mut all = Vec::new();
    places(meaning, &mut Vec::new(), &mut all);
    let at = all[which % all.len()].clone();
    let value = Value::from_json(value);
    match (how, meaning.at(&at)) {
        (0, Some(Meaning::List(_))) => Op::Add(at, None, value),
        (0, Some(Meaning::Object(_))) => Op::Add(at, Some("new key".to_owned()), value),
        (1, _) if !at.is_empty() => Op::Remove(at),
        _ if at.is_empty() => match meaning {
            Meaning::List(_) => Op::Add(at, None, value),
            _ => Op::Add(at, Some("new".to_owned()), value),
        },
        _ => Op::Set(at, value),
    }
}

fn comments(text: &str) -> Vec<String> {
    let pattern = regex::Regex::new(r"# c\d+").unwrap();
    pattern.find_iter(text).map(|found| found.as_str().to_owned()).collect()
}

/// Makes a change, and demands that it is made or nothing is; says whether it was refused.
fn check(format: Format, text: &str, which: usize, how: u8, value: &Json) -> Result<bool, TestCaseError> {
    let names = KnownNames::from_iter(["X", "Y", "Z"]);
    let Ok(mut document) = Document::read("t", text.as_bytes(), format, Some(&names)) else {
        return Err(TestCaseError::fail(format!("no document:\n{text}")));
    };
    let before = Meaning::of(&document.node);
    let op = op(&before, which, how, value);
    let made = document.apply(&op);
    if made == Err(Why::Refused) {
        // An odd form that no editor keeps: then nothing may have happened to it.
        prop_assert_eq!(&document.text, text, "{:?}", op);
        return Ok(true);
    }
    prop_assert_eq!(&made, &Ok::<(), Why>(()), "{:?}\n{}", op, text);
    let mut wanted = before;
    wanted.change(&op).unwrap();
    let again = Document::read("t", document.text.as_bytes(), format, Some(&names)).unwrap();
    prop_assert!(Meaning::of(&again.node).same(&wanted), "{:?}\n{}\n{}", op, text, document.text);
    prop_assert_eq!(text.ends_with('\n'), document.text.ends_with('\n'), "{:?}\n{}\n{}", op, text, document.text);
    if let Op::Add(..) = op {
        prop_assert_eq!(comments(text).len(), comments(&document.text).len(), "{:?}\n{}\n{}", op, text, document.text);
        let kept = text.lines().filter(|line| document.text.lines().any(|other| other == *line)).count();
        prop_assert!(kept + 3 >= text.lines().count(), "{:?}\n{}\n{}", op, text, document.text);
    }
    Ok(false)
}

/// Most changes of a thousand that may be refused. What remains: anchors, and comments that would have no place.
const MOST_REFUSED: usize = 10;

#[test]
fn few_changes_are_refused() {
    let mut runner = TestRunner::deterministic();
    let strategy = (written(), 1..5usize, any::<bool>(), any::<prop::sample::Index>(), 0..3u8, any_json());
    let (mut all, mut refused) = (0, Vec::new());
    while all < 3000 {
        let (file, indent, crlf, which, how, value) = strategy.new_tree(&mut runner).unwrap().current();
        let Some(text) = yaml(&file, indent) else { continue };
        let text = if crlf { text.replace('\n', "\r\n") } else { text };
        all += 1;
        if check(Format::Yaml, &text, which.index(1000), how, &value).unwrap() {
            let names = KnownNames::from_iter(["X", "Y", "Z"]);
            let before = Meaning::of(&Document::read("t", text.as_bytes(), Format::Yaml, Some(&names)).unwrap().node);
            refused.push(format!("{:?}\n{text}", self::op(&before, which.index(1000), how, &value)));
        }
    }
    eprintln!("refused: {} of {all}", refused.len());
    let most = all * MOST_REFUSED / 1000;
    assert!(refused.len() <= most, "{} of {all}:\n{}", refused.len(), refused.join("\n----\n"));
}

/// Forms that people write every day.
const COMMON: &str = r###"# At the top
base: &base                # an anchor
  one: 1
  two: [x, "y", 'z']
merged:
  <<: *base
  three: "##X##/y"
alias: *base
list: &list
  - plain
  # between items
  - 'single' # behind
  - "double"

  - key: value
    other: ${{ vars.x }}
  - - nested
    - list
same: *list
flow: {a: 1, b: {c: [], d: {}}, "e": 'f'}
tall: [
  1, # behind the first
  2,
]
block: |
  lines
    deeper
folded: >-
  many
  words
kept: |+
  end

empty:
nothing: ~
last:
- flush
- items: {a: b}
"###;

/// What others use by an alias is left, and so is an alias of what holds markers: with that reason.
/// Every value of every common form is set to a scalar, a text of lines, a list and an object, is removed, and gets something new.
#[test]
fn changes_of_common_forms_are_never_refused() {
    let names = KnownNames::from_iter(["X", "Y", "Z"]);
    let values = [
        json!("new"),
        json!("a: b # c"),
        json!("one\ntwo\n"),
        json!(7),
        json!(null),
        json!([]),
        json!(["x", {"y": 1}]),
        json!({"k": {"l": []}}),
    ];
    let pretty = json!({"a": [1, {"b": "c"}, []], "d": {}, "e": {"f": "##X##", "g": null}});
    let texts = [
        (Format::Yaml, COMMON.to_owned()),
        (Format::Yaml, COMMON.replace('\n', "\r\n")),
        (Format::Yaml, format!("\u{feff}{}", COMMON.trim_end())),
        (Format::Json, serde_json::to_string_pretty(&pretty).unwrap()),
        (Format::Json, serde_json::to_string(&pretty).unwrap()),
        (Format::Json, serde_json::to_string_pretty(&pretty).unwrap().replace("  ", "\t")),
    ];
    let (mut all, mut refused) = (0, Vec::new());
    for (format, text) in &texts {
        let before = Document::read("t", text.as_bytes(), *format, Some(&names)).unwrap();
        let meaning = Meaning::of(&before.node);
        let mut at = Vec::new();
        places(&meaning, &mut Vec::new(), &mut at);
        for at in at {
            let mut ops = if at.is_empty() { Vec::new() } else { vec![Op::Remove(at.clone())] };
            for value in values.iter().map(Value::from_json) {
                match meaning.at(&at).unwrap() {
                    Meaning::List(_) => ops.push(Op::Add(at.clone(), None, value.clone())),
                    Meaning::Object(_) => ops.push(Op::Add(at.clone(), Some("new".to_owned()), value.clone())),
                    _ => {}
                }
                if !at.is_empty() {
                    ops.push(Op::Set(at.clone(), value));
                }
            }
            for op in ops {
                all += 1;
                let mut document = before.clone();
                if document.apply(&op) == Err(Why::Refused) {
                    refused.push(format!("{op:?} of {format:?}"));
                }
            }
        }
    }
    eprintln!("refused: {} of {all}", refused.len());
    assert!(refused.is_empty(), "{} of {all}:\n{}", refused.len(), refused.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, cases: 300, ..ProptestConfig::default() })]

    #[test]
    fn yaml_says_what_was_meant(
        file in written(), indent in 1..5usize, crlf in any::<bool>(),
        which in any::<prop::sample::Index>(), how in 0..3u8, value in any_json(),
    ) {
        let Some(text) = yaml(&file, indent) else { return Ok(()) };
        let text = if crlf { text.replace('\n', "\r\n") } else { text };
        check(Format::Yaml, &text, which.index(1000), how, &value)?;
    }

    #[test]
    fn json_says_what_was_meant(
        file in any_json(), tall in any::<bool>(), which in any::<prop::sample::Index>(), how in 0..3u8, value in any_json(),
    ) {
        if !file.is_array() && !file.is_object() {
            return Ok(());
        }
        let text = if tall { serde_json::to_string_pretty(&file).unwrap() } else { file.to_string() };
        let text = text.replace("##", "#_").replace("@@", "@_").replace("${{", "{{");
        let refused = check(Format::Json, &text, which.index(1000), how, &value)?;
        prop_assert!(!refused, "JSON can always be changed: {}", text);
    }
}
