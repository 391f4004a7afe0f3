//! Repositories written for auth0-deploy-cli: what that tool gets wrong, Tenantry does not.
