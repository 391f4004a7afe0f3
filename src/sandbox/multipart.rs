//! Bodies of `multipart/form-data`: what an import of users comes in.

use serde_json::{Map, Value};

use super::call::ApiError;

/// Member that tells a body that came in parts from a JSON object.
pub(super) const MARK: &str = "$parts";

/// Reads a body into an object: name of a part → its content as text.
///
/// # Errors
/// 400 where the body is not what its `Content-Type` says.
pub(super) fn parts(content_type: &str, body: &[u8]) -> Result<Value, ApiError> {
    let broken = || ApiError::invalid_body("Payload validation error: 'Invalid multipart payload format'.");
    let boundary = boundary(content_type).ok_or_else(broken)?;
    let mut found = Map::new();
    found.insert(MARK.to_owned(), Value::Bool(true));
    let opening = format!("--{boundary}");
    let mut rest = after(body, opening.as_bytes()).ok_or_else(broken)?;
    loop {
        if rest.starts_with(b"--") {
            return Ok(Value::Object(found));
        }
        rest = rest.strip_prefix(b"\r\n").ok_or_else(broken)?;
        let (head, content) = split(rest, b"\r\n\r\n").ok_or_else(broken)?;
        let (content, next) = split(content, format!("\r\n{opening}").as_bytes()).ok_or_else(broken)?;
        let name = name(&String::from_utf8_lossy(head)).ok_or_else(broken)?;
        found.entry(name).or_insert_with(|| Value::String(String::from_utf8_lossy(content).into_owned()));
        rest = next;
    }
}

fn boundary(content_type: &str) -> Option<&str> {
    let (_, after) = content_type.split_once("boundary=")?;
    let boundary = after.split(';').next()?.trim().trim_matches('"');
    (!boundary.is_empty()).then_some(boundary)
}

/// Takes the `name` of `Content-Disposition`.
fn name(head: &str) -> Option<String> {
    let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("content-disposition:"))?;
    let written = line.split(';').map(str::trim).find_map(|part| part.strip_prefix("name="))?;
    Some(written.trim_matches('"').to_owned())
}

fn position(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

fn split<'a>(text: &'a [u8], part: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = position(text, part)?;
    Some((text.get(..at)?, text.get(at + part.len()..)?))
}

fn after<'a>(text: &'a [u8], part: &[u8]) -> Option<&'a [u8]> {
    split(text, part).map(|(_, rest)| rest)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const KIND: &str = "multipart/form-data; boundary=\"xx\"";

    #[test]
    fn parts_are_read_by_name() {
        let body = b"--xx\r\nContent-Disposition: form-data; name=\"users\"; filename=\"u.json\"\r\nContent-Type: \
                     application/json\r\n\r\n[1,\r\n2]\r\n--xx\r\ncontent-disposition: form-data; \
                     name=upsert\r\n\r\ntrue\r\n--xx--\r\n";
        let parts = parts(KIND, body).unwrap();
        assert_eq!((&parts["users"], &parts["upsert"]), (&Value::from("[1,\r\n2]"), &Value::from("true")));
    }

    #[test]
    fn what_is_no_multipart_body_is_refused() {
        for (kind, body) in [
            ("multipart/form-data", &b"--xx--"[..]),
            (KIND, b"{}"),
            (KIND, b"--xx\r\nContent-Disposition: form-data\r\n\r\n1\r\n--xx--"),
            (KIND, b"--xx\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1"),
        ] {
            assert_eq!(parts(kind, body).unwrap_err().status, 400);
        }
    }
}
