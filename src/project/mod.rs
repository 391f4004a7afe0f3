//! What one run is told: the project file, the configuration of auth0-deploy-cli, flags; built into one [`Settings`].
//!
//! [`load_settings`] reads the few files this takes. Everything else here takes values and returns values, but for
//! [`resolve_secret`], which asks the places where secrets are kept, and [`load_description`], which reads the description.

mod deploy_cli;
mod describe;
mod file;
mod load;
mod option;
mod policy;
mod reader;
mod secret;
mod settings;

pub use deploy_cli::{ConfigFile, DeployCli};
pub use describe::{LoadedDescription, Secrets, load_description, load_files};
pub use file::{CredentialSource, Environment, LedgerPlace, Moved, ProjectFile, VariableSource};
pub use load::{Failed, Loaded, PROJECT_FILE, find_project_file, load_project_file, load_settings, read_secrets};
pub use policy::{DeleteLimit, DeleteRule, DriftRule, Freeze, Policy, Ruled};
pub use secret::{COMMAND_TIMEOUT, KEYRING_SERVICE, Resolved, SecretContext, SecretSource, resolve as resolve_secret};
pub use settings::{
    CredentialSettings, ExportSettings, Flags, Mode, STATE_FOLDER, SandboxSettings, Settings, Surroundings, Target,
    VariableSettings,
};

#[cfg(test)]
mod tests;
