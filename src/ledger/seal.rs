//! Secrets sealed into the ledger with age: anybody who deploys can seal, only the holder of the identity can open.

use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::model::{Seal, Secret};

/// What an identity begins with.
const IDENTITY: &str = "AGE-SECRET-KEY-";

/// Makes a seal for a recipient, `age1…`; `None` where it is none.
pub fn seal_for(recipient: &str) -> Option<Seal> {
    let recipient = age::x25519::Recipient::from_str(recipient).ok()?;
    Some(Seal::new(move |text| age::encrypt(&recipient, text.as_bytes()).ok().map(|sealed| STANDARD.encode(sealed))))
}

/// Opens what was sealed.
pub struct Opener(age::x25519::Identity);

impl Opener {
    /// Reads an identity: the key alone, or a file as `age-keygen` writes it. `None` where there is none in it.
    pub fn read(text: &Secret) -> Option<Opener> {
        let line = text.expose().lines().map(str::trim).find(|line| line.starts_with(IDENTITY))?;
        age::x25519::Identity::from_str(line).ok().map(Opener)
    }

    /// Opens a sealed text; `None` where it was sealed for somebody else, or is damaged.
    pub fn open(&self, sealed: &str) -> Option<Secret> {
        let opened = age::decrypt(&self.0, &STANDARD.decode(sealed).ok()?).ok()?;
        Some(Secret::new(String::from_utf8(opened).ok()?, "the ledger"))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use age::secrecy::ExposeSecret;

    use super::*;

    #[test]
    fn only_its_identity_opens_it() {
        let (own, other) = (age::x25519::Identity::generate(), age::x25519::Identity::generate());
        let sealed = seal_for(&own.to_public().to_string()).unwrap().seal("hunter2").unwrap();
        assert!(!sealed.contains("hunter2"));
        let file = format!("# created: today\n# public key: x\n{}\n", own.to_string().expose_secret());
        let opener = Opener::read(&Secret::new(file, "a file")).unwrap();
        assert_eq!(opener.open(&sealed).unwrap().expose(), "hunter2");
        assert!(opener.open("bm90aGluZw==").is_none());
        assert!(Opener(other).open(&sealed).is_none());
        assert!(Opener::read(&Secret::new("hunter2", "a file")).is_none());
        assert!(seal_for("age1nothing").is_none());
    }
}
