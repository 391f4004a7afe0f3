//! Which handler answers which operation.

use super::call::{Call, Method, Outcome};
use super::state::State;

/// Answers one operation: pure, over the tenant's state.
pub type Handler = fn(&mut State, &Call) -> Outcome;

/// One operation of the API. Its scopes, query parameters and body shape stand in the contract under the same method and template.
#[derive(Clone, Copy)]
pub struct Route {
    /// HTTP method.
    pub method: Method,
    /// Path template below `/api/v2`, as in the API reference: `/clients/{id}`.
    pub template: &'static str,
    /// What answers.
    pub handler: Handler,
}

/// Shorthand for a route.
pub const fn route(method: Method, template: &'static str, handler: Handler) -> Route {
    Route { method, template, handler }
}
