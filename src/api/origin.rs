//! Where a tenant answers, and how paths below it are written.

use std::net::IpAddr;

use url::{Host, Url};

use crate::problem::Problem;

/// Scheme, host and port of a tenant.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// `https://tenant.eu.auth0.com`, without a slash at the end.
    base: String,
    /// `tenant.eu.auth0.com`, with the port where it is not the usual one.
    host: String,
    loopback: bool,
}

impl Origin {
    /// Reads a host, `host:port`, or a URL without path.
    ///
    /// # Errors
    ///
    /// `bad-domain`; `plain-http` for HTTP to anything but this machine.
    pub(super) fn parse(domain: &str) -> Result<Self, Problem> {
        let bad = |why: &str| {
            Problem::error("bad-domain", format!("`{domain}` is not a tenant domain"))
                .note(why.to_owned())
                .help("give the domain alone, as in travel0.eu.auth0.com")
        };
        let written = domain.trim();
        let full = if written.contains("://") { written.to_owned() } else { format!("https://{written}") };
        let url = Url::parse(&full).map_err(|error| bad(&error.to_string()))?;
        if !url.username().is_empty() || url.password().is_some() {
            // Not shown: what stands before the `@` may be a password.
            return Err(Problem::error("bad-domain", "the tenant domain holds a user name or password")
                .help("give the domain alone, as in travel0.eu.auth0.com"));
        }
        if !matches!(url.path(), "" | "/") || url.query().is_some() || url.fragment().is_some() {
            return Err(bad("it has a path or a query"));
        }
        let host = url.host().ok_or_else(|| bad("it has no host"))?;
        let loopback = is_loopback(&host);
        match url.scheme() {
            "https" => {}
            "http" if loopback => {}
            "http" => {
                return Err(Problem::error("plain-http", format!("`{domain}` would send credentials unencrypted"))
                    .note("plain HTTP is used to this machine only")
                    .help(format!("use https://{host}")));
            }
            other => return Err(bad(&format!("`{other}` is neither https nor http"))),
        }
        let host = match url.port() {
            Some(port) => format!("{host}:{port}"),
            None => host.to_string(),
        };
        Ok(Origin { base: format!("{}://{host}", url.scheme()), host, loopback })
    }

    /// Returns host and port.
    pub(super) fn host(&self) -> &str {
        &self.host
    }

    /// Says whether the tenant is on this machine.
    pub(super) fn is_loopback(&self) -> bool {
        self.loopback
    }

    /// Returns the root as a URL; also what an assertion is made out to.
    pub(super) fn root(&self) -> String {
        format!("{}/", self.base)
    }

    /// Returns the token endpoint.
    pub(super) fn token_endpoint(&self) -> String {
        format!("{}/oauth/token", self.base)
    }

    /// Returns the URL of a path below `/api/v2`.
    pub(super) fn api(&self, path: &str) -> String {
        format!("{}/api/v2/{}", self.base, path.trim_start_matches('/'))
    }

    /// Returns the audience of the Management API under this name.
    pub(super) fn audience(&self) -> String {
        format!("https://{}/api/v2/", self.host)
    }
}

/// Returns the tenant domain that a Management API identifier names: `https://X/api/v2/` gives `X`.
pub(super) fn domain_of_audience(audience: &str) -> Option<&str> {
    let rest = audience.strip_prefix("https://").or_else(|| audience.strip_prefix("http://"))?;
    let host = rest.trim_end_matches('/').strip_suffix("/api/v2")?;
    (!host.is_empty() && !host.contains('/')).then_some(host)
}

fn is_loopback(host: &Host<&str>) -> bool {
    match host {
        Host::Domain(name) => name.trim_end_matches('.').eq_ignore_ascii_case("localhost"),
        Host::Ipv4(ip) => IpAddr::from(*ip).is_loopback(),
        Host::Ipv6(ip) => IpAddr::from(*ip).is_loopback(),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_domain_is_a_host_a_port_or_a_url() {
        assert_eq!(Origin::parse("travel0.eu.auth0.com").unwrap().root(), "https://travel0.eu.auth0.com/");
        assert_eq!(Origin::parse("localhost:4433").unwrap().api("/clients"), "https://localhost:4433/api/v2/clients");
        assert_eq!(Origin::parse("https://travel0.com/").unwrap().host(), "travel0.com");
        assert_eq!(Origin::parse("http://127.0.0.1:81").unwrap().audience(), "https://127.0.0.1:81/api/v2/");
        assert_eq!(Origin::parse("http://[::1]:81").unwrap().host(), "[::1]:81");
    }

    #[test]
    fn what_is_no_domain_is_named() {
        for domain in ["", "a b", "travel0.com/api/v2/", "ftp://travel0.com", "travel0.com?x=1"] {
            assert_eq!(Origin::parse(domain).unwrap_err().id, "bad-domain", "{domain}");
        }
        let problem = Origin::parse("https://me:hunter2@travel0.com").unwrap_err();
        assert!(!format!("{problem:?}").contains("hunter2"));
    }

    #[test]
    fn plain_http_leaves_this_machine_for_nobody() {
        for domain in ["http://travel0.eu.auth0.com", "http://10.0.0.1", "http://127.0.0.1.nip.io", "http://0.0.0.0:80"]
        {
            assert_eq!(Origin::parse(domain).unwrap_err().id, "plain-http", "{domain}");
        }
    }

    #[test]
    fn an_audience_names_its_tenant() {
        assert_eq!(domain_of_audience("https://travel0.eu.auth0.com/api/v2/"), Some("travel0.eu.auth0.com"));
        assert_eq!(domain_of_audience("https://orders.example/"), None);
        assert_eq!(domain_of_audience("https:///api/v2/"), None);
        assert_eq!(domain_of_audience("https://a/b/api/v2/"), None);
    }
}
