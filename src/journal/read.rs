//! A journal's file → its entries.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::Path;

use serde_json::Value as Json;

use super::entry::{Answer, Header, Intent};
use super::line::Chain;
use super::stored::{FORMAT, answer_from_json, header_from_json, intent_from_json};
use crate::change::Action;
use crate::codec::decode_segment;
use crate::model::{Address, Locus, Value};
use crate::problem::Problem;

/// Everything a journal holds.
#[derive(Debug, Clone, PartialEq)]
pub struct Entries {
    /// What it begins with.
    pub header: Header,
    /// Requests in the order of their numbers.
    pub entries: Vec<Entry>,
    /// Says that the last line was cut off, where it was: its request was not sent, or its outcome is not known.
    pub torn: Option<Problem>,
}

/// One request.
#[derive(Debug, Clone, PartialEq)]
pub struct Entry {
    /// Its number in the deployment, 1-based.
    pub n: u32,
    /// What was about to be sent.
    pub intent: Intent,
    /// What came of it; `None` where nobody wrote it down.
    pub outcome: Option<Answer>,
}

impl Entry {
    /// Says whether it is known what became of the request.
    pub fn is_settled(&self) -> bool {
        self.outcome.as_ref().is_some_and(Answer::is_settled)
    }
}

impl Entries {
    /// Returns the requests nobody knows the outcome of.
    pub fn unsettled(&self) -> impl Iterator<Item = &Entry> {
        self.entries.iter().filter(|entry| !entry.is_settled())
    }

    /// Returns what was made: server ids by address.
    pub fn made(&self) -> BTreeMap<Address, String> {
        let made = |entry: &Entry| Some((entry.intent.makes.clone()?, entry.outcome.as_ref()?.id()?.to_owned()));
        self.entries.iter().filter_map(made).collect()
    }

    /// Returns the resources that a request was or may have been sent for.
    pub fn touched(&self) -> BTreeSet<Address> {
        let sent = |entry: &&Entry| !matches!(entry.outcome, Some(Answer::NotSent { .. }));
        self.entries.iter().filter(sent).map(|entry| entry.intent.address.clone()).collect()
    }

    /// Returns what a leaf was asked to be: `None` where nobody asked, inside `None` where it was to go.
    pub fn asked(&self, address: &Address, path: &crate::model::Path) -> Option<&Option<Value>> {
        let of = self.entries.iter().rev().filter(|entry| entry.intent.address == *address);
        of.flat_map(|entry| &entry.intent.asked).find(|(known, _)| known == path).map(|(_, asked)| asked)
    }

    /// Returns what a resource was made by, where it was: a create or a replace.
    pub fn made_as(&self, address: &Address) -> Option<Action> {
        let made = |entry: &&Entry| {
            entry.intent.address == *address
                && matches!(entry.intent.action, Action::Create | Action::Replace)
                && entry.outcome.as_ref().is_some_and(Answer::is_done)
        };
        self.entries.iter().find(made).map(|entry| entry.intent.action)
    }

    /// Returns how many requests were or may have been sent.
    pub fn requests(&self) -> usize {
        self.entries.iter().filter(|entry| !matches!(entry.outcome, Some(Answer::NotSent { .. }))).count()
    }

    /// Says whether a write in the tenant's log is one of these: anybody can send the correlation id, so verb and path count too.
    pub fn is_ours(&self, correlation_id: &str, method: &str, path: &str) -> bool {
        let number = correlation_id
            .strip_prefix("tenantry/")
            .and_then(|rest| rest.strip_prefix(self.header.deployment.as_str()))
            .and_then(|rest| rest.strip_prefix('/'))
            .and_then(|n| n.parse::<u32>().ok());
        let Some(entry) = number.and_then(|n| self.entries.iter().find(|entry| entry.n == n)) else { return false };
        entry.intent.method.as_str().eq_ignore_ascii_case(method) && plain(&entry.intent.path) == plain(path)
    }
}

/// Returns a path's segments, without what stands before and behind them.
fn plain(path: &str) -> Vec<String> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let path = path.strip_prefix("/api").unwrap_or(path);
    let path = path.strip_prefix("/v2").unwrap_or(path);
    path.split('/').filter(|segment| !segment.is_empty()).map(decode_segment).collect()
}

/// Reads a journal.
///
/// # Errors
///
/// `journal-missing`, `unreadable-file`, `journal-damaged`, `journal-too-new`.
pub fn read(path: &Path) -> Result<Entries, Problem> {
    bytes(path).and_then(|bytes| parse(&path.display().to_string(), &bytes)).map(|parsed| parsed.entries)
}

pub(super) fn bytes(path: &Path) -> Result<Vec<u8>, Problem> {
    let name = path.display().to_string();
    fs::read(path).map_err(|error| match error.kind() {
        io::ErrorKind::NotFound => Problem::error("journal-missing", format!("the journal {name} is missing"))
            .note("without it nobody can tell which requests of the deployment were sent")
            .help("run `tenantry plan` to see what is left to do"),
        _ => Problem::error("unreadable-file", format!("{name} cannot be read: {error}")).at(&Locus::file(&name)),
    })
}

/// A journal's entries, and where to go on.
#[derive(Debug)]
pub struct Parsed {
    /// The entries.
    pub entries: Entries,
    /// Bytes of whole lines.
    pub(super) length: u64,
    /// The sum behind them.
    pub(super) chain: Chain,
}

/// Reads the bytes of a journal; `name` is what its file is called.
///
/// # Errors
///
/// `journal-damaged`, `journal-too-new`.
pub fn parse(name: &str, bytes: &[u8]) -> Result<Parsed, Problem> {
    let mut chain = Chain::start();
    let mut header = None;
    let mut found = Vec::new();
    let mut length = 0;
    let mut rest = bytes;
    let mut number = 0;
    while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
        let (line, tail) = rest.split_at(end);
        number += 1;
        let damaged = || damaged(name, number);
        let line = std::str::from_utf8(line).map_err(|_| damaged())?;
        if number == 1 {
            too_new(name, line)?;
        }
        let (entry, next) = chain.read(line).ok_or_else(damaged)?;
        match header {
            None => header = Some(header_from_json(&entry).ok_or_else(damaged)?),
            Some(_) => take(&entry, &mut found).ok_or_else(damaged)?,
        }
        chain = next;
        length += end as u64 + 1;
        rest = tail.get(1..).unwrap_or_default();
    }
    let Some(header) = header else {
        let locus = Locus::file(name);
        return Err(Problem::error("journal-damaged", "the journal has no whole first line")
            .at(&locus)
            .note("it was cut off there: Tenantry sends nothing before that line is on the disk")
            .help("run `tenantry plan` to see what is left to do"));
    };
    let torn = (!rest.is_empty()).then(|| {
        Problem::remark("journal-torn", format!("line {} of the journal was cut off and is left out", number + 1))
            .at(&Locus::file(name))
    });
    Ok(Parsed { entries: Entries { header, entries: found, torn }, length, chain })
}

/// Takes an entry behind the header; `None` where it does not fit what stands before it.
fn take(entry: &Json, found: &mut Vec<Entry>) -> Option<()> {
    let n = u32::try_from(entry.get("n")?.as_u64()?).ok()?;
    if let Some(intent) = entry.get("intent") {
        let expected = found.last().map_or(1, |last| last.n + 1);
        let intent = intent_from_json(intent)?;
        (n == expected).then(|| found.push(Entry { n, intent, outcome: None }))
    } else {
        let answer = answer_from_json(entry.get("outcome")?)?;
        let at = usize::try_from(n.checked_sub(1)?).ok()?;
        let of = found.get_mut(at).filter(|of| !of.is_settled())?;
        of.outcome = Some(answer);
        Some(())
    }
}

fn damaged(name: &str, line: u32) -> Problem {
    Problem::error("journal-damaged", format!("line {line} of the journal was edited or damaged"))
        .at(&Locus::file(name))
        .note("a sum over each line shows it; what stands there cannot be trusted")
        .help("restore the file, or run `tenantry plan` to see what is left to do")
}

/// A journal of a later release says so in its first line, whatever else has changed.
fn too_new(name: &str, line: &str) -> Result<(), Problem> {
    let Ok(json) = serde_json::from_str::<Json>(line) else { return Ok(()) };
    let entry = json.get("entry").unwrap_or(&json);
    let format = entry.get("journal").and_then(Json::as_u64).unwrap_or(FORMAT);
    if format <= FORMAT {
        return Ok(());
    }
    let tool = entry.get("tool").and_then(Json::as_str).unwrap_or("a later version");
    let title = format!("this journal has format {format}; this version of Tenantry reads up to {FORMAT}");
    Err(Problem::error("journal-too-new", title)
        .at(&Locus::file(name))
        .help(format!("use Tenantry {tool} or later, which wrote it")))
}
