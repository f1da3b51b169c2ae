//! The words that requests and answers choose from.

use domain::words::Status;
use serde::{Deserialize, Serialize};
use ts_rs::TS;

words! {
    /// Which screen the window shows first.
    Phase {
        /// Nobody has signed in on this workstation, or wants to as somebody else.
        SignIn,
        /// An account's file is here, and closed.
        Locked,
        /// Signed in, and the file is open.
        Ready,
    }
    /// Which conversations.
    Filter {
        /// Open, and mine.
        Mine,
        /// Open, and nobody's.
        Unassigned,
        /// Open, and of one of my teams.
        Team,
        /// Those in which a citizen waits for a reply.
        Waiting,
        /// Those of them in which WhatsApp's window ends within two hours.
        Closing,
        /// All open ones that I may see.
        Open,
        /// Closed.
        Closed,
    }
    /// In which order the list stands.
    Order {
        /// What was written into last comes first.
        Latest,
        /// Who has waited longest for a reply comes first.
        Longest,
    }
    /// Who wrote a message.
    Author {
        /// The citizen.
        Contact,
        /// I.
        Me,
        /// A colleague.
        Colleague,
    }
    /// How far a message of ours has come, from the outbox to the citizen's eyes.
    Delivery {
        /// In the outbox of this workstation.
        Waiting,
        /// The gateway refused it; a person has to look.
        Stuck,
        /// At the gateway, not accepted by WhatsApp yet.
        Queued,
        /// Nobody knows whether WhatsApp got it.
        Uncertain,
        /// WhatsApp has it.
        Sent,
        /// On the citizen's telephone.
        Delivered,
        /// Read by the citizen.
        Read,
        /// It will not arrive.
        Failed,
        /// Taken back before it went.
        Recalled,
    }
    /// What the composer writes.
    Mode {
        /// A reply, to the citizen.
        Reply,
        /// An internal note.
        Note,
    }
    /// What becomes of replies that wait, when their writer signs out.
    Parting {
        /// They go on being sent behind the lock until they are out.
        KeepSending,
        /// They become internal notes on their cases, for colleagues.
        HandOver,
    }
    /// What will become of something that waits.
    Fate {
        /// It goes as soon as the gateway can be reached.
        Next,
        /// It goes after what was written before it in this conversation.
        After,
        /// The gateway has it; the answer has not come round yet.
        Taken,
        /// It waits for the person.
        Stuck,
    }
    /// What a person does for the first time.
    FirstStep {
        /// Answers a citizen.
        Answer,
        /// Gives a case to somebody.
        Share,
    }
    /// How far something is that has not gone.
    Stage {
        /// Being written.
        Draft,
        /// It goes by itself.
        Waiting,
        /// It waits for the person.
        Stuck,
    }
    /// A file of mine.
    Kept {
        /// What can be had again from the gateway.
        Records,
        /// Drafts, and what has not been sent.
        Precious,
    }
    /// What happened to a case.
    Happened {
        /// Opened.
        Opened,
        /// Given to somebody, or taken.
        Assigned,
        /// Given back to the queue.
        Released,
        /// Closed.
        Closed,
        /// Reopened.
        Reopened,
    }
    /// How the desk stands to the gateway.
    Link {
        /// Not tried yet.
        Connecting,
        /// Catching up.
        Syncing,
        /// In step, and listening.
        Live,
        /// Not reachable.
        Offline,
    }
    /// The interface's language.
    Language {
        /// Arabic.
        Ar,
        /// English.
        En,
    }
    /// Light or dark.
    Theme {
        /// As the system says.
        System,
        /// Light.
        Light,
        /// Dark.
        Dark,
    }
    /// How strongly lines and text stand out.
    Contrast {
        /// As the system says.
        System,
        /// Strongly.
        More,
    }
    /// How close together everything stands.
    Density {
        /// With room.
        Comfortable,
        /// Closer.
        Normal,
        /// As close as can be read, without avatars in the list.
        Compact,
    }
    /// How large everything is written.
    TextSize {
        /// 14 pixels for most.
        Normal,
        /// 16.
        Large,
        /// 18.
        Larger,
        /// 20.
        Largest,
    }
    /// How numbers are written.
    Digits {
        /// 0123456789.
        Western,
        /// ٠١٢٣٤٥٦٧٨٩.
        ArabicIndic,
    }
    /// What a notification sounds like.
    Sound {
        /// Nothing.
        Off,
        /// What the system has for messages.
        System,
        /// Two high tones.
        Bell,
        /// One soft, low tone.
        Drop,
    }
    /// A day of the week, from the first of Kuwait's.
    Day {
        /// الأحد.
        Sunday,
        /// الاثنين.
        Monday,
        /// الثلاثاء.
        Tuesday,
        /// الأربعاء.
        Wednesday,
        /// الخميس.
        Thursday,
        /// الجمعة.
        Friday,
        /// السبت.
        Saturday,
    }
    /// Whether the system shows notifications.
    Notices {
        /// As far as it says, it does.
        Shown,
        /// Its person asked not to be disturbed.
        Paused,
        /// Its settings forbid them to this program.
        Forbidden,
        /// Nothing here shows notifications.
        Missing,
        /// It does not say.
        Unknown,
    }
    /// The key that sends.
    SendWith {
        /// Enter; Shift+Enter makes a new line.
        Enter,
        /// Ctrl+Enter; Enter makes a new line.
        CtrlEnter,
    }
}

impl Delivery {
    /// What the person at the desk is told of a status in the journal.
    pub fn of(status: Status) -> Self {
        match status {
            Status::Queued | Status::Sending => Self::Queued,
            Status::Uncertain => Self::Uncertain,
            Status::Sent => Self::Sent,
            Status::Delivered => Self::Delivered,
            Status::Read | Status::Played => Self::Read,
            Status::Failed => Self::Failed,
            Status::Recalled => Self::Recalled,
        }
    }
}
