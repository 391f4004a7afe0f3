//! One entry of the tenant's log: a write that succeeded.
//!
//! Auth0 leaves the details of such entries open, so everything is read tolerantly (published log schema, public samples,
//! checked 2026-11-22).

use jiff::Timestamp;
use serde_json::Value as Json;

use crate::codec::decode_segment;

/// Most characters of a name or of a tool that are kept: both come from outside.
const LONGEST: usize = 100;

/// A write as the log tells it.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) at: Timestamp,
    pub(super) log_id: String,
    /// Upper case.
    pub(super) method: String,
    /// Below `/api/v2`, as the log has it: `/clients/ID`.
    pub(super) path: String,
    /// The path's segments, decoded.
    pub(super) segments: Vec<String>,
    /// Body of the request.
    pub(super) body: Json,
    /// Body of the answer.
    pub(super) answer: Json,
    pub(super) correlation_id: Option<String>,
    pub(super) who: Option<String>,
    pub(super) through: String,
}

impl Entry {
    /// Reads an entry; `None` for what is no write of the Management API.
    pub(super) fn read(row: &Json) -> Option<Self> {
        let text = |pointer: &str| row.pointer(pointer).and_then(Json::as_str).filter(|text| !text.is_empty());
        let path = below_api(text("/details/request/path")?)?;
        let method = text("/details/request/method")?.to_ascii_uppercase();
        Some(Entry {
            at: date(row)?,
            log_id: text("/log_id").or_else(|| text("/_id"))?.to_owned(),
            method,
            segments: path.split('/').filter(|s| !s.is_empty()).map(decode_segment).collect(),
            path,
            body: row.pointer("/details/request/body").cloned().unwrap_or(Json::Null),
            answer: row.pointer("/details/response/body").cloned().unwrap_or(Json::Null),
            correlation_id: text("/references/correlation_id").map(str::to_owned),
            who: who(&text),
            through: through(&text),
        })
    }

    /// Says whether it claims to be a write of Tenantry; anybody can.
    pub(super) fn claims_ours(&self) -> bool {
        self.correlation_id.as_deref().is_some_and(|id| id.starts_with("tenantry/"))
    }
}

/// Returns when an entry of the log happened.
pub(super) fn date(row: &Json) -> Option<Timestamp> {
    let date = row.get("date")?;
    date.as_str().or_else(|| date.get("$date")?.as_str())?.parse().ok()
}

/// Cuts `/api/v2` off; one public sample has `/v2` alone. `None` for other paths.
fn below_api(path: &str) -> Option<String> {
    let path = path.split(['?', '#']).next().unwrap_or_default();
    let rest = path.strip_prefix("/api/v2").or_else(|| path.strip_prefix("/v2"))?;
    rest.starts_with('/').then(|| rest.trim_end_matches('/').to_owned())
}

/// Names a person by e-mail or name, else a client by name or id.
fn who<'r>(text: &impl Fn(&str) -> Option<&'r str>) -> Option<String> {
    const PLACES: [&str; 8] = [
        "/details/request/auth/user/email",
        "/details/request/auth/user/name",
        "/user_name",
        "/details/request/auth/user/user_id",
        "/user_id",
        "/client_name",
        "/details/request/auth/client/name",
        "/client_id",
    ];
    PLACES.iter().find_map(|place| text(place)).map(tidy)
}

/// Says from where: the dashboard by its channel, a tool by what it calls itself.
fn through<'r>(text: &impl Fn(&str) -> Option<&'r str>) -> String {
    if text("/details/request/channel").is_some_and(|channel| channel.contains("manage.auth0.com")) {
        return "dashboard".to_owned();
    }
    let agent = text("/user_agent").or_else(|| text("/details/request/userAgent")).unwrap_or_default();
    let sdk = text("/auth0_client/name").unwrap_or_default();
    tool(agent).or_else(|| tool(sdk)).unwrap_or_else(|| "API".to_owned())
}

/// Tools people know, by a word in their user agent, and the word that stands before their version.
const TOOLS: [(&str, &str, &str); 4] = [
    ("terraform", "Terraform", "terraform-provider-auth0/"),
    ("deploy-cli", "auth0-deploy-cli", "deploy-cli/"),
    ("auth0-cli", "Auth0 CLI", "auth0-cli/"),
    ("tenantry", "Tenantry", "tenantry/"),
];

fn tool(agent: &str) -> Option<String> {
    let lower = agent.to_ascii_lowercase();
    let (_, name, mark) = TOOLS.iter().find(|(word, _, _)| lower.contains(word))?;
    let version: String =
        lower.split_once(mark).map_or("", |(_, rest)| rest).chars().take_while(is_of_version).collect();
    Some(if version.is_empty() { (*name).to_owned() } else { format!("{name} {version}") })
}

fn is_of_version(c: &char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '-')
}

fn tidy(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use serde_json::json;

    use super::*;

    fn row(change: impl Fn(&mut Json)) -> Json {
        let mut row = json!({
            "date": "2026-11-20T16:42:00.123Z", "log_id": "900x", "type": "sapi", "client_id": "c1", "client_name": "Robot",
            "user_agent": "curl/8", "details": {
                "request": {"method": "patch", "path": "/api/v2/clients/a%7Cb", "channel": "api", "auth": {"user": {}},
                    "body": {"name": "x"}},
                "response": {"statusCode": 200, "body": {"client_id": "a|b"}},
            },
        });
        change(&mut row);
        row
    }

    #[test]
    fn an_entry_is_a_write() {
        let entry = Entry::read(&row(|_| {})).unwrap();
        assert_eq!((entry.method.as_str(), entry.path.as_str()), ("PATCH", "/clients/a%7Cb"));
        assert_eq!(entry.segments, ["clients", "a|b"]);
        assert_eq!((entry.who.as_deref(), entry.through.as_str()), (Some("Robot"), "API"));
        assert_eq!(entry.at.to_string(), "2026-11-20T16:42:00.123Z");
        let short = Entry::read(&row(|r| r["details"]["request"]["path"] = json!("/v2/attack-protection/captcha/")));
        assert_eq!(short.unwrap().path, "/attack-protection/captcha");
    }

    #[test]
    fn what_is_no_write_of_the_api_is_passed_over() {
        for path in ["/api/tenants/settings", "/oauth/token", "/api/v2", "/api/v21/clients", ""] {
            assert!(Entry::read(&row(|r| r["details"]["request"]["path"] = json!(path))).is_none(), "{path}");
        }
        for broken in [json!({}), json!(null), json!([]), json!({"details": "x", "date": 3})] {
            assert!(Entry::read(&broken).is_none(), "{broken}");
        }
        assert!(Entry::read(&row(|r| r["date"] = json!("yesterday"))).is_none());
        let bare = Entry::read(&row(|r| r["details"]["response"] = json!(null))).unwrap();
        assert_eq!(bare.answer, Json::Null);
        let dated = Entry::read(&row(|r| r["date"] = json!({"$date": "2026-11-20T16:42:00Z"})));
        assert!(dated.is_some());
    }

    #[test]
    fn a_person_comes_before_a_client() {
        let user =
            |user: Json| Entry::read(&row(|r| r["details"]["request"]["auth"]["user"] = user.clone())).unwrap().who;
        assert_eq!(user(json!({"email": "dana@x.com", "name": "Dana"})).as_deref(), Some("dana@x.com"));
        assert_eq!(user(json!({"email": "", "name": "Dana"})).as_deref(), Some("Dana"));
        assert_eq!(user(json!({"name": "D\u{1b}[31m"})).as_deref(), Some("D[31m"));
        let nameless = Entry::read(&row(|r| r["client_name"] = json!(""))).unwrap();
        assert_eq!(nameless.who.as_deref(), Some("c1"));
    }

    #[test]
    fn tools_are_known_by_what_they_call_themselves() {
        let through = |agent: &str| Entry::read(&row(|r| r["user_agent"] = json!(agent))).unwrap().through;
        assert_eq!(through("deploy-cli/7.12.1 (node.js/16.15.0)"), "auth0-deploy-cli 7.12.1");
        assert_eq!(through("Go-Auth0-SDK/1.4; Terraform-SDK/2.33; Terraform/1.8.1"), "Terraform");
        assert_eq!(through("Terraform-Provider-Auth0/1.2.3 (x)"), "Terraform 1.2.3");
        assert_eq!(through("tenantry/0.1.0"), "Tenantry 0.1.0");
        assert_eq!(through("Mozilla/5.0"), "API");
        let dashboard = row(|r| r["details"]["request"]["channel"] = json!("https://manage.auth0.com/"));
        assert_eq!(Entry::read(&dashboard).unwrap().through, "dashboard");
        let sdk = row(|r| r["auth0_client"] = json!({"name": "auth0-deploy-cli"}));
        assert_eq!(Entry::read(&sdk).unwrap().through, "auth0-deploy-cli");
    }
}
