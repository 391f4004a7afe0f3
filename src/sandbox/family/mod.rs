//! The operations of the API, one file per family of resources.

use super::route::Route;

/// Returns every operation the sandbox answers.
pub fn routes() -> Vec<Route> {
    Vec::new()
}
