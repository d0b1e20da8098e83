/* The history as files: folder, modes, the lock beside it, setting aside. No SQL. Paths are absolute from file_path on.
 * Anything that is not a plain file of this user with one name is refused (DISK): planted links, pipes, foreign files. */
#ifndef CACHE_FILE_H
#define CACHE_FILE_H

#include "core/err.h"

#include <stdbool.h>
#include <sys/types.h>

struct file_id {
	dev_t dev;
	ino_t ino; /* 0: there is none */
};

/* The absolute path, its folder made (0700, parents too) if it is missing. A folder called sluice is our own: see file_folder
 * (core/file.h). NULL and e; the caller's. */
char *file_path(const char *path, struct err *e);
/* The file, its -wal, -shm, -journal and .lock, as far as they exist; modes are narrowed to 0600. */
bool file_vet(const char *path, struct err *e);
bool file_create(const char *path, struct err *e); /* empty, 0600 from the first moment; fine when it exists */
struct file_id file_id_of(const char *path);
bool file_same(struct file_id a, struct file_id b);
/* SQLite's own header: the schema version in it; -1 when there is none. Only while nobody here has the file open: closing
 * it would drop SQLite's locks. */
long file_version(const char *path);

void file_remove_log(const char *path); /* -wal and -shm */

enum file_lock {
	FILE_LOCKED,  /* ours: *fd holds it until closed */
	FILE_TAKEN,   /* *holder writes, 0 when it does not say */
	FILE_UNLOCKED /* the folder cannot be written or does not lock; e says why */
};
enum file_lock file_lock(const char *path, int *fd, struct file_id *id, pid_t *holder, struct err *e);

/* Renames the file and its companions to NAME.corrupt-TIME and keeps the newest few of these. Gives the new name. */
char *file_aside(const char *path, struct err *e);

#endif
