//! What a client is made from.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use crate::model::Secret;
use crate::problem::Problem;

/// How Tenantry proves who it is.
#[derive(Debug, Clone)]
pub enum Credentials {
    /// Client credentials with a shared secret.
    Secret {
        /// The client's id.
        client_id: String,
        /// Its secret.
        client_secret: Secret,
    },
    /// Client credentials with an assertion signed by a private key (`private_key_jwt`).
    PrivateKey {
        /// The client's id.
        client_id: String,
        /// The RSA key in PEM form.
        pem: Secret,
        /// What to sign with.
        algorithm: SigningAlgorithm,
    },
    /// An access token that is used as it is and cannot be renewed.
    Token(Secret),
}

/// Algorithms Auth0 takes for a client assertion (auth0-deploy-cli 8.43 source: `AUTH0_CLIENT_SIGNING_ALGORITHM`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum SigningAlgorithm {
    /// RSA PKCS#1 v1.5 with SHA-256.
    #[default]
    Rs256,
    /// RSA PKCS#1 v1.5 with SHA-384.
    Rs384,
    /// RSA PSS with SHA-256.
    Ps256,
}

impl FromStr for SigningAlgorithm {
    type Err = Problem;

    /// Reads `RS256`, `RS384` or `PS256`.
    ///
    /// # Errors
    ///
    /// `bad-algorithm` for anything else.
    fn from_str(text: &str) -> Result<Self, Problem> {
        match text {
            "RS256" => Ok(SigningAlgorithm::Rs256),
            "RS384" => Ok(SigningAlgorithm::Rs384),
            "PS256" => Ok(SigningAlgorithm::Ps256),
            other => Err(Problem::error("bad-algorithm", format!("`{other}` is not a signing algorithm Auth0 takes"))
                .help("use RS256, RS384 or PS256")),
        }
    }
}

/// Everything a [`Client`](super::Client) needs to know before it starts.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Where the tenant answers: a host, `host:port`, or `http://127.0.0.1:PORT`.
    pub domain: String,
    /// The audience to ask a token for; `None` means `https://DOMAIN/api/v2/`.
    pub audience: Option<String>,
    /// Who is asking.
    pub credentials: Credentials,
    /// A PEM file with more certificate authorities to trust.
    pub ca_file: Option<PathBuf>,
    /// A proxy's URL; `None` means the system's proxy. A tenant on loopback never goes through one.
    pub proxy: Option<String>,
    /// The share of the tenant's rate limit to use, above 0 to 1.
    pub budget: f64,
    /// The longest one call may take from its first request on, repetitions and their waits included.
    pub deadline: Duration,
    /// How often one call may be repeated.
    pub max_retries: u32,
    /// The `User-Agent` header.
    pub user_agent: String,
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn algorithms_are_read_by_their_names() {
        assert_eq!("PS256".parse::<SigningAlgorithm>().unwrap(), SigningAlgorithm::Ps256);
        assert_eq!("HS256".parse::<SigningAlgorithm>().unwrap_err().id, "bad-algorithm");
    }
}
