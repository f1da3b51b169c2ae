-- The head at which a position moved: a client that stood there then, or before, may not know of it.
ALTER TABLE positions ADD COLUMN head INTEGER NOT NULL DEFAULT 0;
CREATE INDEX positions_by_head ON positions (staff, head);
-- Where somebody has signed in from with a username, network or workstation: keyed hashes.
CREATE TABLE familiar (
    place BLOB PRIMARY KEY,
    at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
