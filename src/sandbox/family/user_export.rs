//! What an export of users writes: one JSON object a line, or CSV, compressed.

use std::io::Write as _;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Map, Value, json};

use super::parts::text;
use super::users::{USERS, has};
use crate::sandbox::call::ApiError;
use crate::sandbox::page::visible;
use crate::sandbox::state::State;

/// Fields of a file whose request names none.
const USUAL: [&str; 9] =
    ["user_id", "email", "name", "given_name", "family_name", "nickname", "picture", "created_at", "updated_at"];
/// Columns of a CSV file at most (Auth0 documentation, bulk exports).
const COLUMNS: usize = 30;

/// Refuses what a file cannot hold.
///
/// # Errors
/// 400 for a CSV file of more than 30 columns, or with an object in a column.
pub(super) fn check(format: &Value, fields: Option<&Value>) -> Result<(), ApiError> {
    let fields = fields.and_then(Value::as_array).map_or(&[][..], Vec::as_slice);
    if format == "csv" && fields.len() > COLUMNS {
        let rule = format!("Array is too long ({}), maximum {COLUMNS}", fields.len());
        return Err(ApiError::invalid_body(format!("Payload validation error: '{rule}' on property fields.")));
    }
    let whole =
        fields.iter().map(|field| text(field, "name")).find(|name| ["app_metadata", "user_metadata"].contains(name));
    match whole {
        Some(name) if format == "csv" => {
            Err(ApiError::invalid_body(format!("{name} cannot be exported whole to CSV: name its fields.")))
        }
        _ => Ok(()),
    }
}

/// Returns the file of an export job, compressed with gzip.
pub(super) fn file(state: &State, job: &Value) -> Vec<u8> {
    let connection = text(job, "connection");
    let limit = job
        .get("limit")
        .and_then(Value::as_u64)
        .map_or(usize::MAX, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    let named: Vec<(String, String)> = match job.get("fields").and_then(Value::as_array) {
        Some(fields) if !fields.is_empty() => fields
            .iter()
            .map(|field| {
                let name = text(field, "name");
                let title = Some(text(field, "export_as")).filter(|title| !title.is_empty()).unwrap_or(name);
                (name.to_owned(), title.to_owned())
            })
            .collect(),
        _ => USUAL.map(|name| (name.to_owned(), name.to_owned())).to_vec(),
    };
    let is_csv = job.get("format") == Some(&json!("csv"));
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    // Writing to memory does not fail.
    let mut line = |text: String| drop(encoder.write_all(text.as_bytes()).and_then(|()| encoder.write_all(b"\n")));
    if is_csv {
        line(named.iter().map(|(_, title)| quoted(title)).collect::<Vec<_>>().join(","));
    }
    let users = state.collection(USERS).map(|(_, user)| user);
    let wanted = users.filter(|user| connection.is_empty() || has(user, "identities.connection", connection));
    for user in wanted.take(limit) {
        let user = visible(user);
        if is_csv {
            line(named.iter().map(|(name, _)| cell(at(&user, name))).collect::<Vec<_>>().join(","));
        } else {
            let members = named.iter().filter_map(|(name, title)| Some((title.clone(), at(&user, name)?.clone())));
            line(Value::Object(members.collect::<Map<_, _>>()).to_string());
        }
    }
    encoder.finish().unwrap_or_default()
}

/// Follows a path such as `identities[0].connection` or `user_metadata.theme`.
fn at<'a>(user: &'a Value, path: &str) -> Option<&'a Value> {
    path.split('.').try_fold(user, |value, step| {
        let (name, rest) = step.split_once('[').unwrap_or((step, ""));
        let value = value.get(name)?;
        match rest.strip_suffix(']').and_then(|index| index.parse::<usize>().ok()) {
            Some(index) => value.get(index),
            None => Some(value),
        }
    })
}

/// Texts begin with an apostrophe, so that no spreadsheet takes one for a formula (Auth0 documentation, bulk exports).
fn cell(value: Option<&Value>) -> String {
    match value {
        None | Some(Value::Null) => String::new(),
        Some(Value::String(text)) => quoted(&format!("'{text}")),
        Some(other) => quoted(&other.to_string()),
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}
