//! The domain a tenant is known by.

/// Returns the form of a tenant's domain that deployments are kept under: lower case, without scheme, path and trailing dot.
pub fn canonical_domain(domain: &str) -> String {
    let lower = domain.trim().to_ascii_lowercase();
    let bare = lower.split_once("://").map_or(lower.as_str(), |(_, rest)| rest);
    bare.split('/').next().unwrap_or_default().trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_tenant_has_one_domain() {
        for written in ["acme.eu.auth0.com", "https://acme.eu.auth0.com/", "ACME.eu.auth0.com.", " acme.eu.auth0.com "]
        {
            assert_eq!(canonical_domain(written), "acme.eu.auth0.com", "{written}");
        }
        assert_eq!(canonical_domain("https://acme.eu.auth0.com/api/v2/"), "acme.eu.auth0.com");
        assert_eq!(canonical_domain("http://127.0.0.1:4010"), "127.0.0.1:4010");
    }
}
