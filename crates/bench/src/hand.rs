//! D3: what the window does under a hand, on the keys and on the wheel; beside it the empty window, with a plain field to
//! write in and as many plain lines to scroll.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde::Deserialize;
use serde_json::{Value, json};

use crate::{
    Setting,
    driver::Driven,
    filled::Filled,
    report::{Figure, Id, Report, Target},
    screen::{Screen, Seen, Strip},
    window::{desk, empty, run, spread},
};

/// What is written; over and over.
const WORDS: &str = "السلام عليكم ورحمة الله وبركاته ";
/// Between two keys, in milliseconds: no multiple of a frame, so that they come at every moment of one.
const BETWEEN: u64 = 117;
/// In the middle of the screen, where every window stands.
const MIDDLE: (i16, i16) = (800, 500);

const WRITING: &str = "const area = await until(fields[given.field]);
    area.focus();
    window.took = [];
    let pressed = 0;
    area.addEventListener('keydown', (event) => (pressed = event.timeStamp), true);
    area.addEventListener('input', () => {
      const since = pressed;
      void painted().then(() => window.took.push(performance.now() - since));
    });
    return true;";
const WRITTEN: &str = "await until(() => window.took.length >= given.count);
    return window.took;";
const POINTED: &str = "window.pointed = undefined;
    addEventListener('mousemove', ({ clientX, clientY }) => (window.pointed = [clientX, clientY]));
    return true;";
const STANDS: &str = "const [x, y] = await until(() => window.pointed);
    const pane = await until(panes[given.pane]);
    const { top, height } = pane.box.getBoundingClientRect();
    const mark = pane.mark.getBoundingClientRect();
    await painted();
    window.watched = { longest: 0, by: 0, on: true };
    let last = performance.now();
    let place = pane.box.scrollTop;
    const watch = () => {
      const now = performance.now();
      window.watched.longest = Math.max(window.watched.longest, now - last);
      // What is put in above pushes the place the other way.
      window.watched.by += Math.max(0, given.down ? pane.box.scrollTop - place : place - pane.box.scrollTop);
      place = pane.box.scrollTop;
      last = now;
      if (window.watched.on) requestAnimationFrame(watch);
    };
    requestAnimationFrame(watch);
    return { x, y, top, height, mark: mark.left + Math.max(0, mark.width / 2 - 12) };";
const SCROLLED: &str = "window.watched.on = false;
    const { longest, by } = window.watched;
    return { longest, by };";
const LINES: &str = "await until(() => document.body?.textContent.trim());
    document.body.textContent = '';
    const area = document.body.appendChild(document.createElement('textarea'));
    const box = document.body.appendChild(document.createElement('div'));
    box.id = 'lines';
    box.style.height = '640px';
    box.style.overflow = 'auto';
    for (let n = 0; n < given.lines; n++) {
      const line = box.appendChild(document.createElement('p'));
      line.textContent = 'السلام عليكم، أود الاستفسار عن فاتورة الكهرباء';
      line.style.width = 'max-content';
    }
    await painted();
    return true;";

#[derive(Deserialize)]
struct Stands {
    x: f64,
    y: f64,
    top: f64,
    height: f64,
    mark: f64,
}

#[derive(Deserialize)]
struct Scrolled {
    /// The longest time between two frames of the page, in milliseconds.
    longest: f64,
    /// How far it went, in pixels.
    by: f64,
}

/// D3.
pub(crate) async fn hand(setting: &Setting, filled: &Filled, report: &mut Report) -> Result<()> {
    let sizes = &setting.sizes;
    let time = Duration::from_secs(sizes.scroll_seconds);

    let driven = empty(setting).await?;
    let _: bool = run(&driven, LINES, &json!({"lines": sizes.conversations})).await?;
    let least = write(&driven, "plain", sizes.keys).await?;
    let plain = scroll(&driven, "lines", true, time).await?;
    driven.end().await?;

    let driven = desk(setting, filled).await?;
    let list = scroll(&driven, "list", true, time).await?;
    let _: bool = run(&driven, "panes.list().box.scrollTo(0, 0); return true;", &json!({})).await?;
    let given = json!({"long": filled.long});
    let _: bool =
        run(&driven, "await until(() => row(given.long)); await read(given.long); return true;", &given).await?;
    let ours = write(&driven, "composer", sizes.keys).await?;
    let talk = scroll(&driven, "messages", false, time).await?;
    driven.end().await?;

    let (ours, least) = (spread(&ours), spread(&least));
    for (percent, target) in [(50, None), (95, Some(16.0))] {
        let what = format!("a key in the composer, to painted, p{percent}");
        let figure = Figure::new(Id::D3, what, "ms", ours.percentile(percent)).ceiling(least.percentile(percent));
        report.add(match target {
            Some(most) => figure.target(Target::AtMost(most)),
            None => figure,
        });
    }
    let milliseconds = |seen: Seen| seen.blank.as_secs_f64() * 1000.0;
    for (what, (seen, _)) in [
        (format!("the list of {} conversations", sizes.conversations), &list),
        (format!("up in a conversation of {} messages", sizes.long), &talk),
    ] {
        report.add(
            Figure::new(Id::D3, format!("scrolling {what}: blank for at most"), "ms", milliseconds(*seen))
                .target(Target::AtMost(100.0)),
        );
    }
    let frames =
        [("the list", &list), ("the conversation", &talk), ("plain lines", &plain)].map(|(what, (seen, page))| {
            format!(
                "{what} {:.0} px with {:.0} ms for the longest frame and {:.0} ms blank in {} looks",
                page.by,
                page.longest,
                milliseconds(*seen),
                seen.looks
            )
        });
    report.note(
        Id::D3,
        &format!(
            "{} keys, one each {BETWEEN} ms; the ceiling is a plain field in the empty window. Scrolled by the wheel for {} s \
             each: {}.",
            sizes.keys,
            sizes.scroll_seconds,
            frames.join("; ")
        ),
    );
    Ok(())
}

/// Writes key by key into a field; what each took to be painted, in milliseconds.
async fn write(driven: &Driven, field: &str, count: usize) -> Result<Vec<f64>> {
    let _: bool = run(driven, WRITING, &json!({"field": field})).await?;
    let keys: String = WORDS.chars().cycle().take(count).collect();
    driven.write(&keys, BETWEEN).await?;
    let took: Vec<f64> = run(driven, WRITTEN, &json!({"count": count})).await?;
    ensure!(took.len() == count, "Of {count} keys {} were written", took.len());
    Ok(took)
}

/// Scrolls a pane by the wheel, and watches the screen and the page meanwhile.
async fn scroll(driven: &Driven, pane: &str, down: bool, time: Duration) -> Result<(Seen, Scrolled)> {
    let _: bool = run(driven, POINTED, &Value::Null).await?;
    let (x, y) = MIDDLE;
    let screen = Screen::open()?;
    screen.point(x - 9, y)?;
    screen.point(x, y)?;
    let stands: Stands = run(driven, STANDS, &json!({"pane": pane, "down": down})).await?;
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "places on a screen are small")]
    let strip = Strip {
        x: x + (stands.mark - stands.x).round() as i16,
        y: y + (stands.top - stands.y).round() as i16,
        height: stands.height as u16,
    };
    screen.point(strip.x, strip.y + 200)?;
    let seen = tokio::task::spawn_blocking(move || screen.scroll(strip, down, time)).await;
    let seen = seen.context("Watching the screen")?.with_context(|| format!("Scrolling the {pane}"))?;
    let scrolled: Scrolled = run(driven, SCROLLED, &Value::Null).await?;
    ensure!(scrolled.by > 2.0 * stands.height, "The wheel moved {pane} by {} px alone", scrolled.by);
    Ok((seen, scrolled))
}
