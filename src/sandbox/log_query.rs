//! The part of Lucene's query language that the log search knows: `field:value`, quotes, wildcards, ranges, AND, OR,
//! NOT and parentheses. Comparison is by whole value and case (documentation of the log search).

use serde_json::Value;

/// A parsed query.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Query {
    /// Admits everything.
    All,
    /// Every part.
    And(Vec<Query>),
    /// Any part.
    Or(Vec<Query>),
    /// Not this.
    Not(Box<Query>),
    /// A member has a value.
    Is(String, Pattern),
}

/// What a member's text is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Pattern {
    /// Equal, `*` standing for any text.
    Like(String),
    /// Equal.
    Exactly(String),
    /// Between two texts; `*` is open.
    Between { from: String, to: String, from_included: bool, to_included: bool },
}

impl Query {
    /// Reads a query; an empty one admits everything.
    pub(super) fn parse(text: &str) -> Result<Query, String> {
        if text.trim().is_empty() {
            return Ok(Query::All);
        }
        let mut reader = Reader { rest: text, depth: 0 };
        let query = reader.any()?;
        if reader.peek().is_empty() {
            Ok(query)
        } else {
            Err(format!("Query validation error: near '{}'", reader.rest))
        }
    }

    /// Says whether an entry of the log fits.
    pub(super) fn admits(&self, entry: &Value) -> bool {
        match self {
            Query::All => true,
            Query::And(parts) => parts.iter().all(|part| part.admits(entry)),
            Query::Or(parts) => parts.iter().any(|part| part.admits(entry)),
            Query::Not(part) => !part.admits(entry),
            Query::Is(field, pattern) => {
                let value = field.split('.').try_fold(entry, |value, member| value.get(member));
                match value {
                    Some(Value::String(text)) => pattern.fits(text),
                    Some(Value::Null) | None => false,
                    Some(other) => pattern.fits(&other.to_string()),
                }
            }
        }
    }
}

impl Pattern {
    fn fits(&self, text: &str) -> bool {
        match self {
            Pattern::Exactly(wanted) => text == wanted,
            Pattern::Like(wanted) => like(wanted, text),
            Pattern::Between { from, to, from_included, to_included } => {
                let above = from == "*" || text > from.as_str() || (*from_included && text == from);
                // A bound that is a part of a time stands for the whole part: `2026-11` holds all of November.
                let below = to == "*" || text < to.as_str() || (*to_included && text.starts_with(to.as_str()));
                above && below
            }
        }
    }
}

fn like(pattern: &str, text: &str) -> bool {
    let mut parts = pattern.split('*');
    let first = parts.next().unwrap_or_default();
    let Some(mut rest) = text.strip_prefix(first) else {
        return false;
    };
    let parts: Vec<&str> = parts.collect();
    let Some((last, middle)) = parts.split_last() else {
        return rest.is_empty();
    };
    for part in middle {
        match rest.find(part) {
            Some(at) => rest = rest.get(at + part.len()..).unwrap_or_default(),
            None => return false,
        }
    }
    rest.ends_with(last)
}

struct Reader<'a> {
    rest: &'a str,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn peek(&mut self) -> &'a str {
        self.rest = self.rest.trim_start();
        self.rest
    }

    fn eat(&mut self, token: &str) -> bool {
        match self.peek().strip_prefix(token) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn eat_word(&mut self, word: &str) -> bool {
        let follows = self.peek().strip_prefix(word);
        match follows.filter(|rest| rest.starts_with(|c: char| c.is_whitespace() || c == '(')) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    fn any(&mut self) -> Result<Query, String> {
        let mut parts = vec![self.all()?];
        // Two terms side by side are alternatives, as in Lucene.
        while self.eat_word("OR") || !(self.peek().is_empty() || self.rest.starts_with(')')) {
            parts.push(self.all()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Query::Or(parts) })
    }

    fn all(&mut self) -> Result<Query, String> {
        let mut parts = vec![self.one()?];
        while self.eat_word("AND") {
            parts.push(self.one()?);
        }
        Ok(if parts.len() == 1 { parts.remove(0) } else { Query::And(parts) })
    }

    fn one(&mut self) -> Result<Query, String> {
        if self.depth > 32 {
            return Err("Query validation error: nested too deeply".to_owned());
        }
        self.depth += 1;
        let query = if self.eat_word("NOT") || self.eat("-") {
            Query::Not(Box::new(self.one()?))
        } else if self.eat("(") {
            let inner = self.any()?;
            if !self.eat(")") {
                return Err("Query validation error: ')' expected".to_owned());
            }
            inner
        } else {
            self.term()?
        };
        self.depth -= 1;
        Ok(query)
    }

    fn term(&mut self) -> Result<Query, String> {
        let text = self.peek();
        let refused = || format!("Query validation error: 'field:value' expected near '{text}'");
        let (field, rest) = text.split_once(':').ok_or_else(refused)?;
        if field.is_empty() || field.contains(|c: char| c.is_whitespace() || "()\"".contains(c)) {
            return Err(refused());
        }
        self.rest = rest;
        if self.eat("(") {
            let mut parts = Vec::new();
            while !self.eat(")") {
                if self.peek().is_empty() {
                    return Err(refused());
                }
                if !self.eat_word("OR") {
                    parts.push(Query::Is(field.to_owned(), self.value()?));
                }
            }
            return Ok(Query::Or(parts));
        }
        Ok(Query::Is(field.to_owned(), self.value()?))
    }

    fn value(&mut self) -> Result<Pattern, String> {
        let text = self.peek();
        if let Some(rest) = text.strip_prefix('"') {
            let (inside, rest) = rest.split_once('"').ok_or("Query validation error: '\"' expected")?;
            self.rest = rest;
            return Ok(Pattern::Exactly(inside.to_owned()));
        }
        if text.starts_with(['[', '{']) {
            let end = text.find([']', '}']).ok_or("Query validation error: ']' expected")?;
            let (range, rest) = text.split_at(end + 1);
            self.rest = rest;
            let inside = range.trim_matches(|c| "[]{}".contains(c));
            let (from, to) = inside.split_once(" TO ").ok_or("Query validation error: 'TO' expected")?;
            return Ok(Pattern::Between {
                from: from.trim().trim_matches('"').to_owned(),
                to: to.trim().trim_matches('"').to_owned(),
                from_included: range.starts_with('['),
                to_included: range.ends_with(']'),
            });
        }
        let end = text.find(|c: char| c.is_whitespace() || c == ')').unwrap_or(text.len());
        let (word, rest) = text.split_at(end);
        self.rest = rest;
        if word.is_empty() {
            Err("Query validation error: value expected".to_owned())
        } else {
            Ok(Pattern::Like(word.replace('\\', "")))
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;
    use serde_json::json;

    fn admits(query: &str) -> bool {
        let entry = json!({
            "type": "sapi", "date": "2026-11-22T01:02:03.004Z", "description": "Create a role",
            "client_id": "abc", "isMobile": false, "user_name": ""
        });
        Query::parse(query).unwrap().admits(&entry)
    }

    #[test]
    fn terms_join_and_nest() {
        for query in [
            "",
            "type:sapi",
            "description:\"Create a role\"",
            "type:sapi AND client_id:abc",
            "type:s OR client_id:a*",
            "type:(s OR sapi)",
            "NOT type:s",
            "(type:s OR type:sapi) AND -client_id:x",
            "date:[2026-11-22 TO *]",
            "date:[2026-11-22T01:02:03.004Z TO 2026-11-22T01:02:03.004Z] AND type:sapi",
            "date:[* TO 2026-11-22]",
            "isMobile:false",
            "description:*role",
        ] {
            assert!(admits(query), "{query}");
        }
    }

    #[test]
    fn what_differs_is_left_out() {
        for query in [
            "type:s",
            "type:SAPI",
            "type:sapi AND client_id:x",
            "date:{2026-11-22T01:02:03.004Z TO *]",
            "date:[* TO 2026-11-22T01:02:03.004Z}",
            "nowhere:x",
            "description:Create",
        ] {
            assert!(!admits(query), "{query}");
        }
    }

    #[test]
    fn what_is_no_query_is_refused() {
        let deep = "(".repeat(100);
        for query in ["word", "a:", "(type:s", "type:s)", "date:[a b]", "a:\"x", "date:[a TO b", "a:(b", &deep] {
            assert!(Query::parse(query).is_err(), "{query}");
        }
    }
}
