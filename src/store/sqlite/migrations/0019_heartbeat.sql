-- State of the heartbeat as JSON, for commands beside the daemon; null while there is none.
ALTER TABLE node ADD COLUMN heartbeat TEXT;
