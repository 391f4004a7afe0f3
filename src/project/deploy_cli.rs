//! The configuration of auth0-deploy-cli: `config.json` and `AUTH0_*`, with the results that tool means.
//!
//! Names, types and defaults of the options are those of auth0-deploy-cli 8.43. Where it reads an option one way in one place and
//! another way elsewhere, Tenantry reads it the way its documentation says, everywhere:
//!
//! - lists and maps given as JSON in an environment variable are decoded for every use, not only for some;
//! - `false` is false, also as the text `false` of an environment variable;
//! - the command line wins over the environment, the environment over the file.
//!
//! Every option either works or is refused by name with the reason (`unsupported-option`).

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::option::{Given, OptionReader, Place};
use crate::model::Secret;
use crate::problem::{Problem, closest};

/// What the environment and `config.json` say, decoded.
#[derive(Clone, Default)]
pub struct DeployCli {
    /// Tenant domain.
    pub domain: Option<String>,
    /// Client id of the deployer.
    pub client_id: Option<String>,
    /// Its secret.
    pub client_secret: Option<Secret>,
    /// Path of its private key, relative to the working directory.
    pub signing_key_path: Option<String>,
    /// Algorithm of the key: RS256, RS384 or PS256.
    pub signing_algorithm: Option<String>,
    /// A token to use as it is; wins over client credentials.
    pub access_token: Option<Secret>,
    /// Audience of the token.
    pub audience: Option<String>,
    /// Deletes are allowed.
    pub allow_delete: bool,
    /// Kinds left alone.
    pub excluded: Vec<String>,
    /// The only kinds managed.
    pub included_only: Option<Vec<String>>,
    /// Names left alone, by kind.
    pub excluded_names: IndexMap<String, Vec<String>>,
    /// The only connections managed.
    pub included_connections: Option<Vec<String>>,
    /// Kinds whose defaults are left out on export.
    pub excluded_defaults: Vec<String>,
    /// Third-party clients and their grants are left alone.
    pub exclude_third_party_clients: bool,
    /// Members left out on export, by kind.
    pub excluded_props: IndexMap<String, Vec<String>>,
    /// Read-only members kept on export, by kind.
    pub included_props: IndexMap<String, Vec<String>>,
    /// Substitution values.
    pub mappings: IndexMap<String, Json>,
    /// The mappings came from an environment variable: then nothing else is a substitution value.
    pub mappings_alone: bool,
    /// Export keeps markers.
    pub preserve_keywords: bool,
    /// Export keeps server ids.
    pub export_identifiers: bool,
    /// Export sorts keys.
    pub export_ordered: bool,
    /// Export masks nothing.
    pub export_secrets: bool,
    /// What paths inside a single YAML file are relative to.
    pub base_path: Option<String>,
    /// The description.
    pub input_file: Option<String>,
    /// Folder of connections in the directory layout.
    pub connections_directory: Option<String>,
    /// Only a preview is asked for: nothing may be written.
    pub preview_only: bool,
    /// Most retries of one request.
    pub max_retries: Option<u32>,
    /// Details are asked for.
    pub debug: bool,
}

/// Options with names of single objects left alone, and their kinds.
const EXCLUDED_NAMES: [(&str, &str); 5] = [
    ("AUTH0_EXCLUDED_RULES", "rules"),
    ("AUTH0_EXCLUDED_CLIENTS", "clients"),
    ("AUTH0_EXCLUDED_DATABASES", "databases"),
    ("AUTH0_EXCLUDED_CONNECTIONS", "connections"),
    ("AUTH0_EXCLUDED_RESOURCE_SERVERS", "resourceServers"),
];

/// Options that work.
const KNOWN: [&str; 30] = [
    "AUTH0_DOMAIN",
    "AUTH0_CLIENT_ID",
    "AUTH0_CLIENT_SECRET",
    "AUTH0_CLIENT_SIGNING_KEY_PATH",
    "AUTH0_CLIENT_SIGNING_ALGORITHM",
    "AUTH0_ACCESS_TOKEN",
    "AUTH0_AUDIENCE",
    "AUTH0_ALLOW_DELETE",
    "AUTH0_EXCLUDED",
    "AUTH0_INCLUDED_ONLY",
    "AUTH0_EXCLUDED_DEFAULTS",
    "AUTH0_INCLUDED_CONNECTIONS",
    "AUTH0_EXCLUDE_THIRD_PARTY_CLIENTS",
    "EXCLUDED_PROPS",
    "INCLUDED_PROPS",
    "AUTH0_KEYWORD_REPLACE_MAPPINGS",
    "AUTH0_PRESERVE_KEYWORDS",
    "AUTH0_EXPORT_IDENTIFIERS",
    "AUTH0_EXPORT_ORDERED",
    "AUTH0_EXPORT_SECRETS",
    "AUTH0_BASE_PATH",
    "AUTH0_INPUT_FILE",
    "AUTH0_CONNECTIONS_DIRECTORY",
    "AUTH0_DRY_RUN",
    "AUTH0_DRY_RUN_APPLY",
    "AUTH0_API_MAX_RETRIES",
    "AUTH0_MAX_RETRIES",
    "AUTH0_EXPERIMENTAL_EA",
    "AUTH0_DEBUG",
    "AUTH0_LOG",
];

/// Options that are refused where they are switched on, and why.
const REFUSED: [(&str, &str, &str); 5] = [
    (
        "AUTH0_DRY_RUN_INTERACTIVE",
        "Tenantry has no menu",
        "use `tenantry plan`, then `tenantry apply`, which asks before it writes",
    ),
    (
        "AUTH0_IGNORE_DRY_RUN_FIELDS",
        "a plan compares by meaning and shows every difference it would write",
        "take the field out of the description to leave it alone",
    ),
    (
        "AUTH0_RETRY_INITIAL_DELAY_MS",
        "waiting times come from the API's own rate limit headers",
        "remove it; `--api-budget` slows Tenantry down",
    ),
    (
        "AUTH0_RETRY_MAX_DELAY_MS",
        "waiting times come from the API's own rate limit headers",
        "remove it; `--api-budget` slows Tenantry down",
    ),
    ("EXTENSION_SECRET", "it allows deletes by being there", "set AUTH0_ALLOW_DELETE to true to allow deletes"),
];

impl DeployCli {
    /// Decodes the configuration. `file` is `config.json`, read; `env` the process environment.
    ///
    /// # Errors
    ///
    /// Problems with ids `invalid-option`, `unsupported-option`, `conflicting-options` are errors; `unknown-option` is a
    /// warning. Whether credentials are needed is the command's to say, see [`DeployCli::missing_credentials`].
    pub fn read(file: Option<&ConfigFile>, env: &BTreeMap<String, String>) -> (DeployCli, Vec<Problem>) {
        let mut given = IndexMap::new();
        if let Some(file) = file {
            for (key, (locus, value)) in &file.values {
                given.insert(key.clone(), Given { place: Place::File(locus.clone()), value: value.clone() });
            }
        }
        for (key, value) in env {
            if is_option(key) {
                given.insert(key.clone(), Given { place: Place::Env, value: Json::String(value.clone()) });
            }
        }
        let mut reader = OptionReader::new(given);
        let mut read = DeployCli::decode(&mut reader);
        read.mappings(file, &mut reader);
        read.refuse(&mut reader);
        read.conflicts(&mut reader);
        if let Some(file) = file {
            unknown(file, &mut reader.problems);
        }
        (read, reader.problems)
    }

    fn decode(reader: &mut OptionReader) -> DeployCli {
        let mut excluded_names = IndexMap::new();
        for (option, kind) in EXCLUDED_NAMES {
            let names = reader.texts(option).unwrap_or_default();
            if !names.is_empty() {
                excluded_names.insert(kind.to_owned(), names);
            }
        }
        let retries = reader.count("AUTH0_API_MAX_RETRIES");
        let more_retries = reader.count("AUTH0_MAX_RETRIES");
        let preview = reader.preview("AUTH0_DRY_RUN") && !reader.flag("AUTH0_DRY_RUN_APPLY");
        reader.flag("AUTH0_EXPERIMENTAL_EA");
        DeployCli {
            domain: reader.text("AUTH0_DOMAIN").map(|domain| plain_domain(&domain)),
            client_id: reader.text("AUTH0_CLIENT_ID"),
            client_secret: reader.secret("AUTH0_CLIENT_SECRET"),
            signing_key_path: reader.text("AUTH0_CLIENT_SIGNING_KEY_PATH"),
            signing_algorithm: reader.one_of("AUTH0_CLIENT_SIGNING_ALGORITHM", &["RS256", "RS384", "PS256"]),
            access_token: reader.secret("AUTH0_ACCESS_TOKEN"),
            audience: reader.text("AUTH0_AUDIENCE"),
            allow_delete: reader.exactly_true("AUTH0_ALLOW_DELETE"),
            excluded: reader.kinds("AUTH0_EXCLUDED").unwrap_or_default(),
            included_only: reader.kinds("AUTH0_INCLUDED_ONLY"),
            excluded_names,
            included_connections: reader.texts("AUTH0_INCLUDED_CONNECTIONS").filter(|names| !names.is_empty()),
            excluded_defaults: reader.kinds("AUTH0_EXCLUDED_DEFAULTS").unwrap_or_default(),
            exclude_third_party_clients: reader.flag("AUTH0_EXCLUDE_THIRD_PARTY_CLIENTS"),
            excluded_props: reader.texts_by_kind("EXCLUDED_PROPS"),
            included_props: reader.texts_by_kind("INCLUDED_PROPS"),
            mappings: IndexMap::new(),
            mappings_alone: false,
            preserve_keywords: reader.flag("AUTH0_PRESERVE_KEYWORDS"),
            export_identifiers: reader.flag("AUTH0_EXPORT_IDENTIFIERS"),
            export_ordered: reader.flag("AUTH0_EXPORT_ORDERED"),
            export_secrets: reader.flag("AUTH0_EXPORT_SECRETS"),
            base_path: reader.text("AUTH0_BASE_PATH"),
            input_file: reader.text("AUTH0_INPUT_FILE"),
            connections_directory: reader.text("AUTH0_CONNECTIONS_DIRECTORY"),
            preview_only: preview,
            max_retries: retries.max(more_retries),
            debug: reader.flag("AUTH0_DEBUG"),
        }
    }

    fn mappings(&mut self, file: Option<&ConfigFile>, reader: &mut OptionReader) {
        const OPTION: &str = "AUTH0_KEYWORD_REPLACE_MAPPINGS";
        let Some(given) = reader.given(OPTION) else { return };
        self.mappings_alone = given.place == Place::Env;
        match given.decoded() {
            Json::Object(map) => self.mappings = map.into_iter().collect(),
            Json::Null => {}
            // auth0-deploy-cli keeps text that is no JSON as text, and then has no mappings at all.
            _ => reader.wrong(OPTION, "a JSON object of names and values"),
        }
        if self.mappings_alone && file.is_some_and(|file| file.values.contains_key(OPTION)) {
            reader.problems.push(
                Problem::warning("shadowed-option", format!("the environment's {OPTION} replaces the file's"))
                    .note("it also keeps other environment variables from being markers, as in auth0-deploy-cli"),
            );
        }
    }

    fn refuse(&mut self, reader: &mut OptionReader) {
        for (option, why, help) in REFUSED {
            let Some(given) = reader.given(option) else { continue };
            // A secret of some other tool may stand in the environment under this name; in the file it is meant.
            let meant = option != "EXTENSION_SECRET" || given.place != Place::Env;
            if meant && given.is_on() {
                let problem =
                    Problem::error("unsupported-option", format!("{option} is not supported: {why}")).help(help);
                reader.problems.push(given.place.mark(problem));
            }
        }
    }

    fn conflicts(&mut self, reader: &mut OptionReader) {
        let conflict = |title: &str, help: &str, option: &str, problems: &mut Vec<Problem>, given: Option<Given>| {
            let problem = Problem::error("conflicting-options", title).help(help);
            problems.push(
                given
                    .map(|given| given.place.mark(problem.clone()))
                    .unwrap_or_else(|| problem.note(format!("{option} is read from the command line"))),
            );
        };
        if !self.excluded.is_empty() && self.included_only.is_some() {
            let given = reader.given("AUTH0_INCLUDED_ONLY");
            let title = "AUTH0_EXCLUDED and AUTH0_INCLUDED_ONLY are both set";
            conflict(title, "keep one of the two", "AUTH0_INCLUDED_ONLY", &mut reader.problems, given);
        }
        if self.included_only.as_ref().is_some_and(Vec::is_empty) {
            let given = reader.given("AUTH0_INCLUDED_ONLY");
            let title = "AUTH0_INCLUDED_ONLY names no kind";
            conflict(
                title,
                "name kinds, or remove it to manage all",
                "AUTH0_INCLUDED_ONLY",
                &mut reader.problems,
                given,
            );
        }
        if self.included_connections.is_some() && self.excluded_names.contains_key("connections") {
            let given = reader.given("AUTH0_INCLUDED_CONNECTIONS");
            let title = "AUTH0_INCLUDED_CONNECTIONS and AUTH0_EXCLUDED_CONNECTIONS are both set";
            conflict(title, "keep one of the two", "AUTH0_INCLUDED_CONNECTIONS", &mut reader.problems, given);
        }
        for (kind, fields) in &self.included_props {
            let Some(excluded) = self.excluded_props.get(kind) else { continue };
            if let Some(both) = fields.iter().find(|field| excluded.contains(field)) {
                let given = reader.given("INCLUDED_PROPS");
                let title = format!("`{kind}.{both}` is in both EXCLUDED_PROPS and INCLUDED_PROPS");
                conflict(&title, "remove it from one of them", "INCLUDED_PROPS", &mut reader.problems, given);
            }
        }
        if self.preserve_keywords && self.mappings.is_empty() {
            let given = reader.given("AUTH0_PRESERVE_KEYWORDS");
            let title = "AUTH0_PRESERVE_KEYWORDS needs AUTH0_KEYWORD_REPLACE_MAPPINGS";
            conflict(
                title,
                "set the mappings whose markers are to be kept",
                "AUTH0_PRESERVE_KEYWORDS",
                &mut reader.problems,
                given,
            );
        }
    }

    /// Returns what a command that talks to a tenant lacks; `None` where nothing.
    pub fn missing_credentials(&self) -> Option<Problem> {
        let mut missing = Vec::new();
        if self.domain.is_none() {
            missing.push("AUTH0_DOMAIN");
        }
        if self.access_token.is_none() {
            if self.client_id.is_none() {
                missing.push("AUTH0_CLIENT_ID");
            }
            if self.client_secret.is_none() && self.signing_key_path.is_none() {
                missing.push("AUTH0_CLIENT_SECRET or AUTH0_CLIENT_SIGNING_KEY_PATH");
            }
        }
        let (last, rest) = missing.split_last()?;
        let list = if rest.is_empty() { (*last).to_owned() } else { format!("{} and {last}", rest.join(", ")) };
        let mut problem = Problem::error("missing-credentials", format!("the tenant cannot be reached without {list}"))
            .help("set them in the environment or in the file given with -c");
        if self.access_token.is_none() {
            problem = problem.note("AUTH0_ACCESS_TOKEN would do in place of a client and its secret");
        }
        Some(problem.help("add --sandbox to try it without a tenant"))
    }
}

/// `config.json`, parsed: each top-level value with its place.
#[derive(Clone, Default)]
pub struct ConfigFile {
    /// The top-level values.
    pub values: IndexMap<String, (crate::model::Locus, Json)>,
}

fn is_option(name: &str) -> bool {
    KNOWN.contains(&name)
        || EXCLUDED_NAMES.iter().any(|(option, _)| *option == name)
        || REFUSED.iter().any(|(option, _, _)| *option == name)
}

/// Warns about what looks like an option and is none. Other keys of the file belong to other tools.
fn unknown(file: &ConfigFile, problems: &mut Vec<Problem>) {
    let known = || KNOWN.into_iter().chain(EXCLUDED_NAMES.map(|(o, _)| o)).chain(REFUSED.map(|(o, _, _)| o));
    for (key, (locus, _)) in &file.values {
        if is_option(key) {
            continue;
        }
        let near = closest(key, known());
        if key.starts_with("AUTH0_") || near.is_some() {
            let mut problem =
                Problem::warning("unknown-option", format!("`{key}` is not an option, it is ignored")).at(locus);
            if let Some(near) = near {
                problem = problem.help(format!("did you mean `{near}`?"));
            }
            problems.push(problem);
        }
    }
}

/// Takes a domain as people paste it: `https://x.auth0.com/` is `x.auth0.com`. Plain HTTP keeps its scheme, it is for loopback.
pub(super) fn plain_domain(domain: &str) -> String {
    domain.trim().trim_start_matches("https://").trim_end_matches('/').to_owned()
}
