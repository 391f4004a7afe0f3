//! The embedded schemas, compiled on first use.

use std::sync::OnceLock;

use indexmap::IndexMap;
use rust_embed::Embed;

use super::compile::compile;
use super::spec::KindSpec;

#[derive(Embed)]
#[folder = "schemas/"]
struct Files;

/// Every kind Tenantry knows, in alphabetical order.
#[derive(Debug)]
pub struct Registry {
    kinds: IndexMap<String, KindSpec>,
}

impl Registry {
    /// Returns the registry of the embedded schemas.
    pub fn get() -> &'static Registry {
        static REGISTRY: OnceLock<Registry> = OnceLock::new();
        REGISTRY.get_or_init(|| {
            let (registry, errors) = Self::compile_all();
            // A test holds this empty: the schemas are part of the program.
            debug_assert!(errors.is_empty(), "please report: {errors:#?}");
            registry
        })
    }

    fn compile_all() -> (Registry, Vec<String>) {
        let mut kinds = IndexMap::new();
        let mut errors = Vec::new();
        let mut names: Vec<_> = Files::iter().filter(|file| file.ends_with(".yaml")).collect();
        names.sort();
        for file in names {
            let name = file.trim_end_matches(".yaml");
            let text = Files::get(&file).map(|f| String::from_utf8_lossy(&f.data).into_owned()).unwrap_or_default();
            match serde_yaml::from_str::<serde_json::Value>(&text) {
                Ok(json) => match compile(name, json) {
                    Ok(spec) => {
                        kinds.insert(name.to_owned(), spec);
                    }
                    Err(found) => errors.extend(found.into_iter().map(|e| format!("{file}{e}"))),
                },
                Err(error) => errors.push(format!("{file}: {error}")),
            }
        }
        (Registry { kinds }, errors)
    }

    /// Compiles the schemas of a test.
    #[cfg(test)]
    pub(crate) fn of(files: &[(&str, &str)]) -> Registry {
        let mut kinds = IndexMap::new();
        for (name, text) in files {
            let json = serde_yaml::from_str::<serde_json::Value>(text);
            assert!(json.is_ok(), "{name}: {json:?}");
            match compile(name, json.unwrap_or_default()) {
                Ok(spec) => kinds.insert((*name).to_owned(), spec),
                Err(errors) => unreachable!("{name}: {errors:#?}"),
            };
        }
        Registry { kinds }
    }

    /// Returns a kind by name.
    pub fn kind(&self, name: &str) -> Option<&KindSpec> {
        self.kinds.get(name)
    }

    /// Returns every kind, in alphabetical order.
    pub fn kinds(&self) -> impl Iterator<Item = &KindSpec> {
        self.kinds.values()
    }

    /// Returns every kind's name, in alphabetical order.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.kinds.keys().map(String::as_str)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_schema_compiles() {
        let (registry, errors) = Registry::compile_all();
        assert!(errors.is_empty(), "{errors:#?}");
        for kind in registry.kinds() {
            for target in kind.cascades.iter().map(|c| &c.kind) {
                assert!(registry.kind(target).is_some(), "{}: kind `{target}` is unknown", kind.name);
            }
        }
    }
}
