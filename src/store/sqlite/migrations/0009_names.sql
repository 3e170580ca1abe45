-- A name that comes back is the same integration as the deleted one of that name.
CREATE INDEX integration_deleted_name ON integration (name) WHERE status = 'deleted';
