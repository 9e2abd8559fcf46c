-- How much each class key may have sealed, and since when it does: what it
-- was granted before it sealed it.  Of keys that were there before this
-- table nobody counted; the numbers are more than a store of then holds.
CREATE TABLE key_use (
	id INTEGER PRIMARY KEY,
	since INTEGER NOT NULL,
	seals INTEGER NOT NULL,
	bytes INTEGER NOT NULL
) STRICT;
INSERT INTO key_use (id, since, seals, bytes)
	SELECT d.id, min(p.created), 2147483648, 549755813888
	FROM data_key d JOIN project_key p ON p.project = d.project
	WHERE d.subject IS NULL GROUP BY d.id;

-- While all is encrypted anew: which key of a subject follows which.
CREATE TABLE key_renewal (
	old INTEGER PRIMARY KEY,
	new INTEGER NOT NULL
) STRICT;
CREATE INDEX key_renewal_new ON key_renewal (new);
