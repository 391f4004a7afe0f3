//! Segments of a URL's path.

use std::fmt::Write as _;

/// Percent-encodes one segment of a path: everything but letters, digits and `-._~`.
///
/// A segment of dots only is encoded too, since URL parsers would climb with it.
pub fn encode_segment(segment: &str) -> String {
    let dots = matches!(segment, "." | "..");
    let mut encoded = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'~') || (byte == b'.' && !dots) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a String cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

/// Undoes [`encode_segment`]; a `%` that no two hexadecimal digits follow stands for itself.
pub fn decode_segment(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let digits = tail.get(..2).filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let byte = digits.and_then(|d| std::str::from_utf8(d).ok()).and_then(|d| u8::from_str_radix(d, 16).ok());
        match (first, byte) {
            (b'%', Some(byte)) => {
                bytes.push(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_segment_cannot_leave_its_place() {
        assert_eq!(encode_segment("auth0|a b/é"), "auth0%7Ca%20b%2F%C3%A9");
        assert_eq!(encode_segment("."), "%2E");
        assert_eq!(encode_segment(".."), "%2E%2E");
        assert_eq!(encode_segment("..."), "...", "nothing climbs with three");
        assert_eq!(encode_segment("a.b-c_d~"), "a.b-c_d~");
        assert_eq!(encode_segment("?#%{}:"), "%3F%23%25%7B%7D%3A");
        assert_eq!(encode_segment(""), "");
    }

    #[test]
    fn decoding_gives_back_what_was_encoded() {
        for text in ["", "a", "a b/é", "..", "{ref:a:b}", "100%", "%2F", "🙂"] {
            assert_eq!(decode_segment(&encode_segment(text)), text);
        }
    }

    #[test]
    fn what_nobody_encoded_stays_as_it_is() {
        assert_eq!(decode_segment("100%"), "100%");
        assert_eq!(decode_segment("%4"), "%4");
        assert_eq!(decode_segment("%zz%+1"), "%zz%+1");
        assert_eq!(decode_segment("%C3"), "\u{FFFD}", "half a character");
    }
}
