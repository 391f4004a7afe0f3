//! E-mail provider: credentials are written whole and read without their secrets.

use super::{Quirk, Write};
use crate::change::{Action, Step};
use crate::codec::{Body, encode_field};
use crate::model::{Map, Unresolved, Value};

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

fn hidden(service: &str) -> impl Iterator<Item = &'static &'static str> {
    HIDDEN.iter().filter(move |(name, _)| *name == service).flat_map(|(_, hidden)| *hidden)
}

impl Quirk for EmailProvider {
    /// An export asks for the credentials that no read returns.
    fn written(&self, members: &mut Map) {
        let name = members.get("name").and_then(Value::as_str).unwrap_or_default().to_owned();
        let credentials = members.entry("credentials".to_owned()).or_insert_with(Value::object);
        if let Value::Object(credentials) = credentials {
            for hidden in hidden(&name) {
                let hole = Unresolved { source: (*hidden).to_owned() };
                credentials.entry((*hidden).to_owned()).or_insert(Value::Unresolved(hole));
            }
        }
    }

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
            for hidden in hidden(name) {
                credentials.entry((*hidden).to_owned()).or_insert_with(|| {
                    Body::Value(Value::Unresolved(Unresolved { source: format!("emailProvider credentials.{hidden}") }))
                });
            }
        }
    }
}
