-- What a data key seals is found by the number in the head of the blob, so
-- that a key is destroyed with its last row and never before.
CREATE INDEX alert_sealed ON alert (substr(sealed, 5, 4));
CREATE INDEX delivery_sealed ON delivery (substr(sealed, 5, 4));
CREATE INDEX run_sealed ON run (substr(sealed, 5, 4));
CREATE INDEX happening_sealed ON happening (substr(sealed, 5, 4));
CREATE INDEX task_sealed ON task (substr(sealed, 5, 4));
CREATE INDEX run_log_sealed ON run_log (substr(sealed, 5, 4));
CREATE INDEX audit_body_sealed ON audit_body (substr(sealed, 5, 4));
CREATE INDEX reply_sealed ON reply (substr(sealed, 5, 4));

-- What is due next, and the tags of what goes.
CREATE INDEX incident_closed ON incident (project, closed) WHERE closed > 0;
CREATE INDEX run_ended ON run (project, ended) WHERE ended > 0;
CREATE INDEX incident_tag_number ON incident_tag (project, number);

-- What was destroyed: seq is the entry of the log that commits to what is
-- sealed here.  class: enum retention_class of access/world.h.
CREATE TABLE destruction (
	seq INTEGER PRIMARY KEY,
	time INTEGER NOT NULL,
	class INTEGER NOT NULL,
	project INTEGER NOT NULL,
	units INTEGER NOT NULL,
	sealed BLOB NOT NULL
) STRICT;
CREATE INDEX destruction_time ON destruction (time, seq);
