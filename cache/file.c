#include "cache/file.h"

#include "core/clock.h"
#include "core/file.h"
#include "core/mem.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define OWN_FOLDER "sluice"
#define ASIDE ".corrupt-"
#define ASIDE_KEPT 3

static const char *const companions[] = { "", "-wal", "-shm", "-journal", ".lock" };
#define COMPANIONS (sizeof companions / sizeof *companions)

static bool fail(struct err *e, const char *path, const char *why)
{
	return err_set(e, ERR_DISK, "cache", "%s: %s", path, why);
}

/* Names the file in the text: notes are shown without `where`. */
static bool fail_at(struct err *e, const char *path, const struct err *why)
{
	return fail(e, path, why->text);
}

/* ---- folder */

static bool is_own(const char *folder)
{
	const char *name = strrchr(folder, '/');
	return strcmp(name ? name + 1 : folder, OWN_FOLDER) == 0;
}

char *file_path(const char *path, struct err *e)
{
	char *for_dir = xstrdup(path), *for_base = xstrdup(path), *full = NULL;
	char *folder = xstrdup(dirname(for_dir));
	const char *base = basename(for_base);
	char *real = NULL;
	struct err why = { 0 };
	if (!path[0] || path[strlen(path) - 1] == '/') {
		fail(e, path, "is not the name of a file");
		goto out;
	}
	if (!file_folder(folder, is_own(folder), &why)) {
		fail_at(e, folder, &why);
		goto out;
	}
	real = realpath(folder, NULL);
	if (real)
		full = xasprintf("%s/%s", strcmp(real, "/") == 0 ? "" : real, base);
	else
		fail(e, folder, strerror(errno));
out:
	free(real);
	free(folder);
	free(for_base);
	free(for_dir);
	return full;
}

/* ---- files */

static bool vet_one(const char *path, struct err *e)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		return errno == ENOENT || fail(e, path, strerror(errno));
	const char *why = file_objection(&st);
	if (why)
		return fail(e, path, why);
	/* A read-only disk cannot be narrowed, and needs not be: what stands there was always open. */
	if ((st.st_mode & 07777) != 0600 && chmod(path, 0600) < 0 && errno != EROFS)
		return fail(e, path, strerror(errno));
	return true;
}

bool file_vet(const char *path, struct err *e)
{
	bool ok = true;
	for (unsigned i = 0; i < COMPANIONS && ok; i++) {
		char *name = xasprintf("%s%s", path, companions[i]);
		ok = vet_one(name, e);
		free(name);
	}
	return ok;
}

bool file_create(const char *path, struct err *e)
{
	struct err why = { 0 };
	int fd = file_open_private(path, O_RDWR | O_EXCL, &why);
	if (fd < 0)
		return errno == EEXIST || fail_at(e, path, &why);
	close(fd);
	return true;
}

struct file_id file_id_of(const char *path)
{
	struct stat st;
	if (lstat(path, &st) < 0)
		return (struct file_id){ 0 };
	return (struct file_id){ st.st_dev, st.st_ino };
}

bool file_same(struct file_id a, struct file_id b)
{
	return a.dev == b.dev && a.ino == b.ino;
}

long file_version(const char *path)
{
	uint8_t head[64];
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -1;
	ssize_t n = read(fd, head, sizeof head);
	close(fd);
	if (n < (ssize_t)sizeof head || memcmp(head, "SQLite format 3", 16) != 0)
		return -1;
	return (long)head[60] << 24 | (long)head[61] << 16 | (long)head[62] << 8 | (long)head[63];
}

void file_remove_log(const char *path)
{
	for (unsigned i = 1; i < 3; i++) {
		char *name = xasprintf("%s%s", path, companions[i]);
		unlink(name);
		free(name);
	}
}

/* ---- lock */

static pid_t read_holder(int fd)
{
	char text[16];
	ssize_t n = pread(fd, text, sizeof text - 1, 0);
	if (n <= 0)
		return 0;
	text[n] = '\0';
	long pid = strtol(text, NULL, 10);
	return pid > 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

static void write_holder(int fd)
{
	char text[16];
	int n = snprintf(text, sizeof text, "%ld\n", (long)getpid());
	if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)n, 0) < 0)
		return; /* the lock holds all the same; others just cannot say who has it */
}

enum file_lock file_lock(const char *path, int *fd, struct file_id *id, pid_t *holder, struct err *e)
{
	char *name = xasprintf("%s.lock", path);
	enum file_lock result = FILE_UNLOCKED;
	for (unsigned attempt = 0; attempt < 3; attempt++) {
		struct stat st;
		struct err why = { 0 };
		int lock = file_open_private(name, O_RDWR, &why);
		if (lock < 0) {
			fail_at(e, name, &why);
			break;
		}
		*id = fstat(lock, &st) == 0 ? (struct file_id){ st.st_dev, st.st_ino } : (struct file_id){ 0 };
		if (flock(lock, LOCK_EX | LOCK_NB) < 0) {
			result = errno == EWOULDBLOCK ? FILE_TAKEN : FILE_UNLOCKED;
			if (result == FILE_UNLOCKED)
				fail(e, name, strerror(errno));
			*holder = read_holder(lock);
			close(lock);
			break;
		}
		if (file_same(*id, file_id_of(name))) {
			write_holder(lock);
			*fd = lock;
			result = FILE_LOCKED;
			break;
		}
		close(lock); /* it was replaced between open and lock: what we hold guards nothing */
	}
	free(name);
	return result;
}

/* ---- setting aside */

static bool is_aside(const char *name, const char *base)
{
	size_t n = strlen(base), len = strlen(name);
	if (strncmp(name, base, n) != 0 || strncmp(name + n, ASIDE, strlen(ASIDE)) != 0)
		return false;
	return len < 4 || (strcmp(name + len - 4, "-wal") != 0 && strcmp(name + len - 4, "-shm") != 0);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void remove_set(const char *folder, const char *name)
{
	for (unsigned i = 0; i < 3; i++) {
		char *path = xasprintf("%s/%s%s", folder, name, companions[i]);
		unlink(path);
		free(path);
	}
}

/* A failing disk must not be filled with damaged copies. `newest` stays whatever its name. */
static void prune(const char *path, const char *newest)
{
	const char *slash = strrchr(path, '/');
	char *folder = xstrndup(path, (size_t)(slash - path) + 1), **names = NULL;
	size_t n = 0, cap = 0;
	DIR *dir = opendir(folder);
	for (struct dirent *d; dir && (d = readdir(dir));) {
		if (!is_aside(d->d_name, slash + 1) || strcmp(d->d_name, strrchr(newest, '/') + 1) == 0)
			continue;
		MEM_GROW(names, n, cap);
		names[n++] = xstrdup(d->d_name);
	}
	if (dir)
		closedir(dir);
	if (n)
		qsort(names, n, sizeof *names, by_name);
	for (size_t i = 0; i < n; i++) {
		if (i + ASIDE_KEPT <= n)
			remove_set(folder, names[i]);
		free(names[i]);
	}
	free(names);
	free(folder);
}

/* A name that is free: the second of the day is rarely taken, then a number follows. */
static char *aside_name(const char *path)
{
	time_t now = (time_t)clock_wall();
	struct tm tm;
	char stamp[32];
	if (!gmtime_r(&now, &tm) || !strftime(stamp, sizeof stamp, "%Y%m%dT%H%M%SZ", &tm))
		snprintf(stamp, sizeof stamp, "%lld", (long long)now);
	char *name = xasprintf("%s" ASIDE "%s", path, stamp);
	for (unsigned i = 2; i < 100 && access(name, F_OK) == 0; i++) {
		free(name);
		name = xasprintf("%s" ASIDE "%s-%02u", path, stamp, i);
	}
	return name;
}

char *file_aside(const char *path, struct err *e)
{
	char *name = aside_name(path);
	for (unsigned i = 0; i < 3; i++) {
		char *from = xasprintf("%s%s", path, companions[i]), *to = xasprintf("%s%s", name, companions[i]);
		bool ok = rename(from, to) == 0 || errno == ENOENT;
		if (!ok)
			fail(e, from, strerror(errno));
		free(from);
		free(to);
		if (!ok) {
			free(name);
			return NULL;
		}
	}
	prune(path, name);
	return name;
}
