-- The life of a node, for commands beside it: its process, when it began, was last seen and stopped, the
-- outcome of its latest start or reload as JSON, and the removals that an operator allows once.

ALTER TABLE node ADD COLUMN pid INTEGER;
ALTER TABLE node ADD COLUMN born INTEGER;
ALTER TABLE node ADD COLUMN started_at_ms INTEGER;
ALTER TABLE node ADD COLUMN seen_at_ms INTEGER;
ALTER TABLE node ADD COLUMN stopped_at_ms INTEGER;
ALTER TABLE node ADD COLUMN reload TEXT;
ALTER TABLE node ADD COLUMN removals_allowed INTEGER;
ALTER TABLE node ADD COLUMN drop_ins TEXT;
