//! The list of typed commands through which the interface asks: `name(Request) → Response`.
//!
//! This is the only door between the interface and the desk. The desktop shell hands each call to [`crate::Desk::call`];
//! the development host serves the same list over loopback HTTP. TypeScript's side is generated from here
//! (`ui/src/lib/api.generated.ts`); a test fails when the two differ.

use std::fmt;

use domain::{
    entry::SendError,
    ids::{CaseId, CommandId, ConversationId, MessageId, Millis, NoteId, Seq, StaffId},
    wire::Witness,
    words::{CaseState, Role, Status},
};
use serde::{Deserialize, Serialize};
use ts_rs::TS;

macro_rules! dto {
    ($declare:ident; $($(#[$doc:meta])* $name:ident { $($(#[$fdoc:meta])* $field:ident : $type:ty),* $(,)? })*) => {$(
        #[derive(Clone, PartialEq, Serialize, Deserialize, TS)]
        $(#[$doc])*
        pub struct $name { $($(#[$fdoc])* pub $field: $type,)* }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                let mut shown = f.debug_struct(stringify!($name));
                $(match (stringify!($name), stringify!($field)) {
                    // What opens an account stands in no log.
                    (_, "password") | ("SignIn", "code") => shown.field(stringify!($field), &"…"),
                    _ => shown.field(stringify!($field), &self.$field),
                };)*
                shown.finish()
            }
        }
    )*

    fn $declare(config: &ts_rs::Config) -> Vec<String> {
        vec![$(<$name as TS>::decl(config)),*]
    }};
}

dto! {
    declare_records;
    /// Nothing to ask, or nothing to answer.
    Nothing {}

    // ── Start and session ────────────────────────────────────────────────────────────────────────────────────────

    /// What the window should show first.
    Start {
        /// Which screen.
        phase: Phase,
        /// Accounts that signed in on this workstation, most recent first.
        accounts: Vec<Account>,
        /// The settings of this workstation.
        settings: Settings,
        /// Who is signed in, when `phase` is `ready`.
        me: Option<Me>,
        /// This program's version.
        version: String,
        /// So many commands of people who left go out behind this screen. Whose they are is not said.
        going_out: u32,
        /// What was kept here for somebody and had to be removed, until somebody signs in.
        wiped: Option<Wiped>,
    }
    /// This computer was shut out by the administration, and has removed what it kept for that account.
    Wiped {
        /// When.
        at: Millis,
        /// So many replies, notes and acts were lost with it that the gateway never got.
        unsent: u32,
        /// So many drafts.
        drafts: u32,
    }
    /// An account that has signed in here before.
    Account {
        /// Names it in `unlock`.
        id: String,
        /// `https://…` of the gateway.
        gateway: String,
        /// The agency's id.
        agency: String,
        /// What the person signs in with.
        username: String,
    }
    /// Who is signed in.
    Me {
        /// Their id.
        staff: StaffId,
        /// Their name.
        name: String,
        /// What they may be.
        roles: Vec<Role>,
        /// Where they belong.
        teams: Vec<String>,
        /// The agency's name in Arabic and English.
        agency: Name,
        /// What this person may do, so that the window offers nothing that would be refused.
        can: Can,
    }
    /// A name in both languages.
    Name {
        /// Arabic.
        ar: String,
        /// English.
        en: String,
    }
    /// What a person may do.
    Can {
        /// Answer citizens, keep notes, claim, close, reopen.
        answer: bool,
        /// Give a case to somebody.
        assign: bool,
        /// Keep accounts.
        administer: bool,
    }
    /// Signs in on line; with a one-time code it also sets the password.
    SignIn {
        /// `https://…` of the gateway.
        gateway: String,
        /// The agency's id.
        agency: String,
        /// What the person signs in with.
        username: String,
        /// Their password; with a code: the new one.
        password: String,
        /// The one-time code of a first sign-in or a reset.
        code: Option<String>,
    }
    /// Opens an account's file with its password; works off line.
    Unlock {
        /// `Account::id`.
        account: String,
        /// The password.
        password: String,
    }
    /// Signs this device out.
    SignOut {
        /// What becomes of replies that wait to be sent.
        parting: Parting,
    }
    /// Shows nothing more until the password is given again. The desk goes on receiving and sending.
    Lock {}

    // ── The list ─────────────────────────────────────────────────────────────────────────────────────────────────

    /// Asks for rows of the list.
    ListConversations {
        /// Which.
        filter: Filter,
        /// In which order.
        order: Order,
        /// After so many of them.
        skip: u32,
        /// At most so many.
        limit: u32,
    }
    /// Rows of the list and the figures on the filters.
    ConversationList {
        /// In that order.
        rows: Vec<ConversationRow>,
        /// Whether more rows come after these.
        more: bool,
        /// How many conversations each filter holds.
        counts: Counts,
    }
    /// How many conversations each filter holds.
    Counts {
        /// Mine.
        mine: u32,
        /// Nobody's.
        unassigned: u32,
        /// Of my teams.
        team: u32,
        /// All open.
        open: u32,
        /// Closed.
        closed: u32,
        /// Open ones in which a citizen waits for a reply; the tray shows this.
        waiting: u32,
        /// Those of them in which WhatsApp's window ends within two hours.
        closing: u32,
    }
    /// One row: a conversation, shown by its active or latest case.
    ConversationRow {
        /// The conversation.
        conversation: ConversationId,
        /// Its active case, or the latest one.
        case: CaseId,
        /// Where that case stands.
        state: CaseState,
        /// The contact.
        contact: Contact,
        /// The first of the last message's text, or nothing where it has none.
        preview: Option<String>,
        /// WhatsApp's type of the last message (`text`, `image`, …).
        preview_type: String,
        /// Who wrote the last message.
        preview_from: Author,
        /// Where our last message stands, if the last message is ours.
        status: Option<Delivery>,
        /// Place of the last message.
        at: Millis,
        /// Its entry: which of two is later that were written in one second.
        seq: Seq,
        /// Messages new to me.
        unread: u32,
        /// Whether the citizen waits for a reply.
        waiting: bool,
        /// Since when.
        waiting_since: Option<Millis>,
        /// Whose it is.
        owner: Option<Person>,
        /// Whether I have a draft here.
        draft: bool,
        /// When WhatsApp's 24 hours end; `None` if the citizen never wrote.
        window_ends: Option<Millis>,
    }
    /// A citizen as the desk knows them.
    Contact {
        /// The name they gave themself on WhatsApp.
        name: Option<String>,
        /// Their number, formatted `+965 6604 1187`; absent where WhatsApp does not show it.
        phone: Option<String>,
        /// Four letters and digits that can be said aloud, for a contact without a visible number.
        short_code: String,
    }
    /// A member of staff by name.
    Person {
        /// Their id.
        staff: StaffId,
        /// Their name.
        name: String,
    }

    // ── The conversation ─────────────────────────────────────────────────────────────────────────────────────────

    /// Asks for a page of a conversation.
    OpenConversation {
        /// Which.
        conversation: ConversationId,
        /// Which part of it.
        part: Part,
        /// At most so many items.
        limit: u32,
    }
    /// Where an item stands: by place, then seq. Pending ones have no seq and stand last.
    Position {
        /// The item's place.
        place: Millis,
        /// The item's seq.
        seq: Seq,
    }
    /// A page of a conversation.
    ConversationPage {
        /// The row as in the list.
        row: ConversationRow,
        /// The case panel: the active case or the latest.
        case: CaseView,
        /// Earlier cases of this conversation that I may see, latest first.
        earlier: Vec<EarlierCase>,
        /// Oldest first.
        items: Vec<Item>,
        /// Whether older items exist here.
        more: bool,
        /// Whether newer items exist here. What waits in the outbox stands on a page after which nothing comes.
        later: bool,
        /// The last seq on this page: what `seen` of a reply says.
        seen: Seq,
        /// The first item that was new to me when I opened it.
        first_new: Option<Seq>,
        /// My drafts here.
        draft: Drafts,
    }
    /// An earlier case.
    EarlierCase {
        /// Its id.
        case: CaseId,
        /// Its number.
        number: String,
        /// Its kind's name.
        kind: Name,
        /// Where it stands.
        state: CaseState,
        /// When it was opened.
        opened_at: Millis,
    }
    /// The case as the panel shows it.
    CaseView {
        /// Its id.
        case: CaseId,
        /// Its number, `MEW-2026-000184`.
        number: String,
        /// Its kind's name.
        kind: Name,
        /// Where it stands.
        state: CaseState,
        /// Its team's name.
        team: Name,
        /// Whose it is.
        owner: Option<Person>,
        /// When it was opened.
        opened_at: Millis,
        /// When it was closed.
        closed_at: Option<Millis>,
        /// How it ended.
        outcome: Option<Name>,
        /// Acts of mine on it that wait to be sent (`claim`, `close_case`, …).
        pending: Vec<Pending>,
        /// Its notes, oldest first, waiting ones last.
        notes: Vec<Note>,
    }
    /// An act that waits in the outbox, or that the gateway refused.
    Pending {
        /// The command's id.
        id: CommandId,
        /// Which kind of command.
        kind: String,
        /// Why it is stuck, if it is.
        refused: Option<Problem>,
    }
    /// A message in the conversation.
    MessageItem {
        /// Its id; the same from pending to read, so that a row is never mounted anew.
        message: MessageId,
        /// Its case.
        case: CaseId,
        /// Its seq, 0 while pending.
        seq: Seq,
        /// Where it stands.
        place: Millis,
        /// When the citizen sent it, where that is over two minutes before it arrived; else the same as `place`.
        sent_at: Millis,
        /// Who wrote it.
        from: Author,
        /// The colleague who wrote it, for our own messages.
        by: Option<Person>,
        /// WhatsApp's type, an open list.
        r#type: String,
        /// Its text.
        text: Option<String>,
        /// The message that it quotes.
        quoted: Option<Quote>,
        /// How far ours has come.
        delivery: Option<Delivery>,
        /// Why ours is stuck, failed or uncertain.
        problem: Option<Problem>,
    }
    /// A message that another one quotes.
    Quoted {
        /// Its id.
        message: MessageId,
        /// Where it stands.
        place: Millis,
        /// Its seq.
        seq: Seq,
        /// Who wrote it.
        from: Author,
        /// The colleague who wrote it, for our own messages.
        by: Option<Person>,
        /// WhatsApp's type.
        r#type: String,
        /// The first of its text.
        text: Option<String>,
    }
    /// A note, in the conversation and in the panel.
    Note {
        /// Its id.
        note: NoteId,
        /// Its case.
        case: CaseId,
        /// Its seq, 0 while pending.
        seq: Seq,
        /// When it was written.
        place: Millis,
        /// Who wrote it.
        by: Person,
        /// What it says.
        text: String,
        /// Whether it waits to be sent to the gateway.
        pending: bool,
        /// Why it is stuck, if it is.
        problem: Option<Problem>,
    }
    /// Something that happened to a case, as a thin line in the conversation.
    Event {
        /// The case.
        case: CaseId,
        /// Its seq.
        seq: Seq,
        /// When.
        place: Millis,
        /// What happened.
        what: Happened,
        /// Who did it; `None` for the system or the citizen.
        by: Option<Person>,
        /// The case's number.
        number: String,
        /// To whom it was given, for `assigned`.
        to: Option<Person>,
        /// How it ended, for `closed`.
        outcome: Option<Name>,
    }
    /// What went wrong, by code; the window says it in words.
    Problem {
        /// A refusal's or failure's code (`window_closed`, `newer_reply`, `failed`, `uncertain`, …).
        code: String,
        /// Meta's own error, for a message that failed.
        error: Option<SendError>,
    }
    /// My drafts in a conversation: on this workstation alone.
    Drafts {
        /// The reply.
        reply: String,
        /// The internal note.
        note: String,
    }

    // ── Acts ─────────────────────────────────────────────────────────────────────────────────────────────────────

    /// Keeps a draft; an empty text drops it.
    SaveDraft {
        /// Where.
        conversation: ConversationId,
        /// Reply or note.
        mode: Mode,
        /// What was typed.
        text: String,
    }
    /// Queues a reply. It is on screen at once; the draft is dropped in the same transaction.
    SendReply {
        /// Where.
        conversation: ConversationId,
        /// The case it answers.
        case: CaseId,
        /// What it says.
        text: String,
        /// `ConversationPage::seen` when it was written.
        seen: Seq,
    }
    /// Queues a note. The note's draft is dropped in the same transaction.
    AddNote {
        /// Where.
        conversation: ConversationId,
        /// The case it is on.
        case: CaseId,
        /// What it says.
        text: String,
    }
    /// The id under which an act waits in the outbox.
    Queued {
        /// The command's id.
        id: CommandId,
    }
    /// Takes a case.
    Claim {
        /// Which.
        case: CaseId,
    }
    /// Gives a case back to the queue.
    Release {
        /// Which.
        case: CaseId,
    }
    /// Gives a case to somebody.
    Assign {
        /// Which.
        case: CaseId,
        /// To whom.
        staff: StaffId,
    }
    /// Ends a case.
    CloseCase {
        /// Which.
        case: CaseId,
        /// How, by the pack's slug.
        outcome: String,
    }
    /// Opens a closed case again.
    ReopenCase {
        /// Which.
        case: CaseId,
    }
    /// Tries a stuck command again, with what the person has on screen now. For a reply that is `uncertain`: sends it
    /// once more.
    Retry {
        /// The command's or message's id.
        id: CommandId,
        /// `ConversationPage::seen` now.
        seen: Seq,
    }
    /// Drops a command that is nowhere but here: it never left, or is stuck. For a reply that is `uncertain`: settles that
    /// it was sent.
    Discard {
        /// The command's or message's id.
        id: CommandId,
    }
    /// Takes a reply back that has not gone to WhatsApp yet, or a note that has not gone to the gateway. What is nowhere but
    /// here becomes the draft again; of a reply that may be at the gateway, the gateway is asked.
    TakeBack {
        /// The command's or message's id.
        id: CommandId,
    }
    /// What came of taking something back.
    TakenBack {
        /// The drafts with its text, if it was nowhere but here. `None`: the gateway is asked, and the message shows how it
        /// ends.
        drafts: Option<Drafts>,
    }
    /// Takes back that a command was dropped.
    PutBack {
        /// The command's id.
        id: CommandId,
    }
    /// Leaves a draft behind as an internal note on the conversation's case, for colleagues.
    LeaveAsNote {
        /// Where.
        conversation: ConversationId,
        /// Which draft.
        mode: Mode,
    }
    /// Says up to where I have seen a case.
    SeenUpTo {
        /// Which.
        case: CaseId,
        /// Up to where.
        seq: Seq,
    }

    // ── Search ───────────────────────────────────────────────────────────────────────────────────────────────────

    /// Searches everything on this workstation: words, names, numbers, and operators (`from:`, `قبل:` …).
    SearchAll {
        /// What was typed.
        text: String,
        /// `Found::more` of the page before this one.
        below: Option<Seq>,
        /// At most so many messages and notes.
        limit: u32,
    }
    /// What was found on this workstation.
    Found {
        /// Citizens by name, number or spoken code, who wrote last first. On the first page alone, and without operators.
        people: Vec<FoundPerson>,
        /// Cases by number. On the first page alone, and without operators.
        cases: Vec<FoundCase>,
        /// What I have written and not sent. On the first page alone, and without operators.
        unsent: Vec<FoundUnsent>,
        /// Messages and notes, newest first.
        texts: Vec<FoundText>,
        /// There may be more: ask for what is below this.
        more: Option<Seq>,
        /// Operators whose value was not understood, as they were typed.
        unclear: Vec<String>,
        /// How much of this machine's history can be searched already, in percent, while that is not all.
        indexed: Option<u32>,
    }
    /// A citizen who was found.
    FoundPerson {
        /// Their conversation.
        conversation: ConversationId,
        /// Who they are.
        contact: Contact,
        /// Their name, marked.
        name: Option<Vec<Piece>>,
        /// Their number, marked.
        phone: Option<Vec<Piece>>,
        /// Where the conversation's case stands.
        state: CaseState,
        /// Whether they wait for a reply.
        waiting: bool,
        /// When something was said last.
        at: Millis,
        /// Whose it is.
        owner: Option<Person>,
    }
    /// A case that was found by its number.
    FoundCase {
        /// Its id.
        case: CaseId,
        /// Its conversation.
        conversation: ConversationId,
        /// Its number, marked.
        number: Vec<Piece>,
        /// Its kind's name.
        kind: Name,
        /// Where it stands.
        state: CaseState,
        /// Where it begins in its conversation.
        position: Position,
        /// Whose case it is.
        contact: Contact,
    }
    /// Something of mine that was found and has not gone: a draft, a reply, a note.
    FoundUnsent {
        /// What names it among the others.
        id: String,
        /// Where; `None` once the conversation is out of sight.
        about: Option<About>,
        /// Reply or note.
        mode: Mode,
        /// How far it is.
        stage: Stage,
        /// The line around what was found, marked.
        text: Vec<Piece>,
    }
    /// A message or a note that was found.
    FoundText {
        /// Its conversation.
        conversation: ConversationId,
        /// The citizen.
        contact: Contact,
        /// Its case's number.
        number: String,
        /// The message's or note's id.
        id: String,
        /// Whether it is an internal note.
        note: bool,
        /// Where it stands.
        position: Position,
        /// Who wrote it.
        from: Author,
        /// The colleague who wrote it.
        by: Option<Person>,
        /// The line around what was found, marked.
        text: Vec<Piece>,
    }
    /// A piece of a text.
    Piece {
        /// It.
        text: String,
        /// Whether it is what was asked for.
        found: bool,
    }
    /// Searches one conversation.
    SearchIn {
        /// Which.
        conversation: ConversationId,
        /// What was typed.
        text: String,
    }
    /// Where in a conversation something stands.
    FoundIn {
        /// Newest first.
        spots: Vec<Spot>,
        /// Whether there are more than these.
        more: bool,
    }
    /// A message or a note in which something was found.
    Spot {
        /// Where it stands.
        position: Position,
        /// The message's or note's id.
        id: String,
        /// What of its text was found.
        marks: Vec<Mark>,
    }
    /// A part of a text, counted in UTF-16.
    Mark {
        /// Where it begins.
        from: u32,
        /// Where it ends.
        to: u32,
    }
    /// What this person searched for lately.
    Recent {
        /// The last first.
        texts: Vec<String>,
    }
    /// Keeps what was searched for.
    KeepSearch {
        /// What was typed.
        text: String,
    }

    // ── Choices, status, settings ────────────────────────────────────────────────────────────────────────────────

    /// Those to whom a case may be given.
    AssignableRequest {
        /// Which case.
        case: CaseId,
    }
    /// Those to whom a case may be given.
    Assignable {
        /// By name.
        people: Vec<Person>,
    }
    /// An outcome with which a case may be closed.
    Outcome {
        /// The pack's slug.
        slug: String,
        /// Its name.
        name: Name,
    }
    /// Outcomes with which a case may be closed.
    Outcomes {
        /// In the pack's order.
        outcomes: Vec<Outcome>,
    }
    /// What the foot says.
    DeskStatus {
        /// On line, syncing, or off line.
        link: Link,
        /// When the desk last stood at the gateway's head, by the gateway's clock.
        synced_at: Option<Millis>,
        /// Since when it is off line.
        offline_since: Option<Millis>,
        /// Commands that wait to be sent.
        waiting: u32,
        /// Commands that the gateway refused and that wait for the person.
        stuck: u32,
        /// The gateway's clock less this computer's, in milliseconds.
        clock_offset: Millis,
        /// During a first sync: how far it is.
        receiving: Option<Receiving>,
        /// Why it cannot sync, where the person has to act (`signed_out`, `too_old`).
        problem: Option<Problem>,
        /// Files that were damaged and have been put in order, until the person has read it.
        mended: Vec<Mended>,
    }
    /// A first sync under way.
    Receiving {
        /// So many entries have come since it began, or since it was taken up again.
        entries: u32,
        /// How much of the journal has been gone through, in percent, where the gateway says how long it is.
        percent: Option<u32>,
        /// So many milliseconds are left, at this pace.
        left: Option<Millis>,
    }
    /// What somebody who begins is led to, until they have done each once, or know it.
    FirstSteps {
        /// What is still before them.
        todo: Vec<FirstStep>,
        /// The agency's WhatsApp numbers, as people write them.
        lines: Vec<String>,
    }
    /// The person needs not be led to this any more.
    StepDone {
        /// Which.
        step: FirstStep,
    }
    /// Everything of mine on this computer that has not reached the gateway.
    Unsent {
        /// What I did, in order.
        acts: Vec<UnsentAct>,
        /// What I have not finished writing.
        drafts: Vec<UnsentDraft>,
    }
    /// A reply, a note or an act that waits.
    UnsentAct {
        /// The command's id.
        id: CommandId,
        /// Which kind of command.
        kind: String,
        /// What a reply or note says.
        text: Option<String>,
        /// When it was written, by the gateway's clock.
        written_at: Millis,
        /// What will become of it.
        fate: Fate,
        /// Whether it is nowhere but here, so that it can be dropped or taken back.
        only_here: bool,
        /// Why it is stuck, if it is.
        problem: Option<Problem>,
        /// Where; `None` once the case is out of sight.
        about: Option<About>,
    }
    /// A draft.
    UnsentDraft {
        /// Where.
        conversation: ConversationId,
        /// Reply or note.
        mode: Mode,
        /// What it says so far.
        text: String,
        /// Where; `None` once the conversation is out of sight.
        about: Option<About>,
    }
    /// The conversation of something that waits.
    About {
        /// Which.
        conversation: ConversationId,
        /// With whom.
        contact: Contact,
        /// The case's number.
        number: String,
    }
    /// What is kept on this computer for me.
    Storage {
        /// Where it lies.
        folder: String,
        /// Bytes that can be had again from the gateway.
        records: u64,
        /// Bytes that cannot: drafts, notes and replies not sent.
        precious: u64,
        /// Bytes of damaged files that were set aside.
        aside: u64,
        /// How many conversations.
        conversations: u32,
        /// How many messages.
        messages: u32,
        /// How many notes.
        notes: u32,
        /// When the oldest message was written.
        since: Option<Millis>,
        /// How many drafts.
        drafts: u32,
        /// How many replies, notes and acts have not reached the gateway.
        unsent: u32,
    }
    /// A file was damaged and has been put in order.
    Mended {
        /// When.
        at: Millis,
        /// Which.
        file: Kept,
        /// The name under which the damaged file was set aside, in the folder that `storage` names.
        aside: String,
        /// So many drafts were saved into the new file.
        drafts: u32,
        /// So many replies, notes and acts that had not been sent.
        unsent: u32,
        /// Whether everything in it could be read.
        whole: bool,
    }
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
    /// The heads that the gateway has signed and this desk has kept: evidence against a rewritten journal.
    SignedHeads {
        /// Oldest first.
        heads: Vec<Witness>,
    }
    /// The colleagues who read or write at this moment.
    Colleagues {
        /// By case.
        cases: Vec<InCase>,
    }
    /// The colleagues in a case.
    InCase {
        /// Which.
        case: CaseId,
        /// Who.
        colleagues: Vec<Colleague>,
    }
    /// A colleague who reads a case now, or writes in it.
    Colleague {
        /// Who.
        person: Person,
        /// Whether they are writing; else they read.
        typing: bool,
    }
    /// What this window shows now, so that nobody is notified of what is before their eyes, and colleagues see who reads.
    Showing {
        /// The open conversation.
        conversation: Option<ConversationId>,
        /// Whether the window has the focus.
        focused: bool,
    }
}

macro_rules! words {
    ($declare:ident; $($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident),* $(,)? })*) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize, TS)]
        #[serde(rename_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),* }
    )*

    fn $declare(config: &ts_rs::Config) -> Vec<String> {
        vec![$(<$name as TS>::decl(config)),*]
    }};
}

words! {
    declare_words;
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

/// Which part of a conversation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "part", rename_all = "snake_case")]
pub enum Part {
    /// The latest items.
    Latest {},
    /// Those right before this place.
    Before(Position),
    /// Those from this place on.
    From(Position),
    /// Half of them before this place, and half from there on. A day is a place, too: its first moment, with no seq.
    Around(Position),
}

/// What a message quotes.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "quote", rename_all = "snake_case")]
pub enum Quote {
    /// A message that this person may see, and that is here.
    Here(Quoted),
    /// One that is not here: older than what this desk keeps, or of a case that this person does not see.
    Elsewhere {},
}

/// One item of a conversation, in order of place and seq.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "item", rename_all = "snake_case")]
pub enum Item {
    /// A message.
    Message(MessageItem),
    /// An internal note.
    Note(Note),
    /// Something that happened to a case.
    Event(Event),
}

/// What the desk tells the window without being asked. It carries ids, not data: the window asks again for what it
/// shows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Signal {
    /// These conversations changed, and the figures on the filters may have. `all` after a catch-up.
    Changed {
        /// Which.
        conversations: Vec<ConversationId>,
        /// Whether everything should be asked for again.
        all: bool,
    },
    /// `status` has something new to say.
    Status {},
    /// `colleagues` has something new to say.
    Colleagues {},
    /// Open this conversation: its notification was clicked.
    Open {
        /// Which.
        conversation: ConversationId,
    },
    /// Let this sound be heard: a notification appeared.
    Sound {
        /// Which.
        sound: Sound,
    },
    /// Signed out, locked or unlocked: ask `start` again.
    Session {},
}

/// What went wrong with a call. Only codes that the window acts on exist.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize, TS, thiserror::Error)]
#[error("{code:?}: {message}")]
pub struct CallError {
    /// For the window, which says it in words.
    pub code: ErrorCode,
    /// For the log and for developers; never shown as it is.
    pub message: String,
}

words! {
    declare_errors;
    /// What went wrong with a call.
    ErrorCode {
        /// The request does not fit the command: a defect.
        BadRequest,
        /// No file is open.
        NotSignedIn,
        /// The password, or the one-time code, is wrong.
        WrongPassword,
        /// The one-time code has run out.
        CodeExpired,
        /// The new password is too short or too common.
        WeakPassword,
        /// Too many tries; wait.
        SlowDown,
        /// The gateway cannot be reached.
        Unreachable,
        /// The gateway's address is not an address, or not a safe one.
        BadAddress,
        /// What is there is not a gateway that this program can speak to.
        NotAGateway,
        /// The gateway asks for a newer program.
        TooOld,
        /// The lease has run out: this file opens only once the gateway has answered.
        LeaseExpired,
        /// The system's keychain does not answer.
        NoKeychain,
        /// The file cannot be read: damaged, or written by a newer version.
        BadFile,
        /// What was named is not here.
        NotFound,
        /// The text is empty or too long.
        BadText,
        /// The link is no address of a site, or does not lead where the person was told.
        BadLink,
        /// Anything else: a defect, or a disk that is full.
        Failed,
    }
}

/// Declares the commands once: the enum of requests, the dispatcher and TypeScript's list come from it, so a command
/// without a handler does not compile.
macro_rules! commands {
    ($($(#[$doc:meta])* $name:ident($request:ty) -> $response:ty;)*) => {
        /// What handles the commands.
        pub trait Handler: Send + Sync {
            $($(#[$doc])* fn $name(&self, request: $request) -> impl Future<Output = Result<$response, CallError>> + Send;)*
        }

        /// Every command's name.
        pub const COMMANDS: &[&str] = &[$(stringify!($name)),*];

        /// Reads the request by the command's name, lets `handler` answer it, and writes the answer.
        pub async fn dispatch(handler: &impl Handler, name: &str, request: serde_json::Value) -> Result<serde_json::Value, CallError> {
            let bad = |error: serde_json::Error| CallError { code: ErrorCode::BadRequest, message: error.to_string() };
            match name {
                $(stringify!($name) => {
                    let request: $request = serde_json::from_value(request).map_err(bad)?;
                    serde_json::to_value(handler.$name(request).await?).map_err(bad)
                })*
                _ => Err(CallError { code: ErrorCode::BadRequest, message: format!("No command {name:?}") }),
            }
        }

        /// The lines of TypeScript's list of commands: `name: { request: …; response: … };`.
        fn declare_commands(config: &ts_rs::Config) -> Vec<String> {
            vec![$(format!("  {}: {{ request: {}; response: {} }};", stringify!($name), <$request>::name(config), <$response>::name(config))),*]
        }
    };
}

/// TypeScript's side of this file, whole.
pub fn typescript() -> String {
    let config = ts_rs::Config::default().with_large_int("number");
    let mut types = vec![
        CaseId::decl(&config),
        CommandId::decl(&config),
        ConversationId::decl(&config),
        MessageId::decl(&config),
        NoteId::decl(&config),
        StaffId::decl(&config),
        CaseState::decl(&config),
        Role::decl(&config),
        SendError::decl(&config),
        Witness::decl(&config),
        Item::decl(&config),
        Part::decl(&config),
        Quote::decl(&config),
        Signal::decl(&config),
        CallError::decl(&config),
    ];
    types.extend(declare_records(&config));
    types.extend(declare_words(&config));
    types.extend(declare_errors(&config));
    let types: String = types.iter().map(|line| format!("export {line}\n")).collect();
    format!(
        "// Generated from crates/desk/src/api.rs. To make it anew: cargo xtask generate\n\n{types}\nexport interface Commands {{\n{}\n}}\n",
        declare_commands(&config).join("\n")
    )
}

commands! {
    /// What the window should show first.
    start(Nothing) -> Start;
    /// Signs in on line.
    sign_in(SignIn) -> Start;
    /// Opens an account's file, also off line.
    unlock(Unlock) -> Start;
    /// Closes the file.
    lock(Lock) -> Start;
    /// Signs this device out.
    sign_out(SignOut) -> Start;
    /// Rows of the list.
    conversations(ListConversations) -> ConversationList;
    /// A page of a conversation.
    conversation(OpenConversation) -> ConversationPage;
    /// Keeps a draft.
    save_draft(SaveDraft) -> Nothing;
    /// Queues a reply.
    send_reply(SendReply) -> Queued;
    /// Queues a note.
    add_note(AddNote) -> Queued;
    /// Takes a case.
    claim(Claim) -> Queued;
    /// Gives a case back to the queue.
    release(Release) -> Queued;
    /// Gives a case to somebody.
    assign(Assign) -> Queued;
    /// Ends a case.
    close_case(CloseCase) -> Queued;
    /// Opens a closed case again.
    reopen_case(ReopenCase) -> Queued;
    /// Tries a stuck or uncertain command again.
    retry(Retry) -> Nothing;
    /// Drops what is nowhere but here, or settles an uncertain reply as sent.
    discard(Discard) -> Nothing;
    /// Takes a reply or a note back.
    take_back(TakeBack) -> TakenBack;
    /// Takes back that a command was dropped.
    put_back(PutBack) -> Nothing;
    /// Leaves a draft behind as an internal note.
    leave_as_note(LeaveAsNote) -> Queued;
    /// Everything of mine that has not reached the gateway.
    unsent(Nothing) -> Unsent;
    /// What is kept on this computer.
    storage(Nothing) -> Storage;
    /// Throws away what can be had again, and has it again. Drafts and what waits stay.
    clear_cache(Nothing) -> Nothing;
    /// The person has read that files were put in order.
    mended_read(Nothing) -> Nothing;
    /// Says up to where I have seen a case.
    seen_up_to(SeenUpTo) -> Nothing;
    /// Those to whom a case may be given.
    assignable(AssignableRequest) -> Assignable;
    /// Outcomes with which a case may be closed.
    outcomes(Nothing) -> Outcomes;
    /// What somebody who begins is led to.
    first_steps(Nothing) -> FirstSteps;
    /// The person needs not be led to it any more.
    step_done(StepDone) -> Nothing;
    /// What the foot says.
    status(Nothing) -> DeskStatus;
    /// Changes the settings of this workstation.
    set_settings(Settings) -> Settings;
    /// What the system around the window does for it.
    system(Nothing) -> SystemState;
    /// Has this program started with the system, or not any more.
    start_with_system(StartWithSystem) -> SystemState;
    /// Shows a notification as they would be shown now.
    try_notification(Nothing) -> Nothing;
    /// Has the system's browser open a link.
    open_link(OpenLink) -> Nothing;
    /// The signed heads that were kept, for `shubbak-gateway verify --witness`.
    signed_heads(Nothing) -> SignedHeads;
    /// Who else reads or writes now.
    colleagues(Nothing) -> Colleagues;
    /// Searches everything on this workstation.
    search(SearchAll) -> Found;
    /// Searches one conversation.
    search_in(SearchIn) -> FoundIn;
    /// What this person searched for lately.
    recent_searches(Nothing) -> Recent;
    /// Keeps what was searched for, once something of it was opened.
    keep_search(KeepSearch) -> Nothing;
    /// Forgets what was searched for.
    forget_searches(Nothing) -> Nothing;
    /// Says what is before the person's eyes.
    showing(Showing) -> Nothing;
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    #[test]
    fn what_opens_an_account_is_not_shown() {
        let secret = || "canary".to_owned();
        let (gateway, agency, username) = ("https://g".to_owned(), "mew".to_owned(), "lead".to_owned());
        let sign_in = super::SignIn { gateway, agency, username, password: secret(), code: Some(secret()) };
        let unlock = super::Unlock { account: "a".into(), password: secret() };
        let shown = format!("{sign_in:?} {unlock:?}");
        assert!(shown.contains("lead") && !shown.contains("canary"), "{shown}");
    }

    /// `SHUBBAK_GENERATE=1` writes the file instead of comparing it.
    #[test]
    fn typescript_agrees_with_the_commands() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../ui/src/lib/api.generated.ts");
        let wanted = super::typescript();
        if std::env::var_os("SHUBBAK_GENERATE").is_some() {
            std::fs::write(&path, &wanted).unwrap();
        }
        let found = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(found == wanted, "{} is out of date: cargo xtask generate", path.display());
    }
}
