#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
use proptest::prelude::*;

use super::*;
use crate::deployment::History;
use crate::model::{Address, Fingerprint, Map, Mark, Path, Secret, Segment, Unresolved};

/// A record as most are, with every member filled.
pub(crate) fn sample(id: &str) -> Deployment {
    let address = Address::new("clients", "My/App");
    Deployment {
        id: id.to_owned(),
        domain: "acme.eu.auth0.com".to_owned(),
        environment: "prod".to_owned(),
        purpose: Purpose::Apply,
        tool: "0.1.0".to_owned(),
        actor: "Ana".to_owned(),
        commit: Some(Commit { id: "4f2c9ab0000000000000000000000000000000aa".to_owned(), dirty: false }),
        digest: "d".repeat(64),
        fingerprint_key: None,
        started: "2026-11-20T16:42:00Z".parse().unwrap(),
        ended: None,
        outcome: None,
        tally: Tally { created: 1, requests: 2, ..Tally::default() },
        rules: Rules { drift: "fail".to_owned(), max_deletes: Some("10%".to_owned()), ..Rules::default() },
        plan: serde_json::json!({ "version": 1, "changes": [] }),
        images: vec![Image {
            address: address.clone(),
            id: "c1".to_owned(),
            value: Some(Value::Object(Map::from_iter([("name".to_owned(), Value::from("My/App"))]))),
            paths: vec![Path::root().key("callbacks").item("https://a")],
        }],
        base: vec![BaseEntry { address, left: None }],
        taken_back: Vec::new(),
    }
}

/// The same record after it ended.
pub(crate) fn ended(id: &str) -> Deployment {
    let mut record = sample(id);
    record.ended = Some("2026-11-20T16:43:00Z".parse().unwrap());
    record.outcome = Some(Outcome::Done);
    record
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof!["\\PC{0,8}", "\\$?\\$?(secret|json|absent|x)", Just("a/b%2F#c".to_owned())]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::Bool),
        any::<i64>().prop_map(|n| Value::Number(n.into())),
        any::<u64>().prop_map(|n| Value::Number(n.into())),
        any::<f64>().prop_filter_map("finite", |n| serde_json::Number::from_f64(n).map(Value::Number)),
        text().prop_map(Value::String),
        (text(), proptest::option::of(("[0-9a-f]{16}", "[0-9a-f]{64}"))).prop_map(|(source, mark)| {
            Value::Fingerprint(Fingerprint {
                source,
                mark: mark.map(|(key, digest)| Mark { key, digest }),
                sealed: None,
            })
        }),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::Array),
            proptest::collection::vec((text(), inner), 0..4)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

fn addresses() -> impl Strategy<Value = Address> {
    ("[a-zA-Z]{1,8}", proptest::option::of(text()), proptest::option::of(text())).prop_map(|(kind, name, id)| Address {
        kind,
        name,
        id,
    })
}

fn paths() -> impl Strategy<Value = Path> {
    let segment = prop_oneof![
        text().prop_map(Segment::Key),
        (0_usize..9).prop_map(Segment::Index),
        text().prop_map(Segment::Item)
    ];
    proptest::collection::vec(segment, 0..4).prop_map(Path)
}

fn times() -> impl Strategy<Value = Timestamp> {
    (0_i64..4_000_000_000, 0_i32..1_000_000_000).prop_map(|(s, ns)| Timestamp::new(s, ns).unwrap())
}

prop_compose! {
    fn records()(
        id in 0_u128..6,
        words in proptest::collection::vec(text(), 8),
        purpose in prop_oneof![
            Just(Purpose::Apply), Just(Purpose::Baseline), proptest::collection::vec(text(), 0..3).prop_map(Purpose::Revert),
                text().prop_map(Purpose::Restore)
        ],
        commit in proptest::option::of(("[0-9a-f]{40}", any::<bool>())),
        started in times(),
        ended in proptest::option::of(times()),
        outcome in prop_oneof![Just(Outcome::Done), Just(Outcome::Partial), Just(Outcome::Failed)],
        counts in proptest::collection::vec(0_usize..99, 8),
        plan in values(),
        images in proptest::collection::vec((addresses(), text(), proptest::option::of(values()), proptest::collection::vec(paths(), 0..3)), 0..3),
        base in proptest::collection::vec((addresses(), proptest::option::of((text(), values(), values()))), 0..3),
        taken in proptest::collection::vec((addresses(), paths(), proptest::option::of(values())), 0..3),
    ) -> Deployment {
        Deployment {
            id: Ulid::from(id).to_string(),
            domain: words[0].clone(),
            environment: words[1].clone(),
            purpose,
            tool: words[2].clone(),
            actor: words[3].clone(),
            commit: commit.map(|(id, dirty)| Commit { id, dirty }),
            digest: words[4].clone(),
            fingerprint_key: Some(words[5].clone()),
            started,
            ended,
            outcome: ended.map(|_| outcome),
            tally: Tally {
                created: counts[0], updated: counts[1], replaced: counts[2], deleted: counts[3], failed: counts[4],
                in_doubt: counts[5], not_started: counts[6], requests: counts[7],
            },
            rules: Rules {
                delete: vec![words[6].clone()], drift: words[7].clone(), max_deletes: None, protect: words.clone(),
                approve: Vec::new(), freeze: words[..2].to_vec(),
            },
            plan: plan.redacted(),
            images: images.into_iter().map(|(address, id, value, paths)| Image { address, id, value, paths }).collect(),
            base: base.into_iter().map(|(address, left)| BaseEntry {
                address, left: left.map(|(id, desired, live)| BaseResource { id, desired, live }),
            }).collect(),
            taken_back: taken.into_iter().map(|(address, path, value)| TakenBack { address, path, value }).collect(),
        }
    }
}

fn histories() -> impl Strategy<Value = History> {
    proptest::collection::vec(records(), 0..4).prop_map(History::new)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn what_is_written_is_read(record in records()) {
        let text = write(&record);
        let back = read("x", text.as_bytes()).unwrap();
        prop_assert_eq!(&back, &record);
        prop_assert_eq!(write(&back), text);
    }

    #[test]
    fn copies_merge_in_any_order(a in histories(), b in histories(), c in histories()) {
        let both = a.clone().union(b.clone());
        prop_assert_eq!(&both, &b.clone().union(a.clone()));
        prop_assert_eq!(&a.clone().union(a.clone()), &a);
        prop_assert_eq!(&both.clone().union(b.clone()), &both);
        prop_assert_eq!(a.clone().union(b.clone().union(c.clone())), both.union(c));
    }
}

#[test]
fn the_one_that_ended_wins() {
    let (open, done) = (sample(ID), ended(ID));
    for pair in [[open.clone(), done.clone()], [done.clone(), open]] {
        assert_eq!(History::new(pair).iter().collect::<Vec<_>>(), [&done]);
    }
}

const ID: &str = "01JD7Z0000000000000000000A";

#[test]
fn a_file_cut_short_anywhere_is_named() {
    let text = write(&ended(ID));
    for end in 0..text.len() {
        let problem = read("deployments/x.json", &text.as_bytes()[..end]).unwrap_err();
        assert_eq!(problem.id, "ledger-damaged", "cut at {end}");
        assert!(problem.title.contains("deployments/x.json"));
    }
}

#[test]
fn an_edited_file_is_named() {
    let text = write(&ended(ID));
    for (from, to) in [("\"done\"", "\"failed\""), ("Ana", "Eve"), ("\"format\": 1", "\"format\": 0"), ("\n", "\r\n")] {
        let edited = text.replacen(from, to, 1);
        assert_ne!(edited, text);
        assert_eq!(read("x", edited.as_bytes()).unwrap_err().id, "ledger-damaged", "{from}");
    }
}

#[test]
fn a_later_format_is_named_with_who_reads_it() {
    let problem = read("x.json", br#"{"format": 2, "sealed": {}, "tool": "0.9.0"}"#).unwrap_err();
    assert_eq!(problem.id, "ledger-too-new");
    assert_eq!(problem.title, "x.json was written by Tenantry 0.9.0, in format 2");
    assert_eq!(problem.help, ["install Tenantry 0.9.0, or a later one"]);
    assert_eq!(read("x.json", br#"{"format": 2"#).unwrap_err().id, "ledger-damaged");
}

#[test]
fn no_secret_is_written() {
    let mut record = ended(ID);
    let held = Value::Array(vec![
        Value::Secret(Secret::new("hunter2", "secrets.smtp")),
        Value::Unresolved(Unresolved { source: "secrets.google".to_owned() }),
    ]);
    record.images[0].value = Some(held.clone());
    record.base[0].left = Some(BaseResource { id: String::new(), desired: held.clone(), live: held });
    let text = write(&record);
    assert!(!text.contains("hunter2") && text.contains(r#""source": "secrets.smtp""#));
    let back = read("x", text.as_bytes()).unwrap();
    let Some(Value::Array(items)) = &back.images[0].value else { panic!("a list") };
    assert_eq!(items[0], Value::Fingerprint(Fingerprint::unknown("secrets.smtp")));
    assert_eq!(items[1], Value::Fingerprint(Fingerprint::unknown("secrets.google")));
}

#[test]
fn what_is_sealed_comes_back() {
    let sealed = Fingerprint { sealed: Some("c2VhbGVk".to_owned()), ..Fingerprint::unknown("secrets.smtp") };
    let mut record = ended(ID);
    record.images[0].value = Some(Value::Fingerprint(sealed));
    let back = read("x", write(&record).as_bytes()).unwrap();
    let Some(Value::Fingerprint(back)) = &back.images[0].value else { panic!("a fingerprint") };
    assert_eq!(back.sealed.as_deref(), Some("c2VhbGVk"));
}

#[test]
fn deep_values_come_back() {
    let mut value = Value::from("core");
    for _ in 0..60 {
        value = Value::Array(vec![Value::Object(Map::from_iter([("$x".to_owned(), value)]))]);
    }
    let mut record = ended(ID);
    record.images[0].value = Some(value);
    assert_eq!(read("x", write(&record).as_bytes()).unwrap(), record);
}

#[test]
fn it_reads_well() {
    let mut record = ended(ID);
    record.base[0].left = Some(BaseResource {
        id: "c1".to_owned(),
        desired: Value::object(),
        live: Value::Fingerprint(Fingerprint {
            source: "secrets.smtp".to_owned(),
            mark: Some(Mark { key: "0".repeat(16), digest: "1".repeat(64) }),
            sealed: Some("YWdl".to_owned()),
        }),
    });
    insta::assert_snapshot!(write(&record));
}
