-- Checksums of rows, which triggers and a few statements keep; the program adds both.
ALTER TABLE integration ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE event ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE delivery ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
ALTER TABLE transition ADD COLUMN checksum INTEGER NOT NULL DEFAULT 0;
