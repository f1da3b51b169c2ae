//! Settings, and what the system around the window does.

use std::fmt;

use serde::{Deserialize, Serialize};
use ts_rs::TS;

use super::{Contrast, Day, Density, Digits, Language, Notices, SendWith, Sound, TextSize, Theme};

dto! {
    /// The settings of this workstation. One that an older version did not write yet is as at the beginning.
    #[serde(default)]
    Settings {
        /// `ar` or `en`.
        language: Language,
        /// Light, dark, or as the system.
        theme: Theme,
        /// Stronger lines and text, or as the system.
        contrast: Contrast,
        /// How close together everything stands.
        density: Density,
        /// How large everything is written.
        text_size: TextSize,
        /// The digits of times and counts in Arabic. What identifies somebody or something always has Western ones.
        digits: Digits,
        /// The key that sends.
        send_with: SendWith,
        /// Whether a single key outside of texts is a shortcut.
        single_keys: bool,
        /// After so many minutes without a key or a pointer the window locks; 0 for never.
        lock_after: u32,
        /// Whether notifications show no name and no text.
        private_notifications: bool,
        /// What a notification sounds like.
        sound: Sound,
        /// When no notification appears.
        quiet: QuietHours,
    }
    /// When no notification appears, by this computer's clock. What is urgent appears without a sound.
    #[serde(default)]
    QuietHours {
        /// Whether there are any.
        on: bool,
        /// From when, in minutes after midnight.
        from: u16,
        /// Until when; not after `from`: on the next day.
        until: u16,
        /// On which days they begin.
        days: Vec<Day>,
    }
    /// What the system around the window does for it.
    SystemState {
        /// Whether it shows notifications.
        notifications: Notices,
        /// Whether it starts this program with itself; `None` where it cannot.
        starts: Option<bool>,
    }
    /// Whether the system should start this program with itself.
    StartWithSystem {
        /// Whether.
        on: bool,
    }
    /// A link that stands in a message or a note, to be opened by the system's browser.
    OpenLink {
        /// As it was written; without a scheme it is meant for `https`.
        link: String,
        /// The host that the person was shown, as programs write it.
        host: String,
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            language: Language::Ar,
            theme: Theme::System,
            contrast: Contrast::System,
            density: Density::Comfortable,
            text_size: TextSize::Normal,
            digits: Digits::Western,
            send_with: SendWith::Enter,
            single_keys: true,
            lock_after: 15,
            private_notifications: false,
            sound: Sound::System,
            quiet: QuietHours::default(),
        }
    }
}

/// Off; and when they are turned on: the night, and the weekend's too.
impl Default for QuietHours {
    fn default() -> Self {
        let days = [Day::Sunday, Day::Monday, Day::Tuesday, Day::Wednesday, Day::Thursday, Day::Friday, Day::Saturday];
        Self { on: false, from: 15 * 60, until: 7 * 60, days: days.to_vec() }
    }
}
