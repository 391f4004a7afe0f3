//! Jobs: started by one request, done some reads later.

use std::time::Duration;

use serde_json::Value;

use crate::api::{Client, Failure};
use crate::codec::encode_segment;

/// The first pause between two looks at a job, and the longest.
const PAUSES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_secs(10));

/// How long a job is waited for. Auth0 ends one after two hours (Auth0 documentation, bulk user imports).
pub(super) const LONGEST: Duration = Duration::from_secs(150 * 60);

/// How a job ended.
pub(super) enum Ended {
    /// As it should; the job as the API shows it.
    Completed(Value),
    /// Not as it should; the API's words, where it has any.
    Failed(String),
    /// The API knows it no more: it forgets jobs after a day (Auth0 documentation, bulk user imports).
    Gone,
}

/// Reads a job; `None` where it is gone.
pub(super) async fn read(client: &Client, id: &str) -> Result<Option<Value>, Failure> {
    match client.get(&format!("jobs/{}", encode_segment(id)), &[]).await {
        Ok(job) => Ok(Some(job)),
        Err(Failure::NotFound { .. }) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Waits until a job is done.
///
/// # Errors
///
/// Those of reading it.
pub(super) async fn ended(client: &Client, id: &str) -> Result<Ended, Failure> {
    let (mut pause, mut waited) = (PAUSES.0, Duration::ZERO);
    loop {
        client.wait(pause).await?;
        waited += pause;
        let Some(job) = read(client, id).await? else { return Ok(Ended::Gone) };
        match job.get("status").and_then(Value::as_str).unwrap_or_default() {
            "completed" => return Ok(Ended::Completed(job)),
            "failed" => {
                let details = job.get("status_details").and_then(Value::as_str).unwrap_or("Auth0 does not say why");
                return Ok(Ended::Failed(details.chars().take(300).collect()));
            }
            _ if waited >= LONGEST => {
                return Ok(Ended::Failed("it did not end within two and a half hours".to_owned()));
            }
            _ => pause = (pause * 3 / 2).min(PAUSES.1),
        }
    }
}

/// Takes the id out of the answer that started a job.
pub(super) fn id_of(answer: &Value) -> Option<String> {
    answer.get("id").and_then(Value::as_str).map(str::to_owned)
}
