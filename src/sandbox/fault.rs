//! Answers that go wrong on purpose, and a barrier that holds a write back.

use serde::Deserialize;
use sha2::{Digest, Sha256};
use tokio::sync::watch;

use super::options::Fault;

/// Where in its life a request is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Stage {
    /// Before the tenant handles it.
    Before,
    /// Handled, before its answer is sent.
    After,
}

/// Holds back the N-th write from when it was set, 1-based.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Barrier {
    pub(super) write: u64,
    pub(super) when: Stage,
}

/// The faults in force.
pub(super) struct Faults {
    list: Vec<Fault>,
    hits: Vec<u32>,
    seed: u64,
    draws: u64,
    barrier: Option<Barrier>,
    writes: u64,
    waiting: bool,
    released: watch::Sender<u64>,
}

/// What a write at the barrier waits for.
pub(super) struct Hold(watch::Receiver<u64>);

impl Hold {
    pub(super) async fn released(mut self) {
        // An error means that the sandbox ends: nothing to wait for any more.
        let _ = self.0.changed().await;
    }
}

impl Faults {
    pub(super) fn new(list: Vec<Fault>, seed: u64) -> Faults {
        Faults {
            hits: vec![0; list.len()],
            list,
            seed,
            draws: 0,
            barrier: None,
            writes: 0,
            waiting: false,
            released: watch::Sender::new(0),
        }
    }

    /// Puts other faults in force; the seed starts anew.
    pub(super) fn replace(&mut self, list: Vec<Fault>, seed: Option<u64>) {
        self.hits = vec![0; list.len()];
        self.list = list;
        self.draws = 0;
        self.seed = seed.unwrap_or(self.seed);
    }

    /// Draws whether this request goes wrong, and how.
    pub(super) fn draw(&mut self, method: &str, path: &str) -> Option<Fault> {
        for (fault, hits) in self.list.iter().zip(&mut self.hits) {
            let concerns = fault.method.as_deref().is_none_or(|wanted| wanted == method)
                && fault.path.as_deref().is_none_or(|wanted| path.starts_with(wanted))
                && fault.times.is_none_or(|times| *hits < times);
            if !concerns {
                continue;
            }
            self.draws += 1;
            if chance(self.seed, self.draws) < fault.share {
                *hits += 1;
                return Some(fault.clone());
            }
        }
        None
    }

    /// Sets the barrier and counts writes from here.
    pub(super) fn set_barrier(&mut self, barrier: Barrier) {
        self.release();
        self.barrier = Some(barrier);
        self.writes = 0;
    }

    /// Lets the held write go on and takes the barrier away.
    pub(super) fn release(&mut self) {
        self.barrier = None;
        self.waiting = false;
        self.released.send_modify(|count| *count += 1);
    }

    /// Counts a write and returns its number.
    pub(super) fn count(&mut self) -> u64 {
        self.writes += 1;
        self.writes
    }

    /// Returns what a write has to wait for at a stage.
    pub(super) fn hold(&mut self, write: u64, stage: Stage) -> Option<Hold> {
        if self.barrier != Some(Barrier { write, when: stage }) {
            return None;
        }
        self.waiting = true;
        Some(Hold(self.released.subscribe()))
    }

    /// Returns the writes counted and whether one is held.
    pub(super) fn status(&self) -> (u64, bool) {
        (self.writes, self.waiting)
    }
}

/// A number from 0 to 1, the same for the same seed and draw.
// 53 bits fit a double exactly.
#[allow(clippy::cast_precision_loss)]
fn chance(seed: u64, draw: u64) -> f64 {
    let digest = Sha256::digest(format!("fault:{seed}:{draw}").as_bytes());
    let bits = digest.iter().take(8).fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fault(share: f64) -> Fault {
        Fault { status: 503, share, handled: false, method: None, path: None, times: None }
    }

    #[test]
    fn shares_hold_and_seeds_repeat() {
        let draw = |seed| {
            let mut faults = Faults::new(vec![fault(0.2)], seed);
            (0..1000).map(|_| faults.draw("GET", "/clients").is_some()).collect::<Vec<_>>()
        };
        let hits = draw(1).iter().filter(|hit| **hit).count();
        assert!((150..250).contains(&hits), "{hits}");
        assert_eq!(draw(1), draw(1));
        assert_ne!(draw(1), draw(2));
    }

    #[test]
    fn a_fault_keeps_to_its_method_path_and_number() {
        let narrow =
            Fault { method: Some("POST".to_owned()), path: Some("/roles".to_owned()), times: Some(1), ..fault(1.0) };
        let mut faults = Faults::new(vec![narrow], 1);
        assert!(faults.draw("GET", "/roles").is_none());
        assert!(faults.draw("POST", "/clients").is_none());
        assert!(faults.draw("POST", "/roles").is_some());
        assert!(faults.draw("POST", "/roles").is_none());
    }

    #[tokio::test]
    async fn the_barrier_holds_one_write_until_released() {
        let mut faults = Faults::new(Vec::new(), 1);
        faults.count();
        faults.set_barrier(Barrier { write: 2, when: Stage::After });
        let first = faults.count();
        assert!(faults.hold(first, Stage::After).is_none());
        let second = faults.count();
        assert!(faults.hold(second, Stage::Before).is_none());
        let hold = faults.hold(second, Stage::After);
        assert_eq!(faults.status(), (2, true));
        faults.release();
        assert_eq!(faults.status(), (2, false));
        assert!(hold.is_some());
        if let Some(hold) = hold {
            hold.released().await;
        }
    }
}
