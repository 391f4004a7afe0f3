use std::fs;

use super::*;
use crate::deployment::stored;

fn open(root: &Path, environment: &str, domain: &str) -> Ledger {
    Ledger::open(&LedgerPlace::Folder(PathBuf::from(".tenantry")), root, environment, domain).unwrap()
}

#[tokio::test]
async fn a_deployment_is_kept_and_read() {
    let root = tempfile::tempdir().unwrap();
    let ledger = open(root.path(), "prod", DOMAIN);
    assert_eq!(ledger.read().await.unwrap(), (History::none(), Vec::new()));
    assert!(!root.path().join(".tenantry").exists(), "nothing is written by reading");

    ledger.begin(&sample(&id(1))).await.unwrap();
    let (history, problems) = ledger.read().await.unwrap();
    assert_eq!((ids(&history), unfinished(&history), problems), (vec![id(1)], 1, Vec::new()));
    assert_eq!(history.base(), None);

    ledger.finish(&ended(&id(1))).await.unwrap();
    ledger.finish(&ended(&id(2))).await.unwrap();
    let (history, _) = ledger.read().await.unwrap();
    assert_eq!((ids(&history), unfinished(&history)), (vec![id(1), id(2)], 0));
    assert_eq!(history.find("01JD7Z00000000000000000002").unwrap(), &ended(&id(2)));

    let file = root.path().join(".tenantry").join(DOMAIN).join("deployments").join(format!("{}.json", id(1)));
    assert!(file.is_file());
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    }
    let journal = ledger.journal(&id(1));
    assert!(journal.parent().unwrap().is_dir(), "the journal has a folder before it begins");
    assert_eq!(ledger.find_journal(&id(1)).unwrap(), None);
    fs::write(&journal, "x").unwrap();
    assert_eq!(ledger.find_journal(&id(1)).unwrap(), Some(journal));
    assert_eq!(ledger.journal("../../../x").file_name().unwrap(), "x.jsonl");
}

#[tokio::test]
async fn a_ledger_belongs_to_a_tenant() {
    let root = tempfile::tempdir().unwrap();
    open(root.path(), "prod", DOMAIN).finish(&ended(&id(1))).await.unwrap();
    let same = open(root.path(), "canary", "https://ACME.eu.auth0.com/");
    assert_eq!(ids(&same.read().await.unwrap().0), [id(1)], "environments of one tenant share it");
    let other = open(root.path(), "prod", "other.eu.auth0.com");
    assert_eq!(other.read().await.unwrap().0, History::none());

    let records = |domain: &str| root.path().join(".tenantry").join(domain).join("deployments");
    fs::create_dir_all(records("other.eu.auth0.com")).unwrap();
    let name = format!("{}.json", id(1));
    fs::copy(records(DOMAIN).join(&name), records("other.eu.auth0.com").join(&name)).unwrap();
    let (history, problems) = other.read().await.unwrap();
    assert_eq!((history, problem_ids(&problems)), (History::none(), vec!["ledger-other-tenant"]));
}

#[tokio::test]
async fn a_port_is_no_name_of_a_folder() {
    let root = tempfile::tempdir().unwrap();
    let mut record = ended(&id(1));
    record.domain = "127.0.0.1:4010".to_owned();
    let ledger = open(root.path(), "sandbox", "http://127.0.0.1:4010");
    ledger.finish(&record).await.unwrap();
    assert_eq!(ids(&ledger.read().await.unwrap().0), [id(1)]);
    assert!(root.path().join(".tenantry/127.0.0.1_4010").is_dir());
}

#[tokio::test]
async fn the_folder_ignores_itself_once() {
    let root = tempfile::tempdir().unwrap();
    let ignore = root.path().join(".tenantry/.gitignore");
    let ledger = open(root.path(), "prod", DOMAIN);
    ledger.begin(&sample(&id(1))).await.unwrap();
    assert_eq!(fs::read_to_string(&ignore).unwrap(), "*\n");
    fs::remove_file(&ignore).unwrap();
    ledger.begin(&sample(&id(2))).await.unwrap();
    assert!(!ignore.exists(), "who takes it away wants the ledger committed");
}

#[tokio::test]
async fn what_cannot_be_read_is_never_taken_for_absent() {
    let root = tempfile::tempdir().unwrap();
    let ledger = open(root.path(), "prod", DOMAIN);
    ledger.finish(&ended(&id(1))).await.unwrap();
    ledger.finish(&ended(&id(2))).await.unwrap();
    let folder = root.path().join(".tenantry").join(DOMAIN).join("deployments");
    let file = folder.join(format!("{}.json", id(2)));
    let text = fs::read(&file).unwrap();
    for end in 0..text.len() {
        fs::write(&file, &text[..end]).unwrap();
        let problem = ledger.read().await.unwrap_err();
        assert_eq!(problem.id, "ledger-damaged", "cut at {end}");
        assert!(problem.title.starts_with(&format!(".tenantry/{DOMAIN}/deployments/{}.json", id(2))));
    }
    fs::write(&file, &text).unwrap();
    fs::rename(&file, folder.join(format!("{}.json", id(3)))).unwrap();
    assert_eq!(ledger.read().await.unwrap_err().id, "ledger-damaged", "a renamed file");
    fs::write(folder.join(format!("{}.json", id(3))), r#"{"format":7,"tool":"2.0.0"}"#).unwrap();
    assert_eq!(ledger.read().await.unwrap_err().id, "ledger-too-new");
    fs::remove_file(folder.join(format!("{}.json", id(3)))).unwrap();

    // A write that was cut off leaves its temporary file, and the older truth.
    fs::write(folder.join(".tenantry-x1y2"), &text[..10]).unwrap();
    fs::write(folder.join("notes.txt"), "x").unwrap();
    assert_eq!(ids(&ledger.read().await.unwrap().0), [id(1)]);
}

#[tokio::test]
async fn a_ledger_that_cannot_be_written_says_so() {
    let root = tempfile::tempdir().unwrap();
    fs::write(root.path().join(".tenantry"), "a file in its place").unwrap();
    let ledger = open(root.path(), "prod", DOMAIN);
    let problem = ledger.begin(&sample(&id(1))).await.unwrap_err();
    assert_eq!(problem.id, "ledger-unwritable");
    assert!(problem.help[0].contains("dir:PATH"), "{problem:?}");
    assert_eq!(ledger.read().await.unwrap_err().id, "ledger-unreadable");
}

#[cfg(unix)]
#[tokio::test]
async fn a_folder_that_is_read_only_says_so() {
    use std::os::unix::fs::PermissionsExt;
    let root = tempfile::tempdir().unwrap();
    let ledger = open(root.path(), "prod", DOMAIN);
    ledger.finish(&ended(&id(1))).await.unwrap();
    let folder = root.path().join(".tenantry").join(DOMAIN).join("deployments");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o500)).unwrap();
    let result = ledger.begin(&sample(&id(2))).await;
    let probe = fs::write(folder.join("probe"), "x");
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o700)).unwrap();
    if probe.is_ok() {
        return; // Nothing is read-only for the superuser.
    }
    let problem = result.unwrap_err();
    assert_eq!((problem.id, problem.title.contains("permission denied")), ("ledger-unwritable", true), "{problem:?}");
    assert_eq!(ids(&ledger.read().await.unwrap().0), [id(1)]);
}

/// A kind that this version does not know stands in the base as any other.
#[tokio::test]
async fn an_unknown_kind_is_carried_along() {
    use crate::deployment::BaseEntry;
    use crate::model::{Address, BaseResource, Value};
    let root = tempfile::tempdir().unwrap();
    let ledger = open(root.path(), "prod", DOMAIN);
    let mut record = ended(&id(1));
    let address = Address::new("hologramms", "x");
    let left = BaseResource { id: "h1".to_owned(), desired: Value::object(), live: Value::object() };
    record.base = vec![BaseEntry { address: address.clone(), left: Some(left.clone()) }];
    ledger.finish(&record).await.unwrap();
    let (history, _) = ledger.read().await.unwrap();
    assert_eq!(history.base().unwrap().resources.get(&address), Some(&left));
    assert_eq!(stored::write(history.last().unwrap()), stored::write(&record));
}
