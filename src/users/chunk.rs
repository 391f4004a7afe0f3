//! Cuts users into files that an import takes.

use sha2::{Digest as _, Sha256};

use super::convert::Importable;

/// Bytes of one file. A request may have 512,000 (API description, POST /jobs/users-imports, 413), with the other parts in it.
pub(super) const LIMIT: usize = 480_000;

/// Users of one connection that are imported together.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Chunk {
    pub(super) users: Vec<Importable>,
}

impl Chunk {
    /// Names the chunk by what is in it and where it goes.
    pub(super) fn digest(&self, connection: &str) -> String {
        let mut hasher = Sha256::new();
        hasher.update(connection.as_bytes());
        for user in &self.users {
            hasher.update(b"\n");
            hasher.update(user.json.as_bytes());
        }
        hasher.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    /// Returns the file: a JSON array.
    pub(super) fn file(&self) -> Vec<u8> {
        let mut file = b"[".to_vec();
        for (n, user) in self.users.iter().enumerate() {
            if n > 0 {
                file.push(b',');
            }
            file.extend_from_slice(user.json.as_bytes());
        }
        file.push(b']');
        file
    }

    /// Cuts it in two; `None` where there is nothing to cut.
    pub(super) fn halves(mut self) -> Result<[Chunk; 2], Chunk> {
        if self.users.len() < 2 {
            return Err(self);
        }
        let second = self.users.split_off(self.users.len() / 2);
        Ok([self, Chunk { users: second }])
    }
}

/// Collects users until a chunk is full.
pub(super) struct Chunker {
    users: Vec<Importable>,
    bytes: usize,
    limit: usize,
}

impl Chunker {
    pub(super) fn new(limit: usize) -> Chunker {
        Chunker { users: Vec::new(), bytes: 0, limit }
    }

    /// Adds a user; returns the chunk that it did not fit in any more.
    ///
    /// # Errors
    ///
    /// Gives back a user that fits in no chunk.
    pub(super) fn push(&mut self, user: Importable) -> Result<Option<Chunk>, Importable> {
        // The comma or the opening bracket before it; the closing bracket is counted once.
        let needed = user.json.len() + 1;
        if needed + 1 > self.limit {
            return Err(user);
        }
        let full = if self.bytes + needed + 1 > self.limit { self.finish() } else { None };
        self.bytes += needed;
        self.users.push(user);
        Ok(full)
    }

    /// Returns what is left.
    pub(super) fn finish(&mut self) -> Option<Chunk> {
        self.bytes = 0;
        let users = std::mem::take(&mut self.users);
        (!users.is_empty()).then_some(Chunk { users })
    }
}
