//! What many durations say together.

use std::time::Duration;

/// Durations in order.
pub(crate) struct Spread(Vec<Duration>);

impl Spread {
    /// Puts durations in order.
    pub(crate) fn new(mut all: Vec<Duration>) -> Self {
        all.sort_unstable();
        Self(all)
    }

    /// The smallest duration that at least this share of all do not exceed (nearest rank), in milliseconds.
    pub(crate) fn percentile(&self, percent: usize) -> f64 {
        let rank = (self.0.len() * percent).div_ceil(100).max(1);
        self.0.get(rank - 1).map_or(f64::NAN, |found| found.as_secs_f64() * 1000.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_those_of_the_nearest_rank() {
        let of = |milliseconds: &[u64]| Spread::new(milliseconds.iter().map(|ms| Duration::from_millis(*ms)).collect());
        let hundred: Vec<u64> = (1..=100).rev().collect();
        let hundred = of(&hundred);
        assert_eq!([50, 99, 100].map(|percent| hundred.percentile(percent)), [50.0, 99.0, 100.0]);
        let five = of(&[15, 20, 35, 40, 50]);
        assert_eq!([0, 30, 40, 50, 99].map(|percent| five.percentile(percent)), [15.0, 20.0, 20.0, 35.0, 50.0]);
        assert_eq!(of(&[7]).percentile(1), 7.0);
        assert!(of(&[]).percentile(50).is_nan(), "nothing measured is no figure");
    }
}
