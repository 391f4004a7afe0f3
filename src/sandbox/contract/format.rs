//! String formats by the names the API gives them. A name not known here admits everything.

use std::net::{Ipv4Addr, Ipv6Addr};

use url::Url;

/// Says whether a text has a format.
pub(super) fn holds(format: &str, text: &str) -> bool {
    match format {
        "url" => is_web(text),
        "url-or-null" | "absolute-uri-or-empty" => text.is_empty() || is_absolute(text),
        "uri" | "strict-uri" | "callback-url" => is_absolute(text),
        "strict-https-uri" | "strict-https-uri-or-null" => is_https(text),
        "absolute-https-uri-or-empty" => text.is_empty() || is_https(text),
        "https-uri-reference" => !text.contains(char::is_whitespace) && !text.starts_with("http:"),
        "url-with-placeholders" => is_web(&filled(text)),
        "absolute-https-uri-with-placeholders-or-empty" | "ec-initiate-login-uri-template-url" => {
            text.is_empty() || is_https(&filled(text))
        }
        "date-time" => text.parse::<jiff::Timestamp>().is_ok(),
        "date" => text.parse::<jiff::civil::Date>().is_ok(),
        "email" => is_email(text),
        "email-or-empty" => text.is_empty() || is_email(text),
        "ipv4" => text.parse::<Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<Ipv6Addr>().is_ok(),
        "cidr" => prefixed::<Ipv4Addr>(text, 32),
        "ipv6_cidr" => prefixed::<Ipv6Addr>(text, 128),
        "hostname" | "hostname-rfc2181" => is_hostname(text),
        "html-color" | "html-color-or-null" => is_color(text),
        "organization-name" => is_organization_name(text),
        "organization-id" => is_id(text, "org_", 16),
        "connection-id" => is_id(text, "con_", 16),
        "role-id" => is_id(text, "rol_", 16),
        "client-grant-id" => is_id(text, "cgr_", 16),
        "non-empty-string" => !text.is_empty(),
        "uuid" => is_uuid(text),
        _ => true,
    }
}

/// Puts a letter for every `{placeholder}` and `*`, so that the rest can be read as a URL.
fn filled(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut inside = false;
    for c in text.chars() {
        match c {
            '{' => {
                inside = true;
                out.push('x');
            }
            '}' => inside = false,
            _ if inside => {}
            '*' => out.push('x'),
            c => out.push(c),
        }
    }
    out
}

fn is_absolute(text: &str) -> bool {
    Url::parse(&filled(text)).is_ok()
}

/// An origin or page of the web; custom schemes of native applications count.
fn is_web(text: &str) -> bool {
    Url::parse(text).is_ok()
}

fn is_https(text: &str) -> bool {
    Url::parse(text).is_ok_and(|url| url.scheme() == "https" && url.has_host())
}

fn is_email(text: &str) -> bool {
    text.rsplit_once('@').is_some_and(|(local, host)| {
        !local.is_empty() && host.contains('.') && is_hostname(host) && !text.contains(char::is_whitespace)
    })
}

fn is_hostname(text: &str) -> bool {
    (1..=253).contains(&text.len())
        && text.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
                && !label.starts_with('-')
                && !label.ends_with('-')
        })
}

fn prefixed<T: std::str::FromStr>(text: &str, most: u8) -> bool {
    text.split_once('/').is_some_and(|(address, bits)| {
        address.parse::<T>().is_ok() && bits.parse::<u8>().is_ok_and(|bits| bits <= most)
    })
}

fn is_color(text: &str) -> bool {
    text.strip_prefix('#')
        .is_some_and(|digits| matches!(digits.len(), 3 | 4 | 6 | 8) && digits.chars().all(|c| c.is_ascii_hexdigit()))
}

/// Lower case, digits, `-` and `_`, beginning with a letter or digit.
fn is_organization_name(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_lowercase() || c.is_ascii_digit())
        && text.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-' || c == '_')
}

fn is_id(text: &str, prefix: &str, length: usize) -> bool {
    text.strip_prefix(prefix)
        .is_some_and(|rest| rest.len() == length && rest.chars().all(|c| c.is_ascii_alphanumeric()))
}

fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.chars().all(|c| c.is_ascii_hexdigit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formats_admit_and_refuse() {
        for (format, good, bad) in [
            ("url", "https://a.example", "a.example"),
            ("callback-url", "myapp://cb", "cb"),
            ("callback-url", "https://*.example/{organization_name}/cb", "/cb"),
            ("absolute-uri-or-empty", "", "logo.png"),
            ("strict-https-uri-or-null", "https://a.example/x.png", "http://a.example/x.png"),
            ("absolute-https-uri-with-placeholders-or-empty", "https://{organization_name}.a.example", "http://a"),
            ("date-time", "2026-01-02T03:04:05.678Z", "yesterday"),
            ("date", "2026-01-02", "2026-13-02"),
            ("email", "a@b.example", "a@b"),
            ("ipv4", "127.0.0.1", "127.0.0.256"),
            ("ipv6", "::1", ":::1"),
            ("cidr", "10.0.0.0/8", "10.0.0.0/33"),
            ("ipv6_cidr", "fe80::/10", "fe80::"),
            ("hostname", "smtp.a.example", "smtp..a"),
            ("html-color", "#ff00aa", "red"),
            ("organization-name", "acme-1", "Acme"),
            ("connection-id", "con_0123456789abcdef", "con_1"),
            ("uuid", "6f9619ff-8b86-d011-b42d-00cf4fc964ff", "6f9619ff"),
        ] {
            assert!(holds(format, good), "{format} refuses {good}");
            assert!(!holds(format, bad), "{format} admits {bad}");
        }
        assert!(holds("something-newer", "anything"));
    }
}
