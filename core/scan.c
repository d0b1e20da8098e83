#include "core/scan.h"

#include "core/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What may come next. After a KEY its colon is already passed. */
enum state { WANT_VALUE, WANT_VALUE_OR_END, WANT_KEY_OR_END, WANT_COMMA_OR_END, WANT_NOTHING, BROKEN };

void scan_init(struct scan *s, struct span json)
{
	const char *p = json.p ? json.p : "";
	*s = (struct scan){ .p = p, .start = p, .end = p + json.n, .state = WANT_VALUE };
}

static enum scan_token fail(struct scan *s, const char *at, const char *why)
{
	s->p = at;
	s->why = why;
	s->state = BROKEN;
	return SCAN_ERROR;
}

static bool is_digit(char c)
{
	return (unsigned char)(c - '0') < 10;
}

static const char *skip_blanks(const char *p, const char *end)
{
	while (p < end && (unsigned char)*p <= ' ' && (*p == ' ' || *p == '\n' || *p == '\t' || *p == '\r'))
		p++;
	return p;
}

static bool in_object(const struct scan *s)
{
	return s->kinds >> (s->depth - 1) & 1;
}

static void value_read(struct scan *s, const char *p)
{
	s->p = p;
	s->state = s->depth ? WANT_COMMA_OR_END : WANT_NOTHING;
}

/* ---- strings */

#define ALL(byte) (0x0101010101010101u * (byte))

/* Passes the bytes that mean themselves in a string: ASCII from blank on, but for '"' and '\'. Eight at a time: a byte is
 * special when its top bit comes up in one of the four sums (a borrow can only cross upwards from a special byte). */
static const char *plain_run(const char *p, const char *end)
{
	for (; end - p >= 8; p += 8) {
		uint64_t x;
		memcpy(&x, p, sizeof x);
		uint64_t quote = x ^ ALL('"'), slash = x ^ ALL('\\');
		if ((x | (x - ALL(0x20)) | (quote - ALL(1)) | (slash - ALL(1))) & ALL(0x80))
			break;
	}
	while (p < end && (unsigned char)(*p - ' ') < 0x60 && *p != '"' && *p != '\\')
		p++;
	return p;
}

static int hex_value(char c)
{
	if (is_digit(c))
		return c - '0';
	c = (char)(c | 0x20);
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The four digits after \u; -1 when they are not four. */
static int32_t hex4(const char *p, const char *end)
{
	int32_t v = 0;
	if (end - p < 4)
		return -1;
	for (unsigned i = 0; i < 4; i++) {
		int d = hex_value(p[i]);
		if (d < 0)
			return -1;
		v = v << 4 | d;
	}
	return v;
}

static unsigned escape_length(const char *p, const char *end)
{
	if (end - p < 2)
		return 0;
	switch (p[1]) {
	case '"':
	case '\\':
	case '/':
	case 'b':
	case 'f':
	case 'n':
	case 'r':
	case 't': return 2;
	case 'u': return hex4(p + 2, end) < 0 ? 0 : 6;
	default: return 0;
	}
}

/* p is after the opening quote. Leaves s->p after the closing one. */
static __attribute__((noinline)) bool string(struct scan *s, const char *p)
{
	const char *begin = p;
	s->escaped = false;
	for (;;) {
		p = plain_run(p, s->end);
		if (p == s->end) {
			fail(s, p, "the text ends inside a string");
			return false;
		}
		if (*p == '"')
			break;
		unsigned n;
		uint32_t cp;
		if (*p == '\\') {
			s->escaped = true;
			n = escape_length(p, s->end);
		} else {
			n = (unsigned char)*p < ' ' ? 0 : text_decode(p, (size_t)(s->end - p), &cp);
		}
		if (n == 0) {
			fail(s, p,
			     *p == '\\'                ? "bad escape"
			     : (unsigned char)*p < ' ' ? "control character in a string"
			                               : "not UTF-8");
			return false;
		}
		p += n;
	}
	s->text = (struct span){ begin, (size_t)(p - begin) };
	s->p = p + 1;
	return true;
}

static enum scan_token key(struct scan *s, const char *p)
{
	if (p == s->end || *p != '"')
		return fail(s, p, "a key was expected");
	if (!string(s, p + 1))
		return SCAN_ERROR;
	p = skip_blanks(s->p, s->end);
	if (p == s->end || *p != ':')
		return fail(s, p, "':' was expected");
	s->p = p + 1;
	s->state = WANT_VALUE;
	return SCAN_KEY;
}

/* ---- numbers */

#define DIGITS_MAX 19        /* as many always fit 64 bits */
#define EXP_CLAMP 1000000000 /* far beyond any double, and beyond what a text's own length can make up for */

/* Where a run of digits ends, and their value: it wraps when they are too many, so the caller counts them. */
struct run {
	const char *end;
	uint64_t v;
};

static uint64_t eight_digits(uint64_t x) /* the first in the lowest byte, each 0..9: made pairs of, then all */
{
	x = x * 10 + (x >> 8);
	return ((x & 0x000000ff000000ff) * 0x000f424000000064 + (x >> 16 & 0x000000ff000000ff) * 0x0000271000000001) >> 32;
}

/* Appends the digits at p to v. Eight at a time, what follows them shifted out: a branch a digit would be guessed wrong once a
 * number, which costs more than all else here. */
static inline struct run digits(const char *p, const char *end, uint64_t v)
{
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	static const uint64_t power[] = { 1, 10, 100, 1000, 10000, 100000, 1000000, 10000000 };
	for (; end - p >= 8; p += 8) {
		uint64_t x;
		memcpy(&x, p, sizeof x);
		x ^= ALL('0');
		uint64_t other = (x | (x + ALL(0x76))) & ALL(0x80);
		if (other) {
			unsigned bit = (unsigned)__builtin_ctzll(other), n = bit / 8;
			x = x << (bit ^ 63) << 8;
			return (struct run){ p + n, v * power[n] + eight_digits(x) };
		}
		v = v * 100000000 + eight_digits(x);
	}
#endif
	for (; p < end && is_digit(*p); p++)
		v = v * 10 + (uint64_t)(*p - '0');
	return (struct run){ p, v };
}

static int64_t exponent(const char *p, const char *end)
{
	bool negative = p < end && *p == '-';
	int64_t v = 0;
	for (p += p < end && !is_digit(*p); p < end; p++)
		if (v < EXP_CLAMP)
			v = v * 10 + (*p - '0');
	return negative ? -v : v;
}

/* p is after the 'e'. NULL after an error. */
static const char *exponent_part(struct scan *s, const char *p)
{
	const char *begin = p;
	if (p < s->end && (*p == '+' || *p == '-'))
		p++;
	const char *from = p;
	while (p < s->end && is_digit(*p))
		p++;
	if (p == from) {
		fail(s, p, "a digit was expected in the exponent");
		return NULL;
	}
	s->exp10 += exponent(begin, p);
	return p;
}

/* The value is taken up on the way: it is s->digits x 10^s->exp10 unless there were too many digits for that. */
static __attribute__((noinline)) enum scan_token number(struct scan *s, const char *begin)
{
	const char *end = s->end, *from = begin + (*begin == '-');
	if (from == end || !is_digit(*from))
		return fail(s, from, "a digit was expected");
	struct run r = *from == '0' ? (struct run){ from + 1, 0 } : digits(from, end, 0);
	const char *p = r.end;
	size_t n = (size_t)(p - from);
	s->exp10 = 0;
	if (p < end && *p == '.') {
		from = p + 1;
		r = digits(from, end, r.v);
		p = r.end;
		if (p == from)
			return fail(s, p, "a digit was expected after '.'");
		s->exp10 = from - p;
		n += (size_t)(p - from);
	}
	if (p < end && (*p | 0x20) == 'e' && !(p = exponent_part(s, p + 1)))
		return SCAN_ERROR;
	s->digits = r.v;
	s->whole = n <= DIGITS_MAX;
	s->text = (struct span){ begin, (size_t)(p - begin) };
	value_read(s, p);
	return SCAN_NUMBER;
}

#define KEEP 780

/* A number's significant digits, at most KEEP and one more. Returns how many; *exp10 is what they are to be scaled by. */
static unsigned significant(struct span t, char *out, int64_t *exp10)
{
	unsigned have = 0;
	bool fraction = false, more = false;
	const char *p = t.p + (*t.p == '-'), *end = t.p + t.n;
	for (*exp10 = 0; p < end && (is_digit(*p) || *p == '.'); p++) {
		if (*p == '.') {
			fraction = true;
		} else if (have < KEEP) {
			if (have || *p != '0')
				out[have++] = *p;
			*exp10 -= fraction;
		} else {
			more |= *p != '0';
			*exp10 += !fraction;
		}
	}
	if (p < end)
		*exp10 += exponent(p + 1, end);
	if (more) {
		out[have++] = '1';
		--*exp10;
	}
	return have;
}

/* What the quick ways below leave over: rare, so the text is laid out anew for strtod, from a bounded number of digits (the
 * midpoints of doubles have at most 767; what follows can only break a tie, which a 1 in place of the rest does as well). */
static double by_strtod(struct span t)
{
	char out[KEEP + 48];
	int64_t exp10;
	out[0] = *t.p == '-' ? '-' : '+';
	out[1] = '0';
	size_t n = 2 + significant(t, out + 2, &exp10);
	snprintf(out + n, sizeof out - n, "e%" PRId64, exp10);
	return strtod(out, NULL);
}

static const double exact_power[] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
	                                  1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

/* 16 to 19 digits, as averages have: m * 2^64 / 10^k has more than 56 bits, so the remainder folded into its lowest bit decides
 * ties and the conversion rounds once. */
#ifdef __SIZEOF_INT128__
#define WIDE_DIGITS 18
static double divide(uint64_t m, unsigned k)
{
	unsigned __int128 wide = (unsigned __int128)m << 64;
	uint64_t power = (uint64_t)exact_power[k];
	unsigned __int128 q = wide / power;
	q |= q * power != wide;
	return (double)q * 0x1p-64;
}
#else
#define WIDE_DIGITS 0
static double divide(uint64_t m, unsigned k)
{
	return (double)m / exact_power[k];
}
#endif

double scan_double(const struct scan *s)
{
	double v;
	if (!s->whole || s->exp10 < -22 || s->exp10 > 22)
		return by_strtod(s->text);
	if (s->digits <= 1ull << 53) /* Clinger: both operands are exact, so IEEE's one rounding is the right one */
		v = s->exp10 < 0 ? (double)s->digits / exact_power[-s->exp10] : (double)s->digits * exact_power[s->exp10];
	else if (s->exp10 <= 0 && s->exp10 >= -WIDE_DIGITS)
		v = divide(s->digits, (unsigned)-s->exp10);
	else
		return by_strtod(s->text);
	return *s->text.p == '-' ? -v : v;
}

/* For scan_int: the digits without the zeros that close them, when those are at most DIGITS_MAX. */
static bool cut_zeros(struct span t, uint64_t *m, int64_t *exp10)
{
	char text[KEEP + 1];
	unsigned n = significant(t, text, exp10);
	for (; n && text[n - 1] == '0'; n--)
		++*exp10;
	*m = digits(text, text + n, 0).v;
	return n <= DIGITS_MAX;
}

/* The same value with exp10 = 0; false when that is no integer or too large. */
static bool make_integer(const struct scan *s, uint64_t *m)
{
	int64_t exp10 = s->exp10;
	if (!s->whole && !cut_zeros(s->text, m, &exp10))
		return false;
	for (; exp10 < 0 && *m; exp10++) {
		if (*m % 10)
			return false;
		*m /= 10;
	}
	for (; exp10 > 0 && *m; exp10--)
		if (__builtin_mul_overflow(*m, 10u, m))
			return false;
	return true;
}

bool scan_int(const struct scan *s, int64_t *v)
{
	uint64_t m = s->digits;
	bool negative = *s->text.p == '-';
	if (!(s->whole && s->exp10 == 0) && !make_integer(s, &m))
		return false;
	if (m > (uint64_t)INT64_MAX + negative)
		return false;
	*v = negative ? (int64_t)(0 - m) : (int64_t)m;
	return true;
}

/* ---- values */

static enum scan_token word(struct scan *s, const char *p, const char *want, size_t n, enum scan_token t)
{
	if ((size_t)(s->end - p) < n || memcmp(p, want, n) != 0)
		return fail(s, p, "not a value");
	value_read(s, p + n);
	return t;
}

static enum scan_token open_level(struct scan *s, const char *p, bool object)
{
	if (s->depth == SCAN_DEPTH)
		return fail(s, p, "nested too deeply");
	uint64_t bit = 1ull << s->depth++;
	s->kinds = object ? s->kinds | bit : s->kinds & ~bit;
	s->p = p + 1;
	s->state = object ? WANT_KEY_OR_END : WANT_VALUE_OR_END;
	return object ? SCAN_OBJECT : SCAN_ARRAY;
}

static enum scan_token close_level(struct scan *s, const char *p)
{
	bool object = in_object(s);
	s->depth--;
	value_read(s, p + 1);
	return object ? SCAN_OBJECT_END : SCAN_ARRAY_END;
}

static enum scan_token value(struct scan *s, const char *p)
{
	if (p == s->end)
		return fail(s, p, "the text ends where a value was expected");
	switch (*p) {
	case '-':
	case '0' ... '9': return number(s, p);
	case '"':
		if (!string(s, p + 1))
			return SCAN_ERROR;
		value_read(s, s->p);
		return SCAN_STRING;
	case '{': return open_level(s, p, true);
	case '[': return open_level(s, p, false);
	case 't': return word(s, p, "true", 4, SCAN_TRUE);
	case 'f': return word(s, p, "false", 5, SCAN_FALSE);
	case 'n': return word(s, p, "null", 4, SCAN_NULL);
	default: return fail(s, p, "not a value");
	}
}

/* After a value: the next one of its list, or the list's end. */
static enum scan_token next_of_list(struct scan *s, const char *p)
{
	if (p < s->end && *p == ',') {
		p = skip_blanks(p + 1, s->end);
		if (in_object(s))
			return key(s, p);
		return p < s->end && is_digit(*p) ? number(s, p) : value(s, p); /* most of a long list is numbers */
	}
	if (p < s->end && *p == (in_object(s) ? '}' : ']'))
		return close_level(s, p);
	return fail(s, p, p == s->end ? "the text ends inside a list" : "',' or the end of the list was expected");
}

enum scan_token scan_next(struct scan *s)
{
	const char *p = skip_blanks(s->p, s->end);
	if (s->state == WANT_COMMA_OR_END)
		return next_of_list(s, p);
	char c = p < s->end ? *p : '\0';
	switch ((enum state)s->state) {
	case WANT_VALUE: return value(s, p);
	case WANT_VALUE_OR_END: return c == ']' ? close_level(s, p) : value(s, p);
	case WANT_KEY_OR_END: return c == '}' ? close_level(s, p) : key(s, p);
	case WANT_NOTHING: s->p = p; return p == s->end ? SCAN_END : fail(s, p, "text after the value");
	case WANT_COMMA_OR_END:
	case BROKEN: break;
	}
	return SCAN_ERROR;
}

bool scan_skip(struct scan *s)
{
	unsigned depth = s->depth;
	enum scan_token t = scan_next(s);
	if (t == SCAN_END || t == SCAN_KEY || s->depth < depth) {
		fail(s, s->p, "there is no value to skip");
		return false;
	}
	while (t != SCAN_ERROR && s->depth > depth)
		t = scan_next(s);
	return t != SCAN_ERROR;
}

/* One escape or pair of escapes at p; returns its length. */
static size_t unescape(const char *p, const char *end, char out[4], unsigned *n)
{
	static const char from[] = "bfnrt", to[] = "\b\f\n\r\t";
	if (p[1] != 'u') {
		const char *at = strchr(from, p[1]);
		out[0] = at ? to[at - from] : p[1];
		*n = 1;
		return 2;
	}
	uint32_t cp = (uint32_t)hex4(p + 2, end);
	size_t used = 6;
	if (cp >= 0xd800 && cp < 0xdc00 && end - p >= 12 && p[6] == '\\' && p[7] == 'u') {
		uint32_t low = (uint32_t)hex4(p + 8, end);
		if (low >= 0xdc00 && low < 0xe000) {
			cp = 0x10000 + ((cp - 0xd800) << 10) + (low - 0xdc00);
			used = 12;
		}
	}
	if (cp >= 0xd800 && cp < 0xe000)
		cp = 0xfffd;
	*n = text_encode(cp, out);
	return used;
}

bool scan_string(const struct scan *s, struct buf *out)
{
	const char *p = s->text.p, *end = p + s->text.n;
	size_t before = out->n;
	bool ok = s->text.n || buf_add(out, "", 0);
	while (ok && p < end) {
		const char *slash = s->escaped ? memchr(p, '\\', (size_t)(end - p)) : NULL;
		if (!slash)
			slash = end;
		ok = buf_add(out, p, (size_t)(slash - p));
		p = slash;
		if (ok && p < end) {
			char bytes[4];
			unsigned n;
			p += unescape(p, end, bytes, &n);
			ok = buf_add(out, bytes, n);
		}
	}
	if (!ok && out->n > before)
		out->p[out->n = before] = '\0';
	return ok;
}

bool scan_valid_most(struct span json, size_t most, struct err *e)
{
	struct scan s;
	enum scan_token t;
	size_t n = 0;
	scan_init(&s, json);
	do {
		t = scan_next(&s);
		n += t != SCAN_KEY && t != SCAN_OBJECT_END && t != SCAN_ARRAY_END;
	} while (t != SCAN_END && t != SCAN_ERROR && n <= most);
	if (t != SCAN_END && t != SCAN_ERROR)
		return err_set(e, ERR_LIMIT, "json", "byte %zu: more than %zu values", (size_t)(s.p - s.start), most);
	return t == SCAN_END || err_set(e, ERR_BADREPLY, "json", "byte %zu: %s", (size_t)(s.p - s.start), s.why);
}

bool scan_valid(struct span json, struct err *e)
{
	return scan_valid_most(json, SIZE_MAX, e);
}
