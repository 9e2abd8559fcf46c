-- 0001: the first schema.  Plaintext columns are ids, numbers, times and
-- enumerations; everything a person or sender wrote is inside `sealed`.
-- Equality search over sealed text goes through blind (HMACed) values.

CREATE TABLE meta (
	name TEXT PRIMARY KEY,
	value BLOB NOT NULL
) WITHOUT ROWID;

-- Project keys, wrapped by the root key.  project 0 is the organization.
CREATE TABLE project_key (
	project INTEGER NOT NULL,
	version INTEGER NOT NULL,
	created INTEGER NOT NULL,
	wrapped BLOB NOT NULL,
	PRIMARY KEY (project, version)
) WITHOUT ROWID;

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
);
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
) WITHOUT ROWID;

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
);
CREATE UNIQUE INDEX incident_id ON incident (id);
CREATE UNIQUE INDEX incident_number ON incident (project, number);
CREATE INDEX incident_status ON incident (project, status, number);
CREATE INDEX incident_severity ON incident (project, severity, number);

-- Blind equality search: kind 1 service, 2 type, 3 group.
CREATE TABLE incident_tag (
	project INTEGER NOT NULL,
	kind INTEGER NOT NULL,
	value BLOB NOT NULL,
	number INTEGER NOT NULL,
	PRIMARY KEY (project, kind, value, number)
) WITHOUT ROWID;

CREATE TABLE incident_member (
	incident INTEGER NOT NULL,
	kind INTEGER NOT NULL,
	subject BLOB NOT NULL,
	PRIMARY KEY (incident, kind, subject)
) WITHOUT ROWID;
CREATE INDEX incident_member_subject ON incident_member (subject, incident);

CREATE TABLE timeline (
	incident INTEGER NOT NULL,
	n INTEGER NOT NULL,
	kind INTEGER NOT NULL,
	key_event INTEGER NOT NULL,
	occurred INTEGER NOT NULL,
	recorded INTEGER NOT NULL,
	sealed BLOB NOT NULL,
	PRIMARY KEY (incident, n)
) WITHOUT ROWID;

CREATE TABLE alert (
	seq INTEGER PRIMARY KEY,
	id BLOB NOT NULL,
	project INTEGER NOT NULL,
	dedup BLOB NOT NULL,
	incident INTEGER NOT NULL,
	status INTEGER NOT NULL,
	severity INTEGER NOT NULL,
	version INTEGER NOT NULL,
	count INTEGER NOT NULL,
	first_seen INTEGER NOT NULL,
	last_seen INTEGER NOT NULL,
	resolved INTEGER NOT NULL,
	sealed BLOB NOT NULL
);
CREATE UNIQUE INDEX alert_id ON alert (id);
CREATE INDEX alert_dedup ON alert (dedup, seq);
CREATE INDEX alert_project ON alert (project, seq);
CREATE INDEX alert_incident ON alert (incident, seq) WHERE incident > 0;

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
);
CREATE INDEX delivery_integration ON delivery (integration, seq);

CREATE TABLE reply (
	key BLOB PRIMARY KEY,
	body_hash BLOB NOT NULL,
	created INTEGER NOT NULL,
	status INTEGER NOT NULL,
	sealed BLOB NOT NULL
) WITHOUT ROWID;
CREATE INDEX reply_created ON reply (created);

CREATE TABLE token_used (
	token BLOB PRIMARY KEY,
	used INTEGER NOT NULL
) WITHOUT ROWID;

-- The log.  A leaf is stored as the bytes that are hashed.
CREATE TABLE audit (
	seq INTEGER PRIMARY KEY,
	leaf BLOB NOT NULL
);
CREATE TABLE audit_body (
	seq INTEGER PRIMARY KEY,
	sealed BLOB NOT NULL
);
CREATE TABLE audit_tile (
	level INTEGER NOT NULL,
	idx INTEGER NOT NULL,
	hashes BLOB NOT NULL,
	PRIMARY KEY (level, idx)
);
CREATE TABLE checkpoint (
	size INTEGER PRIMARY KEY,
	time INTEGER NOT NULL,
	note BLOB NOT NULL
);
