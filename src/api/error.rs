//! [`Failure`]: how a call can end without an answer, and what people are told about it.

use std::time::Duration;

use reqwest::Method;

use crate::problem::Problem;

/// Why the server could not be reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cause {
    /// No name, no route, no connection, or one that broke.
    Network,
    /// The server's certificate, or its TLS, was not accepted.
    Tls,
}

/// How a call ended without what was asked for.
#[derive(Debug, Clone, PartialEq)]
pub enum Failure {
    /// The API refused, in its own words.
    Refused {
        /// What was tried.
        method: Method,
        /// Path below `/api/v2`.
        path: String,
        /// HTTP status.
        status: u16,
        /// The API's `errorCode`, where it sent one.
        code: Option<String>,
        /// The API's message.
        message: String,
    },
    /// The token lacks a scope.
    Scope {
        /// What was tried.
        method: Method,
        /// Path below `/api/v2`.
        path: String,
        /// Scopes of which any would do; empty where the API did not say.
        needed: Vec<String>,
        /// The API's message.
        message: String,
    },
    /// The tenant's subscription lacks the feature.
    Feature {
        /// What was tried.
        method: Method,
        /// Path below `/api/v2`.
        path: String,
        /// HTTP status.
        status: u16,
        /// The API's message.
        message: String,
    },
    /// The path names nothing.
    NotFound {
        /// What was tried.
        method: Method,
        /// Path below `/api/v2`.
        path: String,
        /// The API's `errorCode`, where it sent one.
        code: Option<String>,
        /// The API's message.
        message: String,
    },
    /// A write may or may not have been done: its answer was lost.
    InDoubt {
        /// What was tried.
        method: Method,
        /// Path below `/api/v2`.
        path: String,
        /// What happened to the answer.
        reason: String,
    },
    /// The server was not reached; nothing was written.
    Unreachable {
        /// What was tried.
        method: Method,
        /// Path below `/api/v2`.
        path: String,
        /// Which sort of trouble.
        cause: Cause,
        /// The trouble in words.
        reason: String,
    },
    /// No answer within the time allowed; nothing was written.
    Deadline {
        /// What was tried.
        method: Method,
        /// Path below `/api/v2`.
        path: String,
        /// How long it was tried.
        waited: Duration,
    },
    /// The run was interrupted before the request was sent.
    Cancelled,
    /// The answer is not what the Management API answers.
    BadAnswer {
        /// What was tried.
        method: Method,
        /// Path below `/api/v2`.
        path: String,
        /// HTTP status.
        status: u16,
        /// What is wrong with it.
        reason: String,
    },
    /// No token could be had.
    Token(Box<Problem>),
}

impl Failure {
    /// Reads an answer that is not a success.
    pub(super) fn of_answer(method: &Method, path: &str, status: u16, body: Option<&serde_json::Value>) -> Failure {
        let (method, path) = (method.clone(), path.to_owned());
        let text = |key: &str| body.and_then(|b| b.get(key)).and_then(serde_json::Value::as_str);
        let code = text("errorCode").map(str::to_owned);
        // A body that is not the API's (a proxy's page, say) is never shown.
        let message = text("message").or_else(|| text("error")).unwrap_or("no message").to_owned();
        let message = shortened(&message);
        match status {
            404 => Failure::NotFound { method, path, code, message },
            402 | 501 => Failure::Feature { method, path, status, message },
            403 if is_about_subscription(code.as_deref(), &message) => {
                Failure::Feature { method, path, status, message }
            }
            403 if code.as_deref() == Some("insufficient_scope") || message.starts_with("Insufficient scope") => {
                Failure::Scope { method, path, needed: scopes_in(&message), message }
            }
            300..400 => Failure::BadAnswer {
                method,
                path,
                status,
                reason: "it redirects elsewhere, where a token must not go".to_owned(),
            },
            _ => Failure::Refused { method, path, status, code, message },
        }
    }

    /// Says what happened, as a problem people can act on.
    pub fn problem(&self) -> Problem {
        match self {
            Failure::Refused { method, path, status: 429, message, .. } => {
                Problem::error("rate-limited", format!("Auth0 still answers {method} /{path} with too many requests"))
                    .note(format!("Auth0 says: {message}"))
                    .help("run again later, or leave more room to others with --api-budget")
            }
            // Any request may be the first that meets it: none is named.
            Failure::Refused { status: 401, message, .. } => {
                Problem::error("token-refused", "Auth0 does not accept the token")
                    .note(format!("Auth0 says: {message}"))
                    .help("check that the token is for this tenant's Management API and has not expired")
            }
            Failure::Refused { method, path, status: status @ 500.., message, .. } => {
                Problem::error("server-error", format!("Auth0 failed to answer {method} /{path} ({status})"))
                    .note(format!("Auth0 says: {message}"))
                    .help("see https://status.auth0.com, then run again")
            }
            Failure::Refused { method, path, status, code, message } => {
                let code = code.as_ref().map(|code| format!(" {code}")).unwrap_or_default();
                Problem::error("api-rejected", format!("Auth0 refused {method} /{path} ({status}{code})"))
                    .note(format!("Auth0 says: {message}"))
            }
            Failure::Scope { method, path, needed, message } => {
                let problem = match needed.as_slice() {
                    [] => Problem::error("missing-scope", format!("the token may not {method} /{path}")),
                    _ => Problem::error(
                        "missing-scope",
                        format!("the token lacks the scope {} for {method} /{path}", quoted(needed, " or ")),
                    ),
                };
                let problem = problem.note(format!("Auth0 says: {message}"));
                match needed.first() {
                    Some(scope) => problem.help(format!(
                        "grant `{scope}` of the Auth0 Management API to the client that Tenantry uses, then run again"
                    )),
                    None => problem.help("run `tenantry doctor` to see which scopes are needed"),
                }
            }
            Failure::Feature { method, path, status, message } => {
                Problem::error("feature-missing", format!("this tenant cannot {method} /{path} ({status})"))
                    .note(format!("Auth0 says: {message}"))
                    .help("leave the kind out for this environment (`exclude`), or have the feature enabled")
            }
            Failure::NotFound { method, path, message, .. } => {
                Problem::error("not-found", format!("{method} /{path} names nothing on this tenant"))
                    .note(format!("Auth0 says: {message}"))
            }
            Failure::InDoubt { method, path, reason } => {
                Problem::error("in-doubt", format!("nobody knows whether {method} /{path} was done"))
                    .note(reason.clone())
                    .help("run `tenantry plan`: it shows whether the tenant has it; apply again if not")
            }
            Failure::Unreachable { method, path, cause, reason } => {
                unreachable(*cause, reason).note(format!("{method} /{path} was not carried out"))
            }
            Failure::Deadline { method, path, waited } => {
                Problem::error("no-answer", format!("{method} /{path} had no answer in {} s", waited.as_secs()))
                    .help("see https://status.auth0.com, then run again")
            }
            Failure::Cancelled => Problem::error("interrupted", "interrupted before the next request was sent"),
            Failure::BadAnswer { method, path, status, reason } => Problem::error(
                "bad-answer",
                format!("{method} /{path} was answered ({status}) with something the Management API does not send"),
            )
            .note(reason.clone())
            .help("check that the domain is the tenant's and that no proxy answers in its place"),
            Failure::Token(problem) => (**problem).clone(),
        }
    }
}

/// Says that a server was not reached.
pub(super) fn unreachable(cause: Cause, reason: &str) -> Problem {
    match cause {
        Cause::Network => Problem::error("no-network", "the tenant cannot be reached")
            .note(reason.to_owned())
            .help("check the domain, the network and the proxy (HTTPS_PROXY, NO_PROXY)"),
        Cause::Tls => Problem::error("tls-failure", "no secure connection to the tenant can be made")
            .note(reason.to_owned())
            .help("if a proxy inspects TLS here, name its certificate authority in SSL_CERT_FILE"),
    }
}

/// Cuts a text that comes from outside to a length fit for a terminal.
pub(super) fn shortened(text: &str) -> String {
    const LONGEST: usize = 500;
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}

/// Plans are told apart from scopes by code and words: supplemental signals answer a missing plan with
/// `insufficient_scope` (recorded traffic), bot detection with `insufficient_entitlement` (recorded traffic).
fn is_about_subscription(code: Option<&str>, message: &str) -> bool {
    matches!(code, Some("feature_not_enabled" | "insufficient_entitlement"))
        || message.contains("Please upgrade")
        || message.contains("The account is not allowed")
}

/// Reads the scopes of `Insufficient scope, expected any of: read:a, read:b` (recorded traffic).
fn scopes_in(message: &str) -> Vec<String> {
    let Some((_, list)) = message.split_once(':') else { return Vec::new() };
    list.split([',', ' '])
        .map(|scope| scope.trim_end_matches('.'))
        .filter(|scope| scope.contains(':'))
        .map(str::to_owned)
        .collect()
}

fn quoted(words: &[String], between: &str) -> String {
    words.iter().map(|word| format!("`{word}`")).collect::<Vec<_>>().join(between)
}
