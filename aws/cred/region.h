/* The region where none is set: an EC2 instance is asked, as AWS's CLI does. */
#ifndef AWS_CRED_REGION_H
#define AWS_CRED_REGION_H

#include "aws/account.h"

/* On an instance, or where its role is what the chain ends at: up to two seconds, on the caller's thread. False elsewhere, at once,
 * and when it does not answer. */
bool cred_region(const struct account *a, char region[40]);

#endif
