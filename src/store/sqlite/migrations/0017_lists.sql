-- Lists across all integrations, and reports of a month: each is read from one index.

-- A strip of runs is read from the index alone; it serves what the index of the integration alone served.
DROP INDEX run_integration;
CREATE INDEX run_integration ON run (
    integration_id, id, started_at_ms, duration_ms, status, class);
-- Runs that did not simply pass, by their beginning.
CREATE INDEX run_notable ON run (started_at_ms, id, status, class) WHERE status <> 'passed';
CREATE INDEX outage_since ON outage (since_ms);

-- All expiries that the latest passing run saw; the earliest is in `integration` too, for decisions.
CREATE TABLE expiry (
    integration_id INTEGER NOT NULL REFERENCES integration (id),
    at_ms INTEGER NOT NULL,
    what TEXT NOT NULL,
    PRIMARY KEY (integration_id, at_ms, what)
) STRICT, WITHOUT ROWID;
CREATE INDEX expiry_at ON expiry (at_ms);
INSERT INTO expiry
    SELECT id, expires_at_ms, expires_what FROM integration WHERE expires_at_ms IS NOT NULL;

-- Instant of the latest status change that is no longer kept; NULL while all of them are. An integration whose
-- first one is not its creation has lost some at an instant that is not known.
ALTER TABLE integration ADD COLUMN history_since_ms INTEGER;
UPDATE integration
    SET history_since_ms = coalesce(
        (SELECT at_ms FROM transition WHERE integration_id = integration.id ORDER BY id LIMIT 1),
        unixepoch() * 1000)
    WHERE NOT EXISTS (
        SELECT 1 FROM transition
        WHERE integration_id = integration.id AND from_status IS NULL);
