-- Former name that the configuration declared when the row was stored last: a rename is followed once.
ALTER TABLE integration ADD COLUMN formerly TEXT;

-- Table of the receiver in the configuration, as JSON without secrets and URLs that may hold one: by it a
-- receiver goes on that a refused configuration would remove, and changes are noticed.
ALTER TABLE receiver ADD COLUMN config TEXT;
