//! Files that go up in parts, and come down by a link.

use super::*;
use crate::api::Upload;

fn upload() -> Upload {
    Upload {
        path: "jobs/users-imports".to_owned(),
        fields: vec![("upsert", "false".to_owned())],
        name: "users",
        file: b"[]".to_vec(),
    }
}

#[tokio::test]
async fn a_file_goes_up_in_parts_with_the_token() {
    let tenant = Tenant::start(|_, _| Reply::json(202, &json!({"id": "job_1"}))).await;
    assert_eq!(tenant.client.upload(&upload()).await.unwrap().body["id"], "job_1");
    let arrived = tenant.server.arrived().into_iter().find(|one| one.path.ends_with("imports")).unwrap();
    assert!(arrived.headers["content-type"].starts_with("multipart/form-data; boundary="));
    assert!(arrived.headers["authorization"].starts_with("Bearer "));
}

#[tokio::test]
async fn the_limit_of_jobs_is_no_limit_of_rates() {
    let message = "There are 2 active import users jobs, please wait until some of them are finished and try again";
    let tenant = Tenant::start(|_, _| Reply::error(429, message).with("retry-after", "7")).await;
    let failure = tenant.client.upload(&upload()).await.unwrap_err();
    assert!(matches!(failure, Failure::Refused { status: 429, .. }), "{failure:?}");
    assert_eq!((tenant.count("jobs/users-imports"), tenant.clock.skipped()), (1, Duration::ZERO));
}

#[tokio::test]
async fn a_list_without_content_is_an_answer() {
    let tenant = Tenant::start(|_, _| Reply::text(204, "application/json", "")).await;
    assert_eq!(tenant.client.get("jobs/job_1/errors", &[]).await.unwrap(), Value::Null);
}

async fn come(tenant: &Tenant) -> Result<Vec<u8>, Failure> {
    let link = format!("{}/file?signature=hunter2", tenant.server.url());
    let mut download = tenant.client.download(&link, "the file").await?;
    let mut file = Vec::new();
    while let Some(piece) = download.next().await? {
        file.extend(piece);
    }
    Ok(file)
}

#[tokio::test]
async fn a_file_comes_down_without_the_token() {
    let tenant = Tenant::start(|_, _| Reply::text(200, "application/octet-stream", "users")).await;
    assert_eq!(come(&tenant).await.unwrap(), b"users");
    let arrived = tenant.server.arrived().into_iter().find(|one| one.path == "/file").unwrap();
    assert!(!arrived.headers.contains_key("authorization"), "{:?}", arrived.headers);
}

#[tokio::test]
async fn a_file_that_does_not_come_is_told_of_without_its_link() {
    let redirect = Reply::text(302, "text/html", "").with("location", "http://127.0.0.1:1/");
    for (reply, id) in [
        (Reply::error(403, "expired"), "api-rejected"),
        (redirect, "bad-answer"),
        (Reply::Half(200), "bad-answer"),
        (Reply::Cut, "no-network"),
    ] {
        let shape = format!("{reply:?}");
        let tenant = Tenant::start(move |_, _| reply.clone()).await;
        let failure = come(&tenant).await.unwrap_err();
        assert_eq!(failure.problem().id, id, "{shape}");
        assert!(!format!("{failure:?} {:?}", failure.problem()).contains("hunter2"), "{failure:?}");
    }
}
