//! [`Settings`]: everything one run is told, built once and never changed.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::deploy_cli::DeployCli;
use super::file::{CredentialSource, Environment, LedgerPlace, Moved, ProjectFile, VariableSource};
use super::policy::{DeleteRule, DriftRule, Policy, Ruled};
use super::secret::SecretSource;
use crate::description::Filters;
use crate::model::{Locus, Secret};
use crate::problem::{Problem, closest};

/// What the command line says of the project: `-C -e -c -i --sandbox --var --lenient`.
#[derive(Debug, Clone, Default)]
pub struct Flags {
    /// `-e`: name of an environment.
    pub environment: Option<String>,
    /// `-c`: a configuration of auth0-deploy-cli.
    pub config: Option<PathBuf>,
    /// `-i`: the description. Wins over every other source.
    pub input: Option<PathBuf>,
    /// `--sandbox`: the embedded sandbox instead of the tenant.
    pub sandbox: bool,
    /// `--lenient`: unknown fields warn and pass.
    pub lenient: bool,
    /// `--var K=V`, in the order given. Win over every other variable.
    pub variables: Vec<(String, String)>,
}

impl Flags {
    /// Parts `K=V` of `--var`.
    ///
    /// # Errors
    ///
    /// `usage` where there is no `=` or no name.
    pub fn variable(text: &str) -> Result<(String, String), Problem> {
        match text.split_once('=') {
            Some((name, value)) if !name.trim().is_empty() => Ok((name.trim().to_owned(), value.to_owned())),
            _ => Err(Problem::error("usage", format!("`--var {text}` is not NAME=VALUE"))),
        }
    }
}

/// How the project is configured; some rules of auth0-deploy-cli hold in the second only.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// By `tenantry.yaml`.
    Project,
    /// As for auth0-deploy-cli.
    Compatibility,
}

/// Everything one run is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How the project is configured.
    pub mode: Mode,
    /// Name of the environment; in compatibility mode the domain or `sandbox`, for showing.
    pub environment: String,
    /// Folder of `tenantry.yaml` or `config.json`, else the working directory. `.tenantry` stands here.
    pub root: PathBuf,
    /// The description: a folder or a file. `None` where nobody named one.
    pub description: Option<PathBuf>,
    /// The tenant; `None` where none is configured. With a sandbox it still names the domain.
    pub target: Option<Target>,
    /// The embedded sandbox takes the tenant's place.
    pub sandbox: Option<SandboxSettings>,
    /// Values for markers and expressions.
    pub values: VariableSettings,
    /// Declared secrets, in the order written. Others are `TENANTRY_SECRET_NAME`.
    pub secrets: IndexMap<String, SecretSource>,
    /// What a plan may do.
    pub policy: Policy,
    /// What is managed at all.
    pub filters: Filters,
    /// Renames.
    pub moved: Vec<Moved>,
    /// How exports are written.
    pub export: ExportSettings,
    /// The key secrets are fingerprinted with.
    pub fingerprint_key: Option<SecretSource>,
    /// Where deployments are remembered; a folder is absolute.
    pub ledger: LedgerPlace,
    /// The age recipient that secrets are sealed to in the ledger; `None` seals nothing.
    pub ledger_recipient: Option<String>,
    /// Where the identity is that opens them; `None` for `TENANTRY_LEDGER_IDENTITY`.
    pub ledger_identity: Option<SecretSource>,
    /// Unknown fields warn and pass.
    pub lenient: bool,
    /// Only a preview is asked for (`AUTH0_DRY_RUN`): `apply` must refuse.
    pub preview_only: bool,
    /// Base of paths inside a single YAML file, where it is not the file's folder.
    pub base_path: Option<PathBuf>,
    /// Folder of connections in the directory layout, where it has another name.
    pub connections_directory: Option<String>,
}

/// The tenant to talk to.
#[derive(Debug, Clone)]
pub struct Target {
    /// `x.eu.auth0.com`, or `http://127.0.0.1:PORT`.
    pub domain: String,
    /// Where it is written; `None` outside a project file.
    pub locus: Option<Locus>,
    /// Audience of the token where it is not the domain's.
    pub audience: Option<String>,
    /// How to authenticate; resolved when first needed.
    pub credentials: CredentialSettings,
    /// Most retries of one request; `None` for the client's own number.
    pub max_retries: Option<u32>,
}

/// How to authenticate, paths and values not yet read.
#[derive(Debug, Clone, PartialEq)]
pub enum CredentialSettings {
    /// A client and its secret.
    Secret {
        /// Its id.
        client_id: String,
        /// Its secret.
        client_secret: Secret,
    },
    /// A client and its private key.
    PrivateKey {
        /// Its id.
        client_id: String,
        /// The PEM file.
        path: PathBuf,
        /// RS256, RS384 or PS256.
        algorithm: String,
    },
    /// A token as it is.
    Token(Secret),
    /// An entry of the OS keyring.
    Keyring(String),
    /// None: what is missing.
    Missing(Problem),
}

/// The embedded sandbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SandboxSettings {
    /// File with its state.
    pub state: PathBuf,
    /// Folder of the ledger that goes with that state.
    pub ledger: PathBuf,
    /// Domain its tenant has.
    pub domain: String,
}

/// Values for markers and expressions.
#[derive(Clone, Default)]
pub struct VariableSettings {
    /// Variables by name; markers and `vars.*` see them.
    pub values: IndexMap<String, Json>,
    /// The process environment, for `env.*`.
    pub env: BTreeMap<String, String>,
    /// Names that other environments set, with those environments' names: for notes at a missing variable.
    pub elsewhere: IndexMap<String, Vec<String>>,
    /// An unknown marker in a side file warns and passes as text.
    pub lenient_side_files: bool,
}

impl fmt::Debug for VariableSettings {
    /// Names only: mappings of auth0-deploy-cli hold secrets, and the environment does.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let VariableSettings { values, env, elsewhere, lenient_side_files } = self;
        let mut out = f.debug_struct("VariableSettings");
        out.field("values", &values.keys()).field("env", &env.keys()).field("elsewhere", elsewhere);
        out.field("lenient_side_files", lenient_side_files).finish()
    }
}

/// How exports are written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExportSettings {
    /// Members left out, by kind.
    pub excluded_props: IndexMap<String, Vec<String>>,
    /// Read-only members kept, by kind.
    pub included_props: IndexMap<String, Vec<String>>,
    /// Kinds whose placeholders for secrets are left out.
    pub excluded_defaults: Vec<String>,
    /// Markers in the existing files stay.
    pub preserve_keywords: bool,
    /// Server ids are kept.
    pub identifiers: bool,
    /// Keys are sorted.
    pub ordered: bool,
    /// Nothing is masked.
    pub secrets: bool,
}

/// What the world says, read beforehand.
#[derive(Clone, Default)]
pub struct Surroundings {
    /// The working directory (after `-C`), absolute.
    pub directory: PathBuf,
    /// The process environment.
    pub env: BTreeMap<String, String>,
}

impl fmt::Debug for Surroundings {
    /// Names of the environment's variables only: secrets are among the values.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Surroundings { directory, env } = self;
        f.debug_struct("Surroundings").field("directory", directory).field("env", &env.keys()).finish()
    }
}

/// The folder that Tenantry keeps its own files in.
pub const STATE_FOLDER: &str = ".tenantry";

impl Settings {
    /// Builds the settings of one environment of a project file. `variables` is the content of the environment's own
    /// file of variables, where it names one.
    ///
    /// # Errors
    ///
    /// `unknown-environment`, `environment-needed`.
    pub fn project(
        path: &Path,
        file: ProjectFile,
        variables: IndexMap<String, Json>,
        flags: &Flags,
        around: &Surroundings,
    ) -> Result<Settings, Problem> {
        let environment = choose(&file, flags.environment.as_deref())?.clone();
        let root = path.parent().map(Path::to_path_buf).unwrap_or_default();
        let own = match &environment.variables {
            VariableSource::Inline(values) => values.clone(),
            VariableSource::File(..) => variables,
        };
        let elsewhere = elsewhere(&file, &environment.name);
        let mut values: IndexMap<String, Json> = file.variables;
        values.extend(own);
        values.extend(flags.variables.iter().map(|(name, value)| (name.clone(), Json::String(value.clone()))));
        let domain = environment.domain.clone();
        let target = domain.clone().map(|domain| Target {
            domain,
            locus: environment.domain_locus.clone(),
            audience: environment.audience.clone(),
            credentials: project_credentials(&environment, &root, around),
            max_retries: None,
        });
        let sandbox = (flags.sandbox || environment.sandbox)
            .then(|| sandbox_of(&root, domain.unwrap_or_else(|| SANDBOX_DOMAIN.to_owned())));
        Ok(Settings {
            mode: Mode::Project,
            environment: environment.name.clone(),
            description: Some(match &flags.input {
                Some(input) => around.directory.join(input),
                None => root.join(&file.description),
            }),
            target,
            sandbox,
            values: VariableSettings { values, env: around.env.clone(), elsewhere, lenient_side_files: false },
            secrets: environment.secrets.into_iter().map(|(name, (source, _))| (name, source)).collect(),
            policy: environment.policy,
            filters: Filters {
                include: environment.include.into_iter().map(|rule| rule.value).collect(),
                exclude: environment.exclude.into_iter().map(|rule| rule.value).collect(),
                ..Filters::default()
            },
            moved: file.moved,
            export: ExportSettings::default(),
            fingerprint_key: environment.fingerprint_key,
            ledger: match environment.ledger {
                LedgerPlace::Folder(folder) => LedgerPlace::Folder(root.join(folder)),
                LedgerPlace::Git => LedgerPlace::Git,
            },
            ledger_recipient: environment.ledger_recipient,
            ledger_identity: environment.ledger_identity,
            lenient: flags.lenient,
            preview_only: false,
            base_path: None,
            connections_directory: None,
            root,
        })
    }

    /// Builds the settings of compatibility mode. `config` is the path that `-c` named.
    ///
    /// # Errors
    ///
    /// `no-project` where nothing says what to work on.
    pub fn compatibility(
        read: DeployCli,
        config: Option<&Path>,
        flags: &Flags,
        around: &Surroundings,
    ) -> Result<Settings, Problem> {
        if let Some(name) = &flags.environment {
            return Err(Problem::error("unknown-environment", format!("there is no environment `{name}`"))
                .note("environments are declared in tenantry.yaml, and there is none here")
                .help("run `tenantry init` to write one, or leave -e away"));
        }
        let input = flags.input.clone().or_else(|| read.input_file.clone().map(PathBuf::from));
        if config.is_none() && input.is_none() && read.domain.is_none() {
            return Err(Problem::error(
                "no-project",
                "there is no tenantry.yaml here, and nothing else says what to work on",
            )
            .help("run `tenantry init`, or name a project's folder with -C")
            .help("for an auth0-deploy-cli repository: -c config.json -i PATH"));
        }
        let root = config.and_then(Path::parent).map(|folder| around.directory.join(folder));
        let root = root.unwrap_or_else(|| around.directory.clone());
        let domain = read.domain.clone();
        let credentials = compatibility_credentials(&read, around);
        let target = domain.clone().map(|domain| Target {
            domain,
            locus: None,
            audience: read.audience.clone(),
            credentials,
            max_retries: read.max_retries,
        });
        let sandbox =
            flags.sandbox.then(|| sandbox_of(&root, domain.clone().unwrap_or_else(|| SANDBOX_DOMAIN.to_owned())));
        let delete = if read.allow_delete { DeleteRule::All } else { DeleteRule::Kinds(Vec::new()) };
        Ok(Settings {
            mode: Mode::Compatibility,
            environment: match (&sandbox, domain) {
                (Some(_), _) => "sandbox".to_owned(),
                (None, Some(domain)) => domain,
                (None, None) => "no tenant".to_owned(),
            },
            description: input.map(|input| around.directory.join(input)),
            target,
            sandbox,
            values: VariableSettings {
                values: compatibility_values(&read, flags, around),
                env: around.env.clone(),
                elsewhere: IndexMap::new(),
                lenient_side_files: true,
            },
            secrets: IndexMap::new(),
            policy: Policy {
                delete: Ruled::default_of(delete),
                drift: Ruled::default_of(DriftRule::Overwrite),
                approve: Ruled::default_of(Vec::new()),
                ..Policy::default()
            },
            moved: Vec::new(),
            fingerprint_key: None,
            ledger: LedgerPlace::Folder(root.join(STATE_FOLDER)),
            ledger_recipient: None,
            ledger_identity: None,
            lenient: true,
            preview_only: read.preview_only,
            base_path: read.base_path.as_ref().map(|base| around.directory.join(base)),
            connections_directory: read.connections_directory.clone(),
            root,
            export: ExportSettings {
                excluded_props: read.excluded_props,
                included_props: read.included_props,
                excluded_defaults: read.excluded_defaults,
                preserve_keywords: read.preserve_keywords,
                identifiers: read.export_identifiers,
                ordered: read.export_ordered,
                secrets: read.export_secrets,
            },
            filters: Filters {
                only_kinds: read.included_only,
                excluded_kinds: read.excluded,
                excluded_names: read.excluded_names,
                included_names: read
                    .included_connections
                    .map(|names| IndexMap::from([("connections".to_owned(), names)]))
                    .unwrap_or_default(),
                exclude_third_party_clients: read.exclude_third_party_clients,
                ..Filters::default()
            },
        })
    }

    /// Returns the folder or ref of the ledger: a sandbox has its own, beside its state.
    pub fn ledger_place(&self) -> LedgerPlace {
        match &self.sandbox {
            Some(sandbox) => LedgerPlace::Folder(sandbox.ledger.clone()),
            None => self.ledger.clone(),
        }
    }

    /// Says whether everything described is deleted where it is missing from the files, as auth0-deploy-cli does.
    pub fn deletes_everything(&self) -> bool {
        self.mode == Mode::Compatibility && self.policy.delete.value == DeleteRule::All
    }

    /// Returns where a secret comes from: declared, or `TENANTRY_SECRET_NAME`.
    pub fn secret_source(&self, name: &str) -> SecretSource {
        self.secrets.get(name).cloned().unwrap_or_else(|| SecretSource::undeclared(name))
    }
}

/// Domain of a sandbox that stands for no tenant.
const SANDBOX_DOMAIN: &str = "sandbox.tenantry.test";

fn sandbox_of(root: &Path, domain: String) -> SandboxSettings {
    let folder = root.join(STATE_FOLDER);
    SandboxSettings { state: folder.join("sandbox.json"), ledger: folder.join("sandbox"), domain }
}

fn choose<'a>(file: &'a ProjectFile, name: Option<&str>) -> Result<&'a Environment, Problem> {
    let known: Vec<&str> = file.environments.keys().map(String::as_str).collect();
    let declared = format!("declared are {}", super::reader::list_of(&known).replace(" or ", " and "));
    match name {
        Some(name) => file.environments.get(name).ok_or_else(|| {
            let problem = Problem::error("unknown-environment", format!("there is no environment `{name}`"));
            match closest(name, known.iter().copied()) {
                Some(near) => problem.note(declared).help(format!("did you mean `-e {near}`?")),
                None => problem.note(declared),
            }
        }),
        None => match file.environments.values().collect::<Vec<_>>()[..] {
            [only] => Ok(only),
            _ => Err(Problem::error("environment-needed", "which environment is meant?")
                .note(declared)
                .help(format!("add `-e {}`", known.first().unwrap_or(&"NAME")))),
        },
    }
}

/// Names that other environments set inline, with those environments.
fn elsewhere(file: &ProjectFile, chosen: &str) -> IndexMap<String, Vec<String>> {
    let mut names: IndexMap<String, Vec<String>> = IndexMap::new();
    for environment in file.environments.values().filter(|environment| environment.name != chosen) {
        if let VariableSource::Inline(values) = &environment.variables {
            for name in values.keys() {
                names.entry(name.clone()).or_default().push(environment.name.clone());
            }
        }
    }
    names
}

fn project_credentials(environment: &Environment, root: &Path, around: &Surroundings) -> CredentialSettings {
    match &environment.credentials {
        CredentialSource::Keyring(name) => CredentialSettings::Keyring(name.clone()),
        CredentialSource::PrivateKey { path, client_id } => {
            match client_id.clone().or_else(|| around.env.get("AUTH0_CLIENT_ID").cloned()) {
                Some(client_id) => {
                    CredentialSettings::PrivateKey { client_id, path: root.join(path), algorithm: "RS256".to_owned() }
                }
                None => CredentialSettings::Missing(
                    Problem::error("missing-credentials", "a private key needs the id of its client")
                        .at(&environment.locus)
                        .help("add `client_id` beside `private_key`, or set AUTH0_CLIENT_ID"),
                ),
            }
        }
        CredentialSource::Env => {
            // The domain is the environment's; the rest is read as auth0-deploy-cli does.
            let (mut read, _) = DeployCli::read(None, &around.env);
            read.domain = environment.domain.clone();
            match compatibility_credentials(&read, around) {
                CredentialSettings::Missing(mut problem) => {
                    problem.help = vec![
                        format!(
                            "set them in the process environment, or name `credentials` under `{}`",
                            environment.name
                        ),
                        "add --sandbox to try it without a tenant".to_owned(),
                    ];
                    CredentialSettings::Missing(problem.at(&environment.locus))
                }
                found => found,
            }
        }
    }
}

fn compatibility_credentials(read: &DeployCli, around: &Surroundings) -> CredentialSettings {
    if let Some(problem) = read.missing_credentials() {
        return CredentialSettings::Missing(problem);
    }
    if let Some(token) = &read.access_token {
        return CredentialSettings::Token(token.clone());
    }
    let client_id = read.client_id.clone().unwrap_or_default();
    match (&read.signing_key_path, &read.client_secret) {
        (None, Some(client_secret)) => CredentialSettings::Secret { client_id, client_secret: client_secret.clone() },
        (path, _) => CredentialSettings::PrivateKey {
            client_id,
            path: around.directory.join(path.clone().unwrap_or_default()),
            algorithm: read.signing_algorithm.clone().unwrap_or_else(|| "RS256".to_owned()),
        },
    }
}

/// The substitution values of auth0-deploy-cli: the environment, then the mappings it does not have.
fn compatibility_values(read: &DeployCli, flags: &Flags, around: &Surroundings) -> IndexMap<String, Json> {
    let mut values: IndexMap<String, Json> = IndexMap::new();
    values.extend(flags.variables.iter().map(|(name, value)| (name.clone(), Json::String(value.clone()))));
    if !read.mappings_alone {
        for (name, value) in &around.env {
            values.entry(name.clone()).or_insert_with(|| Json::String(value.clone()));
        }
    }
    for (name, value) in &read.mappings {
        values.entry(name.clone()).or_insert_with(|| value.clone());
    }
    values
}
