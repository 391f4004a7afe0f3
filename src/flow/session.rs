//! A connection to the tenant, or to the sandbox in its place.

use std::time::Duration;

use super::Request;
use crate::api::{self, Client};
use crate::files;
use crate::model::{FingerprintKey, Secret};
use crate::problem::Problem;
use crate::project::{CredentialSettings, Resolved, SecretContext, SecretSource, Settings, resolve_secret};
use crate::sandbox;

/// Longest one call may take, waiting for the rate limit and repetitions included.
const DEADLINE: Duration = Duration::from_secs(300);

/// Most repetitions of one call; auth0-deploy-cli's default too (8.43 source).
const RETRIES: u32 = 10;

/// Seed of a rehearsal's ids.
const REHEARSAL_SEED: u64 = 0x7265_6865_6172_7361;

/// A connection, and the sandbox it goes to where it does.
pub struct Session {
    /// The connection.
    pub client: Client,
    /// A key for fingerprints made of the credential; `None` where a token was given.
    pub key: Option<FingerprintKey>,
    /// The embedded sandbox; it ends with the session.
    sandbox: Option<sandbox::Running>,
}

impl Session {
    /// Connects to what the settings name.
    ///
    /// # Errors
    ///
    /// `no-tenant`, `missing-credentials`, `unreadable-file`, `sandbox-failed`, and those of [`Client::connect`].
    pub async fn open(settings: &Settings, request: &Request) -> Result<Session, Problem> {
        let place = settings.target.as_ref().and_then(|target| target.locus.clone());
        let (connection, sandbox) = match &settings.sandbox {
            Some(wanted) => {
                let running = sandbox::start(sandbox::Options {
                    tenant_domain: Some(wanted.domain.clone()),
                    state_file: Some(wanted.state.clone()),
                    ..sandbox::Options::default()
                })
                .await
                .map_err(|error| {
                    Problem::error("sandbox-failed", format!("the sandbox cannot start: {error}"))
                        .help(format!("look at {}, or remove it to begin anew", wanted.state.display()))
                })?;
                (sandbox_settings(&running, request), Some(running))
            }
            None => (tenant_settings(settings, request).await?, None),
        };
        Session::connect(connection, sandbox, request).await.map_err(|problem| match problem.id {
            "bad-domain" | "plain-http" => problem.at_maybe(place.as_ref()),
            _ => problem,
        })
    }

    /// Connects to a fresh sandbox that is kept nowhere and knows no limits, for a rehearsal.
    ///
    /// # Errors
    ///
    /// `sandbox-failed`, and those of [`Client::connect`].
    pub async fn rehearsal(domain: &str, request: &Request) -> Result<Session, Problem> {
        // Ids of its own: an archive of a sandbox must not find its ids here.
        let options = sandbox::Options {
            tenant_domain: Some(domain.to_owned()),
            rate: None,
            seed: REHEARSAL_SEED,
            ..sandbox::Options::default()
        };
        let running = sandbox::start(options).await.map_err(|error| {
            Problem::error("sandbox-failed", format!("the sandbox cannot start: {error}"))
                .help("a rehearsal needs a free port on 127.0.0.1")
        })?;
        Session::connect(sandbox_settings(&running, request), Some(running), request).await
    }

    async fn connect(
        settings: api::Settings,
        sandbox: Option<sandbox::Running>,
        request: &Request,
    ) -> Result<Session, Problem> {
        let key = match &settings.credentials {
            api::Credentials::Secret { client_secret, .. } => Some(FingerprintKey::new(client_secret.expose())),
            api::Credentials::PrivateKey { pem, .. } => Some(FingerprintKey::new(pem.expose())),
            api::Credentials::Token(_) => None,
        };
        let client = Client::connect(settings, request.cancel.clone()).await?;
        Ok(Session { client, key, sandbox })
    }

    /// Ends the sandbox, if there is one, after what is in flight.
    pub async fn close(self) {
        if let Some(sandbox) = self.sandbox {
            sandbox.stop().await;
        }
    }
}

fn sandbox_settings(running: &sandbox::Running, request: &Request) -> api::Settings {
    let credentials = api::Credentials::Secret {
        client_id: running.client_id.clone(),
        client_secret: Secret::new(running.client_secret.clone(), "the sandbox"),
    };
    let audience = Some(format!("https://{}/api/v2/", running.tenant_domain));
    settings(running.url.clone(), audience, credentials, request)
}

async fn tenant_settings(from: &Settings, request: &Request) -> Result<api::Settings, Problem> {
    let Some(target) = &from.target else {
        return Err(Problem::error("no-tenant", format!("environment `{}` names no tenant", from.environment))
            .help("set `domain` in the environment (AUTH0_DOMAIN without a project file), or try `--sandbox`"));
    };
    if let Some(named) = request.around.env.get("SSL_CERT_FILE").filter(|named| !named.is_empty()) {
        // Nobody would say so: without it the connection merely is not trusted.
        let path = request.around.directory.join(named);
        files::read_settings_file(&path, &request.around.directory)
            .map_err(|problem| problem.help("let SSL_CERT_FILE name a file of certificate authorities, or unset it"))?;
    }
    let credentials = match &target.credentials {
        CredentialSettings::Secret { client_id, client_secret } => {
            api::Credentials::Secret { client_id: client_id.clone(), client_secret: client_secret.clone() }
        }
        CredentialSettings::Token(token) => api::Credentials::Token(token.clone()),
        CredentialSettings::PrivateKey { client_id, path, algorithm } => {
            let (_, bytes) = files::read_settings_file(path, &request.around.directory)?;
            api::Credentials::PrivateKey {
                client_id: client_id.clone(),
                pem: Secret::new(String::from_utf8_lossy(&bytes), "the private key"),
                algorithm: algorithm.parse()?,
            }
        }
        CredentialSettings::Keyring(name) => keyring(name, from, request).await?,
        CredentialSettings::Missing(problem) => return Err(problem.clone()),
    };
    let mut out = settings(target.domain.clone(), target.audience.clone(), credentials, request);
    out.max_retries = target.max_retries.unwrap_or(RETRIES);
    out.ca_file = None;
    Ok(out)
}

/// A keyring entry holds `CLIENT_ID:CLIENT_SECRET`.
async fn keyring(name: &str, from: &Settings, request: &Request) -> Result<api::Credentials, Problem> {
    let context = SecretContext {
        env: request.around.env.clone(),
        folder: from.root.clone(),
        command_timeout: crate::project::COMMAND_TIMEOUT,
    };
    let missing = |why: String| {
        Problem::error("missing-credentials", format!("the keyring has no credentials `{name}`"))
            .note(why)
            .help("store CLIENT_ID:CLIENT_SECRET there, or set AUTH0_CLIENT_ID and AUTH0_CLIENT_SECRET")
    };
    match resolve_secret(&SecretSource::Keyring(name.to_owned()), "the keyring", &context).await {
        Resolved::Known(entry) => match entry.expose().split_once(':') {
            Some((id, secret)) => Ok(api::Credentials::Secret {
                client_id: id.trim().to_owned(),
                client_secret: Secret::new(secret.trim(), "the keyring"),
            }),
            None => Err(missing("the entry is not CLIENT_ID:CLIENT_SECRET".to_owned())),
        },
        Resolved::Missing(why) => Err(missing(why)),
    }
}

fn settings(
    domain: String,
    audience: Option<String>,
    credentials: api::Credentials,
    request: &Request,
) -> api::Settings {
    api::Settings {
        domain,
        audience,
        credentials,
        ca_file: None,
        proxy: None,
        budget: request.budget,
        deadline: DEADLINE,
        max_retries: RETRIES,
        user_agent: concat!("tenantry/", env!("CARGO_PKG_VERSION")).to_owned(),
    }
}
