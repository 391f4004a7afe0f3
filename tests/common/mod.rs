//! Runs the real program: nothing of the machine's environment gets in, nothing is written outside a folder of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::print_stdout, dead_code, unreachable_pub)]

pub mod canary;

use std::fmt;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;

use canary::{Tally, Watch};

/// A folder to work in, with an empty home beside it. Whatever the program says or writes here is searched for secrets.
pub struct Place {
    root: tempfile::TempDir,
    env: Vec<(String, String)>,
    watch: Mutex<Watch>,
}

impl Place {
    /// An empty one.
    pub fn new() -> Self {
        let place = Place { root: tempfile::tempdir().unwrap(), env: Vec::new(), watch: Mutex::default() };
        std::fs::create_dir(place.path()).unwrap();
        std::fs::create_dir(place.root.path().join("home")).unwrap();
        place
    }

    /// One that holds a copy of a folder of this project.
    pub fn with(folder: &str) -> Self {
        let place = Place::new();
        copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder), &place.path());
        place
    }

    /// The working directory.
    pub fn path(&self) -> PathBuf {
        self.root.path().join("work")
    }

    /// Sets a variable of the environment for every later run.
    pub fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Lets a secret be shown, by the name of its source (`TENANTRY_SECRET_X`), and says why that is right.
    pub fn shows(self, name: &str, reason: &str) -> Self {
        self.watched().excuse(name, reason);
        self
    }

    fn watched(&self) -> std::sync::MutexGuard<'_, Watch> {
        self.watch.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    /// Searches what a run has said, and the files it left, where something else than [`Place::run`] ran it.
    pub fn heard(&self, stdout: &[u8], stderr: &[u8]) {
        let mut watch = self.watched();
        watch.tally.runs += 1;
        watch.owed = watch.owed.saturating_sub(1);
        watch.end(&self.path(), &self.env, &[("stdout", stdout), ("stderr", stderr)]);
    }

    /// Runs what [`Place::command`] made ready to its end, and searches what it said.
    pub fn ended(&self, command: &mut Command) -> std::process::Output {
        let output = command.output().unwrap();
        self.heard(&output.stdout, &output.stderr);
        output
    }

    /// Waits for the end of a run, and searches what it said.
    pub fn waited(&self, child: Child) -> std::process::Output {
        let output = child.wait_with_output().unwrap();
        self.heard(&output.stdout, &output.stderr);
        output
    }

    /// The names of the secrets that are searched for here.
    pub fn known(&self) -> Vec<String> {
        self.watched().names()
    }

    /// What was searched here so far.
    pub fn tally(&self) -> Tally {
        self.watched().tally
    }

    /// Writes a file.
    pub fn write(&self, name: &str, text: &str) {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// Reads a file.
    pub fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path().join(name)).unwrap()
    }

    /// The program, ready to be run here; what it says is for [`Place::heard`], and a place where it is not fails in the end.
    pub fn command(&self, arguments: &[&str]) -> Command {
        self.watched().owed += 1;
        self.program(arguments)
    }

    /// As [`Place::command`], for a sandbox: what it says and keeps are the secrets.
    pub fn program(&self, arguments: &[&str]) -> Command {
        self.watched().begin(&self.path(), &self.env);
        let mut command = Command::new(env!("CARGO_BIN_EXE_tenantry"));
        command.args(arguments).current_dir(self.path()).env_clear().stdin(Stdio::null());
        command.env("HOME", self.root.path().join("home")).env("COLUMNS", "100");
        // Windows finds neither threads nor sockets without it.
        if let Some(root) = std::env::var_os("SystemRoot") {
            command.env("SystemRoot", root);
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }

    /// As [`Place::command`], started by a shell that has done something else before: `ulimit -f 8` lets no file grow beyond 4096 bytes.
    #[cfg(unix)]
    pub fn behind(&self, before: &str, arguments: &[&str]) -> Command {
        let ready = self.command(arguments);
        let mut command = Command::new("sh");
        command.args(["-c", &format!("{before}; exec \"$0\" \"$@\"")]).arg(ready.get_program()).args(ready.get_args());
        command.current_dir(self.path()).env_clear().stdin(Stdio::null());
        command.envs(ready.get_envs().filter_map(|(name, value)| Some((name, value?))));
        command
    }

    /// Runs the program to its end.
    pub fn run(&self, arguments: &[&str]) -> Output {
        let output = self.command(arguments).output().unwrap();
        self.heard(&output.stdout, &output.stderr);
        let here = self.path().canonicalize().unwrap().display().to_string();
        let text = |bytes: Vec<u8>| {
            let text = String::from_utf8(bytes).unwrap();
            text.replace(&here, "$PLACE").replace(&self.path().display().to_string(), "$PLACE").replace(".exe", "")
        };
        Output { code: output.status.code(), stdout: text(output.stdout), stderr: text(output.stderr) }
    }
}

impl Drop for Place {
    /// What was written by a run that nobody listened to is searched all the same.
    fn drop(&mut self) {
        let (path, env) = (self.path(), std::mem::take(&mut self.env));
        let watch = self.watch.get_mut().unwrap_or_else(std::sync::PoisonError::into_inner);
        if watch.tally.runs > 0 && !std::thread::panicking() {
            watch.end(&path, &env, &[]);
            let Tally { runs, bytes, secrets } = watch.tally;
            println!("searched {runs} runs, {bytes} bytes for {secrets} secrets");
            let (places, all) = canary::add_up(watch.tally);
            println!("in this process so far: {places} places, {} runs, {} bytes", all.runs, all.bytes);
        }
        assert!(watch.owed == 0 || std::thread::panicking(), "{} runs were not searched", watch.owed);
    }
}

/// Copies a folder, but what the program keeps for itself.
pub fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let target = to.join(entry.file_name());
        if entry.file_name() == ".tenantry" {
            continue;
        }
        if entry.file_type().unwrap().is_dir() {
            copy(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// What a run left. Printed, both streams end with a mark, so that a missing line end is seen.
#[must_use]
pub struct Output {
    /// The exit code; `None` where a signal ended it.
    pub code: Option<i32>,
    /// The answer.
    pub stdout: String,
    /// Progress and diagnosis.
    pub stderr: String,
}

impl Output {
    /// Demands an exit code.
    pub fn code(self, wanted: i32) -> Self {
        assert_eq!(self.code, Some(wanted), "{self}");
        self
    }

    /// Reads the answer as JSON.
    pub fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}\n{self}"))
    }
}

impl fmt::Display for Output {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.code.map_or("a signal".to_owned(), |code| code.to_string());
        writeln!(f, "exit code: {code}\n----- stdout -----\n{}[EOF]", self.stdout)?;
        write!(f, "----- stderr -----\n{}[EOF]", self.stderr)
    }
}

/// A sandbox of its own process, ended when dropped.
pub struct Sandbox {
    child: Child,
    /// `http://127.0.0.1:PORT`.
    pub url: String,
    /// Client id of the deployer.
    pub client_id: String,
    /// Client secret of the deployer.
    pub client_secret: String,
}

impl Sandbox {
    /// Starts one on a free port, with further options.
    pub fn start(place: &Place, options: &[&str]) -> Self {
        let mut arguments = vec!["sandbox", "--port", "0", "--json"];
        arguments.extend(options);
        let mut child = place.program(&arguments).stdout(Stdio::piped()).spawn().unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let ready: serde_json::Value = serde_json::from_str(&line).unwrap();
        let text = |name: &str| ready[name].as_str().unwrap().to_owned();
        let kept = options.windows(2).filter(|pair| ["--record", "--state"].contains(&pair[0]));
        kept.for_each(|pair| place.watched().exempt(&place.path().join(pair[1])));
        canary::know(&text("url"));
        Sandbox { child, url: text("url"), client_id: text("client_id"), client_secret: text("client_secret") }
    }

    /// A place whose environment points at this sandbox, as auth0-deploy-cli would be pointed at it.
    pub fn point(&self, place: Place) -> Place {
        place
            .env("AUTH0_DOMAIN", &self.url)
            .env("AUTH0_CLIENT_ID", &self.client_id)
            .env("AUTH0_CLIENT_SECRET", &self.client_secret)
    }
}

impl Drop for Sandbox {
    fn drop(&mut self) {
        canary::forget(&self.url);
        // It may have ended already; then there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
