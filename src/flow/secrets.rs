//! Secrets of then: those of now that are the same, and those that the ledger holds sealed.

use super::Request;
use crate::deployment::Image;
use crate::ledger::Opener;
use crate::model::{Fingerprint, FingerprintKey, Secret};
use crate::problem::Problem;
use crate::project::{COMMAND_TIMEOUT, Resolved, SecretContext, SecretSource, Settings, resolve_secret};

/// Where the ledger's identity is looked for when nobody says.
const IDENTITY: &str = "TENANTRY_LEDGER_IDENTITY";

/// Secrets that stand behind fingerprints.
pub(super) struct SecretsOfThen(Vec<(Fingerprint, Secret)>);

impl SecretsOfThen {
    /// Asks for every secret whose fingerprint names a source that can still be asked.
    pub(super) async fn of(
        images: impl IntoIterator<Item = &Image>,
        settings: &Settings,
        request: &Request,
        key: Option<&FingerprintKey>,
        problems: &mut Vec<Problem>,
    ) -> Self {
        let mut wanted: Vec<Fingerprint> = Vec::new();
        for value in images.into_iter().filter_map(|image| image.value.as_ref()) {
            value.each_fingerprint(&mut |fingerprint| wanted.push(fingerprint.clone()));
        }
        let context = SecretContext {
            env: request.around.env.clone(),
            folder: settings.root.clone(),
            command_timeout: COMMAND_TIMEOUT,
        };
        let mut known = Vec::new();
        for (name, source) in settings.secrets.iter().filter(|_| !wanted.is_empty()) {
            let Resolved::Known(secret) = resolve_secret(source, &format!("secrets.{name}"), &context).await else {
                continue;
            };
            let Some(key) = key else { continue };
            let mark = Fingerprint { mark: Some(key.mark(secret.expose())), ..Fingerprint::unknown("") };
            known.extend(wanted.iter().filter(|w| w.same_as(&mark) == Some(true)).map(|w| (w.clone(), secret.clone())));
        }
        let mut out = SecretsOfThen(known);
        wanted.retain(|fingerprint| fingerprint.sealed.is_some() && out.get(fingerprint).is_none());
        if !wanted.is_empty() {
            out.open(wanted, settings, &context, key, problems).await;
        }
        out
    }

    /// Opens what the ledger holds sealed, where the identity is at hand. Without it the plan says what cannot come back.
    async fn open(
        &mut self,
        wanted: Vec<Fingerprint>,
        settings: &Settings,
        context: &SecretContext,
        key: Option<&FingerprintKey>,
        problems: &mut Vec<Problem>,
    ) {
        let source = settings.ledger_identity.clone().unwrap_or_else(|| SecretSource::Env(IDENTITY.to_owned()));
        let Resolved::Known(identity) = resolve_secret(&source, "ledger_identity", context).await else { return };
        let Some(opener) = Opener::read(&identity) else {
            let title = format!("what {} holds is not an identity of age", source.describe());
            let problem =
                Problem::warning("bad-identity", title).note("so nothing that the ledger holds sealed is read");
            problems.push(problem.help("give the key that `age-keygen` printed: AGE-SECRET-KEY-1…"));
            return;
        };
        for fingerprint in wanted {
            let opened = fingerprint.sealed.as_deref().and_then(|sealed| opener.open(sealed));
            // Anybody can seal something: it has to be what was remembered.
            let is_it = |secret: &Secret| {
                let mark = key.map(|key| key.mark(secret.expose()));
                let now = Fingerprint { mark, ..Fingerprint::unknown("") };
                now.same_as(&fingerprint) != Some(false)
            };
            if let Some(secret) = opened.filter(is_it) {
                self.0.push((fingerprint, secret));
            }
        }
    }

    /// Returns the secret behind a fingerprint, where it can still be had.
    pub(super) fn get(&self, fingerprint: &Fingerprint) -> Option<Secret> {
        let is_it = |known: &Fingerprint| {
            known.same_as(fingerprint) == Some(true) || (known.sealed.is_some() && known.sealed == fingerprint.sealed)
        };
        self.0.iter().find(|(known, _)| is_it(known)).map(|(_, secret)| secret.clone())
    }
}
