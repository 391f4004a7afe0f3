//! [`Fingerprint`]: what is remembered of a secret instead of the secret.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use secrecy::{ExposeSecret, SecretSlice};
use sha2::{Digest, Sha256};

use super::json::hex;

/// What is remembered of a secret: whether another is the same can be told under the same key, what it is cannot.
///
/// Two are equal whatever they carry sealed: sealing the same secret twice gives two texts.
#[derive(Debug, Clone)]
pub struct Fingerprint {
    /// Where the secret came from, for showing: `secrets.smtp_password`.
    pub source: String,
    /// Key and digest; `None` where there was no key, or nobody had the secret.
    pub mark: Option<Mark>,
    /// The secret, sealed to the ledger's recipient: Base64. Only its identity opens it.
    pub sealed: Option<String>,
}

impl PartialEq for Fingerprint {
    fn eq(&self, other: &Self) -> bool {
        (&self.source, &self.mark) == (&other.source, &other.mark)
    }
}

impl Eq for Fingerprint {}

impl std::hash::Hash for Fingerprint {
    fn hash<H: std::hash::Hasher>(&self, to: &mut H) {
        (&self.source, &self.mark).hash(to);
    }
}

/// Seals secrets, so that only the holder of an identity can read them again.
pub struct Seal(Box<Sealing>);

/// Seals a text; `None` where it cannot.
type Sealing = dyn Fn(&str) -> Option<String> + Send + Sync;

impl Seal {
    /// Takes what seals a text; it returns `None` where it cannot.
    pub fn new(seal: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Seal(Box::new(seal))
    }

    /// Seals a text.
    pub fn seal(&self, text: &str) -> Option<String> {
        (self.0)(text)
    }
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seal")
    }
}

/// A keyed digest.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Mark {
    /// Id of the key: 16 hex digits.
    pub key: String,
    /// HMAC-SHA256 of the secret: 64 hex digits.
    pub digest: String,
}

impl Fingerprint {
    /// A fingerprint of something nobody had.
    pub fn unknown(source: impl Into<String>) -> Self {
        Fingerprint { source: source.into(), mark: None, sealed: None }
    }

    /// Says whether two secrets were the same; `None` where it cannot be told.
    pub fn same_as(&self, other: &Fingerprint) -> Option<bool> {
        let (one, two) = (self.mark.as_ref()?, other.mark.as_ref()?);
        (one.key == two.key).then(|| one.digest == two.digest)
    }
}

/// The key secrets are fingerprinted with.
#[derive(Clone)]
pub struct FingerprintKey {
    bytes: SecretSlice<u8>,
    id: String,
}

impl FingerprintKey {
    /// Makes a key from any secret text: a `fingerprint_key`, or the deployer's credential.
    ///
    /// The text itself is not the key, so that no other use of it ever meets these digests.
    pub fn new(text: &str) -> Self {
        let bytes = Sha256::digest([b"tenantry fingerprint key 1\0", text.as_bytes()].concat()).to_vec();
        let mut id = hex(&Sha256::digest([b"tenantry fingerprint key id 1\0", bytes.as_slice()].concat()));
        id.truncate(16);
        FingerprintKey { bytes: SecretSlice::from(bytes), id }
    }

    /// Returns the key's id: 16 hex digits.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// Fingerprints a secret.
    pub fn mark(&self, text: &str) -> Mark {
        // An HMAC takes a key of any length: this cannot fail, and if it did there would be no digest to trust.
        let digest = match Hmac::<Sha256>::new_from_slice(self.bytes.expose_secret()) {
            Ok(mut mac) => {
                mac.update(text.as_bytes());
                hex(&mac.finalize().into_bytes())
            }
            Err(_) => String::new(),
        };
        Mark { key: self.id.clone(), digest }
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "FingerprintKey({})", self.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_secret_under_the_same_key() {
        let (key, other) = (FingerprintKey::new("one"), FingerprintKey::new("two"));
        let of = |key: &FingerprintKey, text| Fingerprint {
            source: "x".to_owned(),
            mark: Some(key.mark(text)),
            sealed: None,
        };
        assert_eq!(of(&key, "a").same_as(&of(&key, "a")), Some(true));
        assert_eq!(of(&key, "a").same_as(&of(&key, "b")), Some(false));
        assert_eq!(of(&key, "a").same_as(&of(&other, "a")), None);
        assert_eq!(of(&key, "a").same_as(&Fingerprint::unknown("x")), None);
    }

    #[test]
    fn neither_key_nor_secret_is_printed() {
        let key = FingerprintKey::new("hunter2");
        let shown = format!("{key:?} {:?}", key.mark("hunter3"));
        assert!(!shown.contains("hunter"), "{shown}");
    }
}
