/* What discovery answers say, in one form for every service. Grows page by page inside one arena; strings live in it. */
#ifndef AWS_FOUND_H
#define AWS_FOUND_H

#include "aws/op.h"
#include "core/arena.h"
#include "core/model/relation.h"
#include "core/model/snapshot.h"

struct found_res {
	const char *name, *arn, *handle;
}; /* handle: what describe needs (queue URL); arn may be NULL before describe */
struct found_fact {
	const char *res;
	const char *key, *value;
}; /* res = the resource's name */
struct found_value {
	const char *res;
	const char *key;
	double v;
}; /* a FROM_DIRECT metric's reading */

struct found {
	struct page page;
	struct arena mem;
	struct found_res *res;
	unsigned nres, cres;
	struct found_fact *facts;
	unsigned nfacts, cfacts;
	struct found_value *values;
	unsigned nvalues, cvalues;
	struct relation *edges;
	unsigned nedges, cedges;
};
void found_init(struct found *f);
void found_clear(struct found *f);
void found_add(struct found *f, const char *name, const char *arn, const char *handle);
void found_fact(struct found *f, const char *res, const char *key, const char *value);
void found_value(struct found *f, const char *res, const char *key, double v);
/* Copies the strings of *r, which name ARNs. */
void found_edge(struct found *f, const struct relation *r);

struct list_in {
	struct page page;
}; /* of every list operation below */
struct describe_in {
	const char *name, *handle;
}; /* of every describe operation below; not paged */
struct parts_in {
	struct page page;
	const char *name;
}; /* of an operation that lists what one resource consists of */
struct sources_in {
	struct page page;
	const char *handle;
}; /* of an operation that lists what puts its failures into one resource: each as found_add(name, NULL, handle) */

#endif
