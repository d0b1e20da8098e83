#include "tui/keys.h"

#include "core/text.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *name;
	uint32_t key;
} named[] = {
#define X(id, value, name) { name, value },
	NAMED_KEYS(X)
#undef X
};

#define NNAMED (sizeof named / sizeof *named)

uint32_t key_parse(const char *name, size_t n)
{
	for (size_t i = 0; i < NNAMED; i++)
		if (strlen(named[i].name) == n && memcmp(named[i].name, name, n) == 0)
			return named[i].key;
	if (n == 6 && memcmp(name, "Ctrl-", 5) == 0 && name[5] >= 'A' && name[5] <= 'Z')
		return K_CTRL(name[5]);
	uint32_t cp;
	return n > 0 && text_decode(name, n, &cp) == n && text_is_safe(cp) ? cp : K_NONE;
}

char *key_text(uint32_t key, char out[KEY_NAME_SIZE])
{
	snprintf(out, KEY_NAME_SIZE, "?key");
	for (size_t i = 0; i < NNAMED; i++)
		if (named[i].key == key)
			snprintf(out, KEY_NAME_SIZE, "%s", named[i].name);
	if (key > 0 && key < 27 && key != K_TAB && key != K_ENTER)
		snprintf(out, KEY_NAME_SIZE, "Ctrl-%c", (char)(key + '@'));
	else if (key > K_SPACE && key < K_UP && text_is_safe(key))
		out[text_encode(key, out)] = '\0';
	return out;
}

uint32_t key_list(const char *names, unsigned i)
{
	for (;; i--) {
		names += strspn(names, " ");
		size_t n = strcspn(names, " ");
		if (i == 0 || n == 0)
			return key_parse(names, n);
		names += n;
	}
}
