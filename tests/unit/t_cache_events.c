/* Events and states in the history file: told twice is told once, the newest first, one writer and whoever must be heard beside
 * it, and the limits. */
#include "cache/events.h"
#include "cache_help.h"
#include "core/mem.h"

static struct event_put put_of(int64_t at, const char *key, const char *text)
{
	return (struct event_put){ .key = key,
		                       .event = { .at = at,
		                                  .at_most = at + 60,
		                                  .kind = EVENT_CONFIG,
		                                  .service = "sqs",
		                                  .subject = "orders",
		                                  .arn = "arn:aws:sqs:eu-west-1:123456789012:orders",
		                                  .text = text,
		                                  .source = "sqs:GetQueueAttributes" } };
}

struct seen {
	unsigned n;
	int64_t at[64], at_most[64];
	char text[64][64], by[64][32], arn[64][64];
	enum event_kind kind[64];
};

static void see(void *ctx, const struct event *v)
{
	struct seen *s = ctx;
	assert_true(s->n < 64);
	s->at[s->n] = v->at;
	s->at_most[s->n] = v->at_most;
	s->kind[s->n] = v->kind;
	snprintf(s->text[s->n], 64, "%s", v->text);
	snprintf(s->by[s->n], 32, "%s", v->by ? v->by : "(nobody)");
	snprintf(s->arn[s->n++], 64, "%s", v->arn ? v->arn : "(none)");
}

static struct seen events_of(struct cache *c, int64_t from, int64_t to, unsigned most)
{
	struct seen s = { 0 };
	struct err e = { 0 };
	assert_true(cache_events(c, TARGET, from, to, most, see, &s, &e));
	return s;
}

static void put(struct cache *c, struct event_put v)
{
	struct err e = { 0 };
	assert_true(cache_put_events(c, TARGET, &v, 1, &e));
}

static void told_twice_is_told_once(void **state)
{
	(void)state;
	struct cache *c = open_cache();
	put(c, put_of(START, "a", "retention 4d00h -> 1h00m"));
	put(c, put_of(START + 500, "b", "visibility 30s -> 60s"));
	put(c, put_of(START + 900, "a", "something else"));
	for (unsigned again = 0; again < 2; again++) {
		struct seen s = events_of(c, START - 10, START + 10000, 10);
		assert_int_equal(s.n, 2);
		assert_string_equal(s.text[0], "visibility 30s -> 60s");
		assert_string_equal(s.text[1], "retention 4d00h -> 1h00m");
		assert_true(s.at[1] == START && s.at_most[1] == START + 60);
		assert_string_equal(s.by[1], "(nobody)");
		assert_string_equal(s.arn[1], "arn:aws:sqs:eu-west-1:123456789012:orders");
		cache_close(c);
		c = open_cache(); /* and they are still there */
	}
	assert_int_equal(events_of(c, START - 10, START + 10000, 1).n, 1);
	/* It may have happened in the range when its bracket reaches into it. */
	assert_int_equal(events_of(c, START + 60, START + 70, 10).n, 1);
	assert_int_equal(events_of(c, START + 61, START + 70, 10).n, 0);
	struct seen other = { 0 };
	assert_true(cache_events(c, "aws:999999999999:eu-west-1", 0, INT64_MAX, 10, see, &other, NULL));
	assert_int_equal(other.n, 0);
	cache_close(c);
}

static void every_kind_comes_back_as_itself(void **state)
{
	(void)state;
	struct cache *c = open_cache();
	for (int k = 0; k < EVENT_KIND_COUNT; k++) {
		char key[16];
		snprintf(key, sizeof key, "%d", k);
		struct event_put v = put_of(START + k, key, key);
		v.event.kind = (enum event_kind)k;
		v.event.arn = NULL;
		v.event.by = "somebody";
		put(c, v);
	}
	struct seen s = events_of(c, 0, INT64_MAX, 64);
	assert_int_equal(s.n, EVENT_KIND_COUNT);
	for (unsigned i = 0; i < s.n; i++) {
		assert_int_equal(s.kind[i], EVENT_KIND_COUNT - 1 - i);
		assert_string_equal(s.by[i], "somebody");
		assert_string_equal(s.arn[i], "(none)");
	}
	cache_close(c);
}

/* Raw text stays raw, byte for byte, up to its cap, and a cut never falls within a character. */
static void raw_text_stays_raw(void **state)
{
	(void)state;
	struct cache *c = open_cache();
	const char hostile[] = "x'); DROP TABLE event; --\x1b[2J\xff\xe2\x80\xae";
	put(c, put_of(START, "k", hostile));
	char *longer = xcalloc(1, EVENT_TEXT_MOST + 8);
	memset(longer, 'x', EVENT_TEXT_MOST - 1);
	memcpy(longer + EVENT_TEXT_MOST - 1, "\xc3\xa4\xc3\xa4", 4);
	put(c, put_of(START + 1000, "long", longer));
	struct seen s = events_of(c, 0, INT64_MAX, 10);
	assert_int_equal(s.n, 2);
	assert_string_equal(s.text[1], hostile);
	cache_close(c);
	sqlite3 *db;
	sqlite3_stmt *st;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, "SELECT max(length(CAST(text AS BLOB))) FROM event", -1, &st, NULL), 0);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	assert_int_equal(sqlite3_column_int(st, 0), EVENT_TEXT_MOST - 1);
	sqlite3_finalize(st);
	sqlite3_close(db);
	free(longer);
}

static void a_reader_drops_but_a_note_gets_in(void **state)
{
	(void)state;
	struct cache *writer = open_cache(), *reader = open_cache();
	assert_true(cache_is_writer(writer) && !cache_is_writer(reader));
	put(reader, put_of(START, "dropped", "dropped"));
	assert_int_equal(events_of(writer, 0, INT64_MAX, 10).n, 0);
	struct event_put note = put_of(START, "note", "we restarted it");
	note.event.kind = EVENT_NOTE;
	struct err e = { 0 };
	assert_true(cache_add_event(reader, TARGET, &note, &e));
	put(writer, put_of(START + 100, "after", "the writer goes on"));
	assert_int_equal(events_of(writer, 0, INT64_MAX, 10).n, 2);
	assert_int_equal(events_of(reader, 0, INT64_MAX, 10).n, 2);
	uint32_t id = cache_series(writer, TARGET, "AWS/SQS/NumberOfMessagesSent{QueueName=q}:Sum", 60);
	cache_add(writer, id, START, 1);
	commit(writer);
	cache_close(reader);
	cache_close(writer);
}

struct states {
	unsigned n;
	char subject[16][32], body[16][64];
	int64_t first[16], last[16];
};

static void see_state(void *ctx, const struct state *v)
{
	struct states *s = ctx;
	assert_true(s->n < 16);
	snprintf(s->subject[s->n], 32, "%s", v->subject);
	snprintf(s->body[s->n], 64, "%s", v->body);
	s->first[s->n] = v->first;
	s->last[s->n++] = v->last;
}

static void a_state_moves_on_until_it_changes(void **state)
{
	(void)state;
	struct cache *c = open_cache();
	struct err e = { 0 };
	const struct state v[] = {
		{ "sqs:b", START, START, "{\"retention_s\":\"345600\"}" },
		{ "sqs:a", START, START, "{}" },
		{ "sqs:b", START, START + 300, "{\"retention_s\":\"345600\"}" },
		{ "sqs:b", START + 600, START + 600, "{\"retention_s\":\"3600\"}" },
	};
	assert_true(cache_put_states(c, TARGET, v, 4, &e));
	struct states s = { 0 };
	assert_true(cache_states(c, TARGET, see_state, &s, &e));
	assert_int_equal(s.n, 3);
	assert_string_equal(s.subject[0], "sqs:a");
	assert_true(s.first[1] == START && s.last[1] == START + 300 && s.first[2] == START + 600);
	assert_string_equal(s.body[2], "{\"retention_s\":\"3600\"}");
	char *huge = xcalloc(1, STATE_BODY_MOST + 2);
	memset(huge, 'x', STATE_BODY_MOST + 1);
	assert_true(cache_put_states(c, TARGET, &(struct state){ "sqs:huge", START, START, huge }, 1, &e));
	s.n = 0;
	assert_true(cache_states(c, TARGET, see_state, &s, &e));
	assert_int_equal(s.n, 3);
	free(huge);
	cache_close(c);
}

static int64_t rows(const char *table)
{
	char sql[64];
	sqlite3 *db;
	sqlite3_stmt *st;
	snprintf(sql, sizeof sql, "SELECT count(*) FROM %s", table);
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
	assert_int_equal(sqlite3_step(st), SQLITE_ROW);
	int64_t n = sqlite3_column_int64(st, 0);
	sqlite3_finalize(st);
	sqlite3_close(db);
	return n;
}

static void keeps_within_retention_and_share(void **state)
{
	(void)state;
	enum { N = 3000 };
	struct cache *c = open_cache();
	struct err e = { 0 };
	struct event_put *v = xcalloc(N, sizeof *v);
	char(*key)[16] = xcalloc(N, sizeof *key);
	for (int i = 0; i < N; i++) {
		snprintf(key[i], sizeof key[i], "k%d", i);
		v[i] = put_of(START + i * 60, key[i], "x");
	}
	assert_true(cache_put_events(c, TARGET, v, N, &e));
	assert_true(cache_put_states(c, TARGET, &(struct state){ "sqs:old", START, START + 60, "{}" }, 1, &e));
	assert_true(cache_put_states(c, TARGET, &(struct state){ "sqs:new", START, START + N * 60, "{}" }, 1, &e));
	uint32_t id = cache_series(c, TARGET, "AWS/SQS/NumberOfMessagesSent{QueueName=q}:Sum", 60);
	cache_add(c, id, START + N * 60, 1); /* the clock is believed as far as points reach */
	commit(c);
	/* A third of them is older than the retention. */
	cache_limit(c, &(struct cache_limits){ .retention = 2000 * 60 });
	for (unsigned i = 0; i < 8; i++)
		assert_true(cache_keep(c, START + N * 60, NULL, &e));
	int64_t left = rows("event");
	assert_in_range(left, 1990, 2010);
	assert_int_equal(rows("state"), 1);
	/* And no more than their share of a small file. */
	cache_limit(c, &(struct cache_limits){ .bytes = 4 << 20 });
	for (unsigned i = 0; i < 200; i++)
		assert_true(cache_keep(c, START + N * 60, NULL, &e));
	assert_in_range(rows("event"), 500, 530);
	struct seen s = events_of(c, 0, INT64_MAX, 1);
	assert_true(s.at[0] == START + (N - 1) * 60);
	free(v);
	free(key);
	cache_close(c);
}

int main(void)
{
#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(told_twice_is_told_once),           T(every_kind_comes_back_as_itself),   T(raw_text_stays_raw),
		T(a_reader_drops_but_a_note_gets_in), T(a_state_moves_on_until_it_changes), T(keeps_within_retention_and_share),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
