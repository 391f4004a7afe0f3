//! The client's clock: the monotonic one, or in tests one on which waiting takes no time.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::time::{Duration, Instant};

use tokio_util::sync::CancellationToken;

/// Tells the time and waits.
#[derive(Clone, Default)]
pub(super) struct Clock {
    #[cfg(test)]
    skipped: Option<std::sync::Arc<std::sync::Mutex<Duration>>>,
}

impl Clock {
    /// A clock whose waits end at once and are counted.
    #[cfg(test)]
    pub(super) fn skipping() -> Self {
        Clock { skipped: Some(std::sync::Arc::default()) }
    }

    /// How much was waited so far.
    #[cfg(test)]
    pub(super) fn skipped(&self) -> Duration {
        self.skipped.as_ref().and_then(|s| s.lock().ok().map(|s| *s)).unwrap_or_default()
    }

    /// Moves the time on.
    #[cfg(test)]
    pub(super) fn advance(&self, by: Duration) {
        if let Some(mut skipped) = self.skipped.as_ref().and_then(|s| s.lock().ok()) {
            *skipped += by;
        }
    }

    pub(super) fn now(&self) -> Instant {
        #[cfg(test)]
        return Instant::now() + self.skipped();
        #[cfg(not(test))]
        Instant::now()
    }

    /// Waits, or says `false` when cancelled first.
    pub(super) async fn wait(&self, time: Duration, cancel: &CancellationToken) -> bool {
        #[cfg(test)]
        if self.skipped.is_some() {
            self.advance(time);
            tokio::task::yield_now().await;
            return !cancel.is_cancelled();
        }
        tokio::select! {
            () = cancel.cancelled() => false,
            () = tokio::time::sleep(time) => true,
        }
    }
}

/// A number nobody can foresee well enough to matter; good for jitter and unique ids, not for keys.
pub(super) fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// A fraction from 0 to 1.
pub(super) fn random_share() -> f64 {
    // 53 bits are what an f64 holds exactly.
    (random() >> 11) as f64 / (1_u64 << 53) as f64
}
