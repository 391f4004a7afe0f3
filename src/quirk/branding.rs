//! Branding: a PATCH can reset the settings of the sign-in experience.

use indexmap::IndexMap;

use super::{Quirk, Write};
use crate::change::Step;
use crate::codec::Body;
use crate::model::Value;
use crate::schema::Verb;

/// See the module.
pub(super) struct Branding;

/// Members of `GET /prompts` that a PATCH takes (API description).
const PROMPT_SETTINGS: [&str; 3] = ["universal_login_experience", "identifier_first", "webauthn_platform_first_factor"];

impl Quirk for Branding {
    fn needs(&self) -> &'static [&'static str] {
        &["prompts"]
    }

    /// Sends the live prompt settings again after the PATCH (auth0-deploy-cli 8.43 source does so too).
    fn steps(&self, write: &Write<'_>, steps: &mut Vec<Step>) {
        let Some(at) = steps.iter().position(|s| s.path == "/branding") else { return };
        let Some(prompts) = write.tenant.resources("prompts").first() else { return };
        let settings: IndexMap<String, Body> = PROMPT_SETTINGS
            .iter()
            .filter_map(|name| Some(((*name).to_owned(), Body::Value(Value::from_json(prompts.raw.get(*name)?)))))
            .collect();
        if !settings.is_empty() {
            steps.insert(at + 1, Step::new(Verb::Patch, "/prompts", Some(Body::Object(settings))));
        }
    }
}
