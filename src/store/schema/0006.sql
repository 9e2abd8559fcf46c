-- Versions of secrets.  key: the number of the data key that seals it, and
-- nothing else.
CREATE TABLE secret_version (
	key INTEGER PRIMARY KEY,
	secret BLOB NOT NULL,
	project INTEGER NOT NULL,
	sealed BLOB NOT NULL
) STRICT;
