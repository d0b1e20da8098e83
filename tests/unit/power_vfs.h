/* A disk that loses power, and one that fails: a SQLite VFS around the system's own, for the ledger and the audit log.
 *
 * What is written to a watched file goes to the real file at once, as into the page cache, and is remembered until the file is synced.
 * power_lose() then makes of the real files what a disk may hold after the current has gone: what was synced, and of the rest any part in
 * any order, 512-byte sectors of one write apart. -shm is gone, as memory is. A file that was created or deleted since its last sync
 * may be there or not.
 * power.fail_at makes the n-th write, truncation or sync fail as a disk does: EIO, no space, or half a write and then no space.
 *
 * Used by t_power.c in its own process and, preloaded into sluice, by tests/crash/power_shim.c. */
#ifndef TESTS_POWER_VFS_H
#define TESTS_POWER_VFS_H

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define POWER_FILES 16
#define POWER_SECTOR 512

enum power_kind { POWER_EIO, POWER_FULL, POWER_SHORT };

struct power_pending { /* since the last sync of its file */
	enum { PENDING_WRITE, PENDING_CUT, PENDING_DELETE, PENDING_MAKE } what;
	sqlite3_int64 at; /* offset; of a cut the new size */
	size_t n;
	char *p;
};

struct power_disk { /* a file as the disk has it */
	char path[512];
	bool there;
	char *p;
	size_t n;
	struct power_pending *v;
	unsigned nv, cap;
};

struct power {
	sqlite3_vfs vfs, *real;
	const char *folder;      /* only files in it are watched; NULL: wherever they are */
	bool deaf;               /* a sync is answered well and not done: what must be found out */
	bool no_disk;            /* a sync of a watched file is not passed on: what is tested is what is here */
	pthread_mutex_t lock;
	struct power_disk files[POWER_FILES];
	unsigned nfiles;
	uint64_t random;
	unsigned syncs;          /* of watched files, so far */
	void (*at_sync)(void *); /* before each takes effect; NULL */
	void *ctx;
	unsigned acts, fail_at;  /* writes, truncations and syncs so far; the one that fails, 0: none */
	bool for_good;           /* and all after it */
	enum power_kind kind;
	unsigned hits;
	unsigned kept, lost;     /* unsynced writes, over all losses */
};
static struct power power = { .lock = PTHREAD_MUTEX_INITIALIZER };

struct power_file {
	sqlite3_file base;
	struct power_disk *disk; /* NULL: not watched */
	sqlite3_file *real;
};

/* ---- the disk */

static inline unsigned power_draw(unsigned below)
{
	power.random ^= power.random << 13;
	power.random ^= power.random >> 7;
	power.random ^= power.random << 17;
	return below ? (unsigned)(power.random >> 11) % below : 0;
}

static inline bool power_watches(const char *path)
{
	const char *name = path ? strrchr(path, '/') : NULL;
	if (name && power.folder && (strncmp(path, power.folder, strlen(power.folder)) != 0 || name != path + strlen(power.folder)))
		return false;
	return name && (strncmp(name, "/ledger.db", 10) == 0 || strncmp(name, "/audit.db", 9) == 0) && !strstr(name, "-shm");
}

static inline void power_read_disk(struct power_disk *d)
{
	int fd = open(d->path, O_RDONLY | O_CLOEXEC);
	struct stat st;
	d->there = fd >= 0 && fstat(fd, &st) == 0;
	d->n = d->there ? (size_t)st.st_size : 0;
	d->p = malloc(d->n + 1);
	if (d->there && read(fd, d->p, d->n) != (ssize_t)d->n)
		abort();
	if (fd >= 0)
		close(fd);
}

static inline struct power_disk *power_disk_of(const char *path)
{
	if (!power_watches(path))
		return NULL;
	for (unsigned i = 0; i < power.nfiles; i++)
		if (strcmp(power.files[i].path, path) == 0)
			return &power.files[i];
	if (power.nfiles == POWER_FILES)
		abort();
	struct power_disk *d = &power.files[power.nfiles++];
	*d = (struct power_disk){ 0 };
	snprintf(d->path, sizeof d->path, "%s", path);
	power_read_disk(d);
	return d;
}

static inline void power_note(struct power_disk *d, struct power_pending p, const void *bytes)
{
	if (d->nv == d->cap) {
		d->cap = d->cap ? 2 * d->cap : 64;
		d->v = realloc(d->v, d->cap * sizeof *d->v);
	}
	p.p = bytes ? malloc(p.n + 1) : NULL;
	if (bytes)
		memcpy(p.p, bytes, p.n);
	d->v[d->nv++] = p;
}

static inline void power_put(struct power_disk *d, sqlite3_int64 at, const char *p, size_t n)
{
	size_t end = (size_t)at + n;
	if (end > d->n) {
		d->p = realloc(d->p, end + 1);
		memset(d->p + d->n, 0, end - d->n);
		d->n = end;
	}
	memcpy(d->p + at, p, n);
	d->there = true;
}

static inline void power_apply(struct power_disk *d, const struct power_pending *p, bool torn)
{
	size_t size = (size_t)p->at;
	switch (p->what) {
	case PENDING_MAKE: d->there = true; break;
	case PENDING_DELETE:
		d->there = false;
		d->n = 0;
		break;
	case PENDING_CUT:
		if (size < d->n)
			d->n = size;
		break;
	default:
		for (size_t from = 0, next; from < p->n; from = next) {
			next = from + POWER_SECTOR - ((size_t)p->at + from) % POWER_SECTOR;
			next = next < p->n ? next : p->n;
			if (!torn || power_draw(2))
				power_put(d, p->at + (sqlite3_int64)from, p->p + from, next - from);
		}
		break;
	}
}

static inline void power_settle(struct power_disk *d)
{
	for (unsigned i = 0; i < d->nv; i++) {
		power_apply(d, &d->v[i], false);
		free(d->v[i].p);
	}
	d->nv = 0;
}

/* The system's VFS syncs the folder when it syncs a log that it has made: what was deleted there before is gone for good. */
static inline void power_settle_folder(const struct power_disk *made)
{
	bool fresh = false;
	for (unsigned i = 0; i < made->nv; i++)
		fresh = fresh || made->v[i].what == PENDING_MAKE;
	for (unsigned i = 0; i < power.nfiles && fresh; i++) {
		struct power_disk *d = &power.files[i];
		unsigned upto = 0;
		for (unsigned k = 0; k < d->nv; k++)
			upto = d->v[k].what == PENDING_DELETE ? k + 1 : upto;
		for (unsigned k = 0; k < upto; k++) {
			power_apply(d, &d->v[k], false);
			free(d->v[k].p);
		}
		d->nv -= upto;
		if (d->nv)
			memmove(d->v, d->v + upto, d->nv * sizeof *d->v);
	}
}

/* How much of what was not synced reaches the disk: none, all, all but the last, or each as a coin falls; shuffled, and some torn. */
static inline void power_damage_part(struct power_disk *d, unsigned from, unsigned to)
{
	unsigned how = power_draw(6), n = to - from, *order = calloc(n + 1u, sizeof *order);
	for (unsigned i = 0; i < n; i++) {
		unsigned j = power_draw(i + 1);
		order[i] = order[j];
		order[j] = from + i;
	}
	for (unsigned i = 0; i < n; i++) {
		unsigned at = how <= 2 ? from + i : order[i];
		bool keep = how == 0 ? false : how == 1 ? true : how == 2 ? i + 1 < n : power_draw(2);
		if (keep)
			power_apply(d, &d->v[at], how > 2 && power_draw(3) == 0);
		power.kept += keep;
		power.lost += !keep;
	}
	free(order);
}

/* A file that was deleted and made anew is on the disk either the old one or the new one, never some of each. */
static inline void power_damage(struct power_disk *d)
{
	unsigned from = 0, to = d->nv, gone = d->nv;
	for (unsigned i = 0; i < d->nv; i++)
		if (d->v[i].what == PENDING_DELETE)
			gone = i;
	if (gone < d->nv && power_draw(2)) {
		to = gone;
	} else if (gone < d->nv) {
		power_apply(d, &d->v[gone], false);
		from = gone + 1;
	}
	power_damage_part(d, from, to);
}

/* A copy of the disk after a loss of power, in `folder`; what runs goes on as if nothing had been. */
static inline void power_copy(const char *folder)
{
	for (unsigned i = 0; i < power.nfiles; i++) {
		struct power_disk d = power.files[i];
		char path[1200];
		d.p = malloc(d.n + 1);
		memcpy(d.p, power.files[i].p, d.n);
		power_damage(&d);
		snprintf(path, sizeof path, "%s%s", folder, strrchr(d.path, '/'));
		unlink(path);
		int fd = d.there ? open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600) : -1;
		if (fd >= 0 && write(fd, d.p, d.n) != (ssize_t)d.n)
			abort();
		if (fd >= 0)
			close(fd);
		free(d.p);
	}
}

/* The real files become what the disk holds; the process must end without touching them again. */
static inline void power_lose(void)
{
	char folder[512], shm[600];
	for (unsigned i = 0; i < power.nfiles; i++) {
		snprintf(folder, sizeof folder, "%s", power.files[i].path);
		*strrchr(folder, '/') = '\0';
		snprintf(shm, sizeof shm, "%.500s-shm", power.files[i].path);
		unlink(shm);
	}
	if (power.nfiles)
		power_copy(folder);
}

/* ---- failing */

static inline bool power_fails(void)
{
	bool now = ++power.acts == power.fail_at || (power.for_good && power.fail_at && power.acts > power.fail_at);
	power.hits += now;
	return now;
}

/* ---- the methods of a file */

#define POWER_REAL(f) (((struct power_file *)(f))->real)
#define POWER_CALL(f, method, ...) POWER_REAL(f)->pMethods->method(POWER_REAL(f), ##__VA_ARGS__)

static inline int power_close(sqlite3_file *f) { return POWER_REAL(f)->pMethods ? POWER_CALL(f, xClose) : SQLITE_OK; }
static inline int power_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at) { return POWER_CALL(f, xRead, p, n, at); }
static inline int power_size(sqlite3_file *f, sqlite3_int64 *n) { return POWER_CALL(f, xFileSize, n); }
static inline int power_lock_file(sqlite3_file *f, int how) { return POWER_CALL(f, xLock, how); }
static inline int power_unlock(sqlite3_file *f, int how) { return POWER_CALL(f, xUnlock, how); }
static inline int power_check(sqlite3_file *f, int *out) { return POWER_CALL(f, xCheckReservedLock, out); }
static inline int power_control(sqlite3_file *f, int op, void *arg)
{
	/* Hints that space is needed and that it may be mapped are not for a watched file: its writes must all come past here. */
	return op == SQLITE_FCNTL_SIZE_HINT || op == SQLITE_FCNTL_MMAP_SIZE ? SQLITE_NOTFOUND : POWER_CALL(f, xFileControl, op, arg);
}
static inline int power_sector(sqlite3_file *f) { return POWER_CALL(f, xSectorSize); }
static inline int power_traits(sqlite3_file *f) { return POWER_CALL(f, xDeviceCharacteristics); }
static inline int power_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **p)
{
	return POWER_CALL(f, xShmMap, page, size, extend, p);
}
static inline int power_shm_lock(sqlite3_file *f, int at, int n, int flags) { return POWER_CALL(f, xShmLock, at, n, flags); }
static inline void power_shm_barrier(sqlite3_file *f) { POWER_CALL(f, xShmBarrier); }
static inline int power_shm_unmap(sqlite3_file *f, int del) { return POWER_CALL(f, xShmUnmap, del); }

static inline int power_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
	struct power_disk *d = ((struct power_file *)f)->disk;
	pthread_mutex_lock(&power.lock);
	bool fails = power_fails();
	int some = fails ? power.kind == POWER_SHORT ? n / 2 : 0 : n, rc = SQLITE_OK;
	if (some)
		rc = POWER_CALL(f, xWrite, p, some, at);
	if (some && rc == SQLITE_OK)
		power_note(d, (struct power_pending){ PENDING_WRITE, at, (size_t)some, NULL }, p);
	pthread_mutex_unlock(&power.lock);
	return fails ? power.kind == POWER_EIO ? SQLITE_IOERR_WRITE : SQLITE_FULL : rc;
}

static inline int power_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	pthread_mutex_lock(&power.lock);
	int rc = power_fails() ? SQLITE_IOERR_TRUNCATE : POWER_CALL(f, xTruncate, size);
	if (rc == SQLITE_OK)
		power_note(((struct power_file *)f)->disk, (struct power_pending){ PENDING_CUT, size, 0, NULL }, NULL);
	pthread_mutex_unlock(&power.lock);
	return rc;
}

static inline int power_sync(sqlite3_file *f, int flags)
{
	power.syncs++;
	if (power.at_sync)
		power.at_sync(power.ctx);
	pthread_mutex_lock(&power.lock);
	int rc = power_fails() ? SQLITE_IOERR_FSYNC : power.no_disk ? SQLITE_OK : POWER_CALL(f, xSync, flags);
	if (rc == SQLITE_OK && !power.deaf) {
		power_settle_folder(((struct power_file *)f)->disk);
		power_settle(((struct power_file *)f)->disk);
	}
	pthread_mutex_unlock(&power.lock);
	return rc;
}

static const sqlite3_io_methods power_methods = {
	.iVersion = 2,
	.xClose = power_close,
	.xRead = power_read,
	.xWrite = power_write,
	.xTruncate = power_truncate,
	.xSync = power_sync,
	.xFileSize = power_size,
	.xLock = power_lock_file,
	.xUnlock = power_unlock,
	.xCheckReservedLock = power_check,
	.xFileControl = power_control,
	.xSectorSize = power_sector,
	.xDeviceCharacteristics = power_traits,
	.xShmMap = power_shm_map,
	.xShmLock = power_shm_lock,
	.xShmBarrier = power_shm_barrier,
	.xShmUnmap = power_shm_unmap,
};

/* ---- the methods of the VFS */

static inline int power_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *f, int flags, int *out)
{
	struct power_file *pf = (struct power_file *)f;
	(void)vfs;
	if (!power_watches(path))
		return power.real->xOpen(power.real, path, f, flags, out); /* as it is: the room suffices */
	pf->base.pMethods = NULL;
	pf->real = (sqlite3_file *)(pf + 1);
	pthread_mutex_lock(&power.lock);
	bool was = access(path, F_OK) == 0;
	pf->disk = power_disk_of(path);
	int rc = power.real->xOpen(power.real, path, pf->real, flags, out);
	if (rc == SQLITE_OK && !was)
		power_note(pf->disk, (struct power_pending){ PENDING_MAKE, 0, 0, NULL }, NULL);
	pthread_mutex_unlock(&power.lock);
	if (pf->real->pMethods)
		pf->base.pMethods = &power_methods;
	return rc;
}

static inline int power_delete(sqlite3_vfs *vfs, const char *path, int sync)
{
	(void)vfs;
	if (!power_watches(path))
		return power.real->xDelete(power.real, path, sync);
	pthread_mutex_lock(&power.lock);
	struct power_disk *d = power_disk_of(path);
	int rc = power.real->xDelete(power.real, path, sync);
	if (rc == SQLITE_OK) {
		power_note(d, (struct power_pending){ PENDING_DELETE, 0, 0, NULL }, NULL);
		if (sync)
			power_settle(d);
	}
	pthread_mutex_unlock(&power.lock);
	return rc;
}

/* From now on every SQLite file of this process is opened through it; the watched ones are those of the ledger and the audit log. */
static inline void power_install(uint64_t seed)
{
	power.random = seed * 2654435761u + 88172645463325252u;
	if (power.real)
		return;
	power.real = sqlite3_vfs_find(NULL);
	power.vfs = *power.real; /* its other methods take no notice of which VFS they are called for */
	power.vfs.zName = "power";
	power.vfs.szOsFile = (int)sizeof(struct power_file) + power.real->szOsFile;
	power.vfs.xOpen = power_open;
	power.vfs.xDelete = power_delete;
	if (sqlite3_vfs_register(&power.vfs, 1) != SQLITE_OK)
		abort();
}

/* Forgets every file: they are about to be replaced. Nothing may be open. */
static inline void power_forget(void)
{
	for (unsigned i = 0; i < power.nfiles; i++) {
		power_settle(&power.files[i]);
		free(power.files[i].p);
		free(power.files[i].v);
		power.files[i] = (struct power_disk){ 0 };
	}
	power.nfiles = 0;
}

static inline void power_uninstall(void)
{
	power_forget();
	sqlite3_vfs_unregister(&power.vfs);
	power.real = NULL;
}

#endif
