#include "tui/chart.h"

#include "core/mem.h"
#include "core/text.h"
#include "tui/glyph.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define T0 1795402800 /* 2026-11-23T03:00:00Z */

static struct canvas canvas;

static const char *drawn(int rows, int cols, int h, int w, unsigned level, const struct chart *ch)
{
	static struct buf out;
	canvas_clear(&canvas);
	canvas_init(&canvas, level > GLYPH_ASCII);
	canvas_size(&canvas, rows, cols);
	chart_draw(&canvas, 0, 0, h, w, level, ch);
	buf_clear(&out);
	buf_init(&out, 1 << 20);
	canvas_text(&canvas, &out);
	return out.p ? out.p : "";
}

static bool blank(int y, int x)
{
	return canvas.cell[y * canvas.cols + x].s[0] == ' ';
}

static void test_top_is_round_and_above(void **state)
{
	(void)state;
	static const struct {
		double most;
		enum unit unit;
		double top;
	} cases[] = {
		{ 7.8, UNIT_PERCENT, 8 },         { 99, UNIT_PERCENT, 100 },  { 0, UNIT_COUNT, 1 },
		{ NAN, UNIT_COUNT, 1 },           { 1291, UNIT_COUNT, 2000 }, { 22140, UNIT_SECONDS, 43200 },
		{ 14, UNIT_SECONDS, 20 },         { 0.4, UNIT_SECONDS, 0.4 }, { 22140000, UNIT_MILLISECONDS, 43200000 },
		{ 81.3, UNIT_MILLISECONDS, 100 }, { 1, UNIT_COUNT, 1 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_true(fabs(chart_top(cases[i].most, cases[i].unit) - cases[i].top) < 1e-9 * cases[i].top);
	srand(7);
	for (int i = 0; i < 20000; i++) {
		double most = pow(10, (double)(rand() % 1200) / 100 - 3);
		enum unit unit = (enum unit)(rand() % 6);
		double top = chart_top(most, unit);
		assert_true(top >= most * (1 - 1e-9) && top <= most * 15);
	}
}

static void test_labels_carry_their_unit_and_fit(void **state)
{
	(void)state;
	char s[16];
	static const struct {
		double v;
		enum unit unit;
		const char *text;
	} cases[] = {
		{ 22140, UNIT_SECONDS, "6h09m" },         { 0.5, UNIT_SECONDS, "0.5s" }, { 81.3, UNIT_MILLISECONDS, "81.3ms" },
		{ 22140000, UNIT_MILLISECONDS, "6h09m" }, { 7.8, UNIT_PERCENT, "7.8%" }, { 1291, UNIT_COUNT, "1,291" },
		{ 1.25e9, UNIT_BYTES, "1.2GB" },          { NAN, UNIT_SECONDS, "-" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		chart_label(cases[i].v, cases[i].unit, s);
		assert_string_equal(s, cases[i].text);
	}
	for (int i = 0; i < 20000; i++) {
		double v = pow(10, (double)(rand() % 1400) / 100 - 3);
		enum unit unit = (enum unit)(rand() % 6);
		chart_label(chart_top(v, unit), unit, s);
		assert_true(strlen(s) < CHART_LABEL);
	}
}

static void test_gap_is_a_gap_and_zero_is_not(void **state)
{
	(void)state;
	double v[40];
	for (int i = 0; i < 40; i++)
		v[i] = i < 10 ? 5 : i < 20 ? NAN : i < 30 ? 0 : 5;
	struct chart ch = { .from = T0, .to = T0 + 40 * 60, .step = 60, .n = 40, .v = v, .unit = UNIT_COUNT };
	for (unsigned level = GLYPH_ASCII; level <= GLYPH_BRAILLE; level++) {
		drawn(8, 47, 8, 47, level, &ch); /* 40 cells: one a point */
		for (int x = 0; x < 40; x++) {
			bool any = false;
			for (int y = 0; y < 7; y++)
				any = any || !blank(y, CHART_LABEL + x);
			assert_int_equal(any, x < 10 || x >= 20);
		}
		assert_false(blank(6, CHART_LABEL + 25)); /* zero stands on the bottom row */
		for (int y = 0; y < 6; y++)
			assert_true(blank(y, CHART_LABEL + 25));
	}
}

static void test_lone_point_is_drawn(void **state)
{
	(void)state;
	double v[20];
	for (int i = 0; i < 20; i++)
		v[i] = i == 7 ? 3 : NAN;
	struct chart ch = { .from = T0, .to = T0 + 20 * 60, .step = 60, .n = 20, .v = v, .unit = UNIT_COUNT };
	for (unsigned level = GLYPH_ASCII; level <= GLYPH_BRAILLE; level++) {
		drawn(6, 27, 6, 27, level, &ch);
		assert_false(blank(0, CHART_LABEL + 7));
		assert_true(blank(0, CHART_LABEL + 6) && blank(0, CHART_LABEL + 8));
	}
}

static void test_spike_survives_a_narrow_chart(void **state)
{
	(void)state;
	double v[720];
	for (int i = 0; i < 720; i++)
		v[i] = i == 345 ? 1000 : 1;
	struct chart ch = { .from = T0, .to = T0 + 720 * 60, .step = 60, .n = 720, .v = v, .unit = UNIT_COUNT };
	for (unsigned level = GLYPH_ASCII; level <= GLYPH_BRAILLE; level++) {
		drawn(8, 60, 8, 60, level, &ch);
		bool top = false;
		for (int x = CHART_LABEL; x < 60; x++)
			top = top || !blank(0, x);
		assert_true(top);
	}
}

static void test_times_stand_below_their_instant(void **state)
{
	(void)state;
	double v[60];
	for (int i = 0; i < 60; i++)
		v[i] = 1;
	struct chart ch = { .from = T0, .to = T0 + 3600, .step = 60, .n = 60, .v = v, .unit = UNIT_COUNT };
	const char *text = drawn(6, 67, 6, 67, GLYPH_ASCII, &ch);
	const char *axis = text;
	for (int i = 0; i < 5; i++)
		axis = strchr(axis, '\n') + 1;
	assert_ptr_equal(strstr(axis, "^03:00Z"), axis + CHART_LABEL);
	assert_ptr_equal(strstr(axis, "^03:15Z"), axis + CHART_LABEL + 15);
	assert_ptr_equal(strstr(axis, "^03:45Z"), axis + CHART_LABEL + 45);
}

static void test_whole_picture(void **state)
{
	(void)state;
	static const double v[] = { 0, 2, 4, 6, 8, NAN, NAN, 8, 6, 4, 2, 0 };
	struct chart ch = {
		.from = T0, .to = T0 + 12 * 60, .step = 60, .n = 12, .v = v, .unit = UNIT_PERCENT, .cursor = T0 + 5 * 60
	};
	assert_string_equal(drawn(6, 19, 6, 19, GLYPH_ASCII, &ch), "  8.0%|    *| *\n"
	                                                           "      |   * |  *\n"
	                                                           "  4.0%|  *  |   *\n"
	                                                           "      | *   |    *\n"
	                                                           "    0%|*    |     *\n"
	                                                           "       ^03:00Z\n");
	ch.cursor = 0;
	assert_string_equal(drawn(6, 19, 6, 19, GLYPH_BLOCK, &ch), "  8.0%│    █  █\n"
	                                                           "      │   ▆█  █▆\n"
	                                                           "  4.0%│  ▄██  ██▄\n"
	                                                           "      │ ▂███  ███▂\n"
	                                                           "    0%│▁████  ████▁\n"
	                                                           "       ^03:00Z\n");
}

/* Whatever the data, nothing is drawn outside the rows and columns given. */
static void test_stays_in_its_box(void **state)
{
	(void)state;
	double v[300];
	srand(11);
	for (int round = 0; round < 3000; round++) {
		unsigned n = (unsigned)(rand() % 300), level = (unsigned)(rand() % 3);
		for (unsigned i = 0; i < n; i++)
			v[i] = rand() % 5 == 0   ? NAN
			       : rand() % 9 == 0 ? -pow(10, rand() % 12)
			                         : pow(10, rand() % 14) * (rand() % 10);
		int h = rand() % 14, w = rand() % 70;
		uint32_t step = rand() % 2 ? 60 : 300;
		struct chart ch = { .from = T0,
			                .to = T0 + (int64_t)(rand() % 400) * step,
			                .step = step,
			                .n = n,
			                .v = v,
			                .unit = (enum unit)(rand() % 6),
			                .cursor = rand() % 2 ? T0 + rand() % 9000 : 0 };
		canvas_clear(&canvas);
		canvas_init(&canvas, level > GLYPH_ASCII);
		canvas_size(&canvas, 20, 80);
		chart_draw(&canvas, 3, 5, h, w, level, &ch);
		for (int y = 0; y < 20; y++)
			for (int x = 0; x < 80; x++)
				assert_true((y >= 3 && y < 3 + h && x >= 5 && x < 5 + w) || blank(y, x));
	}
}

static void test_point_at(void **state)
{
	(void)state;
	static const double v[] = { 1, NAN, 3 };
	struct chart ch = { .from = T0, .to = T0 + 180, .step = 60, .n = 3, .v = v };
	assert_true(chart_at(&ch, T0) == 1 && chart_at(&ch, T0 + 59) == 1 && chart_at(&ch, T0 + 179) == 3);
	assert_true(isnan(chart_at(&ch, T0 + 60)) && isnan(chart_at(&ch, T0 - 1)) && isnan(chart_at(&ch, T0 + 180)));
	assert_int_equal(chart_cell_seconds(&ch, CHART_LABEL + 90), 60);
	ch.to = T0 + 86400;
	assert_int_equal(chart_cell_seconds(&ch, CHART_LABEL + 72), 1200);
}

static void test_sparkline_tells_gap_from_every_level(void **state)
{
	(void)state;
	static const uint8_t v[] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 255 };
	char s[SPARK_BYTES];
	spark_text(v, 10, 10, GLYPH_ASCII, s);
	assert_string_equal(s, "_-:=+*%#@.");
	spark_text(v, 10, 10, GLYPH_BRAILLE, s);
	assert_string_equal(s, "_▁▂▃▄▅▆▇█·");
	spark_text(v, 10, 3, GLYPH_ASCII, s);
	assert_string_equal(s, "#@."); /* the newest */
	uint8_t all[48];
	memset(all, 8, sizeof all);
	spark_text(all, 48, 48, GLYPH_BLOCK, s);
	assert_int_equal(text_width(span_of(s)), 48);
}

static int clear(void **state)
{
	(void)state;
	canvas_clear(&canvas);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_top_is_round_and_above),
		cmocka_unit_test(test_labels_carry_their_unit_and_fit),
		cmocka_unit_test(test_gap_is_a_gap_and_zero_is_not),
		cmocka_unit_test(test_lone_point_is_drawn),
		cmocka_unit_test(test_spike_survives_a_narrow_chart),
		cmocka_unit_test(test_times_stand_below_their_instant),
		cmocka_unit_test(test_whole_picture),
		cmocka_unit_test(test_stays_in_its_box),
		cmocka_unit_test(test_point_at),
		cmocka_unit_test(test_sparkline_tells_gap_from_every_level),
	};
	return cmocka_run_group_tests(tests, NULL, clear);
}
