-- The history of sluice. What stands below a line "-- migration N" brings a file from version N - 1 (PRAGMA user_version)
-- to N, in one transaction. A migration that was released is never changed again: the next one is written below it.
-- migration 1
PRAGMA application_id = 1936487779;

-- What is measured. hash (of target, metric and step) finds it without keeping the long texts twice.
CREATE TABLE series (
	id     INTEGER PRIMARY KEY,
	hash   INTEGER NOT NULL,
	target TEXT NOT NULL,
	metric TEXT NOT NULL,
	step   INTEGER NOT NULL
);
CREATE INDEX series_hash ON series (hash);

-- Ticks that are not folded yet: id = span << 24 | number within the span, body as in tick.h. A span is two hours.
CREATE TABLE tick (
	id   INTEGER PRIMARY KEY,
	body BLOB NOT NULL
);

-- Points of one series within one span: id = span << 24 | series, body as in chunk.h. Time comes first in the key, so that
-- what is written together lies together.
CREATE TABLE chunk (
	id   INTEGER PRIMARY KEY,
	body BLOB NOT NULL
);

-- How far folding has come: spans below `done` were folded once; `span` is at work (-1: none), its ticks up to `upto`, its
-- series below `next`.
CREATE TABLE fold (
	id   INTEGER PRIMARY KEY CHECK (id = 1),
	done INTEGER NOT NULL,
	span INTEGER NOT NULL,
	upto INTEGER NOT NULL,
	next INTEGER NOT NULL
);
INSERT INTO fold VALUES (1, 0, -1, 0, 0);

CREATE TABLE text (
	target TEXT NOT NULL,
	name   TEXT NOT NULL,
	value  TEXT NOT NULL,
	PRIMARY KEY (target, name)
) WITHOUT ROWID;

-- migration 2
-- What is left of points that have grown old: id = level << 56 | span << 24 | series, body as in coarse.h. Level 0 is five
-- minutes in spans of a day, level 1 an hour in spans of twelve days.
CREATE TABLE coarse (
	id   INTEGER PRIMARY KEY,
	body BLOB NOT NULL
);

-- migration 3
-- Fine points that had changed when they were read again: id = span << 24 | number within the span, body as in revise.h. Those
-- of one commit lie in one row; the span is that of the points' own time, as in tick.
CREATE TABLE revision (
	id   INTEGER PRIMARY KEY,
	body BLOB NOT NULL
);

-- migration 4
-- What happened, as it was told: raw text. key is what makes telling it again the same (cache/events.h).
CREATE TABLE event (
	id      INTEGER PRIMARY KEY,
	target  TEXT NOT NULL,
	key     TEXT NOT NULL,
	at      INTEGER NOT NULL,
	at_most INTEGER NOT NULL,
	kind    TEXT NOT NULL,
	service TEXT NOT NULL,
	subject TEXT NOT NULL,
	arn     TEXT,
	text    TEXT NOT NULL,
	who     TEXT,
	source  TEXT NOT NULL
);
CREATE UNIQUE INDEX event_key ON event (target, key);
CREATE INDEX event_time ON event (at_most);

-- What something was like, as it was seen at every look from first to last. Between the last look of one row and the first of the
-- next it changed; nobody knows when.
CREATE TABLE state (
	id      INTEGER PRIMARY KEY,
	target  TEXT NOT NULL,
	subject TEXT NOT NULL,
	first   INTEGER NOT NULL,
	last    INTEGER NOT NULL,
	body    TEXT NOT NULL
);
CREATE UNIQUE INDEX state_subject ON state (target, subject, first);
CREATE INDEX state_last ON state (last);
