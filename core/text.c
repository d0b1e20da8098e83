#include "core/text.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <utf8proc.h>

/* ---- code points ---- */

static bool is_tail(unsigned char c)
{
	return (c & 0xC0) == 0x80;
}

/* Length by the first byte, and the bounds of the second that keep out overlong forms, surrogates and what is too large. */
static unsigned lead(unsigned char c, unsigned char *low, unsigned char *high)
{
	*low = 0x80, *high = 0xBF;
	if (c >= 0xC2 && c <= 0xDF)
		return 2;
	if (c >= 0xE0 && c <= 0xEF) {
		if (c == 0xE0)
			*low = 0xA0;
		if (c == 0xED)
			*high = 0x9F;
		return 3;
	}
	if (c >= 0xF0 && c <= 0xF4) {
		if (c == 0xF0)
			*low = 0x90;
		if (c == 0xF4)
			*high = 0x8F;
		return 4;
	}
	return 0;
}

unsigned text_decode(const char *s, size_t n, uint32_t *cp)
{
	const unsigned char *u = (const unsigned char *)s;
	if (u[0] < 0x80) {
		*cp = u[0];
		return 1;
	}
	unsigned char low, high;
	unsigned len = lead(u[0], &low, &high);
	if (len == 0 || n < len || u[1] < low || u[1] > high)
		return 0;
	uint32_t c = u[0] & (0x7Fu >> len);
	for (unsigned i = 1; i < len; i++) {
		if (!is_tail(u[i]))
			return 0;
		c = c << 6 | (u[i] & 0x3Fu);
	}
	*cp = c;
	return len;
}

unsigned text_encode(uint32_t cp, char out[4])
{
	if (cp < 0x80) {
		out[0] = (char)cp;
		return 1;
	}
	if (cp < 0x800) {
		out[0] = (char)(0xC0 | cp >> 6);
		out[1] = (char)(0x80 | (cp & 0x3F));
		return 2;
	}
	if (cp < 0x10000) {
		if (cp >= 0xD800 && cp <= 0xDFFF)
			return 0;
		out[0] = (char)(0xE0 | cp >> 12);
		out[1] = (char)(0x80 | (cp >> 6 & 0x3F));
		out[2] = (char)(0x80 | (cp & 0x3F));
		return 3;
	}
	if (cp > 0x10FFFF)
		return 0;
	out[0] = (char)(0xF0 | cp >> 18);
	out[1] = (char)(0x80 | (cp >> 12 & 0x3F));
	out[2] = (char)(0x80 | (cp >> 6 & 0x3F));
	out[3] = (char)(0x80 | (cp & 0x3F));
	return 4;
}

/* Letters and marks by category that nevertheless draw nothing (Default_Ignorable_Code_Point beyond Cf and Cn), and the
 * braille blank. Two names that differ only in these would look the same. */
static const struct {
	uint32_t first, last;
} invisible[] = {
	{ 0x034F, 0x034F }, { 0x115F, 0x1160 }, { 0x17B4, 0x17B5 }, { 0x180B, 0x180F },   { 0x2800, 0x2800 },
	{ 0x3164, 0x3164 }, { 0xFE00, 0xFE0F }, { 0xFFA0, 0xFFA0 }, { 0xE0000, 0xE0FFF },
};

static bool is_invisible(uint32_t cp)
{
	for (size_t i = 0; i < sizeof invisible / sizeof *invisible && cp >= invisible[i].first; i++)
		if (cp <= invisible[i].last)
			return true;
	return false;
}

bool text_is_safe(uint32_t cp)
{
	if (cp < 0x7F)
		return cp >= 0x20;
	if (cp < 0xA0 || cp > 0x10FFFF)
		return false;
	switch (utf8proc_category((utf8proc_int32_t)cp)) {
	case UTF8PROC_CATEGORY_CN:
	case UTF8PROC_CATEGORY_CC:
	case UTF8PROC_CATEGORY_CF:
	case UTF8PROC_CATEGORY_CS:
	case UTF8PROC_CATEGORY_CO:
	case UTF8PROC_CATEGORY_ZL:
	case UTF8PROC_CATEGORY_ZP: return false;
	default: return !is_invisible(cp);
	}
}

/* ---- the filter ---- */

#define MARK_MOST 10 /* <U+10FFFF> */

/* What one code point or bad byte of the input becomes: written whole or not at all. */
struct piece {
	char s[MARK_MOST + 1];
	unsigned len, used;
};

/* Bytes that stand for themselves; the bulk of all text. */
static size_t plain_run(const char *s, size_t n)
{
	size_t i = 0;
	while (i < n && s[i] >= 0x20 && s[i] < 0x7F && s[i] != '<')
		i++;
	return i;
}

static bool looks_like_mark(const char *s, size_t n)
{
	return n >= 3 && ((s[1] == 'U' && s[2] == '+') || (s[1] == '0' && s[2] == 'x'));
}

static bool is_combining(uint32_t cp)
{
	utf8proc_category_t c = utf8proc_category((utf8proc_int32_t)cp);
	return c == UTF8PROC_CATEGORY_MN || c == UTF8PROC_CATEGORY_MC || c == UTF8PROC_CATEGORY_ME;
}

/* `first`: a combining mark that opens a text would settle on whatever stands left of the field, so it is shown as a mark. */
static struct piece next_piece(const char *s, size_t n, bool first)
{
	struct piece p = { .used = 1 };
	uint32_t cp;
	unsigned len = text_decode(s, n, &cp);
	if (len == 0) {
		p.len = (unsigned)snprintf(p.s, sizeof p.s, "<0x%02X>", (unsigned char)s[0]);
		return p;
	}
	p.used = len;
	bool raw = cp == '<' ? !looks_like_mark(s, n) : text_is_safe(cp) && !(first && cp >= 0x300 && is_combining(cp));
	if (raw) {
		memcpy(p.s, s, len);
		p.len = len;
	} else {
		p.len = (unsigned)snprintf(p.s, sizeof p.s, "<U+%04" PRIX32 ">", cp);
	}
	return p;
}

/* As much of a plain run as fits, so that a cap cuts the text where it is reached and not a run earlier. */
static bool add_run(struct buf *out, const char *s, size_t n)
{
	size_t room = out->full ? 0 : out->max - out->n;
	return n <= room ? buf_add(out, s, n) : buf_add(out, s, room) && buf_add(out, s + room, n - room);
}

bool text_visible(struct buf *out, struct span in)
{
	bool ok = !out->full;
	for (size_t i = 0; ok && i < in.n;) {
		size_t run = plain_run(in.p + i, in.n - i);
		if (run) {
			ok = add_run(out, in.p + i, run);
			i += run;
			continue;
		}
		struct piece p = next_piece(in.p + i, in.n - i, i == 0);
		ok = buf_add(out, p.s, p.len);
		i += p.used;
	}
	return ok;
}

char *text_visible_to(char *out, size_t size, const char *in)
{
	size_t n = in ? strlen(in) : 0, o = 0;
	if (size == 0)
		return out;
	for (size_t i = 0; i < n && o + 1 < size;) {
		size_t run = plain_run(in + i, n - i < size - o - 1 ? n - i : size - o - 1);
		if (run) {
			memcpy(out + o, in + i, run);
			o += run;
			i += run;
			continue;
		}
		struct piece p = next_piece(in + i, n - i, i == 0);
		if (p.len >= size - o)
			break;
		memcpy(out + o, p.s, p.len);
		o += p.len;
		i += p.used;
	}
	out[o] = '\0';
	return out;
}

/* Upper-case hexadecimal, least to most digits, closed by '>'. Returns the number of digits or 0. */
static unsigned mark_hex(const char *s, size_t n, unsigned least, unsigned most, uint32_t *v)
{
	*v = 0;
	for (unsigned i = 0; i < n && i <= most; i++) {
		char c = s[i];
		if (c == '>')
			return i >= least ? i : 0;
		if (c >= '0' && c <= '9')
			*v = *v << 4 | (uint32_t)(c - '0');
		else if (c >= 'A' && c <= 'F')
			*v = *v << 4 | (uint32_t)(c - 'A' + 10);
		else
			return 0;
	}
	return 0;
}

/* Reads a mark at s[0] == '<'. Not a mark (text that never passed the filter): used is 0. */
static struct piece read_mark(const char *s, size_t n)
{
	struct piece p = { .used = 0 };
	uint32_t v;
	if (!looks_like_mark(s, n))
		return p;
	bool byte = s[1] == '0';
	unsigned digits = mark_hex(s + 3, n - 3, byte ? 2 : 4, byte ? 2 : 6, &v);
	if (digits == 0)
		return p;
	if (byte) {
		p.s[0] = (char)v;
		p.len = 1;
	} else {
		p.len = text_encode(v, p.s);
	}
	p.used = p.len ? digits + 4 : 0;
	return p;
}

bool text_unescape(struct buf *out, struct span in)
{
	for (size_t i = 0; i < in.n;) {
		const char *lt = memchr(in.p + i, '<', in.n - i);
		size_t run = lt ? (size_t)(lt - in.p) - i : in.n - i;
		if (run && !buf_add(out, in.p + i, run))
			return false;
		i += run;
		if (!lt)
			break;
		struct piece p = read_mark(lt, in.n - i);
		if (!(p.used ? buf_add(out, p.s, p.len) : buf_addc(out, '<')))
			return false;
		i += p.used ? p.used : 1;
	}
	return true;
}

/* ---- display ---- */

/* utf8proc counts by the Unicode data alone; curses and terminals count by wcwidth. Where the two are known to part (spacing
 * marks, conjoining jamo, hexagrams) a cell miscounted here would shift the rest of the line. */
static unsigned cell_width(uint32_t cp)
{
	if ((cp >= 0x1160 && cp <= 0x11FF) || (cp >= 0xD7B0 && cp <= 0xD7FB))
		return 0;
	if ((cp >= 0x3248 && cp <= 0x324F) || (cp >= 0x4DC0 && cp <= 0x4DFF))
		return 2;
	int w = utf8proc_charwidth((utf8proc_int32_t)cp);
	if (w == 0 && utf8proc_category((utf8proc_int32_t)cp) == UTF8PROC_CATEGORY_MC)
		return 1;
	return w > 0 ? (unsigned)w : 0;
}

static bool is_ascii(char c)
{
	return (unsigned char)c < 0x80;
}

unsigned text_width(struct span s)
{
	unsigned width = 0;
	for (size_t i = 0; i < s.n;) {
		uint32_t cp;
		unsigned len = is_ascii(s.p[i]) ? 1 : text_decode(s.p + i, s.n - i, &cp);
		width += len <= 1 ? 1 : cell_width(cp);
		i += len ? len : 1;
	}
	return width;
}

/* The grapheme cluster at s: its length and width. A byte that is not UTF-8 counts as a cluster of one cell. */
static size_t next_cluster(const char *s, size_t n, unsigned *width)
{
	*width = 1;
	if (is_ascii(s[0]) && (n == 1 || is_ascii(s[1])))
		return 1;
	uint32_t cp, next;
	size_t at = text_decode(s, n, &cp);
	if (at == 0)
		return 1;
	*width = is_ascii(s[0]) ? 1 : cell_width(cp);
	utf8proc_int32_t state = 0;
	while (at < n) {
		unsigned len = text_decode(s + at, n - at, &next);
		if (len == 0 || utf8proc_grapheme_break_stateful((utf8proc_int32_t)cp, (utf8proc_int32_t)next, &state))
			break;
		*width += cell_width(next);
		at += len;
		cp = next;
	}
	return at;
}

struct span text_clip(struct span s, unsigned cells, unsigned *used)
{
	size_t at = 0;
	unsigned total = 0;
	while (at < s.n) {
		unsigned width;
		size_t len = next_cluster(s.p + at, s.n - at, &width);
		if (width > cells - total)
			break;
		total += width;
		at += len;
	}
	if (used)
		*used = total;
	return (struct span){ s.p, at };
}

void text_shorten(struct buf *out, struct span s, unsigned cells, bool unicode)
{
	unsigned total = text_width(s), used;
	if (total <= cells) {
		buf_addspan(out, s);
		return;
	}
	if (cells == 0)
		return;
	struct span head = text_clip(s, cells / 2, &used);
	size_t at = head.n;
	unsigned room = cells - 1 - used, left = total - used;
	while (left > room) {
		unsigned width;
		at += next_cluster(s.p + at, s.n - at, &width);
		left -= width;
	}
	buf_addspan(out, head);
	buf_adds(out, unicode ? "\xE2\x80\xA6" : "~");
	buf_add(out, s.p + at, s.n - at);
}

/* ---- numbers ---- */

/* "%.0e" without the '+' and the zeros that fill the exponent up to two digits: 4e-5, 1e21. */
static void put_power(double a, char out[TEXT_NUM])
{
	char s[TEXT_NUM];
	snprintf(s, sizeof s, "%.0e", a);
	char *e = strchr(s, 'e');
	long power = e ? strtol(e + 1, NULL, 10) : 0;
	snprintf(out, TEXT_NUM, "%ce%ld", s[0], power);
}

static void put_scaled(double a, char out[TEXT_NUM])
{
	double v = a;
	for (const char *unit = "kMGTPE"; *unit; unit++) {
		v /= 1000;
		if (v < 999.5) {
			snprintf(out, TEXT_NUM, v < 99.95 ? "%.1f%c" : "%.0f%c", v, *unit);
			return;
		}
	}
	put_power(a, out);
}

/* At most five cells, so that a sign still fits. Each limit is where the rounded text would grow by a digit. */
static void put_magnitude(double a, char out[TEXT_NUM])
{
	if (a < 9.5e-100)
		snprintf(out, TEXT_NUM, "0");
	else if (a < 0.001)
		put_power(a, out);
	else if (a < 0.095)
		snprintf(out, TEXT_NUM, "%.1g", a);
	else if (a < 99.95)
		snprintf(out, TEXT_NUM, a == floor(a) ? "%.0f" : "%.1f", a);
	else if (a < 999.5)
		snprintf(out, TEXT_NUM, "%.0f", a);
	else if (a < 9999.5)
		snprintf(out, TEXT_NUM, "%u,%03u", (unsigned)lround(a) / 1000 % 10, (unsigned)lround(a) % 1000);
	else
		put_scaled(a, out);
}

void text_number(double v, char out[TEXT_NUM])
{
	if (!isfinite(v)) {
		snprintf(out, TEXT_NUM, "%s", isnan(v) ? "-" : v > 0 ? "inf" : "-inf");
		return;
	}
	char s[TEXT_NUM];
	put_magnitude(fabs(v), s);
	snprintf(out, TEXT_NUM, "%s%.14s", v < 0 && strcmp(s, "0") != 0 ? "-" : "", s);
}

void text_exact(double v, char out[32])
{
	out[0] = '\0';
	if (isnan(v))
		return;
	for (int digits = 15; digits <= 17; digits++) {
		snprintf(out, 32, "%.*g", digits, v);
		double back = strtod(out, NULL);
		if (memcmp(&back, &v, sizeof v) == 0)
			return;
	}
}

void text_duration(int64_t seconds, char out[TEXT_NUM])
{
	const char *sign = seconds < 0 ? "-" : "";
	uint64_t s = seconds < 0 ? 0 - (uint64_t)seconds : (uint64_t)seconds;
	uint64_t minutes = s / 60, hours = s / 3600, days = s / 86400;
	if (s < 60)
		snprintf(out, TEXT_NUM, "%s%" PRIu64 "s", sign, s);
	else if (hours == 0)
		snprintf(out, TEXT_NUM, "%s%" PRIu64 "m", sign, minutes);
	else if (days == 0)
		snprintf(out, TEXT_NUM, "%s%" PRIu64 "h%02" PRIu64 "m", sign, hours, minutes % 60);
	else if (days < 10)
		snprintf(out, TEXT_NUM, "%s%" PRIu64 "d%02" PRIu64 "h", sign, days, hours % 24);
	else if (days < 10000)
		snprintf(out, TEXT_NUM, "%s%" PRIu64 "d", sign, days);
	else
		snprintf(out, TEXT_NUM, "%s%" PRIu64 "y", sign, days / 365 % 1000000000000);
}

void text_brief(double v, char out[TEXT_NUM])
{
	static const char suffixes[] = " kMGTPE";
	double a = fabs(v);
	unsigned power = 0;
	if (!isfinite(v)) {
		text_number(v, out);
		return;
	}
	const char *sign = v < 0 ? "-" : "";
	for (double most = 999.5; a >= most && power < sizeof suffixes - 1; power++)
		a /= 1000;
	if (power == sizeof suffixes - 1)
		snprintf(out, TEXT_NUM, "%s1e%d", sign, (int)floor(log10(fabs(v))));
	else if (power)
		snprintf(out, TEXT_NUM, "%s%.0f%c", sign, a, suffixes[power]);
	else if (a >= 0.95 || a == 0)
		snprintf(out, TEXT_NUM, "%s%.0f", a == 0 ? "" : sign, a);
	else if (a < 0.0005)
		snprintf(out, TEXT_NUM, "<.001");
	else
		snprintf(out, TEXT_NUM, "%s.%03.0f", sign, a * 1000);
}

void text_duration_brief(int64_t seconds, char out[TEXT_NUM])
{
	static const struct {
		int64_t size, until;
		char unit;
	} units[] = { { 1, 60, 's' }, { 60, 3600, 'm' }, { 3600, 86400, 'h' }, { 86400, 1000 * 86400LL, 'd' } };
	char n[TEXT_NUM];
	for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
		if (seconds <= -units[i].until || seconds >= units[i].until)
			continue;
		snprintf(out, TEXT_NUM, "%d%c", (int)(seconds / units[i].size), units[i].unit);
		return;
	}
	text_brief((double)seconds / (365.0 * 86400), n);
	snprintf(out, TEXT_NUM, "%.13sy", n);
}

/* A small share must not look like none: 0 is written for 0 only. */
void text_percent(double v, char out[TEXT_NUM])
{
	double a = fabs(v);
	if (!(a < 99.95) || v == 0 || (v < 0 && a < 0.005))
		text_number(v, out);
	else if (a < 0.005)
		snprintf(out, TEXT_NUM, "<0.01");
	else
		snprintf(out, TEXT_NUM, a < 0.095 ? "%.2f" : "%.1f", v);
}
