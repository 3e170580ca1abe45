-- A receiver that does not answer is probed by one message at a time; and what disables a receiver or ends a
-- message counts the time for which the daemon was awake, not differences of the wall clock.

-- The awake clock of the database, in milliseconds: a row for each hour that has passed on it, with the least
-- instant that the wall clock showed in it. Its latest row is its reading when a daemon last stopped.
CREATE TABLE awake (
    hour INTEGER PRIMARY KEY,
    awake_ms INTEGER NOT NULL,
    least_at_ms INTEGER NOT NULL
) STRICT;

-- The readings of the awake clock at the first of the failed attempts in a row, and at the beginning of the
-- outage during which the receiver is probed.
ALTER TABLE receiver ADD COLUMN failing_awake_ms INTEGER;
ALTER TABLE receiver ADD COLUMN probe_failures INTEGER NOT NULL DEFAULT 0;
ALTER TABLE receiver ADD COLUMN probe_awake_ms INTEGER;
ALTER TABLE receiver ADD COLUMN probe_at_ms INTEGER
    CHECK ((probe_at_ms IS NULL) = (probe_awake_ms IS NULL));

-- The reading at the first attempt since the delivery was last queued. Attempts that do not count, probes among
-- them, are `earlier`.
ALTER TABLE delivery ADD COLUMN tried_awake_ms INTEGER;
