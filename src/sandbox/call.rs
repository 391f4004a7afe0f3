//! What goes into the simulator and what comes out of it.

use std::fmt;

use serde_json::{Map, Value, json};

/// HTTP methods the Management API uses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// Reads.
    Get,
    /// Creates.
    Post,
    /// Changes in part.
    Patch,
    /// Replaces.
    Put,
    /// Deletes.
    Delete,
}

/// Who calls: taken from the access token.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Caller {
    /// `azp` of the token: the client it was issued to. Empty for a dashboard user.
    pub client_id: String,
    /// Scopes of the token.
    pub scopes: Vec<String>,
    /// A dashboard user (name, e-mail), when the token acts as one.
    pub user: Option<(String, String)>,
    /// Address the request came from.
    pub ip: String,
    /// Where the sandbox listens: `http://127.0.0.1:4000`; links to downloads begin so.
    pub origin: String,
    /// `User-Agent` of the request.
    pub user_agent: String,
    /// `X-Correlation-ID` of the request, at most 64 characters.
    pub correlation_id: Option<String>,
}

/// One request, its body and query already checked against the contract.
#[derive(Clone)]
pub struct Call {
    /// HTTP method.
    pub method: Method,
    /// Path below `/api/v2`, percent-decoded, split at `/`: `["clients", "abc"]`.
    pub segments: Vec<String>,
    /// Values of the path's `{parameters}`, in the order they stand there.
    pub params: Vec<String>,
    /// Query parameters in the order given; repeated names stay repeated.
    pub query: Vec<(String, String)>,
    /// JSON body; `Value::Null` where there is none.
    pub body: Value,
    /// Who calls.
    pub caller: Caller,
    /// Milliseconds since the Unix epoch, by the sandbox's clock.
    pub now_ms: i64,
}

impl Call {
    /// Returns the n-th path parameter, 0-based, or the empty string.
    pub fn param(&self, n: usize) -> &str {
        self.params.get(n).map_or("", String::as_str)
    }

    /// Returns the first query parameter of that name.
    pub fn query(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Says whether a query parameter is `true`.
    pub fn flag(&self, name: &str) -> bool {
        self.query(name) == Some("true")
    }

    /// Returns the body as an object; an empty one where it is none.
    pub fn fields(&self) -> Map<String, Value> {
        self.body.as_object().cloned().unwrap_or_default()
    }
}

/// A successful answer.
#[derive(Clone, PartialEq)]
pub struct Reply {
    /// HTTP status, 200 to 299.
    pub status: u16,
    /// JSON body; `None` for an empty one.
    pub body: Option<Value>,
}

impl fmt::Debug for Reply {
    /// Without the body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Reply { status, body: _ } = self;
        f.debug_struct("Reply").field("status", status).finish_non_exhaustive()
    }
}

impl Reply {
    /// 200 with a body.
    pub fn ok(body: Value) -> Self {
        Reply { status: 200, body: Some(body) }
    }
    /// 201 with a body.
    pub fn created(body: Value) -> Self {
        Reply { status: 201, body: Some(body) }
    }
    /// 204 without a body.
    pub fn no_content() -> Self {
        Reply { status: 204, body: None }
    }
}

/// A refusal in the Management API's shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApiError {
    /// HTTP status, 400 to 599.
    pub status: u16,
    /// Sentence for people.
    pub message: String,
    /// `errorCode`, where the API sends one.
    pub code: Option<String>,
}

impl ApiError {
    /// Any refusal with an error code.
    pub fn new(status: u16, code: &str, message: impl Into<String>) -> Self {
        ApiError { status, message: message.into(), code: Some(code.to_owned()) }
    }
    /// Any refusal without an error code.
    pub fn bare(status: u16, message: impl Into<String>) -> Self {
        ApiError { status, message: message.into(), code: None }
    }
    /// 400 `invalid_body`.
    pub fn invalid_body(message: impl Into<String>) -> Self {
        Self::new(400, "invalid_body", message)
    }
    /// Returns the error object as the API writes it.
    pub fn to_json(&self) -> Value {
        let reason = match self.status {
            400 => "Bad Request",
            401 => "Unauthorized",
            402 => "Payment Required",
            403 => "Forbidden",
            404 => "Not Found",
            409 => "Conflict",
            412 => "Precondition Failed",
            413 => "Payload Too Large",
            429 => "Too Many Requests",
            503 => "Service Unavailable",
            _ => "Internal Server Error",
        };
        let mut out = json!({"statusCode": self.status, "error": reason, "message": self.message});
        if let (Some(code), Some(object)) = (&self.code, out.as_object_mut()) {
            object.insert("errorCode".to_owned(), Value::String(code.clone()));
        }
        out
    }
}

/// What a handler answers.
pub type Outcome = Result<Reply, ApiError>;
