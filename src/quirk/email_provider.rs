//! E-mail provider: credentials are written whole and read without their secrets.

use super::{Quirk, Write};
use crate::change::{Action, Step};
use crate::codec::{Body, encode_field};
use crate::model::{Unresolved, Value};

/// See the module.
pub(super) struct EmailProvider;

/// What each service needs that no read returns (API description, POST /emails/provider).
const HIDDEN: [(&str, &[&str]); 9] = [
    ("mailgun", &["api_key"]),
    ("mandrill", &["api_key"]),
    ("sendgrid", &["api_key"]),
    ("resend", &["api_key"]),
    ("sparkpost", &["api_key"]),
    ("ses", &["accessKeyId", "secretAccessKey"]),
    ("smtp", &["smtp_pass"]),
    ("azure_cs", &["connectionString"]),
    ("ms365", &["tenantId", "clientId", "clientSecret"]),
];

impl Quirk for EmailProvider {
    /// A write of credentials without a hidden one would lose it: then the plan is refused, with its name.
    fn steps(&self, write: &Write<'_>, steps: &mut Vec<Step>) {
        let name =
            write.desired.get("name").or_else(|| write.live.get("name")).and_then(Value::as_str).unwrap_or_default();
        let renamed = write.change.action == Action::Update
            && write.change.fields.iter().any(|f| f.path.first_key() == Some("name"));
        for step in steps.iter_mut().filter(|s| s.path == "/emails/provider") {
            let Some(Body::Object(members)) = &mut step.body else { continue };
            if renamed
                && let (Some(field), Some(credentials)) =
                    (write.spec.field("credentials"), write.desired.get("credentials"))
            {
                members.insert("credentials".to_owned(), encode_field(field, credentials));
            }
            if renamed {
                members.entry("credentials".to_owned()).or_insert_with(Body::object);
            }
            let Some(Body::Object(credentials)) = members.get_mut("credentials") else { continue };
            for hidden in HIDDEN.iter().filter(|(service, _)| *service == name).flat_map(|(_, hidden)| *hidden) {
                credentials.entry((*hidden).to_owned()).or_insert_with(|| {
                    Body::Value(Value::Unresolved(Unresolved { source: format!("emailProvider credentials.{hidden}") }))
                });
            }
        }
    }
}
