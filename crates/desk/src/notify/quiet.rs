//! Quiet hours, by this computer's clock and in its time zone: they are the person's own, and not the agency's.

use domain::ids::Millis;
use jiff::{Timestamp, Zoned, civil::Weekday, tz::TimeZone};

use crate::api::{Day, QuietHours};

/// Whether it is quiet now.
pub(super) fn now(hours: &QuietHours, now: Millis) -> bool {
    Timestamp::from_millisecond(now).is_ok_and(|now| at(hours, &now.to_zoned(TimeZone::system())))
}

/// Whether it is quiet at this time. Hours that end on the next day belong to the day on which they began.
fn at(hours: &QuietHours, now: &Zoned) -> bool {
    let minute = u16::try_from(i32::from(now.hour()) * 60 + i32::from(now.minute())).unwrap_or(0);
    let on = |weekday: Weekday| hours.days.contains(&day(weekday));
    let (today, yesterday) = (on(now.weekday()), on(now.weekday().previous()));
    hours.on
        && if hours.from < hours.until {
            today && (hours.from..hours.until).contains(&minute)
        } else {
            today && minute >= hours.from || yesterday && minute < hours.until
        }
}

fn day(weekday: Weekday) -> Day {
    match weekday {
        Weekday::Sunday => Day::Sunday,
        Weekday::Monday => Day::Monday,
        Weekday::Tuesday => Day::Tuesday,
        Weekday::Wednesday => Day::Wednesday,
        Weekday::Thursday => Day::Thursday,
        Weekday::Friday => Day::Friday,
        Weekday::Saturday => Day::Saturday,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn quiet(hours: &QuietHours, at_: &str) -> bool {
        at(hours, &at_.parse::<Zoned>().unwrap())
    }

    #[test]
    fn a_night_belongs_to_the_day_on_which_it_begins() {
        let hours = QuietHours { on: true, from: 22 * 60, until: 6 * 60 + 30, days: vec![Day::Thursday] };
        // 26 November 2026 is a Thursday.
        for (at, is) in [
            ("2026-11-26T21:59[Asia/Kuwait]", false),
            ("2026-11-26T22:00[Asia/Kuwait]", true),
            ("2026-11-27T06:29[Asia/Kuwait]", true),
            ("2026-11-27T06:30[Asia/Kuwait]", false),
            ("2026-11-27T23:00[Asia/Kuwait]", false),
            ("2026-11-26T05:00[Asia/Kuwait]", false),
        ] {
            assert_eq!(quiet(&hours, at), is, "{at}");
        }
        assert!(!quiet(&QuietHours { on: false, ..hours }, "2026-11-26T22:00[Asia/Kuwait]"));
    }

    #[test]
    fn within_one_day_and_around_the_clock() {
        let noon = QuietHours { on: true, from: 12 * 60, until: 13 * 60, days: vec![Day::Sunday] };
        assert!(quiet(&noon, "2026-11-22T12:59[Asia/Kuwait]"));
        assert!(!quiet(&noon, "2026-11-22T13:00[Asia/Kuwait]") && !quiet(&noon, "2026-11-23T12:30[Asia/Kuwait]"));
        let always = QuietHours { from: 60, until: 60, ..noon };
        assert!(quiet(&always, "2026-11-22T01:00[Asia/Kuwait]") && quiet(&always, "2026-11-23T00:59[Asia/Kuwait]"));
        assert!(!quiet(&always, "2026-11-23T01:00[Asia/Kuwait]"));
    }
}
