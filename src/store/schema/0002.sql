-- What may be used once and has been: assertion ids, login transactions,
-- token and webhook ids, challenges, one-time codes, each as the SHA-256 of
-- whose it is and what it is.  kind: enum seen_kind of store.h.
CREATE TABLE seen (
	kind INTEGER NOT NULL,
	hash BLOB NOT NULL,
	expires INTEGER NOT NULL,
	PRIMARY KEY (kind, hash)
) STRICT, WITHOUT ROWID;
CREATE INDEX seen_expires ON seen (expires);
