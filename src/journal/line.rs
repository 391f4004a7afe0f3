//! One line of a journal: an entry with the sum over it and everything before.

use serde_json::Value as Json;
use sha2::{Digest, Sha256};

use crate::model::hex;

/// The sum so far; every line takes it on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chain(String);

const BEFORE_SUM: &str = r#"{"sum":""#;
const BEFORE_ENTRY: &str = r#"","entry":"#;
/// Hexadecimal digits of a sum.
const DIGITS: usize = 32;

impl Chain {
    /// The sum before the first line.
    pub(super) fn start() -> Self {
        Chain(String::new())
    }

    /// Returns the line for an entry, line end included, and the chain behind it.
    pub(super) fn line(&self, entry: &Json) -> (String, Chain) {
        let entry = entry.to_string();
        let next = self.over(&entry);
        (format!("{BEFORE_SUM}{}{BEFORE_ENTRY}{entry}}}\n", next.0), next)
    }

    /// Reads a line without its end; `None` where it is not what was written here.
    pub(super) fn read(&self, line: &str) -> Option<(Json, Chain)> {
        let rest = line.strip_prefix(BEFORE_SUM)?;
        let (sum, rest) = (rest.get(..DIGITS)?, rest.get(DIGITS..)?);
        let entry = rest.strip_prefix(BEFORE_ENTRY)?.strip_suffix('}')?;
        let next = self.over(entry);
        if next.0 != sum {
            return None;
        }
        Some((serde_json::from_str(entry).ok()?, next))
    }

    fn over(&self, entry: &str) -> Chain {
        let digest = Sha256::digest([b"tenantry journal 1\0", self.0.as_bytes(), b"\0", entry.as_bytes()].concat());
        let mut sum = hex(&digest);
        sum.truncate(DIGITS);
        Chain(sum)
    }
}
