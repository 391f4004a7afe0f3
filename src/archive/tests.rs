//! Archives as they are, and as they should not be: cut short, changed, made up.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::io::{Cursor, Write};

use age::secrecy::ExposeSecret;

use super::*;
use crate::model::Secret;
use crate::problem::Problem;

fn header(encrypted: bool) -> Header {
    Header {
        format: Format::CURRENT,
        tool: "0.1.0".to_owned(),
        domain: "acme.eu.auth0.com".to_owned(),
        environment: "prod".to_owned(),
        started: "2026-11-22T07:35:02Z".parse().unwrap(),
        encrypted,
    }
}

fn contents() -> Contents {
    Contents {
        counts: [("clients".to_owned(), 1)].into_iter().collect(),
        unread: vec![Unread { what: "roles".to_owned(), why: "the scope `read:roles` is missing".to_owned() }],
        secrets: vec!["SMTP".to_owned()],
        ..Contents::default()
    }
}

/// Entries with a path that fits into a head of tar, and one that does not.
fn entries() -> Vec<(String, Vec<u8>)> {
    let long = format!("description/clients/{}.yaml", "ü".repeat(90));
    vec![
        ("description/tenant.json".to_owned(), b"{\"friendly_name\": \"Acme\"}".to_vec()),
        (long, vec![b'x'; 512]),
        ("description/empty.yaml".to_owned(), Vec::new()),
        ("objects/clients.ndjson".to_owned(), b"{\"client_id\":\"a\"}\n".repeat(40)),
    ]
}

fn archive(seal: &Seal) -> Vec<u8> {
    let mut writer = Writer::start(Vec::new(), &header(seal.is_sealed()), seal).unwrap();
    for (path, bytes) in entries() {
        writer.add(&path, &bytes).unwrap();
    }
    writer.finish("2026-11-22T07:36:00Z".parse().unwrap(), contents()).unwrap().0
}

/// What an archive holds.
type Held = (Header, Vec<(String, Vec<u8>)>, Manifest);

fn read(bytes: &[u8], key: &Unseal) -> Result<Held, Problem> {
    let mut reader = Reader::open(Cursor::new(bytes.to_vec()), key)?;
    let header = reader.header().clone();
    let mut found = Vec::new();
    while let Some(entry) = reader.next_entry()? {
        found.push(entry);
    }
    Ok((header, found, reader.finish()?))
}

fn fails(bytes: &[u8]) -> &'static str {
    read(bytes, &Unseal::none()).map(|_| ()).unwrap_err().id
}

fn pair() -> (Seal, Unseal, String) {
    let identity = age::x25519::Identity::generate();
    let seal = Seal::recipients(&[identity.to_public().to_string()]).unwrap();
    let text = identity.to_string().expose_secret().to_owned();
    let file = format!("# created by a test\n{text}\n");
    (seal, Unseal::new(Some(file.as_bytes()), None).unwrap(), text)
}

#[test]
fn what_is_written_is_read() {
    let (header_read, found, manifest) = read(&archive(&Seal::Open), &Unseal::none()).unwrap();
    assert_eq!((header_read, found), (header(false), entries()));
    assert_eq!(manifest.contents, contents());
    assert_eq!(manifest.entries.len(), entries().len() + 1, "the header too");
}

#[test]
fn an_archive_of_one_tenant_is_the_same_to_the_byte() {
    assert_eq!(archive(&Seal::Open), archive(&Seal::Open));
}

#[test]
fn any_recipient_opens_a_sealed_archive() {
    let (one, two) = (age::x25519::Identity::generate(), age::x25519::Identity::generate());
    let seal = Seal::recipients(&[one.to_public().to_string(), two.to_public().to_string()]).unwrap();
    let bytes = archive(&seal);
    assert!(!bytes.windows(8).any(|part| part == b"friendly"));
    for identity in [one, two] {
        let key = Unseal::new(Some(identity.to_string().expose_secret().as_bytes()), None).unwrap();
        assert_eq!(read(&bytes, &key).unwrap().1, entries());
    }
}

#[test]
fn a_passphrase_opens_what_it_sealed() {
    let secret = |text: &str| Secret::new(text, "a test");
    let bytes = archive(&Seal::passphrase(secret("correct horse")).unwrap());
    let key = Unseal::new(None, Some(secret("correct horse"))).unwrap();
    assert_eq!(read(&bytes, &key).unwrap().1, entries());
    let wrong = Unseal::new(None, Some(secret("battery staple"))).unwrap();
    assert_eq!(read(&bytes, &wrong).unwrap_err().id, "archive-key");
    assert_eq!(read(&bytes, &Unseal::none()).unwrap_err().id, "archive-encrypted");
    let (_, other, _) = pair();
    assert_eq!(read(&bytes, &other).unwrap_err().id, "archive-encrypted", "a key is no passphrase");
    assert_eq!(Seal::passphrase(secret("")).unwrap_err().id, "bad-passphrase");
}

#[test]
fn a_sealed_archive_opens_with_its_key_alone() {
    let (seal, key, _) = pair();
    let bytes = archive(&seal);
    assert_eq!(read(&bytes, &key).unwrap().1, entries());
    assert_eq!(read(&bytes, &Unseal::none()).unwrap_err().id, "archive-encrypted");
    let (_, other, _) = pair();
    assert_eq!(read(&bytes, &other).unwrap_err().id, "archive-key");
}

#[test]
fn keys_that_are_none_are_told() {
    let (_, _, secret) = pair();
    let refused = Seal::recipients(std::slice::from_ref(&secret)).unwrap_err();
    assert_eq!(refused.id, "bad-recipient");
    assert!(!format!("{refused:?}").contains(&secret), "a secret key is not repeated");
    for text in ["", "age1", "ssh-ed25519 AAAA", "age1yubikey1qqq"] {
        assert_eq!(Seal::recipients(&[text.to_owned()]).unwrap_err().id, "bad-recipient", "{text}");
    }
    for bytes in [&b""[..], b"# nothing\n", b"hello\n", b"\xff\xfe"] {
        assert_eq!(Unseal::new(Some(bytes), None).unwrap_err().id, "bad-identity");
    }
}

#[test]
fn no_archive_cut_short_is_whole() {
    let (seal, key, _) = pair();
    for (bytes, key) in [(archive(&Seal::Open), &Unseal::none()), (archive(&seal), &key)] {
        for length in 0..bytes.len() {
            let problem = read(&bytes[..length], key).map(|_| ()).unwrap_err();
            let expected = ["archive-damaged", "not-an-archive"].contains(&problem.id);
            assert!(expected, "{length} of {}: {problem}", bytes.len());
        }
    }
}

#[test]
fn no_archive_with_a_bit_changed_is_whole() {
    let (seal, key, _) = pair();
    for (bytes, key) in [(archive(&Seal::Open), &Unseal::none()), (archive(&seal), &key)] {
        for at in 0..bytes.len() {
            for bit in [0, 3, 7] {
                let mut changed = bytes.clone();
                changed[at] ^= 1 << bit;
                assert!(read(&changed, key).is_err(), "byte {at}, bit {bit}");
            }
        }
    }
}

#[test]
fn nothing_may_follow() {
    let (seal, key, _) = pair();
    for (bytes, key) in [(archive(&Seal::Open), &Unseal::none()), (archive(&seal), &key)] {
        for more in [&b"\0"[..], b"more", &bytes] {
            let longer = [&bytes[..], more].concat();
            assert_eq!(read(&longer, key).map(|_| ()).unwrap_err().id, "archive-damaged");
        }
    }
}

/// An archive that somebody made: a tar of these blocks, compressed and with its digest.
fn made(build: impl FnOnce(&mut tar::Builder<Vec<u8>>)) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    put(&mut tar, HEADER, &serde_json::to_vec(&header(false)).unwrap());
    build(&mut tar);
    pressed(&tar.into_inner().unwrap())
}

fn pressed(tar: &[u8]) -> Vec<u8> {
    let mut zstd = zstd::Encoder::new(trailer::Digesting::new(Vec::new()), 3).unwrap();
    zstd.write_all(tar).unwrap();
    zstd.finish().unwrap().finish().unwrap()
}

/// Adds an entry whose path nobody checks.
fn put(tar: &mut tar::Builder<Vec<u8>>, path: &str, bytes: &[u8]) {
    let mut head = tar::Header::new_gnu();
    head.as_gnu_mut().unwrap().name[..path.len()].copy_from_slice(path.as_bytes());
    head.set_size(bytes.len() as u64);
    head.set_entry_type(tar::EntryType::Regular);
    head.set_cksum();
    tar.append(&head, bytes).unwrap();
}

fn special(tar: &mut tar::Builder<Vec<u8>>, kind: tar::EntryType) {
    let mut head = tar::Header::new_gnu();
    head.set_path("description/x.yaml").unwrap();
    head.set_link_name("/etc/passwd").unwrap();
    head.set_size(0);
    head.set_entry_type(kind);
    head.set_cksum();
    tar.append(&head, &[][..]).unwrap();
}

#[test]
fn entries_that_would_lie_outside_are_refused() {
    for path in ["../x", "/etc/passwd", "description/../../x", "description/a\\b", "C:/x", "description//x", "a\nb"] {
        assert_eq!(fails(&made(|tar| put(tar, path, b"x"))), "archive-refused", "{path:?}");
        let mut folder = UnpackedDescription::new().unwrap();
        if path.starts_with(DESCRIPTION) {
            assert_eq!(folder.take(path, b"x").unwrap_err().id, "archive-refused");
        }
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn links_and_devices_are_refused() {
    use tar::EntryType::{Block, Char, Directory, Fifo, Link, Symlink, XGlobalHeader, XHeader};
    for kind in [Link, Symlink, Char, Block, Fifo, Directory, XHeader, XGlobalHeader] {
        assert_eq!(fails(&made(|tar| special(tar, kind))), "archive-refused", "{kind:?}");
    }
}

#[test]
fn two_entries_of_one_path_are_refused() {
    let twice = made(|tar| {
        put(tar, "description/a.yaml", b"1");
        put(tar, "description/a.yaml", b"2");
    });
    assert_eq!(fails(&twice), "archive-refused");
    assert_eq!(fails(&made(|tar| put(tar, HEADER, b"{}"))), "archive-refused");
    let mut writer = Writer::start(Vec::new(), &header(false), &Seal::Open).unwrap();
    assert_eq!(writer.add(HEADER, b"{}").unwrap_err().id, "archive-refused");
    assert_eq!(writer.add("../x", b"{}").unwrap_err().id, "archive-refused");
}

#[test]
fn an_entry_larger_than_memory_is_refused() {
    let huge = made(|tar| {
        let mut head = tar::Header::new_gnu();
        head.set_path("description/huge.yaml").unwrap();
        head.set_size(MOST_ENTRY_BYTES + 1);
        head.set_cksum();
        tar.append(&head, &[][..]).unwrap();
    });
    assert_eq!(fails(&huge), "archive-refused");
    let lies = made(|tar| {
        let mut head = tar::Header::new_gnu();
        head.set_path("description/huge.yaml").unwrap();
        head.set_size(MOST_ENTRY_BYTES);
        head.set_cksum();
        tar.append(&head, &[][..]).unwrap();
    });
    assert_eq!(fails(&lies), "archive-damaged", "what is not there is not made room for");
}

#[test]
fn an_archive_without_a_manifest_was_never_finished() {
    let problem = read(&made(|tar| put(tar, "description/a.yaml", b"1")), &Unseal::none()).unwrap_err();
    assert!(problem.title.contains("never finished"), "{problem}");
}

#[test]
fn a_manifest_that_lists_something_else_is_not_believed() {
    let manifest = |entries: Vec<Entry>| Manifest {
        format: Format::CURRENT,
        ended: "2026-11-22T07:36:00Z".parse().unwrap(),
        entries,
        contents: Contents::default(),
    };
    let good = read(&archive(&Seal::Open), &Unseal::none()).unwrap().2.entries;
    for entries in [Vec::new(), good] {
        let text = serde_json::to_vec(&manifest(entries)).unwrap();
        assert_eq!(fails(&made(|tar| put(tar, MANIFEST, &text))), "archive-damaged");
    }
    let early = made(|tar| {
        put(tar, MANIFEST, &serde_json::to_vec(&manifest(Vec::new())).unwrap());
        put(tar, "description/a.yaml", b"1");
    });
    assert_eq!(fails(&early), "archive-damaged");
}

proptest::proptest! {
    #![proptest_config(proptest::test_runner::Config {
        cases: 400, failure_persistence: None, ..proptest::test_runner::Config::default()
    })]

    /// Somebody who can make the digest behind the data fit changes the tar inside: blocks are moved, lost, doubled, bytes
    /// changed. What is read is what was written, or nothing.
    #[test]
    fn a_tar_that_was_changed_is_refused_or_says_the_same(
        edits in proptest::collection::vec((0..4_u8, proptest::prelude::any::<u16>(), proptest::prelude::any::<u8>()), 1..4)
    ) {
        let mut tar = Vec::new();
        std::io::Read::read_to_end(&mut zstd::Decoder::new(archive(&Seal::Open).as_slice()).unwrap(), &mut tar).unwrap();
        for (what, at, byte) in edits {
            let (blocks, at) = (tar.len() / 512, usize::from(at));
            let block = at % blocks * 512;
            match what {
                0 => { let at = at % tar.len(); tar[at] = byte; }
                1 => { tar.drain(block..block + 512); }
                2 => { let copy = tar[block..block + 512].to_vec(); tar.splice(block..block, copy); }
                _ => {
                    // The sum of the block fits again: as if it had been made so.
                    tar[block + usize::from(byte) % 148] = byte;
                    let sum: u32 = tar[block..block + 512].iter().enumerate()
                        .map(|(n, b)| if (148..156).contains(&n) { 32 } else { u32::from(*b) }).sum();
                    tar[block + 148..block + 156].copy_from_slice(format!("{sum:06o}\0 ").as_bytes());
                }
            }
            if tar.len() < 512 { return Ok(()); }
        }
        // The manifest itself is in no manifest: whoever makes the digests may write into it what he likes.
        if let Ok((found_header, found, _)) = read(&pressed(&tar), &Unseal::none()) {
            proptest::prop_assert_eq!((found_header, found), (header(false), entries()));
        }
    }
}

#[test]
fn a_newer_archive_names_who_wrote_it() {
    let mut tar = tar::Builder::new(Vec::new());
    put(&mut tar, HEADER, br#"{"format": 2, "tool": "9.1.0", "sections": []}"#);
    let problem = read(&pressed(&tar.into_inner().unwrap()), &Unseal::none()).unwrap_err();
    assert_eq!(problem.id, "archive-newer");
    assert!(problem.notes[0].contains("9.1.0") && problem.help[0].contains("9.1.0"), "{problem:?}");
}

#[test]
fn what_is_no_archive_is_told() {
    let gzip: &[u8] = b"\x1f\x8b\x08\0";
    for bytes in [&b""[..], b"PK\x03\x04", gzip, b"{}", b"age-encryption", &[0x28, 0xb5, 0x2f]] {
        assert_eq!(fails(bytes), "not-an-archive", "{bytes:?}");
    }
    for bytes in [pressed(b"hello"), pressed(&[0; 4096]), b"age-encryption.org/v1\n-> X25519 ".to_vec()] {
        assert_eq!(fails(&bytes), "archive-damaged");
    }
}

#[test]
fn a_head_without_end_is_not_read_on_for_ever() {
    let head = [b"age-encryption.org/v1\n".to_vec(), b"-> X25519 AAAA\n".repeat(1_000_000)].concat();
    let (_, key, _) = pair();
    assert_eq!(read(&head, &key).map(|_| ()).unwrap_err().id, "archive-damaged");
}

#[test]
fn a_source_that_fails_is_not_taken_for_damage() {
    struct Broken(Cursor<Vec<u8>>);
    impl std::io::Read for Broken {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            match self.0.read(into)? {
                0 => Err(std::io::Error::other("the line is dead")),
                read => Ok(read),
            }
        }
    }
    let (seal, key, _) = pair();
    for (bytes, key) in [(archive(&Seal::Open), Unseal::none()), (archive(&seal), key)] {
        let source = Broken(Cursor::new(bytes[..bytes.len() / 2].to_vec()));
        let problem = Reader::open(source, &key).and_then(Reader::finish).map(|_| ()).unwrap_err();
        assert_eq!(problem.id, "archive-unreadable");
        assert!(problem.title.contains("the line is dead"), "{problem}");
    }
}

#[test]
fn a_description_is_unpacked_into_a_folder_of_its_own() {
    let mut folder = UnpackedDescription::new().unwrap();
    for (path, bytes) in entries() {
        assert_eq!(folder.take(&path, &bytes).unwrap(), path.starts_with(DESCRIPTION));
    }
    assert_eq!(folder.files(), 3);
    let text = std::fs::read_to_string(folder.path().join("tenant.json")).unwrap();
    assert!(text.contains("Acme"));
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        let mode = std::fs::metadata(folder.outer()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o700);
    }
    let path = folder.outer().to_path_buf();
    drop(folder);
    assert!(!path.exists());
}
