-- Messages can be held, failures can have a shared cause, and the daemon can be at fault itself.

-- What receivers were told last; it differs from the status while a message is held.
ALTER TABLE integration ADD COLUMN told_status TEXT;
UPDATE integration SET told_status = status;
-- While a message is held: when to look whether it still must be, and by what it is.
ALTER TABLE integration ADD COLUMN hold_until_ms INTEGER;
ALTER TABLE integration ADD COLUMN hold_by TEXT;
ALTER TABLE integration ADD COLUMN warning_held INTEGER NOT NULL DEFAULT 0;
-- The changes of status that were told lately, as a JSON array of instants.
ALTER TABLE integration ADD COLUMN flips TEXT NOT NULL DEFAULT '[]';
ALTER TABLE integration ADD COLUMN flapping_since_ms INTEGER;
ALTER TABLE integration ADD COLUMN flapping_until_ms INTEGER;
-- The first of the failing runs in a row, and the class of the latest.
ALTER TABLE integration ADD COLUMN suspect_since_ms INTEGER;
ALTER TABLE integration ADD COLUMN suspect_class TEXT;
-- What on the daemon's own side kept the latest run from telling anything.
ALTER TABLE integration ADD COLUMN own_fault TEXT;
ALTER TABLE integration ADD COLUMN outage_id TEXT REFERENCES outage (id);
CREATE INDEX integration_hold ON integration (hold_until_ms) WHERE hold_until_ms IS NOT NULL;
CREATE INDEX integration_suspect ON integration (suspect_since_ms)
    WHERE suspect_since_ms IS NOT NULL;
CREATE INDEX integration_own_fault ON integration (own_fault) WHERE own_fault IS NOT NULL;
CREATE INDEX integration_outage ON integration (outage_id) WHERE outage_id IS NOT NULL;

-- What an integration may have in common with others.
CREATE TABLE factor (
    integration_id INTEGER NOT NULL REFERENCES integration (id),
    kind TEXT NOT NULL CHECK (kind IN ('host', 'principal', 'account', 'region', 'authority')),
    value TEXT NOT NULL,
    PRIMARY KEY (integration_id, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX factor_value ON factor (kind, value);

-- Several integrations that fail by one cause. settle_at_ms is set when the first of them works again.
CREATE TABLE outage (
    id TEXT NOT NULL PRIMARY KEY CHECK (id GLOB 'out_*'),
    event_id TEXT NOT NULL,
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    cause TEXT NOT NULL CHECK (cause IN ('unreached', 'refused', 'expired')),
    since_ms INTEGER NOT NULL,
    settle_at_ms INTEGER,
    resolved_at_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX outage_open ON outage (kind, value, cause) WHERE resolved_at_ms IS NULL;
CREATE INDEX outage_settling ON outage (settle_at_ms)
    WHERE settle_at_ms IS NOT NULL AND resolved_at_ms IS NULL;
CREATE INDEX outage_resolved ON outage (resolved_at_ms) WHERE resolved_at_ms IS NOT NULL;

CREATE TABLE outage_member (
    outage_id TEXT NOT NULL REFERENCES outage (id) ON DELETE CASCADE,
    integration_id INTEGER NOT NULL REFERENCES integration (id),
    PRIMARY KEY (outage_id, integration_id)
) STRICT, WITHOUT ROWID;

-- Messages that somebody wants held: about a selection of integrations, or about one that is acknowledged.
CREATE TABLE silence (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    integration_id INTEGER REFERENCES integration (id),
    selection TEXT NOT NULL,
    comment TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,
    ended_at_ms INTEGER
) STRICT;
CREATE INDEX silence_open ON silence (until_ms) WHERE ended_at_ms IS NULL;

-- What is wrong on the daemon's own side, told once and until it is over.
CREATE TABLE own_fault (
    fault TEXT NOT NULL PRIMARY KEY
        CHECK (fault IN ('network', 'clock', 'disk', 'descriptors', 'validation')),
    since_ms INTEGER NOT NULL,
    message TEXT NOT NULL
) STRICT, WITHOUT ROWID;
