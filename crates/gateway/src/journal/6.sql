-- Devices that were signed out within the last day: every process closes their connections.
CREATE TABLE signed_out (
    n INTEGER PRIMARY KEY AUTOINCREMENT,
    token BLOB NOT NULL,
    at INTEGER NOT NULL
) STRICT;
