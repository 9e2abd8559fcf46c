-- 0001: the first schema.  Plaintext columns are ids, numbers, times and
-- enumerations; everything a person or sender wrote is inside `sealed`.
-- Equality search over sealed text goes through blind (HMACed) values.
-- Big rows stand in tables with integer keys that rise, so that they are
-- appended; `sealed` is the last column, so that the others are read
-- without it.

CREATE TABLE meta (
	name TEXT NOT NULL PRIMARY KEY,
	value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Project keys, wrapped by the root key.  project 0 is the organization.
CREATE TABLE project_key (
	project INTEGER NOT NULL,
	version INTEGER NOT NULL,
	created INTEGER NOT NULL,
	wrapped BLOB NOT NULL,
	PRIMARY KEY (project, version)
) STRICT, WITHOUT ROWID;

-- Data keys, wrapped by a project key.  Deleting a row destroys what the
-- key sealed.  subject NULL: a class key, the newest term seals.
CREATE TABLE data_key (
	id INTEGER PRIMARY KEY,
	project INTEGER NOT NULL,
	version INTEGER NOT NULL,
	class INTEGER NOT NULL,
	subject BLOB,
	term INTEGER NOT NULL,
	wrapped BLOB NOT NULL
) STRICT;
CREATE INDEX data_key_class ON data_key (project, class, term)
	WHERE subject IS NULL;

-- Everything small and administrative: projects, users, groups, service
-- accounts, roles, bindings, tokens, integrations.  Held in memory.
CREATE TABLE object (
	kind INTEGER NOT NULL,
	id BLOB NOT NULL,
	project INTEGER NOT NULL,
	version INTEGER NOT NULL,
	created INTEGER NOT NULL,
	updated INTEGER NOT NULL,
	sealed BLOB NOT NULL,
	PRIMARY KEY (kind, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE incident (
	seq INTEGER PRIMARY KEY,
	id BLOB NOT NULL,
	project INTEGER NOT NULL,
	number INTEGER NOT NULL,
	severity INTEGER NOT NULL,
	status INTEGER NOT NULL,
	private INTEGER NOT NULL,
	version INTEGER NOT NULL,
	alerts INTEGER NOT NULL,
	entries INTEGER NOT NULL,
	created INTEGER NOT NULL,
	updated INTEGER NOT NULL,
	acknowledged INTEGER NOT NULL,
	mitigated INTEGER NOT NULL,
	resolved INTEGER NOT NULL,
	closed INTEGER NOT NULL,
	sealed BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX incident_id ON incident (id);
CREATE UNIQUE INDEX incident_number ON incident (project, number);
-- One run of numbers for each (private, status, severity): lists merge runs.
CREATE INDEX incident_state
	ON incident (project, private, status, severity, number);

-- Blind equality search: kind 1 service, 2 type, 3 group.
CREATE TABLE incident_tag (
	project INTEGER NOT NULL,
	kind INTEGER NOT NULL,
	value BLOB NOT NULL,
	number INTEGER NOT NULL,
	PRIMARY KEY (project, kind, value, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE incident_member (
	incident INTEGER NOT NULL,
	kind INTEGER NOT NULL,
	subject BLOB NOT NULL,
	PRIMARY KEY (incident, kind, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX incident_member_subject
	ON incident_member (subject, kind, incident);

-- key = incident << 24 | n: one incident's entries are neighbours.
CREATE TABLE timeline (
	key INTEGER PRIMARY KEY,
	kind INTEGER NOT NULL,
	key_event INTEGER NOT NULL,
	occurred INTEGER NOT NULL,
	recorded INTEGER NOT NULL,
	sealed BLOB NOT NULL
) STRICT;

-- open = (resolved = 0), kept by the statements that write.
CREATE TABLE alert (
	seq INTEGER PRIMARY KEY,
	id BLOB NOT NULL,
	project INTEGER NOT NULL,
	dedup BLOB NOT NULL,
	incident INTEGER NOT NULL,
	status INTEGER NOT NULL,
	severity INTEGER NOT NULL,
	open INTEGER NOT NULL,
	version INTEGER NOT NULL,
	count INTEGER NOT NULL,
	first_seen INTEGER NOT NULL,
	last_seen INTEGER NOT NULL,
	resolved INTEGER NOT NULL,
	sealed BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX alert_id ON alert (id);
CREATE INDEX alert_dedup ON alert (dedup, seq);
CREATE INDEX alert_state ON alert (project, status, severity, seq);
CREATE INDEX alert_incident ON alert (incident, open, seq)
	WHERE incident > 0;

-- What a sender sent, whole and sealed.  status: 1 accepted, 2 dead letter.
CREATE TABLE delivery (
	seq INTEGER PRIMARY KEY,
	id BLOB NOT NULL,
	project INTEGER NOT NULL,
	integration BLOB NOT NULL,
	received INTEGER NOT NULL,
	status INTEGER NOT NULL,
	alerts INTEGER NOT NULL,
	bytes INTEGER NOT NULL,
	sealed BLOB NOT NULL
) STRICT;
CREATE INDEX delivery_integration ON delivery (integration, seq);

-- seq rises with time: the oldest answers are purged from its low end.
CREATE TABLE reply (
	seq INTEGER PRIMARY KEY,
	key BLOB NOT NULL,
	body_hash BLOB NOT NULL,
	created INTEGER NOT NULL,
	status INTEGER NOT NULL,
	sealed BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX reply_key ON reply (key);

CREATE TABLE token_used (
	token BLOB NOT NULL PRIMARY KEY,
	used INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- The log.  A leaf is stored as the bytes that are hashed.
CREATE TABLE audit (
	seq INTEGER PRIMARY KEY,
	leaf BLOB NOT NULL
) STRICT;
CREATE TABLE audit_body (
	seq INTEGER PRIMARY KEY,
	sealed BLOB NOT NULL
) STRICT;
-- key = level << 56 | index.
CREATE TABLE audit_tile (
	key INTEGER PRIMARY KEY,
	hashes BLOB NOT NULL
) STRICT;
CREATE TABLE checkpoint (
	size INTEGER PRIMARY KEY,
	time INTEGER NOT NULL,
	note BLOB NOT NULL
) STRICT;
