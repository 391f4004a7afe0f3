//! No secret in what a run of the program leaves: its two outputs, every file it wrote below the working directory, every object it
//! put into the repository there. What is secret is learned from the run itself: the environment given to it, what the project file
//! declares, and what the sandboxes of this process made, were sent, and keep. Archives that are not sealed are searched as the tar they
//! hold, whole or broken off.
//!
//! Exempt, by name: states of sandboxes below `.tenantry`, and the files that a sandbox was told to keep its state or record in.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::time::SystemTime;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use regex::bytes::Regex;
use serde_json::Value as Json;

/// What is shorter could stand anywhere.
const SHORTEST: usize = 8;

/// A line of a longer secret counts from this length.
const SHORTEST_LINE: usize = 12;

/// Files up to this size are remembered, so that what stood in them before a run is told from what the run wrote.
const REMEMBERED: u64 = 1 << 18;

/// Members in which a sandbox keeps what nobody may see.
const MEMBERS: [&str; 9] = [
    "client_secret",
    "$secret",
    "signing_secret",
    "smtp_pass",
    "api_key",
    "app_secret",
    "secretAccessKey",
    "twilio_token",
    "mailgun_api_key",
];

/// Sandboxes that run now, by address.
static SANDBOXES: Mutex<BTreeSet<String>> = Mutex::new(BTreeSet::new());

/// Lets every later run of this process know the secrets of a sandbox.
pub fn know(url: &str) {
    SANDBOXES.lock().unwrap().insert(url.to_owned());
}

/// The sandbox ends.
pub fn forget(url: &str) {
    SANDBOXES.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(url);
}

/// What all places of this process were searched for.
static ALL: Mutex<(usize, Tally)> = Mutex::new((0, Tally { runs: 0, bytes: 0, secrets: 0 }));

/// Adds what was searched in one place; returns how many places there were, and what was searched in all.
pub fn add_up(tally: Tally) -> (usize, Tally) {
    let mut all = ALL.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    all.0 += 1;
    all.1.runs += tally.runs;
    all.1.bytes += tally.bytes;
    all.1.secrets += tally.secrets;
    *all
}

/// What was searched.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub struct Tally {
    /// Runs of the program.
    pub runs: usize,
    /// Bytes of outputs, files and objects.
    pub bytes: usize,
    /// Secrets searched for, each in all its forms.
    pub secrets: usize,
}

#[derive(Default)]
pub struct Watch {
    /// Name of every secret, by its text.
    secrets: BTreeMap<String, String>,
    /// Names of those that may be shown, with the reason.
    excused: Vec<(String, String)>,
    finder: Option<(usize, Regex, BTreeMap<Vec<u8>, String>)>,
    before: BTreeMap<PathBuf, Seen>,
    objects: BTreeSet<git2::Oid>,
    exempt: BTreeSet<PathBuf>,
    pub tally: Tally,
    /// Runs that were begun and not searched yet.
    pub owed: usize,
}

/// A file before a run.
struct Seen {
    changed: Option<SystemTime>,
    length: u64,
    text: Option<Vec<u8>>,
}

impl Watch {
    /// Lets a secret be shown, by the name of its source: `TENANTRY_SECRET_X`.
    pub fn excuse(&mut self, name: &str, reason: &str) {
        self.excused.push((name.to_owned(), reason.to_owned()));
    }

    /// Says under which names secrets are known.
    pub fn names(&self) -> Vec<String> {
        self.secrets.values().cloned().collect()
    }

    /// Leaves out a file in which a sandbox keeps its state or record.
    pub fn exempt(&mut self, path: &Path) {
        self.exempt.insert(path.to_owned());
    }

    /// Remembers what is there before a run.
    pub fn begin(&mut self, folder: &Path, env: &[(String, String)]) {
        self.learn(folder, env);
        self.before.clear();
        for path in files(folder) {
            if let Ok(data) = fs::metadata(&path) {
                let text = (data.len() <= REMEMBERED).then(|| fs::read(&path).ok()).flatten();
                self.before.insert(path, Seen { changed: data.modified().ok(), length: data.len(), text });
            }
        }
        self.objects = objects(folder).unwrap_or_default();
    }

    /// Searches what a run left, and what it said.
    pub fn end(&mut self, folder: &Path, env: &[(String, String)], said: &[(&str, &[u8])]) {
        self.learn(folder, env);
        self.prepare();
        let mut found = Vec::new();
        for (name, text) in said {
            self.tally.bytes += text.len();
            found.extend(self.find(text).into_iter().map(|(secret, _)| format!("{name} shows {secret}")));
        }
        for path in files(folder) {
            let Ok(data) = fs::metadata(&path) else { continue };
            let before = self.before.get(&path);
            let same = before.is_some_and(|b| b.length == data.len() && b.changed == data.modified().ok());
            if same || self.is_exempt(folder, &path) {
                continue;
            }
            let Ok(text) = fs::read(&path) else { continue };
            self.tally.bytes += text.len();
            if let Some(tar) = unpacked(&text) {
                self.tally.bytes += tar.len();
                let hits = self.find(&tar).into_iter();
                found.extend(hits.map(|(secret, _)| format!("the archive {} holds {secret}", path.display())));
            }
            let stood = |form: &[u8]| {
                let old = before.and_then(|b| b.text.as_deref());
                old.is_some_and(|old| old.windows(form.len()).any(|window| window == form))
            };
            let hits = self.find(&text).into_iter().filter(|(_, form)| !stood(form));
            found.extend(hits.map(|(secret, _)| format!("{} holds {secret}", path.display())));
        }
        for oid in objects(folder).unwrap_or_default().difference(&self.objects) {
            let Some(text) = object(folder, *oid) else { continue };
            self.tally.bytes += text.len();
            found.extend(self.find(&text).into_iter().map(|(secret, _)| format!("git object {oid} holds {secret}")));
        }
        self.tally.secrets = self.secrets.len();
        if !std::thread::panicking() {
            let said = said.iter().map(|(name, text)| format!("{name}:\n{}", String::from_utf8_lossy(text)));
            assert!(found.is_empty(), "{}\n{}", found.join("\n"), said.collect::<String>());
        }
    }

    fn is_exempt(&self, folder: &Path, path: &Path) -> bool {
        let inner = path.strip_prefix(folder).unwrap_or(path);
        let state = inner.starts_with(".tenantry")
            && inner.file_name().is_some_and(|name| name.to_string_lossy().starts_with("sandbox"));
        state || self.exempt.contains(path)
    }

    fn add(&mut self, name: &str, text: &str) {
        let public = text.trim_start().starts_with("-----BEGIN PUBLIC KEY");
        let excused = self.excused.iter().any(|(other, _)| other == name);
        if text.len() >= SHORTEST && !public && !excused {
            self.secrets.entry(text.to_owned()).or_insert_with(|| name.to_owned());
        }
    }

    fn learn(&mut self, folder: &Path, env: &[(String, String)]) {
        for (name, value) in env {
            let secret = ["SECRET", "TOKEN", "PASSWORD", "FINGERPRINT_KEY"].iter().any(|word| name.contains(word));
            if secret && !name.ends_with("_PATH") && !name.ends_with("_FILE") {
                self.add(name, value);
            }
        }
        if let Ok(text) = fs::read_to_string(folder.join("tenantry.yaml"))
            && let Ok(project) = serde_yaml::from_str::<Json>(&text)
        {
            self.declared(folder, env, &project, false);
        }
        for entry in fs::read_dir(folder.join(".tenantry")).into_iter().flatten().flatten() {
            if self.is_exempt(folder, &entry.path())
                && let Ok(text) = fs::read(entry.path())
                && let Ok(state) = serde_json::from_slice::<Json>(&text)
            {
                self.kept("the sandbox", &state);
            }
        }
        let sandboxes: Vec<String> = SANDBOXES.lock().unwrap().iter().cloned().collect();
        for url in sandboxes.iter().filter(|url| concerns(url, folder, env)) {
            if let Some(state) = state(url) {
                self.kept("the tenant", &state);
            }
        }
    }

    /// Follows `{env: NAME}` and `{file: PATH}` below `secrets` and the fingerprint key.
    fn declared(&mut self, folder: &Path, env: &[(String, String)], json: &Json, inside: bool) {
        for (key, value) in json.as_object().into_iter().flatten() {
            let text = value.as_str().filter(|_| inside);
            match (key.as_str(), text) {
                ("env", Some(name)) => {
                    let given = env.iter().rev().find(|(other, _)| other == name);
                    if let Some((name, value)) = given {
                        self.add(name, value);
                    }
                }
                ("file", Some(path)) => {
                    if let Ok(text) = fs::read_to_string(folder.join(path)) {
                        self.add(&format!("file {path}"), text.trim());
                    }
                }
                _ => self.declared(folder, env, value, inside || key == "secrets" || key == "fingerprint_key"),
            }
        }
    }

    /// Learns what a sandbox keeps.
    fn kept(&mut self, whose: &str, json: &Json) {
        match json {
            Json::Object(members) => {
                for (key, value) in members {
                    match value.as_str().filter(|_| MEMBERS.contains(&key.as_str())) {
                        // A log entry shows it masked.
                        Some(text) if !text.contains("***") => self.add(&format!("{whose}'s {key}"), text),
                        Some(_) => {}
                        None if key == "secrets" => {
                            for row in value.as_array().into_iter().flatten() {
                                self.add(
                                    &format!("{whose}'s secret of an action"),
                                    row["value"].as_str().unwrap_or(""),
                                );
                            }
                        }
                        None => self.kept(whose, value),
                    }
                }
            }
            Json::Array(items) => items.iter().for_each(|item| self.kept(whose, item)),
            _ => {}
        }
    }

    fn prepare(&mut self) {
        if self.finder.as_ref().is_some_and(|(count, ..)| *count == self.secrets.len()) {
            return;
        }
        let mut named = BTreeMap::new();
        for (text, name) in &self.secrets {
            for form in forms(text) {
                named.entry(form).or_insert_with(|| name.clone());
            }
        }
        let escaped = |form: &Vec<u8>| regex::escape(std::str::from_utf8(form).unwrap());
        let mut all: Vec<String> = named.keys().map(escaped).collect();
        // An access token, whoever got it.
        all.push(r"eyJ[A-Za-z0-9_-]{16,}\.eyJ[A-Za-z0-9_-]{16,}".to_owned());
        let finder = regex::bytes::RegexBuilder::new(&all.join("|")).size_limit(1 << 28).build().unwrap();
        self.finder = Some((self.secrets.len(), finder, named));
    }

    /// The names of the secrets in a text, with the form each has there.
    fn find(&self, text: &[u8]) -> Vec<(String, Vec<u8>)> {
        let Some((_, finder, named)) = &self.finder else { return Vec::new() };
        let mut out: Vec<(String, Vec<u8>)> = Vec::new();
        for hit in finder.find_iter(text) {
            let form = hit.as_bytes().to_vec();
            let name = named.get(&form).cloned().unwrap_or_else(|| "an access token".to_owned());
            if !out.iter().any(|(_, other)| *other == form) {
                out.push((name, form));
            }
        }
        out
    }
}

/// Every form in which somebody could read a secret: itself, escaped once and twice, its longer lines, percent-encoded, in base64 at
/// every offset.
fn forms(text: &str) -> BTreeSet<Vec<u8>> {
    let escape = |text: &str| {
        let escaped = Json::from(text).to_string();
        escaped[1..escaped.len() - 1].to_owned()
    };
    let once = escape(text);
    let percent = url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>();
    let mut out = vec![text.to_owned(), escape(&once), once, percent.replace('+', "%20"), percent];
    if text.contains('\n') {
        let lines = text.lines().map(str::trim);
        out.extend(lines.filter(|line| line.len() >= SHORTEST_LINE && !line.starts_with("-----")).map(str::to_owned));
    }
    for (offset, cut) in [(0, 0), (1, 2), (2, 3)] {
        let mut bytes = vec![0; offset];
        bytes.extend_from_slice(text.as_bytes());
        // Bits of the last character may belong to what follows.
        let whole = bytes.len() * 8 / 6;
        for encoded in [STANDARD_NO_PAD.encode(&bytes), URL_SAFE_NO_PAD.encode(&bytes)] {
            out.push(encoded[cut..whole].to_owned());
        }
    }
    out.into_iter().filter(|form| form.len() >= SHORTEST).map(String::into_bytes).collect()
}

/// Says whether runs in a folder could reach a sandbox.
fn concerns(url: &str, folder: &Path, env: &[(String, String)]) -> bool {
    let host = url.rsplit('/').next().unwrap_or(url);
    let named = |name: &str| fs::read_to_string(folder.join(name)).is_ok_and(|text| text.contains(host));
    env.iter().any(|(_, value)| value.contains(host)) || ["tenantry.yaml", "config.json"].iter().any(|n| named(n))
}

/// Asks a sandbox for all it keeps; nothing where it has ended.
fn state(url: &str) -> Option<Json> {
    use std::io::{Read, Write};
    let host = url.strip_prefix("http://")?;
    let mut stream = std::net::TcpStream::connect(host).ok()?;
    write!(stream, "GET /_sandbox/state HTTP/1.0\r\nHost: {host}\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).ok()?;
    let from = answer.windows(4).position(|window| window == b"\r\n\r\n")? + 4;
    serde_json::from_slice(&answer[from..]).ok()
}

/// The tar of an archive that is not sealed, as far as it goes; nothing of other files.
fn unpacked(bytes: &[u8]) -> Option<Vec<u8>> {
    use std::io::Read;
    if !bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]) {
        return None;
    }
    let mut tar = Vec::new();
    // One that was broken off is searched up to there.
    let _ = zstd::Decoder::new(bytes).ok()?.read_to_end(&mut tar);
    Some(tar)
}

/// Every file below a folder, but the repository's own.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
            match entry.file_type() {
                Ok(kind) if kind.is_dir() && entry.file_name() != ".git" => folders.push(entry.path()),
                Ok(kind) if kind.is_file() => out.push(entry.path()),
                _ => {}
            }
        }
    }
    out
}

/// Every object of the repository there.
fn objects(folder: &Path) -> Option<BTreeSet<git2::Oid>> {
    let repository = git2::Repository::open(folder.join(".git")).ok()?;
    let mut out = BTreeSet::new();
    let all = repository.odb().ok()?.foreach(|oid| {
        out.insert(*oid);
        true
    });
    all.ok().map(|()| out)
}

fn object(folder: &Path, oid: git2::Oid) -> Option<Vec<u8>> {
    let repository = git2::Repository::open(folder.join(".git")).ok()?;
    let odb = repository.odb().ok()?;
    odb.read(oid).ok().map(|object| object.data().to_vec())
}
