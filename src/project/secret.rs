//! Where secrets come from, and getting them: the one place of this module that reads the world.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::io::AsyncReadExt;

use crate::model::Secret;

/// Longest a secret command may run.
pub const COMMAND_TIMEOUT: Duration = Duration::from_secs(30);

/// Largest answer of a secret command or secret file, in bytes.
const LARGEST_BYTES: usize = 1024 * 1024;

/// The service under which the OS keyring keeps what Tenantry stores there.
pub const KEYRING_SERVICE: &str = "tenantry";

/// Where one secret comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SecretSource {
    /// An environment variable.
    Env(String),
    /// An entry of the OS keyring, under the service `tenantry`.
    Keyring(String),
    /// A file; relative paths start at the project file's folder. One final line break is dropped.
    File(PathBuf),
    /// A program with its arguments, run without a shell. One final line break of its output is dropped.
    Command(Vec<String>),
}

impl SecretSource {
    /// The source of a secret that the project file does not declare: `TENANTRY_SECRET_NAME`.
    pub fn undeclared(name: &str) -> Self {
        SecretSource::Env(format!("TENANTRY_SECRET_{}", name.to_uppercase()))
    }

    /// Names the source for people, without any value.
    pub fn describe(&self) -> String {
        match self {
            SecretSource::Env(name) => format!("environment variable {name}"),
            SecretSource::Keyring(name) => format!("keyring entry `{name}`"),
            SecretSource::File(path) => format!("file {}", path.display()),
            SecretSource::Command(argv) => {
                format!("command `{}`", argv.first().map_or("", String::as_str))
            }
        }
    }
}

/// What asking a source gave.
#[derive(Debug, Clone, PartialEq)]
pub enum Resolved {
    /// The secret.
    Known(Secret),
    /// There is none; why, for people.
    Missing(String),
}

/// What sources are asked with.
#[derive(Clone)]
pub struct SecretContext {
    /// The process environment.
    pub env: BTreeMap<String, String>,
    /// Folder that relative paths start at, and commands run in.
    pub folder: PathBuf,
    /// Longest a command may run.
    pub command_timeout: Duration,
}

impl fmt::Debug for SecretContext {
    /// Names of the environment's variables only.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let SecretContext { env, folder, command_timeout } = self;
        let mut out = f.debug_struct("SecretContext");
        out.field("env", &env.keys()).field("folder", folder).field("command_timeout", command_timeout).finish()
    }
}

/// Asks a source for its secret. `label` says where the value comes from in outputs: `secrets.smtp_password`.
///
/// Never fails: what cannot be had is [`Resolved::Missing`], and only a change that must send it makes that an error.
pub async fn resolve(source: &SecretSource, label: &str, context: &SecretContext) -> Resolved {
    let found = match source {
        SecretSource::Env(name) => match context.env.get(name) {
            Some(value) if !value.is_empty() => Ok(value.clone()),
            Some(_) => Err(format!("environment variable {name} is empty")),
            None => Err(format!("environment variable {name} is not set")),
        },
        SecretSource::Keyring(name) => keyring_entry(name).await,
        SecretSource::File(path) => read_file(&context.folder.join(path)).await,
        SecretSource::Command(argv) => run(argv, &context.folder, context.command_timeout).await,
    };
    match found {
        Ok(text) => Resolved::Known(Secret::new(text, label)),
        Err(why) => Resolved::Missing(why),
    }
}

/// Reads an entry of the OS keyring.
///
/// The keyring blocks and may start an executor of its own, so it is asked on a thread for blocking work.
async fn keyring_entry(name: &str) -> Result<String, String> {
    let entry = name.to_owned();
    let asked = tokio::task::spawn_blocking(move || {
        // Else the entry only says that there is no store, and not why.
        if let Err(why) = keyring::v1::Entry::store_status() {
            return Err(format!("this machine has no keyring that answers: {why}"));
        }
        let found = keyring::v1::Entry::new(KEYRING_SERVICE, &entry).and_then(|entry| entry.get_password());
        found.map_err(|error| format!("keyring entry `{entry}`: {error}"))
    })
    .await;
    match asked {
        Ok(Ok(text)) if text.is_empty() => Err(format!("keyring entry `{name}` is empty")),
        Ok(Ok(text)) => Ok(text),
        Ok(Err(why)) => Err(why),
        Err(_) => Err(format!("keyring entry `{name}`: the keyring did not answer")),
    }
}

async fn read_file(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let size = tokio::fs::metadata(path).await.map_err(|error| format!("file {shown}: {error}"))?.len();
    if size > LARGEST_BYTES as u64 {
        return Err(format!("file {shown} is larger than {LARGEST_BYTES} bytes"));
    }
    let bytes = tokio::fs::read(path).await.map_err(|error| format!("file {shown}: {error}"))?;
    text_of(bytes).map_err(|why| format!("file {shown} {why}"))
}

async fn run(argv: &[String], folder: &Path, timeout: Duration) -> Result<String, String> {
    let Some((program, arguments)) = argv.split_first() else {
        return Err("the command is empty".to_owned());
    };
    let mut child = tokio::process::Command::new(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        // What the program says on stderr reaches people directly: it may ask them for something.
        .stderr(Stdio::inherit())
        .kill_on_drop(true)
        .spawn()
        .map_err(|error| format!("command `{program}`: {error}"))?;
    let mut answer = Vec::new();
    let work = async {
        if let Some(output) = child.stdout.take() {
            // Not a byte more than a secret may have: a program that never ends must not fill the memory.
            output.take(LARGEST_BYTES as u64 + 1).read_to_end(&mut answer).await?;
        }
        child.wait().await
    };
    let status = tokio::time::timeout(timeout, work)
        .await
        .map_err(|_| format!("command `{program}` did not end within {} s", timeout.as_secs()))?
        .map_err(|error| format!("command `{program}`: {error}"))?;
    if answer.len() > LARGEST_BYTES {
        return Err(format!("the output of command `{program}` is too large for a secret"));
    }
    if !status.success() {
        return Err(format!("command `{program}` failed ({status})"));
    }
    text_of(answer).map_err(|why| format!("the output of command `{program}` {why}"))
}

/// Takes text without its one final line break.
fn text_of(bytes: Vec<u8>) -> Result<String, &'static str> {
    let mut text = String::from_utf8(bytes).map_err(|_| "is not UTF-8 text")?;
    if text.ends_with('\n') {
        text.pop();
        if text.ends_with('\r') {
            text.pop();
        }
    }
    if text.is_empty() { Err("is empty") } else { Ok(text) }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]
    use super::*;

    fn context(folder: &Path) -> SecretContext {
        SecretContext {
            env: BTreeMap::from([
                ("GOOGLE".to_owned(), "s3cret".to_owned()),
                ("EMPTY".to_owned(), String::new()),
                ("TENANTRY_SECRET_SMTP".to_owned(), "mail".to_owned()),
            ]),
            folder: folder.to_owned(),
            command_timeout: COMMAND_TIMEOUT,
        }
    }

    async fn ask(source: SecretSource, folder: &Path) -> Result<String, String> {
        match resolve(&source, "secrets.x", &context(folder)).await {
            Resolved::Known(secret) => {
                assert_eq!(secret.source(), "secrets.x");
                Ok(secret.expose().to_owned())
            }
            Resolved::Missing(why) => Err(why),
        }
    }

    #[tokio::test]
    async fn environment_variables() {
        let here = Path::new(".");
        assert_eq!(ask(SecretSource::Env("GOOGLE".into()), here).await, Ok("s3cret".to_owned()));
        assert_eq!(ask(SecretSource::undeclared("smtp"), here).await, Ok("mail".to_owned()));
        assert_eq!(
            ask(SecretSource::Env("EMPTY".into()), here).await,
            Err("environment variable EMPTY is empty".to_owned())
        );
        assert_eq!(
            ask(SecretSource::Env("NOPE".into()), here).await,
            Err("environment variable NOPE is not set".to_owned())
        );
    }

    #[tokio::test]
    async fn files_lose_one_line_break() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a"), "two\n\n").unwrap();
        std::fs::write(folder.path().join("b"), "x\r\n").unwrap();
        std::fs::write(folder.path().join("c"), [0xff, 0xfe]).unwrap();
        assert_eq!(ask(SecretSource::File("a".into()), folder.path()).await, Ok("two\n".to_owned()));
        assert_eq!(ask(SecretSource::File("b".into()), folder.path()).await, Ok("x".to_owned()));
        assert!(ask(SecretSource::File("c".into()), folder.path()).await.unwrap_err().contains("is not UTF-8"));
        assert!(ask(SecretSource::File("none".into()), folder.path()).await.is_err());
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn commands_run_without_a_shell() {
        let here = Path::new(".");
        let argv = |words: &[&str]| SecretSource::Command(words.iter().map(|w| (*w).to_owned()).collect());
        assert_eq!(ask(argv(&["printf", "%s", "$HOME; x"]), here).await, Ok("$HOME; x".to_owned()));
        assert!(ask(argv(&["false"]), here).await.unwrap_err().starts_with("command `false` failed"));
        assert!(ask(argv(&["no-such-program-here"]), here).await.is_err());
        assert_eq!(ask(argv(&["true"]), here).await, Err("the output of command `true` is empty".to_owned()));
        assert_eq!(ask(argv(&[]), here).await, Err("the command is empty".to_owned()));
    }

    #[cfg(unix)]
    #[tokio::test]
    async fn a_command_that_hangs_is_ended() {
        let mut context = context(Path::new("."));
        context.command_timeout = Duration::ZERO;
        let source = SecretSource::Command(vec!["sleep".to_owned(), "60".to_owned()]);
        let Resolved::Missing(why) = resolve(&source, "secrets.x", &context).await else {
            panic!("no answer expected")
        };
        assert_eq!(why, "command `sleep` did not end within 0 s");
    }
}
