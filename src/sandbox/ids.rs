//! Made-up identifiers in the formats the real API uses (counted from recorded traffic).

use sha2::{Digest, Sha256};

use super::state::State;

const ALPHANUMERIC: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE58: &[u8] = b"ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz123456789";
const HEX: &[u8] = b"0123456789abcdef";

impl State {
    /// Draws `length` characters of an alphabet from the seeded stream. Equal histories draw equal characters.
    fn draw(&mut self, alphabet: &[u8], length: usize) -> String {
        let mut out = String::with_capacity(length);
        while out.len() < length {
            self.counter += 1;
            let digest = Sha256::digest(format!("{}:{}", self.seed, self.counter).as_bytes());
            for byte in digest {
                if out.len() < length
                    && let Some(c) = alphabet.get(usize::from(byte) % alphabet.len())
                {
                    out.push(char::from(*c));
                }
            }
        }
        out
    }
    /// Letters and digits: client ids (32), client secrets (64).
    pub fn alphanumeric(&mut self, length: usize) -> String {
        self.draw(ALPHANUMERIC, length)
    }
    /// `PREFIX_` and 16 letters or digits: `con_`, `rol_`, `org_`, `cgr_`, `rul_`, `cd_`.
    pub fn id16(&mut self, prefix: &str) -> String {
        format!("{prefix}_{}", self.draw(ALPHANUMERIC, 16))
    }
    /// `PREFIX_` and 22 Base58 characters: `cred_`, `ord_`, and the newer kinds.
    pub fn id22(&mut self, prefix: &str) -> String {
        format!("{prefix}_{}", self.draw(BASE58, 22))
    }
    /// Lower-case hex digits: resource servers (24), verification texts (32).
    pub fn hex(&mut self, length: usize) -> String {
        self.draw(HEX, length)
    }
    /// A UUID: actions, their versions and bindings.
    pub fn uuid(&mut self) -> String {
        let h = self.draw(HEX, 30);
        let part = |from: usize, to: usize| h.get(from..to).unwrap_or_default();
        format!("{}-{}-4{}-a{}-{}", part(0, 8), part(8, 12), part(12, 15), part(15, 18), part(18, 30))
    }
}
