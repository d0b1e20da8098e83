/* Files that steer us and files that are ours alone: what is read, refused, noted and made. Whole flows as another user are
 * in tests/faults. */
#include "core/file.h"

#include "core/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#define OTHER 12345

static char folder[64], other[96], file[128], link_[128];

static void spill(const char *path, const char *p, size_t n, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), n);
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

/* "ok", "ok; NOTE" or the error's text. */
static const char *verdict(const char *path, enum file_trust trust, size_t most)
{
	static char text[400];
	struct buf b;
	struct err e = { 0 };
	struct file_note note;
	bool ok = file_read(path, trust, most, &b, &note, &e);
	buf_clear(&b);
	if (!ok) {
		assert_true(e.code == ERR_CONF || e.code == ERR_NOTFOUND);
		assert_true((e.where[0] || !path[0]) && !b.p);
	}
	snprintf(text, sizeof text, "%s%s%s", ok ? "ok" : e.text, note.text[0] ? "; " : "", note.text);
	if (note.text[0])
		assert_string_equal(note.path, path);
	return text;
}
#define READS(path, trust, want) assert_string_equal(verdict((path), (trust), FILE_MOST), (want))

static void modes(void **state)
{
	(void)state;
	static const struct {
		mode_t mode;
		const char *settings, *secret;
	} t[] = {
		{ 0600, "ok", "ok" },
		{ 0400, "ok", "ok" },
		{ 0644, "ok", "ok; others may read it: chmod 600" },
		{ 0640, "ok", "ok; others may read it: chmod 600" },
		{ 0604, "ok", "ok; others may read it: chmod 600" },
		{ 0620, "others may write it: chmod go-w", "others may write it: chmod go-w" },
		{ 0602, "others may write it: chmod go-w", "others may write it: chmod go-w" },
		{ 0666, "others may write it: chmod go-w", "others may write it: chmod go-w" },
	};
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		spill(file, "x", 1, t[i].mode);
		READS(file, FILE_ANY, "ok");
		READS(file, FILE_SETTINGS, t[i].settings);
		READS(file, FILE_SECRET, t[i].secret);
		unlink(file);
	}
}

static void owners(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	spill(file, "x", 1, 0600);
	assert_int_equal(chown(file, OTHER, 0), 0);
	READS(file, FILE_SETTINGS, "belongs to another user: chown it or copy it");
	READS(file, FILE_SECRET, "belongs to another user: chown it or copy it");
	READS(file, FILE_ANY, "ok");
	unlink(file);
}

static void kinds(void **state)
{
	(void)state;
	struct sockaddr_un name = { .sun_family = AF_UNIX };
	for (enum file_trust trust = FILE_ANY; trust <= FILE_SECRET; trust++) {
		READS(folder, trust, "is not a regular file");
		READS("/", trust, "is not a regular file");
		READS("/dev/zero", trust, "is not a regular file");
		READS("", trust, "cannot be opened: No such file or directory");
		READS("/nonexistent/x", trust, "cannot be opened: No such file or directory");
		assert_int_equal(mkfifo(file, 0600), 0);
		READS(file, trust, "is not a regular file");
		unlink(file);
		int fd = socket(AF_UNIX, SOCK_STREAM, 0);
		snprintf(name.sun_path, sizeof name.sun_path, "%.100s", file);
		assert_int_equal(bind(fd, (struct sockaddr *)&name, sizeof name), 0);
		READS(file, trust, "is not a regular file");
		close(fd);
		unlink(file);
		spill(file, "x", 1, 0600);
		char *below = xasprintf("%s/x", file);
		READS(below, trust, "cannot be opened: Not a directory");
		free(below);
		unlink(file);
	}
}

static void sizes(void **state)
{
	(void)state;
	static char text[5000];
	memset(text, 'x', sizeof text);
	for (size_t n = 4090; n < 4100; n++) {
		struct buf b;
		struct err e = { 0 };
		spill(file, text, n, 0600);
		bool ok = file_read(file, FILE_SECRET, 4096, &b, NULL, &e);
		assert_int_equal(ok, n <= 4096);
		if (ok) {
			assert_int_equal(b.n, n);
			assert_memory_equal(b.p, text, n);
			assert_int_equal(b.p[n], 0);
			assert_true(b.cap <= 4097);
		} else {
			assert_string_equal(e.text, "is larger than 4096 bytes");
		}
		buf_clear(&b);
	}
	assert_int_equal(truncate(file, (off_t)1 << 40), 0);
	READS(file, FILE_SECRET, "is larger than 1048576 bytes");
	assert_int_equal(truncate(file, 0), 0);
	READS(file, FILE_SECRET, "ok");
	unlink(file);
	/* a file whose size nobody knows before it is read */
	assert_string_equal(verdict("/proc/self/status", FILE_ANY, FILE_MOST), "ok");
	assert_string_equal(verdict("/proc/self/status", FILE_ANY, 100), "is larger than 100 bytes");
}

static void a_nul_is_told_by_its_line(void **state)
{
	(void)state;
	struct buf b;
	struct err e = { 0 };
	spill(file, "one\ntwo\nthr\0ee\n", 15, 0600);
	assert_false(file_read(file, FILE_SECRET, FILE_MOST, &b, NULL, &e));
	buf_clear(&b);
	assert_string_equal(e.text, "the line holds a NUL byte");
	assert_string_equal(strrchr(e.where, ':'), ":3");
	READS(file, FILE_ANY, "ok");
	unlink(file);
}

static void links(void **state)
{
	(void)state;
	char *chain = xasprintf("%s/chain", folder), *through = xasprintf("%s/dir/file", folder);
	char *dir = xasprintf("%s/dir", folder);
	spill(file, "x", 1, 0600);
	assert_int_equal(symlink(file, link_), 0);
	assert_int_equal(symlink("other/../link", chain), 0);
	assert_int_equal(symlink(folder, dir), 0);
	READS(link_, FILE_SECRET, "ok");
	READS(chain, FILE_SECRET, "ok");
	READS(through, FILE_SECRET, "ok");
	assert_int_equal(chmod(file, 0644), 0);
	READS(chain, FILE_SECRET, "ok; others may read it: chmod 600");
	if (geteuid() == 0) {
		assert_int_equal(lchown(link_, OTHER, OTHER), 0);
		READS(link_, FILE_SECRET, "a symbolic link on the way to it belongs to another user");
		READS(chain, FILE_SETTINGS, "a symbolic link on the way to it belongs to another user");
		READS(chain, FILE_ANY, "ok");
		assert_int_equal(lchown(dir, OTHER, OTHER), 0);
		READS(through, FILE_SECRET, "a symbolic link on the way to it belongs to another user");
	}
	unlink(file);
	unlink(link_);
	assert_int_equal(symlink(file, link_), 0);
	READS(link_, FILE_SECRET, "cannot be opened: No such file or directory; is a symbolic link to nothing");
	unlink(link_);
	assert_int_equal(symlink("link", link_), 0);
	READS(link_, FILE_SECRET, "cannot be opened: Too many levels of symbolic links");
	READS(link_, FILE_ANY, "cannot be opened: Too many levels of symbolic links");
	unlink(link_);
	unlink(chain);
	unlink(dir);
	free(chain), free(through), free(dir);
}

static void open_folders(void **state)
{
	(void)state;
	static const char why[] = "everybody may write the folder that holds it: chmod o-w the folder";
	char *in = xasprintf("%s/file", other), *to = xasprintf("%s/to", folder);
	spill(in, "x", 1, 0600);
	assert_int_equal(symlink(in, to), 0);
	READS(in, FILE_SETTINGS, "ok");
	assert_int_equal(chmod(other, 0777), 0);
	READS(in, FILE_SETTINGS, why);
	READS(to, FILE_SETTINGS, why);
	READS(in, FILE_ANY, "ok");
	assert_int_equal(chmod(other, 01777), 0);
	READS(in, FILE_SETTINGS, "ok");
	READS(to, FILE_SETTINGS, "ok");
	assert_int_equal(chmod(other, 0700), 0);
	unlink(to);
	unlink(in);
	free(to), free(in);
}

static void relative_paths(void **state)
{
	(void)state;
	char *was = getcwd(NULL, 0);
	spill(file, "x", 1, 0600);
	assert_int_equal(chdir(folder), 0);
	READS("file", FILE_SECRET, "ok");
	READS("./other/..//file", FILE_SECRET, "ok");
	READS(".", FILE_SECRET, "is not a regular file");
	assert_int_equal(chdir(was), 0);
	unlink(file);
	free(was);
}

static void notes_are_kept_once(void **state)
{
	(void)state;
	struct file_note v[FILE_NOTES];
	spill(file, "x", 1, 0644);
	unsigned before = file_notes(v), seen = 0;
	READS(file, FILE_SECRET, "ok; others may read it: chmod 600");
	READS(file, FILE_SECRET, "ok; others may read it: chmod 600");
	unsigned n = file_notes(v);
	assert_true(n <= before + 1);
	for (unsigned i = 0; i < n; i++)
		seen += strcmp(v[i].path, file) == 0;
	assert_int_equal(seen, 1);
	for (unsigned i = 0; i < 2 * FILE_NOTES; i++) {
		char *name = xasprintf("%s/%u", folder, i);
		spill(name, "x", 1, 0644);
		READS(name, FILE_SECRET, "ok; others may read it: chmod 600");
		unlink(name);
		free(name);
	}
	assert_int_equal(file_notes(v), FILE_NOTES);
	unlink(file);
}

/* ---- what is ours alone */

static mode_t mode_of(const char *path)
{
	struct stat st;
	assert_int_equal(lstat(path, &st), 0);
	return st.st_mode & 07777;
}

static void folders(void **state)
{
	(void)state;
	struct err e = { 0 };
	char *deep = xasprintf("%s/a/b/c", folder), *a = xasprintf("%s/a", folder), *to = xasprintf("%s/to", folder);
	char *below = xasprintf("%s/to/d", folder);
	mode_t was = umask(0);
	assert_true(file_folder(deep, true, &e));
	umask(was);
	assert_int_equal(mode_of(a), 0700);
	assert_int_equal(mode_of(deep), 0700);
	assert_int_equal(chmod(deep, 0755), 0);
	assert_true(file_folder(deep, true, &e));
	assert_int_equal(mode_of(deep), 0755);
	assert_int_equal(chmod(deep, 01777), 0);
	assert_false(file_folder(deep, true, &e));
	assert_int_equal(e.code, ERR_DISK);
	assert_string_equal(e.text, "others may write the folder: chmod go-w");
	assert_true(file_folder(deep, false, &e));
	assert_true(file_folder_there(deep, &e));
	assert_int_equal(chmod(deep, 0777), 0);
	assert_false(file_folder(deep, false, &e));
	assert_string_equal(e.text, "everybody may write the folder: chmod o-w");
	assert_int_equal(chmod(deep, 0700), 0);
	assert_int_equal(symlink(deep, to), 0);
	assert_false(file_folder(to, true, &e));
	assert_string_equal(e.text, "is a symbolic link");
	assert_true(file_folder(to, false, &e));
	assert_true(file_folder(below, true, &e)); /* a link above our own folder is the user's business */
	if (geteuid() == 0) {
		assert_int_equal(lchown(to, OTHER, OTHER), 0);
		assert_false(file_folder(below, true, &e));
		assert_int_equal(chown(deep, OTHER, OTHER), 0);
		assert_false(file_folder(deep, true, &e));
		assert_string_equal(e.text, "the folder belongs to another user");
	}
	spill(file, "", 0, 0600);
	assert_false(file_folder(file, true, &e));
	assert_string_equal(e.text, "is not a folder");
	unlink(file);
	assert_false(file_folder_there(file, &e));
	assert_int_equal(access(file, F_OK), -1);
	free(deep), free(a), free(to), free(below);
}

static const char *opens(int flags)
{
	static struct err e;
	struct stat st;
	int fd = file_open_private(file, flags, &e);
	if (fd < 0) {
		assert_int_equal(e.code, ERR_DISK);
		return e.text;
	}
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_not_equal(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
	close(fd);
	return "ok";
}

static void private_files(void **state)
{
	(void)state;
	static const mode_t masks[] = { 0, 022, 077, 0777 };
	for (size_t i = 0; i < sizeof masks / sizeof *masks; i++) {
		mode_t was = umask(masks[i]);
		assert_string_equal(opens(O_RDWR), "ok");
		umask(was);
		unlink(file);
	}
	spill(file, "kept", 4, 0666);
	assert_string_equal(opens(O_WRONLY | O_APPEND), "ok"); /* and narrowed */
	assert_string_equal(opens(O_RDWR | O_EXCL), "File exists");
	assert_int_equal(errno, EEXIST);
	assert_int_equal(link(file, link_), 0);
	assert_string_equal(opens(O_RDWR), "has a second name (a hard link)");
	unlink(file);
	assert_int_equal(symlink(link_, file), 0);
	assert_string_equal(opens(O_RDWR), "is a symbolic link");
	unlink(file);
	struct stat st;
	assert_int_equal(stat(link_, &st), 0);
	assert_int_equal(st.st_size, 4);
	unlink(link_);
	assert_int_equal(symlink("/nonexistent/x", file), 0);
	assert_string_equal(opens(O_RDWR), "is a symbolic link");
	unlink(file);
	assert_int_equal(mkfifo(file, 0600), 0);
	assert_string_equal(opens(O_RDWR), "is not a regular file");
	assert_string_not_equal(opens(O_WRONLY), "ok");
	unlink(file);
	assert_int_equal(mkdir(file, 0700), 0);
	assert_string_not_equal(opens(O_RDWR), "ok");
	rmdir(file);
	if (geteuid() == 0) {
		spill(file, "", 0, 0600);
		assert_int_equal(chown(file, OTHER, OTHER), 0);
		assert_string_equal(opens(O_RDWR), "belongs to another user");
		unlink(file);
	}
}

static int make_folder(void **state)
{
	(void)state;
	snprintf(folder, sizeof folder, "/tmp/t_file-XXXXXX");
	if (!mkdtemp(folder))
		return -1;
	snprintf(other, sizeof other, "%s/other", folder);
	snprintf(file, sizeof file, "%s/file", folder);
	snprintf(link_, sizeof link_, "%s/link", folder);
	return mkdir(other, 0700);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
	(void)st, (void)type, (void)where;
	return remove(path);
}

static int drop_folder(void **state)
{
	(void)state;
	return nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modes),
		cmocka_unit_test(owners),
		cmocka_unit_test(kinds),
		cmocka_unit_test(sizes),
		cmocka_unit_test(a_nul_is_told_by_its_line),
		cmocka_unit_test(links),
		cmocka_unit_test(open_folders),
		cmocka_unit_test(relative_paths),
		cmocka_unit_test(notes_are_kept_once),
		cmocka_unit_test(folders),
		cmocka_unit_test(private_files),
	};
	return cmocka_run_group_tests(tests, make_folder, drop_folder);
}
