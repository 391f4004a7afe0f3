//! An HTTP exchange without the HTTP: what the server hands to the tenant and gets back.

use serde_json::Value;

use super::call::{ApiError, Method};

/// A request to the Management API or the token endpoint.
#[derive(Clone)]
pub struct Request {
    /// HTTP method.
    pub method: Method,
    /// Path and query as sent, percent-encoded: `/api/v2/clients?page=0`.
    pub target: String,
    /// Body as sent.
    pub body: Vec<u8>,
    /// `Content-Type`.
    pub content_type: Option<String>,
    /// `Authorization`.
    pub authorization: Option<String>,
    /// Address of the caller.
    pub ip: String,
    /// Where the sandbox listens: `http://127.0.0.1:4000`; links to downloads begin so.
    pub origin: String,
    /// `User-Agent`.
    pub user_agent: String,
    /// `X-Correlation-ID`.
    pub correlation_id: Option<String>,
    /// `Auth0-Client`: what an SDK says of itself, Base64 of JSON.
    pub auth0_client: Option<String>,
}

impl Request {
    /// Returns a request without body and headers.
    pub fn new(method: Method, target: &str) -> Request {
        Request {
            method,
            target: target.to_owned(),
            body: Vec::new(),
            content_type: None,
            authorization: None,
            ip: "127.0.0.1".to_owned(),
            origin: "http://127.0.0.1".to_owned(),
            user_agent: String::new(),
            correlation_id: None,
            auth0_client: None,
        }
    }

    /// Returns the path, percent-encoded, without the query.
    pub fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// Returns the decoded segments below a prefix; `None` outside it.
    pub fn segments(&self, prefix: &str) -> Option<Vec<String>> {
        let rest = self.path().strip_prefix(prefix)?;
        Some(rest.split('/').filter(|segment| !segment.is_empty()).map(decoded).collect())
    }

    /// Returns the decoded query parameters, in order.
    pub fn query(&self) -> Vec<(String, String)> {
        let query = self.target.split_once('?').map_or("", |(_, query)| query);
        url::form_urlencoded::parse(query.as_bytes()).into_owned().collect()
    }
}

/// Undoes percent-encoding; `+` stands for itself in a path.
fn decoded(segment: &str) -> String {
    let kept = segment.replace('+', "%2B").replace('&', "%26").replace('=', "%3D");
    url::form_urlencoded::parse(kept.as_bytes()).next().map_or_else(String::new, |(text, _)| text.into_owned())
}

/// An answer.
#[derive(Clone, PartialEq)]
pub struct Answer {
    /// HTTP status.
    pub status: u16,
    /// JSON body; `None` for an empty one.
    pub body: Option<Value>,
}

impl From<ApiError> for Answer {
    fn from(error: ApiError) -> Answer {
        Answer { status: error.status, body: Some(error.to_json()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_decoded_segment_by_segment() {
        let request = Request::new(Method::Get, "/api/v2/users/auth0%7Ca+b%2Fc=d&e?x=1&x=a%20b");
        assert_eq!(request.segments("/api/v2"), Some(vec!["users".to_owned(), "auth0|a+b/c=d&e".to_owned()]));
        assert_eq!(request.segments("/other"), None);
        assert_eq!(request.query(), [("x".to_owned(), "1".to_owned()), ("x".to_owned(), "a b".to_owned())]);
    }
}
