# The words are those of the desk: one word for one thing.

app-name = Shubbak
app-tagline = The front desk on WhatsApp

## Start and session

signin-title = Sign in
signin-hint = Your administrator gives you these details.
signin-known = Signed in here before
signin-gateway = Gateway address
signin-agency = Agency code
signin-username = Username
signin-password = Password
signin-submit = Sign in
signin-busy = Signing in…
signin-have-code = I have a first-time code
signin-no-code = I have a password
signin-back = Back to the lock screen
code-title = First sign-in
code-hint = Type the code your administrator gave you, then choose your password.
code-code = First-time code
code-password = New password
code-repeat = New password again
code-rule-length = { $count ->
    [0] At least 15 characters. A phrase of several words is easier to keep and stronger
    [one] At least 15 characters, { $count } written so far
   *[other] At least 15 characters, { $count } written so far
}
code-rule-same = Both are the same
code-rule-own = Not used anywhere else. Pasting from a password manager is fine
code-submit = Save password and sign in
password-show = Show password
password-hide = Hide password
locked-title = Locked
locked-hint = Type your password to go on. This works without a network.
locked-submit = Unlock
locked-busy = Unlocking…
locked-other = Sign in with another account
again = Try again

## What went wrong with a call: what happened, and what to do next

error-bad_request = This request was not understood. Restart the program; if it happens again, tell support.
error-not_signed_in = Your session has ended. Sign in again.
error-wrong_password = The username, password or code is not right. Check them and the keyboard language, then try again.
error-code_expired = The code has expired. Ask your administrator for a new one.
error-weak_password = The password is too short or too common. Choose at least 15 characters that are hard to guess.
error-slow_down = Too many tries in a row. Wait a minute, then try again.
error-unreachable = The gateway cannot be reached. Check the network, then try again.
error-bad_address = This gateway address is not valid. It begins with https://, as your administrator gave it.
error-not_a_gateway = There is no Shubbak gateway at this address. Check how it is written.
error-too_old = This version of the program is too old. Ask support for the update. What has not been sent is kept.
error-lease_expired = It is too long since the gateway was last reached. Connect to the network, then sign in.
error-no_keychain = The system’s keychain does not answer. Unlock it or restart the computer, then try again.
error-bad_file = This account’s file cannot be read. Delete nothing, and tell support.
error-not_found = This is no longer available to you. The screen was brought up to date.
error-bad_text = The text is empty or longer than allowed. Change it, then try again.
error-bad_link = This link is not opened from here: it is no address of a site, or does not lead where it seems to.
error-failed = This could not be done; nothing you wrote is lost. Try again; if it happens again, tell support.
error-dismiss = Hide this message

## The rail

rail = Main navigation
rail-inbox = Inbox
rail-language = العربية
rail-language-label = التبديل إلى العربية
rail-theme = Theme
theme-system = As the system
theme-light = Light
theme-dark = Dark
me-menu = My account: { $name }
me-keys = Keyboard shortcuts
me-lock = Lock
me-sign-out = Sign out
role-agent = Agent
role-lead = Team lead
role-admin = Administrator
sign-out-title = Sign out of this computer?
sign-out-text = Your drafts stay here, encrypted, until you sign in again.
sign-out-waiting = { $count ->
    [one] One thing has not reached the gateway yet.
   *[other] { $count } things have not reached the gateway yet.
}
cancel = Cancel

## The list

list = Conversations
filters = Filter conversations
filter-mine = Mine
filter-unassigned = Unassigned
filter-team = My team
filter-open = Open
filter-waiting = Waiting
filter-closing = Closing soon
filter-closed = Closed
order-latest = Latest
order-longest = Longest wait
list-gathered = { $count ->
    [one] New in { $count } conversation
   *[other] New in { $count } conversations
}
unread = { $count ->
    [one] { $count } new message
   *[other] { $count } new messages
}
row-draft = Draft
row-waiting = Waiting for a reply
row-from-me = You:
row-from-colleague = Colleague:
row-left = { $left } left
row-owner = With { $name }
row-nobody = Unassigned
contact-code = Contact { $code }
list-load-error = The conversations cannot be shown.
empty-mine-title = No conversations with you now
empty-mine-text = What is assigned to you or what you claim appears here. Look at the unassigned ones to claim one.
empty-mine-act = Show unassigned
empty-unassigned-title = Nothing waits to be claimed
empty-unassigned-text = Everything that came in has an owner. What is new appears here as it arrives.
empty-open-title = No open conversations
empty-open-text = When a citizen writes to the agency’s number, the conversation appears here at once.
empty-team-title = Nothing for your team now
empty-team-text = What is your team’s shows here, whoever has it.
empty-waiting-title = Nobody waits for a reply
empty-waiting-text = Everybody who wrote has an answer. Who writes next shows here.
empty-closing-title = No window is about to close
empty-closing-text = Who waits for a reply with less than two hours of WhatsApp’s window left shows here.
empty-closed-title = No closed conversations
empty-closed-text = What is closed moves here, and can be opened again.
syncing-title = Receiving the agency’s journal
syncing-text = This happens once on this computer. You can begin with what has arrived.
syncing-left = About { $left } left
syncing-soon = Less than a minute left
syncing-count = { $count ->
    [0] Nothing has arrived yet
    [one] { $count } entry has arrived
   *[other] { $count } entries have arrived
}

## The conversation

nothing-open-title = Choose a conversation from the list
nothing-open-text = The arrow keys move through the list, Enter opens.
conversation = Conversation with { $name }
conversation-close = Close the conversation and go back to the list
conversation-load-error = This conversation cannot be shown.
window-left = { $left } left to reply freely
window-over = WhatsApp window is over
window-never = The citizen has not written yet
older-loading = Loading older messages…
older-none = Beginning of the conversation
new-marker = New
jump-new = { $count ->
    [0] To the latest
    [one] { $count } new message
   *[other] { $count } new messages
}
quote-go = Go to the original message
quote-elsewhere = The quoted message is not on this computer
present-writes = { $more ->
    [0] { $name } is writing…
   *[other] { $name } +{ $more } writing…
}
present-reads = { $more ->
    [0] { $name } is reading
   *[other] { $name } +{ $more } reading
}
comma = { ", " }
heard-message = New message from { $name }: { $text }
message-from-contact = { $name }, { $time }
message-from-me = You, { $time }
day-today = Today
day-yesterday = Yesterday
moment = { $day }, { $time }
hours = { $count ->
    [one] { $count } hour
   *[other] { $count } hours
}
minutes = { $count ->
    [one] { $count } minute
   *[other] { $count } minutes
}
late-arrival = written { $sent }, arrived { $arrived }
delivery-waiting = not sent yet
delivery-stuck = not sent
delivery-queued = being sent
delivery-uncertain = not certain
delivery-sent = sent
delivery-delivered = delivered
delivery-read = read
delivery-failed = could not be sent
delivery-since = { $state } ({ $time })
delivery-recalled = taken back, not sent
not-shown = A message of type { $type }, not shown yet
not-shown-hint = The message is kept whole; you can ask the citizen what it says.
type-text = text
type-image = photo
type-audio = voice message
type-video = video
type-document = document
type-sticker = sticker
type-location = location
type-contacts = contacts
type-reaction = reaction
type-interactive = choice from a list
type-button = button
type-order = order
type-system = notice from WhatsApp
type-unsupported = not supported by WhatsApp
type-unknown = { $type }
note-label = Internal note
note-pending = Not kept at the gateway yet
event-opened = Opened as { $number }
event-claimed = Claimed by { $to }
event-assigned = Assigned to { $to } by { $by }
event-assigned-plain = Assigned to { $to }
event-released = Given back to the queue by { $by }
event-released-plain = Given back to the queue
event-closed = Closed by { $by }: { $outcome }
event-closed-plain = Closed: { $outcome }
event-closed-bare = Closed
event-reopened = Reopened by { $by }
event-reopened-plain = Reopened
you = you
you-first = You
you-after = { $name } (you)

## Why something is stuck, failed or uncertain

problem-failed = WhatsApp did not accept it.
problem-uncertain = The connection broke while sending; nobody knows whether WhatsApp got it. Look at the citizen’s answers before sending it again.
problem-window_closed = The WhatsApp window (24 hours) ended before it was sent. It opens again when the citizen writes.
problem-newer_reply = A colleague replied before you. Read that reply, then send again or drop yours.
problem-case_moved = The case changed or moved before this was sent. Look at it, then try again.
problem-stale = Written over an hour ago, and the citizen wrote since. Look again, then send.
problem-behind = Waits behind a stuck message.
problem-forbidden = Your role does not allow this. Ask the team lead.
problem-invalid = The gateway did not take this. Look at it, then try again.
problem-unknown_command = The gateway does not know this act yet. Tell support.
problem-id_reused = This act was recorded before with other content. Drop it and write it again.
problem-owned = A colleague has this case. Ask the team lead to assign it to you.
problem-closed = The case is closed. Reopen it, then try again.
problem-restored = The gateway was restored from a backup that does not hold this. The citizen may have received it all the same: look before sending it again.
problem-too_late = It was on its way already and could not be taken back.
problem-not_uncertain = It is known what became of this message; nothing is left to do.
problem-not_found = This case is no longer available to you.
problem-not_closed = The case is already open.
problem-signed_out = The gateway has ended your session; nothing comes or goes.
foot-sign-in = Give your password
problem-revoked = The administration closed this computer’s access. What was kept here is being removed.
problem-too_old = The gateway asks for a newer version of the program. Ask support for the update. What has not been sent is kept.
problem-other = The gateway refused it ({ $code }). Try again; if it happens again, tell support.
send-error-131026 = It cannot reach this citizen: the number is not on WhatsApp, or its version is old. Use another way.
send-error-131047 = The WhatsApp window (24 hours) is over. It opens again when the citizen writes.
send-error-131048 = WhatsApp restricts this number for now. Tell your administrator.
send-error-131050 = The citizen has stopped this kind of message.
send-error-131056 = Too many messages to this citizen in a short time. Wait a little, then write it again.
send-error-130429 = This number sends faster than allowed. Wait a little, then write it again.
send-error-190 = The agency’s link to WhatsApp has expired. Tell your administrator.
send-error-368 = WhatsApp has blocked the agency’s account for now. Tell your administrator.
send-error-131031 = WhatsApp has locked the agency’s account. Tell your administrator.
send-error-131042 = There is a payment problem with the agency’s WhatsApp account. Tell your administrator.
send-error-130403 = The agency has blocked this citizen. Tell your administrator.
send-error-other = WhatsApp did not accept it: { $title } ({ $code }).
act-retry = Try again
act-take-back = Take back to draft
act-recall = Take back
act-undo = Undo
act-drop = Drop
act-was-sent = It was sent
act-send-again = Send it again
act-write-again = Write it again

## The composer

composer = Compose
mode-reply = Reply
mode-note = Internal note
composer-reply-placeholder = Write your reply to the citizen…
composer-note-placeholder = A note for your colleagues. It never reaches the citizen…
composer-reply-label = Text of the reply
composer-note-label = Text of the internal note
composer-send = Send
composer-add-note = Add note
composer-saved = Draft saved
composer-keys = Enter sends, Shift+Enter makes a new line
composer-left = { $count ->
    [one] { $count } character left
   *[other] { $count } characters left
}
composer-over = { $count ->
    [one] { $count } character too long
   *[other] { $count } characters too long
}
composer-beside = { $name } is writing a reply here now. The citizen may get two answers.
composer-overtaken = { $name } answered while you were writing:
composer-overtaken-again = Read it, then send again if yours is still needed.
lock-window = 24 hours have passed since the citizen last wrote. WhatsApp takes no reply until they write again.
lock-never = The citizen has not written yet, so WhatsApp takes no message to them.
lock-closed = This case is closed. Reopen it to reply.
lock-draft = Your draft is kept.
read-only = Your role may read only.

## The case

case = Case
case-panel = Case details
case-number = Case number
case-state = State
case-open = Open
case-closed = Closed
case-team = Team
case-owner = Handled by
case-nobody = Nobody yet
case-opened-at = Opened
case-closed-at = Closed
case-outcome = Outcome
case-notes = Internal notes
case-notes-none = No notes yet. Write one in the composer.
case-earlier = Earlier cases
case-pending = Waiting to be sent: { $act }
case-refused = Not accepted: { $act }
case-more = Case details
case-less = Fold details
act-claim = Claim
act-release = Give back to the queue
act-release-short = Release
act-assign = Assign
act-assign-to = Assign to
act-assign-none = Nobody in this team can take it.
act-close = Close
act-close-how = How did it end?
act-reopen = Reopen
act-close_case = Close
act-reopen_case = Reopen
act-other = Act

## Actions: what can be done by keyboard, in palette, sheet and tooltips

tip = { $words } ({ $keys })
group-case = The case
group-conversation = The conversation
group-list = The list
group-window = The window
do-claim = Claim the case
do-assign = Assign to somebody
do-release = Give back to the queue
do-close = Close the case
do-reopen = Reopen the case
do-copy-number = Copy the case number
do-copy-phone = Copy the phone number
do-reply = Write a reply
do-note = Write an internal note
do-next = Open the next conversation
do-previous = Open the previous conversation
do-next-waiting = Open the next one waiting for a reply
do-date = Go to a day
do-copy-figure = Copy a number from the messages
do-link = Open a link from the messages
do-order = Change the order: latest or longest wait
do-latest = Jump to the latest message
do-first-new = Jump to the first new message
do-trouble = Go to the stuck message
do-recall = Take back the last reply before it goes
do-details = Show or fold the case details
do-shut = Close the conversation
do-list = Go to the list
do-gathered = Take in what is new in the list
do-select = Select the conversation
do-select-all = Select all conversations
do-select-none = Clear the selection
do-filter-mine = Show mine
do-filter-unassigned = Show unassigned
do-filter-team = Show my team’s
do-filter-open = Show open
do-filter-waiting = Show who waits
do-filter-closing = Show windows about to close
do-filter-closed = Show closed
do-palette = All commands
do-keys = Keyboard shortcuts
do-settings = Settings
do-settings-words = Settings: language and numbers
do-settings-look = Settings: look
do-settings-keyboard = Settings: writing and shortcuts
do-settings-notifications = Settings: notifications
do-settings-computer = Settings: this computer
do-try-notification = Try a notification
do-private = Private notifications on or off
do-language = Switch the language: العربية
do-theme = Change the theme: light, dark
do-contrast = High contrast on or off
do-density = Change the density
do-larger = Larger text
do-smaller = Smaller text
do-usual-size = Usual text size
do-lock = Lock the screen
do-sign-out = Sign out
habit-arrows = Move in the list
habit-ends = First and last in the list
habit-enter = Open the conversation
habit-more = Select more
habit-all = Select all
habit-escape = Back out: selection, writing, conversation
habit-send = Send
habit-newline = New line
palette = Commands
palette-short = Commands
palette-placeholder = A command or a name…
palette-choose = { $act }: choose, or type a few letters…
palette-on = Acts on { $name }
palette-on-many = { $count ->
    [one] Acts on { $count } conversation
   *[other] Acts on { $count } conversations
}
palette-found = Results
palette-open = Open:{ " " }
palette-now = as it is now
palette-none = Nothing by these words. Try another word, in Arabic or English.
keys-title = Keyboard shortcuts
keys-or = or
keys-single = Single keys work outside of text alone. They can be turned off in the settings.
keys-no-single = Single keys are turned off in the settings.
sheet-close = Close
copied-number = Case number copied: { $text }
copied-phone = Phone number copied: { $text }
copied-figure = Number copied: { $text }
copied-not = The clipboard does not answer. Select the text and copy it.
selected = { $count ->
    [one] { $count } conversation selected
   *[other] { $count } conversations selected
}
selected-acts = Acts on the selected
selected-clear = Clear selection
row-selected = selected
no-number = No visible number
no-number-hint = WhatsApp does not show this person’s number. Use the code when you speak of them.
message-more = Show the whole message
message-less = Fold the message
link-host = Leads to { $host }
link-opened = Opened in the browser: { $host }
link-ask-title = Open this link?
link-ask-confirm = Open in the browser
link-ask-leads = It leads to this site, and to no other that is named in it:
link-ask-text = Type no password and no number into a site that you do not know.
figure-copy = Copy { $text }
composer-keys-ctrl = Ctrl+Enter sends, Enter makes a new line

## Settings

rail-settings = Settings
settings-title = Settings
section-words = Language and numbers
settings-language = Language of the window
settings-language-ar = العربية
settings-language-en = English
settings-digits = Digits in Arabic
settings-digits-hint = For times and counts. Phone numbers and case numbers stay as they are.
digits-western = 123
digits-arabic_indic = ١٢٣
section-look = Look
settings-theme = Theme
settings-contrast = Contrast
contrast-system = As the system
contrast-more = High
settings-text-size = Text size
text-size-normal = Normal
text-size-large = Large
text-size-larger = Larger
text-size-largest = Largest
settings-density = Density
density-comfortable = Comfortable
density-normal = Normal
density-compact = Compact
section-keyboard = Writing and shortcuts
settings-send-with = Sending
send-with-enter = Enter
send-with-ctrl_enter = Ctrl+Enter
settings-single-keys = Single-key shortcuts
settings-single-keys-hint = Such as J for the next conversation. Never while you write.
section-notifications = Notifications
section-computer = This computer
settings-private = Private notifications
settings-private-hint = Neither the name nor the text is shown, only the case number.
settings-sound = Sound
settings-sound-hint = The two of ours are heard as soon as they are chosen, the system's with a trial notification.
sound-system = The system's
sound-bell = Bell
sound-drop = Soft tone
sound-off = None
settings-quiet = Quiet hours
settings-quiet-hint = Nothing pops up, and the count goes on. A case assigned to you by name, and one with less than an hour left to answer on WhatsApp, appear without a sound.
quiet-from = From
quiet-until = until
quiet-days = Days on which they begin
quiet-no-day = No day is chosen, so no day is quiet.
day-sunday = Sun
day-monday = Mon
day-tuesday = Tue
day-wednesday = Wed
day-thursday = Thu
day-friday = Fri
day-saturday = Sat
notices-shown = The system shows notifications
notices-shown-hint = Try one to see what it looks like on this computer.
notices-paused = The system is set to 'do not disturb'
notices-paused-hint = Nothing will pop up until that is turned off in the system's settings.
notices-forbidden = The system blocks Shubbak's notifications
notices-forbidden-hint = Allow them in the system's settings, under notifications.
notices-missing = Nothing here shows notifications
notices-missing-hint = Ask your support to run a notification server on this system.
notices-unknown = It is not known whether the system shows notifications
notices-unknown-hint = Try one. If it does not appear, look at notifications in the system's settings.
notices-try = Try one
notices-tried = Sent. If it did not appear, look at notifications in the system's settings.
settings-start = Start Shubbak with the system
settings-start-hint = It starts in the background when you sign in to the computer. Notifications come once it is unlocked.
settings-start-unknown = This copy cannot be started with the system.
settings-place = The window's place and size are remembered when the program ends.

## The foot

foot = Sync state
foot-connecting = Connecting to the gateway…
foot-syncing = Receiving what is new…
foot-synced = Last synced { $time }
foot-live = Connected
foot-offline = Off line since { $time }
foot-offline-bare = Off line
foot-waiting = { $count ->
    [one] One message waiting to go
   *[other] { $count } messages waiting to go
}
foot-stuck = { $count ->
    [one] One stuck act needs you
   *[other] { $count } stuck acts need you
}

## Notifications of the system, said by the desk

notify-new = New { $kind } from { $name }
notify-wrote = { $name } wrote again
notify-given = Assigned to you: { $number }
notify-closing = Less than an hour left to answer { $name } on WhatsApp
notify-private = A new message
notify-private-given = A case was assigned to you
notify-private-closing = Less than an hour left for a reply that someone waits for
notify-private-body = { $number }. Open Shubbak to read it.
notify-missed = A great deal came at once
notify-trial = A trial notification
notify-trial-body = This is how Shubbak's notifications look on this computer.
notify-not-text = ({ $type })
notify-many = { $count ->
    [one] { $count } conversation needs you
   *[other] { $count } conversations need you
}
notify-many-body = Open Shubbak to see what is new.

## The tray and the system, beside the window

tray-open = Open Shubbak
tray-quit = Quit Shubbak
tray-waiting = { $count ->
    [0] Shubbak: nobody waits for a reply
    [one] Shubbak: { $count } conversation waits for a reply
   *[other] Shubbak: { $count } conversations wait for a reply
}
notification-open = Open the conversation

## Search: over everything on this machine, and in one conversation

do-search = Search everything
do-find = Search this conversation
search-short = Search
search-field = Search people, messages, cases
search-placeholder = A word, a name, a telephone or case number
search-people = Citizens
search-cases = Cases
search-texts = Messages and internal notes
search-unsent = Not sent yet
search-recent = You searched for
search-narrow = Narrow it down
search-operator-from = from
search-operator-before = before
search-operator-since = since
search-operator-owner = owner
search-operator-state = state
search-hint-from = who wrote: a citizen, a colleague, or “me”
search-hint-before = a date: 2026-11-01, 1/11/2026, “today” or “yesterday”
search-hint-since = that day and later
search-hint-owner = whose case it is, “me”, or “nobody”
search-hint-state = open, closed or waiting
search-waits = Waiting
search-closed = Closed
search-none-title = Nothing found on this machine
search-none-text = Try a part of the word or name, or the last four digits of the number. What is older than the first sync is not kept here.
search-going = Looking further back…
stage-draft = Draft
stage-waiting = Waiting to go
stage-stuck = Stuck
search-unclear = Not understood: { $text }
search-indexing = Older conversations are being made searchable: { $percent }%
search-forget = Clear searches
find = Search the conversation
find-placeholder = Search this conversation
find-none = No results
find-count = { $at } of { $count }
find-count-more = { $at } of more than { $count }
find-older = Older
find-newer = Newer
find-close = End the search

## What has not reached the gateway, several people at one computer, what is kept here

unsent-title = What has not reached the gateway
unsent-stuck = Needs you
unsent-waiting = Waiting to go
unsent-drafts = Drafts
unsent-none-title = Nothing is waiting
unsent-none-text = Everything you wrote and did here has reached the gateway.
unsent-unseen = A conversation that is no longer yours to see
unsent-open = Open the conversation
unsent-copy = Copy the text
unsent-leave = Leave as a note
unsent-dropped = Dropped.
unsent-undo = Put back
copied-text = Text copied
fate-next = On its way to the gateway now.
fate-offline = Goes by itself as soon as the gateway can be reached.
fate-offline-reply = Goes by itself as soon as the gateway can be reached. If it is old by then and the citizen has written again, it comes back to you first.
fate-after = Goes after what you wrote before it in this conversation.
fate-taken = The gateway has it; its answer is on the way.
fate-stuck = Stuck.
fate-draft = On this computer alone, until you send it.
fate-draft-unseen = On this computer alone. You can copy it or drop it; a note would reach nobody.
clock-slow = This computer’s clock is { $time } slow.
clock-fast = This computer’s clock is { $time } fast.
clock-rule = Times go by the gateway’s clock.
do-unsent = What has not reached the gateway
parting = What becomes of it?
parting-keep_sending = Keep sending
parting-hand_over = Hand over
parting-hint-keep_sending = It goes on being sent behind the lock until it is out. If this computer is turned off first, it waits for your next sign-in here. What is stuck waits for you.
parting-hint-hand_over = Replies that have not gone become internal notes on their cases, so that a colleague can answer. Nothing more goes to citizens in your name.
going-out = { $count ->
    [one] Something of the person who was here is still being sent. Please leave the computer on.
   *[other] { $count } things of the person who was here are still being sent. Please leave the computer on.
}
wiped = The administration closed this computer’s access. What was kept here for that account was removed ({ $time }).
wiped-lost = Lost with it: drafts ({ $drafts }), not sent ({ $unsent }).
mended-records = A damaged file was found ({ $time }). It was set aside, and what it held is received again from the gateway. Nothing of yours is lost.
mended-whole = The file with your drafts was damaged ({ $time }). Everything in it was saved: drafts ({ $drafts }), not sent ({ $unsent }).
mended-part = The file with your drafts was damaged ({ $time }). Saved: drafts ({ $drafts }), not sent ({ $unsent }). Some may be lost: look whether anything is missing. The damaged file is kept for support.
mended-read = I have read this
settings-lock-after = Lock after
settings-lock-after-hint = When nobody touches keys or mouse. A locked desk goes on receiving, and its notifications show no content.
lock-after-never = Never
storage-title = Kept on this computer for you, encrypted
storage-conversations = Conversations
storage-messages = Messages
storage-notes = Internal notes
storage-since = Oldest message
storage-nothing = None
storage-drafts = Drafts
storage-unsent = Not sent yet
storage-records = What can be had again
storage-precious = Drafts and what is not sent
storage-aside = Damaged files, set aside
storage-folder = It lies in
storage-clear = Clear and receive anew
storage-clear-title = Clear what is kept here?
storage-clear-hint = Conversations are received again from the gateway. Drafts, notes and what is not sent stay.
storage-clear-offline = Only while connected: otherwise there would be nothing to read.
note-of-draft = Draft of a reply, not sent:
note-of-reply = Reply that was not sent:

## First run: what somebody who begins is led to

first-title = Welcome, { $name }
first-text = The way to your first answer:
first-arrives = A citizen writes to the agency’s number { $numbers } on WhatsApp. The conversation appears in the list at once.
first-arrives-bare = A citizen writes to the agency’s number on WhatsApp. The conversation appears in the list at once.
first-claim = Open the conversation. ‘Claim’ makes it yours, and colleagues see that you have it.
first-share = Open the conversation. ‘Assign’ gives it to a colleague, ‘Claim’ makes it yours.
first-answer = Write the answer below the conversation. It reaches the citizen on WhatsApp; an internal note is for colleagues alone.
first-done = done
first-known = I know this
first-hint-share = Nobody has this case yet. ‘Assign’ ({ $keys }) gives it to a colleague; or answer yourself.
first-hint-answer = Write your answer here and send it with { $keys }. It reaches the citizen on WhatsApp.
first-answered = Your first answer is on its way. { $keys } shows every shortcut.
