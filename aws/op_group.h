/* Who belongs together by another's word: a CloudFormation stack, a tag. Grouping only: neither says who talks to whom. */
#ifndef AWS_OP_GROUP_H
#define AWS_OP_GROUP_H

#include "aws/found.h"
#include "aws/op.h"

struct group_in {
	struct page page;
	const char *stack;       /* ListStackResources: name or ARN */
	const char *key, *value; /* GetResources; value NULL: any */
};

/* CloudFormation (query). Into struct found: found_add(PHYSICAL ID, NULL, TYPE) of each resource that exists; of a queue the
 * physical id is its URL, of a stream or a function its name, of a nested stack its ARN. An unknown stack is
 * refused: 400 ValidationError, "Stack with id X does not exist". */
extern const struct op op_list_stack_resources;
#define STACK_TYPE "AWS::CloudFormation::Stack"

/* Resource groups tagging API (JSON 1.1). Into struct found: found_add(ARN, ARN, NULL). It knows only what has, or once had, a tag;
 * a tag that nothing carries is an empty list. */
extern const struct op op_get_resources;

#endif
