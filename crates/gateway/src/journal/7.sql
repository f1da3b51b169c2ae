-- Devices that were shut out by the administration: each is told so when it next asks, and removes what it keeps.
CREATE TABLE revoked (
    token BLOB NOT NULL PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT;
