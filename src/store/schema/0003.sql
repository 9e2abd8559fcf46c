-- When a token last used a permission, for what it holds and never needs.
-- permission: the CRC-32 of its name; used: the start of that day.
CREATE TABLE token_right (
	token BLOB NOT NULL,
	permission INTEGER NOT NULL,
	used INTEGER NOT NULL,
	PRIMARY KEY (token, permission)
) STRICT, WITHOUT ROWID;
