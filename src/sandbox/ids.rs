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

/// Writes a time in milliseconds since the epoch as most kinds do: UTC, three decimals, `Z`.
pub fn timestamp_ms(ms: i64) -> String {
    timestamp(ms, 3)
}

/// Writes a time with six decimals: action modules.
pub fn timestamp_us(ms: i64) -> String {
    timestamp(ms, 6)
}

/// Writes a time with nine decimals: actions, their versions and bindings.
pub fn timestamp_ns(ms: i64) -> String {
    timestamp(ms, 9)
}

/// A time outside the years 1 to 9999 is written as the epoch.
fn timestamp(ms: i64, digits: usize) -> String {
    let instant = jiff::Timestamp::from_millisecond(ms).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    format!("{instant:.digits$}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_have_three_six_or_nine_decimals() {
        let ms = 1_700_000_000_123;
        assert_eq!(timestamp_ms(ms), "2023-11-14T22:13:20.123Z");
        assert_eq!(timestamp_us(ms), "2023-11-14T22:13:20.123000Z");
        assert_eq!(timestamp_ns(ms), "2023-11-14T22:13:20.123000000Z");
        assert_eq!(timestamp_ms(0), "1970-01-01T00:00:00.000Z");
        assert_eq!(timestamp_ms(i64::MAX), "1970-01-01T00:00:00.000Z");
    }

    #[test]
    fn equal_histories_draw_equal_ids_and_ids_do_not_repeat() {
        let mut one = State { seed: 7, ..State::default() };
        let mut two = one.clone();
        let first = one.id16("rol");
        assert_eq!(first, two.id16("rol"));
        assert_ne!(first, one.id16("rol"));
        assert_eq!(first.len(), 20);
        assert_eq!(one.uuid().len(), 36);
    }
}
