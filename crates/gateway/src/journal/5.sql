-- Files that staff sent, by whom: each may be named by them for a while. `kept` is 1 once the file is in its store.
CREATE TABLE uploads (
    sha256 BLOB NOT NULL,
    staff TEXT NOT NULL,
    size INTEGER NOT NULL,
    type TEXT NOT NULL,
    at INTEGER NOT NULL,
    kept INTEGER NOT NULL,
    PRIMARY KEY (sha256, staff)
) STRICT, WITHOUT ROWID;
CREATE INDEX uploads_by_time ON uploads (at);
CREATE INDEX uploads_by_staff ON uploads (staff, at);
