//! How the contract files write a type.
//!
//! ```text
//! string 1..140 url match "^a" ?     length, format, pattern; `?` admits null
//! integer 0..100    number 0.5..     boolean    null    any    object 1..10
//! enum(native, spa, "with, comma")   one of these values
//! list(string 1..) ..20 unique       items; how many; none twice
//! map(string ..255) ..10             any member names, values of this type, how many
//! one(A, string)                     a union
//! Name                               a type of this file
//! ```
//!
//! A mapping is an object without further members than those it names, `!` after a name makes it required.
//! `(rest): TYPE` admits further members, `(size): 1..` limits their number, `(null): yes` admits null.

use indexmap::IndexMap;
use regex::Regex;
use serde_json::Value;

/// What a value may be.
#[derive(Debug, Clone)]
pub struct Type {
    /// Its shape, null aside.
    pub shape: Shape,
    /// Whether null is admitted too.
    pub nullable: bool,
}

/// Shape of a value.
#[derive(Debug, Clone)]
pub enum Shape {
    /// Anything.
    Any,
    /// Null alone.
    Null,
    /// true or false.
    Boolean,
    /// A whole number.
    Integer(Limits),
    /// A number.
    Number(Limits),
    /// Text.
    Text {
        /// Length in characters.
        length: Limits,
        /// Name of a format.
        format: Option<String>,
        /// Regular expression.
        pattern: Option<Regex>,
    },
    /// One of these values.
    Enum(Vec<Value>),
    /// An array.
    List {
        /// Type of each item.
        item: Box<Type>,
        /// How many items.
        size: Limits,
        /// Whether equal items are refused.
        unique: bool,
    },
    /// An object.
    Object {
        /// Members by name.
        members: IndexMap<String, Member>,
        /// Type of further members; `None` refuses them.
        rest: Option<Box<Type>>,
        /// How many members.
        size: Limits,
    },
    /// Any of these types.
    One(Vec<Type>),
    /// A type of the same file.
    Named(String),
}

/// A member of an object.
#[derive(Debug, Clone)]
pub struct Member {
    /// What it may be.
    pub shape: Type,
    /// Whether it must be there.
    pub required: bool,
}

/// Inclusive limits; `None` is open.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Limits {
    /// Least.
    pub least: Option<f64>,
    /// Most.
    pub most: Option<f64>,
}

impl Type {
    /// Collects the names of the types this one refers to.
    pub fn names(&self, out: &mut Vec<String>) {
        match &self.shape {
            Shape::Named(name) => out.push(name.clone()),
            Shape::List { item, .. } => item.names(out),
            Shape::One(types) => types.iter().for_each(|one| one.names(out)),
            Shape::Object { members, rest, .. } => {
                members.values().for_each(|member| member.shape.names(out));
                rest.iter().for_each(|rest| rest.names(out));
            }
            _ => {}
        }
    }
}

/// Reads a type from a contract file.
///
/// # Errors
/// A sentence that says what is not understood.
pub fn read(written: &Value) -> Result<Type, String> {
    match written {
        Value::Null => Ok(Type { shape: Shape::Null, nullable: true }),
        Value::String(text) => {
            let mut reader = Reader { rest: text };
            let read = reader.read_type()?;
            if reader.skip().is_empty() { Ok(read) } else { Err(format!("`{}` is left over", reader.rest)) }
        }
        Value::Object(entries) => {
            let mut members = IndexMap::new();
            let (mut rest, mut size, mut nullable) = (None, Limits::default(), false);
            for (name, value) in entries {
                match name.as_str() {
                    "(null)" => nullable = true,
                    "(size)" => {
                        size = value.as_str().and_then(limits).ok_or_else(|| format!("{value} is no size"))?;
                    }
                    "(rest)" => rest = Some(Box::new(read(value)?)),
                    _ => {
                        let shape = read(value).map_err(|error| format!("{name}: {error}"))?;
                        let required = name.ends_with('!');
                        members.insert(name.trim_end_matches('!').to_owned(), Member { shape, required });
                    }
                }
            }
            Ok(Type { shape: Shape::Object { members, rest, size }, nullable })
        }
        other => Err(format!("{other} is no type")),
    }
}

struct Reader<'a> {
    rest: &'a str,
}

impl<'a> Reader<'a> {
    fn skip(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        self.rest
    }

    /// Takes a word: up to a blank, comma or parenthesis.
    fn word(&mut self) -> &'a str {
        let text = self.skip();
        let end = text.find(|c: char| c.is_whitespace() || "(),".contains(c)).unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.rest = rest;
        word
    }

    fn eat(&mut self, c: char) -> bool {
        match self.skip().strip_prefix(c) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn expect(&mut self, c: char) -> Result<(), String> {
        if self.eat(c) { Ok(()) } else { Err(format!("expected `{c}` before `{}`", self.rest)) }
    }

    /// Takes a JSON string.
    fn quoted(&mut self) -> Result<String, String> {
        let text = self.skip();
        let mut escaped = false;
        for (at, c) in text.char_indices().skip(1) {
            match c {
                _ if escaped => escaped = false,
                '\\' => escaped = true,
                '"' => {
                    let (token, rest) = text.split_at(at + 1);
                    self.rest = rest;
                    return serde_json::from_str(token).map_err(|error| format!("{token}: {error}"));
                }
                _ => {}
            }
        }
        Err(format!("unfinished text {text}"))
    }

    fn listed<T>(&mut self, mut one: impl FnMut(&mut Self) -> Result<T, String>) -> Result<Vec<T>, String> {
        self.expect('(')?;
        let mut out = vec![one(self)?];
        while self.eat(',') {
            out.push(one(self)?);
        }
        self.expect(')')?;
        Ok(out)
    }

    fn read_type(&mut self) -> Result<Type, String> {
        let word = self.word();
        let mut shape = match word {
            "any" => Shape::Any,
            "null" => Shape::Null,
            "boolean" => Shape::Boolean,
            "integer" => Shape::Integer(Limits::default()),
            "number" => Shape::Number(Limits::default()),
            "string" => Shape::Text { length: Limits::default(), format: None, pattern: None },
            "object" => open_object(Type { shape: Shape::Any, nullable: true }),
            "enum" => Shape::Enum(self.listed(Self::value)?),
            "one" => Shape::One(self.listed(Self::read_type)?),
            "list" => {
                self.expect('(')?;
                let item = Box::new(self.read_type()?);
                self.expect(')')?;
                Shape::List { item, size: Limits::default(), unique: false }
            }
            "map" => {
                self.expect('(')?;
                let value = self.read_type()?;
                self.expect(')')?;
                open_object(value)
            }
            name if name.starts_with(|c: char| c.is_ascii_uppercase()) => Shape::Named(name.to_owned()),
            other => return Err(format!("`{other}` is no type")),
        };
        let mut nullable = matches!(shape, Shape::Any | Shape::Null);
        while !matches!(self.skip().chars().next(), None | Some(',' | ')')) {
            let word = self.word();
            if word == "?" {
                nullable = true;
            } else {
                self.constraint(&mut shape, word)?;
            }
        }
        Ok(Type { shape, nullable })
    }

    fn constraint(&mut self, shape: &mut Shape, word: &str) -> Result<(), String> {
        match (shape, word, limits(word)) {
            (
                Shape::Text { length: at, .. }
                | Shape::Integer(at)
                | Shape::Number(at)
                | Shape::List { size: at, .. }
                | Shape::Object { size: at, .. },
                _,
                Some(given),
            ) => *at = given,
            (Shape::List { unique, .. }, "unique", _) => *unique = true,
            (Shape::Text { pattern, .. }, "match", _) => {
                let text = self.quoted()?;
                *pattern = Some(Regex::new(&text).map_err(|error| error.to_string())?);
            }
            (Shape::Text { format, .. }, name, _) if !name.is_empty() => *format = Some(name.to_owned()),
            _ => return Err(format!("`{word}` does not go here")),
        }
        Ok(())
    }

    fn value(&mut self) -> Result<Value, String> {
        if self.skip().starts_with('"') {
            return self.quoted().map(Value::String);
        }
        let word = self.word();
        if word.is_empty() {
            return Err("expected a value".to_owned());
        }
        Ok(serde_json::from_str(word).unwrap_or_else(|_| Value::String(word.to_owned())))
    }
}

fn open_object(value: Type) -> Shape {
    Shape::Object { members: IndexMap::new(), rest: Some(Box::new(value)), size: Limits::default() }
}

fn limits(text: &str) -> Option<Limits> {
    let (least, most) = text.split_once("..")?;
    let side = |text: &str| match text {
        "" => Some(None),
        number => number.parse().ok().map(Some),
    };
    Some(Limits { least: side(least)?, most: side(most)? })
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use serde_json::json;

    #[test]
    fn text_carries_length_format_pattern_and_null() {
        let read = read(&json!("string 1..140 url match \"^a, \\\"b\\\"$\" ?")).unwrap();
        assert!(read.nullable);
        let Shape::Text { length, format, pattern } = read.shape else { panic!("no text") };
        assert_eq!(length, Limits { least: Some(1.0), most: Some(140.0) });
        assert_eq!(format.as_deref(), Some("url"));
        assert_eq!(pattern.unwrap().as_str(), "^a, \"b\"$");
    }

    #[test]
    fn lists_unions_and_enums_nest() {
        let read = read(&json!("one(list(enum(a, \"b, c\", true, 1)) 1..2 unique, Name, map(string ?) ..3)")).unwrap();
        let Shape::One(types) = &read.shape else { panic!("no union") };
        assert_eq!(types.len(), 3);
        let Shape::List { item, unique: true, .. } = &types[0].shape else { panic!("no list") };
        let Shape::Enum(values) = &item.shape else { panic!("no enum") };
        assert_eq!(*values, [json!("a"), json!("b, c"), json!(true), json!(1)]);
        let mut names = Vec::new();
        read.names(&mut names);
        assert_eq!(names, ["Name"]);
    }

    #[test]
    fn mappings_are_closed_unless_they_say_otherwise() {
        let closed = read(&json!({"a!": "string", "b": {"(null)": "yes", "(rest)": "any"}})).unwrap();
        let Shape::Object { members, rest: None, .. } = closed.shape else { panic!("open") };
        assert!(members["a"].required && !members["b"].required);
        assert!(members["b"].shape.nullable);
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", "strin", "list(", "list(string", "enum()", "boolean 1..2", "string ) x", "string match \"(\""]
        {
            assert!(read(&json!(text)).is_err(), "{text}");
        }
        assert!(read(&json!(3)).is_err());
        assert!(read(&json!({"(size)": "many"})).is_err());
    }
}
