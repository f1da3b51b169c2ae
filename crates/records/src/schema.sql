-- The read model. Everything here can be rebuilt from the journal (at the gateway) or from the gateway (on a desk),
-- except `seen`, which is carried over when a desk starts afresh.

CREATE TABLE meta (
  key TEXT PRIMARY KEY NOT NULL,
  value TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE pack (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  sha TEXT NOT NULL,
  content TEXT NOT NULL,
  seq INTEGER NOT NULL
) STRICT;

CREATE TABLE lines (
  id TEXT PRIMARY KEY NOT NULL,
  display_number TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE staff (
  id BLOB PRIMARY KEY NOT NULL,
  username TEXT NOT NULL UNIQUE,
  name TEXT NOT NULL,
  roles TEXT NOT NULL,
  teams TEXT NOT NULL,
  active INTEGER NOT NULL,
  seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who was what, where, and from which entry until before which: sight at any seq is one query.
CREATE TABLE memberships (
  staff BLOB NOT NULL,
  from_seq INTEGER NOT NULL,
  to_seq INTEGER,
  roles TEXT NOT NULL,
  teams TEXT NOT NULL,
  active INTEGER NOT NULL,
  PRIMARY KEY (staff, from_seq)
) STRICT, WITHOUT ROWID;

-- Whose a case was, from which entry until before which.
CREATE TABLE audiences (
  case_id BLOB NOT NULL,
  from_seq INTEGER NOT NULL,
  to_seq INTEGER,
  team TEXT NOT NULL,
  PRIMARY KEY (case_id, from_seq)
) STRICT, WITHOUT ROWID;
CREATE INDEX audiences_by_seq ON audiences (from_seq);

CREATE TABLE contacts (
  id BLOB PRIMARY KEY NOT NULL,
  name TEXT,
  merged_into BLOB,
  seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX contacts_by_alias ON contacts (merged_into) WHERE merged_into IS NOT NULL;

-- What each case was told of a contact last. The contact as it stands is the latest of these, so that what came with a
-- case leaves with it.
CREATE TABLE particulars (
  case_id BLOB NOT NULL,
  contact BLOB NOT NULL,
  seq INTEGER NOT NULL,
  name TEXT,
  merged_into BLOB,
  identifiers TEXT NOT NULL,
  PRIMARY KEY (case_id, contact)
) STRICT, WITHOUT ROWID;
CREATE INDEX particulars_by_contact ON particulars (contact, seq);

CREATE TABLE identifiers (
  contact BLOB NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  from_at INTEGER NOT NULL,
  to_at INTEGER,
  PRIMARY KEY (contact, kind, value, from_at)
) STRICT, WITHOUT ROWID;
CREATE INDEX identifiers_by_value ON identifiers (kind, value) WHERE to_at IS NULL;

CREATE TABLE conversations (
  id BLOB PRIMARY KEY NOT NULL,
  -- As the first case that is here names them.
  contact BLOB NOT NULL,
  line TEXT NOT NULL,
  window_ends INTEGER,
  -- The last message, for the list.
  last_message BLOB,
  last_place INTEGER NOT NULL DEFAULT 0,
  -- The open case in which something happened last, else the last case.
  shown_case BLOB
) STRICT, WITHOUT ROWID;
CREATE INDEX conversations_by_contact ON conversations (contact, line);
CREATE INDEX conversations_by_place ON conversations (last_place);
CREATE INDEX conversations_by_case ON conversations (shown_case);

CREATE TABLE cases (
  id BLOB PRIMARY KEY NOT NULL,
  conversation BLOB NOT NULL,
  contact BLOB NOT NULL,
  number TEXT NOT NULL,
  kind TEXT NOT NULL,
  team TEXT NOT NULL,
  owner BLOB,
  state TEXT NOT NULL,
  outcome TEXT,
  opened_at INTEGER NOT NULL,
  opened_seq INTEGER NOT NULL,
  closed_at INTEGER,
  closed_seq INTEGER NOT NULL DEFAULT 0,
  last_inbound INTEGER NOT NULL DEFAULT 0,
  last_reply INTEGER NOT NULL DEFAULT 0,
  last_seq INTEGER NOT NULL,
  -- The citizen wrote and no reply followed; also into a closed case.
  waiting INTEGER NOT NULL GENERATED ALWAYS AS (last_inbound > max(last_reply, closed_seq)) STORED
) STRICT, WITHOUT ROWID;
CREATE INDEX cases_by_conversation ON cases (conversation, last_seq);
-- What needs attention: little, however long the history.
CREATE INDEX cases_needing ON cases (owner, conversation) WHERE state = 'open' OR waiting;
CREATE INDEX cases_by_owner ON cases (owner) WHERE state = 'open';
CREATE INDEX cases_by_opening ON cases (opened_seq);

CREATE TABLE messages (
  id BLOB PRIMARY KEY NOT NULL,
  conversation BLOB NOT NULL,
  case_id BLOB NOT NULL,
  seq INTEGER NOT NULL,
  place INTEGER NOT NULL,
  at INTEGER NOT NULL,
  inbound INTEGER NOT NULL,
  author BLOB,
  wamid TEXT,
  type TEXT NOT NULL,
  text TEXT,
  quoted TEXT,
  sent_at INTEGER NOT NULL,
  raw TEXT,
  recipient TEXT,
  status TEXT,
  status_at INTEGER,
  error TEXT
) STRICT, WITHOUT ROWID;
CREATE INDEX messages_by_place ON messages (conversation, place, seq);
CREATE INDEX messages_by_case ON messages (case_id, inbound, seq);
CREATE INDEX messages_by_wamid ON messages (wamid) WHERE wamid IS NOT NULL;
CREATE INDEX messages_outgoing ON messages (seq) WHERE status IN ('queued', 'sending', 'uncertain');
CREATE INDEX messages_under_way ON messages (conversation) WHERE status IN ('queued', 'sending', 'uncertain');
CREATE INDEX messages_inbound ON messages (conversation, sent_at) WHERE inbound = 1;

CREATE TABLE notes (
  id BLOB PRIMARY KEY NOT NULL,
  case_id BLOB NOT NULL,
  conversation BLOB NOT NULL,
  seq INTEGER NOT NULL,
  at INTEGER NOT NULL,
  author BLOB NOT NULL,
  text TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX notes_by_place ON notes (conversation, at, seq);
CREATE INDEX notes_by_case ON notes (case_id, seq);

-- What happened to a case, for the thin lines in a conversation.
CREATE TABLE events (
  seq INTEGER PRIMARY KEY NOT NULL,
  case_id BLOB NOT NULL,
  conversation BLOB NOT NULL,
  at INTEGER NOT NULL,
  what TEXT NOT NULL,
  actor BLOB,
  given_to BLOB,
  outcome TEXT
) STRICT;
CREATE INDEX events_by_place ON events (conversation, at, seq);
CREATE INDEX events_by_case ON events (case_id);

-- On a desk: up to where this person has seen a case.
CREATE TABLE seen (
  case_id BLOB PRIMARY KEY NOT NULL,
  seq INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Entries of a kind not known yet, for the version that will.
CREATE TABLE unknown_entries (
  seq INTEGER PRIMARY KEY NOT NULL,
  case_id BLOB,
  entry TEXT NOT NULL
) STRICT;
CREATE INDEX unknown_entries_by_case ON unknown_entries (case_id);
