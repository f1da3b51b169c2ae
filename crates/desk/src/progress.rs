//! How far a first sync has come, and how long it still takes.
//!
//! The gateway says up to which seq it will go, and the entries come in order of seq: so the place of the last one tells how
//! far it is, also where most entries on the way are not this person's to see.

use std::time::Duration;

use domain::ids::{Millis, Seq};
use tokio::time::Instant;

use crate::api::Receiving;

/// Before this, a guess would be none.
const SOONEST: Duration = Duration::from_secs(2);

/// A sync under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Progress {
    /// Where it began.
    pub(crate) from: Seq,
    /// Where it will end.
    pub(crate) through: Option<Seq>,
    /// When it began.
    pub(crate) begun: Instant,
}

impl Progress {
    /// What there is to say after so many entries, up to `seq`.
    pub(crate) fn at(&self, entries: u32, seq: Seq, now: Instant) -> Receiving {
        let Some(through) = self.through.filter(|through| *through > self.from) else {
            return Receiving { entries, percent: None, left: None };
        };
        let seq = seq.clamp(self.from, through);
        let took = now.saturating_duration_since(self.begun);
        let left = || -> Option<Millis> {
            let took = Millis::try_from(took.as_millis()).ok()?;
            took.checked_mul(through - seq)?.checked_div(seq - self.from)
        };
        let percent = u32::try_from(seq.max(0).saturating_mul(100) / through).ok();
        Receiving { entries, percent, left: if took < SOONEST { None } else { left() } }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(from: Seq, through: Option<Seq>, seq: Seq, seconds: u64) -> (Option<u32>, Option<Millis>) {
        let begun = Instant::now();
        let Receiving { percent, left, .. } =
            Progress { from, through, begun }.at(7, seq, begun + Duration::from_secs(seconds));
        (percent, left)
    }

    #[test]
    fn the_place_tells_how_far_it_is_and_the_time_so_far_how_long_it_takes() {
        assert_eq!(at(0, Some(1_000), 250, 5), (Some(25), Some(15_000)));
        assert_eq!(at(0, Some(1_000), 1_000, 5), (Some(100), Some(0)));
        // After a break it goes on; what came before it took its own time.
        assert_eq!(at(500, Some(1_000), 750, 10), (Some(75), Some(10_000)));
    }

    #[test]
    fn what_is_not_known_is_not_said() {
        assert_eq!(at(0, None, 250, 5), (None, None), "a gateway that does not say where it ends");
        assert_eq!(at(0, Some(1_000), 250, 1), (Some(25), None), "too soon");
        assert_eq!(at(0, Some(1_000), 0, 5), (Some(0), None), "nothing came yet");
        assert_eq!(at(0, Some(0), 0, 5), (None, None), "there is nothing");
        assert_eq!(at(0, Some(1_000), 5_000, 5), (Some(100), Some(0)), "beyond the end");
        assert_eq!(at(0, Some(Seq::MAX), 1, u64::MAX / 2_000_000).1, None, "no number holds it");
    }
}
