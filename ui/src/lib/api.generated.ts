// Generated from crates/desk/src/api.rs. To make it anew: cargo xtask generate

export type CaseId = string;
export type CommandId = string;
export type ConversationId = string;
export type MessageId = string;
export type NoteId = string;
export type StaffId = string;
export type CaseState = "open" | "closed";
export type Role = "agent" | "lead" | "admin";
export type SendError = { 
/**
 * Meta's code, or 0 where there was none.
 */
code: number, 
/**
 * Meta's title or message.
 */
title: string, 
/**
 * Meta's details.
 */
details?: string | null, };
export type Witness = { 
/**
 * Whose journal.
 */
agency: string, 
/**
 * The journal's id.
 */
journal: string, 
/**
 * The last entry's place.
 */
seq: number, 
/**
 * The chain after it, in hex.
 */
chain: string, 
/**
 * When it was signed.
 */
at: number, 
/**
 * The public key, in hex.
 */
key: string, 
/**
 * The signature of [`Witness::signed`], in hex.
 */
signature: string, };
export type Item = { "item": "message" } & MessageItem | { "item": "note" } & Note | { "item": "event" } & Event;
export type Part = { "part": "start", } | { "part": "latest", } | { "part": "before" } & Position | { "part": "from" } & Position | { "part": "around" } & Position;
export type Quote = { "quote": "here" } & Quoted | { "quote": "elsewhere", };
export type Signal = { "event": "changed", 
/**
 * Which.
 */
conversations: Array<ConversationId>, 
/**
 * Whether everything should be asked for again.
 */
all: boolean, } | { "event": "status", } | { "event": "colleagues", } | { "event": "open", 
/**
 * Which.
 */
conversation: ConversationId, } | { "event": "sound", 
/**
 * Which.
 */
sound: Sound, } | { "event": "session", };
export type CallError = { 
/**
 * For the window, which says it in words.
 */
code: ErrorCode, 
/**
 * For the log and for developers; never shown as it is.
 */
message: string, };
export type Nothing = Record<symbol, never>;
export type Start = { 
/**
 * Which screen.
 */
phase: Phase, 
/**
 * Accounts that signed in on this workstation, most recent first.
 */
accounts: Array<Account>, 
/**
 * The settings of this workstation.
 */
settings: Settings, 
/**
 * Who is signed in, when `phase` is `ready`.
 */
me: Me | null, 
/**
 * This program's version.
 */
version: string, 
/**
 * So many commands of people who left go out behind this screen. Whose they are is not said.
 */
going_out: number, 
/**
 * What was kept here for somebody and had to be removed, until somebody signs in.
 */
wiped: Wiped | null, };
export type Wiped = { 
/**
 * When.
 */
at: number, 
/**
 * So many replies, notes and acts were lost with it that the gateway never got.
 */
unsent: number, 
/**
 * So many drafts.
 */
drafts: number, };
export type Account = { 
/**
 * Names it in `unlock`.
 */
id: string, 
/**
 * `https://…` of the gateway.
 */
gateway: string, 
/**
 * The agency's id.
 */
agency: string, 
/**
 * What the person signs in with.
 */
username: string, };
export type Me = { 
/**
 * Their id.
 */
staff: StaffId, 
/**
 * Their name.
 */
name: string, 
/**
 * What they may be.
 */
roles: Array<Role>, 
/**
 * Where they belong.
 */
teams: Array<string>, 
/**
 * The agency's name in Arabic and English.
 */
agency: Name, 
/**
 * What this person may do, so that the window offers nothing that would be refused.
 */
can: Can, };
export type Name = { 
/**
 * Arabic.
 */
ar: string, 
/**
 * English.
 */
en: string, };
export type Can = { 
/**
 * Answer citizens, keep notes, claim, close, reopen.
 */
answer: boolean, 
/**
 * Give a case to somebody.
 */
assign: boolean, 
/**
 * Keep accounts.
 */
administer: boolean, };
export type SignIn = { 
/**
 * `https://…` of the gateway.
 */
gateway: string, 
/**
 * The agency's id.
 */
agency: string, 
/**
 * What the person signs in with.
 */
username: string, 
/**
 * Their password; with a code: the new one.
 */
password: string, 
/**
 * The one-time code of a first sign-in or a reset.
 */
code: string | null, };
export type Unlock = { 
/**
 * `Account::id`.
 */
account: string, 
/**
 * The password.
 */
password: string, };
export type SignOut = { 
/**
 * What becomes of replies that wait to be sent.
 */
parting: Parting, };
export type Lock = Record<symbol, never>;
export type ListConversations = { 
/**
 * Which.
 */
filter: Filter, 
/**
 * In which order.
 */
order: Order, 
/**
 * After so many of them.
 */
skip: number, 
/**
 * At most so many.
 */
limit: number, };
export type ConversationList = { 
/**
 * In that order.
 */
rows: Array<ConversationRow>, 
/**
 * Whether more rows come after these.
 */
more: boolean, 
/**
 * How many conversations each filter holds.
 */
counts: Counts, };
export type Counts = { 
/**
 * Mine.
 */
mine: number, 
/**
 * Nobody's.
 */
unassigned: number, 
/**
 * Of my teams.
 */
team: number, 
/**
 * All open.
 */
open: number, 
/**
 * Closed.
 */
closed: number, 
/**
 * Open ones in which a citizen waits for a reply; the tray shows this.
 */
waiting: number, 
/**
 * Those of them in which WhatsApp's window ends within two hours.
 */
closing: number, };
export type ConversationRow = { 
/**
 * The conversation.
 */
conversation: ConversationId, 
/**
 * Its active case, or the latest one.
 */
case: CaseId, 
/**
 * Where that case stands.
 */
state: CaseState, 
/**
 * The contact.
 */
contact: Contact, 
/**
 * The first of the last message's text, or nothing where it has none.
 */
preview: string | null, 
/**
 * WhatsApp's type of the last message (`text`, `image`, …).
 */
preview_type: string, 
/**
 * Who wrote the last message.
 */
preview_from: Author, 
/**
 * Where our last message stands, if the last message is ours.
 */
status: Delivery | null, 
/**
 * Place of the last message.
 */
at: number, 
/**
 * Its entry: which of two is later that were written in one second.
 */
seq: number, 
/**
 * Messages of the citizen's new to me: since I last looked or, where I never did, since somebody answered.
 */
unread: number, 
/**
 * Whether the citizen waits for a reply.
 */
waiting: boolean, 
/**
 * Since when.
 */
waiting_since: number | null, 
/**
 * Whose it is.
 */
owner: Person | null, 
/**
 * Whether I have a draft here.
 */
draft: boolean, 
/**
 * When WhatsApp's 24 hours end; `None` if the citizen never wrote.
 */
window_ends: number | null, };
export type Contact = { 
/**
 * The name they gave themself on WhatsApp.
 */
name: string | null, 
/**
 * Their number, formatted `+965 6604 1187`; absent where WhatsApp does not show it.
 */
phone: string | null, 
/**
 * Four letters and digits that can be said aloud, for a contact without a visible number.
 */
short_code: string, };
export type Person = { 
/**
 * Their id.
 */
staff: StaffId, 
/**
 * Their name.
 */
name: string, };
export type OpenConversation = { 
/**
 * Which.
 */
conversation: ConversationId, 
/**
 * Which part of it.
 */
part: Part, 
/**
 * At most so many items.
 */
limit: number, };
export type Position = { 
/**
 * The item's place.
 */
place: number, 
/**
 * The item's seq.
 */
seq: number, };
export type ConversationPage = { 
/**
 * The row as in the list.
 */
row: ConversationRow, 
/**
 * The case panel: the active case or the latest.
 */
case: CaseView, 
/**
 * Earlier cases of this conversation that I may see, latest first.
 */
earlier: Array<EarlierCase>, 
/**
 * Oldest first.
 */
items: Array<Item>, 
/**
 * Whether older items exist here.
 */
more: boolean, 
/**
 * Whether newer items exist here. What waits in the outbox stands on a page after which nothing comes.
 */
later: boolean, 
/**
 * The last seq on this page: what `seen` of a reply says.
 */
seen: number, 
/**
 * The last seq of the conversation, on this page or not.
 */
last: number, 
/**
 * Where the first message stands that is new to me, on this page or not.
 */
first_new: Position | null, 
/**
 * My drafts here.
 */
draft: Drafts, };
export type EarlierCase = { 
/**
 * Its id.
 */
case: CaseId, 
/**
 * Its number.
 */
number: string, 
/**
 * Its kind's name.
 */
kind: Name, 
/**
 * Where it stands.
 */
state: CaseState, 
/**
 * When it was opened.
 */
opened_at: number, };
export type CaseView = { 
/**
 * Its id.
 */
case: CaseId, 
/**
 * Its number, `MEW-2026-000184`.
 */
number: string, 
/**
 * Its kind's name.
 */
kind: Name, 
/**
 * Where it stands.
 */
state: CaseState, 
/**
 * Its team's name.
 */
team: Name, 
/**
 * Whose it is.
 */
owner: Person | null, 
/**
 * When it was opened.
 */
opened_at: number, 
/**
 * When it was closed.
 */
closed_at: number | null, 
/**
 * How it ended.
 */
outcome: Name | null, 
/**
 * Acts of mine on it that wait to be sent (`claim`, `close_case`, …).
 */
pending: Array<Pending>, 
/**
 * Its notes, oldest first, waiting ones last.
 */
notes: Array<Note>, };
export type Pending = { 
/**
 * The command's id.
 */
id: CommandId, 
/**
 * Which kind of command.
 */
kind: string, 
/**
 * Why it is stuck, if it is.
 */
refused: Problem | null, };
export type MessageItem = { 
/**
 * Its id; the same from pending to read, so that a row is never mounted anew.
 */
message: MessageId, 
/**
 * Its case.
 */
case: CaseId, 
/**
 * Its seq, 0 while pending.
 */
seq: number, 
/**
 * Where it stands.
 */
place: number, 
/**
 * When the citizen sent it, where that is over two minutes before it arrived; else the same as `place`.
 */
sent_at: number, 
/**
 * Who wrote it.
 */
from: Author, 
/**
 * The colleague who wrote it, for our own messages.
 */
by: Person | null, 
/**
 * WhatsApp's type, an open list.
 */
type: string, 
/**
 * Its text.
 */
text: string | null, 
/**
 * The message that it quotes.
 */
quoted: Quote | null, 
/**
 * How far ours has come.
 */
delivery: Delivery | null, 
/**
 * Since when it has come that far, by the gateway's clock; unknown while it waits here.
 */
delivery_at: number | null, 
/**
 * Why ours is stuck, failed or uncertain.
 */
problem: Problem | null, };
export type Quoted = { 
/**
 * Its id.
 */
message: MessageId, 
/**
 * Where it stands.
 */
place: number, 
/**
 * Its seq.
 */
seq: number, 
/**
 * Who wrote it.
 */
from: Author, 
/**
 * The colleague who wrote it, for our own messages.
 */
by: Person | null, 
/**
 * WhatsApp's type.
 */
type: string, 
/**
 * The first of its text.
 */
text: string | null, };
export type Note = { 
/**
 * Its id.
 */
note: NoteId, 
/**
 * Its case.
 */
case: CaseId, 
/**
 * Its seq, 0 while pending.
 */
seq: number, 
/**
 * When it was written.
 */
place: number, 
/**
 * Who wrote it.
 */
by: Person, 
/**
 * What it says.
 */
text: string, 
/**
 * Whether it waits to be sent to the gateway.
 */
pending: boolean, 
/**
 * Why it is stuck, if it is.
 */
problem: Problem | null, };
export type Event = { 
/**
 * The case.
 */
case: CaseId, 
/**
 * Its seq.
 */
seq: number, 
/**
 * When.
 */
place: number, 
/**
 * What happened.
 */
what: Happened, 
/**
 * Who did it; `None` for the system or the citizen.
 */
by: Person | null, 
/**
 * The case's number.
 */
number: string, 
/**
 * To whom it was given, for `assigned`.
 */
to: Person | null, 
/**
 * How it ended, for `closed`.
 */
outcome: Name | null, };
export type Problem = { 
/**
 * A refusal's or failure's code (`window_closed`, `newer_reply`, `failed`, `uncertain`, …).
 */
code: string, 
/**
 * Meta's own error, for a message that failed.
 */
error: SendError | null, };
export type Drafts = { 
/**
 * The reply.
 */
reply: string, 
/**
 * The internal note.
 */
note: string, };
export type SaveDraft = { 
/**
 * Where.
 */
conversation: ConversationId, 
/**
 * Reply or note.
 */
mode: Mode, 
/**
 * What was typed.
 */
text: string, };
export type SendReply = { 
/**
 * Where.
 */
conversation: ConversationId, 
/**
 * The case it answers.
 */
case: CaseId, 
/**
 * What it says.
 */
text: string, 
/**
 * `ConversationPage::seen` when it was written.
 */
seen: number, };
export type AddNote = { 
/**
 * Where.
 */
conversation: ConversationId, 
/**
 * The case it is on.
 */
case: CaseId, 
/**
 * What it says.
 */
text: string, };
export type Queued = { 
/**
 * The command's id.
 */
id: CommandId, };
export type Claim = { 
/**
 * Which.
 */
case: CaseId, };
export type Release = { 
/**
 * Which.
 */
case: CaseId, };
export type Assign = { 
/**
 * Which.
 */
case: CaseId, 
/**
 * To whom.
 */
staff: StaffId, };
export type CloseCase = { 
/**
 * Which.
 */
case: CaseId, 
/**
 * How, by the pack's slug.
 */
outcome: string, };
export type ReopenCase = { 
/**
 * Which.
 */
case: CaseId, };
export type Retry = { 
/**
 * The command's or message's id.
 */
id: CommandId, 
/**
 * `ConversationPage::seen` now.
 */
seen: number, };
export type Discard = { 
/**
 * The command's or message's id.
 */
id: CommandId, };
export type TakeBack = { 
/**
 * The command's or message's id.
 */
id: CommandId, };
export type TakenBack = { 
/**
 * The drafts with its text, if it was nowhere but here. `None`: the gateway is asked, and the message shows how it
 * ends.
 */
drafts: Drafts | null, };
export type PutBack = { 
/**
 * The command's id.
 */
id: CommandId, };
export type LeaveAsNote = { 
/**
 * Where.
 */
conversation: ConversationId, 
/**
 * Which draft.
 */
mode: Mode, };
export type SeenUpTo = { 
/**
 * Which.
 */
case: CaseId, 
/**
 * Up to where.
 */
seq: number, };
export type SearchAll = { 
/**
 * What was typed.
 */
text: string, 
/**
 * `Found::more` of the page before this one.
 */
below: number | null, 
/**
 * At most so many messages and notes.
 */
limit: number, };
export type Found = { 
/**
 * Citizens by name, number or spoken code, who wrote last first. On the first page alone, and without operators.
 */
people: Array<FoundPerson>, 
/**
 * Cases by number. On the first page alone, and without operators.
 */
cases: Array<FoundCase>, 
/**
 * What I have written and not sent. On the first page alone, and without operators.
 */
unsent: Array<FoundUnsent>, 
/**
 * Messages and notes, newest first.
 */
texts: Array<FoundText>, 
/**
 * There may be more: ask for what is below this.
 */
more: number | null, 
/**
 * Operators whose value was not understood, as they were typed.
 */
unclear: Array<string>, 
/**
 * How much of this machine's history can be searched already, in percent, while that is not all.
 */
indexed: number | null, };
export type FoundPerson = { 
/**
 * Their conversation.
 */
conversation: ConversationId, 
/**
 * Who they are.
 */
contact: Contact, 
/**
 * Their name, marked.
 */
name: Array<Piece> | null, 
/**
 * Their number, marked.
 */
phone: Array<Piece> | null, 
/**
 * Where the conversation's case stands.
 */
state: CaseState, 
/**
 * Whether they wait for a reply.
 */
waiting: boolean, 
/**
 * When something was said last.
 */
at: number, 
/**
 * Whose it is.
 */
owner: Person | null, };
export type FoundCase = { 
/**
 * Its id.
 */
case: CaseId, 
/**
 * Its conversation.
 */
conversation: ConversationId, 
/**
 * Its number, marked.
 */
number: Array<Piece>, 
/**
 * Its kind's name.
 */
kind: Name, 
/**
 * Where it stands.
 */
state: CaseState, 
/**
 * Where it begins in its conversation.
 */
position: Position, 
/**
 * Whose case it is.
 */
contact: Contact, };
export type FoundUnsent = { 
/**
 * What names it among the others.
 */
id: string, 
/**
 * Where; `None` once the conversation is out of sight.
 */
about: About | null, 
/**
 * Reply or note.
 */
mode: Mode, 
/**
 * How far it is.
 */
stage: Stage, 
/**
 * The line around what was found, marked.
 */
text: Array<Piece>, };
export type FoundText = { 
/**
 * Its conversation.
 */
conversation: ConversationId, 
/**
 * The citizen.
 */
contact: Contact, 
/**
 * Its case's number.
 */
number: string, 
/**
 * The message's or note's id.
 */
id: string, 
/**
 * Whether it is an internal note.
 */
note: boolean, 
/**
 * Where it stands.
 */
position: Position, 
/**
 * Who wrote it.
 */
from: Author, 
/**
 * The colleague who wrote it.
 */
by: Person | null, 
/**
 * The line around what was found, marked.
 */
text: Array<Piece>, };
export type Piece = { 
/**
 * It.
 */
text: string, 
/**
 * Whether it is what was asked for.
 */
found: boolean, };
export type SearchIn = { 
/**
 * Which.
 */
conversation: ConversationId, 
/**
 * What was typed.
 */
text: string, };
export type FoundIn = { 
/**
 * Newest first.
 */
spots: Array<Spot>, 
/**
 * Whether there are more than these.
 */
more: boolean, };
export type Spot = { 
/**
 * Where it stands.
 */
position: Position, 
/**
 * The message's or note's id.
 */
id: string, 
/**
 * What of its text was found.
 */
marks: Array<Mark>, };
export type Mark = { 
/**
 * Where it begins.
 */
from: number, 
/**
 * Where it ends.
 */
to: number, };
export type Recent = { 
/**
 * The last first.
 */
texts: Array<string>, };
export type KeepSearch = { 
/**
 * What was typed.
 */
text: string, };
export type AssignableRequest = { 
/**
 * Which case.
 */
case: CaseId, };
export type Assignable = { 
/**
 * By name.
 */
people: Array<Person>, };
export type Outcome = { 
/**
 * The pack's slug.
 */
slug: string, 
/**
 * Its name.
 */
name: Name, };
export type Outcomes = { 
/**
 * In the pack's order.
 */
outcomes: Array<Outcome>, };
export type DeskStatus = { 
/**
 * On line, syncing, or off line.
 */
link: Link, 
/**
 * When the desk last stood at the gateway's head, by the gateway's clock.
 */
synced_at: number | null, 
/**
 * Since when it is off line.
 */
offline_since: number | null, 
/**
 * Commands that wait to be sent.
 */
waiting: number, 
/**
 * Commands that the gateway refused and that wait for the person.
 */
stuck: number, 
/**
 * The gateway's clock less this computer's, in milliseconds.
 */
clock_offset: number, 
/**
 * During a first sync: how far it is.
 */
receiving: Receiving | null, 
/**
 * Why it cannot sync, where the person has to act (`signed_out`, `too_old`).
 */
problem: Problem | null, 
/**
 * Files that were damaged and have been put in order, until the person has read it.
 */
mended: Array<Mended>, };
export type Receiving = { 
/**
 * So many entries have come since it began, or since it was taken up again.
 */
entries: number, 
/**
 * How much of the journal has been gone through, in percent, where the gateway says how long it is.
 */
percent: number | null, 
/**
 * So many milliseconds are left, at this pace.
 */
left: number | null, };
export type FirstSteps = { 
/**
 * What is still before them.
 */
todo: Array<FirstStep>, 
/**
 * The agency's WhatsApp numbers, as people write them.
 */
lines: Array<string>, };
export type StepDone = { 
/**
 * Which.
 */
step: FirstStep, };
export type Unsent = { 
/**
 * What I did, in order.
 */
acts: Array<UnsentAct>, 
/**
 * What I have not finished writing.
 */
drafts: Array<UnsentDraft>, };
export type UnsentAct = { 
/**
 * The command's id.
 */
id: CommandId, 
/**
 * Which kind of command.
 */
kind: string, 
/**
 * What a reply or note says.
 */
text: string | null, 
/**
 * When it was written, by the gateway's clock.
 */
written_at: number, 
/**
 * What will become of it.
 */
fate: Fate, 
/**
 * Whether it is nowhere but here, so that it can be dropped or taken back.
 */
only_here: boolean, 
/**
 * Why it is stuck, if it is.
 */
problem: Problem | null, 
/**
 * Where; `None` once the case is out of sight.
 */
about: About | null, };
export type UnsentDraft = { 
/**
 * Where.
 */
conversation: ConversationId, 
/**
 * Reply or note.
 */
mode: Mode, 
/**
 * What it says so far.
 */
text: string, 
/**
 * Where; `None` once the conversation is out of sight.
 */
about: About | null, };
export type About = { 
/**
 * Which.
 */
conversation: ConversationId, 
/**
 * With whom.
 */
contact: Contact, 
/**
 * The case's number.
 */
number: string, };
export type Storage = { 
/**
 * Where it lies.
 */
folder: string, 
/**
 * Bytes that can be had again from the gateway.
 */
records: number, 
/**
 * Bytes that cannot: drafts, notes and replies not sent.
 */
precious: number, 
/**
 * Bytes of damaged files that were set aside.
 */
aside: number, 
/**
 * How many conversations.
 */
conversations: number, 
/**
 * How many messages.
 */
messages: number, 
/**
 * How many notes.
 */
notes: number, 
/**
 * When the oldest message was written.
 */
since: number | null, 
/**
 * How many drafts.
 */
drafts: number, 
/**
 * How many replies, notes and acts have not reached the gateway.
 */
unsent: number, };
export type Mended = { 
/**
 * When.
 */
at: number, 
/**
 * Which.
 */
file: Kept, 
/**
 * The name under which the damaged file was set aside, in the folder that `storage` names.
 */
aside: string, 
/**
 * So many drafts were saved into the new file.
 */
drafts: number, 
/**
 * So many replies, notes and acts that had not been sent.
 */
unsent: number, 
/**
 * Whether everything in it could be read.
 */
whole: boolean, };
export type Settings = { 
/**
 * `ar` or `en`.
 */
language: Language, 
/**
 * Light, dark, or as the system.
 */
theme: Theme, 
/**
 * Stronger lines and text, or as the system.
 */
contrast: Contrast, 
/**
 * How close together everything stands.
 */
density: Density, 
/**
 * How large everything is written.
 */
text_size: TextSize, 
/**
 * The digits of times and counts in Arabic. What identifies somebody or something always has Western ones.
 */
digits: Digits, 
/**
 * The key that sends.
 */
send_with: SendWith, 
/**
 * Whether a single key outside of texts is a shortcut.
 */
single_keys: boolean, 
/**
 * After so many minutes without a key or a pointer the window locks; 0 for never.
 */
lock_after: number, 
/**
 * Whether notifications show no name and no text.
 */
private_notifications: boolean, 
/**
 * What a notification sounds like.
 */
sound: Sound, 
/**
 * When no notification appears.
 */
quiet: QuietHours, };
export type QuietHours = { 
/**
 * Whether there are any.
 */
on: boolean, 
/**
 * From when, in minutes after midnight.
 */
from: number, 
/**
 * Until when; not after `from`: on the next day.
 */
until: number, 
/**
 * On which days they begin.
 */
days: Array<Day>, };
export type SystemState = { 
/**
 * Whether it shows notifications.
 */
notifications: Notices, 
/**
 * Whether it starts this program with itself; `None` where it cannot.
 */
starts: boolean | null, };
export type StartWithSystem = { 
/**
 * Whether.
 */
on: boolean, };
export type OpenLink = { 
/**
 * As it was written; without a scheme it is meant for `https`.
 */
link: string, 
/**
 * The host that the person was shown, as programs write it.
 */
host: string, };
export type SignedHeads = { 
/**
 * Oldest first.
 */
heads: Array<Witness>, };
export type Colleagues = { 
/**
 * By case.
 */
cases: Array<InCase>, };
export type InCase = { 
/**
 * Which.
 */
case: CaseId, 
/**
 * Who.
 */
colleagues: Array<Colleague>, };
export type Colleague = { 
/**
 * Who.
 */
person: Person, 
/**
 * Whether they are writing; else they read.
 */
typing: boolean, };
export type Showing = { 
/**
 * The open conversation.
 */
conversation: ConversationId | null, 
/**
 * Whether the window has the focus.
 */
focused: boolean, };
export type Phase = "sign_in" | "locked" | "ready";
export type Filter = "mine" | "unassigned" | "team" | "waiting" | "closing" | "open" | "closed";
export type Order = "latest" | "longest";
export type Author = "contact" | "me" | "colleague";
export type Delivery = "waiting" | "stuck" | "queued" | "uncertain" | "sent" | "delivered" | "read" | "failed" | "recalled";
export type Mode = "reply" | "note";
export type Parting = "keep_sending" | "hand_over";
export type Fate = "next" | "after" | "taken" | "stuck";
export type FirstStep = "answer" | "share";
export type Stage = "draft" | "waiting" | "stuck";
export type Kept = "records" | "precious";
export type Happened = "opened" | "assigned" | "released" | "closed" | "reopened";
export type Link = "connecting" | "syncing" | "live" | "offline";
export type Language = "ar" | "en";
export type Theme = "system" | "light" | "dark";
export type Contrast = "system" | "more";
export type Density = "comfortable" | "normal" | "compact";
export type TextSize = "normal" | "large" | "larger" | "largest";
export type Digits = "western" | "arabic_indic";
export type Sound = "off" | "system" | "bell" | "drop";
export type Day = "sunday" | "monday" | "tuesday" | "wednesday" | "thursday" | "friday" | "saturday";
export type Notices = "shown" | "paused" | "forbidden" | "missing" | "unknown";
export type SendWith = "enter" | "ctrl_enter";
export type ErrorCode = "bad_request" | "not_signed_in" | "wrong_password" | "code_expired" | "weak_password" | "slow_down" | "unreachable" | "bad_address" | "not_a_gateway" | "too_old" | "lease_expired" | "no_keychain" | "bad_file" | "not_found" | "bad_text" | "bad_link" | "failed";

export interface Commands {
  start: { request: Nothing; response: Start };
  sign_in: { request: SignIn; response: Start };
  unlock: { request: Unlock; response: Start };
  lock: { request: Lock; response: Start };
  sign_out: { request: SignOut; response: Start };
  conversations: { request: ListConversations; response: ConversationList };
  conversation: { request: OpenConversation; response: ConversationPage };
  save_draft: { request: SaveDraft; response: Nothing };
  send_reply: { request: SendReply; response: Queued };
  add_note: { request: AddNote; response: Queued };
  claim: { request: Claim; response: Queued };
  release: { request: Release; response: Queued };
  assign: { request: Assign; response: Queued };
  close_case: { request: CloseCase; response: Queued };
  reopen_case: { request: ReopenCase; response: Queued };
  retry: { request: Retry; response: Nothing };
  discard: { request: Discard; response: Nothing };
  take_back: { request: TakeBack; response: TakenBack };
  put_back: { request: PutBack; response: Nothing };
  leave_as_note: { request: LeaveAsNote; response: Queued };
  unsent: { request: Nothing; response: Unsent };
  storage: { request: Nothing; response: Storage };
  clear_cache: { request: Nothing; response: Nothing };
  mended_read: { request: Nothing; response: Nothing };
  seen_up_to: { request: SeenUpTo; response: Nothing };
  assignable: { request: AssignableRequest; response: Assignable };
  outcomes: { request: Nothing; response: Outcomes };
  first_steps: { request: Nothing; response: FirstSteps };
  step_done: { request: StepDone; response: Nothing };
  status: { request: Nothing; response: DeskStatus };
  set_settings: { request: Settings; response: Settings };
  system: { request: Nothing; response: SystemState };
  start_with_system: { request: StartWithSystem; response: SystemState };
  try_notification: { request: Nothing; response: Nothing };
  open_link: { request: OpenLink; response: Nothing };
  signed_heads: { request: Nothing; response: SignedHeads };
  colleagues: { request: Nothing; response: Colleagues };
  search: { request: SearchAll; response: Found };
  search_in: { request: SearchIn; response: FoundIn };
  recent_searches: { request: Nothing; response: Recent };
  keep_search: { request: KeepSearch; response: Nothing };
  forget_searches: { request: Nothing; response: Nothing };
  showing: { request: Showing; response: Nothing };
}
