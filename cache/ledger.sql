-- The ledger of replays. What stands below a line "-- migration N" brings a file from version N - 1 (PRAGMA user_version) to N, in
-- one transaction. A migration that was released is never changed again: the next one is written below it.
-- migration 1
PRAGMA application_id = 1936487788;

-- One replay. Booleans are 0 and 1, times milliseconds since 1970 UTC, 0 = not yet.
CREATE TABLE run (
	id            TEXT PRIMARY KEY,
	account       TEXT NOT NULL,
	region        TEXT NOT NULL,
	source        TEXT NOT NULL,
	source_arn    TEXT NOT NULL,
	source_url    TEXT NOT NULL,
	dest          TEXT NOT NULL,
	dest_url      TEXT,
	mode          TEXT NOT NULL,
	state         TEXT NOT NULL,
	wanted        TEXT,
	reason        TEXT,
	by_user       TEXT NOT NULL,
	host          TEXT NOT NULL,
	manifest      TEXT NOT NULL,
	rate          REAL NOT NULL,
	tolerance     REAL NOT NULL,
	batch         INTEGER NOT NULL,
	most          INTEGER NOT NULL,
	confirmed     INTEGER NOT NULL,
	expected      INTEGER NOT NULL,
	unknown       TEXT NOT NULL,
	lease_s       INTEGER NOT NULL,
	call_s        INTEGER NOT NULL,
	verify_s      INTEGER NOT NULL,
	fifo          INTEGER NOT NULL,
	partial       INTEGER NOT NULL,
	selection     TEXT,
	hidden_until  INTEGER NOT NULL,
	created       INTEGER NOT NULL,
	started       INTEGER NOT NULL,
	ended         INTEGER NOT NULL,
	chain         TEXT NOT NULL, -- of its newest event
	events        INTEGER NOT NULL,
	sum           TEXT NOT NULL  -- over what decides what the run does
) WITHOUT ROWID;

-- One message of a run; sum is over all of it.
CREATE TABLE item (
	run_id      TEXT NOT NULL,
	seq         INTEGER NOT NULL,
	msg_id      TEXT NOT NULL,
	handle      TEXT,
	lease_until INTEGER NOT NULL,
	sent        INTEGER NOT NULL,
	group_id    TEXT,
	source_arn  TEXT,
	body_sha256 TEXT NOT NULL,
	bytes       INTEGER NOT NULL,
	fp          TEXT,
	state       TEXT NOT NULL,
	replay_no   INTEGER NOT NULL,
	rejections  INTEGER NOT NULL,
	resent      INTEGER NOT NULL,
	intent      INTEGER NOT NULL,
	accepted    INTEGER NOT NULL,
	removed     INTEGER NOT NULL,
	out_id      TEXT,
	code        TEXT,
	text        TEXT,
	request_id  TEXT,
	sum         TEXT NOT NULL,
	PRIMARY KEY (run_id, seq),
	UNIQUE (run_id, msg_id)
) WITHOUT ROWID;
CREATE INDEX item_message ON item (msg_id);

-- Every change of a state, in its order; chain is over the one before it and this row.
CREATE TABLE item_event (
	run_id     TEXT NOT NULL,
	n          INTEGER NOT NULL,
	seq        INTEGER NOT NULL,
	at         INTEGER NOT NULL,
	from_state TEXT NOT NULL,
	to_state   TEXT NOT NULL,
	detail     TEXT,
	chain      TEXT NOT NULL,
	PRIMARY KEY (run_id, n)
) WITHOUT ROWID;

-- What sweeps have seen of a queue: every look costs each message a receive.
CREATE TABLE peek (
	queue_arn  TEXT NOT NULL,
	sweeps     INTEGER NOT NULL,
	last       INTEGER NOT NULL,
	PRIMARY KEY (queue_arn)
) WITHOUT ROWID;

-- migration 2
-- What a source needs to be read again; which driver it is (1 more at each handing over); when it was handed over, and since then goes on
-- elsewhere alone; of a move task its handle, its rate and what it says it moved.
ALTER TABLE run ADD COLUMN origin TEXT;
ALTER TABLE run ADD COLUMN fence INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN handed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN task TEXT;
ALTER TABLE run ADD COLUMN task_rate INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN moved INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN to_move INTEGER NOT NULL DEFAULT 0;

-- Where in its source it lies, and its business key.
ALTER TABLE item ADD COLUMN place TEXT;
ALTER TABLE item ADD COLUMN bkey TEXT;
CREATE INDEX item_key ON item (bkey) WHERE bkey IS NOT NULL;
CREATE INDEX item_body ON item (body_sha256);
CREATE INDEX item_cause ON item (fp);

-- Retention that was raised to buy time, and what it was: what undoes it.
CREATE TABLE bought (
	arn      TEXT PRIMARY KEY,
	was      INTEGER NOT NULL, -- seconds
	now      INTEGER NOT NULL,
	at       INTEGER NOT NULL,
	by_user  TEXT NOT NULL
) WITHOUT ROWID;
