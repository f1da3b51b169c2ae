//! P8: searching everything that is stored.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use serde_json::{Value, json};

use crate::{
    Setting,
    filled::{AREAS, meter},
    host::Host,
    load::planned,
    report::{Figure, Id, Report, Target},
    spread::Spread,
};

const A_SECOND: usize = 10;
const HITS: u64 = 50;

/// What is typed, and how many are found of it at least on the first page.
fn typed(n: usize, stored: usize) -> (String, usize) {
    let area = AREAS.get(n / 7 % AREAS.len()).copied().unwrap_or_default();
    let in_area = stored / AREAS.len() / 2;
    match n % 7 {
        0 => ("فاتورة".to_owned(), 50),
        1 => ("فات".to_owned(), 50),
        2 => (area.to_owned(), in_area),
        3 => (format!("{area} الكهرباء"), in_area),
        4 => (meter(n * 997 % (stored / 2)).to_string(), 1),
        5 => (area.chars().skip(2).take(3).collect(), 0),
        _ => ("زنجبيل".to_owned(), 0),
    }
}

/// P8: at times that are fixed in advance.
pub(crate) async fn search(setting: &Setting, host: &Host, report: &mut Report) -> Result<()> {
    let (sizes, mut took, mut least) = (&setting.sizes, Vec::new(), Vec::new());
    let began = Instant::now() + Duration::from_millis(500);
    for n in 0..sizes.searches {
        let (text, expected) = typed(n, sizes.stored);
        let at = planned(began, A_SECOND, n);
        tokio::time::sleep_until(at.into()).await;
        let found = host.call("search", &json!({"text": text, "below": null, "limit": HITS})).await?;
        took.push(at.elapsed());
        ensure!(found.pointer("/indexed").is_none_or(Value::is_null), "Not everything can be searched yet: {found}");
        let count = found.pointer("/texts").and_then(Value::as_array).map_or(0, Vec::len);
        ensure!(count >= expected.min(50), "{count} were found of «{text}»");
        // The road to the desk and back, without a search.
        let began = Instant::now();
        host.call("status", &json!({})).await?;
        least.push(began.elapsed());
    }
    let (took, least) = (Spread::new(took), Spread::new(least));
    for (percent, most) in [(50, 5.0), (99, 50.0)] {
        let what = format!("search over {} messages, first {HITS} hits, p{percent}", sizes.stored);
        report.add(
            Figure::new(Id::P8, what, "ms", took.percentile(percent))
                .target(Target::AtMost(most))
                .ceiling(least.percentile(percent)),
        );
    }
    report.note(
        Id::P8,
        &format!(
            "{} searches, {A_SECOND} a second: a word that stands everywhere, its beginning, a word in one text of {}, that \
             and another, a meter's number, the middle of a word, a word that is nowhere. Asked over loopback, which is the \
             ceiling, too.",
            sizes.searches,
            AREAS.len()
        ),
    );
    Ok(())
}
