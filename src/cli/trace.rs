//! `-v`: what happens inside, on stderr.

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::format::FmtSpan;

/// Turns tracing on: `-v` stages, `-vv` every request, `-vvv` everything. Nothing of it holds a token or a secret.
pub(super) fn start(verbose: u8, colour: bool) {
    let level = match verbose {
        0 => return,
        1 => "info",
        2 => "debug",
        _ => "trace",
    };
    let filter = EnvFilter::new(format!("warn,tenantry={level}"));
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(colour)
        .with_target(verbose > 2)
        .with_span_events(FmtSpan::NONE)
        .compact();
    // Somebody else's subscriber can only be there in a test, and then it is the better one.
    let _ = subscriber.try_init();
}
