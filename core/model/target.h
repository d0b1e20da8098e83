/* One account and region: everything is keyed by it. */
#ifndef CORE_MODEL_TARGET_H
#define CORE_MODEL_TARGET_H

struct target {
	char partition[16];  /* aws, aws-cn, ... from the region */
	char account[16];    /* 12 digits from STS GetCallerIdentity; "" until known */
	char region[40];
	char profile[64];    /* "" when the environment's keys are used */
	char endpoint[256];  /* a custom endpoint, "" for AWS's own: shown in row 1 */
	char caller[256];    /* ARN of who is asking */
};

#define TARGET_KEY 340
/* "aws/123456789012/eu-west-1"; with a custom endpoint "...@URL": emulators share account numbers, not data. */
void target_key(const struct target *t, char out[TARGET_KEY]);

#endif
