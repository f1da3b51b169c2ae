-- Which version of the reader left a message raw; absent where it is understood, or was left by the first.
ALTER TABLE messages ADD COLUMN reader INTEGER;
-- Whether it was ever unknown if a message of ours went out.
ALTER TABLE messages ADD COLUMN doubted INTEGER NOT NULL DEFAULT 0;
