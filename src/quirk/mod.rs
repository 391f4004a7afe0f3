//! What a schema cannot say: hooks of the few kinds with real quirks. They return data and do no I/O.

mod actions;
mod attack_protection;
mod branding;
mod client_grants;
mod clients;
mod connections;
mod databases;
mod email_provider;
mod organizations;
mod prompts;
mod rules;
mod tenant;
mod thumbprint;
mod triggers;

pub use clients::MEMORY;

use serde_json::Value as Json;

use crate::change::{Change, Step};
use crate::codec::{Body, Names};
use crate::model::{Described, Desired, Live, Map, Path, Value};
use crate::schema::KindSpec;

/// Hooks of one kind; every one has a default that does nothing.
pub trait Quirk: Sync {
    /// Brings a described resource into the one form that is compared. Runs on every described resource.
    fn canonical(&self, _members: &mut Map) {}

    /// Adds to a decoded live resource what the generic decoder cannot know.
    fn decode(&self, _raw: &Json, _members: &mut Map, _names: &Names) {}

    /// Returns kinds that have to be read besides those the description refers to.
    fn needs(&self) -> &'static [&'static str] {
        &[]
    }

    /// Returns lists to be read for a described resource besides its sub-resources: name of the rows and path.
    fn further_reads(&self, _raw: &Json) -> Vec<(&'static str, String)> {
        Vec::new()
    }

    /// Says why the API is sure to refuse a described resource, whatever is sent first.
    fn refused(&self, _resource: &Described, _desired: &Desired, _live: &Live) -> Option<String> {
        None
    }

    /// Brings a live resource back into the form an export writes.
    fn written(&self, _members: &mut Map) {}

    /// Drops what cannot come back along with the rest when a deployment is taken back. `was` is the whole resource before it.
    fn brought_back(&self, _was: &Value, _members: &mut Map) {}

    /// Says whether a leaf is what a write of ours that stopped half-way leaves behind.
    fn is_left_over(&self, _path: &Path) -> bool {
        false
    }

    /// Completes the described resources of the kind from what else is described and live.
    fn complete(&self, _desired: &mut Desired, _live: &Live) {}

    /// Changes the body of the main write (or of a part's) before it is sent.
    fn body(&self, _body: &mut Body, _creates: bool) {}

    /// Adds requests or waits that concern several changes of the kind at once.
    fn arrange(&self, _changes: &mut [&mut Change], _live: &Live) {}

    /// Adds, changes or reorders the requests of a change. `desired` is what is described, `live` what is there.
    fn steps(&self, _write: &Write<'_>, _steps: &mut Vec<Step>) {}
}

/// What a quirk may look at when it makes requests.
pub struct Write<'a> {
    /// The kind.
    pub spec: &'a KindSpec,
    /// The change; its steps are not there yet.
    pub change: &'a Change,
    /// The described members; empty for a delete.
    pub desired: &'a Map,
    /// The live members; empty for a create.
    pub live: &'a Map,
    /// The API's own object; null for a create.
    pub raw: &'a Json,
    /// All that was read of the tenant.
    pub tenant: &'a Live,
}

/// Returns the hooks of a kind.
pub fn of(spec: &KindSpec) -> &'static dyn Quirk {
    match spec.quirk.as_deref() {
        Some("actions") => &actions::Actions,
        Some("attackProtection") => &attack_protection::AttackProtection,
        Some("branding") => &branding::Branding,
        Some("clientGrants") => &client_grants::ClientGrants,
        Some("clients") => &clients::Clients,
        Some("connections") => &connections::Connections,
        Some("databases") => &databases::Databases,
        Some("emailProvider") => &email_provider::EmailProvider,
        Some("organizations") => &organizations::Organizations,
        Some("prompts") => &prompts::Prompts,
        Some("rules") => &rules::Rules,
        Some("tenant") => &tenant::Tenant,
        Some("triggers") => &triggers::Triggers,
        _ => &Plain,
    }
}

/// A kind without quirks.
struct Plain;
impl Quirk for Plain {}

#[cfg(test)]
mod tests;
