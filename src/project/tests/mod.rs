#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
//! Settings from real files in a temporary folder.

mod compatible;
mod description;
mod file;

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::*;
use crate::description::layout::test_texts as texts;

struct Place {
    folder: tempfile::TempDir,
    env: BTreeMap<String, String>,
}

fn place(files: &[(&str, &str)]) -> Place {
    let folder = tempfile::tempdir().unwrap();
    for (path, text) in files {
        let path = folder.path().join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }
    // The search for a project file ends here.
    std::fs::create_dir_all(folder.path().join(".git")).unwrap();
    Place { folder, env: BTreeMap::new() }
}

impl Place {
    fn env(mut self, name: &str, value: &str) -> Self {
        self.env.insert(name.to_owned(), value.to_owned());
        self
    }

    fn around(&self) -> Surroundings {
        Surroundings { directory: self.folder.path().to_owned(), env: self.env.clone() }
    }

    fn load(&self, flags: &Flags) -> Result<Loaded, Failed> {
        load_settings(flags, &self.around())
    }

    fn settings(&self, flags: &Flags) -> Settings {
        match self.load(flags) {
            Ok(loaded) => loaded.settings,
            Err(failed) => panic!("{}", texts(&failed.problems)),
        }
    }

    fn failure(&self, flags: &Flags) -> String {
        match self.load(flags) {
            Ok(_) => panic!("no settings were expected"),
            Err(failed) => texts(&failed.problems),
        }
    }

    fn warnings(&self, flags: &Flags) -> String {
        texts(&self.load(flags).unwrap().warnings)
    }
}

fn project(text: &str) -> Place {
    place(&[("tenantry.yaml", text)])
}

fn environment(name: &str) -> Flags {
    Flags { environment: Some(name.to_owned()), ..Flags::default() }
}

fn config() -> Flags {
    Flags { config: Some(PathBuf::from("config.json")), ..Flags::default() }
}
