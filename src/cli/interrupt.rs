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
        let heard = interrupt.clone();
        tokio::spawn(async move {
            loop {
                let code = signal().await;
                heard.code.store(code.number(), Ordering::SeqCst);
                if heard.token.is_cancelled() {
                    heard.again.cancel();
                }
                heard.token.cancel();
            }
        });
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

#[cfg(unix)]
async fn signal() -> ExitCode {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => tokio::select! {
            () = interrupted() => ExitCode::Interrupted,
            _ = terminate.recv() => ExitCode::Terminated,
        },
        Err(_) => {
            interrupted().await;
            ExitCode::Interrupted
        }
    }
}

#[cfg(not(unix))]
async fn signal() -> ExitCode {
    interrupted().await;
    ExitCode::Interrupted
}

/// Waits for Ctrl-C; for ever where the system cannot tell of it.
async fn interrupted() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
