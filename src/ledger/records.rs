//! From files to records, whichever place they come from.

use ulid::Ulid;

use crate::deployment::{Deployment, History, canonical_domain, stored};
use crate::problem::Problem;

/// Folder of the records.
pub(super) const DEPLOYMENTS: &str = "deployments";

/// Folder of the journals.
pub(super) const JOURNALS: &str = "journals";

/// Returns the name of a deployment's record.
pub(super) fn record_name(id: &str) -> String {
    format!("{}.json", plain(id))
}

/// Returns the name of a deployment's journal.
pub(super) fn journal_name(id: &str) -> String {
    format!("{}.jsonl", plain(id))
}

/// Ids also come from a tenant's log: what is no id must lead nowhere.
fn plain(id: &str) -> String {
    id.chars().filter(char::is_ascii_alphanumeric).collect()
}

/// Says whether a file of this name is a record; others in its folder are nobody's business.
pub(super) fn is_record(name: &str) -> bool {
    let id = name.strip_suffix(".json").unwrap_or_default();
    Ulid::from_string(id).is_ok_and(|ulid| ulid.to_string() == id)
}

/// A file of a ledger: its name, what people see of it, its content.
pub(super) struct File {
    pub(super) name: String,
    pub(super) shown: String,
    pub(super) bytes: Vec<u8>,
}

/// Reads records of one tenant; those of others are left aside and counted.
///
/// # Errors
///
/// `ledger-damaged`, `ledger-too-new`: what cannot be read is never taken for absent.
pub(super) fn history(files: Vec<File>, domain: &str) -> Result<(History, Vec<Problem>), Problem> {
    let (mut records, mut errors, mut strangers) = (Vec::new(), Vec::new(), Vec::new());
    for file in files {
        match stored::read(&file.shown, &file.bytes) {
            Ok(record) if record_name(&record.id) != file.name => {
                let title = format!("{} holds the deployment {}", file.shown, record.id);
                errors.push(Problem::error("ledger-damaged", title).help("give the file its name back"));
            }
            Ok(record) if canonical_domain(&record.domain) == domain => records.push(record),
            Ok(record) => strangers.push(record),
            Err(problem) => errors.push(problem),
        }
    }
    let mut errors = errors.into_iter();
    if let Some(first) = errors.next() {
        return Err(errors.fold(first, |first, other| first.note(other.title)));
    }
    Ok((History::new(records), other_tenant(&strangers, domain).into_iter().collect()))
}

fn other_tenant(strangers: &[Deployment], domain: &str) -> Option<Problem> {
    let last = strangers.iter().max_by_key(|record| record.started)?;
    let title = format!("the ledger also holds deployments of {}, which are left aside", last.domain);
    Some(
        Problem::remark("ledger-other-tenant", title)
            .note(format!("what was deployed there says nothing about {domain}")),
    )
}
