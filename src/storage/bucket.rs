//! Backups in a bucket.

use std::io::{self, Read};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, sync_channel};
use std::time::Duration;

use futures_util::StreamExt;
use object_store::path::Path;
use object_store::{MultipartUpload, ObjectStore, ObjectStoreExt};
use tokio_util::sync::CancellationToken;

use super::config;
use super::sink::{Message, Sink, Upload};
use crate::problem::Problem;
use crate::project::Surroundings;

/// How long an upload that is being begun is waited for when the program is told to stop.
const GRACE: Duration = Duration::from_secs(5);

/// A bucket, and a prefix in it.
#[derive(Debug)]
pub struct Bucket {
    store: Arc<dyn ObjectStore>,
    prefix: Path,
    /// `s3://BUCKET/PREFIX`, without a slash at the end.
    url: String,
    scheme: &'static str,
}

impl Bucket {
    pub(super) fn parse(scheme: &'static str, text: &str, around: &Surroundings) -> Result<Self, Problem> {
        let (store, path) = config::store(scheme, text, around)?;
        let prefix = Path::parse(path.trim_matches('/'))
            .map_err(|_| Problem::error("bad-place", format!("`{path}` is no prefix of a bucket")))?;
        Ok(Bucket { store, prefix, url: text.trim_end_matches('/').to_owned(), scheme })
    }

    #[cfg(test)]
    pub(super) fn of(store: Arc<dyn ObjectStore>) -> Self {
        Bucket { store, prefix: Path::from("prod"), url: "s3://backups/prod".to_owned(), scheme: "s3" }
    }

    pub(super) fn shown(&self, file: &str) -> String {
        if file.is_empty() { self.url.clone() } else { format!("{}/{file}", self.url) }
    }

    fn path(&self, file: &str) -> Path {
        self.prefix.clone().join(file)
    }

    /// Begins a file; `None` where the name is taken. The service is asked to begin an upload now: a bucket that is not there, or
    /// closed to us, is told before the tenant is read.
    pub(super) async fn begin(
        &self,
        file: &str,
        cancel: &CancellationToken,
    ) -> Result<Option<(Sink, Upload)>, Problem> {
        let path = self.path(file);
        let begin = async {
            // Who may write but not read cannot know; the time in the name makes it new.
            if self.store.head(&path).await.is_ok() {
                return Ok(None);
            }
            let shown = self.shown(file);
            if self.scheme == "az" {
                self.knock(&path).await.map_err(|error| unwritable(&shown, self.scheme, &error))?;
            }
            let upload = self.store.put_multipart(&path).await;
            let upload = upload.map_err(|error| unwritable(&shown, self.scheme, &error))?;
            Ok(Some((upload, shown)))
        };
        tokio::pin!(begin);
        let begun = tokio::select! {
            () = cancel.cancelled() => {
                // What the service may have begun by now has no name here yet: it is waited for and taken back.
                if let Ok(Ok(Some((mut upload, _)))) = tokio::time::timeout(GRACE, &mut begin).await {
                    let _ = upload.abort().await;
                }
                return Err(interrupted());
            }
            begun = &mut begin => begun?,
        };
        let Some((upload, shown)) = begun else { return Ok(None) };
        // Without room in between: what is written waits for what is sent.
        let (sender, receiver) = sync_channel(0);
        let (cancel, name, scheme) = (cancel.clone(), shown.clone(), self.scheme);
        let runtime = tokio::runtime::Handle::current();
        let failed = move |error| unwritable(&name, scheme, &error);
        let task = tokio::task::spawn_blocking(move || send(&receiver, upload, &runtime, &cancel, &failed));
        Ok(Some(Sink::bucket(sender, task, file, shown)))
    }

    /// Azure is asked nothing when an upload begins: the first word of a container that is not there would come with the first part.
    async fn knock(&self, path: &Path) -> Result<(), object_store::Error> {
        match self.store.list(Some(path)).next().await {
            Some(Err(error)) if config::is_missing(&error) || config::is_refused(&error) => Err(error),
            // Who may write and not list is told so in other words.
            _ => Ok(()),
        }
    }

    pub(super) async fn list(&self) -> Result<Vec<(String, u64)>, Problem> {
        let prefix = (!self.prefix.as_ref().is_empty()).then_some(&self.prefix);
        let found = self.store.list_with_delimiter(prefix).await;
        let found = found.map_err(|error| unreadable(&self.url, self.scheme, &error))?;
        let file = |meta: object_store::ObjectMeta| Some((meta.location.filename()?.to_owned(), meta.size));
        Ok(found.objects.into_iter().filter_map(file).collect())
    }

    pub(super) async fn open(&self, file: &str) -> Result<Box<dyn Read + Send>, Problem> {
        let (shown, scheme) = (self.shown(file), self.scheme);
        let found = self.store.get(&self.path(file)).await.map_err(|error| unreadable(&shown, scheme, &error))?;
        let mut stream = found.into_stream();
        let (sender, receiver) = tokio::sync::mpsc::channel(2);
        tokio::spawn(async move {
            while let Some(chunk) = stream.next().await {
                let chunk = chunk.map(|bytes| bytes.to_vec()).map_err(|error| unreadable(&shown, scheme, &error));
                let is_last = chunk.is_err();
                if sender.send(chunk).await.is_err() || is_last {
                    return;
                }
            }
        });
        Ok(Box::new(Download { receiver, chunk: io::Cursor::new(Vec::new()) }))
    }

    pub(super) async fn remove(&self, file: &str) -> Result<(), Problem> {
        match self.store.delete(&self.path(file)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => {
                let title = format!("{} cannot be removed: {}", self.shown(file), config::said(&error));
                Err(Problem::error("backup-unremovable", title))
            }
        }
    }
}

/// Sends parts as they come; where the end is not told, the upload is taken back.
fn send(
    parts: &Receiver<Message>,
    mut upload: Box<dyn MultipartUpload>,
    runtime: &tokio::runtime::Handle,
    cancel: &CancellationToken,
    failed: &dyn Fn(object_store::Error) -> Problem,
) -> Result<(), Problem> {
    let sent = loop {
        match parts.recv() {
            Ok(Message::Part(bytes)) => {
                let part = upload.put_part(bytes.into());
                let sent = runtime.block_on(async {
                    tokio::select! {
                        () = cancel.cancelled() => Err(interrupted()),
                        sent = part => sent.map_err(failed),
                    }
                });
                if sent.is_err() {
                    break sent;
                }
            }
            Ok(Message::End) => {
                // Not given up half-way: whether it was completed would not be known.
                break runtime.block_on(upload.complete()).map(|_| ()).map_err(failed);
            }
            // Nobody writes any more: something else went wrong, and says so.
            Err(_) => break Err(interrupted()),
        }
    };
    if sent.is_err()
        && let Err(error) = runtime.block_on(upload.abort())
    {
        tracing::debug!(error = config::said(&error), "the upload could not be taken back");
    }
    sent
}

/// Bytes of a file, as they come.
struct Download {
    receiver: tokio::sync::mpsc::Receiver<Result<Vec<u8>, Problem>>,
    chunk: io::Cursor<Vec<u8>>,
}

impl Read for Download {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.chunk.read(into)?;
            if read > 0 || into.is_empty() {
                return Ok(read);
            }
            match self.receiver.blocking_recv() {
                Some(Ok(bytes)) => self.chunk = io::Cursor::new(bytes),
                Some(Err(problem)) => return Err(io::Error::other(problem)),
                None => return Ok(0),
            }
        }
    }
}

fn interrupted() -> Problem {
    Problem::error("interrupted", "interrupted before the backup was whole")
}

fn unwritable(shown: &str, scheme: &str, error: &object_store::Error) -> Problem {
    let problem = Problem::error("backup-unwritable", format!("{shown} cannot be written: {}", config::said(error)));
    config::helped(problem, scheme, error)
}

fn unreadable(shown: &str, scheme: &str, error: &object_store::Error) -> Problem {
    if config::is_missing(error) {
        return config::named_right(Problem::error("backup-missing", format!("there is no {shown}")), scheme);
    }
    let problem = Problem::error("backup-unreadable", format!("{shown} cannot be read: {}", config::said(error)));
    config::helped(problem, scheme, error)
}
