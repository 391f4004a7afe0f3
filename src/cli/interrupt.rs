//! Ctrl-C and SIGTERM.

use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};

use tokio_util::sync::CancellationToken;

use super::exit_code::ExitCode;

/// Hears the signals that ask to stop. The first one cancels [`Interrupt::token`], the second [`Interrupt::again`].
#[derive(Debug, Clone)]
pub(super) struct Interrupt {
    /// Cancelled by the first signal: finish what is in flight, then stop.
    pub(super) token: CancellationToken,
    again: CancellationToken,
    code: Arc<AtomicU8>,
}

impl Interrupt {
    /// Starts to listen. Needs the runtime.
    pub(super) fn listen() -> Self {
        let interrupt = Interrupt {
            token: CancellationToken::new(),
            again: CancellationToken::new(),
            code: Arc::new(AtomicU8::new(0)),
        };
        // A system that cannot tell of signals ends the process itself, as it does without us.
        if let Ok(mut signals) = Signals::new() {
            let heard = interrupt.clone();
            tokio::spawn(async move {
                loop {
                    let code = signals.next().await;
                    heard.code.store(code.number(), Ordering::SeqCst);
                    if heard.token.is_cancelled() {
                        heard.again.cancel();
                    }
                    heard.token.cancel();
                }
            });
        }
        tracing::debug!("listening for signals");
        interrupt
    }

    /// Waits for the second signal.
    pub(super) async fn again(&self) {
        self.again.cancelled().await;
    }

    /// Returns the code of the signal that was heard, or Ctrl-C's.
    pub(super) fn code(&self) -> ExitCode {
        if self.code.load(Ordering::SeqCst) == ExitCode::Terminated.number() {
            ExitCode::Terminated
        } else {
            ExitCode::Interrupted
        }
    }
}

/// The signals, heard from the moment this is made.
#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals { interrupt: signal(SignalKind::interrupt())?, terminate: signal(SignalKind::terminate())? })
    }

    async fn next(&mut self) -> ExitCode {
        tokio::select! {
            _ = self.interrupt.recv() => ExitCode::Interrupted,
            _ = self.terminate.recv() => ExitCode::Terminated,
        }
    }
}

/// Ctrl-C, heard from the moment this is made.
#[cfg(windows)]
struct Signals(tokio::signal::windows::CtrlC);

#[cfg(windows)]
impl Signals {
    fn new() -> std::io::Result<Self> {
        tokio::signal::windows::ctrl_c().map(Signals)
    }

    async fn next(&mut self) -> ExitCode {
        self.0.recv().await;
        ExitCode::Interrupted
    }
}
