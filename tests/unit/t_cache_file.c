/* The history as files: who may read them, what is refused, who writes, what happens when a file is damaged, goes away or
 * belongs to somebody else. */
#include "cache_help.h"

#include "core/buf.h"
#include "core/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/wait.h>

static char *beside(const char *suffix)
{
	return xasprintf("%s%s", path, suffix);
}

static void make_folder(void)
{
	char name[128];
	snprintf(name, sizeof name, "%s/h", folder);
	assert_int_equal(mkdir(name, 0700), 0);
}

static struct buf slurp(const char *name)
{
	struct buf b;
	char block[4096];
	size_t n;
	buf_init(&b, 64 << 20);
	FILE *f = fopen(name, "rb");
	assert_non_null(f);
	while ((n = fread(block, 1, sizeof block, f)) > 0)
		buf_add(&b, block, n);
	fclose(f);
	return b;
}

static void spill(const char *name, const char *p, size_t n)
{
	FILE *f = fopen(name, "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(p, 1, n, f), n);
	fclose(f);
}

/* ---- modes */

static unsigned check_modes(const char *name)
{
	struct stat st;
	unsigned seen = 1;
	assert_int_equal(lstat(name, &st), 0);
	if (!S_ISDIR(st.st_mode)) {
		assert_int_equal(st.st_mode & 07777, 0600);
		return seen;
	}
	assert_int_equal(st.st_mode & 07777, 0700);
	DIR *dir = opendir(name);
	for (struct dirent *d; (d = readdir(dir));) {
		char *inner = xasprintf("%s/%s", name, d->d_name);
		if (strcmp(d->d_name, ".") != 0 && strcmp(d->d_name, "..") != 0)
			seen += check_modes(inner);
		free(inner);
	}
	closedir(dir);
	return seen;
}

static void nobody_else_may_look(void **state)
{
	(void)state;
	static const mode_t masks[] = { 0, 022, 077, 0777 };
	for (unsigned i = 0; i < 4; i++) {
		char top[96];
		mode_t old = umask(masks[i]);
		snprintf(top, sizeof top, "%s/m%u", folder, i);
		snprintf(path, sizeof path, "%s/a/b/history.db", top);
		if (masks[i] == 0777) { /* nothing can be made in a folder that was made without rights */
			umask(077);
			assert_int_equal(mkdir(top, 0700), 0);
			umask(0777);
			snprintf(path, sizeof path, "%s/history.db", top);
		}
		struct cache *c = open_cache();
		uint32_t s = series_of(c, "m");
		cache_add(c, s, START, 1);
		commit(c);
		assert_true(check_modes(top) >= 5); /* folder, file, lock, log and its index */
		umask(old);
		cache_close(c);
	}
}

static void open_modes(void **state)
{
	(void)state;
	static const struct {
		mode_t folder;
		bool used;
	} t[] = { { 0700, true }, { 0755, true }, { 0777, false }, { 01777, false } };
	struct stat st;
	struct err e = { 0 };
	char own[96];
	snprintf(own, sizeof own, "%s/sluice", folder);
	snprintf(path, sizeof path, "%s/history.db", own);
	assert_int_equal(mkdir(own, 0700), 0);
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		spill(path, "", 0);
		assert_int_equal(chmod(own, t[i].folder) | chmod(path, 0666), 0);
		struct cache *c = cache_open(path, &e);
		assert_int_equal(c != NULL, t[i].used);
		assert_int_equal(stat(own, &st), 0);
		assert_int_equal(st.st_mode & 07777, t[i].folder);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(st.st_mode & 07777, t[i].used ? 0600 : 0666);
		if (c)
			cache_close(c);
		else
			assert_non_null(strstr(e.text, own)); /* the note names the folder */
	}

	snprintf(own, sizeof own, "%s/other", folder); /* a folder somebody chose stays as it is */
	snprintf(path, sizeof path, "%s/history.db", own);
	assert_int_equal(mkdir(own, 0755), 0);
	assert_int_equal(chmod(own, 0755), 0);
	cache_close(open_cache());
	assert_int_equal(stat(own, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
}

/* ---- what is planted is refused, and not touched */

enum plant { LINK_OUT, LINK_DANGLING, HARD_LINK, PIPE, FOLDER, PLANTS };

static void plant(enum plant what, const char *at, const char *victim)
{
	int rc = -1;
	switch (what) {
	case LINK_OUT: rc = symlink(victim, at); break;
	case LINK_DANGLING: rc = symlink("/nonexistent/x", at); break;
	case HARD_LINK: rc = link(victim, at); break;
	case PIPE: rc = mkfifo(at, 0600); break;
	default: rc = mkdir(at, 0700); break;
	}
	assert_int_equal(rc, 0);
}

static void planted_files_are_refused(void **state)
{
	(void)state;
	static const char *const suffixes[] = { "", "-wal", "-shm", "-journal", ".lock" };
	char victim[96];
	unsigned refused = 0;
	snprintf(victim, sizeof victim, "%s/victim", folder);
	spill(victim, "precious", 8);
	make_folder();
	for (unsigned i = 0; i < 5; i++)
		for (enum plant what = 0; what < PLANTS; what++) {
			struct err e = { 0 };
			char *at = beside(suffixes[i]);
			plant(what, at, victim);
			assert_null(cache_open(path, &e));
			assert_int_equal(e.code, ERR_DISK);
			assert_non_null(strstr(e.text, at));
			refused++;
			assert_int_equal(remove(at), 0);
			free(at);
			struct buf b = slurp(victim);
			assert_true(span_eq(buf_span(&b), "precious"));
			buf_clear(&b);
		}
	assert_int_equal(refused, 25);
	cache_close(open_cache());
}

static void impossible_places(void **state)
{
	(void)state;
	char file[96];
	snprintf(file, sizeof file, "%s/file", folder);
	spill(file, "x", 1);
	const char *const places[] = {
		"", "/", "/proc/nothing/history.db", "/dev/null", "/dev/null/history.db", "FILE/history.db", "FOLDER"
	};
	for (unsigned i = 0; i < sizeof places / sizeof *places; i++) {
		struct err e = { 0 };
		char *at = strncmp(places[i], "FILE", 4) == 0 ? xasprintf("%s%s", file, places[i] + 4)
		           : strcmp(places[i], "FOLDER") == 0 ? xstrdup(folder)
		                                              : xstrdup(places[i]);
		assert_null(cache_open(at, &e));
		assert_int_equal(e.code, ERR_DISK);
		assert_true(e.text[0] != '\0');
		free(at);
	}
}

/* As another user: a folder that is not ours, a file that is not ours, a folder we cannot write. Needs root to become one. */
static _Noreturn void as_nobody(const char *foreign_folder, const char *foreign_file, const char *closed)
{
	struct err e = { 0 };
	if (setgid(65534) < 0 || setuid(65534) < 0)
		_exit(77);
	if (cache_open(foreign_folder, &e) || e.code != ERR_DISK || !strstr(e.text, "another user"))
		_exit(1);
	if (cache_open(foreign_file, &e) || e.code != ERR_DISK || !strstr(e.text, "another user"))
		_exit(2);
	if (cache_open(closed, &e) || e.code != ERR_DISK || !e.text[0])
		_exit(3);
	_exit(0);
}

static void foreign_files_are_refused(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("SKIP: foreign files: only root can become another user\n");
		skip();
	}
	char *own = xasprintf("%s/sluice", folder), *other = xasprintf("%s/shared", folder),
	     *closed = xasprintf("%s/closed/history.db", folder);
	char *in_own = xasprintf("%s/history.db", own), *in_other = xasprintf("%s/history.db", other),
	     *wall = xasprintf("%s/closed", folder);
	assert_int_equal(mkdir(own, 0777) | mkdir(other, 0777) | mkdir(wall, 0755), 0);
	assert_int_equal(chmod(folder, 0755) | chmod(own, 0777) | chmod(other, 01777), 0);
	spill(in_other, "", 0);
	assert_int_equal(chmod(in_other, 0666), 0);
	pid_t pid = fork();
	if (pid == 0)
		as_nobody(in_own, in_other, closed);
	int status;
	waitpid(pid, &status, 0);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	free(own), free(other), free(closed), free(in_own), free(in_other), free(wall);
}

/* ---- whose file it is */

static void run_sql(const char *sql)
{
	sqlite3 *db;
	assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
	assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
	sqlite3_close(db);
}

static void assert_untouched(enum err_code code, const char *words)
{
	struct err e = { 0 };
	struct buf before = slurp(path);
	assert_null(cache_open(path, &e));
	assert_int_equal(e.code, code);
	if (!strstr(e.text, words))
		fail_msg("%s", e.text);
	struct buf after = slurp(path);
	assert_int_equal(before.n, after.n);
	assert_memory_equal(before.p, after.p, after.n);
	buf_clear(&before);
	buf_clear(&after);
}

static void a_newer_schema_is_left_alone(void **state)
{
	(void)state;
	cache_close(open_cache());
	run_sql("PRAGMA user_version = 1000; CREATE TABLE later (x); DROP TABLE fold");
	assert_untouched(ERR_DB, "newer sluice");
	run_sql("PRAGMA journal_mode = DELETE; PRAGMA user_version = 2000000000");
	assert_untouched(ERR_DB, "newer sluice");
}

static void another_programs_database_is_left_alone(void **state)
{
	(void)state;
	make_folder();
	for (int version = 0; version < 2000; version += version < SCHEMA ? 1 : 1000) {
		char sql[160];
		snprintf(sql, sizeof sql, "CREATE TABLE t%d (x); INSERT INTO t%d VALUES (42); PRAGMA user_version = %d",
		         version, version, version);
		run_sql(sql);
		assert_untouched(ERR_DB, version > SCHEMA ? "newer sluice" : "another program");
	}
}

/* ---- the file goes away */

static size_t files_named(const char *part)
{
	char name[128];
	size_t n = 0;
	snprintf(name, sizeof name, "%s/h", folder);
	DIR *dir = opendir(name);
	for (struct dirent *d; (d = readdir(dir));) {
		const char *end = d->d_name + strlen(d->d_name) - 4;
		n += strstr(d->d_name, part) && strcmp(end, "-wal") != 0 && strcmp(end, "-shm") != 0 ? 1 : 0;
	}
	closedir(dir);
	return n;
}

static void remove_files(bool lock_too)
{
	static const char *const suffixes[] = { "", "-wal", "-shm", ".lock" };
	for (unsigned i = 0; i < (lock_too ? 4U : 3U); i++) {
		char *name = beside(suffixes[i]);
		unlink(name);
		free(name);
	}
}

static void a_removed_file_is_noticed(void **state)
{
	(void)state;
	for (unsigned lock_too = 0; lock_too < 2; lock_too++) {
		struct cache *c = open_cache();
		uint32_t a = series_of(c, "a"), b = series_of(c, "b");
		cache_add(c, a, START, 1);
		cache_add(c, b, START, 2);
		commit(c);
		remove_files(lock_too);
		cache_add(c, b, START + 60, 3);
		commit(c);
		assert_true(cache_is_writer(c));
		assert_non_null(strstr(cache_note(c), "removed or replaced"));
		assert_int_equal(access(path, F_OK), 0);
		assert_int_equal(read_all(c, a), 0);
		assert_int_equal(read_all(c, b), 1);
		assert_point(0, START + 60, 3);
		cache_close(c);
		c = open_cache();
		assert_int_equal(series_of(c, "b"), b);
		assert_int_equal(read_all(c, b), 1);
		cache_close(c);
		remove_files(true);
	}
}

/* Another file, whose ids are others: the caller's ids stay good. */
static void a_replaced_file_is_noticed(void **state)
{
	(void)state;
	char good[128], mine[128];
	snprintf(mine, sizeof mine, "%s", path);
	snprintf(good, sizeof good, "%s/h/other.db", folder);
	snprintf(path, sizeof path, "%s", good);
	struct cache *c = open_cache();
	for (unsigned i = 5; i-- > 0;) {
		char metric[16];
		snprintf(metric, sizeof metric, "m%u", i);
		cache_add(c, series_of(c, metric), START, 100 + i);
	}
	cache_close(c);
	snprintf(path, sizeof path, "%s", mine);

	c = open_cache();
	uint32_t ids[7];
	for (unsigned i = 0; i < 7; i++) {
		char metric[16];
		snprintf(metric, sizeof metric, "m%u", i);
		ids[i] = series_of(c, metric);
		cache_add(c, ids[i], START + 60, i);
	}
	commit(c);
	assert_int_equal(rename(good, path), 0);
	for (unsigned i = 0; i < 7; i++)
		cache_add(c, ids[i], START + 120, 200 + i);
	commit(c);
	for (unsigned round = 0; round < 2; round++) {
		for (unsigned i = 0; i < 7; i++) {
			assert_int_equal(read_all(c, ids[i]), i < 5 ? 2 : 1);
			if (i < 5)
				assert_point(0, START, 100 + i);
			assert_point(got.n - 1, START + 120, 200 + i);
		}
		assert_true(cache_fold(c, NULL));
	}
	uint32_t fresh = series_of(c, "fresh");
	for (unsigned i = 0; i < 7; i++)
		assert_int_not_equal(fresh, ids[i]);
	cache_close(c);
}

static void a_truncated_file_is_noticed(void **state)
{
	(void)state;
	struct cache *c = open_cache();
	uint32_t s = series_of(c, "m");
	for (int64_t i = 0; i < 5000; i++)
		cache_add(c, s, START + 60 * i, sin((double)i));
	assert_true(cache_fold(c, NULL));
	cache_close(c);
	c = open_cache();
	s = series_of(c, "m");
	assert_int_equal(truncate(path, 8192), 0);
	bool whole = try_range(c, s, 0, INT64_MAX) && got.n == 5000;
	cache_add(c, s, START, 7);
	cache_commit(c, NULL);
	cache_close(c);
	assert_false(whole);
	c = open_cache();
	s = series_of(c, "m");
	cache_add(c, s, START, 8);
	commit(c);
	assert_true(read_all(c, s) >= 1);
	assert_point(0, START, 8);
	assert_int_equal(files_named(".corrupt-"), 1);
	cache_close(c);
}

/* Only its lock file was removed, and another process has taken the new one: the first must stop writing. */
static void a_lost_lock_ends_writing(void **state)
{
	(void)state;
	struct cache *a = open_cache();
	uint32_t s = series_of(a, "m");
	cache_add(a, s, START, 1);
	commit(a);
	char *lock = beside(".lock");
	assert_int_equal(unlink(lock), 0);
	free(lock);
	struct cache *b = open_cache();
	assert_true(cache_is_writer(b));
	cache_add(a, s, START, 2);
	commit(a);
	assert_false(cache_is_writer(a));
	assert_non_null(strstr(cache_note(a), "read-only"));
	cache_close(b);
	cache_close(a);
}

/* ---- damage */

static void fill(unsigned minutes)
{
	struct cache *c = open_cache();
	for (unsigned m = 0; m < minutes; m++) {
		for (unsigned i = 0; i < 20; i++) {
			char metric[16];
			snprintf(metric, sizeof metric, "series-%u", i);
			cache_add(c, series_of(c, metric), START + 60 * (int64_t)m, exp(sin(m + i)));
		}
		commit(c);
	}
	cache_put_text(c, TARGET, "alarms", "[]", NULL);
	cache_close(c);
}

static void change(struct buf *b, unsigned kind)
{
	size_t page = below((unsigned)(b->n / 4096)) * 4096;
	switch (kind) {
	case 0: b->p[below((unsigned)b->n)] ^= (char)(1 << below(8)); break;
	case 1: b->n = below((unsigned)b->n); break;
	case 2: memset(b->p + page, 0, 4096); break;
	case 3: b->p[below(100)] = (char)rnd(); break;
	case 4:
		for (unsigned i = 0; i < 8; i++)
			b->p[page + below(4096)] = (char)rnd();
		break;
	case 5: memcpy(b->p, b->p + page, 4096); break;
	default:
		for (size_t i = 0; i < 4096; i++)
			b->p[page + i] = (char)rnd();
	}
}

#define HANG_S 20 /* what takes longer has lost its way, and the alarm ends the test */

/* Everything is tried; nothing may crash or hang. False when the file was refused as somebody else's or a newer one's. */
static bool use(void)
{
	struct err e = { 0 };
	alarm(HANG_S);
	struct cache *c = cache_open(path, &e);
	if (!c) {
		alarm(0);
		assert_true(e.code == ERR_DB || e.code == ERR_DISK);
		return false;
	}
	uint32_t ids[20];
	for (unsigned i = 0; i < 20; i++) {
		char metric[16];
		snprintf(metric, sizeof metric, "series-%u", i);
		ids[i] = series_of(c, metric);
		try_range(c, ids[i], 0, INT64_MAX);
		for (size_t k = 0; k < got.n; k++)
			assert_true(isfinite(got.v[k]) && (k == 0 || got.t[k - 1] < got.t[k]));
		cache_add(c, ids[i], START, i);
	}
	free(cache_get_text(c, TARGET, "alarms"));
	cache_put_text(c, TARGET, "alarms", "[2]", &e);
	cache_commit(c, &e);
	cache_fold(c, &e);
	struct cache_limits limits = { .retention = 3600, .fine_age = 600, .coarse_age = 1200, .bytes = 1 << 20 };
	cache_limit(c, &limits);
	for (unsigned i = 0; i < 50; i++)
		cache_keep(c, START + 7200 + 3600, NULL, &e);
	cache_close(c);
	alarm(0);
	return true;
}

/* After at most one more start the history works again: what is damaged is found when it is met. */
static void assert_works(void)
{
	struct cache *c = open_cache();
	uint32_t s = series_of(c, "new");
	cache_add(c, s, START + 864000, 5);
	commit(c);
	assert_true(cache_fold(c, NULL));
	assert_int_equal(read_range(c, s, START + 864000, START + 864001), 1);
	cache_close(c);
}

static void damage_never_crashes(void **state)
{
	(void)state;
	unsigned cases = 210, refused = 0, aside = 0;
	const char *more = getenv("SLUICE_LONG"), *number = getenv("SLUICE_DAMAGE");
	if (more && *more)
		cases = 1500;
	if (number)
		cases = (unsigned)strtoul(number, NULL, 10);
	fill(300);
	struct buf good = slurp(path);
	seed = 21;
	for (unsigned i = 0; i < cases; i++) {
		struct buf bad;
		buf_init(&bad, good.max);
		buf_addspan(&bad, buf_span(&good));
		change(&bad, i % 7);
		remove_files(true);
		spill(path, buf_span(&bad).p, bad.n);
		buf_clear(&bad);
		if (!use()) {
			refused++;
			continue;
		}
		use();
		assert_works();
		aside += files_named(".corrupt-") > 0;
		assert_true(files_named(".corrupt-") <= 3);
	}
	print_message("%u damaged files: %u refused as another's, no crash\n", cases, refused);
	assert_true(refused < cases / 10); /* a changed version or application id; the rest is ours and works */
	assert_true(aside > 0);
	buf_clear(&good);
}

/* A tick that a scan meets and a search does not find was folded for ever once. */
static void rows_out_of_order_end(void **state)
{
	(void)state;
	for (unsigned swap = 1; swap < 10; swap++) {
		fill(10);
		size_t root = (size_t)(ask("SELECT rootpage FROM sqlite_schema WHERE name = 'tick'") - 1) * 4096;
		struct buf b = slurp(path);
		assert_int_equal(b.p[root], 0x0d); /* a leaf: ten cells, whose places follow its eight bytes of head */
		assert_int_equal(b.p[root + 4], 10);
		for (size_t i = root + 8; i < root + 10; i++) {
			char byte = b.p[i];
			b.p[i] = b.p[i + 2 * swap];
			b.p[i + 2 * swap] = byte;
		}
		remove_files(true);
		spill(path, b.p, b.n);
		buf_clear(&b);
		assert_true(use());
		assert_works();
		remove_files(true);
	}
}

/* The same for the write-ahead log that a killed process left. */
static void a_damaged_log_never_crashes(void **state)
{
	(void)state;
	pid_t pid = fork();
	if (pid == 0) {
		struct cache *c = cache_open(path, NULL);
		for (unsigned m = 0; m < 40; m++) {
			for (unsigned i = 0; i < 20; i++) {
				char metric[16];
				snprintf(metric, sizeof metric, "series-%u", i);
				cache_add(c, series_of(c, metric), START + 60 * (int64_t)m, exp(sin(m + i)));
			}
			cache_commit(c, NULL);
		}
		_exit(0); /* as kill -9: nothing is closed */
	}
	int status;
	waitpid(pid, &status, 0);
	char *wal = beside("-wal");
	struct buf file = slurp(path), log = slurp(wal);
	assert_true(log.n > 40 * 4096);
	seed = 22;
	for (unsigned i = 0; i < 60; i++) {
		struct buf bad;
		buf_init(&bad, log.max);
		buf_addspan(&bad, buf_span(&log));
		if (i)
			change(&bad, (i - 1) % 7);
		remove_files(true);
		spill(path, buf_span(&file).p, file.n);
		spill(wal, buf_span(&bad).p, bad.n);
		buf_clear(&bad);
		if (i == 0) { /* the undamaged one has everything */
			struct cache *c = open_cache();
			assert_int_equal(read_all(c, series_of(c, "series-7")), 40);
			cache_close(c);
			continue;
		}
		use();
		assert_works();
	}
	buf_clear(&file);
	buf_clear(&log);
	free(wal);
}

static void what_is_no_database_is_kept_aside(void **state)
{
	(void)state;
	make_folder();
	for (unsigned i = 0; i < 6; i++) {
		char text[9000];
		memset(text, 'a' + (int)i, sizeof text);
		spill(path, text, sizeof text - 700 * i);
		struct cache *c = open_cache();
		assert_non_null(strstr(cache_note(c), "is kept as"));
		const char *name = strstr(cache_note(c), folder);
		char kept[256];
		assert_non_null(name);
		snprintf(kept, sizeof kept, "%.*s", (int)strcspn(name, " "), name);
		struct buf b = slurp(kept);
		assert_int_equal(b.n, sizeof text - 700 * i);
		assert_memory_equal(b.p, text, b.n);
		buf_clear(&b);
		cache_close(c);
		assert_int_equal(files_named(".corrupt-"), i < 3 ? i + 1 : 3);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
		T(nobody_else_may_look),
		T(open_modes),
		T(planted_files_are_refused),
		T(impossible_places),
		T(foreign_files_are_refused),
		T(a_newer_schema_is_left_alone),
		T(another_programs_database_is_left_alone),
		T(a_removed_file_is_noticed),
		T(a_replaced_file_is_noticed),
		T(a_truncated_file_is_noticed),
		T(a_lost_lock_ends_writing),
		T(damage_never_crashes),
		T(rows_out_of_order_end),
		T(a_damaged_log_never_crashes),
		T(what_is_no_database_is_kept_aside),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
