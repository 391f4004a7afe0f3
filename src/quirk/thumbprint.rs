//! The id Auth0 gives a key: its RFC 7638 thumbprint. It tells whether a credential holds the key that is described.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};
use x509_parser::parse_x509_certificate;
use x509_parser::pem::parse_x509_pem;
use x509_parser::prelude::FromDer;
use x509_parser::public_key::PublicKey;
use x509_parser::x509::SubjectPublicKeyInfo;

/// Returns the thumbprint of the RSA key in a PEM block, public key or certificate. `None` for anything else.
pub(super) fn thumbprint(pem: &str) -> Option<String> {
    let (_, block) = parse_x509_pem(pem.trim().as_bytes()).ok()?;
    let key = if block.label == "CERTIFICATE" {
        parse_x509_certificate(&block.contents).ok()?.1.public_key().parsed().ok().and_then(|k| rsa(&k))?
    } else {
        let (_, info) = SubjectPublicKeyInfo::from_der(&block.contents).ok()?;
        info.parsed().ok().and_then(|k| rsa(&k))?
    };
    let (n, e) = key;
    let jwk = format!(r#"{{"e":"{e}","kty":"RSA","n":"{n}"}}"#);
    Some(URL_SAFE_NO_PAD.encode(Sha256::digest(jwk.as_bytes())))
}

/// Modulus and exponent in Base64url, without leading zeros.
fn rsa(key: &PublicKey<'_>) -> Option<(String, String)> {
    let PublicKey::RSA(rsa) = key else { return None };
    let bare = |bytes: &[u8]| {
        let zeros = bytes.iter().take_while(|b| **b == 0).count();
        URL_SAFE_NO_PAD.encode(bytes.get(zeros..).unwrap_or_default())
    };
    Some((bare(rsa.modulus), bare(rsa.exponent)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_the_rfc() {
        // RFC 7638, section 3.1: the JWK's thumbprint; the key as a public key in PEM form.
        let pem = "-----BEGIN PUBLIC KEY-----\n\
            MIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEA0vx7agoebGcQSuuPiLJX\n\
            ZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tS\n\
            oc/BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ/2W+5JsGY4Hc5n9yBXArwl93lqt\n\
            7/RN5w6Cf0h4QyQ5v+65YGjQR0/FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0\n\
            zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt+bFTWhAI4vMQFh6WeZu0f\n\
            M4lFd2NcRwr3XPksINHaQ+G/xBniIqbw0Ls1jF44+csFCur+kEgU8awapJzKnqDK\n\
            gwIDAQAB\n-----END PUBLIC KEY-----\n";
        assert_eq!(thumbprint(pem).as_deref(), Some("NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
        assert_eq!(thumbprint("no key"), None);
    }
}
