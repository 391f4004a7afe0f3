//! Attack protection: a read answers a block for every captcha provider, used or not.

use super::Quirk;
use crate::model::{Map, Value};

/// See the module.
pub(super) struct AttackProtection;

impl Quirk for AttackProtection {
    /// A provider without a site key is not set up, and the API refuses an empty key (recorded traffic).
    fn written(&self, members: &mut Map) {
        if let Some(Value::Object(captcha)) = members.get_mut("captcha") {
            captcha.retain(|_, provider| provider.get("site_key").and_then(Value::as_str) != Some(""));
        }
    }
}
