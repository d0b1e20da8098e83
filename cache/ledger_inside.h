/* What the ledger's files share. */
#ifndef CACHE_LEDGER_INSIDE_H
#define CACHE_LEDGER_INSIDE_H

#include "cache/ledger.h"
#include "cache/log_file.h"

#define SUM_MOST (1u << 20)

struct ledger {
	struct log_file f;
};

struct chain { /* of a run's events: the newest one's digest, and how many there are */
	char last[SHA_HEX];
	int64_t n;
};
void ledger_chain_link(struct chain *c, const struct ledger_event *v);
/* SQLite's codes. */
int ledger_chain_read(struct ledger *l, const char *run, struct chain *c);
int ledger_chain_add(struct ledger *l, const char *run, struct chain *c, const struct ledger_event *v);
int ledger_chain_write(struct ledger *l, const char *run, const struct chain *c);

/* Columns of a row: texts in the arena, NULL as NULL or as ""; a number within its range. */
const char *ledger_text(struct arena *mem, sqlite3_stmt *st, int i);
const char *ledger_must_text(struct arena *mem, sqlite3_stmt *st, int i);
unsigned ledger_number(sqlite3_stmt *st, int i);

int ledger_put_run(struct ledger *l, const struct replay_run *r); /* its row, with an empty chain; SQLite's code */
int ledger_put_item(struct ledger *l, const char *run, const struct replay_item *it);

/* Within a transaction: all of them and their events. SQLITE_CONSTRAINT, and e says it: one is not in the state it is changed from. */
int ledger_change_all(struct ledger *l, const char *run, const struct ledger_change *v, unsigned n, struct err *e);

bool ledger_tampered(struct err *e, const char *run, const char *what); /* false */
bool ledger_load_run(struct ledger *l, const char *run, struct arena *mem, struct replay_run *r, struct err *e);

#endif
