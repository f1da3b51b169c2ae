//! The screen as eyes have it, and a hand on the wheel: what a page knows of itself does not show what the compositor had
//! not painted yet.

use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use x11rb::{
    connection::Connection as _,
    protocol::{
        xproto::{BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT, ConnectionExt as _, ImageFormat, Window},
        xtest::ConnectionExt as _,
    },
    rust_connection::RustConnection,
};

/// How wide a strip of the screen is looked at.
const STRIP: u16 = 24;
/// One notch of the wheel each so often: a quick hand.
const NOTCH: Duration = Duration::from_millis(33);
/// Between two looks.
const LOOK: Duration = Duration::from_millis(4);
/// For what is to be scrolled to stand on the screen.
const PATIENCE: Duration = Duration::from_secs(60);
/// A strip is blank if more than one part in so many of its height, in one piece, has one colour.
const PART: usize = 3;

/// The X server that the windows are shown on.
pub(crate) struct Screen {
    server: RustConnection,
    root: Window,
}

/// A strip of the screen.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Strip {
    pub(crate) x: i16,
    pub(crate) y: i16,
    pub(crate) height: u16,
}

/// What a person saw while scrolling.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    /// The longest time in which the strip was blank.
    pub(crate) blank: Duration,
    /// How often it was looked at.
    pub(crate) looks: usize,
}

impl Screen {
    /// The one that `DISPLAY` names.
    pub(crate) fn open() -> Result<Self> {
        let (server, number) = x11rb::connect(None).context("Connecting to the screen")?;
        let root = server.setup().roots.get(number).context("Finding the screen")?.root;
        Ok(Self { server, root })
    }

    /// Moves the pointer.
    pub(crate) fn point(&self, x: i16, y: i16) -> Result<()> {
        self.server.warp_pointer(x11rb::NONE, self.root, 0, 0, 0, 0, x, y)?.check().context("Moving the pointer")
    }

    fn turn_the_wheel(&self, down: bool) -> Result<()> {
        // Source: the X protocol's buttons 4 and 5 are the wheel's two ways.
        let button = if down { 5 } else { 4 };
        for event in [BUTTON_PRESS_EVENT, BUTTON_RELEASE_EVENT] {
            self.server.xtest_fake_input(event, button, 0, self.root, 0, 0, 0)?.check().context("Turning the wheel")?;
        }
        Ok(())
    }

    /// How high the highest piece of one colour is.
    fn blank_piece(&self, strip: Strip) -> Result<usize> {
        let Strip { x, y, height } = strip;
        let image = self.server.get_image(ImageFormat::Z_PIXMAP, self.root, x, y, STRIP, height, !0)?.reply();
        let image = image.context("Looking at the screen")?;
        let line = image.data.len() / usize::from(height);
        ensure!(line == usize::from(STRIP) * 4, "The screen has no 32 bits for a pixel");
        Ok(longest_of_one_colour(&image.data, line))
    }

    /// Turns the wheel over a strip for so long, and watches it.
    pub(crate) fn scroll(&self, strip: Strip, down: bool, duration: Duration) -> Result<Seen> {
        let most = usize::from(strip.height) / PART;
        // What a page has painted is on the screen a little later.
        let until = Instant::now() + PATIENCE;
        while self.blank_piece(strip)? > most {
            ensure!(Instant::now() < until, "What is to be scrolled stays blank at {strip:?}");
            std::thread::sleep(NOTCH);
        }
        let began = Instant::now();
        let (mut seen, mut turned, mut blank_since) = (Seen { blank: Duration::ZERO, looks: 0 }, 0, None);
        while began.elapsed() < duration {
            if began.elapsed() >= NOTCH * turned {
                self.turn_the_wheel(down)?;
                turned += 1;
            }
            let at = Instant::now();
            if self.blank_piece(strip)? > most {
                let since = *blank_since.get_or_insert(at);
                seen.blank = seen.blank.max(since.elapsed());
            } else {
                blank_since = None;
            }
            seen.looks += 1;
            std::thread::sleep(LOOK);
        }
        Ok(seen)
    }
}

/// The most lines of pixels in a piece that have one and the same colour.
fn longest_of_one_colour(pixels: &[u8], line: usize) -> usize {
    let (mut longest, mut length, mut colour) = (0, 0, None);
    for line in pixels.chunks_exact(line) {
        let first = line.get(..4);
        let plain = line.chunks_exact(4).all(|pixel| Some(pixel) == first);
        length = if !plain {
            0
        } else if first == colour {
            length + 1
        } else {
            1
        };
        colour = first.filter(|_| plain);
        longest = longest.max(length);
    }
    longest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_piece_of_one_colour_ends_where_anything_is_drawn() {
        let (white, grey, text) = ([255; 12], [200; 12], [255, 255, 255, 0, 0, 0, 0, 0, 255, 255, 255, 0]);
        let measure = |lines: &[[u8; 12]]| longest_of_one_colour(&lines.concat(), 12);
        assert_eq!(measure(&[white, white, text, white, white, white]), 3);
        assert_eq!(measure(&[white, white, grey, grey, grey, white]), 3);
        assert_eq!(measure(&[text, text]), 0);
        assert_eq!(measure(&[]), 0);
    }
}
