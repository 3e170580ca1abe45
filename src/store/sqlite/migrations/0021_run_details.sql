-- Details of a run, kept small: most rows have a byte or two for each test, and nothing more.

-- Time of each test in the order of the results, as LEB128: its milliseconds and one, zero where it was not run.
ALTER TABLE run ADD COLUMN took BLOB;
-- Looks that the verdict rests on, as JSON; NULL where nothing was in doubt.
ALTER TABLE run ADD COLUMN evidence TEXT;
