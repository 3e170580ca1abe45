-- Backups that could not be made for long are a fault on the daemon's own side.
CREATE TABLE own_fault_new (
    fault TEXT NOT NULL PRIMARY KEY CHECK (
        fault = 'network' OR fault = 'clock' OR fault = 'disk' OR fault = 'descriptors'
        OR fault = 'validation' OR fault = 'configuration' OR fault = 'backup'),
    since_ms INTEGER NOT NULL,
    message TEXT NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO own_fault_new SELECT fault, since_ms, message FROM own_fault;
DROP TABLE own_fault;
ALTER TABLE own_fault_new RENAME TO own_fault;
