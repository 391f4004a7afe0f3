//! What the tenant itself remembers of what it runs: one value in the metadata of the deployer's own client.
//!
//! A runner that is thrown away takes its ledger with it; from this the base can be rendered again out of the repository.

use serde_json::{Value as Json, json};

use crate::api::{Client, Failure, Method, Write};
use crate::codec::encode_segment;
use crate::problem::Problem;
use crate::quirk::MEMORY;

/// Most keys that a client's metadata holds (API description, POST /clients).
const KEYS: usize = 10;

/// Most characters of one value (API description, POST /clients).
const CHARACTERS: usize = 255;

/// Hexadecimal digits of a digest that are kept.
const DIGITS: usize = 16;

/// What a tenant remembers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Memory {
    /// Id of the deployment that it runs.
    pub deployment: String,
    /// Commit of the description, full id; `None` outside a repository.
    pub commit: Option<String>,
    /// Digest of the rendered description, or its first 16 digits.
    pub digest: String,
    /// Commit that the last revert went back from, full id: what it deployed is not to come back by itself.
    pub reverted: Option<String>,
}

impl Memory {
    fn text(&self) -> String {
        let digest: String = self.digest.chars().take(DIGITS).collect();
        let mut out = json!({ "deployment": self.deployment });
        if let (Some(commit), Json::Object(members)) = (&self.commit, &mut out) {
            members.insert("commit".to_owned(), commit.clone().into());
        }
        if let Json::Object(members) = &mut out {
            members.insert("description".to_owned(), digest.into());
        }
        let short = out.to_string();
        if let (Some(reverted), Json::Object(members)) = (&self.reverted, &mut out) {
            members.insert("reverted".to_owned(), reverted.clone().into());
        }
        let text = out.to_string();
        // What it runs counts more.
        if text.chars().count() > CHARACTERS { short } else { text }
    }

    fn read(text: &str) -> Option<Memory> {
        let json: Json = serde_json::from_str(text).ok()?;
        let member = |name: &str| Some(json.get(name)?.as_str()?.to_owned());
        Some(Memory {
            deployment: member("deployment")?,
            commit: member("commit"),
            digest: member("description")?,
            // Tenantry 0.1.0 did not write it at first.
            reverted: member("reverted"),
        })
    }

    /// Says whether a full digest is the one that is remembered.
    pub fn has_digest(&self, digest: &str) -> bool {
        let short = |text: &str| text.chars().take(DIGITS).collect::<String>();
        short(&self.digest) == short(digest)
    }
}

/// Reads what the tenant remembers: nothing where it never did; where it cannot be asked, nothing and a note that says why.
///
/// # Errors
///
/// Those of [`Failure::problem`] but missing scopes and clients.
pub async fn read(client: &Client) -> Result<(Option<Memory>, Vec<Problem>), Problem> {
    match metadata(client).await {
        Ok(metadata) => match metadata.get(MEMORY).and_then(Json::as_str) {
            None => Ok((None, Vec::new())),
            Some(text) => match Memory::read(text) {
                Some(memory) => Ok((Some(memory), Vec::new())),
                None => {
                    let title =
                        format!("`client_metadata.{MEMORY}` of Tenantry's own client is not what Tenantry wrote");
                    let note = Problem::warning("memory-unreadable", title);
                    Ok((None, vec![note.help("remove it in the dashboard; the next deployment writes it again")]))
                }
            },
        },
        Err(why) => why.or_note("the tenant cannot say which deployment it runs").map(|note| (None, vec![note])),
    }
}

/// Lets the tenant remember; returns what people should know. What cannot be written is said, and no error.
///
/// # Errors
///
/// Those of [`Failure::problem`] but missing scopes and clients.
pub async fn write(client: &Client, memory: &Memory) -> Result<Vec<Problem>, Problem> {
    const LOST: &str = "the tenant does not remember this deployment";
    let client = client.finishing();
    let known = match metadata(&client).await {
        Ok(known) => known,
        Err(why) => return why.or_note(LOST).map(|note| vec![note]),
    };
    let taken = known.as_object().map_or(0, serde_json::Map::len);
    if known.get(MEMORY).is_none() && taken >= KEYS {
        let problem = Problem::warning("memory-full", LOST);
        return Ok(vec![
            problem
                .note(format!("all {KEYS} keys of the metadata of Tenantry's own client are taken"))
                .help("remove one of them, and keep the ledger where every runner finds it until then"),
        ]);
    }
    let text = memory.text();
    if text.chars().count() > CHARACTERS {
        return Ok(vec![Problem::warning("memory-full", LOST).note("what it had to remember is too long")]);
    }
    let send = async {
        let write = Write {
            method: Method::PATCH,
            path: path(&client)?,
            body: Some(json!({ "client_metadata": { MEMORY: text } })),
            correlation_id: Some(format!("tenantry/{}/memory", memory.deployment)),
        };
        client.send(write).await.map_err(Why::Failure)
    };
    match send.await {
        Ok(_) => Ok(Vec::new()),
        Err(why) => why.or_note(LOST).map(|note| vec![note]),
    }
}

/// Why the client's metadata cannot be had.
enum Why {
    Failure(Failure),
    /// Nobody said which client the token belongs to.
    Nobody,
}

impl Why {
    /// Makes a note of what is no error.
    fn or_note(self, title: &str) -> Result<Problem, Problem> {
        let note = Problem::remark("memory-missing", title);
        match self {
            Why::Nobody => Ok(note.note("the token does not say which client it belongs to")),
            Why::Failure(failure @ (Failure::Scope { .. } | Failure::NotFound { .. })) => {
                let problem = failure.problem();
                Ok(problem.help.into_iter().fold(note.note(problem.title), Problem::help))
            }
            Why::Failure(failure) => Err(failure.problem()),
        }
    }
}

fn path(client: &Client) -> Result<String, Why> {
    client.client_id().map(|id| format!("/clients/{}", encode_segment(id))).ok_or(Why::Nobody)
}

async fn metadata(client: &Client) -> Result<Json, Why> {
    let query = [("fields", "client_id,client_metadata"), ("include_fields", "true")];
    let found = client.get(&path(client)?, &query).await.map_err(Why::Failure)?;
    Ok(found.get("client_metadata").cloned().unwrap_or(Json::Null))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_memory_fits_and_comes_back() {
        let commit = Some("4f2c9ab".repeat(6).chars().take(40).collect::<String>());
        let deployment = "01JD7Q5G9W3V5H2C8K4M6N1P0R".to_owned();
        let reverted = Some("91be0d1".repeat(6).chars().take(40).collect::<String>());
        let memory = Memory { deployment, commit, digest: "0123456789abcdef".repeat(4), reverted };
        let text = memory.text();
        assert!(text.len() <= CHARACTERS, "{}", text.len());
        let read = Memory::read(&text).unwrap();
        assert!(read.has_digest(&memory.digest) && !read.has_digest("ffff"));
        assert_eq!(
            (read.deployment, read.commit, read.reverted),
            (memory.deployment.clone(), memory.commit.clone(), memory.reverted.clone())
        );
        let sha256 = |digit: &str| Some(digit.repeat(64));
        let long = Memory { commit: sha256("a"), reverted: sha256("b"), ..memory.clone() };
        assert!(long.text().len() <= CHARACTERS && Memory::read(&long.text()).unwrap().commit == long.commit);
        let old = Memory { reverted: None, ..memory };
        assert!(!old.text().contains("reverted") && Memory::read(&old.text()).unwrap().reverted.is_none());
        assert_eq!(Memory::read("somebody else's"), None);
    }
}
