//! Actions: code runs only after a build and a deploy, which are requests of their own.

use serde_json::Value as Json;

use super::{Quirk, Write};
use crate::change::{Action, Step, Wait};
use crate::codec::Names;
use crate::model::{Map, Value};
use crate::schema::Verb;

/// See the module.
pub(super) struct Actions;

impl Quirk for Actions {
    /// There is no undeploy: `deployed: false` asks for nothing.
    fn canonical(&self, members: &mut Map) {
        if members.get("deployed").and_then(Value::as_bool) == Some(false) {
            members.shift_remove("deployed");
        }
    }

    fn decode(&self, raw: &Json, members: &mut Map, _names: &Names) {
        let deployed = raw.get("all_changes_deployed").and_then(Json::as_bool).unwrap_or(false);
        members.insert("deployed".to_owned(), Value::Bool(deployed));
    }

    /// An unchanged action is never deployed again: each deploy makes a version (recorded traffic).
    fn steps(&self, write: &Write<'_>, steps: &mut Vec<Step>) {
        if write.change.action == Action::Replace {
            // A bound action is deleted only by force; its bindings are written anew afterwards.
            for step in steps.iter_mut().filter(|s| s.method == Verb::Delete) {
                step.path.push_str("?force=true");
            }
        }
        let wanted = write.desired.get("deployed").and_then(Value::as_bool) == Some(true);
        if !wanted || write.change.action == Action::Delete {
            return;
        }
        let mut deploy = Step::new(Verb::Post, "/actions/actions/{id}/deploy", None);
        deploy.before = Some(Wait::Until {
            path: "/actions/actions/{id}".to_owned(),
            member: "status".to_owned(),
            value: "built".to_owned(),
            failed: "failed".to_owned(),
        });
        steps.push(deploy);
    }
}
