//! `tenantry sandbox`

use std::path::PathBuf;
use std::time::Duration;

use serde_json::json;

use super::exit_code::ExitCode;
use super::interrupt::Interrupt;
use super::ui::Ui;
use super::{Ended, refused};
use crate::problem::Problem;
use crate::render::clean;
use crate::sandbox::{Fault, Options, Rate, Running, Subscription, start};

/// Serve a simulator of the Management API
///
/// It listens on loopback, checks what the real API checks, and keeps its tenant in memory or in a file. Any client can
/// talk to it: auth0-deploy-cli, the SDKs, curl. Runs until Ctrl-C.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// TCP port; 0 picks a free one
    #[arg(long, default_value_t = 0, value_name = "N")]
    port: u16,
    /// Serve HTTPS with a generated certificate authority
    #[arg(long)]
    tls: bool,
    /// Domain of the tenant
    #[arg(long, value_name = "DOMAIN")]
    tenant_domain: Option<String>,
    /// Keep the state in this file
    #[arg(long, value_name = "FILE")]
    state: Option<PathBuf>,
    /// Write every exchange to this file, a JSON line each
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
    /// Wait before every answer: 330ms
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = time)]
    latency: Duration,
    /// Requests per second and at once, or `off`
    #[arg(long, value_name = "RATE,BURST", default_value = "16/s,50", value_parser = rate)]
    rate: Limit,
    /// Let a share of the requests fail: 503=2%; repeatable
    #[arg(long, value_name = "STATUS=SHARE")]
    fault: Vec<Fault>,
    /// What the subscription offers: enterprise, essentials or free
    #[arg(long, value_name = "PLAN", default_value = "enterprise")]
    subscription: Subscription,
    /// Time until a log entry can be found: 30s
    #[arg(long, value_name = "TIME", default_value = "0ms", value_parser = time)]
    log_lag: Duration,
    /// Seed of ids, secrets and faults
    #[arg(long, value_name = "N", default_value_t = 1)]
    seed: u64,
}

/// A rate, or none.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Limit(Option<Rate>);

fn rate(text: &str) -> Result<Limit, String> {
    if text == "off" { Ok(Limit(None)) } else { text.parse().map(|rate| Limit(Some(rate))) }
}

/// Reads `330ms`, `2s`, `1.5s`; an hour at most.
fn time(text: &str) -> Result<Duration, String> {
    let (number, unit) = match (text.strip_suffix("ms"), text.strip_suffix('s')) {
        (Some(number), _) => (number, 0.001),
        (None, Some(number)) => (number, 1.0),
        (None, None) => return Err("expected a time, such as 330ms or 2s".to_owned()),
    };
    let seconds = number.parse::<f64>().map_err(|_| "expected a time, such as 330ms or 2s")? * unit;
    if !(0.0..=3600.0).contains(&seconds) {
        return Err("expected a time up to 3600s".to_owned());
    }
    Ok(Duration::from_secs_f64(seconds))
}

pub(super) async fn run(args: &Args, ui: &Ui, interrupt: &Interrupt) -> Ended {
    let options = Options {
        port: args.port,
        tls: args.tls,
        tenant_domain: args.tenant_domain.clone(),
        state_file: args.state.clone(),
        record: args.record.clone(),
        latency: args.latency,
        rate: args.rate.0,
        fault: args.fault.clone(),
        subscription: args.subscription,
        log_lag: args.log_lag,
        seed: args.seed,
        ..Options::default()
    };
    let running = match start(options).await {
        Ok(running) => running,
        Err(error) => {
            let problem = Problem::error("sandbox", format!("the sandbox does not start: {error}"));
            return refused(ui, problem);
        }
    };
    ui.answer(&if ui.json { line(&running) } else { words(&running) })?;
    interrupt.token.cancelled().await;
    running.stop().await;
    Ok(ExitCode::Done)
}

/// What tools read.
fn line(running: &Running) -> String {
    let document = json!({
        "url": running.url,
        "domain": running.domain,
        "client_id": running.client_id,
        "client_secret": running.client_secret,
        "ca_file": running.ca_file,
    });
    format!("{document}\n")
}

/// What people read: ready to be pasted for auth0-deploy-cli, or for tenantry.
fn words(running: &Running) -> String {
    let domain = if running.ca_file.is_some() { &running.domain } else { &running.url };
    let mut text = format!("{} serves {}\n\n", running.url, clean(&running.tenant_domain));
    text.push_str(&format!("export AUTH0_DOMAIN={domain}\n"));
    text.push_str(&format!("export AUTH0_CLIENT_ID={}\n", running.client_id));
    text.push_str(&format!("export AUTH0_CLIENT_SECRET={}\n", running.client_secret));
    if let Some(file) = &running.ca_file {
        text.push_str(&format!("export SSL_CERT_FILE={0} NODE_EXTRA_CA_CERTS={0}\n", file.display()));
    }
    text.push_str("\nCtrl-C ends it.\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_have_units() {
        assert_eq!(time("330ms"), Ok(Duration::from_millis(330)));
        assert_eq!(time("1.5s"), Ok(Duration::from_millis(1500)));
        for text in ["330", "", "s", "ms", "-1s", "NaNs", "infs", "4000s"] {
            assert!(time(text).is_err(), "{text}");
        }
    }

    #[test]
    fn a_rate_can_be_off() {
        assert_eq!(rate("off"), Ok(Limit(None)));
        assert_eq!(rate("16/s,50"), Ok(Limit(Some(Rate { per_second: 16.0, burst: 50 }))));
        assert!(rate("fast").is_err());
    }
}
