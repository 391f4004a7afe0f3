//! A folder, and a bucket in memory.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Read, Write};
use std::sync::Arc;

use object_store::memory::InMemory;
use object_store::path::Path as ObjectPath;
use object_store::{ObjectStore, ObjectStoreExt};

use super::*;

fn around(directory: &std::path::Path) -> Surroundings {
    Surroundings { directory: directory.to_path_buf(), ..Surroundings::default() }
}

fn name(text: &str) -> NewFile {
    NewFile::Numbered(ArchiveName::parse(text).unwrap())
}

const ONE: &str = "a-20261122T073502Z.tar.zst";

async fn put(place: &Place, file: NewFile, bytes: &[u8]) -> (String, Written) {
    let (mut sink, upload) = place.begin(file, &CancellationToken::new()).await.unwrap();
    sink.write_all(bytes).unwrap();
    let written = sink.end().unwrap();
    let file = upload.file().to_owned();
    upload.publish().await.unwrap();
    (file, written)
}

async fn get(place: &Place, file: &str) -> Vec<u8> {
    let mut source = place.open(file).await.unwrap();
    let read = move || {
        let mut bytes = Vec::new();
        source.read_to_end(&mut bytes).map(|_| bytes)
    };
    tokio::task::spawn_blocking(read).await.unwrap().unwrap()
}

/// What every place has to do.
async fn laws(place: &Place) {
    let large: Vec<u8> = (0..20_000_000_u32).map(|n| n.to_le_bytes()[0] ^ n.to_le_bytes()[2]).collect();
    let (file, written) = put(place, name(ONE), &large).await;
    assert_eq!((file.as_str(), written.bytes), (ONE, 20_000_000));
    assert!(get(place, ONE).await == large);
    let (second, _) = put(place, name(ONE), b"second").await;
    assert_eq!(second, "a-20261122T073502Z-2.tar.zst");
    let taken = place.begin(NewFile::Named(ONE.to_owned()), &CancellationToken::new()).await.map(|_| ()).unwrap_err();
    assert_eq!(taken.id, "backup-exists");
    assert!(get(place, ONE).await == large, "nothing is written over");

    let (mut sink, upload) = place.begin(name("b-20261122T073502Z.tar.zst"), &CancellationToken::new()).await.unwrap();
    sink.write_all(&large).unwrap();
    assert!(!place.list().await.unwrap().iter().any(|stored| stored.name.tenant == "b" && stored.name.finished));
    drop(sink);
    upload.abandon().await;
    let mut files: Vec<String> = place.list().await.unwrap().into_iter().map(|stored| stored.file).collect();
    files.sort();
    assert_eq!(files, [second.as_str(), ONE], "nothing is left of what was given up");

    place.remove(ONE).await.unwrap();
    place.remove(ONE).await.unwrap();
    assert_eq!(place.open(ONE).await.map(|_| ()).unwrap_err().id, "backup-missing");
    assert_eq!(place.list().await.unwrap().len(), 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_keeps_what_it_is_given() {
    let outer = tempfile::tempdir().unwrap();
    let place = Place::parse("backups", &around(outer.path())).unwrap();
    laws(&place).await;
    std::fs::write(outer.path().join("backups/notes.txt"), "x").unwrap();
    assert_eq!(place.list().await.unwrap().len(), 1, "other files are no business of ours");
    assert_eq!(place.shown(ONE), format!("backups/{ONE}"));
}

#[cfg(unix)]
#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_folder_are_their_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let outer = tempfile::tempdir().unwrap();
    let place = Place::parse("backups", &around(outer.path())).unwrap();
    put(&place, name(ONE), b"x").await;
    let mode = |path: &str| std::fs::metadata(outer.path().join(path)).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode("backups"), mode(&format!("backups/{ONE}"))), (0o700, 0o600));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_folder_is_made_and_those_around_it_are_not() {
    let outer = tempfile::tempdir().unwrap();
    let place = Place::parse("mnt/backups", &around(outer.path())).unwrap();
    let problem = place.begin(name(ONE), &CancellationToken::new()).await.map(|_| ()).unwrap_err();
    assert_eq!(problem.id, "backup-unwritable");
    assert!(!outer.path().join("mnt").exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_keeps_what_it_is_given() {
    let store = Arc::new(InMemory::new());
    let other = ObjectPath::from("prod/deeper/a-20261122T073502Z.tar.zst");
    store.put(&other, "x".into()).await.unwrap();
    let place = Place::Bucket(bucket::Bucket::of(Arc::clone(&store) as Arc<dyn ObjectStore>));
    laws(&place).await;
    assert!(store.head(&other).await.is_ok(), "what lies deeper is no business of ours");
    assert_eq!(place.shown(ONE), format!("s3://backups/prod/{ONE}"));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_interrupted_upload_ends_at_once() {
    let place = Place::Bucket(bucket::Bucket::of(Arc::new(InMemory::new())));
    let cancel = CancellationToken::new();
    let (mut sink, upload) = place.begin(name(ONE), &cancel).await.unwrap();
    cancel.cancel();
    let part = vec![0; sink::PART_BYTES];
    let failed = std::iter::repeat_with(|| sink.write_all(&part)).take(10).any(|written| written.is_err());
    drop(sink);
    assert_eq!(upload.abandon().await.map(|problem| problem.id), Some("interrupted"));
    assert!(failed && place.list().await.unwrap().is_empty());
}

#[test]
fn places_are_told_apart() {
    let around = |env: &[(&str, &str)]| Surroundings {
        env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..Surroundings::default()
    };
    let keys = [("AWS_ACCESS_KEY_ID", "a"), ("AWS_SECRET_ACCESS_KEY", "b"), ("AWS_REGION", "eu-west-1")];
    assert!(matches!(Place::parse("s3://b/p/", &around(&keys)), Ok(Place::Bucket(_))));
    assert!(matches!(Place::parse("a/b", &around(&[])), Ok(Place::Folder(_))));
    for bad in ["ftp://x/y", "file:///x", "s3://", "s3:///p", "s3://key:secret@b/p", "s3://b/p?x=1", "https://b/p"] {
        assert_eq!(Place::parse(bad, &around(&keys)).map(|_| ()).unwrap_err().id, "bad-place", "{bad}");
    }
    let (place, file) = Place::parse_file("s3://b/p/x.tar.zst", &around(&keys)).unwrap();
    assert_eq!((file.as_str(), place.shown(&file).as_str()), ("x.tar.zst", "s3://b/p/x.tar.zst"));
    for bad in ["s3://b", "s3://b/", ".."] {
        assert_eq!(Place::parse_file(bad, &around(&keys)).map(|_| ()).unwrap_err().id, "bad-place", "{bad}");
    }
}

#[test]
fn what_to_set_is_said_of_the_service_that_was_asked() {
    let around = |env: &[(&str, &str)]| Surroundings {
        env: env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect(),
        ..Surroundings::default()
    };
    let refused = |env: &[(&str, &str)]| Place::parse("az://c/p", &around(env)).map(|_| ()).unwrap_err();
    let problem = refused(&[]);
    assert_eq!(problem.id, "bad-place");
    assert!(problem.help[0].contains("AZURE_STORAGE_ACCOUNT_NAME") && !problem.help[0].contains("AWS"), "{problem:?}");
    let problem = refused(&[("AZURE_STORAGE_USE_EMULATOR", "true"), ("AZURE_STORAGE_ACCOUNT_NAME", "a")]);
    assert!(problem.help[0].contains("AZURE_STORAGE_ENDPOINT"), "{problem:?}");
}

#[test]
fn plain_http_goes_to_this_machine_alone() {
    let place = |url: &str| {
        let env = [("AWS_ENDPOINT_URL", url), ("AWS_ALLOW_HTTP", "true"), ("AWS_REGION", "eu-west-1")];
        let env = env.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Place::parse("s3://b/p", &Surroundings { env, ..Surroundings::default() }).map(|_| ()).map_err(|p| p.id)
    };
    for good in ["http://127.0.0.1:5000", "http://localhost:5000/", "http://[::1]:5000", "https://minio.example.com"] {
        assert_eq!(place(good), Ok(()), "{good}");
    }
    for bad in [
        "http://minio.example.com",
        "http://127.0.0.1.example.com:80",
        "http://localhost:80@example.com",
        "http://10.0.0.1:9000",
    ] {
        assert_eq!(place(bad), Err("bad-place"), "{bad}");
    }
}
