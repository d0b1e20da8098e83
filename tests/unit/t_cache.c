/* The history: what is put in comes out, whatever lies between: commits, folding, closing, other processes. */
#include "cache_help.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void a_point_is_read_back_everywhere(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct cache *c = open_cache();
	assert_true(cache_is_writer(c));
	assert_null(cache_note(c));
	uint32_t s = series_of(c, "AWS/SQS/NumberOfMessagesSent{QueueName=q}:Sum");
	assert_true(s > 0);
	cache_add(c, s, START + 60, 12.5);
	cache_add(c, s, START, -0.0);
	for (unsigned stage = 0; stage < 4; stage++) {
		assert_int_equal(read_all(c, s), 2);
		assert_point(0, START, -0.0);
		assert_point(1, START + 60, 12.5);
		if (stage == 0)
			commit(c);
		if (stage == 1)
			assert_true(cache_fold(c, &e));
		if (stage == 2) {
			cache_close(c);
			c = open_cache();
			assert_int_equal(series_of(c, "AWS/SQS/NumberOfMessagesSent{QueueName=q}:Sum"), s);
		}
	}
	cache_close(c);
}

static void ranges_are_half_open(void **state)
{
	(void)state;
	struct cache *c = open_cache();
	uint32_t s = series_of(c, "m");
	for (int64_t i = 0; i < 300; i++)
		cache_add(c, s, START + 60 * i, (double)i);
	for (unsigned stage = 0; stage < 3; stage++) {
		assert_int_equal(read_range(c, s, START + 60, START + 180), 2);
		assert_point(0, START + 60, 1);
		assert_point(1, START + 120, 2);
		assert_int_equal(read_range(c, s, START + 61, START + 120), 0);
		assert_int_equal(read_range(c, s, START - 1000, START + 1), 1);
		assert_int_equal(read_range(c, s, START + 7200, START + 7200), 0);
		assert_int_equal(read_range(c, s, START + 7200, START), 0);
		assert_int_equal(read_range(c, s, START + 7140, START + 7260), 2);
		assert_int_equal(read_range(c, s, -5, INT64_MAX), 300);
		if (stage == 0)
			commit(c);
		else
			assert_true(cache_fold(c, NULL));
	}
	cache_close(c);
}

static void the_later_value_wins(void **state)
{
	(void)state;
	struct cache *c = open_cache();
	uint32_t s = series_of(c, "m");
	double v = 0;
	for (unsigned stage = 0; stage < 5; stage++) {
		cache_add(c, s, START, ++v);
		assert_int_equal(read_all(c, s), 1);
		assert_point(0, START, v);
		cache_add(c, s, START, ++v);
		assert_int_equal(read_all(c, s), 1);
		assert_point(0, START, v);
		if (stage % 2)
			commit(c);
		else
			assert_true(cache_fold(c, NULL));
		assert_int_equal(read_all(c, s), 1);
		assert_point(0, START, v);
	}
	cache_close(c);
}

static void what_is_no_point_is_not_kept(void **state)
{
	(void)state;
	struct cache *c = open_cache();
	uint32_t s = series_of(c, "m");
	cache_add(c, s, START, NAN);
	cache_add(c, s, START, INFINITY);
	cache_add(c, s, START, -INFINITY);
	cache_add(c, s, -1, 1);
	cache_add(c, s, INT64_MAX, 1);
	cache_add(c, s, INT64_MIN, 1);
	cache_add(c, 0, START, 1);
	cache_add(c, s + 1, START, 1);
	cache_add(c, UINT32_MAX, START, 1);
	commit(c);
	assert_int_equal(read_all(c, s), 0);
	assert_int_equal(read_all(c, 0), 0);
	assert_int_equal(read_all(c, s + 1), 0);
	assert_int_equal(read_all(c, UINT32_MAX), 0);
	cache_close(c);
}

static void series_are_told_apart(void **state)
{
	(void)state;
	struct cache *c = open_cache();
	const char *odd = "caf\xc3\xa9 \xff\xfe{a=\"x\\\"\"}:p99'; DROP TABLE series; --\n\x1b[31m";
	uint32_t ids[] = { cache_series(c, "t", "m", 60), cache_series(c, "t", "m", 300), cache_series(c, "tm", "", 60),
		               cache_series(c, "", "tm", 60), cache_series(c, "t2", "m", 60), cache_series(c, "t", odd, 60),
		               cache_series(c, odd, "m", 60) };
	unsigned n = sizeof ids / sizeof *ids;
	for (unsigned i = 0; i < n; i++) {
		assert_true(ids[i] > 0);
		for (unsigned k = 0; k < i; k++)
			assert_int_not_equal(ids[i], ids[k]);
		cache_add(c, ids[i], START, i);
	}
	cache_close(c);
	c = open_cache();
	assert_int_equal(cache_series(c, odd, "m", 60), ids[6]);
	assert_int_equal(cache_series(c, "t", odd, 60), ids[5]);
	assert_int_equal(cache_series(c, "t", "m", 300), ids[1]);
	uint32_t fresh = cache_series(c, "t", "fresh", 60);
	for (unsigned i = 0; i < n; i++) {
		assert_int_not_equal(fresh, ids[i]);
		if (i != 1 && i < 5)
			continue;
		assert_int_equal(read_all(c, ids[i]), 1);
		assert_point(0, START, i);
	}
	cache_close(c);
}

static void many_series(void **state)
{
	(void)state;
	enum { N = 3000 };
	static uint32_t ids[N];
	struct cache *c = open_cache();
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < N; i++) {
			char metric[40];
			snprintf(metric, sizeof metric, "metric-%u", i);
			uint32_t id = series_of(c, metric);
			assert_true(round == 0 || id == ids[i]);
			ids[i] = id;
			cache_add(c, id, START + 60 * round, i + round);
		}
		commit(c);
		if (round == 0) {
			cache_close(c);
			c = open_cache();
		}
	}
	for (unsigned i = 0; i < N; i += 97) {
		assert_int_equal(read_all(c, ids[i]), 2);
		assert_point(0, START, i);
		assert_point(1, START + 60, i + 1);
	}
	cache_close(c);
}

/* ---- against a model: an array a series, one cell a minute */

enum { SERIES = 12, MINUTES = 3 * 1440 };
static double model[SERIES][MINUTES];

static double random_value(unsigned series)
{
	switch (series % 4) {
	case 0: return below(20) ? 0 : below(9);
	case 1: return 1000 + below(100);
	case 2: return below(100000) / 100.0;
	default: return exp((double)below(1000000) / 1e5);
	}
}

static void compare(struct cache *c, const uint32_t *ids, unsigned from, unsigned to)
{
	for (unsigned s = 0; s < SERIES; s++) {
		size_t n = read_range(c, ids[s], START + 60 * (int64_t)from, START + 60 * (int64_t)to), at = 0;
		for (unsigned m = from; m < to; m++)
			if (!isnan(model[s][m]))
				assert_point(at++, START + 60 * (int64_t)m, model[s][m]);
		assert_int_equal(at, n);
	}
}

static void add_some(struct cache *c, const uint32_t *ids, unsigned now)
{
	unsigned n = below(40);
	for (unsigned i = 0; i < n; i++) {
		unsigned s = below(SERIES), m = below(20) ? now - below(now < 5 ? now + 1 : 5) : below(MINUTES);
		cache_add(c, ids[s], START + 60 * (int64_t)m, model[s][m] = random_value(s));
	}
}

static struct cache *reopen(struct cache *c, uint32_t *ids)
{
	cache_close(c);
	c = open_cache();
	for (unsigned s = 0; s < SERIES; s++) {
		char metric[16];
		snprintf(metric, sizeof metric, "s%u", s);
		uint32_t id = series_of(c, metric);
		assert_true(!ids[s] || id == ids[s]);
		ids[s] = id;
	}
	return c;
}

static void it_agrees_with_a_model(void **state)
{
	(void)state;
	uint32_t ids[SERIES] = { 0 };
	for (unsigned s = 0; s < SERIES; s++)
		for (unsigned m = 0; m < MINUTES; m++)
			model[s][m] = NAN;
	seed = 11;
	struct cache *c = reopen(open_cache(), ids);
	for (unsigned now = 0; now < MINUTES; now++) {
		add_some(c, ids, now);
		if (below(3))
			commit(c);
		if (below(1000) == 0)
			assert_true(cache_fold(c, NULL));
		if (below(1000) == 0)
			c = reopen(c, ids);
		if (below(100) == 0) {
			unsigned from = below(MINUTES);
			compare(c, ids, from, from + below(MINUTES - from));
		}
	}
	compare(c, ids, 0, MINUTES);
	c = reopen(c, ids);
	compare(c, ids, 0, MINUTES);
	assert_true(cache_fold(c, NULL));
	compare(c, ids, 0, MINUTES);
	assert_int_equal(ask("SELECT count(*) FROM tick"), 0);
	cache_close(c);
}

/* ---- folding by itself */

/* Ticks older than the grace wait no longer; a chunk is written once; the log stays small. */
static void spans_are_folded_when_they_have_ended(void **state)
{
	(void)state;
	struct cache *c = open_cache();
	uint32_t ids[50];
	char wal[160];
	struct stat st;
	snprintf(wal, sizeof wal, "%s-wal", path);
	for (unsigned i = 0; i < 50; i++) {
		char metric[16];
		snprintf(metric, sizeof metric, "s%u", i);
		ids[i] = series_of(c, metric);
	}
	for (int64_t minute = 0; minute < 6 * 120 + 12; minute++) {
		for (unsigned i = 0; i < 50; i++)
			cache_add(c, ids[i], START + 60 * minute, (double)(minute * i));
		commit(c);
		assert_int_equal(stat(wal, &st), 0);
		assert_true(st.st_size < 8 << 20);
	}
	assert_int_equal(ask("SELECT count(*) FROM tick"), 12);
	assert_int_equal(ask("SELECT count(*) FROM chunk"), 6 * 50);
	assert_int_equal(ask("SELECT count(DISTINCT id >> 24) FROM chunk"), 6);
	for (unsigned i = 0; i < 50; i++) {
		assert_int_equal(read_all(c, ids[i]), 6 * 120 + 12);
		for (int64_t minute = 0; minute < 6 * 120 + 12; minute++)
			assert_point((size_t)minute, START + 60 * minute, (double)(minute * i));
	}
	cache_close(c);
}

/* More points than one commit folds: some series lie in chunks already, others not yet, and all are read. */
static void a_large_span_is_folded_in_steps(void **state)
{
	(void)state;
	enum { N = 2200, MINUTE = 130 };
	static uint32_t ids[N];
	struct cache *c = open_cache();
	for (unsigned i = 0; i < N; i++) {
		char metric[16];
		snprintf(metric, sizeof metric, "s%u", i);
		ids[i] = series_of(c, metric);
	}
	unsigned steps = 0;
	for (int64_t minute = 0; minute < MINUTE + 10; minute++) {
		for (unsigned i = 0; i < N; i++)
			cache_add(c, ids[i], START + 60 * minute, (double)(minute * i));
		commit(c);
		if (minute == MINUTE) { /* in the middle of it another life begins */
			cache_close(c);
			c = open_cache();
		}
		int64_t chunks = ask("SELECT count(*) FROM chunk");
		steps += chunks > 0 && chunks < N;
		for (unsigned i = 0; i < N && chunks > 0; i += 311)
			assert_int_equal(read_all(c, ids[i]), (size_t)minute + 1);
	}
	assert_true(steps >= 2);
	assert_int_equal(ask("SELECT count(*) FROM chunk"), N);
	assert_int_equal(ask("SELECT count(*) FROM tick"), MINUTE + 10 - 120);
	for (unsigned i = 0; i < N; i += 100) {
		assert_int_equal(read_all(c, ids[i]), MINUTE + 10);
		for (int64_t minute = 0; minute < MINUTE + 10; minute++)
			assert_point((size_t)minute, START + 60 * minute, (double)(minute * i));
	}
	cache_close(c);
}

/* A day of late points at once, newest first. */
static void a_back_fill_is_folded(void **state)
{
	(void)state;
	enum { N = 200, DAY = 1440 };
	static uint32_t ids[N];
	struct cache *c = open_cache();
	for (unsigned i = 0; i < N; i++) {
		char metric[16];
		snprintf(metric, sizeof metric, "s%u", i);
		ids[i] = series_of(c, metric);
	}
	for (unsigned i = 0; i < N; i++) /* newest first, as CloudWatch gives them */
		for (int64_t minute = DAY; minute-- > 0;)
			cache_add(c, ids[i], START + 60 * minute, (double)(minute % 17 * i));
	unsigned commits = 0;
	do {
		commit(c);
		unsigned i = below(N);
		assert_int_equal(read_all(c, ids[i]), DAY);
		for (int64_t minute = 0; minute < DAY; minute++)
			assert_point((size_t)minute, START + 60 * minute, (double)(minute % 17 * i));
		commits++;
	} while (ask("SELECT count(*) FROM tick WHERE id >> 24 < (1763856000 / 7200 + 11)") && commits < 100);
	assert_true(commits < 20);
	assert_int_equal(ask("SELECT count(*) FROM chunk"), 11 * N);
	cache_close(c);
}

/* A stray point far away must not make reading everything a walk through the centuries. */
static void far_points_are_near(void **state)
{
	(void)state;
	static const int64_t times[] = { 0, 59, 1000000000, START, START + 1, 4102444800, 253402300799 };
	enum { N = sizeof times / sizeof *times };
	struct cache *c = open_cache();
	uint32_t a = series_of(c, "a"), b = series_of(c, "b");
	for (unsigned i = N; i-- > 0;) {
		cache_add(c, a, times[i], i);
		cache_add(c, b, START + 7200 * (int64_t)i, i);
	}
	for (unsigned stage = 0; stage < 3; stage++) {
		assert_int_equal(read_all(c, a), N);
		for (unsigned i = 0; i < N; i++)
			assert_point(i, times[i], i);
		assert_int_equal(read_range(c, a, 1, times[N - 1]), N - 2);
		assert_int_equal(read_all(c, b), N);
		if (stage == 0)
			commit(c);
		else
			assert_true(cache_fold(c, NULL));
	}
	assert_int_equal(ask("SELECT count(*) FROM tick"), 0);
	cache_close(c);
}

static void retention_forgets_whole_spans(void **state)
{
	(void)state;
	struct cache *c = open_cache();
	uint32_t s = series_of(c, "m");
	for (int64_t i = 0; i < 1000; i++) {
		cache_add(c, s, START + 60 * i, (double)i);
		if (i == 700)
			assert_true(cache_fold(c, NULL));
	}
	commit(c);
	forget_before(c, START + 60 * 360);
	assert_int_equal(read_all(c, s), 640);
	assert_point(0, START + 60 * 360, 360);
	forget_before(c, START + 60 * 1000);
	assert_int_equal(read_all(c, s), 1000 - 960);
	forget_before(c, 0);
	forget_before(c, -5);
	assert_int_equal(read_all(c, s), 40);
	cache_add(c, s, START + 60 * 1001, 7);
	commit(c);
	forget_before(c, START + 864000);
	assert_int_equal(read_all(c, s), 0);
	cache_close(c);
}

/* ---- texts */

static void texts_are_kept(void **state)
{
	(void)state;
	struct err e = { 0 };
	struct cache *c = open_cache();
	assert_null(cache_get_text(c, TARGET, "alarms"));
	assert_true(cache_put_text(c, TARGET, "alarms", "[1]", &e));
	assert_true(cache_put_text(c, TARGET, "alarms", "[1,2]", &e));
	assert_true(cache_put_text(c, TARGET, "", "", &e));
	assert_true(cache_put_text(c, "other", "alarms", "\xff\n'\"", &e));
	cache_close(c);
	c = open_cache();
	const char *const wanted[][3] = { { TARGET, "alarms", "[1,2]" },
		                              { TARGET, "", "" },
		                              { "other", "alarms", "\xff\n'\"" } };
	for (unsigned i = 0; i < 3; i++) {
		char *text = cache_get_text(c, wanted[i][0], wanted[i][1]);
		assert_non_null(text);
		assert_string_equal(text, wanted[i][2]);
		free(text);
	}
	struct cache *reader = open_cache();
	assert_true(cache_put_text(reader, TARGET, "alarms", "no", &e));
	char *text = cache_get_text(reader, TARGET, "alarms");
	assert_string_equal(text, "[1,2]");
	free(text);
	cache_close(reader);
	cache_close(c);
}

/* ---- two at once */

static void the_second_only_reads(void **state)
{
	(void)state;
	struct cache *w = open_cache(), *r = open_cache();
	char pid[32];
	snprintf(pid, sizeof pid, "process %ld writes", (long)getpid());
	assert_true(cache_is_writer(w));
	assert_false(cache_is_writer(r));
	assert_non_null(strstr(cache_note(r), "read-only"));
	assert_non_null(strstr(cache_note(r), pid));
	assert_int_equal(series_of(r, "m"), 0);
	uint32_t s = series_of(w, "m");
	cache_add(w, s, START, 1);
	assert_int_equal(series_of(r, "m"), 0);
	commit(w);
	uint32_t rs = series_of(r, "m");
	assert_int_equal(rs, s);
	cache_add(r, rs, START, 99);
	commit(r);
	assert_true(cache_fold(r, NULL));
	forget_before(r, INT64_MAX - 3600);
	for (int64_t i = 1; i < 400; i++) {
		cache_add(w, s, START + 60 * i, (double)i);
		assert_int_equal(read_all(r, rs), (size_t)i);
		commit(w);
		if (i % 150 == 0)
			assert_true(cache_fold(w, NULL));
		assert_int_equal(read_all(r, rs), (size_t)i + 1);
		assert_point((size_t)i, START + 60 * i, (double)i);
	}
	assert_point(0, START, 1);
	cache_close(w);
	assert_int_equal(read_all(r, rs), 400);
	commit(r); /* the writer has gone: it takes over */
	assert_true(cache_is_writer(r));
	assert_non_null(strstr(cache_note(r), "this one writes"));
	cache_add(r, rs, START, 5);
	commit(r);
	assert_int_equal(read_all(r, rs), 400);
	assert_point(0, START, 5);
	cache_close(r);
}

enum { TWO_TICKS = 900 };

static _Noreturn void child_writes(int ready)
{
	struct cache *c = cache_open(path, NULL);
	if (!c || !cache_is_writer(c) || write(ready, "x", 1) != 1)
		_exit(1);
	uint32_t a = cache_series(c, TARGET, "a", 60), b = cache_series(c, TARGET, "b", 60);
	for (int64_t i = 0; i < TWO_TICKS; i++) {
		cache_add(c, a, START + 60 * i, (double)i);
		cache_add(c, b, START + 60 * i, (double)-i);
		if (!cache_commit(c, NULL))
			_exit(2);
		if (i % 97 == 0 && !cache_fold(c, NULL))
			_exit(3);
	}
	cache_close(c);
	_exit(0);
}

/* A tick is seen whole or not at all, in order, without an error, while another process commits and folds. */
static void another_process_writes(void **state)
{
	(void)state;
	int fd[2];
	char x;
	assert_int_equal(pipe(fd), 0);
	pid_t pid = fork();
	if (pid == 0)
		child_writes(fd[1]);
	close(fd[1]);
	assert_int_equal(read(fd[0], &x, 1), 1);
	struct cache *c = open_cache();
	size_t seen = 0, reads = 0;
	int status;
	while (waitpid(pid, &status, WNOHANG) == 0) {
		uint32_t a = series_of(c, "a"), b = series_of(c, "b");
		size_t n = a ? read_all(c, a) : 0;
		assert_true(n >= seen);
		for (size_t i = 0; i < n; i++)
			assert_point(i, START + 60 * (int64_t)i, (double)i);
		assert_true(!b || read_all(c, b) >= n);
		seen = n;
		reads++;
	}
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
	assert_true(reads > 0);
	assert_int_equal(read_all(c, series_of(c, "a")), TWO_TICKS);
	commit(c);
	assert_true(cache_is_writer(c));
	cache_close(c);
	close(fd[0]);
}

/* ---- no space */

enum { WIDE = 500 };

static bool wide_tick(struct cache *c, const uint32_t *ids, int64_t minute, struct err *e)
{
	for (unsigned i = 0; i < WIDE; i++)
		cache_add(c, ids[i], START + 60 * minute, exp(i % 100) * (double)minute);
	return cache_commit(c, e);
}

static bool wide_read(struct cache *c, const uint32_t *ids, int64_t minutes)
{
	for (unsigned i = 0; i < WIDE; i += 7) {
		if (!try_range(c, ids[i], 0, INT64_MAX) || got.n != (size_t)minutes)
			return false;
		for (int64_t m = 0; m < minutes; m++)
			if (got.t[m] != START + 60 * m || got.v[m] != exp(i % 100) * (double)m)
				return false;
	}
	return true;
}

/* The limit on the file's size stands for a full disk: commits fail, nothing is lost, and it goes on when there is room. */
static _Noreturn void child_without_space(void)
{
	uint32_t ids[WIDE];
	struct rlimit old, small;
	struct err e = { 0 };
	struct cache *c = cache_open(path, NULL);
	int64_t minute = 0;
	signal(SIGXFSZ, SIG_IGN);
	for (unsigned i = 0; i < WIDE; i++) {
		char metric[16];
		snprintf(metric, sizeof metric, "s%u", i);
		ids[i] = series_of(c, metric);
	}
	getrlimit(RLIMIT_FSIZE, &old);
	small = (struct rlimit){ 300 << 10, old.rlim_max };
	setrlimit(RLIMIT_FSIZE, &small);
	while (minute < 2000 && wide_tick(c, ids, minute, &e))
		minute++;
	if (minute == 2000 || e.code != ERR_DISK || !e.text[0])
		_exit(1);
	for (int64_t last = ++minute + 50; minute < last; minute++)
		if (wide_tick(c, ids, minute, &e))
			_exit(2);
	if (!wide_read(c, ids, minute))
		_exit(3);
	setrlimit(RLIMIT_FSIZE, &old);
	if (!cache_commit(c, &e))
		_exit(4);
	if (!wide_read(c, ids, minute))
		_exit(5);
	cache_close(c);
	_exit(0);
}

static void no_space_loses_nothing(void **state)
{
	(void)state;
	pid_t pid = fork();
	if (pid == 0)
		child_without_space();
	int status;
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(a_point_is_read_back_everywhere),
		T(ranges_are_half_open),
		T(the_later_value_wins),
		T(what_is_no_point_is_not_kept),
		T(series_are_told_apart),
		T(many_series),
		T(it_agrees_with_a_model),
		T(spans_are_folded_when_they_have_ended),
		T(a_large_span_is_folded_in_steps),
		T(a_back_fill_is_folded),
		T(far_points_are_near),
		T(retention_forgets_whole_spans),
		T(texts_are_kept),
		T(the_second_only_reads),
		T(another_process_writes),
		T(no_space_loses_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
