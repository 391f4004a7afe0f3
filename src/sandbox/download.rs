//! Files that jobs leave for download, outside the Management API: a link is all it takes, as at an object storage.

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;

use super::call::Method;
use super::family::jobs;
use super::request::Request;
use super::server::Shared;

/// Prefix of every link.
pub(super) const PREFIX: &str = "/downloads/";

/// Answers a link: the file while the link holds, else an error as object storages write it.
pub(super) fn response(shared: &Shared, request: &Request) -> Response {
    if let Some(fault) = shared.faults().draw("GET", request.path()) {
        if fault.status == 0 {
            return broken_off(shared, request);
        }
        return refusal(fault.status, "ServiceUnavailable");
    }
    if request.authorization.is_some() {
        // An object storage takes one way of proof alone, and a token has no business there.
        return refusal(400, "InvalidArgument");
    }
    match file(shared, request) {
        Ok(bytes) => served(Body::from(bytes)),
        Err((status, code)) => refusal(status, code),
    }
}

fn file(shared: &Shared, request: &Request) -> Result<Vec<u8>, (u16, &'static str)> {
    let segments = request.segments(PREFIX).filter(|_| request.method == Method::Get).unwrap_or_default();
    let [job, link] = segments.as_slice() else {
        return Err((404, "NoSuchKey"));
    };
    let now_ms = shared.now_ms();
    match jobs::download(&shared.tenant().state, job, link, now_ms) {
        Some(Some(bytes)) => Ok(bytes),
        Some(None) => Err((403, "AccessDenied")),
        None => Err((404, "NoSuchKey")),
    }
}

/// Half of the file, then the end of the connection.
fn broken_off(shared: &Shared, request: &Request) -> Response {
    let bytes = file(shared, request).unwrap_or_default();
    let half = bytes.get(..bytes.len() / 2).unwrap_or_default().to_vec();
    served(Body::from_stream(futures_util::stream::iter([
        Ok::<Bytes, std::io::Error>(Bytes::from(half)),
        Err(std::io::Error::from(std::io::ErrorKind::ConnectionReset)),
    ])))
}

fn served(body: Body) -> Response {
    let mut response = Response::new(body);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/octet-stream"));
    response
}

fn refusal(status: u16, code: &str) -> Response {
    let mut response = Response::new(Body::from(format!("<Error><Code>{code}</Code></Error>")));
    *response.status_mut() = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/xml"));
    response
}
