#include "core/file.h"

#include "core/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define OPEN_FOLDER "everybody may write the folder that holds it: chmod o-w the folder"
#define LINKS_MOST 16
#define STEP 4096

static bool trusted_owner(uid_t uid)
{
	return uid == 0 || uid == geteuid();
}

/* Who is in a group is not asked: that can take a server on the network. */
static bool others_can(const struct stat *st, mode_t bits)
{
	return st->st_mode & bits;
}

/* ---- walking: a path is followed name by name, so that each link and each folder is judged as it is passed */

struct walk {
	const char *path;
	enum err_code code; /* of what goes wrong */
	bool make;          /* folders that are missing are made */
	bool no_link;       /* the last name may be none */
	int at;             /* the folder that `name` stands in; ours to close */
	char *rest, *name;  /* rest: owned; name points into it */
	char dot[2];
	struct stat st; /* of the last name */
	unsigned links;
	bool absent; /* the last name is not there (and `links` says whether links led to it) */
	struct err *e;
};

static bool refuse(const struct walk *w, const char *why)
{
	err_set(w->e, w->code, "", "%s", why);
	return err_at(w->e, w->path, 0);
}

static bool failed(const struct walk *w)
{
	bool absent = errno == ENOENT || errno == ENOTDIR;
	err_set(w->e, absent && w->code == ERR_CONF ? ERR_NOTFOUND : w->code, "", "cannot be opened: %s", strerror(errno));
	return err_at(w->e, w->path, 0);
}

/* Whoever may write the folder can put his own in the place of what we look for; in a sticky one only where nothing is. */
static bool judge_folder(const struct walk *w, const char *why)
{
	struct stat st;
	if (fstat(w->at, &st) != 0)
		return failed(w);
	if ((st.st_mode & (S_IWOTH | S_ISVTX)) == S_IWOTH)
		return refuse(w, why);
	return true;
}

static bool enter(struct walk *w, const char *name)
{
	int at = openat(w->at < 0 ? AT_FDCWD : w->at, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (at < 0)
		return failed(w);
	if (w->at >= 0)
		close(w->at);
	w->at = at;
	return true;
}

/* The link's text takes the place of its name. */
static bool follow(struct walk *w, const char *rest, bool last)
{
	char target[PATH_MAX];
	if (w->no_link && last)
		return refuse(w, "is a symbolic link");
	if (!trusted_owner(w->st.st_uid))
		return refuse(w, "a symbolic link on the way to it belongs to another user");
	if (!judge_folder(w, OPEN_FOLDER))
		return false;
	ssize_t n = readlinkat(w->at, w->name, target, sizeof target - 1);
	if (n < 0)
		return failed(w);
	target[n] = '\0';
	errno = ELOOP;
	if (++w->links > LINKS_MOST || (target[0] == '/' && !enter(w, "/")))
		return failed(w);
	char *now = *rest ? xasprintf("%s/%s", target, rest) : xstrdup(target);
	free(w->rest);
	w->rest = w->name = now;
	return true;
}

static bool look(struct walk *w)
{
	for (unsigned attempt = 0; attempt < 3; attempt++) {
		if (fstatat(w->at, w->name, &w->st, AT_SYMLINK_NOFOLLOW) == 0)
			return true;
		if (!w->make || errno != ENOENT || (mkdirat(w->at, w->name, 0700) < 0 && errno != EEXIST))
			break;
	}
	w->absent = errno == ENOENT;
	return failed(w);
}

/* Up to the last name, which is left for the caller in at, name and st. False and e; w->absent when nothing is there. */
static bool walk(struct walk *w)
{
	w->at = -1;
	w->rest = w->name = xstrdup(w->path);
	errno = ENOENT;
	if (!*w->path)
		return failed(w);
	if (!enter(w, *w->path == '/' ? "/" : "."))
		return false;
	for (;;) {
		w->name += strspn(w->name, "/");
		if (!*w->name) /* all slashes: the folder itself */
			w->name = memcpy(w->dot, ".", 2);
		char *end = w->name + strcspn(w->name, "/"), *rest = end + strspn(end, "/");
		bool last = !*rest;
		*end = '\0';
		if (!look(w))
			return false;
		if (S_ISLNK(w->st.st_mode)) {
			if (!follow(w, rest, last))
				return false;
		} else if (last) {
			return true;
		} else {
			if (!enter(w, w->name))
				return false;
			w->name = rest;
		}
	}
}

static void walk_end(struct walk *w)
{
	if (w->at >= 0)
		close(w->at);
	free(w->rest);
}

/* ---- reading */

static pthread_mutex_t notes_lock = PTHREAD_MUTEX_INITIALIZER;
static struct file_note notes[FILE_NOTES];
static unsigned nnotes;

static void keep_note(const struct file_note *note)
{
	unsigned i = 0;
	pthread_mutex_lock(&notes_lock);
	while (i < nnotes && strcmp(notes[i].path, note->path) != 0)
		i++;
	if (i < FILE_NOTES) {
		notes[i] = *note;
		nnotes = i < nnotes ? nnotes : i + 1;
	}
	pthread_mutex_unlock(&notes_lock);
}

unsigned file_notes(struct file_note v[FILE_NOTES])
{
	pthread_mutex_lock(&notes_lock);
	unsigned n = nnotes;
	memcpy(v, notes, n * sizeof *v);
	pthread_mutex_unlock(&notes_lock);
	return n;
}

static void add_note(struct file_note *note, const char *path, const char *text)
{
	struct file_note own;
	size_t n = strlen(path), room = sizeof own.path - 1;
	snprintf(own.path, sizeof own.path, "%s", n > room ? path + n - room : path);
	snprintf(own.text, sizeof own.text, "%s", text);
	keep_note(&own);
	if (note)
		*note = own;
}

/* Why such a file must not steer us, or NULL. */
static const char *distrust(const struct stat *st, enum file_trust trust)
{
	if (!S_ISREG(st->st_mode))
		return "is not a regular file";
	if (trust == FILE_ANY)
		return NULL;
	if (!trusted_owner(st->st_uid))
		return "belongs to another user: chown it or copy it";
	return others_can(st, S_IWGRP | S_IWOTH) ? "others may write it: chmod go-w" : NULL;
}

/* The file's content, without a copy of it that stays behind elsewhere: room for what fstat says is taken at once. */
static bool read_all(const struct walk *w, int fd, size_t size, struct buf *out)
{
	for (;;) {
		char more;
		size_t want = out->n < size ? size - out->n : 1;
		char *room = out->n < size ? buf_room(out, want) : &more;
		ssize_t n = room ? read(fd, room, want) : 0;
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return failed(w);
		if (room == &more && n > 0) { /* it has grown meanwhile */
			size = size + STEP < out->max ? size + STEP : out->max;
			buf_addc(out, more);
		} else {
			out->n += room ? (size_t)n : 0;
		}
		if (buf_full(out)) {
			err_set(w->e, w->code, "", "is larger than %zu bytes", out->max);
			return err_at(w->e, w->path, 0);
		}
		if (n == 0)
			return true;
	}
}

static bool no_nul(const struct walk *w, const struct buf *b)
{
	const char *nul = b->n ? memchr(b->p, '\0', b->n) : NULL;
	unsigned line = 1;
	if (!nul)
		return true;
	for (const char *p = b->p; p < nul; p++)
		line += *p == '\n';
	err_set(w->e, w->code, "", "the line holds a NUL byte");
	return err_at(w->e, w->path, line);
}

/* Looked at before it is opened, as opening a device or a pipe can already do something, and once more when it is open. */
static int open_file(struct walk *w, enum file_trust trust, struct stat *st)
{
	const char *why = distrust(&w->st, trust);
	if (why || (trust != FILE_ANY && !judge_folder(w, OPEN_FOLDER))) {
		if (why)
			refuse(w, why);
		return -1;
	}
	int fd = openat(w->at, w->name, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK | O_NOFOLLOW);
	if (fd < 0 || fstat(fd, st) != 0) {
		failed(w);
	} else if ((why = distrust(st, trust))) {
		refuse(w, why);
	} else {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}

static bool start(struct walk *w, enum file_trust trust)
{
	if (trust != FILE_ANY)
		return walk(w);
	w->at = AT_FDCWD;
	w->name = realpath(w->path, NULL);
	w->rest = w->name;
	return (w->name && stat(w->name, &w->st) == 0) || failed(w);
}

bool file_read(const char *path, enum file_trust trust, size_t most, struct buf *out, struct file_note *note,
               struct err *e)
{
	struct walk w = { .path = path, .code = ERR_CONF, .at = -1, .e = e };
	struct stat st;
	buf_init_secret(out, most); /* settings may hold keys, too */
	if (note)
		*note = (struct file_note){ 0 };
	bool ok = start(&w, trust);
	if (!ok && w.absent && w.links)
		add_note(note, path, "is a symbolic link to nothing");
	int fd = ok ? open_file(&w, trust, &st) : -1;
	ok = fd >= 0 && read_all(&w, fd, st.st_size > 0 ? (size_t)st.st_size : 0, out) &&
	     (trust == FILE_ANY || no_nul(&w, out));
	if (ok && trust == FILE_SECRET && others_can(&st, S_IRGRP | S_IROTH))
		add_note(note, path, "others may read it: chmod 600");
	if (fd >= 0)
		close(fd);
	walk_end(&w);
	return ok;
}

/* ---- what is ours alone */

const char *file_objection(const struct stat *st)
{
	if (S_ISLNK(st->st_mode))
		return "is a symbolic link";
	if (!S_ISREG(st->st_mode))
		return "is not a regular file";
	if (st->st_uid != geteuid())
		return "belongs to another user";
	return st->st_nlink == 1 ? NULL : "has a second name (a hard link)";
}

static bool judge_own(struct walk *w)
{
	if (w->st.st_uid != geteuid())
		return refuse(w, "the folder belongs to another user");
	return !others_can(&w->st, S_IWGRP | S_IWOTH) || refuse(w, "others may write the folder: chmod go-w");
}

static bool folder(struct walk *w, bool own)
{
	bool ok = walk(w);
	if (ok && !S_ISDIR(w->st.st_mode))
		ok = refuse(w, "is not a folder");
	if (ok && own)
		ok = judge_own(w);
	else if (ok)
		ok = enter(w, w->name) && judge_folder(w, "everybody may write the folder: chmod o-w");
	walk_end(w);
	return ok;
}

bool file_folder(const char *path, bool own, struct err *e)
{
	return folder(&(struct walk){ .path = path, .code = ERR_DISK, .make = true, .no_link = own, .e = e }, own);
}

bool file_folder_there(const char *path, struct err *e)
{
	return folder(&(struct walk){ .path = path, .code = ERR_DISK, .e = e }, false);
}

int file_open_private(const char *path, int flags, struct err *e)
{
	struct stat st;
	int fd = open(path, flags | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY | O_NONBLOCK, 0600);
	const char *why = fd < 0 ? errno == ELOOP ? "is a symbolic link" : strerror(errno) : NULL;
	if (!why)
		why = fstat(fd, &st) < 0 ? strerror(errno) : file_objection(&st);
	if (!why && (st.st_mode & 07777) != 0600 && fchmod(fd, 0600) < 0) /* an older sluice's, or an odd umask's */
		why = strerror(errno);
	if (!why)
		return fd;
	int error = errno;
	err_set(e, ERR_DISK, "", "%s", why);
	err_at(e, path, 0);
	if (fd >= 0)
		close(fd);
	errno = error;
	return -1;
}
