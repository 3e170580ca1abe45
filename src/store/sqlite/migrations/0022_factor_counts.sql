-- Number of integrations that have each factor, kept by triggers: to count them anew for each answer would cost as
-- much as there are integrations.
CREATE TABLE factor_count (
    kind TEXT NOT NULL,
    value TEXT NOT NULL,
    integrations INTEGER NOT NULL,
    PRIMARY KEY (kind, value)
) STRICT, WITHOUT ROWID;

DELETE FROM factor WHERE integration_id IN (SELECT id FROM integration WHERE status = 'deleted');
INSERT INTO factor_count (kind, value, integrations)
SELECT kind, value, count(*) FROM factor GROUP BY kind, value;

CREATE TRIGGER factor_added AFTER INSERT ON factor BEGIN
    INSERT INTO factor_count (kind, value, integrations) VALUES (NEW.kind, NEW.value, 1)
    ON CONFLICT DO UPDATE SET integrations = integrations + 1;
END;
CREATE TRIGGER factor_removed AFTER DELETE ON factor BEGIN
    UPDATE factor_count SET integrations = integrations - 1 WHERE kind = OLD.kind AND value = OLD.value;
    DELETE FROM factor_count WHERE kind = OLD.kind AND value = OLD.value AND integrations = 0;
END;
-- A deleted integration shares nothing any more.
CREATE TRIGGER integration_deleted AFTER UPDATE OF status ON integration
WHEN NEW.status = 'deleted' AND OLD.status <> 'deleted' BEGIN
    DELETE FROM factor WHERE integration_id = NEW.id;
END;
