/* Draws the account's pipelines from facts that others fetched: every edge has the rule that proves it. Pure. */
#ifndef PIPELINE_DISCOVER_H
#define PIPELINE_DISCOVER_H

#include "core/model/flow.h"
#include "core/model/relation.h"
#include "core/model/snapshot.h"

/* One row a rule; the numbers are the public ones of the manual and stay.
 *  X(number, ID, edge's kind, strength, operation, field, function) */
#define RULES(X)                                                                                                       \
	X(1, MAPPING, "mapping", "configured", "lambda:ListEventSourceMappings", "EventSourceArn", rule_mapping)           \
	X(2, ON_FAILURE, "on_failure", "configured", "lambda:ListEventSourceMappings",                                     \
	  "DestinationConfig.OnFailure.Destination", rule_on_failure)                                                      \
	X(3, REDRIVE, "dlq", "configured", "sqs:GetQueueAttributes", "RedrivePolicy.deadLetterTargetArn", rule_redrive)    \
	X(4, SOURCES, "dlq", "configured", "sqs:ListDeadLetterSourceQueues", "queueUrls", rule_sources)

struct flow_resource {              /* one that a list named; strings borrowed for the call */
	const char *kind, *name, *arn;  /* arn NULL: not known */
	const struct fact *facts;       /* as in a row: retention_s, timeout_s, dlq ... */
	unsigned nfacts;
	const char *pipeline;           /* which the configuration puts it in; NULL: none */
	bool member;                    /* of the group asked for */
};

struct flow_facts {
	const struct flow_resource *resources;
	unsigned nresources;
	const struct relation *relations;
	unsigned nrelations;
	bool mappings_known;            /* all event source mappings were read: what none names has no consumer among them */
	const char *const *asked;       /* ARNs of the dead-letter queues whose sources were all told, sorted */
	unsigned nasked;
	const char *group;              /* a stack or a tag: its members are the one pipeline, their neighbours stay to be seen; NULL */
};

struct flow_graph *discover_flow(const struct flow_facts *f);

#endif
