-- Receivers get a state. Events get a number that only grows, and like deliveries may be about no
-- integration. A column cannot be made nullable in place: new tables take over the rows, children
-- are dropped before their parents, and renaming carries the references along.

ALTER TABLE meta ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
ALTER TABLE meta ADD COLUMN pruned_number INTEGER NOT NULL DEFAULT 0;

-- One row per receiver that is, or was, configured.
CREATE TABLE receiver (
    name TEXT NOT NULL PRIMARY KEY,
    configured INTEGER NOT NULL CHECK (configured IN (0, 1)),
    -- While it is disabled, what it is owed waits.
    disabled_at_ms INTEGER,
    reason TEXT CHECK (reason IN ('gone', 'failing', 'manual')),
    -- Since then every attempt has failed.
    failing_since_ms INTEGER,
    last_success_at_ms INTEGER,
    CHECK ((disabled_at_ms IS NULL) = (reason IS NULL))
) STRICT, WITHOUT ROWID;

-- The number orders all events and is never used twice; the sequence counts those about one
-- integration, and those about none.
CREATE TABLE event_new (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE CHECK (id GLOB 'evt_*'),
    integration_id INTEGER REFERENCES integration (id),
    sequence INTEGER NOT NULL,
    type TEXT NOT NULL,
    created_at_ms INTEGER NOT NULL,
    body TEXT NOT NULL,
    UNIQUE (integration_id, sequence)
) STRICT;
INSERT INTO event_new (id, integration_id, sequence, type, created_at_ms, body)
    SELECT id, integration_id, sequence, type, created_at_ms, body FROM event ORDER BY rowid;

-- One event owed to one receiver. While another delivery about the same integration has to reach
-- the receiver first, due_at_ms is NULL. Attempts made before it was last owed anew are `earlier`.
CREATE TABLE delivery_new (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    event_id TEXT NOT NULL REFERENCES event_new (id),
    receiver TEXT NOT NULL,
    integration_id INTEGER REFERENCES integration (id),
    sequence INTEGER NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'delivered', 'failed')),
    due_at_ms INTEGER,
    lease_until_ms INTEGER,
    attempts INTEGER NOT NULL DEFAULT 0,
    earlier INTEGER NOT NULL DEFAULT 0,
    ended_at_ms INTEGER,
    UNIQUE (event_id, receiver),
    CHECK ((state = 'pending') = (ended_at_ms IS NULL))
) STRICT;
INSERT INTO delivery_new (id, event_id, receiver, integration_id, sequence, state, due_at_ms,
                          lease_until_ms, attempts, ended_at_ms)
    SELECT id, event_id, receiver, integration_id, sequence, state, due_at_ms,
           lease_until_ms, attempts, ended_at_ms FROM delivery;
-- Ids of deleted deliveries are not given again either.
DELETE FROM sqlite_sequence WHERE name = 'delivery_new';
INSERT INTO sqlite_sequence (name, seq)
    SELECT 'delivery_new', seq FROM sqlite_sequence WHERE name = 'delivery';

CREATE TABLE attempt_new (
    delivery_id INTEGER NOT NULL REFERENCES delivery_new (id) ON DELETE CASCADE,
    number INTEGER NOT NULL,
    started_at_ms INTEGER NOT NULL,
    duration_ms INTEGER NOT NULL,
    code INTEGER,
    detail TEXT NOT NULL,
    PRIMARY KEY (delivery_id, number)
) STRICT, WITHOUT ROWID;
INSERT INTO attempt_new SELECT * FROM attempt;

INSERT INTO receiver (name, configured) SELECT DISTINCT receiver, 1 FROM delivery;

DROP TABLE attempt;
DROP TABLE delivery;
DROP TABLE event;
ALTER TABLE event_new RENAME TO event;
ALTER TABLE delivery_new RENAME TO delivery;
ALTER TABLE attempt_new RENAME TO attempt;

CREATE INDEX event_created ON event (created_at_ms);
CREATE UNIQUE INDEX event_operational ON event (sequence) WHERE integration_id IS NULL;
CREATE INDEX delivery_due ON delivery (receiver, due_at_ms)
    WHERE state = 'pending' AND due_at_ms IS NOT NULL;
CREATE UNIQUE INDEX delivery_order ON delivery (receiver, integration_id, sequence)
    WHERE state = 'pending';
CREATE UNIQUE INDEX delivery_operational ON delivery (receiver, sequence)
    WHERE state = 'pending' AND integration_id IS NULL;
CREATE INDEX delivery_leased ON delivery (receiver, lease_until_ms) WHERE lease_until_ms IS NOT NULL;
CREATE INDEX delivery_ended ON delivery (ended_at_ms) WHERE ended_at_ms IS NOT NULL;
