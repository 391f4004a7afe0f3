//! Users, which are no kind: read into a backup through export jobs, written back through import jobs.
//!
//! [`backup`] hands entries to whoever keeps them, in this order:
//!
//! ```text
//! users/connections.json                   the connections, and what each can take back
//! users/by-connection/NAME/00001.ndjson    the users, one a line, as the export job wrote them
//! users/roles/00001.ndjson                 {"role": name, "users": [ids]}
//! users/permissions/00001.ndjson           {"user_id", "permissions": [{"resource_server_identifier", "permission_name"}]}
//! users/organizations/00001.ndjson         {"organization": name, "members": [{"user_id", "roles": [names]}]}
//! ```
//!
//! No entry is larger than a megabyte, unless one line alone is. [`Importer`] takes the same entries in the same order.
//! What no import can bring back (passwords, second factors, users of other identity providers) is counted by [`Class`].

mod assign;
mod backup;
mod chunk;
mod class;
mod convert;
mod exported;
mod import;
mod job;
mod lines;
mod pages;
mod progress;
mod report;
mod target;

#[cfg(test)]
mod properties;

pub use backup::{BackupOptions, backup};
pub use class::{Class, Connection};
pub use import::{ImportOptions, Importer};
pub use report::{
    Assigned, ConnectionImport, ConnectionUsers, ImportReport, NotRestorable, Unread, UserFailure, UsersReport,
};
