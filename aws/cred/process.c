/* credential_process: a program of the user's own prints keys. */
#include "aws/cred/child.h"
#include "aws/cred/cred.h"
#include "aws/cred/keys_json.h"
#include "core/hash.h"
#include "core/ini.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#define PROCESS_MS 60000
#define PROCESS_OUT (64u * 1024)
#define COMPLAINT 200 /* characters of what it wrote to stderr */

/* Whoever can write the file decides what runs as us. */
static bool own_file(const struct cred_source *s, struct err *e)
{
	struct buf text;
	struct err why = { 0 };
	bool ok = !s->file || ini_read_own_file(s->file, &text, &why);
	if (s->file) {
		if (text.p)
			hash_wipe(text.p, text.n);
		buf_clear(&text);
	}
	return ok || err_set(e, ERR_CONF, s->where, "credential_process is not run: %.100s: %.90s", s->file, why.text);
}

/* All of it on one line, single blanks. */
static size_t one_line(struct span text, char line[CHILD_ERR])
{
	size_t n = 0;
	for (size_t i = 0; i < text.n; i++) {
		unsigned char c = (unsigned char)text.p[i];
		bool blank = c == ' ' || c == '\0' || (c >= '\t' && c <= '\r');
		if (!blank)
			line[n++] = text.p[i];
		else if (n && line[n - 1] != ' ')
			line[n++] = ' ';
	}
	return n - (n && line[n - 1] == ' ');
}

/* Appends what it complained; of a long one the end, where the reason stands. */
static void add_complaint(struct err *e, const struct buf *err)
{
	char line[CHILD_ERR];
	size_t n = one_line(buf_span(err), line), used = strlen(e->text), room = sizeof e->text - used - sizeof ": ...";
	room = room < COMPLAINT ? room : COMPLAINT;
	size_t from = n > room ? n - room : 0;
	while (from && from < n && ((unsigned char)line[from] & 0xc0) == 0x80)
		from++;
	if (n)
		snprintf(e->text + used, sizeof e->text - used, ": %s%.*s", from ? "..." : "", (int)(n - from), line + from);
}

static bool ended_well(const struct child *c, const struct cred_source *s, const char *name, struct err *e)
{
	bool signalled = WIFSIGNALED(c->status);
	int number = signalled ? WTERMSIG(c->status) : WEXITSTATUS(c->status);
	if (c->exec_errno)
		return err_set(e, ERR_NOCRED, s->where, "\"%.60s\" (credential_process) cannot be started: %s", name,
		               strerror(c->exec_errno));
	if (c->flood)
		return err_set(e, ERR_NOCRED, s->where, "\"%.60s\" (credential_process) wrote more than %u KiB", name,
		               PROCESS_OUT / 1024);
	if (c->late)
		return err_set(e, ERR_TIMEOUT, s->where, "\"%.60s\" (credential_process) did not end within %d s", name,
		               PROCESS_MS / 1000);
	if (number == 0)
		return true;
	err_set(e, ERR_NOCRED, s->where, "\"%.60s\" (credential_process) %s %d", name,
	        signalled ? "was ended by signal" : "failed with status", number);
	add_complaint(e, &c->err);
	return false;
}

static const char *read_keys(struct span text, struct keys *out)
{
	static const struct keys_names names = { .access_key = "AccessKeyId",
		                                     .secret_key = "SecretAccessKey",
		                                     .session_token = "SessionToken",
		                                     .account = "AccountId",
		                                     .expires = "Expiration" };
	int64_t version;
	struct json *doc = json_parse(text, NULL); /* what is wrong with it stays unsaid: it may quote a key */
	const char *why = NULL;
	if (!json_is_object(doc))
		why = "printed no JSON object";
	else if (!json_int(json_get(doc, "Version"), &version) || version != 1)
		why = "printed keys of another Version than 1";
	else
		why = keys_from_json(out, doc, &names);
	json_free(doc);
	return why;
}

bool cred_from_process(struct fetch *f, const struct cred_source *s, struct keys *out, struct err *e)
{
	struct words w;
	struct child c;
	if (!own_file(s, e))
		return false;
	if (!words_split(&w, s->command) || w.n == 0) {
		words_clear(&w);
		return err_set(e, ERR_CONF, s->where, "credential_process: a quote is not closed, or there is no command");
	}
	const char *name = w.v[0], *why;
	bool ok = child_run(f, w.v, PROCESS_MS, PROCESS_OUT, &c, e);
	if (!ok && e->code == ERR_TIMEOUT)
		err_set(e, ERR_TIMEOUT, s->where, "\"%.60s\" (credential_process) did not end in time", name);
	ok = ok && ended_well(&c, s, name, e);
	if (ok && (why = read_keys(buf_span(&c.out), out)))
		ok = err_set(e, ERR_NOCRED, s->where, "\"%.60s\" (credential_process) %s", name, why);
	child_clear(&c);
	words_clear(&w);
	return ok;
}
