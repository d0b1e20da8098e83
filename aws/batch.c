#include "aws/batch.h"

#include "aws/classify.h"
#include "aws/wire.h"

#include <string.h>

static void all_unknown(struct fated *out, unsigned n, const char *where)
{
	for (unsigned i = 0; i < n; i++) {
		out[i].fate = FATE_UNKNOWN;
		err_set(&out[i].err, ERR_BADREPLY, where, "the answer does not say what became of this entry");
		out[i].err.in_doubt = true;
	}
}

static bool no_answer(struct fated *out, unsigned n, const char *where, struct err *e)
{
	all_unknown(out, n, where);
	return err_set(e, ERR_BADREPLY, where, "the answer is not that of a batch");
}

static void set_done(struct fated *f)
{
	f->fate = FATE_DONE;
	err_clear(&f->err);
}

static void set_error(struct fated *f, enum fate fate, enum err_code code, const char *where, const char *name,
                      const char *message)
{
	f->fate = fate;
	err_set(&f->err, code, where, "%s%s%s", name ? name : "no reason given", message ? ": " : "",
	        message ? message : "");
}

/* ---- SQS */

/* The first element from `entry` on that is about this id. */
static const struct json *about(const struct json *entry, const char *id)
{
	for (; entry; entry = json_next(entry)) {
		const char *its = json_get_str(entry, "Id");
		if (its && strcmp(its, id) == 0)
			return entry;
	}
	return NULL;
}

/* A throttled entry goes again whosever fault the service calls it. */
static enum fate failed_fate(const struct json *entry, enum err_code *code)
{
	bool sender;
	enum fault fault = classify_name(json_get_str(entry, "Code"), code);
	if (fault_throttled(fault))
		return FATE_RETRY;
	if (!json_bool(json_get(entry, "SenderFault"), &sender))
		return fault == FAULT_TRANSIENT ? FATE_RETRY : FATE_FAILED;
	if (!sender && *code == ERR_REFUSED)
		*code = ERR_HTTP;
	return sender ? FATE_FAILED : FATE_RETRY;
}

/* Told twice, the worse counts; told done as well, nothing does. */
static void read_entry(const struct json *done, const struct json *failed, const char *id, const char *where,
                       struct fated *f)
{
	bool was_done = about(done, id);
	for (const struct json *entry = failed; (entry = about(entry, id)); entry = json_next(entry)) {
		enum err_code code;
		enum fate fate = failed_fate(entry, &code);
		if (f->fate != FATE_FAILED)
			set_error(f, fate, code, where, json_get_str(entry, "Code"), json_get_str(entry, "Message"));
	}
	if (was_done && f->fate != FATE_UNKNOWN) {
		set_error(f, FATE_UNKNOWN, ERR_BADREPLY, where, "the answer calls this entry both done and failed", NULL);
		f->err.in_doubt = true;
	} else if (was_done) {
		set_done(f);
	}
}

bool batch_read_sqs(const struct json *doc, const char *const *ids, unsigned n, const char *where, struct fated *out,
                    struct err *e)
{
	bool ok = json_is_object(doc);
	const struct json *done = wire_list(doc, "Successful", &ok), *failed = wire_list(doc, "Failed", &ok);
	if (!ok)
		return no_answer(out, n, where, e);
	all_unknown(out, n, where);
	for (unsigned i = 0; i < n; i++)
		read_entry(done, failed, ids[i], where, &out[i]);
	return true;
}

/* ---- Kinesis */

static void read_record(const struct json *record, const char *where, struct fated *f)
{
	const char *error = json_get_str(record, "ErrorCode"), *number = json_get_str(record, "SequenceNumber");
	bool failed = error && *error, done = number && *number;
	enum err_code code;
	if (failed == done) /* both or neither: stays unknown */
		return;
	if (done) {
		set_done(f);
		return;
	}
	enum fault fault = classify_name(error, &code);
	set_error(f, fault_throttled(fault) || fault == FAULT_TRANSIENT ? FATE_RETRY : FATE_FAILED, code, where, error,
	          json_get_str(record, "ErrorMessage"));
}

bool batch_read_kinesis(const struct json *doc, unsigned n, const char *where, struct fated *out, struct err *e)
{
	bool ok = json_is_object(doc);
	const struct json *records = wire_list(doc, "Records", &ok);
	unsigned count = 0;
	for (const struct json *r = records; r; r = json_next(r))
		count++;
	if (!ok || count != n) /* records are known by their place: with some missing, none can be told from another */
		return no_answer(out, n, where, e);
	all_unknown(out, n, where);
	for (; records; records = json_next(records))
		read_record(records, where, out++);
	return true;
}

/* ---- what to send again */

unsigned batch_again(const struct fated *f, unsigned n, bool harmless, unsigned *again)
{
	unsigned count = 0;
	for (unsigned i = 0; i < n; i++)
		if (f[i].fate == FATE_RETRY || (harmless && f[i].fate == FATE_UNKNOWN))
			again[count++] = i;
	return count;
}
