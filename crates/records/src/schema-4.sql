-- When citizens wrote, whoever and to whom.
CREATE INDEX messages_received ON messages (at) WHERE inbound = 1;
