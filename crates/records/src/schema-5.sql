-- The entry that says where a message stands: whoever began to send it knows their own by it.
ALTER TABLE messages ADD COLUMN status_seq INTEGER;
