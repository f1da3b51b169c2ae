//! Where the system keeps notifications by itself, as Windows and macOS do: nothing is to be remembered of one, nor to be
//! taken away.

use notify_rust::NotificationHandle;

pub(super) struct Kept;

/// It waits for a click from now on.
pub(super) fn waits(_handle: &NotificationHandle) -> Kept {
    Kept
}

/// It waits no longer.
pub(super) fn is_gone(_shown: Kept) {}

/// Takes nothing from the screen.
pub(super) fn take_away() {}
