//! What `doctor` found.

use super::json::v1::Doctor;
use super::line::{Line, Lines};
use super::style::Style;
use super::view::Options;

/// Shows every check with what was found and what to do, then the verdict.
pub fn doctor(doctor: &Doctor, options: &Options) -> String {
    let mut lines = Lines::default();
    let column = 14;
    for check in &doctor.checks {
        let (style, sign) = match check.verdict {
            "ready" => (Style::Good, "ok"),
            "warning" => (Style::Warning, "note"),
            _ => (Style::Bad, "fail"),
        };
        let mut line = Line::new(options.colour).add(style, sign).to(6).plain(check.name);
        for found in &check.found {
            lines.push(line.to(6 + column).plain(found));
            line = Line::new(options.colour);
        }
        if check.found.is_empty() {
            lines.push(line);
        }
        for help in &check.help {
            lines.push(Line::new(options.colour).plain(&" ".repeat(6 + column)).add(Style::Help, &format!("→ {help}")));
        }
    }
    lines.gap();
    let (style, words) = if doctor.ready {
        (Style::Good, format!("{} is ready to be deployed.", doctor.environment))
    } else {
        (Style::Bad, format!("{} is not ready to be deployed.", doctor.environment))
    };
    lines.push(Line::new(options.colour).add(style, &words));
    lines.finish()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::json::v1::Check;

    fn check(name: &'static str, verdict: &'static str, found: &[&str], help: &[&str]) -> Check {
        let owned = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        Check { name, verdict, found: owned(found), help: owned(help) }
    }

    #[test]
    fn says_what_is_missing_and_what_to_do() {
        let found = Doctor {
            format: "tenantry.doctor/1",
            environment: "dev".to_owned(),
            ready: false,
            checks: vec![
                check("description", "ready", &["12 resources of 4 kinds"], &[]),
                check("secrets", "warning", &["secrets.a: \u{1b}[2Jnot set", "secrets.b: not set"], &["set them"]),
                check("scopes", "failed", &["`read:roles` is missing"], &["grant it"]),
            ],
            problems: Vec::new(),
        };
        insta::assert_snapshot!(doctor(&found, &Options::default()));
    }
}
