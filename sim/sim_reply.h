/* The body of an answer, written once for three wires: JSON, XML as CloudWatch and STS write it (<X><member>) and XML as
 * SQS writes it (flattened lists and maps). A handler never knows which one it writes. */
#ifndef SIM_SIM_REPLY_H
#define SIM_SIM_REPLY_H

#include "core/buf.h"
#include "core/json.h"

#include <stdbool.h>
#include <stdint.h>

#define WR_DEPTH 16

enum wr_form { WR_JSON, WR_XML, WR_XML_FLAT };

struct wr {
	enum wr_form form;
	struct buf *b;
	struct json_out json;
	const char *closes[WR_DEPTH]; /* XML: the element each open level ends with; NULL = none (a flattened list) */
	const char *items[WR_DEPTH];  /* XML: the name of an element without a key of its own */
	unsigned depth;
};

void wr_init(struct wr *w, enum wr_form form, struct buf *b);
bool wr_ok(const struct wr *w);
void wr_object(struct wr *w, const char *key); /* key NULL inside a list */
void wr_object_end(struct wr *w);
/* item: the element's name in SQS's flattened form; the others take "member" */
void wr_list(struct wr *w, const char *key, const char *item);
void wr_list_end(struct wr *w);
/* A map of names to values: a JSON object, <key><entry><key/><value/></entry></key> (SNS), or flattened
 * <item><Name/><Value/></item> one after another (SQS). */
void wr_map(struct wr *w, const char *key, const char *item);
void wr_map_str(struct wr *w, const char *name, const char *value);
void wr_map_object(struct wr *w, const char *name);
void wr_map_object_end(struct wr *w);
void wr_map_end(struct wr *w);
void wr_str(struct wr *w, const char *key, const char *value); /* NULL writes nothing */
void wr_int(struct wr *w, const char *key, int64_t value);
void wr_num(struct wr *w, const char *key, double value);
void wr_bool(struct wr *w, const char *key, bool value);
void wr_time(struct wr *w, const char *key, int64_t t_ms); /* JSON: epoch seconds; XML: ISO 8601 */
/* Bulk: a datapoint costs tens of nanoseconds here. Times in seconds. */
void wr_times(struct wr *w, const char *key, const int64_t *t, size_t n);
void wr_nums(struct wr *w, const char *key, const double *v, size_t n);

/* A parsed value once more; small: members' names begin with a small letter. */
void json_tell(struct json_out *o, const char *key, const struct json *v, bool small);

void wr_xml_text(struct buf *b, const char *s); /* escaped */

#endif
