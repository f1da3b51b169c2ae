//! How fast something may go: so many at once, then one after each interval.
//!
//! The one number that a bucket keeps is when it would be full again. Time is handed in, so nothing here waits: a caller
//! is told for how long it would have to.

use std::{collections::HashMap, hash::Hash};

use domain::ids::Millis;

/// Buckets beyond this many are looked through for full ones, which say nothing.
const SWEEP: usize = 10_000;

/// So many at once, then one after each interval.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rate {
    /// Microseconds.
    interval: i64,
    burst: i64,
}

impl Rate {
    /// `count` within `millis`, of which `burst` may come at once.
    pub fn new(count: u32, millis: Millis, burst: u32) -> Self {
        Self { interval: millis.saturating_mul(1000) / i64::from(count.max(1)), burst: i64::from(burst.max(1)) }
    }

    /// When an empty bucket would be full again.
    fn latest(self, now: i64) -> i64 {
        now.saturating_add(self.burst.saturating_mul(self.interval))
    }

    /// When a bucket is full again as seen now. What lies further off than an empty one was noted before the clock was set
    /// back, and makes nobody wait for it to come round again.
    fn hold(self, full_at: i64, now: i64) -> i64 {
        if full_at > self.latest(now) { now } else { full_at.max(now) }
    }
}

/// What was taken, by whom.
#[derive(Debug)]
pub struct Pace<K> {
    /// When each bucket is full again, in microseconds.
    full_at: HashMap<K, i64>,
}

impl<K> Default for Pace<K> {
    fn default() -> Self {
        Self { full_at: HashMap::new() }
    }
}

impl<K: Hash + Eq> Pace<K> {
    /// For how long this one has to wait; 0: it may go.
    pub fn wait(&self, key: &K, rate: Rate, now: Millis) -> Millis {
        let now = now.saturating_mul(1000);
        let full_at = self.full_at.get(key).map_or(now, |full_at| rate.hold(*full_at, now));
        let early = full_at - now - (rate.burst - 1).saturating_mul(rate.interval);
        if early <= 0 { 0 } else { early.saturating_add(999) / 1000 }
    }

    /// Notes that this one went.
    pub fn take(&mut self, key: K, rate: Rate, now: Millis) {
        let now = now.saturating_mul(1000);
        if self.full_at.len() >= SWEEP {
            self.full_at.retain(|_, full_at| *full_at > now);
        }
        let full_at = self.full_at.entry(key).or_insert(now);
        *full_at = rate.hold(*full_at, now).saturating_add(rate.interval).min(rate.latest(now));
    }

    /// Takes if it may; otherwise for how long it has to wait.
    pub fn try_take(&mut self, key: K, rate: Rate, now: Millis) -> Result<(), Millis> {
        match self.wait(&key, rate, now) {
            0 => {
                self.take(key, rate, now);
                Ok(())
            }
            wait => Err(wait),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_then_one_after_each_interval() {
        let rate = Rate::new(1, 6000, 45);
        let mut pace = Pace::default();
        let start = 1_000_000;
        assert_eq!((0..60).filter(|_| pace.try_take("a", rate, start).is_ok()).count(), 45);
        assert_eq!(pace.try_take("a", rate, start), Err(6000));
        assert_eq!(pace.try_take("a", rate, start + 5999), Err(1));
        assert_eq!(pace.try_take("b", rate, start), Ok(()), "others go on");
        assert_eq!(pace.try_take("a", rate, start + 6000), Ok(()));
        assert_eq!(pace.try_take("a", rate, start + 6000), Err(6000));
        // What was borrowed is paid back: after two minutes twenty may go at once.
        let later = start + 6000 + 120_000;
        assert_eq!((0..60).filter(|_| pace.try_take("a", rate, later).is_ok()).count(), 20);
    }

    #[test]
    fn in_the_long_run_no_more_than_the_rate() {
        let (rate, mut pace, mut went) = (Rate::new(80, 1000, 10), Pace::default(), 0);
        for millis in 0..10_000 {
            while pace.try_take("line", rate, millis).is_ok() {
                went += 1;
            }
        }
        assert_eq!(went, 800 + 9);
    }

    #[test]
    fn a_clock_that_goes_back_blocks_nobody() {
        let rate = Rate::new(1, 6000, 2);
        let mut pace = Pace::default();
        pace.take("a", rate, 1_000_000);
        pace.take("a", rate, 1_000_000);
        assert_eq!(pace.wait(&"a", rate, 1_000_000), 6000);
        assert_eq!(pace.try_take("a", rate, 0), Ok(()));
        assert_eq!(pace.try_take("a", rate, 0), Ok(()));
        assert_eq!(pace.try_take("a", rate, 0), Err(6000), "and from there it is as ever");
        assert_eq!(pace.try_take("a", rate, 6000), Ok(()));
        let mut many = Pace::default();
        for key in 0..=SWEEP {
            many.take(key, rate, i64::try_from(key).unwrap() * 10_000);
        }
        assert!(many.full_at.len() < 10, "full buckets are kept: {}", many.full_at.len());
    }
}
