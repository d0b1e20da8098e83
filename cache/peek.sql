-- What looks into queues have shown of their messages: no bodies, only what tells when something expires. What stands below a line
-- "-- migration N" brings a file from version N - 1 (PRAGMA user_version) to N, in one transaction. A migration that was released is
-- never changed again: the next one is written below it.
-- migration 1
PRAGMA application_id = 1936487798;

-- The newest whole look at a queue; before there was one, the newest look. Times are milliseconds since 1970 UTC, 0 = not known.
CREATE TABLE sweep (
	queue_arn  TEXT PRIMARY KEY,
	at         INTEGER NOT NULL, -- when it began
	whole      INTEGER NOT NULL, -- 1: it met everything that was there
	removed    INTEGER NOT NULL, -- what our own replays have deleted since of what was met
	proved     INTEGER NOT NULL  -- until then others had taken nothing of it
) WITHOUT ROWID;

CREATE TABLE seen (
	queue_arn  TEXT NOT NULL,
	msg_id     TEXT NOT NULL,
	sent       INTEGER NOT NULL, -- SentTimestamp
	arrived    INTEGER NOT NULL, -- of a pointer to a stream's records: approximateArrivalOfFirstRecord
	stream     TEXT,             -- and that stream's ARN
	PRIMARY KEY (queue_arn, msg_id)
) WITHOUT ROWID;
