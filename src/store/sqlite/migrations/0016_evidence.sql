-- Evidence in place of counted failures: the looks that count, as JSON; none where nothing is in doubt.
ALTER TABLE integration ADD COLUMN evidence TEXT;
ALTER TABLE integration ADD COLUMN candidate_evidence TEXT;

-- What was counted becomes as many looks, from the first failing run to the latest one that counted, so that
-- a failure which was half confirmed still is. Of a definitive failure one look is enough, and of a transient one
-- that is known, as many as the rule needs.
WITH RECURSIVE step (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM step WHERE number < 100),
found AS (
    SELECT id, failures, status IN ('recurringValidationError', 'createError') AS failing,
           coalesce(first_failure_at_ms, counted_at_ms, 0) AS first_ms,
           coalesce(counted_at_ms, first_failure_at_ms, 0) AS latest_ms,
           coalesce(
               (SELECT class FROM run
                WHERE integration_id = integration.id AND run.status = 'failed' AND class <> 'local'
                  AND subject = iif(integration.status IN ('creating', 'createError'), 'candidate', 'active')
                ORDER BY run.id DESC LIMIT 1),
               nullif(suspect_class, 'local'), 'unavailable') AS class
    FROM integration
    WHERE failures > 0 OR status IN ('recurringValidationError', 'createError')
),
counted AS (
    SELECT *, CASE WHEN class IN ('denied', 'missing', 'invalid', 'expired') THEN min(failures, 1)
                   WHEN failing THEN min(failures, 6) ELSE min(failures, 100) END AS looks
    FROM found
)
UPDATE integration SET evidence = (
    SELECT json_object(
        'looks', json_group_array(json_object(
            'at', latest_ms - (latest_ms - first_ms) * (looks - number) / max(looks - 1, 1),
            'seen', class)),
        'failing', json(iif(failing, 'true', 'false')))
    FROM step WHERE number <= counted.looks)
FROM counted WHERE counted.id = integration.id;

WITH RECURSIVE step (number) AS (SELECT 1 UNION ALL SELECT number + 1 FROM step WHERE number < 100),
found AS (
    SELECT id, candidate_failures AS failures,
           status IN ('editError', 'migrateError')
               OR coalesce(pending_status IN ('editError', 'migrateError'), 0) AS failing,
           coalesce(candidate_first_failure_at_ms, candidate_counted_at_ms, 0) AS first_ms,
           coalesce(candidate_counted_at_ms, candidate_first_failure_at_ms, 0) AS latest_ms,
           coalesce(
               (SELECT class FROM run
                WHERE integration_id = integration.id AND run.status = 'failed' AND class <> 'local'
                  AND subject = 'candidate'
                ORDER BY run.id DESC LIMIT 1),
               'unavailable') AS class
    FROM integration
    WHERE candidate_failures > 0 OR status IN ('editError', 'migrateError')
),
counted AS (
    SELECT *, CASE WHEN class IN ('denied', 'missing', 'invalid', 'expired') THEN min(failures, 1)
                   WHEN failing THEN min(failures, 6) ELSE min(failures, 100) END AS looks
    FROM found
)
UPDATE integration SET candidate_evidence = (
    SELECT json_object(
        'looks', json_group_array(json_object(
            'at', latest_ms - (latest_ms - first_ms) * (looks - number) / max(looks - 1, 1),
            'seen', class)),
        'failing', json(iif(failing, 'true', 'false')))
    FROM step WHERE number <= counted.looks)
FROM counted WHERE counted.id = integration.id;

ALTER TABLE integration DROP COLUMN counted_at_ms;
ALTER TABLE integration DROP COLUMN candidate_counted_at_ms;
