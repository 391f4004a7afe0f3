//! The `git` program: it fetches and pushes, with the credentials it has for everything else.

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use tokio::process::Command;

use crate::repository;

/// Longest that one fetch or push may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Most characters that are shown of what git says.
const MOST_SAID: usize = 300;

#[derive(Debug)]
pub(super) struct Program {
    git_dir: PathBuf,
    folder: PathBuf,
    /// The way to ssh is configured: it is not for us to change.
    own_ssh: bool,
}

/// What git said when it failed, fit to be shown.
#[derive(Debug)]
pub(super) struct Said(pub(super) String);

impl Program {
    /// `folder` is what relative paths of remotes are relative to.
    pub(super) fn new(git_dir: &Path, folder: &Path, own_ssh: bool) -> Self {
        Program { git_dir: git_dir.to_path_buf(), folder: folder.to_path_buf(), own_ssh }
    }

    pub(super) async fn fetch(&self, remote: &str, refspec: &str) -> Result<(), Said> {
        // A partial clone would leave the records themselves with the remote.
        self.run(&[
            "fetch",
            "--quiet",
            "--prune",
            "--no-tags",
            "--no-filter",
            "--no-write-fetch-head",
            "--no-auto-gc",
            "--no-recurse-submodules",
            remote,
            refspec,
        ])
        .await
    }

    /// Pushes, if the remote still has what `lease` says: a commit, or nothing.
    pub(super) async fn push(&self, remote: &str, new: &str, reference: &str, lease: &str) -> Result<(), Said> {
        self.run(&[
            "push",
            "--quiet",
            // Hooks of the repository are about its code.
            "--no-verify",
            "--no-follow-tags",
            "--recurse-submodules=no",
            &format!("--force-with-lease={reference}:{lease}"),
            remote,
            &format!("{new}:{reference}"),
        ])
        .await
    }

    async fn run(&self, args: &[&str]) -> Result<(), Said> {
        let mut command = Command::from(repository::program(&self.folder));
        command.arg("--git-dir").arg(&self.git_dir).args(args);
        if !self.own_ssh {
            command.env("GIT_SSH_COMMAND", "ssh -oBatchMode=yes");
        }
        // A Ctrl-C is for Tenantry, which ends what it has begun.
        #[cfg(unix)]
        command.process_group(0);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).kill_on_drop(true);
        let run = async { command.spawn()?.wait_with_output().await };
        match tokio::time::timeout(PATIENCE, run).await {
            Ok(Ok(output)) if output.status.success() => Ok(()),
            Ok(Ok(output)) => Err(Said(fit(&String::from_utf8_lossy(&output.stderr)))),
            Ok(Err(error)) if error.kind() == std::io::ErrorKind::NotFound => {
                Err(Said("the program `git` is not there".to_owned()))
            }
            Ok(Err(error)) => Err(Said(format!("the program `git` cannot be started: {error}"))),
            Err(_) => Err(Said(format!("git took more than {} s", PATIENCE.as_secs()))),
        }
    }
}

/// Makes what git and a server said fit to be shown: one line, without credentials of a URL.
fn fit(said: &str) -> String {
    let lines: Vec<&str> = said
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with("hint:") && !line.starts_with("To "))
        .collect();
    let words: Vec<String> = lines.join("; ").split(' ').map(without_credentials).collect();
    let text: String = words.join(" ").chars().filter(|c| !c.is_control()).take(MOST_SAID).collect();
    if text.is_empty() { "git gave no reason".to_owned() } else { text }
}

fn without_credentials(word: &str) -> String {
    let Some((scheme, rest)) = word.split_once("://") else { return word.to_owned() };
    let end = rest.find('/').unwrap_or(rest.len());
    match rest[..end].rfind('@') {
        Some(at) => format!("{scheme}://{}", &rest[at + 1..]),
        None => word.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn credentials_are_not_shown() {
        let said =
            "To https://x\nfatal: unable to access 'https://ana:s3cret@git.test/a.git/': no route\u{1b}[1m\nhint: x";
        assert_eq!(fit(said), "fatal: unable to access 'https://git.test/a.git/': no route[1m");
        assert_eq!(fit("\n"), "git gave no reason");
    }
}
