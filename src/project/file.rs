//! The project file, `tenantry.yaml`: read strictly, every value with its place.

use std::path::PathBuf;

use indexmap::IndexMap;
use serde_json::Value as Json;

use super::policy::{DeleteLimit, DeleteRule, DriftRule, Freeze, Policy, RISKS, Ruled};
use super::reader::{Item, ItemValue, Reader};
use super::secret::SecretSource;
use crate::model::{Address, AddressPattern, Locus};
use crate::problem::Problem;
use crate::schema::Risk;

/// `tenantry.yaml`, read.
#[derive(Debug, Clone)]
pub struct ProjectFile {
    /// Folder or file with the description, relative to the project file.
    pub description: PathBuf,
    /// Defaults of variables for all environments.
    pub variables: IndexMap<String, Json>,
    /// Renames, so that they are not delete and create.
    pub moved: Vec<Moved>,
    /// Environments by name, in the order written.
    pub environments: IndexMap<String, Environment>,
}

/// A resource that was renamed in the files.
#[derive(Debug, Clone, PartialEq)]
pub struct Moved {
    /// Its address until now.
    pub from: Address,
    /// Its address from now on.
    pub to: Address,
    /// Where this is written.
    pub locus: Locus,
}

/// One environment: a tenant with its values and rules.
#[derive(Debug, Clone)]
pub struct Environment {
    /// Its name.
    pub name: String,
    /// Where it is written.
    pub locus: Locus,
    /// It is the embedded Management API.
    pub sandbox: bool,
    /// The tenant's domain; `None` only for a sandbox.
    pub domain: Option<String>,
    /// Where the domain is written.
    pub domain_locus: Option<Locus>,
    /// Its variables.
    pub variables: VariableSource,
    /// Its declared secrets, each with where it is written.
    pub secrets: IndexMap<String, (SecretSource, Locus)>,
    /// How Tenantry authenticates.
    pub credentials: CredentialSource,
    /// Audience of the token where it is not the domain's.
    pub audience: Option<String>,
    /// Kinds and addresses managed; empty for all.
    pub include: Vec<Ruled<AddressPattern>>,
    /// Kinds and addresses left alone.
    pub exclude: Vec<Ruled<AddressPattern>>,
    /// The key that secrets are fingerprinted with; `None` derives it from the deployer's credential.
    pub fingerprint_key: Option<SecretSource>,
    /// What a plan may do.
    pub policy: Policy,
    /// Where deployments are remembered.
    pub ledger: LedgerPlace,
    /// The age recipient (`age1…`) that secrets are sealed to in the ledger; `None` seals nothing.
    pub ledger_recipient: Option<String>,
    /// Where the identity is that opens them.
    pub ledger_identity: Option<SecretSource>,
}

/// Where an environment's variables stand.
#[derive(Debug, Clone, PartialEq)]
pub enum VariableSource {
    /// In the project file, or nowhere.
    Inline(IndexMap<String, Json>),
    /// In a YAML or JSON file of their own, relative to the project file.
    File(PathBuf, Locus),
}

/// How Tenantry authenticates.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialSource {
    /// `AUTH0_ACCESS_TOKEN`, or `AUTH0_CLIENT_ID` with `AUTH0_CLIENT_SECRET` or `AUTH0_CLIENT_SIGNING_KEY_PATH`.
    Env,
    /// An entry of the OS keyring that `tenantry login` wrote.
    Keyring(String),
    /// A private key file, relative to the project file; the client id beside it or in `AUTH0_CLIENT_ID`.
    PrivateKey {
        /// The PEM file.
        path: PathBuf,
        /// The client whose key it is.
        client_id: Option<String>,
    },
}

/// Where deployments are remembered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LedgerPlace {
    /// A folder, relative to the project file.
    Folder(PathBuf),
    /// A git ref per environment.
    Git,
}

impl Default for LedgerPlace {
    fn default() -> Self {
        LedgerPlace::Folder(PathBuf::from(".tenantry"))
    }
}

const PROJECT_KEYS: [&str; 4] = ["description", "variables", "moved", "environments"];
const ENVIRONMENT_KEYS: [&str; 13] = [
    "sandbox",
    "domain",
    "audience",
    "variables",
    "secrets",
    "credentials",
    "include",
    "exclude",
    "fingerprint_key",
    "policy",
    "ledger",
    "ledger_recipient",
    "ledger_identity",
];
const POLICY_KEYS: [&str; 6] = ["delete", "drift", "max_deletes", "protect", "approve", "freeze"];
const SOURCE_KEYS: [&str; 4] = ["env", "keyring", "file", "command"];

impl ProjectFile {
    /// Reads the parsed file.
    ///
    /// # Errors
    ///
    /// Returns every problem: `unknown-key`, `wrong-type`, `invalid-value`, `missing-key`, `secret-in-file`.
    pub(super) fn from_item(item: &Item) -> Result<ProjectFile, Vec<Problem>> {
        let mut reader = Reader::default();
        let file = reader.project(item);
        match file {
            Some(file) if reader.problems.is_empty() => Ok(file),
            _ => Err(reader.problems),
        }
    }
}

impl Reader {
    fn project(&mut self, item: &Item) -> Option<ProjectFile> {
        if !matches!(item.value, ItemValue::Map(_)) {
            let title = format!("a project file holds `environments` and more by name, not {}", item.describe());
            self.problems.push(
                Problem::error("wrong-type", title)
                    .at(&item.locus)
                    .help("write `environments:` with one entry, for example `sandbox: { sandbox: {} }`"),
            );
            return None;
        }
        let map = self.map(item, "the project file", &PROJECT_KEYS)?;
        let member = |key: &str| map.get(key).map(|(_, item)| item).filter(|item| !item.is_null());
        let description = member("description").and_then(|item| self.text(item, "description"));
        let variables = member("variables").map(|item| self.variables(item, "variables")).unwrap_or_default();
        let moved = member("moved").map(|item| self.moved(item)).unwrap_or_default();
        let mut environments = IndexMap::new();
        match member("environments").map(|item| (item, self.open_map(item, "environments"))) {
            Some((_, Some(map))) => {
                for (name, (locus, item)) in map {
                    if let Some(environment) = self.environment(name, locus, item) {
                        environments.insert(name.clone(), environment);
                    }
                }
            }
            Some((_, None)) => {}
            None => self.problems.push(
                Problem::error("missing-key", "the project file declares no environment")
                    .at(&item.locus)
                    .help("add `environments:` with one entry, for example `sandbox: { sandbox: {} }`"),
            ),
        }
        Some(ProjectFile {
            description: PathBuf::from(description.unwrap_or_else(|| ".".to_owned())),
            variables,
            moved,
            environments,
        })
    }

    fn variables(&mut self, item: &Item, key: &str) -> IndexMap<String, Json> {
        let Some(map) = self.open_map(item, key) else { return IndexMap::new() };
        map.iter().map(|(name, (_, item))| (name.clone(), item.to_json())).collect()
    }

    fn moved(&mut self, item: &Item) -> Vec<Moved> {
        let ItemValue::List(items) = &item.value else {
            self.expected(item, "a list of `{ from: …, to: … }`", "moved");
            return Vec::new();
        };
        let mut moved = Vec::new();
        for item in items {
            let Some(map) = self.map(item, "moved", &["from", "to"]) else { continue };
            let mut side = |key: &str| match map.get(key) {
                Some((_, item)) => {
                    let text = self.text(item, key)?;
                    let address = Address::parse(&text).filter(|address| address.name.is_some());
                    if address.is_none() {
                        self.invalid(
                            item,
                            format!("`{text}` is not the address of a resource"),
                            Some("write it as KIND/NAME, for example `clients/Shop`".to_owned()),
                        );
                    }
                    address
                }
                None => {
                    self.problems.push(Problem::error("missing-key", format!("`{key}` is missing")).at(&item.locus));
                    None
                }
            };
            let (Some(from), Some(to)) = (side("from"), side("to")) else { continue };
            if from.kind != to.kind {
                let title = format!("`{from}` cannot become `{to}`: a resource keeps its kind");
                self.invalid(item, title, None);
                continue;
            }
            moved.push(Moved { from, to, locus: item.locus.clone() });
        }
        moved
    }

    fn environment(&mut self, name: &str, locus: &Locus, item: &Item) -> Option<Environment> {
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
            self.problems.push(
                Problem::error("invalid-value", format!("`{name}` cannot name an environment"))
                    .at(locus)
                    .help("use lower-case letters, digits and dashes"),
            );
        }
        let map = self.map(item, &format!("environment `{name}`"), &ENVIRONMENT_KEYS)?;
        let member = |key: &str| map.get(key).map(|(_, item)| item).filter(|item| !item.is_null());
        let sandbox = match map.get("sandbox") {
            Some((_, item)) if item.is_null() => true,
            Some((_, item)) => self.map(item, "sandbox", &[]).is_some(),
            None => false,
        };
        let domain = member("domain").and_then(|item| self.domain(item));
        if domain.is_none() && !sandbox && member("domain").is_none() {
            self.problems.push(
                Problem::error("missing-key", format!("environment `{name}` has no `domain`"))
                    .at(locus)
                    .help("add `domain: TENANT.REGION.auth0.com`, or `sandbox: {}` for the simulator"),
            );
        }
        let policy_default = if sandbox { Policy::open() } else { Policy::default() };
        Some(Environment {
            name: name.to_owned(),
            locus: locus.clone(),
            sandbox,
            domain_locus: member("domain").map(|item| item.locus.clone()),
            domain,
            audience: member("audience").and_then(|item| self.text(item, "audience")),
            variables: member("variables")
                .map_or_else(|| VariableSource::Inline(IndexMap::new()), |item| self.variable_source(item)),
            secrets: member("secrets").map(|item| self.secrets(item)).unwrap_or_default(),
            credentials: member("credentials").map_or(CredentialSource::Env, |item| self.credentials(item)),
            include: member("include").map(|item| self.patterns(item, "include")).unwrap_or_default(),
            exclude: member("exclude").map(|item| self.patterns(item, "exclude")).unwrap_or_default(),
            fingerprint_key: member("fingerprint_key").and_then(|item| self.source(item, "fingerprint_key")),
            policy: match member("policy") {
                Some(item) => self.policy(item, policy_default.clone()).unwrap_or(policy_default),
                None => policy_default,
            },
            ledger: member("ledger").and_then(|item| self.ledger(item)).unwrap_or_default(),
            ledger_recipient: member("ledger_recipient").and_then(|item| self.recipient(item)),
            ledger_identity: member("ledger_identity").and_then(|item| self.source(item, "ledger_identity")),
        })
    }

    fn domain(&mut self, item: &Item) -> Option<String> {
        let text = super::deploy_cli::plain_domain(&self.text(item, "domain")?);
        let host = text.trim_start_matches("http://");
        if host.is_empty() || host.contains(['/', ' ', '@']) {
            let help = "write the domain alone, for example `travel0.eu.auth0.com`";
            self.invalid(item, format!("`{text}` is not a domain"), Some(help.to_owned()));
            return None;
        }
        Some(text)
    }

    fn variable_source(&mut self, item: &Item) -> VariableSource {
        match &item.value {
            ItemValue::Scalar(Json::String(path)) if !path.is_empty() => {
                VariableSource::File(PathBuf::from(path), item.locus.clone())
            }
            ItemValue::Map(_) => VariableSource::Inline(self.variables(item, "variables")),
            _ => {
                self.expected(item, "a file name or a mapping", "variables");
                VariableSource::Inline(IndexMap::new())
            }
        }
    }

    fn secrets(&mut self, item: &Item) -> IndexMap<String, (SecretSource, Locus)> {
        let mut secrets = IndexMap::new();
        let Some(map) = self.open_map(item, "secrets") else { return secrets };
        for (name, (_, item)) in map {
            if let Some(source) = self.source(item, &format!("secrets.{name}")) {
                secrets.insert(name.clone(), (source, item.locus.clone()));
            }
        }
        secrets
    }

    fn source(&mut self, item: &Item, key: &str) -> Option<SecretSource> {
        let map = match &item.value {
            ItemValue::Map(_) => self.map(item, key, &SOURCE_KEYS)?,
            _ => {
                // The value itself is not repeated: somebody may have written the secret here.
                self.problems.push(
                    Problem::error("secret-in-file", format!("`{key}` takes where the secret is, not the secret"))
                        .at(&item.locus)
                        .help("write `{ env: NAME }`, `{ keyring: NAME }`, `{ file: PATH }` or `{ command: [PROGRAM, …] }`"),
                );
                return None;
            }
        };
        if map.len() != 1 {
            self.invalid(item, format!("`{key}` takes exactly one of `env`, `keyring`, `file`, `command`"), None);
            return None;
        }
        let (name, (_, value)) = map.first()?;
        match name.as_str() {
            "env" => self.text(value, "env").map(SecretSource::Env),
            "keyring" => self.text(value, "keyring").map(SecretSource::Keyring),
            "file" => self.text(value, "file").map(|path| SecretSource::File(PathBuf::from(path))),
            "command" => {
                if !matches!(&value.value, ItemValue::List(items) if !items.is_empty()) {
                    self.invalid(
                        value,
                        "`command` takes a list: the program, then its arguments".to_owned(),
                        Some(
                            "for example `command: [op, read, \"op://vault/item/field\"]`; there is no shell"
                                .to_owned(),
                        ),
                    );
                    return None;
                }
                Some(SecretSource::Command(self.texts(value, "command").into_iter().map(|(text, _)| text).collect()))
            }
            _ => None,
        }
    }

    fn credentials(&mut self, item: &Item) -> CredentialSource {
        if let ItemValue::Scalar(Json::String(_)) = &item.value {
            self.word(item, "credentials", &[("env", ())]);
            return CredentialSource::Env;
        }
        let Some(map) = self.map(item, "credentials", &["keyring", "private_key", "client_id"]) else {
            return CredentialSource::Env;
        };
        let mut member = |key: &str| map.get(key).and_then(|(_, item)| self.text(item, key));
        match (member("keyring"), member("private_key"), member("client_id")) {
            (Some(name), None, None) => CredentialSource::Keyring(name),
            (None, Some(path), client_id) => CredentialSource::PrivateKey { path: PathBuf::from(path), client_id },
            _ => {
                let help = "write `env`, `{ keyring: NAME }` or `{ private_key: PATH, client_id: ID }`";
                self.invalid(item, "`credentials` takes one source".to_owned(), Some(help.to_owned()));
                CredentialSource::Env
            }
        }
    }

    fn patterns(&mut self, item: &Item, key: &str) -> Vec<Ruled<AddressPattern>> {
        let mut patterns = Vec::new();
        for (text, locus) in self.texts(item, key) {
            match AddressPattern::new(&text) {
                Ok(pattern) => patterns.push(Ruled::written(pattern, &locus)),
                Err(why) => {
                    self.problems.push(
                        Problem::error("invalid-value", format!("`{text}` is not a pattern of addresses: {why}"))
                            .at(&locus),
                    );
                }
            }
        }
        patterns
    }

    fn policy(&mut self, item: &Item, mut policy: Policy) -> Option<Policy> {
        let map = self.map(item, "policy", &POLICY_KEYS)?;
        for (key, (_, item)) in map.iter().filter(|(_, (_, item))| !item.is_null()) {
            match key.as_str() {
                "delete" => policy.delete = Ruled::written(self.delete_rule(item), &item.locus),
                "drift" => {
                    let words =
                        [("fail", DriftRule::Fail), ("overwrite", DriftRule::Overwrite), ("keep", DriftRule::Keep)];
                    if let Some(rule) = self.word(item, "drift", &words) {
                        policy.drift = Ruled::written(rule, &item.locus);
                    }
                }
                "max_deletes" => {
                    policy.max_deletes = self.delete_limit(item).map(|limit| Ruled::written(limit, &item.locus));
                }
                "protect" => policy.protect = self.patterns(item, "protect"),
                "approve" => policy.approve = Ruled::written(self.approve(item), &item.locus),
                "freeze" => policy.freeze = self.freeze(item),
                _ => {}
            }
        }
        Some(policy)
    }

    fn delete_rule(&mut self, item: &Item) -> DeleteRule {
        let kinds: Vec<String> = self.texts(item, "delete").into_iter().map(|(kind, _)| kind).collect();
        if kinds.iter().any(|kind| kind == "all") { DeleteRule::All } else { DeleteRule::Kinds(kinds) }
    }

    fn delete_limit(&mut self, item: &Item) -> Option<DeleteLimit> {
        let limit = match &item.value {
            ItemValue::Scalar(Json::Number(number)) => {
                number.as_u64().and_then(|n| u32::try_from(n).ok()).map(DeleteLimit::Count)
            }
            ItemValue::Scalar(Json::String(text)) => text
                .strip_suffix('%')
                .and_then(|percent| percent.trim().parse::<u32>().ok())
                .filter(|percent| *percent <= 100)
                .map(DeleteLimit::Percent),
            _ => None,
        };
        if limit.is_none() {
            self.invalid(item, "`max_deletes` takes a number like 5 or a share like 10%".to_owned(), None);
        }
        limit
    }

    fn approve(&mut self, item: &Item) -> Vec<Risk> {
        let items: &[Item] = match &item.value {
            ItemValue::List(items) => items,
            _ => std::slice::from_ref(item),
        };
        items.iter().filter_map(|item| self.word(item, "approve", &RISKS)).collect()
    }

    fn freeze(&mut self, item: &Item) -> Vec<Ruled<Freeze>> {
        let mut freezes = Vec::new();
        for (text, locus) in self.texts(item, "freeze") {
            match Freeze::parse(&text) {
                Ok(freeze) => freezes.push(Ruled::written(freeze, &locus)),
                Err(why) => self.problems.push(
                    Problem::error("invalid-value", format!("`{text}` is not a time to freeze: {why}"))
                        .at(&locus)
                        .help("write it like `Fri 16:00 - Mon 08:00 Europe/Madrid`"),
                ),
            }
        }
        freezes
    }

    fn recipient(&mut self, item: &Item) -> Option<String> {
        let text = self.text(item, "ledger_recipient")?;
        if text.to_ascii_uppercase().contains("AGE-SECRET-KEY") {
            // Not repeated: it opens everything.
            self.problems.push(
                Problem::error("secret-in-file", "`ledger_recipient` takes the public key, and this is the identity")
                    .at(&item.locus)
                    .help("write the public key, `age1…`, and make a new pair: this one stood in a file"),
            );
            return None;
        }
        if text.trim().parse::<age::x25519::Recipient>().is_err() {
            let help = "write a public key of age, `age1…`, as `age-keygen` prints it";
            self.invalid(item, format!("`{text}` is not a recipient of age"), Some(help.to_owned()));
            return None;
        }
        Some(text.trim().to_owned())
    }

    fn ledger(&mut self, item: &Item) -> Option<LedgerPlace> {
        let text = self.text(item, "ledger")?;
        if text == "git" {
            return Some(LedgerPlace::Git);
        }
        match text.strip_prefix("dir:") {
            Some(path) if !path.is_empty() => Some(LedgerPlace::Folder(PathBuf::from(path))),
            _ => {
                let title = if text.contains("://") {
                    format!("`{text}` is not supported yet as a ledger")
                } else {
                    format!("`{text}` is not a ledger")
                };
                self.invalid(item, title, Some("write `git` or `dir:PATH`".to_owned()));
                None
            }
        }
    }
}
