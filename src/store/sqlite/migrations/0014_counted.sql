-- Transient failures that are closer together than `confirm_wait` count once: when the latest one counted.
ALTER TABLE integration ADD COLUMN counted_at_ms INTEGER;
ALTER TABLE integration ADD COLUMN candidate_counted_at_ms INTEGER;
