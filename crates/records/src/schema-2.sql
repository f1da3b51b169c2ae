-- Which files belong to a message or a note of a case: who sees the case may see the file.
CREATE TABLE media (
  sha256 BLOB NOT NULL,
  case_id BLOB NOT NULL,
  PRIMARY KEY (sha256, case_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX media_by_case ON media (case_id);
