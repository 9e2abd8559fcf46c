-- What witnesses of the audit log have cosigned: registered ones and
-- delegates, by their ids.  A line is that of a signed note.  Delegates cosign
-- anew within a minute, so the old table is not taken over.
CREATE TABLE cosignature (
	witness BLOB NOT NULL,
	size INTEGER NOT NULL,
	time INTEGER NOT NULL,
	line BLOB NOT NULL,
	PRIMARY KEY (witness, size)
) STRICT, WITHOUT ROWID;
CREATE INDEX cosignature_size ON cosignature (size);
DROP TABLE witness;
