-- Versions of runbooks.  What a version says, who wrote and who approved it
-- is sealed; state: enum version_state of flow/runbooks.h.
CREATE TABLE runbook_version (
	seq INTEGER PRIMARY KEY,
	id BLOB NOT NULL,
	project INTEGER NOT NULL,
	runbook BLOB NOT NULL,
	n INTEGER NOT NULL,
	state INTEGER NOT NULL,
	created INTEGER NOT NULL,
	sealed BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX runbook_version_n ON runbook_version (runbook, n);
