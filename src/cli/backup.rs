//! `tenantry backup`

use std::path::PathBuf;
use std::sync::Arc;

use clap::Subcommand;

use super::exit_code::ExitCode;
use super::interrupt::Interrupt;
use super::ui::Ui;
use super::{Ended, Global, failed, refused};
use crate::archive::{Seal, Unseal};
use crate::files;
use crate::flow::{self, BackupRequest};
use crate::model::Secret;
use crate::problem::Problem;
use crate::project::Surroundings;
use crate::render::json::v1;
use crate::render::{BackupView, VerifiedView, backup_human, backups_human, verified_human};
use crate::users::BackupOptions;

/// Variable with the passphrase of archives.
const PASSPHRASE: &str = "TENANTRY_BACKUP_PASSPHRASE";

/// Write the live tenant into one archive
///
/// One file: the description, the API's own objects, and a manifest of what is in it and what could not be read. Encrypted for a
/// key or with a passphrase it also holds the secrets that the API returns; without, they are masked. Exits with 5 if some of
/// the tenant could not be read: the backup is good for the rest.
#[derive(Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub(super) struct Args {
    #[command(subcommand)]
    what: Option<What>,
    /// Folder, s3://BUCKET/PREFIX, gs://BUCKET/PREFIX, az://CONTAINER/PREFIX, or one file in either
    #[arg(short = 'o', long = "output", value_name = "PLACE", required = true)]
    output: Option<String>,
    /// Backups of this tenant to keep there; older ones are removed when the new one has been read back
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    keep: Option<u32>,
    /// Encrypt for the holder of a key: age1…; may be given several times
    #[arg(long = "recipient", value_name = "KEY", conflicts_with = "passphrase")]
    recipients: Vec<String>,
    /// Read the users too, through export jobs: profiles, roles, permissions, memberships
    #[arg(long)]
    users: bool,
    /// Leave out the permissions that users have of their own: they take one request for each user
    #[arg(long, requires = "users")]
    no_user_permissions: bool,
    /// Encrypt with a passphrase: that of TENANTRY_BACKUP_PASSPHRASE, else one that is asked for
    #[arg(long)]
    passphrase: bool,
}

/// What is done with backups that are there.
#[derive(Debug, Clone, Subcommand)]
enum What {
    /// List the backups of a place, newest first
    List {
        /// Folder, or place in a bucket
        #[arg(value_name = "PLACE")]
        place: String,
    },
    /// Check that a backup is whole, and that its description holds
    ///
    /// Reads every byte, compares the digests, and loads the description as `validate` does. Asks no tenant.
    Verify {
        /// File, or URL of one in a bucket
        #[arg(value_name = "FILE")]
        file: String,
        #[command(flatten)]
        key: Key,
        /// Restore it into a fresh sandbox as well, and say whether everything came back
        #[arg(long)]
        rehearse: bool,
    },
}

/// What opens an archive.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Key {
    /// File with the identity that opens it, as age-keygen writes it
    #[arg(long, value_name = "FILE", conflicts_with = "passphrase")]
    identity: Option<PathBuf>,
    /// Ask for the passphrase that opens it, where TENANTRY_BACKUP_PASSPHRASE is not set
    #[arg(long)]
    passphrase: bool,
}

impl Key {
    /// Reads the key.
    ///
    /// # Errors
    ///
    /// `bad-identity`, those of reading a file, `usage` where nobody can be asked for a passphrase.
    pub(super) fn unseal(&self, around: &Surroundings, ui: &Ui) -> Result<Unseal, Problem> {
        let file = self.identity.as_ref().map(|path| around.directory.join(path));
        let identity = file.map(|path| files::read_settings_file(&path, &around.directory)).transpose()?;
        let passphrase = passphrase(self.passphrase, false, around, ui)?;
        Unseal::new(identity.as_ref().map(|(_, bytes)| bytes.as_slice()), passphrase)
    }
}

/// Returns the passphrase of the environment, else asks for it where `asked` is set.
fn passphrase(asked: bool, is_new: bool, around: &Surroundings, ui: &Ui) -> Result<Option<Secret>, Problem> {
    if let Some(text) = around.env.get(PASSPHRASE).filter(|text| !text.is_empty()) {
        return Ok(Some(Secret::new(text.clone(), PASSPHRASE)));
    }
    if !asked {
        return Ok(None);
    }
    if !ui.can_ask {
        return Err(
            Problem::error("usage", "there is no terminal to ask for a passphrase").help(format!("set {PASSPHRASE}"))
        );
    }
    let terminal = console::Term::stderr();
    let ask = |words: &str| -> Result<String, Problem> {
        ui.tell(words);
        terminal
            .read_secure_line()
            .map_err(|error| Problem::error("usage", format!("the terminal gives no passphrase: {error}")))
    };
    let text = ask("Passphrase of the backup: ")?;
    if is_new && ask("The same again: ")? != text {
        return Err(Problem::error("bad-passphrase", "the two passphrases differ").help("try again"));
    }
    Ok(Some(Secret::new(text, "the terminal")))
}

fn seal(args: &Args, around: &Surroundings, ui: &Ui) -> Result<Seal, Problem> {
    if !args.recipients.is_empty() {
        return Seal::recipients(&args.recipients);
    }
    match passphrase(args.passphrase, true, around, ui)? {
        Some(passphrase) => Seal::passphrase(passphrase),
        None => Ok(Seal::Open),
    }
}

pub(super) async fn run(args: &Args, global: &Global, ui: &Ui, interrupt: &Interrupt) -> Ended {
    let base = global.request(&interrupt.token)?;
    match &args.what {
        Some(What::List { place }) => {
            let found = match flow::backups(place, &base.around).await {
                Ok(found) => found,
                Err(failure) => return failed(ui, &failure),
            };
            if ui.json {
                ui.answer(&v1::text(&v1::Backups::from(found.as_slice())))?;
            } else {
                ui.answer(&backups_human(&found, &ui.out))?;
            }
            Ok(ExitCode::Done)
        }
        Some(What::Verify { file, key, rehearse }) => {
            let unsealed = match key.unseal(&base.around, ui) {
                Ok(key) => key,
                Err(problem) => return refused(ui, problem),
            };
            if *rehearse {
                return match flow::open_archive(file, Arc::new(unsealed), &base).await {
                    Ok(archive) => super::restore::rehearse(&Arc::new(archive), None, &base, ui, interrupt).await,
                    Err(failure) => failed(ui, &failure),
                };
            }
            verify(file, unsealed, &base, ui).await
        }
        None => {
            let seal = match seal(args, &base.around, ui) {
                Ok(seal) => seal,
                Err(problem) => return refused(ui, problem),
            };
            let output = args.output.clone().unwrap_or_default();
            let keep = args.keep.and_then(|keep| usize::try_from(keep).ok());
            let users = args.users.then_some(BackupOptions { permissions: !args.no_user_permissions });
            write(&BackupRequest { base, output, keep, seal, users }, ui).await
        }
    }
}

async fn write(request: &BackupRequest, ui: &Ui) -> Ended {
    let done = match flow::backup(request).await {
        Ok(done) => done,
        Err(failure) => return failed(ui, &failure),
    };
    let view = BackupView {
        file: &done.shown,
        bytes: done.written.bytes,
        header: &done.header,
        manifest: &done.manifest,
        read_back: done.read_back,
        removed: &done.removed,
    };
    if ui.json {
        ui.answer(&v1::text(&v1::Backup::new(&view, &done.problems)))?;
    } else {
        ui.problems(&done.problems, &done.sources);
        ui.answer(&backup_human(&view, &ui.out))?;
    }
    let lacks = |problem: &Problem| ["backup-unread", "backup-not-thinned"].contains(&problem.id);
    let unchecked = request.keep.is_some() && !done.read_back;
    Ok(if unchecked || done.problems.iter().any(lacks) { ExitCode::Partial } else { ExitCode::Done })
}

async fn verify(file: &str, key: Unseal, base: &flow::Request, ui: &Ui) -> Ended {
    let held = match flow::verify(file, key, base).await {
        Ok(held) => held,
        Err(failure) => return failed(ui, &failure),
    };
    let view = VerifiedView {
        file,
        header: &held.header,
        manifest: &held.manifest,
        files: held.description.files(),
        resources: held.described.iter().map(|(_, count)| count).sum(),
    };
    if ui.json {
        ui.answer(&v1::text(&v1::VerifiedBackup::new(&view, &held.problems)))?;
    } else {
        ui.problems(&held.problems, &held.sources);
        ui.answer(&verified_human(&view, &ui.out))?;
    }
    Ok(ExitCode::Done)
}
