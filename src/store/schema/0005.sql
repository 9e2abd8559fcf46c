-- Runs of runbooks.  What a run is given, where each of its steps stands and
-- what came of it is sealed.  state: enum run_state of domain/words.def; due:
-- when the run goes on by itself, ms, 0: it does not; key: its blind
-- idempotency key.
CREATE TABLE run (
	seq INTEGER PRIMARY KEY,
	id BLOB NOT NULL,
	project INTEGER NOT NULL,
	runbook BLOB NOT NULL,
	number INTEGER NOT NULL,
	cause BLOB NOT NULL,
	incident INTEGER NOT NULL,
	alert BLOB NOT NULL,
	requester_kind INTEGER NOT NULL,
	requester BLOB NOT NULL,
	state INTEGER NOT NULL,
	depth INTEGER NOT NULL,
	version INTEGER NOT NULL,
	created INTEGER NOT NULL,
	started INTEGER NOT NULL,
	ended INTEGER NOT NULL,
	due INTEGER NOT NULL,
	key BLOB,
	sealed BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX run_id ON run (id);
CREATE INDEX run_project ON run (project, seq);
CREATE INDEX run_state ON run (project, state, seq);
CREATE INDEX run_runbook ON run (runbook, state, seq);
CREATE INDEX run_incident ON run (incident, seq) WHERE incident > 0;
CREATE INDEX run_due ON run (due) WHERE due > 0;
CREATE UNIQUE INDEX run_key ON run (key) WHERE key IS NOT NULL;

-- What happened and may fire triggers, until it was looked at: at `due`.
CREATE TABLE happening (
	seq INTEGER PRIMARY KEY,
	project INTEGER NOT NULL,
	due INTEGER NOT NULL,
	sealed BLOB NOT NULL
) STRICT;
CREATE INDEX happening_due ON happening (due, seq);

-- What a trigger has done.  due: its schedule's next time, 0: none; window:
-- when the hour in which `fired` is counted began; reason: enum fire_refusal.
CREATE TABLE trigger_state (
	trigger BLOB PRIMARY KEY,
	due INTEGER NOT NULL,
	last_fired INTEGER NOT NULL,
	window INTEGER NOT NULL,
	fired INTEGER NOT NULL,
	last_refused INTEGER NOT NULL,
	refused INTEGER NOT NULL,
	reason INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX trigger_state_due ON trigger_state (due) WHERE due > 0;
