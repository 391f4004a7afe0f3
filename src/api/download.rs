//! Files that jobs leave outside the Management API: read by a link that is proof enough, without the token.

use std::net::IpAddr;
use std::sync::atomic::Ordering;
use std::time::Duration;

use reqwest::Method;
use tokio_util::sync::CancellationToken;
use url::{Host, Url};

use super::client::Client;
use super::error::Failure;
use super::transport::Trouble;

/// The longest pause in a file that comes; how long the whole takes is not limited.
const SILENCE: Duration = Duration::from_secs(60);

/// A file that comes in pieces.
pub struct Download {
    response: reqwest::Response,
    cancel: CancellationToken,
    /// What failures say was read. Never the link: whoever has it can read the file.
    name: String,
}

impl Client {
    /// Begins to read the file at a link that an answer of the API named, such as the `location` of a job.
    ///
    /// The token is not sent: the file lies with another service. `name` is what failures call it.
    ///
    /// # Errors
    ///
    /// [`Failure::Refused`] where the link does not hold (any more), [`Failure::Unreachable`], [`Failure::Cancelled`];
    /// [`Failure::BadAnswer`] for a link that is none, or leaves the machine unencrypted.
    pub async fn download(&self, link: &str, name: &str) -> Result<Download, Failure> {
        let (inner, cancel) = self.inside();
        let bad = |status: u16, reason: &str| Failure::BadAnswer {
            method: Method::GET,
            path: name.to_owned(),
            status,
            reason: reason.to_owned(),
        };
        let url = Url::parse(link).map_err(|_| bad(200, "the link to the file is no URL"))?;
        match url.scheme() {
            "https" => {}
            "http" if is_loopback(&url) && inner.origin.is_loopback() => {}
            _ => return Err(bad(200, "the link to the file is not encrypted (https)")),
        }
        let host = url.host_str().unwrap_or_default().to_owned();
        inner.requests.fetch_add(1, Ordering::Relaxed);
        let sending = tokio::time::timeout(SILENCE, inner.http.get(url).send());
        let response = tokio::select! {
            () = cancel.cancelled() => return Err(Failure::Cancelled),
            response = sending => response,
        };
        let unreachable = |trouble: Trouble| Failure::Unreachable {
            method: Method::GET,
            path: name.to_owned(),
            cause: trouble.cause,
            reason: trouble.reason,
        };
        let response = response
            .map_err(|_| bad(0, "no answer within a minute"))?
            .map_err(|error| unreachable(Trouble::of(&error.without_url(), &host)))?;
        let status = response.status().as_u16();
        tracing::debug!(method = "GET", path = name, status, "download");
        match status {
            200..300 => Ok(Download { response, cancel: cancel.clone(), name: name.to_owned() }),
            300..400 => Err(bad(status, "it redirects elsewhere")),
            _ => Err(Failure::Refused {
                method: Method::GET,
                path: name.to_owned(),
                status,
                code: None,
                message: "the link to the file does not hold".to_owned(),
            }),
        }
    }
}

impl Download {
    /// Returns the next piece; `None` at the end of the file.
    ///
    /// # Errors
    ///
    /// [`Failure::BadAnswer`] when the file breaks off, [`Failure::Cancelled`].
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, Failure> {
        let broken = |reason: &str| Failure::BadAnswer {
            method: Method::GET,
            path: self.name.clone(),
            status: 200,
            reason: reason.to_owned(),
        };
        let piece = tokio::select! {
            () = self.cancel.cancelled() => return Err(Failure::Cancelled),
            piece = tokio::time::timeout(SILENCE, self.response.chunk()) => piece,
        };
        match piece {
            Err(_) => Err(broken("nothing more came for a minute")),
            Ok(Err(_)) => Err(broken("the file broke off")),
            Ok(Ok(piece)) => Ok(piece.map(|bytes| bytes.to_vec())),
        }
    }
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Ipv4(ip)) => IpAddr::from(ip).is_loopback(),
        Some(Host::Ipv6(ip)) => IpAddr::from(ip).is_loopback(),
        Some(Host::Domain(name)) => name.eq_ignore_ascii_case("localhost"),
        None => false,
    }
}
