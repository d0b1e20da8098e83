-- The audit log: what was announced before it was done, and what was refused. Append only; each row's digest covers the one before.
-- migration 1
PRAGMA application_id = 1936487777;

CREATE TABLE audit (
	n         INTEGER PRIMARY KEY,
	at        INTEGER NOT NULL, -- milliseconds since 1970 UTC
	os_user   TEXT NOT NULL,
	host      TEXT NOT NULL,
	ssh_from  TEXT,
	account   TEXT,
	profile   TEXT,
	mode      TEXT NOT NULL,
	action    TEXT NOT NULL,    -- sqs:DeleteMessageBatch
	target    TEXT,             -- an ARN, or what was named
	outcome   TEXT NOT NULL,    -- announced, denied, dry-run, success, failure, unknown
	run_id    TEXT,
	detail    TEXT,
	prev      TEXT NOT NULL,
	sum       TEXT NOT NULL
);
