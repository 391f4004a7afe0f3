//! One connection's users, read through an export job.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::class::Connection;
use super::job::{self, Ended};
use super::lines::{Lines, Plain, Stop};
use crate::api::{Client, Failure, Write};
use crate::problem::Problem;

/// What is asked of each user: all that an import takes, and what tells the rest apart. Without a list, Auth0 exports a
/// set of its own that is not published.
const FIELDS: [&str; 20] = [
    "user_id",
    "email",
    "email_verified",
    "username",
    "phone_number",
    "phone_verified",
    "given_name",
    "family_name",
    "name",
    "nickname",
    "picture",
    "blocked",
    "app_metadata",
    "user_metadata",
    "identities",
    "multifactor",
    "created_at",
    "updated_at",
    "last_login",
    "logins_count",
];

/// How often a file that breaks off is read on.
const ATTEMPTS: u32 = 4;

/// Why users were not read, or not all of them.
pub(super) enum Failed {
    /// They could not be read; the rest goes on.
    Unread(Problem),
    /// Nothing can go on.
    Stopped(Problem),
}

/// Takes each user: the line, and what it says.
pub(super) type Taker<'a> = &'a mut dyn FnMut(&[u8], Value) -> Result<(), Problem>;

/// Starts an export job and returns its id.
pub(super) async fn start(client: &Client, connection: &Connection) -> Result<String, Failure> {
    let fields: Vec<Value> = FIELDS.iter().map(|name| json!({"name": name})).collect();
    // No `limit`: then all users are exported (Auth0 documentation, bulk user exports).
    let body = json!({"connection_id": connection.id, "format": "json", "fields": fields});
    let path = "jobs/users-exports".to_owned();
    let write = Write { method: Method::POST, path: path.clone(), body: Some(body), correlation_id: None };
    let answer = client.send(write).await?;
    job::id_of(&answer.body).ok_or_else(|| Failure::BadAnswer {
        method: Method::POST,
        path,
        status: answer.status,
        reason: "the job has no id".to_owned(),
    })
}

/// Hands on each user of a connection. A job that fails or disappears is started once more.
pub(super) async fn each(
    client: &Client,
    connection: &Connection,
    started: Option<String>,
    take: Taker<'_>,
) -> Result<(), Failed> {
    let mut file = File { received: 0, lines: Lines::default() };
    let mut started = started;
    let mut is_last = false;
    loop {
        let why = match once(client, connection, started.take(), &mut file, take).await {
            Ok(()) => return Ok(()),
            Err(Failed::Stopped(problem)) => return Err(Failed::Stopped(problem)),
            Err(Failed::Unread(why)) => why,
        };
        // Another job gives another file: what was handed on of the first cannot be taken back.
        if is_last || file.received > 0 || why.id == "missing-scope" {
            return Err(Failed::Unread(why));
        }
        is_last = true;
    }
}

async fn once(
    client: &Client,
    connection: &Connection,
    started: Option<String>,
    file: &mut File,
    take: Taker<'_>,
) -> Result<(), Failed> {
    let id = match started {
        Some(id) => id,
        None => start(client, connection).await.map_err(|failure| failed(connection, &failure))?,
    };
    match job::ended(client, &id).await.map_err(|failure| failed(connection, &failure))? {
        Ended::Completed(done) => file.read(client, connection, &id, done, take).await,
        Ended::Failed(details) => {
            Err(Failed::Unread(unread(connection, "the export job failed").note(format!("Auth0 says: {details}"))))
        }
        Ended::Gone => Err(Failed::Unread(unread(connection, "the export job disappeared"))),
    }
}

fn unread(connection: &Connection, why: &str) -> Problem {
    Problem::error(
        "users-unread",
        format!("the users of the connection `{}` could not be read: {why}", connection.name),
    )
    .help("run again; see https://status.auth0.com if it stays so")
}

/// Says whether nothing else can be read either.
pub(super) fn is_the_end(failure: &Failure) -> bool {
    matches!(
        failure,
        Failure::Cancelled | Failure::Token(_) | Failure::Unreachable { .. } | Failure::Refused { status: 401, .. }
    )
}

fn failed(connection: &Connection, failure: &Failure) -> Failed {
    match failure {
        failure if is_the_end(failure) => Failed::Stopped(failure.problem()),
        _ => {
            let note = format!("the users of the connection `{}` could not be read", connection.name);
            Failed::Unread(failure.problem().note(note))
        }
    }
}

/// A file while it is read, perhaps in several goes.
struct File {
    /// Bytes handed on so far, after decompression.
    received: u64,
    lines: Lines,
}

impl File {
    async fn read(
        &mut self,
        client: &Client,
        connection: &Connection,
        id: &str,
        done: Value,
        take: Taker<'_>,
    ) -> Result<(), Failed> {
        let mut done = done;
        let mut pause = Duration::from_millis(200);
        for attempt in 1.. {
            let Some(link) = done.get("location").and_then(Value::as_str) else {
                return Err(Failed::Unread(unread(connection, "the job names no file")));
            };
            let why = match self.go(client, link, take).await {
                Ok(()) => return Ok(()),
                Err(Gone::Taker(problem)) => return Err(Failed::Stopped(problem)),
                Err(Gone::Link(Failure::Cancelled)) => return Err(Failed::Stopped(Failure::Cancelled.problem())),
                Err(Gone::Link(failure)) => failure.problem().title,
                Err(Gone::Broken(why)) => why,
            };
            if attempt >= ATTEMPTS {
                return Err(Failed::Unread(unread(connection, "its file cannot be read to its end").note(why)));
            }
            // A link holds for a minute; each look at the job gives another (Auth0 documentation, bulk user exports).
            client.wait(pause).await.map_err(|failure| failed(connection, &failure))?;
            pause *= 2;
            done = match job::read(client, id).await.map_err(|failure| failed(connection, &failure))? {
                Some(job) => job,
                None => return Err(Failed::Unread(unread(connection, "the export job disappeared"))),
            };
        }
        Ok(())
    }

    /// Reads the file from its start, and hands on what was not handed on before.
    async fn go(&mut self, client: &Client, link: &str, take: Taker<'_>) -> Result<(), Gone> {
        let mut download = client.download(link, "the file of an export job").await.map_err(Gone::Link)?;
        let mut plain = Plain::new();
        let mut passed = 0;
        while let Some(piece) = download.next().await.map_err(Gone::Link)? {
            plain.push(&piece, &mut |text| self.text(&mut passed, text, take)).map_err(Gone::of)?;
        }
        plain.finish(&mut |text| self.text(&mut passed, text, take)).map_err(Gone::of)?;
        self.lines.finish(&mut |line| given(line, take)).map_err(Gone::of)
    }

    fn text(&mut self, passed: &mut u64, text: &[u8], take: Taker<'_>) -> Result<(), Stop> {
        let known = usize::try_from(self.received.saturating_sub(*passed)).unwrap_or(usize::MAX).min(text.len());
        *passed += text.len() as u64;
        let fresh = text.get(known..).unwrap_or_default();
        self.received += fresh.len() as u64;
        self.lines.push(fresh, &mut |line| given(line, take))
    }
}

fn given(line: &[u8], take: Taker<'_>) -> Result<(), Stop> {
    let user: Value = serde_json::from_slice(line).map_err(|_| Stop::Broken)?;
    take(line, user).map_err(Stop::Taker)
}

/// Why one go at a file ended early.
enum Gone {
    Link(Failure),
    Broken(String),
    Taker(Problem),
}

impl Gone {
    fn of(stop: Stop) -> Gone {
        match stop {
            Stop::Taker(problem) => Gone::Taker(problem),
            Stop::Broken => Gone::Broken("the file is damaged, or no list of users".to_owned()),
        }
    }
}
