//! How much of everything.

/// How much of everything.
pub(crate) struct Sizes {
    /// Webhooks of P1 and P3.
    pub(crate) webhooks: usize,
    /// Citizens who write them.
    pub(crate) citizens: usize,
    /// Seconds of P2.
    pub(crate) answer_seconds: usize,
    /// Desks, and sign-ins at once.
    pub(crate) desks: usize,
    /// Accounts that the sign-ins are spread over.
    pub(crate) accounts: usize,
    /// Seconds of P4.
    pub(crate) fan_out_seconds: usize,
    /// Entries that each desk lacks in P5.
    pub(crate) behind: usize,
    /// Conversations on the desk of P6 and of the window.
    pub(crate) conversations: usize,
    /// Messages that the fresh desk of P6 lacks.
    pub(crate) fresh: usize,
    /// Messages of the one long conversation.
    pub(crate) long: usize,
    /// Messages that are stored at the desk in all when the window is measured.
    pub(crate) stored: usize,
    /// Searches of P8.
    pub(crate) searches: usize,
    /// How often a window is started.
    pub(crate) starts: usize,
    /// How often the long conversation is opened.
    pub(crate) openings: usize,
    /// Keys that are pressed in the composer.
    pub(crate) keys: usize,
    /// How long each pane is scrolled.
    pub(crate) scroll_seconds: u64,
    /// Conversations that are opened before memory is looked at.
    pub(crate) opened: usize,
}

/// What docs/performance.md shows.
pub(crate) const FULL: Sizes = Sizes {
    webhooks: 60_000,
    citizens: 10_000,
    answer_seconds: 5,
    desks: 1000,
    accounts: 50,
    fan_out_seconds: 20,
    behind: 500,
    conversations: 10_000,
    fresh: 100_000,
    long: 100_000,
    stored: 1_000_000,
    searches: 700,
    starts: 7,
    openings: 100,
    keys: 200,
    scroll_seconds: 15,
    opened: 200,
};

/// Enough to see that it runs.
pub(crate) const QUICK: Sizes = Sizes {
    webhooks: 8000,
    citizens: 2000,
    answer_seconds: 3,
    desks: 100,
    accounts: 10,
    fan_out_seconds: 4,
    behind: 100,
    conversations: 500,
    fresh: 3000,
    long: 2000,
    stored: 8000,
    searches: 70,
    starts: 2,
    openings: 10,
    keys: 40,
    scroll_seconds: 4,
    opened: 30,
};
