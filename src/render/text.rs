//! Text from outside, made fit for a terminal.

use std::borrow::Cow;

/// Replaces what a terminal would obey or hide by its escape: control characters, changes of direction, invisible marks.
pub fn clean(text: &str) -> Cow<'_, str> {
    if !text.chars().any(is_unsafe) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if is_unsafe(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    Cow::Owned(out)
}

/// Cleans several lines: line ends stay, tabs become four spaces.
pub(super) fn clean_lines(text: &str) -> String {
    text.split('\n')
        .map(|line| clean(&line.strip_suffix('\r').unwrap_or(line).replace('\t', "    ")).into_owned())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Says whether a character would move the cursor, change direction or vanish. A joiner between emoji may stay.
pub(super) fn is_unsafe(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200b}' | '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{202a}'..='\u{202e}'
            | '\u{2060}'..='\u{2069}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Columns a clean text takes: two for East Asian wide characters and emoji, none for marks that combine.
pub(super) fn width(text: &str) -> usize {
    text.chars().map(columns).sum()
}

fn columns(c: char) -> usize {
    match c {
        '\u{0300}'..='\u{036f}' | '\u{200c}' | '\u{200d}' | '\u{20d0}'..='\u{20ff}' | '\u{fe00}'..='\u{fe0f}' => 0,
        '\u{1f3fb}'..='\u{1f3ff}' => 0,
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe6f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{ffe0}'..='\u{ffe6}'
        | '\u{1f300}'..='\u{1f64f}'
        | '\u{1f680}'..='\u{1f6ff}'
        | '\u{1f900}'..='\u{1f9ff}'
        | '\u{20000}'..='\u{3fffd}' => 2,
        _ => 1,
    }
}

/// Cuts a text to at most `max` columns, and says so with an ellipsis.
pub(super) fn shorten(text: &str, max: usize) -> Cow<'_, str> {
    if width(text) <= max {
        return Cow::Borrowed(text);
    }
    let (mut out, mut used) = (String::new(), 1);
    for c in text.chars() {
        used += columns(c);
        if used > max {
            break;
        }
        out.push(c);
    }
    out.push('…');
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_a_terminal_obeys_gets_through() {
        assert_eq!(clean("a\u{1b}[31mb\r\n\u{7}\u{9b}"), "a\\u{1b}[31mb\\r\\n\\u{7}\\u{9b}");
        assert_eq!(clean("abc\u{202e}cba"), "abc\\u{202e}cba");
        assert_eq!(clean("plain 👩‍👧 ü"), "plain 👩‍👧 ü");
        for code in 0..=0x10_ffff_u32 {
            if let Some(c) = char::from_u32(code) {
                assert!(!clean(&c.to_string()).chars().any(char::is_control), "{code:x}");
            }
        }
    }

    #[test]
    fn lines_stay_lines() {
        assert_eq!(clean_lines("a\r\n\tb\u{1b}\n"), "a\n    b\\u{1b}\n");
    }

    #[test]
    fn widths_are_columns() {
        assert_eq!(width("日本"), 4);
        assert_eq!(width("e\u{301}"), 1);
        assert_eq!(shorten("日本語", 5), "日本…");
        assert_eq!(shorten("abc", 3), "abc");
        assert_eq!(shorten("abcd", 3), "ab…");
        assert_eq!(shorten("abcd", 0), "…");
    }
}
