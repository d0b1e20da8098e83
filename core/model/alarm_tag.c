/* What a tag says of who keeps an alarm. */
#include "core/model/alarm.h"

#include <string.h>
#include <strings.h>

/* Tag keys differ in case and in how words are joined: ManagedBy, managed-by, managed_by. */
void alarm_plain_key(const char *key, char out[ALARM_TAG_KEY])
{
	size_t n = 0;
	for (; *key && n < ALARM_TAG_KEY - 1; key++)
		if (*key != '-' && *key != '_' && *key != ' ')
			out[n++] = (char)(*key >= 'A' && *key <= 'Z' ? *key + 32 : *key);
	out[n] = '\0';
}

bool alarm_key_among(const char *key, const char *const *keys)
{
	for (; *keys; keys++)
		if (strcmp(key, *keys) == 0)
			return true;
	return false;
}

/* CloudFormation's own tag proves it; the others are what teams write by convention. */
enum alarm_manager alarm_manager_of(const char *raw, const char *value)
{
	char key[ALARM_TAG_KEY];
	alarm_plain_key(raw, key);
	static const char *const by[] = { "managedby", "provisioner", "provisionedby", "createdby", "deployedby",
		                              "iac",       NULL };
	if (strcmp(raw, "aws:cloudformation:stack-name") == 0 || strcmp(raw, "aws:cloudformation:stack-id") == 0)
		return ALARM_MANAGER_CLOUDFORMATION;
	if (strncmp(key, "sluice:", 7) == 0 || (alarm_key_among(key, by) && strcasecmp(value, "sluice") == 0))
		return ALARM_MANAGER_SLUICE;
	if (strncmp(key, "terraform", 9) == 0 && strcasecmp(value, "false") != 0)
		return ALARM_MANAGER_TERRAFORM;
	if (alarm_key_among(key, by) && (strcasestr(value, "terraform") || strcasestr(value, "tofu")))
		return ALARM_MANAGER_TERRAFORM;
	return ALARM_MANAGER_HAND;
}
