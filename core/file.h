/* Files that decide something are read here, and files and folders that nobody else may read are made here. What is trusted,
 * refused and noted, and why: docs/security.md. Judged is the open file, never a name that may mean another one by now.
 * Any thread. */
#ifndef CORE_FILE_H
#define CORE_FILE_H

#include "core/buf.h"
#include "core/err.h"

#include <stdbool.h>
#include <sys/stat.h>

/* ---- reading */

enum file_trust {
	FILE_ANY,      /* somebody named it for this run: a regular file is all that is asked */
	FILE_SETTINGS, /* it steers us: ours or root's, writable by nobody else; the same of symbolic links on the way to it */
	FILE_SECRET    /* the same, and a note when others can read it */
};
#define FILE_MOST (1024UL * 1024) /* what settings may have, in bytes */

/* Something that does not stop us, but that its owner should mend. */
struct file_note { char path[256], text[96]; };

/* Reads a whole regular file of at most `most` bytes into out, which it initialises with that cap and as a secret (buf_clear
 * it in any case). Never waits: pipes, sockets, devices and folders are refused unopened. Above FILE_ANY,
 * a NUL byte is refused with its line. ERR_NOTFOUND when nothing is there (a link that points nowhere leaves a note), else ERR_CONF;
 * where = the path's end, with a line where one is to blame. The content is never quoted.
 * note (may be NULL) is filled, its text empty when all is well; every note is also kept for file_notes. */
bool file_read(const char *path, enum file_trust trust, size_t most, struct buf *out, struct file_note *note, struct err *e);

/* The notes there were so far, one a path, newest text; returns how many of them went into v. */
#define FILE_NOTES 16
unsigned file_notes(struct file_note v[FILE_NOTES]);

/* ---- what is ours alone */

/* The folder of one of our files, made with all that is missing above it (0700 from the first moment). Symbolic links on the
 * way must be ours or root's. own: it is sluice's own, so the last name may be no link, and it must be ours and writable by
 * nobody else; a folder somebody chose must only not be open to everybody (a sticky one like /tmp may be). ERR_DISK,
 * where = the path's end. */
bool file_folder(const char *path, bool own, struct err *e);
bool file_folder_there(const char *path, struct err *e); /* one that somebody chose, and that must exist */

/* Why a file in there cannot be one of ours, NULL when it can: a link, no regular file, another's, a second name. */
const char *file_objection(const struct stat *st);

/* Opens for writing, flags as open(2), after O_CREAT with mode 0600; never through a link, never a file that
 * file_objection speaks against; an older mode is narrowed to 0600. -1 and e (ERR_DISK, where = the path's end; errno says why
 * it could not be opened). O_TRUNC is not for here: before the file is judged nothing may be lost. */
int file_open_private(const char *path, int flags, struct err *e);

#endif
