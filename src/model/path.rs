//! [`Path`]: a place inside a resource.

use std::fmt;

/// One step of a [`Path`].
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Segment {
    /// A member of an object.
    Key(String),
    /// An item of a list, 0-based.
    Index(usize),
    /// An item of a set or keyed list, by its value or key: `scope[read:orders]`.
    Item(String),
}

impl Segment {
    /// Returns the name of a member; `None` for an item.
    pub fn as_key(&self) -> Option<&str> {
        match self {
            Segment::Key(key) => Some(key),
            Segment::Index(_) | Segment::Item(_) => None,
        }
    }
}

/// A place inside a resource, from its root: `options.attributes.email`, `scopes[read:orders].description`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Path(pub Vec<Segment>);

impl Path {
    /// The resource itself.
    pub fn root() -> Self {
        Path::default()
    }

    /// Returns this path with one member step more.
    pub fn key(&self, key: &str) -> Self {
        self.with(Segment::Key(key.to_owned()))
    }

    /// Returns this path with one list step more, 0-based.
    pub fn index(&self, index: usize) -> Self {
        self.with(Segment::Index(index))
    }

    /// Returns this path with one set or keyed-list step more.
    pub fn item(&self, item: &str) -> Self {
        self.with(Segment::Item(item.to_owned()))
    }

    fn with(&self, segment: Segment) -> Self {
        let mut segments = self.0.clone();
        segments.push(segment);
        Path(segments)
    }

    /// Returns the first member name, where there is one.
    pub fn first_key(&self) -> Option<&str> {
        match self.0.first() {
            Some(Segment::Key(key)) => Some(key),
            _ => None,
        }
    }

    /// Returns the path one step up; `None` at the root.
    pub fn parent(&self) -> Option<Path> {
        let (_, init) = self.0.split_last()?;
        Some(Path(init.to_vec()))
    }

    /// Says whether this path is `other` or lies below it.
    pub fn starts_with(&self, other: &Path) -> bool {
        self.0.starts_with(&other.0)
    }

    /// Says whether this is the resource itself.
    pub fn is_root(&self) -> bool {
        self.0.is_empty()
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, segment) in self.0.iter().enumerate() {
            match segment {
                Segment::Key(key) if key.is_empty() || key.contains(['.', '[', ']', '"', ' ']) => {
                    write!(f, "[{key:?}]")?;
                }
                Segment::Key(key) if n == 0 => write!(f, "{key}")?,
                Segment::Key(key) => write!(f, ".{key}")?,
                Segment::Index(index) => write!(f, "[{index}]")?,
                Segment::Item(item) => write!(f, "[{item}]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_as_people_write_it() {
        let path = Path::root().key("options").key("a.b").index(2).key("x");
        assert_eq!(path.to_string(), r#"options["a.b"][2].x"#);
        assert_eq!(
            Path::root().key("scopes").item("read:orders").key("description").to_string(),
            "scopes[read:orders].description"
        );
    }
}
