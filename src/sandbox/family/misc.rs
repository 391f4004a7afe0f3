//! Lists of kinds that are not simulated: always empty, in the shape of their kind.

use serde_json::json;

use crate::sandbox::call::Method::Get;
use crate::sandbox::call::{Call, Outcome, Reply};
use crate::sandbox::page::{self, OffsetOrder};
use crate::sandbox::route::{Route, route};
use crate::sandbox::state::State;

/// Operations of this family.
pub(super) const ROUTES: &[Route] = &[
    route(Get, "/connection-profiles", |_, call| page::checkpoint(call, "connection_profiles", Vec::new())),
    route(Get, "/user-attribute-profiles", |_, call| page::checkpoint(call, "user_attribute_profiles", Vec::new())),
    route(Get, "/flows", |_, call| page::offset(call, "flows", Vec::new(), OffsetOrder::LimitFirst)),
    route(Get, "/flows/vault/connections", |_, call| {
        page::offset(call, "connections", Vec::new(), OffsetOrder::LimitFirst)
    }),
    route(Get, "/forms", |_, call| page::offset(call, "forms", Vec::new(), OffsetOrder::LimitFirst)),
    route(Get, "/log-streams", list_log_streams),
];

fn list_log_streams(_state: &mut State, _call: &Call) -> Outcome {
    Ok(Reply::ok(json!([])))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

    use super::super::calls::{answer, query, tenant};
    use super::*;

    #[test]
    fn every_list_is_empty_in_its_own_shape() {
        let shapes = ROUTES.iter().map(|route| {
            let call = query(&[], &[("include_totals", "true"), ("per_page", "100"), ("page", "0")]);
            answer((route.handler)(&mut tenant(), &call), 200).to_string()
        });
        assert_eq!(
            shapes.collect::<Vec<_>>(),
            [
                r#"{"connection_profiles":[]}"#,
                r#"{"user_attribute_profiles":[]}"#,
                r#"{"limit":100,"start":0,"total":0,"flows":[]}"#,
                r#"{"limit":100,"start":0,"total":0,"connections":[]}"#,
                r#"{"limit":100,"start":0,"total":0,"forms":[]}"#,
                "[]",
            ]
        );
    }
}
