//! Random descriptions, random edits outside, random stops: whatever they are, the plan calls every difference by its name, applying
//! leaves what is described and touches nothing else, and taking it back leaves what was there before.
//!
//! `TENANTRY_LAWS` says how many cases are run, [`CASES`] by default, or which: `10..13`; `TENANTRY_SEED` draws others. What they
//! covered is printed as tables of decision row, sort of leaf and way of stopping, and of what happened to whole resources of every
//! kind. Of the usual cases, a row that a sort of leaf never had fails, as does an event that no resource of a kind had, or that was
//! never taken back.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value as Json, json};

use super::stage::{APPROVED, Stage, When, same};
use super::whole::{self, Event};
use super::world::{
    Choices, Dashboard, EACH, Leaf, SORTS, address, describe, files, is_single, leaves, secret, undescribed,
};

/// How many cases are run unless `TENANTRY_LAWS` says otherwise.
const CASES: u64 = 15;

/// How many are run at the same time.
const STAGES: usize = 2;

const ROWS: [&str; 6] = ["nothing", "already there", "change", "drift", "conflict", "unknown origin"];

/// How an apply ends.
const STOPS: [&str; 5] = ["whole", "killed before", "killed after", "refused", "answer lost"];

/// Random numbers that depend on the case alone.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % below
    }
}

/// What a leaf is in both descriptions and, before the second is applied, in the tenant.
struct Case {
    number: u64,
    first: Choices,
    live: Choices,
    second: Choices,
    /// Whether the first description holds what is always there: the triggers, the tenant.
    ordered: bool,
    /// What happens to whole resources.
    events: Vec<Event>,
    rows: BTreeMap<Leaf, &'static str>,
}

fn case(number: u64, seed: u64) -> Case {
    let mut dice = Dice((number ^ (seed << 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ 0x5bd1_e995);
    let ordered = number % 6 != 5;
    let mut out = Case {
        number,
        first: Choices::new(),
        live: Choices::new(),
        second: Choices::new(),
        ordered,
        // The same dice in every case: an event that one case does not have is in the next or in the one after.
        events: whole::events_of(number, {
            let mut dice = Dice(seed.wrapping_add(7));
            move |below| dice.roll(below)
        }),
        rows: BTreeMap::new(),
    };
    for (turn, leaf) in leaves().enumerate() {
        let (sort, _, _, low, high) = SORTS[leaf.0];
        let pick = |dice: &mut Dice, but: &[u8]| {
            let all: Vec<u8> = (low..=high).filter(|choice| !but.contains(choice)).collect();
            (!all.is_empty()).then(|| all[usize::try_from(dice.roll(all.len() as u64)).unwrap()])
        };
        let first = pick(&mut dice, &[]).unwrap();
        let another = pick(&mut dice, &[first]).unwrap();
        let is_new = leaf.1 == EACH - 1 || (is_single(SORTS[leaf.0].1) && !ordered);
        let turn = match sort {
            "order" => number,
            "setting" => number + 1,
            _ => number + turn as u64 + dice.roll(2),
        };
        let (row, live, second) = match (is_new, turn % 5) {
            (true, 0) => ("nothing", first, first),
            (true, _) => ("unknown origin", first, another),
            (false, 0) => ("nothing", first, first),
            (false, 1) => ("already there", another, another),
            (false, 2) => ("change", first, another),
            (false, 4) => match pick(&mut dice, &[first, another]) {
                Some(third) => ("conflict", another, third),
                // Of two values one cannot be a third.
                None => ("drift", another, first),
            },
            _ => ("drift", another, first),
        };
        out.first.insert(leaf, first);
        out.live.insert(leaf, live);
        out.second.insert(leaf, second);
        out.rows.insert(leaf, row);
    }
    out
}

/// Turns around the order of kinds, of the resources of each, and of the members of every object; other lists mean their order.
fn shuffled(description: &Json) -> Json {
    fn members(json: &Json) -> Json {
        match json {
            Json::Object(all) => all.iter().rev().map(|(name, value)| (name.clone(), members(value))).collect(),
            other => other.clone(),
        }
    }
    let resources = |json: &Json| match json {
        Json::Array(all) => all.iter().rev().map(members).collect(),
        single => members(single),
    };
    let kinds = description.as_object().unwrap().iter().rev();
    kinds.map(|(kind, found)| (kind.clone(), resources(found))).collect()
}

/// Every secret there is: name and value.
fn secrets() -> Vec<(String, String)> {
    (0..EACH).flat_map(|n| (1..=3).map(move |choice| secret(n, choice))).collect()
}

/// Writes the project file, with more at its top.
fn project(stage: &Stage, top: &str) {
    stage.project(top, &secrets().iter().map(|(name, _)| name.as_str()).collect::<Vec<_>>());
}

fn write(stage: &Stage, description: &Json) {
    stage.place.write("tenant.yaml", &serde_json::to_string_pretty(description).unwrap());
}

/// What a plan calls every leaf.
fn called(plan: &Json) -> BTreeMap<Leaf, String> {
    let mut out = BTreeMap::new();
    let list = |json: &Json| json.as_array().cloned().unwrap_or_default();
    for leaf in leaves() {
        let (address, path) = (address(leaf), SORTS[leaf.0].2);
        let changes = list(&plan["changes"]);
        let change = changes.iter().find(|change| change["address"] == address.as_str());
        let fields = change.map(|change| list(&change["fields"])).unwrap_or_default();
        let mut origins = fields.iter().filter(|field| field["path"].as_str().unwrap().starts_with(path));
        let already = list(&plan["already"]);
        let mut already = already
            .iter()
            .filter(|at| at["address"] == address.as_str() && at["path"].as_str().unwrap().starts_with(path));
        let word = match (origins.next(), already.next()) {
            (Some(field), _) => match field["origin"].as_str().unwrap() {
                "unknown" => "unknown origin",
                other => other,
            }
            .to_owned(),
            (None, Some(_)) => "already there".to_owned(),
            (None, None) => "nothing".to_owned(),
        };
        out.insert(leaf, word);
    }
    out
}

/// The same with the members of every object in one order.
fn sorted(json: &Json) -> Json {
    match json {
        Json::Object(members) => {
            let all: BTreeMap<&String, Json> = members.iter().map(|(name, value)| (name, sorted(value))).collect();
            json!(all)
        }
        Json::Array(items) => items.iter().map(sorted).collect(),
        other => other.clone(),
    }
}

/// A plan without the places in files.
fn essence(plan: &Json) -> BTreeSet<String> {
    let changes = plan["changes"].as_array().unwrap().iter();
    let fields = |change: &Json| {
        change["fields"]
            .as_array()
            .unwrap()
            .iter()
            .map(|f| format!("{}={}", f["path"], sorted(&f["after"])))
            .collect::<BTreeSet<_>>()
    };
    let line = |change: &Json| format!("{} {} {:?}", change["action"], change["address"], fields(change));
    changes.map(line).collect()
}

/// How often each row met each sort of leaf, and each event each kind, by the way of stopping.
#[derive(Default)]
struct Table {
    rows: BTreeMap<(&'static str, &'static str, &'static str), usize>,
    events: BTreeMap<(Event, &'static str), usize>,
    back: BTreeMap<Event, usize>,
}

/// Plays one case on a fresh tenant.
fn play(stage: &Stage, fresh: &super::stage::Kept, case: &Case, table: &Mutex<Table>) {
    let Case { number, first, live, second, ordered, events, rows } = case;
    stage.rewind(fresh);
    let dana = Dashboard::enter(stage);
    for name in ["Bystander", "Law bystander"] {
        let _ = dana.send("POST", "/clients", &json!({"name": name, "callbacks": ["https://by.example/cb"]}));
        let _ = dana.send("POST", "/roles", &json!({"name": name, "description": "x"}));
    }
    project(stage, "");
    write(stage, &whole::with(describe(first, false, *ordered), events, false));
    let _ = stage.run(&[&["apply"][..], &APPROVED].concat()).code(0);

    // Somebody works at the dashboard.
    for (sort, kind, ..) in SORTS {
        let others = if is_single(kind) { 1 } else { EACH };
        let is_first = SORTS.iter().find(|(_, other, ..)| *other == kind).unwrap().0 == sort;
        for n in (0..others).filter(|_| is_first) {
            if n == EACH - 1 && !is_single(kind) { dana.make(kind, n, live) } else { dana.set(kind, n, live) }
        }
    }
    let client = |name: &str| format!("/clients/{}", dana.id("clients", name).unwrap());
    for n in 0..EACH {
        let undescribed = json!({"logo_uri": "https://by.example/logo.png", "client_metadata": {"theirs": "kept"}});
        let wanted = if n == EACH - 1 { json!({"logo_uri": "https://by.example/logo.png"}) } else { undescribed };
        let _ = dana.send("PATCH", &client(&format!("Law {n}")), &json!({"logo_uri": wanted["logo_uri"]}));
    }
    let ids = whole::happen(stage, events);
    assert_eq!(dana.look(), *live, "case {number}: the edits");
    let before = stage.answers();

    // Every difference is called by its name, in whatever order the files are.
    project(stage, &whole::moved(events));
    let wanted = whole::with(describe(second, true, true), events, true);
    write(stage, &shuffled(&wanted));
    let turned = stage.run(&["--json", "plan"]).json();
    write(stage, &wanted);
    let said = stage.run(&["--json", "plan"]);
    let plan = said.json();
    assert_eq!(essence(&plan), essence(&turned), "case {number}: the plan depends on the order of the files");
    whole::called(&format!("case {number}"), &plan, events);
    for (leaf, word) in called(&plan) {
        assert_eq!(word, rows[&leaf], "case {number}: {} of {}\n{plan:#}", SORTS[leaf.0].0, address(leaf));
    }

    // Applied, and stopped or not.
    let mut dice = Dice(*number);
    let mut stop = STOPS[usize::try_from(number % 5).unwrap()];
    let apply = [&["apply", "--overwrite", "**"][..], &APPROVED].concat();
    let requests = plan["forecast"]["requests"].as_u64().unwrap();
    let (mut unfinished, mut partial) = (false, false);
    match stop {
        "killed before" | "killed after" => {
            let when = if stop == "killed before" { When::Before } else { When::After };
            if stage.killed(&apply, 1 + dice.roll(requests + 2), when) {
                unfinished = stage.is_unfinished();
                if !unfinished {
                    stage.outlive_the_lock();
                }
            } else {
                stop = "whole";
            }
        }
        "refused" | "answer lost" => {
            let lost = stop == "answer lost";
            let fault = json!({"status": if lost { 0 } else { 400 }, "share": 0.2, "handled": lost, "method": "PATCH", "times": 1});
            let _ = stage.control("POST", "faults", &json!({"faults": [fault], "seed": number}));
            let said = stage.run(&apply);
            assert!(matches!(said.code, Some(0 | 5)), "case {number}: {said}");
            partial = said.code == Some(5);
            let _ = stage.control("POST", "faults", &json!({"faults": []}));
        }
        _ => drop(stage.run(&apply).code(0)),
    }
    {
        let mut table = table.lock().unwrap();
        for (leaf, row) in rows {
            *table.rows.entry((row, SORTS[leaf.0].0, stop)).or_default() += 1;
        }
        for event in events {
            *table.events.entry((*event, stop)).or_default() += 1;
        }
    }

    // And on: to the end, or back.
    let told = format!("case {number}, {stop}");
    let is_back = (number / 5) % 3 == 2 && (unfinished || partial || stop == "whole" || stop == "answer lost");
    if is_back {
        let said = stage.run(&[&["revert"][..], &APPROVED].concat());
        assert_eq!(said.code, Some(0), "{told}: {said}");
        assert_eq!(dana.look(), *live, "{told}: taken back\n{said}");
        same(&format!("{told}: taken back\n{said}"), &before, &stage.answers());
        let mut table = table.lock().unwrap();
        events.iter().for_each(|event| *table.back.entry(*event).or_default() += 1);
        return;
    }
    if unfinished || (partial && (number / 5) % 3 == 0) {
        let said = stage.run(&[&["apply", "--resume", "--overwrite", "**"][..], &APPROVED].concat());
        assert_eq!(said.code, Some(0), "{told}: {said}");
    } else if stop != "whole" {
        let said = stage.run(&apply);
        assert_eq!(said.code, Some(0), "{told}: {said}");
    }
    assert_eq!(dana.look(), *second, "{told}: applied");
    let after = stage.answers();
    same(&told, &undescribed(&before), &undescribed(&after));
    whole::arrived(&told, stage, events, &ids, &after);
    let _ = stage.exchanges();
    if stop.starts_with("killed") && !unfinished {
        // All was done but the release of the lock: where nothing is left to do nothing is written, so it stays.
        stage.is_done(&told);
    } else {
        stage.at_rest(&told);
    }
    let said = stage.run(&apply).code(0);
    let written: Vec<String> = stage
        .exchanges()
        .iter()
        .filter(|e| e.method != "GET" && e.path.starts_with("/api/"))
        .map(|e| e.path.clone())
        .collect();
    assert_eq!(written, Vec::<String>::new(), "{told}: a second apply writes\n{said}");
}

/// Prints what was covered; returns what never met: a row and a sort of leaf that it can meet, an event and a way back.
fn cover(table: &Table) -> Vec<String> {
    println!("{:<16}{:<14}{}", "row", "leaf", STOPS.map(|stop| format!("{stop:>15}")).concat());
    let mut empty = Vec::new();
    for row in ROWS {
        for (sort, _, _, low, high) in SORTS {
            let cells = STOPS.map(|stop| table.rows.get(&(row, sort, stop)).copied().unwrap_or_default());
            println!("{row:<16}{sort:<14}{}", cells.map(|cell| format!("{cell:>15}")).concat());
            // A conflict takes three values.
            if cells.iter().sum::<usize>() == 0 && !(row == "conflict" && high - low < 2) {
                empty.push(format!("{row} × {sort}"));
            }
        }
    }
    for stop in STOPS {
        let count: usize = table.rows.iter().filter(|((.., other), _)| *other == stop).map(|(_, count)| count).sum();
        if count == 0 {
            empty.push(stop.to_owned());
        }
    }
    println!("\n{:<16}{:<14}{}{:>15}", "event", "kind", STOPS.map(|stop| format!("{stop:>15}")).concat(), "taken back");
    for event in whole::events() {
        let cells = STOPS.map(|stop| table.events.get(&(event, stop)).copied().unwrap_or_default());
        let back = table.back.get(&event).copied().unwrap_or_default();
        println!("{:<16}{:<14}{}{back:>15}", event.what, event.kind, cells.map(|cell| format!("{cell:>15}")).concat());
        if cells.iter().sum::<usize>() == 0 || back == 0 {
            empty.push(format!("{} × {}", event.what, event.kind));
        }
    }
    empty
}

#[test]
fn whatever_is_described_edited_and_stopped_ends_as_described_or_as_it_was() {
    let seed: u64 = std::env::var("TENANTRY_SEED").map_or(0, |seed| seed.parse().unwrap());
    let cases = std::env::var("TENANTRY_LAWS").unwrap_or_default();
    let (from, to) = match (cases.split_once(".."), cases.as_str()) {
        (Some((from, to)), _) => (from.parse().unwrap(), to.parse().unwrap()),
        (None, "") => (0, CASES),
        (None, all) => (0, all.parse().unwrap()),
    };
    let begun = std::time::Instant::now();
    let (table, next, failed) = (Mutex::new(Table::default()), AtomicU64::new(from), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..STAGES {
            scope.spawn(|| {
                let stage = secrets()
                    .iter()
                    .fold(Stage::start(), |stage, (name, value)| stage.env(&format!("TENANTRY_SECRET_{name}"), value));
                project(&stage, "");
                files(&stage);
                let fresh = stage.keep();
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= to {
                        break;
                    }
                    let played = std::panic::AssertUnwindSafe(|| play(&stage, &fresh, &case(number, seed), &table));
                    if std::panic::catch_unwind(played).is_err() {
                        failed.lock().unwrap().push(number);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    println!("cases {from} to {to} of seed {seed} in {:?}", begun.elapsed());
    assert!(failed.is_empty(), "cases {failed:?} of seed {seed}");
    let empty = cover(&table.into_inner().unwrap());
    let is_usual = seed == 0 && (from, to) == (0, CASES);
    assert!(empty.is_empty() || !is_usual, "never met: {empty:?}");
}
