//! What one run is told: the project file, the configuration of auth0-deploy-cli, flags; built into one [`Settings`].
//!
//! [`load`] reads the few files this takes. Everything else here takes values and returns values, but for
//! [`secret`](resolve_secret), which asks the places where secrets are kept.

mod deploy_cli;
mod file;
mod option;
mod policy;
mod reader;
mod secret;
mod settings;

pub use deploy_cli::{ConfigFile, DeployCli};
pub use file::{CredentialSource, Environment, LedgerPlace, Moved, ProjectFile, VariableSource};
pub use policy::{DeleteLimit, DeleteRule, DriftRule, Freeze, Policy, RiskLevel, Ruled};
pub use secret::{COMMAND_TIMEOUT, KEYRING_SERVICE, Resolved, SecretContext, SecretSource, resolve as resolve_secret};
pub use settings::{
    CredentialSettings, ExportSettings, Flags, Mode, STATE_FOLDER, SandboxSettings, Settings, Surroundings, Target,
    VariableSettings,
};
