//! Reads the users of a tenant into entries of a backup.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};

use futures_util::{StreamExt, stream};
use serde_json::{Value, json};

use super::class::{self, Class, Connection, Counts};
use super::exported::{self, Failed};
use super::lines::{Entries, Sink};
use super::pages::Pages;
use super::report::{ConnectionUsers, Unread, UsersReport};
use crate::api::{Client, Failure, ListStyle};
use crate::codec::encode_segment;
use crate::problem::Problem;

/// Export jobs under way at once. Auth0 publishes no limit for them; that of imports is two.
const JOBS_AT_ONCE: usize = 2;

/// Requests for single users under way at once; the rate limit holds them back further.
const REQUESTS_AT_ONCE: usize = 16;

/// Users in one line of a role.
const USERS_OF_LINE: usize = 1000;

/// What to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BackupOptions {
    /// Whether to read the permissions that users have of their own: one request for every user, since there is no list.
    pub permissions: bool,
}

/// Reads all users, their roles, permissions and memberships, and hands them to `sink` as entries (see the module).
///
/// What cannot be read is named in the report, and the rest goes on. Memory does not grow with the users, but for their ids
/// where permissions are read.
///
/// # Errors
///
/// Those of `sink`; `interrupted`; those of a tenant that cannot be reached or does not let us in.
pub async fn backup(client: &Client, options: &BackupOptions, sink: Sink<'_>) -> Result<UsersReport, Problem> {
    let mut backup =
        Backup { client, sink, report: UsersReport::default(), counts: Counts::default(), ids: Vec::new() };
    let connections = backup.connections().await?;
    backup.users(&connections, options.permissions).await?;
    backup.roles().await?;
    backup.permissions(options.permissions).await?;
    backup.organizations().await?;
    let mut report = backup.report;
    report.not_restorable = backup.counts.list(&[Class::Session, Class::History]);
    Ok(report)
}

struct Backup<'a> {
    client: &'a Client,
    sink: Sink<'a>,
    report: UsersReport,
    counts: Counts,
    /// Ids of all users, where permissions are wanted.
    ids: Vec<String>,
}

impl Backup<'_> {
    /// Notes that something could not be read, unless nothing can be read any more.
    fn unread(&mut self, what: impl Into<String>, failure: &Failure) -> Result<(), Problem> {
        if exported::is_the_end(failure) {
            return Err(failure.problem());
        }
        self.report.unread.push(Unread { what: what.into(), why: failure.problem() });
        Ok(())
    }

    async fn list(&mut self, path: &str, fields: &str, what: &str) -> Result<Vec<Value>, Problem> {
        let style = match path {
            "roles" => ListStyle::Page { rows: path.to_owned(), max: 100 },
            _ => ListStyle::Checkpoint { rows: path.to_owned(), max: 100 },
        };
        let query: &[(&str, &str)] = if fields.is_empty() { &[] } else { &[("fields", fields)] };
        match self.client.list(path, query, &style).await {
            Ok(rows) => Ok(rows),
            Err(failure) => {
                self.unread(what, &failure)?;
                Ok(Vec::new())
            }
        }
    }

    async fn connections(&mut self) -> Result<Vec<Connection>, Problem> {
        let rows = self.list("connections", "id,name,strategy,options", "the users of every connection").await?;
        let mut connections: Vec<Connection> = rows.iter().filter_map(Connection::read).collect();
        connections.sort_by(|a, b| a.name.cmp(&b.name));
        let listed: Vec<Value> = connections
            .iter()
            .map(|connection| json!({"folder": encode_segment(&connection.name), "connection": connection}))
            .collect();
        (self.sink)("users/connections.json", format!("{:#}\n", Value::Array(listed)).as_bytes())?;
        Ok(connections)
    }

    async fn users(&mut self, connections: &[Connection], keeps_ids: bool) -> Result<(), Problem> {
        // Jobs are started ahead, so that Auth0 works while a file is read.
        let mut ahead: VecDeque<Option<String>> = VecDeque::new();
        for (n, connection) in connections.iter().enumerate() {
            for next in connections.iter().skip(n + ahead.len()).take(JOBS_AT_ONCE - ahead.len()) {
                // One that does not start is tried again when its turn comes.
                ahead.push_back(exported::start(self.client, next).await.ok());
            }
            self.users_of(connection, ahead.pop_front().flatten(), keeps_ids).await?;
            if let Some(last) = self.report.unread.last_mut().filter(|last| last.why.id == "missing-scope") {
                // What is not allowed for one is allowed for none.
                "the users of every connection".clone_into(&mut last.what);
                break;
            }
        }
        Ok(())
    }

    async fn users_of(&mut self, connection: &Connection, job: Option<String>, keeps_ids: bool) -> Result<(), Problem> {
        let refused = connection.refuses();
        let mut entries = Entries::new(format!("users/by-connection/{}", encode_segment(&connection.name)));
        let (mut users, mut importable) = (0, 0);
        let Backup { sink, counts, ids, .. } = self;
        let mut take = |line: &[u8], user: Value| -> Result<(), Problem> {
            if class::home(&user).is_some_and(|home| home != connection.name) {
                // Linked to a user of another connection, where it is read.
                return Ok(());
            }
            users += 1;
            importable += u64::from(refused.is_none() && super::convert::email(&user).is_some());
            class::count(counts, refused, &user);
            if let Some(id) = user.get("user_id").and_then(Value::as_str).filter(|_| keeps_ids) {
                ids.push(id.to_owned());
            }
            entries.line(line, *sink)
        };
        let read = exported::each(self.client, connection, job, &mut take).await;
        entries.finish(self.sink)?;
        let (name, strategy) = (connection.name.clone(), connection.strategy.clone());
        self.report.connections.push(ConnectionUsers { name, strategy, users, importable });
        match read {
            Ok(()) => Ok(()),
            Err(Failed::Stopped(problem)) => Err(problem),
            Err(Failed::Unread(why)) => {
                let why = if users > 0 { why.note(format!("{users} users came before it broke off")) } else { why };
                self.report
                    .unread
                    .push(Unread { what: format!("the users of the connection {}", connection.name), why });
                Ok(())
            }
        }
    }

    async fn roles(&mut self) -> Result<(), Problem> {
        let roles = self.list("roles", "", "the roles of users").await?;
        let mut entries = Entries::new("users/roles");
        let client = self.client;
        let begun = stream::iter(&roles).map(|role| async move {
            let text = |name: &str| role.get(name).and_then(Value::as_str).unwrap_or_default();
            let path = format!("roles/{}/users", encode_segment(text("id")));
            (text("name"), begin(client, path, &[], "users").await)
        });
        let mut begun = begun.buffered(REQUESTS_AT_ONCE);
        while let Some((name, (mut pages, mut answer))) = begun.next().await {
            let mut held: Vec<String> = Vec::new();
            let mut total = 0;
            loop {
                let (is_end, rows) = match answer {
                    Ok(Some(rows)) => (false, rows),
                    Ok(None) => (true, Vec::new()),
                    Err(failure) => {
                        self.unread(format!("the users of the role {name}"), &failure)?;
                        (true, Vec::new())
                    }
                };
                held.extend(rows.iter().filter_map(|row| row.get("user_id")?.as_str()).map(str::to_owned));
                if held.len() >= USERS_OF_LINE || (is_end && !held.is_empty()) {
                    total += held.len() as u64;
                    let line = json!({"role": name, "users": std::mem::take(&mut held)});
                    entries.line(line.to_string().as_bytes(), self.sink)?;
                }
                if is_end {
                    break;
                }
                answer = pages.next().await;
            }
            self.report.roles += u64::from(total > 0);
            self.report.role_users += total;
        }
        entries.finish(self.sink)
    }

    async fn permissions(&mut self, wanted: bool) -> Result<(), Problem> {
        let what = "permissions that users have of their own";
        if !wanted {
            let why = Problem::remark("permissions-left-out", "the permissions of single users were left out")
                .note("reading them takes a request for every user");
            self.report.unread.push(Unread { what: what.to_owned(), why });
            return Ok(());
        }
        let ids = std::mem::take(&mut self.ids);
        let client = self.client;
        let style = ListStyle::Page { rows: "permissions".to_owned(), max: 100 };
        let asked = stream::iter(&ids).map(|id| {
            let style = &style;
            async move {
                let path = format!("users/{}/permissions", encode_segment(id));
                (id, client.list(&path, &[], style).await)
            }
        });
        let mut asked = asked.buffered(REQUESTS_AT_ONCE);
        let mut entries = Entries::new("users/permissions");
        while let Some((id, answer)) = asked.next().await {
            let rows = match answer {
                Ok(rows) => rows,
                // Deleted since the export.
                Err(Failure::NotFound { .. }) => continue,
                Err(failure) => {
                    // What fails for one will fail for all that follow: it is said once.
                    self.unread(what, &failure)?;
                    break;
                }
            };
            if rows.is_empty() {
                continue;
            }
            let named: Vec<Value> = rows
                .iter()
                .map(|row| {
                    json!({
                        "resource_server_identifier": row.get("resource_server_identifier"),
                        "permission_name": row.get("permission_name"),
                    })
                })
                .collect();
            self.report.users_with_permissions += 1;
            entries.line(json!({"user_id": id, "permissions": named}).to_string().as_bytes(), self.sink)?;
        }
        drop(asked);
        entries.finish(self.sink)
    }

    /// Lists ids and names of the organizations: there may be too many to keep more.
    async fn organization_names(&mut self) -> Result<Vec<(String, String)>, Problem> {
        let mut pages = Pages::new(self.client, "organizations".to_owned(), &[], "organizations");
        let mut out = Vec::new();
        loop {
            match pages.next().await {
                Ok(Some(rows)) => {
                    let text = |row: &Value, name: &str| row.get(name).and_then(Value::as_str).map(str::to_owned);
                    out.extend(rows.iter().filter_map(|row| Some((text(row, "id")?, text(row, "name")?))));
                }
                Ok(None) => return Ok(out),
                Err(failure) => {
                    self.unread("the members of organizations", &failure)?;
                    return Ok(Vec::new());
                }
            }
        }
    }

    async fn organizations(&mut self) -> Result<(), Problem> {
        let organizations = self.organization_names().await?;
        let mut entries = Entries::new("users/organizations");
        // Roles of members come along for those who may read them.
        let with_roles = AtomicBool::new(true);
        let (client, may_ask) = (self.client, &with_roles);
        let path = |id: &str| format!("organizations/{}/members", encode_segment(id));
        let begun = stream::iter(&organizations).map(|(id, name)| async move {
            let asked = may_ask.load(Ordering::Relaxed);
            let fields = if asked { "user_id,roles" } else { "user_id" };
            (id, name, asked, begin(client, path(id), &[("fields", fields)], "members").await)
        });
        let mut begun = begun.buffered(REQUESTS_AT_ONCE);
        while let Some((id, name, asked, (mut pages, mut answer))) = begun.next().await {
            if let Err(failure @ Failure::Scope { .. }) = &answer
                && asked
            {
                if with_roles.swap(false, Ordering::Relaxed) {
                    self.unread("the roles of members of organizations", failure)?;
                }
                (pages, answer) = begin(client, path(id), &[("fields", "user_id")], "members").await;
            }
            let mut total = 0;
            loop {
                let rows = match answer {
                    Ok(Some(rows)) => rows,
                    Ok(None) => break,
                    Err(failure) => {
                        self.unread(format!("the members of the organization {name}"), &failure)?;
                        break;
                    }
                };
                let members: Vec<Value> = rows.iter().map(member).collect();
                if !members.is_empty() {
                    total += members.len() as u64;
                    let line = json!({"organization": name, "members": members});
                    entries.line(line.to_string().as_bytes(), self.sink)?;
                }
                answer = pages.next().await;
            }
            self.report.organizations += u64::from(total > 0);
            self.report.members += total;
        }
        entries.finish(self.sink)
    }
}

/// A walk over a list, and its first page: what comes first of many lists is asked for at once.
type Begun<'a> = (Pages<'a>, Result<Option<Vec<Value>>, Failure>);

async fn begin<'a>(client: &'a Client, path: String, query: &[(&'a str, &'a str)], rows: &'static str) -> Begun<'a> {
    let mut pages = Pages::new(client, path, query, rows);
    let first = pages.next().await;
    (pages, first)
}

fn member(row: &Value) -> Value {
    let roles = row.get("roles").and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    let names: Vec<&str> = roles.iter().filter_map(|role| role.get("name")?.as_str()).collect();
    json!({"user_id": row.get("user_id"), "roles": names})
}
