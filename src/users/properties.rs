//! Laws of the pure parts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use serde_json::{Map, Value, json};

use super::chunk::{Chunk, Chunker};
use super::convert::{self, RESERVED, SCHEMA};
use super::lines::{Entries, Lines, Plain, Stop};

fn metadata() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        "\\PC{0,12}".prop_map(Value::from)
    ];
    let name = prop_oneof![
        "[a-z_]{1,6}".prop_map(String::from),
        proptest::sample::select(&RESERVED[..]).prop_map(str::to_owned)
    ];
    proptest::collection::btree_map(name, leaf, 0..5)
        .prop_map(|members| members.into_iter().collect::<Map<_, _>>().into())
}

fn user() -> impl Strategy<Value = Value> {
    (
        proptest::option::of("[a-z]{0,8}@[a-z]{1,4}\\.co"),
        proptest::option::of("(auth0\\|)?[a-z0-9]{1,12}"),
        proptest::option::of("\\PC{0,40}"),
        proptest::option::of(any::<bool>()),
        metadata(),
        metadata(),
    )
        .prop_map(|(email, id, name, verified, app, own)| {
            json!({
                "email": email, "user_id": id, "name": name, "email_verified": verified, "blocked": verified,
                "app_metadata": app, "user_metadata": own, "created_at": "2020-01-01T00:00:00.000Z",
                "identities": [{"provider": "auth0", "connection": "db"}], "nickname": "",
            })
        })
}

proptest! {
    #[test]
    fn every_user_is_in_one_chunk_or_one_class_and_no_chunk_is_too_large(
        users in proptest::collection::vec(user(), 0..60),
        limit in 150_usize..900,
    ) {
        let mut chunker = Chunker::new(limit);
        let (mut chunks, mut classes, mut wanted) = (Vec::<Chunk>::new(), 0, Vec::new());
        for user in &users {
            match convert::convert(user) {
                Err(_) => classes += 1,
                Ok(user) => {
                    let json = user.json.clone();
                    match chunker.push(user) {
                        Ok(full) => { wanted.push(json); chunks.extend(full); }
                        Err(large) => { prop_assert!(large.json.len() + 2 > limit); classes += 1; }
                    }
                }
            }
        }
        chunks.extend(chunker.finish());
        let mut sent = Vec::new();
        for chunk in &chunks {
            let file = chunk.file();
            prop_assert!(file.len() <= limit, "{} > {limit}", file.len());
            let Value::Array(list) = serde_json::from_slice::<Value>(&file).unwrap() else { panic!("no list") };
            sent.extend(list.iter().map(Value::to_string));
        }
        prop_assert_eq!(sent.len() + classes, users.len());
        prop_assert_eq!(sent, wanted);
    }

    #[test]
    fn a_conversion_keeps_what_the_schema_has_and_nothing_else(user in user()) {
        let Ok(out) = convert::convert(&user) else {
            prop_assert!(user["email"].is_null());
            return Ok(());
        };
        let made: Value = serde_json::from_str(&out.json).unwrap();
        for name in made.as_object().unwrap().keys() {
            prop_assert!(SCHEMA.contains(&name.as_str()), "{name}");
        }
        for name in SCHEMA {
            let given = &user[name];
            let is_empty = given.is_null() || given == "";
            match name {
                "email_verified" => prop_assert_eq!(&made[name], &json!(given == &json!(true))),
                "user_id" if !is_empty => {
                    let id = given.as_str().unwrap();
                    prop_assert_eq!(made[name].as_str().unwrap(), id.strip_prefix("auth0|").unwrap_or(id));
                }
                "app_metadata" => {
                    for (key, value) in given.as_object().unwrap() {
                        let is_reserved = RESERVED.contains(&key.as_str());
                        prop_assert_eq!(made[name].get(key), Some(value).filter(|_| !is_reserved));
                    }
                }
                _ if is_empty => prop_assert!(made.get(name).is_none(), "{name}"),
                _ => prop_assert_eq!(&made[name], given),
            }
        }
    }

    #[test]
    fn equal_users_have_equal_keys_whatever_the_order_of_their_members(user in user()) {
        let turned: Map<String, Value> = user.as_object().unwrap().clone().into_iter().rev().collect();
        let key = |user: &Value| convert::convert(user).ok().map(|user| (user.email, user.content));
        prop_assert_eq!(key(&user), key(&Value::Object(turned)));
        let mut other = user.clone();
        other["user_metadata"]["another"] = json!(1);
        if key(&user).is_some() {
            prop_assert_ne!(key(&user), key(&other));
        }
    }

    #[test]
    fn lines_come_out_of_any_pieces_compressed_or_not(
        lines in proptest::collection::vec("[a-z]{1,30}", 0..40),
        cuts in proptest::collection::vec(1_usize..50, 1..20),
        is_gzip in any::<bool>(),
    ) {
        let text = lines.join("\n").into_bytes();
        let file = if is_gzip { gzip(&text) } else { text };
        let (mut plain, mut cut, mut out) = (Plain::new(), Lines::default(), Vec::<String>::new());
        let mut keep = |line: &[u8]| { out.push(String::from_utf8(line.to_vec()).unwrap()); Ok(()) };
        let (mut rest, mut n) = (&file[..], 0);
        while !rest.is_empty() {
            let (piece, after) = rest.split_at(cuts[n % cuts.len()].min(rest.len()));
            prop_assert!(plain.push(piece, &mut |text| cut.push(text, &mut keep)).is_ok());
            (rest, n) = (after, n + 1);
        }
        prop_assert!(plain.finish(&mut |text| cut.push(text, &mut keep)).is_ok());
        prop_assert!(cut.finish(&mut keep).is_ok());
        prop_assert_eq!(out, lines);
    }
}

fn gzip(text: &[u8]) -> Vec<u8> {
    use std::io::Write as _;
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(text).unwrap();
    encoder.finish().unwrap()
}

#[test]
fn a_file_that_breaks_off_is_no_file() {
    let whole = gzip("{\"a\": 1}\n".repeat(500).as_bytes());
    for length in [3, 12, whole.len() / 2, whole.len() - 1] {
        let mut plain = Plain::new();
        let pushed = plain.push(&whole[..length], &mut |_| Ok(()));
        let ended = pushed.and_then(|()| plain.finish(&mut |_| Ok(())));
        assert!(matches!(ended, Err(Stop::Broken)), "{length} of {}", whole.len());
    }
}

#[test]
fn entries_are_numbered_and_never_larger_than_a_megabyte() {
    let mut seen = Vec::new();
    let mut entries = Entries::new("users/x");
    let mut sink = |path: &str, bytes: &[u8]| {
        seen.push((path.to_owned(), bytes.len()));
        Ok(())
    };
    for _ in 0..30 {
        entries.line(&[b'a'; 99_999], &mut sink).unwrap();
    }
    entries.finish(&mut sink).unwrap();
    entries.finish(&mut sink).unwrap();
    let names: Vec<&str> = seen.iter().map(|(path, _)| path.as_str()).collect();
    assert_eq!(names, ["users/x/00001.ndjson", "users/x/00002.ndjson", "users/x/00003.ndjson"]);
    assert!(seen.iter().all(|(_, bytes)| *bytes == 1_000_000), "{seen:?}");
}
