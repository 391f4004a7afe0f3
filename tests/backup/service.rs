//! A service that answers as S3 does, as far as backups ask it; it can be told to fail.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, Response, StatusCode, Uri};

/// The only bucket there is.
pub(crate) const BUCKET: &str = "backups";
/// The only key that may use it.
pub(crate) const KEY: &str = "good-key";

#[derive(Default)]
struct Inside {
    objects: Mutex<BTreeMap<String, Vec<u8>>>,
    uploads: Mutex<BTreeMap<String, BTreeMap<u32, Vec<u8>>>>,
    log: Mutex<Vec<String>>,
    holds_parts: AtomicBool,
    holds_begin: AtomicBool,
    begin: tokio::sync::Notify,
    fails_parts: AtomicBool,
    hides_objects: AtomicBool,
    spoils: AtomicBool,
}

/// A running service; it ends with the process.
#[derive(Clone)]
pub(crate) struct Service {
    inside: Arc<Inside>,
    pub(crate) url: String,
}

impl Service {
    pub(crate) fn start() -> Service {
        let inside = Arc::new(Inside::default());
        let (sender, receiver) = std::sync::mpsc::channel();
        let shared = Arc::clone(&inside);
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
                sender.send(listener.local_addr().unwrap()).unwrap();
                let router = axum::Router::new()
                    .fallback(answer)
                    .layer(axum::extract::DefaultBodyLimit::disable())
                    .with_state(shared);
                axum::serve(listener, router).await.unwrap();
            });
        });
        Service { inside, url: format!("http://{}", receiver.recv().unwrap()) }
    }

    /// Variables that lead to it.
    pub(crate) fn env(&self) -> [(&'static str, String); 4] {
        [
            ("AWS_ENDPOINT_URL", self.url.clone()),
            ("AWS_ACCESS_KEY_ID", KEY.to_owned()),
            ("AWS_SECRET_ACCESS_KEY", "canary-bucket-secret".to_owned()),
            ("AWS_REGION", "eu-west-1".to_owned()),
        ]
    }

    /// Names of the objects.
    pub(crate) fn objects(&self) -> Vec<String> {
        self.inside.objects.lock().unwrap().keys().cloned().collect()
    }

    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        self.inside.objects.lock().unwrap().insert(name.to_owned(), bytes.to_vec());
    }

    /// Uploads that were begun and neither completed nor taken back.
    pub(crate) fn open_uploads(&self) -> usize {
        self.inside.uploads.lock().unwrap().len()
    }

    /// Requests so far: method and path.
    pub(crate) fn log(&self) -> Vec<String> {
        self.inside.log.lock().unwrap().clone()
    }

    pub(crate) fn hold_parts(&self) {
        self.inside.holds_parts.store(true, Ordering::SeqCst);
    }

    /// Uploads begin, and the answer that says so waits.
    pub(crate) fn hold_begin(&self) {
        self.inside.holds_begin.store(true, Ordering::SeqCst);
    }

    /// Lets such an answer go.
    pub(crate) fn release_begin(&self) {
        self.inside.begin.notify_one();
    }

    pub(crate) fn fail_parts(&self) {
        self.inside.fails_parts.store(true, Ordering::SeqCst);
    }

    pub(crate) fn hide_objects(&self) {
        self.inside.hides_objects.store(true, Ordering::SeqCst);
    }

    pub(crate) fn spoil(&self) {
        self.inside.spoils.store(true, Ordering::SeqCst);
    }
}

fn refusal(status: u16, code: &str, message: &str) -> Response<Body> {
    let text = format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>{message}</Message></Error>");
    response(status, text.into_bytes())
}

fn response(status: u16, body: Vec<u8>) -> Response<Body> {
    let builder = Response::builder().status(StatusCode::from_u16(status).unwrap());
    let builder = builder.header("etag", "\"e\"").header("last-modified", "Sun, 22 Nov 2026 07:35:02 GMT");
    builder.body(Body::from(body)).unwrap()
}

async fn answer(
    State(inside): State<Arc<Inside>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response<Body> {
    inside.log.lock().unwrap().push(format!("{method} {}", uri.path()));
    let signed = headers.get("authorization").and_then(|value| value.to_str().ok()).unwrap_or_default();
    if !signed.contains(&format!("Credential={KEY}/")) {
        return refusal(403, "InvalidAccessKeyId", "The key you provided does not exist in our records.");
    }
    let path = uri.path().trim_start_matches('/');
    let (bucket, key) = path.split_once('/').unwrap_or((path, ""));
    if bucket != BUCKET {
        return refusal(404, "NoSuchBucket", "The specified bucket does not exist");
    }
    let query: BTreeMap<String, String> = uri
        .query()
        .into_iter()
        .flat_map(|query| url::form_urlencoded::parse(query.as_bytes()).into_owned().collect::<Vec<_>>())
        .collect();
    let (key, get) = (key.to_owned(), |name: &str| query.get(name).cloned());
    let hidden = inside.hides_objects.load(Ordering::SeqCst);
    match (method.as_str(), get("uploadId")) {
        ("GET", None) if key.is_empty() => list(&inside, &get("prefix").unwrap_or_default()),
        ("GET" | "HEAD", None) if hidden => refusal(403, "AccessDenied", "Access Denied"),
        ("GET" | "HEAD", None) => match inside.objects.lock().unwrap().get(&key) {
            Some(bytes) => response(200, bytes.clone()),
            None => refusal(404, "NoSuchKey", "The specified key does not exist."),
        },
        ("POST", None) if query.contains_key("uploads") => {
            inside.uploads.lock().unwrap().insert(key, BTreeMap::new());
            if inside.holds_begin.load(Ordering::SeqCst) {
                inside.begin.notified().await;
            }
            response(
                200,
                b"<InitiateMultipartUploadResult><UploadId>1</UploadId></InitiateMultipartUploadResult>".to_vec(),
            )
        }
        ("POST", None) => delete(&inside, std::str::from_utf8(&body).unwrap()),
        ("PUT", Some(_)) => part(&inside, &key, get("partNumber").unwrap().parse().unwrap(), &body).await,
        ("POST", Some(_)) => {
            let parts = inside.uploads.lock().unwrap().remove(&key).unwrap();
            let mut bytes = parts.into_values().collect::<Vec<_>>().concat();
            if inside.spoils.load(Ordering::SeqCst) {
                bytes[0] ^= 1;
            }
            inside.objects.lock().unwrap().insert(key, bytes);
            response(200, b"<CompleteMultipartUploadResult><ETag>e</ETag></CompleteMultipartUploadResult>".to_vec())
        }
        ("DELETE", Some(_)) => {
            inside.uploads.lock().unwrap().remove(&key);
            response(204, Vec::new())
        }
        other => panic!("{other:?} {uri}"),
    }
}

async fn part(inside: &Inside, key: &str, number: u32, body: &Bytes) -> Response<Body> {
    if inside.holds_parts.load(Ordering::SeqCst) {
        std::future::pending::<()>().await;
    }
    if inside.fails_parts.load(Ordering::SeqCst) {
        return refusal(400, "EntityTooLarge", "Your proposed upload exceeds the maximum allowed size");
    }
    match inside.uploads.lock().unwrap().get_mut(key) {
        Some(parts) => {
            parts.insert(number, body.to_vec());
            response(200, Vec::new())
        }
        None => refusal(404, "NoSuchUpload", "The specified upload does not exist."),
    }
}

fn list(inside: &Inside, prefix: &str) -> Response<Body> {
    let objects = inside.objects.lock().unwrap();
    let direct = objects.iter().filter(|(key, _)| key.strip_prefix(prefix).is_some_and(|rest| !rest.contains('/')));
    let contents = direct.map(|(key, bytes)| {
        let at = "<LastModified>2026-11-22T07:35:02.000Z</LastModified><ETag>e</ETag>";
        format!("<Contents><Key>{key}</Key>{at}<Size>{}</Size></Contents>", bytes.len())
    });
    let contents: String = contents.collect();
    let text =
        format!("<ListBucketResult><Name>{BUCKET}</Name><IsTruncated>false</IsTruncated>{contents}</ListBucketResult>");
    response(200, text.into_bytes())
}

fn delete(inside: &Inside, body: &str) -> Response<Body> {
    let mut deleted = String::new();
    for part in body.split("<Key>").skip(1) {
        let key = part.split("</Key>").next().unwrap();
        inside.objects.lock().unwrap().remove(key);
        deleted.push_str(&format!("<Deleted><Key>{key}</Key></Deleted>"));
    }
    response(200, format!("<DeleteResult>{deleted}</DeleteResult>").into_bytes())
}
