//! Repositories written for auth0-deploy-cli: what that tool gets wrong, Tenantry does not. Each test names the trap.

mod files;
mod kept;
mod options;
mod written;

use serde_json::Value;

use crate::common::{Output, Place};
use crate::support::{Recorder, refused, stable};

/// A place with a configuration and files, as that tool has them: `config.json` beside a folder `tenant`.
pub struct Repository {
    pub recorder: Recorder,
    pub place: Place,
}

impl Repository {
    pub fn new(options: Value, files: &[(&str, &str)]) -> Self {
        let recorder = Recorder::start(&[]);
        let place = recorder.compatibility();
        place.write("config.json", &options.to_string());
        std::fs::create_dir(place.path().join("tenant")).unwrap();
        for (name, text) in files {
            place.write(&format!("tenant/{name}"), text);
        }
        Repository { recorder, place }
    }

    pub fn run(&self, arguments: &[&str]) -> Output {
        self.place.run(&[&["-c", "config.json", "-i", "tenant"], arguments].concat())
    }

    pub fn refused(&self, code: i32) -> String {
        let output = refused(&self.place, &["-c", "config.json", "-i", "tenant", "plan"], code);
        let applied = refused(&self.place, &["-c", "config.json", "-i", "tenant", "apply", "--yes"], code);
        assert_eq!(stable(&output), stable(&applied));
        self.recorder.untouched();
        stable(&output)
    }

    /// Applies, demands that a second apply writes nothing, and returns what the first one wrote.
    pub fn apply(&self) -> Vec<String> {
        let before = self.recorder.writes().len();
        let _ = self.run(&["apply", "--yes"]).code(0);
        let after = self.recorder.writes();
        let _ = self.run(&["apply", "--yes"]).code(0);
        assert_eq!(self.recorder.writes(), after, "the second apply writes nothing");
        after[before..].to_vec()
    }

    /// The bodies sent to a path, in order.
    pub fn bodies(&self, method: &str, path: &str) -> Vec<Value> {
        let of = |(m, p, body): (String, String, Value)| (m == method && p.contains(path)).then_some(body);
        self.recorder.exchanges().into_iter().filter_map(of).collect()
    }

    pub fn get(&self, path: &str) -> Value {
        self.recorder.api("GET", path, &Value::Null)
    }

    pub fn one(&self, path: &str, name: &str) -> Value {
        let all = self.get(path);
        let list = all
            .as_array()
            .cloned()
            .or_else(|| all.as_object().unwrap().values().find_map(|value| value.as_array().cloned()));
        list.unwrap().into_iter().find(|one| one["name"] == name).unwrap_or_else(|| panic!("{name}: {all}"))
    }
}

const SHOP: (&str, &str) = ("clients/shop.json", "{\"name\": \"Shop\", \"app_type\": \"spa\"}");
