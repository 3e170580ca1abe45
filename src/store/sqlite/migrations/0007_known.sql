-- An incident ends for the receivers that were sent its beginning, in the form and under the identity of that.

-- An open incident (of an integration, an outage, a fault of the daemon) as one receiver knows it. Nothing is sent
-- while it is `waiting`; its beginning is `dead` when every attempt failed.
CREATE TABLE incident_receiver (
    incident_id TEXT NOT NULL,
    receiver TEXT NOT NULL,
    integration_id INTEGER REFERENCES integration (id),
    -- When the incident began, and the event that began it for the receiver.
    since_ms INTEGER NOT NULL,
    event_id TEXT NOT NULL REFERENCES event (id),
    -- NULL: the receiver's present format.
    format TEXT,
    wants_end INTEGER NOT NULL CHECK (wants_end IN (0, 1)),
    state TEXT NOT NULL CHECK (state = 'waiting' OR state = 'sent' OR state = 'dead'),
    notified_at_ms INTEGER NOT NULL,
    reminders INTEGER NOT NULL DEFAULT 0,
    -- When more is to be sent, and when to look whether it may.
    due_at_ms INTEGER,
    look_at_ms INTEGER,
    -- When the beginning is to be sent again as it is.
    resend_at_ms INTEGER,
    PRIMARY KEY (incident_id, receiver)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_receiver_event ON incident_receiver (event_id);
CREATE INDEX incident_receiver_look ON incident_receiver (look_at_ms)
    WHERE look_at_ms IS NOT NULL;
CREATE INDEX incident_receiver_resend ON incident_receiver (receiver, resend_at_ms)
    WHERE resend_at_ms IS NOT NULL;

-- The incident that a delivery is part of, the event that began it for the receiver (NULL: this one), the format in
-- which it began (NULL: the present one), and whether the delivery ends it.
ALTER TABLE delivery ADD COLUMN incident_id TEXT;
ALTER TABLE delivery ADD COLUMN began_id TEXT REFERENCES event (id);
ALTER TABLE delivery ADD COLUMN format TEXT;
ALTER TABLE delivery ADD COLUMN ends INTEGER NOT NULL DEFAULT 0 CHECK (ends IN (0, 1));
CREATE INDEX delivery_incident ON delivery (incident_id, receiver) WHERE incident_id IS NOT NULL;
CREATE INDEX delivery_began ON delivery (began_id) WHERE began_id IS NOT NULL;

-- Incidents that are open were sent to the receivers of their first event that is not dead.
UPDATE delivery SET incident_id = (
    SELECT incident_id FROM integration JOIN event ON event.id = delivery.event_id
    WHERE integration.id = delivery.integration_id
      AND incident_id = json_extract(event.body, '$.data.incidentId'))
    WHERE event_id IN (
        SELECT id FROM event
        WHERE type = 'integration.validation.failed' OR type = 'integration.flapping.started');
UPDATE delivery SET incident_id = (
    SELECT outage.id FROM outage WHERE outage.event_id = delivery.event_id AND resolved_at_ms IS NULL)
    WHERE integration_id IS NULL AND event_id IN (SELECT event_id FROM outage WHERE resolved_at_ms IS NULL);
UPDATE delivery SET incident_id = (
    SELECT 'revalidated-' || fault || '-' || since_ms FROM own_fault JOIN event ON event.id = delivery.event_id
    WHERE fault = json_extract(event.body, '$.data.fault') AND since_ms = event.created_at_ms)
    WHERE integration_id IS NULL AND event_id IN (SELECT id FROM event WHERE type = 'daemon.degraded');
INSERT INTO incident_receiver (incident_id, receiver, integration_id, since_ms, event_id, wants_end, state,
                               notified_at_ms)
    SELECT delivery.incident_id, receiver, delivery.integration_id,
           coalesce(failing_since_ms, event.created_at_ms), event_id, 1, 'sent', event.created_at_ms
    FROM delivery
    JOIN event ON event.id = delivery.event_id
    LEFT JOIN integration ON integration.id = delivery.integration_id
    WHERE delivery.incident_id IS NOT NULL AND state <> 'failed'
    ORDER BY event.number
    ON CONFLICT DO NOTHING;
