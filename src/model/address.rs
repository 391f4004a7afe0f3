//! [`Address`]: how people name a resource.

use std::fmt;

use globset::{GlobBuilder, GlobMatcher};

/// How people name a resource: `clients/My App`, `tenant`, `clients/My App#ID` where names repeat.
///
/// `/` and `%` inside a name are percent-encoded when printed. Sorts by kind, then name, then id.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Address {
    /// Kind, as in the description: `clients`.
    pub kind: String,
    /// Name; `None` for the one resource of a singleton kind.
    pub name: Option<String>,
    /// Server id, only where several resources of the kind share the name.
    pub id: Option<String>,
}

impl Address {
    /// Names the one resource of a singleton kind.
    pub fn single(kind: &str) -> Self {
        Address { kind: kind.to_owned(), name: None, id: None }
    }

    /// Names a resource of a kind.
    pub fn new(kind: &str, name: &str) -> Self {
        Address { kind: kind.to_owned(), name: Some(name.to_owned()), id: None }
    }

    /// Returns this address told apart by a server id.
    #[must_use]
    pub fn with_id(mut self, id: &str) -> Self {
        self.id = Some(id.to_owned());
        self
    }

    /// Returns what a reference to it says: its id where names repeat, else its name; `None` for a singleton.
    pub fn key(&self) -> Option<&str> {
        self.id.as_deref().or(self.name.as_deref())
    }

    /// Reads what [`Display`](fmt::Display) prints. `None` where the text is no address.
    pub fn parse(text: &str) -> Option<Self> {
        let (kind, rest) = match text.split_once('/') {
            Some((kind, rest)) => (kind, Some(rest)),
            None => (text, None),
        };
        if kind.is_empty() || rest == Some("") || rest.is_some_and(|rest| rest.contains('/')) {
            return None;
        }
        let (name, id) = match rest.and_then(|rest| rest.rsplit_once('#')) {
            Some((name, id)) if !name.is_empty() && !id.is_empty() => (Some(name), Some(id)),
            _ => (rest, None),
        };
        Some(Address { kind: kind.to_owned(), name: name.map(decode), id: id.map(decode) })
    }
}

fn encode(text: &str) -> String {
    text.replace('%', "%25").replace('/', "%2F").replace('#', "%23")
}

fn decode(text: &str) -> String {
    text.replace("%2F", "/").replace("%2f", "/").replace("%23", "#").replace("%25", "%")
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if let Some(name) = &self.name {
            write!(f, "/{}", encode(name))?;
        }
        if let Some(id) = &self.id {
            write!(f, "#{}", encode(id))?;
        }
        Ok(())
    }
}

/// A pattern over addresses: `*` matches within a segment, `**` across. A bare kind matches all of it.
#[derive(Debug, Clone)]
pub struct AddressPattern {
    text: String,
    matcher: GlobMatcher,
}

impl AddressPattern {
    /// Compiles a pattern.
    ///
    /// # Errors
    ///
    /// Returns what is wrong with it, for people.
    pub fn new(text: &str) -> Result<Self, String> {
        let glob = if text.contains('/') || text.contains('*') { text.to_owned() } else { format!("{text}{{,/**}}") };
        let matcher = GlobBuilder::new(&glob)
            .literal_separator(true)
            .build()
            .map_err(|error| error.kind().to_string())?
            .compile_matcher();
        Ok(AddressPattern { text: text.to_owned(), matcher })
    }

    /// Says whether an address matches.
    pub fn matches(&self, address: &Address) -> bool {
        self.text == address.to_string() || self.matcher.is_match(address.to_string())
    }

    /// Returns the pattern as written.
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn parses_what_it_prints(kind in "[a-zA-Z]{1,12}", name in "\\PC{1,20}", id in proptest::option::of("[a-z0-9_#]{1,8}")) {
            let address = Address { kind, name: Some(name), id };
            prop_assert_eq!(Address::parse(&address.to_string()), Some(address));
        }
    }

    #[test]
    fn patterns_match_within_and_across_segments() {
        let app = Address::new("clients", "My App");
        assert!(AddressPattern::new("clients").unwrap().matches(&app));
        assert!(AddressPattern::new("clients/*").unwrap().matches(&app));
        assert!(AddressPattern::new("**").unwrap().matches(&app));
        assert!(!AddressPattern::new("*").unwrap().matches(&app));
        assert!(AddressPattern::new("tenant").unwrap().matches(&Address::single("tenant")));
        assert!(!AddressPattern::new("client").unwrap().matches(&app));
    }

    #[test]
    fn refuses_what_is_no_address() {
        for text in ["", "/x", "clients/", "clients/a/b"] {
            assert_eq!(Address::parse(text), None, "{text}");
        }
    }
}
