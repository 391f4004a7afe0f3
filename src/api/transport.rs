//! Builds the HTTP client and says in words why a connection failed.

use std::error::Error;
use std::io;
use std::path::Path;
use std::time::Duration;

use reqwest::{Certificate, ClientBuilder, Proxy};
use rustls::CertificateError;

use super::error::Cause;
use super::origin::Origin;
use super::settings::Settings;
use crate::problem::Problem;

/// Long enough for a slow network, short enough to try again.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(15);

/// Below the idle time after which load balancers close connections, so that a write seldom meets a closed one.
const POOL_IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Builds the one connection pool.
///
/// # Errors
///
/// `bad-ca-file`, `bad-proxy`, `tls-failure`.
pub(super) fn build(settings: &Settings, origin: &Origin) -> Result<reqwest::Client, Problem> {
    let extra = settings.ca_file.as_deref().map(authorities).transpose()?.unwrap_or_default();
    // `SSL_CERT_FILE` and `SSL_CERT_DIR` are honoured by the platform's verifier.
    base(settings, origin)?.tls_certs_merge(extra.clone()).build().or_else(|error| {
        tracing::debug!(%error, "no certificate authorities on this system, using those built in");
        let built_in = webpki_root_certs::TLS_SERVER_ROOT_CERTS
            .iter()
            .filter_map(|der| Certificate::from_der(der).ok())
            .chain(extra);
        base(settings, origin)?
            .tls_certs_only(built_in)
            .build()
            .map_err(|error| Problem::error("tls-failure", "the HTTPS client cannot be set up").note(deepest(&error)))
    })
}

fn base(settings: &Settings, origin: &Origin) -> Result<ClientBuilder, Problem> {
    let builder = reqwest::Client::builder()
        .user_agent(&settings.user_agent)
        .connect_timeout(CONNECT_TIMEOUT)
        .pool_idle_timeout(POOL_IDLE_TIMEOUT)
        // A redirect would carry the token, and possibly a write, elsewhere.
        .redirect(reqwest::redirect::Policy::none())
        // Repetition is decided in one place, where it is known what must not be sent twice.
        .retry(reqwest::retry::never())
        .tls_backend_rustls();
    if origin.is_loopback() {
        // Through a proxy it would not be this machine any more, and plain HTTP would leave it.
        return Ok(builder.no_proxy());
    }
    match &settings.proxy {
        None => Ok(builder),
        Some(url) => Proxy::all(url).map(|proxy| builder.proxy(proxy)).map_err(|_| {
            // The URL is not shown: it may hold a password.
            Problem::error("bad-proxy", "the proxy's address is not a URL").help("write it as http://host:port")
        }),
    }
}

fn authorities(path: &Path) -> Result<Vec<Certificate>, Problem> {
    let bad = |why: String| {
        Problem::error("bad-ca-file", format!("no certificate authorities can be read from `{}`", path.display()))
            .note(why)
            .help("give a file of certificates in PEM form")
    };
    let pem = std::fs::read(path).map_err(|error| bad(error.to_string()))?;
    let found = Certificate::from_pem_bundle(&pem).map_err(|error| bad(deepest(&error)))?;
    if found.is_empty() { Err(bad("it holds no certificate".to_owned())) } else { Ok(found) }
}

/// Why no answer came.
#[derive(Debug, Clone)]
pub(super) struct Trouble {
    pub(super) cause: Cause,
    pub(super) reason: String,
    /// Whether the request may have reached the server.
    pub(super) sent: bool,
    pub(super) timed_out: bool,
}

impl Trouble {
    /// Reads an error of the HTTP client.
    pub(super) fn of(error: &reqwest::Error, host: &str) -> Self {
        let sent = !error.is_connect() && !error.is_builder();
        let tls = chain(error).find_map(|cause| cause.downcast_ref::<rustls::Error>());
        let (cause, reason) = if let Some(tls) = tls {
            (Cause::Tls, format!("{host}: {}", tls_words(tls)))
        } else if error.is_timeout() {
            (Cause::Network, format!("{host} did not answer in time"))
        } else if error.is_dns() {
            (Cause::Network, format!("the name {host} cannot be resolved"))
        } else {
            (Cause::Network, format!("{host}: {}", deepest(error)))
        };
        Trouble { cause, reason, sent, timed_out: error.is_timeout() }
    }
}

/// Walks an error and its causes, including those that `io::Error` wraps without naming them as a source.
fn chain<'a>(error: &'a (dyn Error + 'static)) -> impl Iterator<Item = &'a (dyn Error + 'static)> {
    std::iter::successors(Some(error), |error| cause_of(*error))
}

fn cause_of<'a>(error: &'a (dyn Error + 'static)) -> Option<&'a (dyn Error + 'static)> {
    match error.downcast_ref::<io::Error>().and_then(io::Error::get_ref) {
        Some(inner) => Some(inner),
        None => error.source(),
    }
}

fn tls_words(error: &rustls::Error) -> String {
    use CertificateError as C;
    let rustls::Error::InvalidCertificate(why) = error else { return error.to_string() };
    match why {
        C::UnknownIssuer => "its certificate is signed by an authority that is not trusted here".to_owned(),
        C::Expired | C::ExpiredContext { .. } => "its certificate has expired".to_owned(),
        C::NotValidYet | C::NotValidYetContext { .. } => {
            "its certificate is not valid yet; is the clock of this machine right?".to_owned()
        }
        C::NotValidForName | C::NotValidForNameContext { .. } => "its certificate is for another name".to_owned(),
        C::Revoked => "its certificate is revoked".to_owned(),
        _ => error.to_string(),
    }
}

/// Returns the innermost cause in words: the outer ones repeat it with less detail.
pub(super) fn deepest(error: &(dyn Error + 'static)) -> String {
    chain(error).last().map(ToString::to_string).unwrap_or_default()
}
