//! The program is killed before and after each of its writes; then it is carried on, or taken back.
//!
//! The deployment changes more than thirty resources of every sort that takes more than one request. What counts is what the tenant
//! answers in the end, to requests that nothing of the program is in the way of, and how often each thing was created.
//!
//! `TENANTRY_KILLS` says at how many points it is killed, [`POINTS`] by default, spread evenly from a place that `TENANTRY_SEED`
//! chooses; `all` kills it at every one, once for each of the two ways on.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../chain/raw.rs"]
#[allow(dead_code, unreachable_pub)]
mod raw;
#[path = "../stage/mod.rs"]
mod stage;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::Value as Json;

use stage::{APPROVED, Exchange, Kept, Stage, When, same};

/// At how many points the program is killed unless `TENANTRY_KILLS` says otherwise.
const POINTS: u64 = 16;

/// How many stages are played on at the same time.
const STAGES: usize = 2;

/// How many changes the deployment has at least.
const CHANGES: usize = 30;

/// No write comes after so many.
const NEVER: u64 = 100_000;

const SECRETS: [&str; 5] = ["GITHUB", "ACTION", "OTHER", "SMTP", "GOOGLE"];

/// How it goes on after it was killed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Resumed,
    Reverted,
}

/// Where it is killed, and what then.
#[derive(Debug, Clone, Copy)]
struct Point {
    write: u64,
    when: When,
    way: Way,
}

/// Both sides of every write, with both ways on in turn: the order in which points are taken.
fn points() -> impl Iterator<Item = Point> {
    (1..).flat_map(|write| {
        let ways = if write % 2 == 0 { [Way::Resumed, Way::Reverted] } else { [Way::Reverted, Way::Resumed] };
        [When::Before, When::After].into_iter().zip(ways).map(move |(when, way)| Point { write, when, way })
    })
}

/// The same point with the other way on.
fn other(point: Point) -> Point {
    let way = if point.way == Way::Resumed { Way::Reverted } else { Way::Resumed };
    Point { way, ..point }
}

/// A tenant that runs the first description, and what the second one leaves of it when nobody kills the program.
struct Play {
    stage: Stage,
    first: Kept,
    before: Json,
    expected: Json,
    created: BTreeMap<String, usize>,
    changes: usize,
    writes: u64,
}

impl Play {
    fn start() -> Play {
        let value = |name: &str| format!("canary \"{name}\" of the kills");
        let stage = SECRETS
            .iter()
            .fold(Stage::start(), |stage, name| stage.env(&format!("TENANTRY_SECRET_{name}"), &value(name)));
        describe(&stage, "before");
        let _ = stage.run(&["apply", "--yes"]).code(0);
        let (first, before) = (stage.keep(), stage.answers());
        describe(&stage, "after");
        let _ = stage.exchanges();
        let plan = stage.run(&["--json", "plan"]).json();
        let changes = plan["changes"].as_array().unwrap_or_else(|| panic!("{plan:#}")).len();
        stage.hold(NEVER, When::Before);
        let _ = stage.run(&[&["apply"][..], &APPROVED].concat()).code(0);
        let writes = stage.writes();
        let (expected, created) = (stage.answers(), creations(&stage, false));
        stage.at_rest("nobody killed it");
        Play { stage, first, before, expected, created, changes, writes }
    }

    /// Kills the program, goes on, and looks what came of it; `false` where there are not so many writes.
    fn at(&self, point: Point, score: &Mutex<Score>) -> bool {
        let Play { stage, .. } = self;
        stage.rewind(&self.first);
        describe(stage, "after");
        if !stage.killed(&[&["apply"][..], &APPROVED].concat(), point.write, point.when) {
            return false;
        }
        let told = format!("killed {:?} write {}, {:?}", point.when, point.write, point.way);
        let begun = stage.is_unfinished();
        let slot = |score: &mut Score| match point.way {
            _ if !begun => score.anew += 1,
            Way::Resumed => score.resumed += 1,
            Way::Reverted => score.reverted += 1,
        };
        if begun && point.way == Way::Reverted {
            self.revert(&told);
        } else {
            let words: &[&str] = if begun { &["apply", "--resume"] } else { &["apply"] };
            if !begun {
                // Nothing had begun, or all was over: what may be left is the lock.
                stage.outlive_the_lock();
            }
            let said = stage.run(&[words, &APPROVED].concat());
            assert_eq!(said.code, Some(0), "{told}: {said}");
            assert_eq!(creations(stage, false), self.created, "{told}: what was created, and how often\n{said}");
            let mut found = stage.answers();
            if begun {
                stage.at_rest(&told);
            } else {
                // All but the lock's release was done: where nothing is left to do nothing is written, so it stays and has run out.
                let _ = found["roles"].as_object_mut().unwrap().remove("tenantry-lock");
            }
            same(&format!("{told}\n{said}"), &self.expected, &found);
        }
        slot(&mut score.lock().unwrap());
        true
    }

    /// Takes the deployment back.
    fn revert(&self, told: &str) {
        let stage = &self.stage;
        let mut created = creations(stage, true);
        created.retain(|_, count| *count > 1);
        assert!(created.is_empty(), "{told}: created twice: {created:?}");
        let said = stage.run(&[&["revert"][..], &APPROVED].concat());
        assert_eq!(said.code, Some(0), "{told}: {said}");
        let mut created = creations(stage, true);
        created.retain(|_, count| *count > 1);
        assert!(created.is_empty(), "{told}: created twice: {created:?}\n{said}");
        let mut found = stage.answers();
        // A message that was never written before cannot be deleted.
        found["email-templates/welcome_email"] = self.before["email-templates/welcome_email"].clone();
        same(&format!("{told}\n{said}"), &self.before, &found);
        describe(stage, "before");
        stage.at_rest(told);
    }
}

/// Lets the files be one of the two descriptions.
fn describe(stage: &Stage, which: &str) {
    let moved = "moved:\n  - {from: \"clients/Shop\", to: \"clients/Storefront\"}\n";
    stage.project(if which == "after" { moved } else { "" }, &SECRETS);
    let files = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/journal_kill").join(which);
    common::copy(&files, &stage.place.path());
}

/// What was created since the last look, and how often; but for the lock, which comes and goes. Links and grants carry ids, which
/// differ from run to run: between runs they are told by how many there are.
fn creations(stage: &Stage, within: bool) -> BTreeMap<String, usize> {
    let ids = regex::Regex::new("/[A-Za-z0-9_|]{20,}|/[0-9a-f-]{36}").unwrap();
    let mut created = BTreeMap::new();
    for Exchange { method, path, status, request_body: body } in stage.exchanges() {
        if method != "POST" || status != 201 || !path.starts_with("/api/v2/") || body["name"] == "tenantry-lock" {
            continue;
        }
        let named = ["name", "identifier", "template", "audience"].map(|member| body[member].as_str().unwrap_or(""));
        let named = if within { body.to_string() } else { named.join(" ") };
        let path = if within { path.into() } else { ids.replace_all(&path, "/ID") };
        *created.entry(format!("{path} {named}")).or_default() += 1;
    }
    created
}

/// What came of all points.
#[derive(Debug, Default)]
struct Score {
    resumed: usize,
    reverted: usize,
    /// Killed before the deployment had begun, or when all but the tidying up was done: applied anew.
    anew: usize,
}

#[test]
fn killed_at_any_write_it_is_carried_on_or_taken_back() {
    let wanted = std::env::var("TENANTRY_KILLS").unwrap_or_else(|_| POINTS.to_string());
    let seed: u64 = std::env::var("TENANTRY_SEED").map_or(1, |seed| seed.parse().unwrap());
    let begun = std::time::Instant::now();
    let mut plays: Vec<Play> = std::thread::scope(|scope| {
        let all: Vec<_> = (0..STAGES).map(|_| scope.spawn(Play::start)).collect();
        all.into_iter().map(|play| play.join().unwrap()).collect()
    });
    let (changes, writes) = (plays[0].changes, plays[0].writes);
    assert!(changes >= CHANGES, "{changes} changes");
    for play in &plays {
        same("two tenants", &plays[0].expected, &play.expected);
    }

    // Not all deployments have as many writes: how often is asked whether something is gone is a matter of chance.
    let score = Mutex::new(Score::default());
    let (next, end) = (AtomicU64::new(0), AtomicU64::new(u64::MAX));
    let all = wanted == "all";
    let spread: Vec<Point> = if all {
        Vec::new()
    } else {
        let (count, of) = (wanted.parse::<u64>().unwrap(), 2 * writes);
        let at = |n: u64| usize::try_from((n * of / count + seed * 7) % of).unwrap();
        let turned = |n: u64, point: Point| if n.is_multiple_of(2) { point } else { other(point) };
        (0..count).map(|n| turned(n, points().nth(at(n)).unwrap())).collect()
    };
    let take = || -> Option<Vec<Point>> {
        let n = usize::try_from(next.fetch_add(1, Ordering::SeqCst)).unwrap();
        if !all {
            return spread.get(n).map(|point| vec![*point]);
        }
        let point = points().nth(n).unwrap();
        (point.write < end.load(Ordering::SeqCst)).then(|| vec![point, other(point)])
    };
    let failures = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for play in &mut plays {
            let (take, score, end, failures) = (&take, &score, &end, &failures);
            scope.spawn(move || {
                for point in std::iter::from_fn(take).flatten() {
                    // One point that fails says nothing of the others.
                    let played = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| play.at(point, score)));
                    match played {
                        Ok(true) => {}
                        Ok(false) => drop(end.fetch_min(point.write, Ordering::SeqCst)),
                        Err(_) => failures.lock().unwrap().push(point),
                    }
                }
            });
        }
    });
    let failures = failures.into_inner().unwrap();
    assert!(failures.is_empty(), "{} points: {failures:?}", failures.len());
    let score = score.into_inner().unwrap();
    let total = score.resumed + score.reverted + score.anew;
    println!("{changes} changes, {writes} writes, killed at {total} points in {:?}: {score:?}", begun.elapsed());
    assert!(score.resumed > 0 && score.reverted > 0, "{score:?}");
    let least = if all { 4 * writes.saturating_sub(4) } else { spread.len() as u64 - 2 };
    assert!(total as u64 >= least, "{score:?}");
}
