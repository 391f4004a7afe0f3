//! How a sandbox is started.

use std::path::PathBuf;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Domain of a sandbox tenant that was given no name.
pub const DEFAULT_DOMAIN: &str = "sandbox.eu.auth0.com";

/// Settings of a sandbox; the default is what `tenantry sandbox` serves without flags.
#[derive(Debug, Clone)]
pub struct Options {
    /// TCP port on loopback; 0 takes a free one.
    pub port: u16,
    /// Whether to serve HTTPS with a generated CA.
    pub tls: bool,
    /// Domain of the tenant; `None` is the state file's, else [`DEFAULT_DOMAIN`].
    pub tenant_domain: Option<String>,
    /// File that keeps the state over restarts.
    pub state_file: Option<PathBuf>,
    /// File that gets a JSON line for each exchange.
    pub record: Option<PathBuf>,
    /// Time before each answer.
    pub latency: Duration,
    /// Rate limit; `None` tells of limits that nobody reaches.
    pub rate: Option<Rate>,
    /// Answers that go wrong.
    pub fault: Vec<Fault>,
    /// What the subscription offers.
    pub subscription: Subscription,
    /// Time until a log entry can be found.
    pub log_lag: Duration,
    /// Milliseconds added to the machine's clock.
    pub clock_offset_ms: i64,
    /// Seed of ids, secrets and faults.
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            port: 0,
            tls: false,
            tenant_domain: None,
            state_file: None,
            record: None,
            latency: Duration::ZERO,
            rate: Some(Rate::default()),
            fault: Vec::new(),
            subscription: Subscription::Enterprise,
            log_lag: Duration::ZERO,
            clock_offset_ms: 0,
            seed: 1,
        }
    }
}

/// A token bucket. The default is that of a production tenant on the Enterprise plan (documented rate limits).
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rate {
    /// Requests per second that can go on for ever; above 0.
    pub per_second: f64,
    /// Requests that can come at once; at least 1.
    pub burst: u32,
}

impl Default for Rate {
    fn default() -> Rate {
        Rate { per_second: 16.0, burst: 50 }
    }
}

/// A share of answers that go wrong: `503=2%`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// Status answered instead; 0 breaks the connection off within the answer.
    pub status: u16,
    /// Share of the requests hit, 0 to 1.
    pub share: f64,
    /// Whether the request is handled before it goes wrong: its answer is lost, its effect is not.
    #[serde(default)]
    pub handled: bool,
    /// Only this method: `POST`.
    #[serde(default)]
    pub method: Option<String>,
    /// Only paths that begin so, below `/api/v2`: `/roles`.
    #[serde(default)]
    pub path: Option<String>,
    /// How many times at most.
    #[serde(default)]
    pub times: Option<u32>,
}

impl FromStr for Fault {
    type Err = String;

    fn from_str(text: &str) -> Result<Fault, String> {
        let (status, share) = text.split_once('=').ok_or("expected STATUS=SHARE, such as 503=2%")?;
        let status = status.parse().ok().filter(|status| (400..600).contains(status));
        let status = status.ok_or("expected a status from 400 to 599")?;
        let (number, unit) = share.strip_suffix('%').map_or((share, 1.0), |number| (number, 100.0));
        let share = number.parse::<f64>().map_err(|_| "expected a share, such as 2%")? / unit;
        if !(0.0..=1.0).contains(&share) {
            return Err("expected a share from 0% to 100%".to_owned());
        }
        Ok(Fault { status, share, handled: false, method: None, path: None, times: None })
    }
}

impl FromStr for Rate {
    type Err = String;

    fn from_str(text: &str) -> Result<Rate, String> {
        let (rate, burst) = text.split_once(',').ok_or("expected RATE,BURST, such as 16/s,50")?;
        let per_second = rate.strip_suffix("/s").unwrap_or(rate).parse::<f64>().ok();
        let per_second = per_second.filter(|rate| rate.is_finite() && *rate > 0.0);
        let burst = burst.parse().ok().filter(|burst| *burst > 0);
        match (per_second, burst) {
            (Some(per_second), Some(burst)) => Ok(Rate { per_second, burst }),
            _ => Err("expected two numbers above 0, such as 16/s,50".to_owned()),
        }
    }
}

/// A plan of the service, by what it lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Subscription {
    /// Everything.
    #[default]
    Enterprise,
    /// Without bot detection, captcha, organization clients and supplemental signals.
    Essentials,
    /// Also without custom domains, organizations and partials of prompts.
    Free,
}

impl Subscription {
    /// Returns the features by name; `true` is there.
    pub fn features(self) -> Value {
        let lacking: &[&str] = match self {
            Subscription::Enterprise => &[],
            Subscription::Essentials => &["bot_detection", "captcha", "organization_clients", "supplemental_signals"],
            Subscription::Free => &[
                "bot_detection",
                "captcha",
                "organization_clients",
                "supplemental_signals",
                "custom_domains",
                "organizations",
                "prompts_partials",
            ],
        };
        let all = [
            "custom_domains",
            "bot_detection",
            "captcha",
            "organizations",
            "prompts_partials",
            "organization_clients",
            "rules",
            "supplemental_signals",
        ];
        let features = all.iter().map(|name| ((*name).to_owned(), Value::Bool(!lacking.contains(name))));
        let mut features: Map<String, Value> = features.collect();
        features.insert("log_retention_days".to_owned(), Value::from(self.log_retention_days()));
        Value::Object(features)
    }
}

impl Subscription {
    /// Returns how long the tenant's log keeps an entry (documentation of log retention).
    fn log_retention_days(self) -> u32 {
        match self {
            Subscription::Enterprise => 30,
            Subscription::Essentials => 5,
            Subscription::Free => 1,
        }
    }
}

impl FromStr for Subscription {
    type Err = String;

    fn from_str(text: &str) -> Result<Subscription, String> {
        match text {
            "enterprise" => Ok(Subscription::Enterprise),
            "essentials" => Ok(Subscription::Essentials),
            "free" => Ok(Subscription::Free),
            _ => Err("expected enterprise, essentials or free".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_read() {
        let fault = "503=2%".parse::<Fault>();
        assert_eq!(fault.as_ref().map(|fault| (fault.status, fault.share)), Ok((503, 0.02)));
        assert_eq!("16/s,50".parse(), Ok(Rate { per_second: 16.0, burst: 50 }));
        assert_eq!("0.5,1".parse(), Ok(Rate { per_second: 0.5, burst: 1 }));
        assert_eq!("free".parse(), Ok(Subscription::Free));
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["503", "200=1%", "503=x", "503=200%", "503=-1", "=", "503=nan"] {
            assert!(text.parse::<Fault>().is_err(), "{text}");
        }
        for text in ["16", "0/s,50", "16/s,0", "x,y", "inf,1", "nan,1"] {
            assert!(text.parse::<Rate>().is_err(), "{text}");
        }
        assert!("gold".parse::<Subscription>().is_err());
    }

    #[test]
    fn smaller_plans_lack_features() {
        assert_eq!(Subscription::Enterprise.features()["organizations"], true);
        assert_eq!(Subscription::Free.features()["organizations"], false);
        assert_eq!(Subscription::Essentials.features()["organizations"], true);
        assert_eq!(Subscription::Essentials.features()["captcha"], false);
    }
}
