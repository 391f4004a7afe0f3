//! A certificate authority made for one run, and the server's certificate under it.

use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, ExtendedKeyUsagePurpose, IsCa, KeyPair,
    KeyUsagePurpose,
};
use rustls::ServerConfig;
use rustls::pki_types::PrivatePkcs8KeyDer;

/// What serving HTTPS takes.
pub(super) struct Tls {
    /// Certificate of the authority, PEM.
    pub(super) ca_pem: String,
    /// Settings of the server, HTTP/2 and HTTP/1.1.
    pub(super) config: Arc<ServerConfig>,
}

/// Makes an authority and a certificate for loopback.
///
/// # Errors
/// A sentence about what the cryptographic library refused.
pub(super) fn make() -> Result<Tls, String> {
    let mut authority = CertificateParams::default();
    authority.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
    authority.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
    authority.distinguished_name.push(DnType::CommonName, "Tenantry sandbox");
    let key = KeyPair::generate().map_err(|error| error.to_string())?;
    let authority = CertifiedIssuer::self_signed(authority, key).map_err(|error| error.to_string())?;

    let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
    let mut server = CertificateParams::new(names).map_err(|error| error.to_string())?;
    // Some systems refuse certificates that live longer than 825 days.
    let year = i32::from(jiff::Zoned::now().year());
    server.not_before = rcgen::date_time_ymd(year - 1, 12, 31);
    server.not_after = rcgen::date_time_ymd(year + 1, 12, 31);
    server.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    server.distinguished_name.push(DnType::CommonName, "localhost");
    let key = KeyPair::generate().map_err(|error| error.to_string())?;
    let certificate = server.signed_by(&key, &authority).map_err(|error| error.to_string())?;

    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let chain = vec![certificate.der().clone(), authority.der().clone()];
    let private = PrivatePkcs8KeyDer::from(key.serialize_der());
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private.into()))
        .map_err(|error| error.to_string())?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(Tls { ca_pem: authority.pem(), config: Arc::new(config) })
}
