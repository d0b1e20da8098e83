/* Small JSON documents as a tree, and a writer. The only user of cJSON: every text passes scan_valid first; strings with
 * \u0000 and duplicate keys are refused, and so is by json_int what is beyond 2^53 - 1 (a double cannot tell 2^53 from
 * 2^53 + 1; ids stay strings). What is written with a fraction or an exponent counts as the nearest double. Also refused,
 * as cJSON cannot hold them: unpaired surrogates and, by some of its versions, numbers of more than 63 characters.
 * A struct json is borrowed from its document; nothing of it may outlive json_free. */
#ifndef CORE_JSON_H
#define CORE_JSON_H

#include "core/buf.h"
#include "core/err.h"

#include <stdbool.h>
#include <stdint.h>

struct json;                                                   /* a node; the root is the document */
/* A value takes up to 100 bytes beside its text. The largest page that AWS's limits allow an answer of ours (500 metrics of 30
 * dimensions) has 50,000. */
#define JSON_VALUES 100000
struct json *json_parse(struct span text, struct err *e);      /* NULL and BADREPLY when it is not strict JSON; LIMIT beyond JSON_VALUES */
void json_free(struct json *root);
void json_wipe(struct json *root);                             /* frees; first wipes every string's value: there were secrets */

/* NULL-tolerant: a NULL node has no members, no elements and no value. Absent, null and [] are all empty. */
const struct json *json_get(const struct json *object, const char *key);
const struct json *json_first(const struct json *array_or_object);
const struct json *json_next(const struct json *element);
const char *json_key(const struct json *member);               /* name of an object's member */
bool json_is_object(const struct json *n);
bool json_is_array(const struct json *n);
bool json_is_null(const struct json *n);                       /* also when there is no node */
const char *json_str(const struct json *n);                    /* NULL unless a string */
const char *json_get_str(const struct json *object, const char *key);
bool json_num(const struct json *n, double *v);                /* a number only */
bool json_int(const struct json *n, int64_t *v);
bool json_bool(const struct json *n, bool *v);
/* A number or a numeric string (SQS writes every attribute as a string). */
bool json_loose_int(const struct json *n, int64_t *v);
/* An instant in milliseconds: epoch seconds as integer or fraction, or an ISO 8601 string (peers differ). */
bool json_time_ms(const struct json *n, int64_t *t_ms);

/* The writer: strict, no spaces, keys in the order written, commas by itself. Strings are written so that no unsafe
 * character (text.h) leaves raw: it is escaped as \uXXXX (a pair beyond the BMP); a byte that is not UTF-8 becomes
 * <0xFF>. One document an init. After a call that would make bad JSON (no key in an object, a key in an array, a second
 * root, an end that ends nothing, more than SCAN_DEPTH levels) or found the buf full, ok is false and nothing more is
 * written. The text is whole when ok and done. */
struct json_out { struct buf *b; unsigned depth; uint64_t comma, object; bool ok, done, lines; };
void json_out_init(struct json_out *o, struct buf *b);
void json_out_lines(struct json_out *o, struct buf *b);        /* the same for people: a member a line, indented */
void json_out_object(struct json_out *o, const char *key);     /* key NULL at the root and inside arrays */
void json_out_object_end(struct json_out *o);
void json_out_array(struct json_out *o, const char *key);
void json_out_array_end(struct json_out *o);
void json_out_str(struct json_out *o, const char *key, const char *value);      /* NULL value writes null */
void json_out_span(struct json_out *o, const char *key, struct span value);
void json_out_num(struct json_out *o, const char *key, double value);           /* NAN and infinities write null */
void json_out_int(struct json_out *o, const char *key, int64_t value);
void json_out_bool(struct json_out *o, const char *key, bool value);
void json_out_null(struct json_out *o, const char *key);
void json_out_time(struct json_out *o, const char *key, int64_t t);             /* RFC 3339; t <= 0 writes null */
void json_out_node(struct json_out *o, const char *key, const struct json *n);  /* a whole value as it was read; no node writes null */

#endif
