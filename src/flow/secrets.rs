//! Secrets of then: those of now that are the same, and those that the ledger holds sealed.

use super::Request;
use crate::deployment::Image;
use crate::model::{Fingerprint, FingerprintKey, Secret};
use crate::project::{COMMAND_TIMEOUT, Resolved, SecretContext, Settings, resolve_secret};

/// Secrets that stand behind fingerprints.
pub(super) struct SecretsOfThen(Vec<(Fingerprint, Secret)>);

impl SecretsOfThen {
    /// Asks for every secret whose fingerprint names a source that can still be asked.
    pub(super) async fn of(
        images: impl IntoIterator<Item = &Image>,
        settings: &Settings,
        request: &Request,
        key: Option<&FingerprintKey>,
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
            let mark = Fingerprint { source: format!("secrets.{name}"), mark: Some(key.mark(secret.expose())) };
            known.extend(wanted.iter().filter(|w| w.same_as(&mark) == Some(true)).map(|w| (w.clone(), secret.clone())));
        }
        SecretsOfThen(known)
    }

    /// Returns the secret behind a fingerprint, where it can still be had.
    pub(super) fn get(&self, fingerprint: &Fingerprint) -> Option<Secret> {
        self.0.iter().find(|(known, _)| known.same_as(fingerprint) == Some(true)).map(|(_, secret)| secret.clone())
    }
}
