-- Work for delegates.  What is to be done is sealed; state: enum task_state,
-- until: end of the lease, selector and result: blind values of the labels it
-- asks for and of what was answered.
CREATE TABLE task (
	seq INTEGER PRIMARY KEY,
	id BLOB NOT NULL,
	project INTEGER NOT NULL,
	run BLOB NOT NULL,
	delegate BLOB NOT NULL,
	selector BLOB NOT NULL,
	attempt INTEGER NOT NULL,
	state INTEGER NOT NULL,
	outcome INTEGER NOT NULL,
	cancel INTEGER NOT NULL,
	fence INTEGER NOT NULL,
	until INTEGER NOT NULL,
	offered INTEGER NOT NULL,
	changed INTEGER NOT NULL,
	result BLOB NOT NULL,
	sealed BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX task_id ON task (id);
CREATE INDEX task_queue ON task (project, state, selector, seq);
CREATE INDEX task_delegate ON task (delegate, state);
CREATE INDEX task_run ON task (run, seq);
CREATE INDEX task_until ON task (until) WHERE until > 0;

-- What the steps of a run wrote, in pieces.
CREATE TABLE run_log (
	seq INTEGER PRIMARY KEY,
	project INTEGER NOT NULL,
	run BLOB NOT NULL,
	task BLOB NOT NULL,
	at INTEGER NOT NULL,
	task_at INTEGER NOT NULL,
	bytes INTEGER NOT NULL,
	sealed BLOB NOT NULL
) STRICT;
CREATE UNIQUE INDEX run_log_at ON run_log (run, at);
CREATE UNIQUE INDEX run_log_task_at ON run_log (task, task_at);

-- The last checkpoint of the audit log each delegate has cosigned.
CREATE TABLE witness (
	delegate BLOB PRIMARY KEY,
	size INTEGER NOT NULL,
	time INTEGER NOT NULL,
	note BLOB NOT NULL
) STRICT, WITHOUT ROWID;
