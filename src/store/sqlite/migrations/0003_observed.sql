-- What runs see besides their results.

-- The facts of passing runs, once per distinct content.
CREATE TABLE fingerprint (
    id INTEGER PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE CHECK (length(digest) = 32),
    content TEXT NOT NULL
) STRICT;

-- What the last passing run saw, and when.
ALTER TABLE integration ADD COLUMN fingerprint_id INTEGER REFERENCES fingerprint (id);
ALTER TABLE integration ADD COLUMN fingerprint_at_ms INTEGER;
-- What ends next, as far as is known.
ALTER TABLE integration ADD COLUMN expires_at_ms INTEGER;
ALTER TABLE integration ADD COLUMN expires_what TEXT
    CHECK ((expires_what IS NULL) = (expires_at_ms IS NULL));
CREATE INDEX integration_fingerprint ON integration (fingerprint_id)
    WHERE fingerprint_id IS NOT NULL;

-- What a failing run saw otherwise than the last passing one; NULL when nothing.
ALTER TABLE run ADD COLUMN drift TEXT;
