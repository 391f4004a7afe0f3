//! Access tokens: made and read by the sandbox alone, so one symmetric key per tenant suffices.

use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::call::ApiError;
use super::state::State;

/// Seconds an access token for the Management API lives (recorded traffic, `token_lifetime`).
pub(super) const LIFETIME_S: i64 = 86_400;

/// What a token says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Claims {
    pub(super) iss: String,
    pub(super) sub: String,
    pub(super) aud: String,
    pub(super) iat: i64,
    pub(super) exp: i64,
    pub(super) scope: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) gty: Option<String>,
    pub(super) azp: String,
    pub(super) jti: String,
    /// Name and e-mail of a dashboard user.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<(String, String)>,
}

/// Returns the identifier of the tenant's Management API.
pub(super) fn management_audience(state: &State) -> String {
    format!("https://{}/api/v2/", state.domain)
}

/// Signs a token. The claims carry a fresh id, so that no two tokens are equal.
pub(super) fn issue(state: &State, claims: &Claims) -> Result<String, jsonwebtoken::errors::Error> {
    let header = Header { kid: Some("sandbox".to_owned()), ..Header::new(Algorithm::HS256) };
    jsonwebtoken::encode(&header, claims, &EncodingKey::from_secret(&key(state)))
}

/// Reads the token of an `Authorization` header.
///
/// # Errors
/// 401 with the sentence of the API.
pub(super) fn verify(state: &State, authorization: Option<&str>, now_ms: i64) -> Result<Claims, ApiError> {
    let refused = |message: &str| ApiError::bare(401, message);
    let header = authorization.ok_or_else(|| refused("Missing authentication"))?;
    let token = header
        .split_once(' ')
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim())
        .ok_or_else(|| refused("Bad HTTP authentication header format"))?;
    let mut validation = Validation::new(Algorithm::HS256);
    // The sandbox has a clock of its own.
    validation.validate_exp = false;
    validation.validate_aud = false;
    validation.required_spec_claims.clear();
    let claims = jsonwebtoken::decode::<Claims>(token, &DecodingKey::from_secret(&key(state)), &validation)
        .map_err(|error| match error.kind() {
            jsonwebtoken::errors::ErrorKind::InvalidSignature => {
                refused("Invalid signature received for JSON Web Token validation")
            }
            _ => refused("Invalid token"),
        })?
        .claims;
    if claims.exp.saturating_mul(1000) <= now_ms {
        return Err(refused("Expired token received for JSON Web Token validation"));
    }
    let audience = management_audience(state);
    if claims.aud != audience {
        return Err(refused(&format!("Bad audience: {}", claims.aud)));
    }
    Ok(claims)
}

fn key(state: &State) -> Vec<u8> {
    Sha256::digest(format!("token:{}:{}", state.seed, state.domain).as_bytes()).to_vec()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::*;

    fn state() -> State {
        State { domain: "acme.eu.auth0.com".to_owned(), seed: 3, ..State::default() }
    }

    fn claims() -> Claims {
        Claims {
            iss: "https://acme.eu.auth0.com/".to_owned(),
            sub: "c@clients".to_owned(),
            aud: "https://acme.eu.auth0.com/api/v2/".to_owned(),
            iat: 100,
            exp: 200,
            scope: "read:roles".to_owned(),
            gty: Some("client-credentials".to_owned()),
            azp: "c".to_owned(),
            jti: "j".to_owned(),
            user: None,
        }
    }

    #[test]
    fn a_token_reads_back_until_it_expires() {
        let header = format!("Bearer {}", issue(&state(), &claims()).unwrap());
        assert_eq!(verify(&state(), Some(&header), 199_999), Ok(claims()));
        let expired = verify(&state(), Some(&header), 200_000).unwrap_err();
        assert_eq!(expired.message, "Expired token received for JSON Web Token validation");
    }

    #[test]
    fn what_is_no_token_of_this_tenant_is_refused() {
        let elsewhere = State { seed: 4, ..state() };
        let foreign = format!("Bearer {}", issue(&elsewhere, &claims()).unwrap());
        let other_api = Claims { aud: "https://orders".to_owned(), ..claims() };
        let other_api = format!("bearer {}", issue(&state(), &other_api).unwrap());
        for (header, wanted) in [
            (None, "Missing authentication"),
            (Some("Basic abc"), "Bad HTTP authentication header format"),
            (Some("Bearer abc"), "Invalid token"),
            (Some(foreign.as_str()), "Invalid signature received for JSON Web Token validation"),
            (Some(other_api.as_str()), "Bad audience: https://orders"),
        ] {
            let error = verify(&state(), header, 0).unwrap_err();
            assert_eq!((error.status, error.message.as_str()), (401, wanted));
        }
    }
}
