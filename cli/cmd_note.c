/* note: a line among the events. */
#include "cli/args.h"
#include "cli/out.h"

#include "core/clock.h"

#include <string.h>

/* "kind=WORD" in front; false when the word is none. */
static bool take_kind(const struct cli *c, int *first, bool *incident, struct err *e)
{
	const char *word = c->argv[0];
	if (strncmp(word, "kind=", 5) != 0)
		return true;
	*first = 1;
	*incident = strcmp(word + 5, "incident") == 0;
	return *incident || strcmp(word + 5, "note") == 0 ||
	       err_set(e, ERR_USAGE, word, "is neither kind=incident nor kind=note");
}

static int print(const struct cli *c, const struct note_request *rq, int64_t at)
{
	struct out o;
	out_init(&o);
	if (cli_is_json(c)) {
		struct json_out j;
		json_out_init(&j, &o.b);
		json_out_object(&j, NULL);
		json_out_int(&j, "version", 1);
		json_out_time(&j, "at", at);
		json_out_str(&j, "kind", rq->incident ? "incident" : "note");
		json_out_str(&j, "text", rq->text);
		json_out_object_end(&j);
		out_own(&o, "\n");
	} else {
		struct table t;
		char when[CLOCK_RFC3339_SIZE];
		clock_rfc3339(at, when);
		table_init(&t, 3, 0);
		table_add(&t, when);
		table_add(&t, rq->incident ? "incident" : "note");
		table_add(&t, rq->text);
		table_print(&t, &o);
	}
	return out_end(&o, c, 0);
}

int cmd_note(const struct cli *c, struct engine *g)
{
	struct err e = { 0 };
	struct buf text;
	struct request rq = { .kind = REQUEST_NOTE };
	int first = 0;
	if (!take_kind(c, &first, &rq.note.incident, &e))
		return cli_fail(c, &e);
	buf_init(&text, 1 << 16);
	for (int i = first; i < c->argc; i++) {
		buf_adds(&text, i > first ? " " : "");
		buf_adds(&text, c->argv[i]);
	}
	rq.note.text = text.p ? text.p : "";
	struct result *r = engine_call(g, &rq);
	int status = r->err.code != ERR_OK ? cli_fail(c, &r->err) : print(c, &rq.note, r->note.at);
	result_free(r);
	buf_clear(&text);
	return status;
}
