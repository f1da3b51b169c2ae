CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    journal TEXT NOT NULL,
    seq INTEGER NOT NULL,
    chain BLOB NOT NULL,
    at INTEGER NOT NULL
) STRICT;
CREATE TABLE entries (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    at INTEGER NOT NULL,
    actor TEXT NOT NULL,
    scope TEXT NOT NULL,
    subject TEXT NOT NULL,
    cause TEXT,
    kind TEXT NOT NULL,
    version INTEGER NOT NULL,
    body TEXT NOT NULL,
    salt BLOB NOT NULL,
    digest BLOB NOT NULL,
    chain BLOB NOT NULL
) STRICT;
CREATE INDEX entries_by_scope ON entries (scope, seq);
CREATE TABLE seen (
    item BLOB PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE commands (
    staff TEXT NOT NULL,
    id TEXT NOT NULL,
    hash BLOB NOT NULL,
    answer TEXT NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (id, staff)
) STRICT, WITHOUT ROWID;
CREATE TABLE credentials (
    staff TEXT PRIMARY KEY,
    password TEXT,
    code_command TEXT,
    code_until INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE devices (
    token BLOB PRIMARY KEY,
    staff TEXT NOT NULL,
    device TEXT NOT NULL,
    since INTEGER NOT NULL,
    UNIQUE (staff, device)
) STRICT, WITHOUT ROWID;
CREATE TABLE attempts (
    username TEXT PRIMARY KEY,
    failures INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE positions (
    staff TEXT NOT NULL,
    case_id TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (staff, case_id)
) STRICT, WITHOUT ROWID;
