-- The entry of the last message: WhatsApp tells times by the second, and many are written in one.
ALTER TABLE conversations ADD COLUMN last_seq INTEGER NOT NULL DEFAULT 0;
UPDATE conversations SET last_seq = coalesce((SELECT seq FROM messages WHERE id = last_message), 0);
DROP INDEX conversations_by_place;
CREATE INDEX conversations_by_place ON conversations (last_place, last_seq);
