/* The table of service kinds: a new one is one file kind_x.c and one row here. */
#ifndef AWS_KIND_H
#define AWS_KIND_H

#include "aws/found.h"
#include "aws/op.h"
#include "core/model/kind.h"

/* What it holds until it expires: who loses time, loses this (engine/loss.c). */
enum keeps { KEEPS_NOTHING, KEEPS_MESSAGES, KEEPS_RECORDS };

struct kind {
	struct kind_info info;
	const char *arn_service;   /* third field of its ARNs: sqs, kinesis, lambda */
	const char *arn_prefix;    /* what stands before the name in their last field: "", "stream/", "function:" */
	const struct op *list;     /* struct list_in -> struct found */
	const struct op *describe; /* struct describe_in -> struct found; NULL when list tells everything */
	const struct op *edges;    /* struct list_in -> struct found (edges only); NULL when there is none */
	const struct op *write;    /* what --mode operate may do to one by its name (engine/iam.c); NULL when nothing */
	const struct op *sources;  /* struct sources_in -> struct found: who puts failures into one; NULL when none can be asked */
	const struct op *parts;    /* struct parts_in -> struct found: what one consists of; NULL when of nothing */
	const char *cfn_type;      /* CloudFormation's word for it: AWS::SQS::Queue */
	enum keeps keeps;
};

#define KINDS(X)                                                                                                       \
	X(kinesis)                                                                                                         \
	X(sqs)                                                                                                             \
	X(lambda)

#define X(id) extern const struct kind kind_##id;
KINDS(X)
#undef X

extern const struct kind *const kinds[];
extern const unsigned nkinds;
const struct kind *kind_find(const char *id); /* NULL when unknown */
const struct kind *
kind_of_arn(const char *arn,
            const char **name); /* name: within arn; NULL when no kind of ours, or a part of one (alias, consumer) */

#endif
