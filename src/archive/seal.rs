//! Who may open an archive: keys and passphrases of age (age-encryption.org/v1).

use std::fmt;
use std::io::{self, BufRead, Cursor, Read, Write};

use age::secrecy::SecretString;
use age::{DecryptError, scrypt, x25519};

use crate::model::Secret;
use crate::problem::Problem;

/// Work of making a key of a passphrase: 2 to the power of this times about a kibibyte of memory and its time. age's own program
/// takes 18.
const WORK: u8 = 18;
/// Most work that is done to open an archive: 2 GiB of memory.
const MOST_WORK: u8 = 21;
/// Most recipients, so that the head of an archive stays small.
const MOST_RECIPIENTS: usize = 100;
/// Longest head of a sealed archive, in bytes.
const LONGEST_HEAD_BYTES: usize = 32 * 1024;
/// How a sealed archive begins.
pub(super) const MAGIC: &[u8] = b"age-encryption.org/v1";

/// Who can open an archive that is written.
pub enum Seal {
    /// Everyone who has it.
    Open,
    /// Whoever has the identity to one of these.
    Recipients(Vec<x25519::Recipient>),
    /// Whoever knows this.
    Passphrase(Secret),
}

impl fmt::Debug for Seal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Seal::Open => f.write_str("Open"),
            Seal::Recipients(all) => write!(f, "Recipients({})", all.len()),
            Seal::Passphrase(_) => f.write_str("Passphrase"),
        }
    }
}

impl Seal {
    /// Reads recipients: `age1…`.
    ///
    /// # Errors
    ///
    /// `bad-recipient`.
    pub fn recipients(texts: &[String]) -> Result<Seal, Problem> {
        if texts.len() > MOST_RECIPIENTS {
            return Err(Problem::error(
                "bad-recipient",
                format!("an archive takes {MOST_RECIPIENTS} recipients at most"),
            ));
        }
        let read = |text: &String| {
            text.trim().parse::<x25519::Recipient>().map_err(|_| {
                let is_secret = text.trim().to_ascii_uppercase().starts_with("AGE-SECRET-KEY-");
                if is_secret {
                    return Problem::error("bad-recipient", "a recipient is a secret identity, not a public key")
                        .note("whoever saw this command line can open what is encrypted for it")
                        .help("give its public key, which begins with age1 (`age-keygen -y FILE` prints it)");
                }
                Problem::error("bad-recipient", format!("`{}` is no recipient of age", text.trim()))
                    .note("recipients are X25519 public keys, which begin with age1; plugins and SSH keys are not read")
                    .help("make a pair with `age-keygen -o key.txt` and give the public key it prints")
            })
        };
        Ok(Seal::Recipients(texts.iter().map(read).collect::<Result<_, _>>()?))
    }

    /// Seals with a passphrase.
    ///
    /// # Errors
    ///
    /// `bad-passphrase` for an empty one.
    pub fn passphrase(passphrase: Secret) -> Result<Seal, Problem> {
        if passphrase.expose().is_empty() {
            return Err(Problem::error("bad-passphrase", "the passphrase is empty")
                .help("set TENANTRY_BACKUP_PASSPHRASE, or encrypt for a key with `--recipient`"));
        }
        Ok(Seal::Passphrase(passphrase))
    }

    /// Says whether only some can open what is written.
    pub fn is_sealed(&self) -> bool {
        !matches!(self, Seal::Open)
    }

    /// Wraps what is written to.
    pub(super) fn wrap<W: Write>(&self, sink: W) -> io::Result<Sealing<W>> {
        let encryptor = match self {
            Seal::Open => return Ok(Sealing::Open(sink)),
            Seal::Recipients(all) => age::Encryptor::with_recipients(all.iter().map(|r| r as &dyn age::Recipient)),
            Seal::Passphrase(passphrase) => {
                let mut recipient = scrypt::Recipient::new(SecretString::from(passphrase.expose().to_owned()));
                recipient.set_work_factor(WORK);
                age::Encryptor::with_recipients(std::iter::once(&recipient as &dyn age::Recipient))
            }
        };
        let encryptor = encryptor.map_err(|error| io::Error::other(error.to_string()))?;
        Ok(Sealing::Sealed(Box::new(encryptor.wrap_output(sink)?)))
    }
}

/// What is written to, sealed or not.
pub(super) enum Sealing<W: Write> {
    Open(W),
    Sealed(Box<age::stream::StreamWriter<W>>),
}

impl<W: Write> Sealing<W> {
    /// Writes what is left and gives the inner one back.
    pub(super) fn finish(self) -> io::Result<W> {
        match self {
            Sealing::Open(sink) => Ok(sink),
            Sealing::Sealed(sink) => sink.finish(),
        }
    }
}

impl<W: Write> Write for Sealing<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Sealing::Open(sink) => sink.write(bytes),
            Sealing::Sealed(sink) => sink.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match self {
            Sealing::Open(sink) => sink.flush(),
            Sealing::Sealed(sink) => sink.flush(),
        }
    }
}

/// What opens archives.
#[derive(Default)]
pub struct Unseal {
    identities: Vec<Box<dyn age::Identity + Send + Sync>>,
    passphrase: Option<Secret>,
}

impl fmt::Debug for Unseal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Unseal({} identities, passphrase: {})", self.identities.len(), self.passphrase.is_some())
    }
}

impl Unseal {
    /// Opens what is not sealed.
    pub fn none() -> Self {
        Unseal::default()
    }

    /// Opens with the identities of a file as `age-keygen` writes it, with a passphrase, or either.
    ///
    /// # Errors
    ///
    /// `bad-identity`.
    pub fn new(identity_file: Option<&[u8]>, passphrase: Option<Secret>) -> Result<Self, Problem> {
        let bad = |why: &str| {
            Problem::error("bad-identity", format!("the identity file {why}"))
                .note("it holds lines that begin with AGE-SECRET-KEY-1, and comments")
                .help("give the file that `age-keygen -o key.txt` wrote")
        };
        let identities = match identity_file {
            None => Vec::new(),
            Some(bytes) => age::IdentityFile::from_buffer(bytes)
                .map_err(|_| bad("cannot be understood"))?
                .into_identities()
                .map_err(|_| bad("holds an identity of a kind that is not read"))?,
        };
        if identity_file.is_some() && identities.is_empty() {
            return Err(bad("holds no identity"));
        }
        Ok(Unseal { identities, passphrase: passphrase.filter(|text| !text.expose().is_empty()) })
    }

    /// Opens a sealed stream.
    pub(super) fn unwrap(&self, source: Box<dyn BufRead + Send>) -> Result<Box<dyn BufRead + Send>, Problem> {
        let source = with_short_head(source)?;
        let decryptor = age::Decryptor::new_buffered(source).map_err(|error| refused(&error))?;
        let opened = if decryptor.is_scrypt() {
            let Some(passphrase) = &self.passphrase else {
                return Err(sealed("the archive is encrypted with a passphrase")
                    .help("set TENANTRY_BACKUP_PASSPHRASE to the passphrase it was written with"));
            };
            let mut identity = scrypt::Identity::new(SecretString::from(passphrase.expose().to_owned()));
            identity.set_max_work_factor(MOST_WORK);
            decryptor.decrypt(std::iter::once(&identity as &dyn age::Identity))
        } else if self.identities.is_empty() {
            return Err(sealed("the archive is encrypted for the holder of a key")
                .help("give the file with the identity: `--identity key.txt`"));
        } else {
            decryptor.decrypt(self.identities.iter().map(|identity| identity.as_ref() as &dyn age::Identity))
        };
        let stream = opened.map_err(|error| refused(&error))?;
        Ok(Box::new(io::BufReader::with_capacity(64 * 1024, stream)))
    }
}

fn sealed(title: &str) -> Problem {
    Problem::error("archive-encrypted", title)
}

/// Makes sure that the head is short before it is parsed: what parses it reads on for as long as it is told to.
fn with_short_head(mut source: Box<dyn BufRead + Send>) -> Result<Box<dyn BufRead + Send>, Problem> {
    let mut head = Vec::new();
    let most = LONGEST_HEAD_BYTES as u64;
    source.as_mut().take(most).read_to_end(&mut head).map_err(|error| super::read::broken(&error))?;
    let ends = head.windows(5).any(|bytes| bytes == b"\n--- ");
    if !ends {
        return Err(super::read::damaged("its head has no end"));
    }
    Ok(Box::new(Cursor::new(head).chain(source)))
}

fn refused(error: &DecryptError) -> Problem {
    match error {
        DecryptError::NoMatchingKeys | DecryptError::KeyDecryptionFailed | DecryptError::DecryptionFailed => {
            Problem::error("archive-key", "the archive does not open with this key or passphrase")
                .note("it was encrypted for another one, or its head is damaged")
                .help("try the identity or passphrase that was in use when the backup was made")
        }
        DecryptError::ExcessiveWork { required, .. } => {
            Problem::error("archive-refused", "opening the archive would take more memory than is given to it")
                .note(format!("its passphrase needs a work factor of {required}; {MOST_WORK} is the most"))
        }
        DecryptError::Io(error) => super::read::broken(error),
        _ => super::read::damaged("its head is not what was written"),
    }
}
