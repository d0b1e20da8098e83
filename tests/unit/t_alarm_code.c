/* Alarms as code: the canonical form, the file, the rules of composites, the plan. */
#include "alarms/composite.h"
#include "alarms/lint.h"
#include "alarms/recipe.h"
#include "core/mem.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* JSON with ' for ". */
static char *json_of(const char *text)
{
	char *s = xstrdup(text);
	for (char *p = s; *p; p++)
		*p = *p == '\'' ? '"' : *p;
	return s;
}

#define METRIC                                                                                                         \
	"'Namespace':'N','MetricName':'M','Statistic':'Sum','Period':60,'EvaluationPeriods':3,'Threshold':5,"              \
	"'ComparisonOperator':'GreaterThanThreshold'"

/* ---- the form */

static char *form_text(const char *body)
{
	struct arena mem;
	struct form f;
	struct err e = { 0 };
	struct buf b;
	char *text = json_of(body);
	struct json *doc = json_parse(span_of(text), &e);
	assert_non_null(doc);
	arena_init(&mem);
	buf_init(&b, 65536);
	if (!form_read(&mem, doc, &f, &e))
		buf_addf(&b, "ERROR %s", e.text);
	for (unsigned i = 0; i < f.n; i++)
		buf_addf(&b, "%s%s=%s%s", b.n ? " " : "", f.v[i].path, f.v[i].value, f.v[i].known ? "" : "?");
	form_clear(&f);
	arena_clear(&mem);
	json_free(doc);
	free(text);
	return b.n ? buf_steal(&b) : xstrdup("");
}

static void check_form(const char *body, const char *wanted)
{
	char *is = form_text(body), *want = json_of(wanted);
	assert_string_equal(is, want);
	free(is);
	free(want);
}

static void forms(void **state)
{
	(void)state;
	check_form("{'AlarmName':'A','Threshold':5.0,'EvaluationPeriods':3,'DatapointsToAlarm':3}",
	           "EvaluationPeriods=3 Threshold=5");
	check_form("{'Threshold':5e0,'EvaluationPeriods':3,'DatapointsToAlarm':2}",
	           "DatapointsToAlarm=2 EvaluationPeriods=3 Threshold=5");
	/* what is the default, null or empty is not said; what only AWS sets is no setting */
	check_form("{'ActionsEnabled':true,'TreatMissingData':'missing','OKActions':[],'Unit':null,'AlarmDescription':'',"
	           "'EvaluateLowSampleCountPercentile':'evaluate','StateValue':'OK','AlarmArn':'a','Tags':[],'//"
	           "':1,'x-sluice':{}}",
	           "");
	check_form("{'ActionsEnabled':false,'TreatMissingData':'ignore'}",
	           "ActionsEnabled=false TreatMissingData='ignore'");
	/* sets, whatever their order */
	check_form("{'AlarmActions':['b','a','b'],'Dimensions':[{'Name':'z','Value':'1'},{'Name':'a','Value':'2'}]}",
	           "AlarmActions[a]='a' AlarmActions[b]='b' Dimensions.a='2' Dimensions.z='1'");
	check_form(
	    "{'Metrics':[{'Id':'m2','Expression':'m1*2'},{'Id':'m1','ReturnData':true,'MetricStat':{'Metric':{'Namespace':'"
	    "N',"
	    "'MetricName':'M','Dimensions':[{'Name':'d','Value':'v'}]},'Period':60,'Stat':'p99'}}]}",
	    "Metrics.m1.MetricStat.Metric.Dimensions.d='v' Metrics.m1.MetricStat.Metric.MetricName='M' "
	    "Metrics.m1.MetricStat.Metric.Namespace='N' Metrics.m1.MetricStat.Period=60 Metrics.m1.MetricStat.Stat='p99' "
	    "Metrics.m2.Expression='m1*2'");
	/* what this build does not know, wherever it is */
	check_form("{'Warm':{'a':[1,{'b':true}],'c':{}},'Metrics':[{'Id':'m','New':1}],'Dimensions':[{'Name':'d','Value':'"
	           "v','Op':'='}]}",
	           "Dimensions.d='v' Dimensions.d.Op='='? Metrics.m.New=1? Warm.a[0]=1? Warm.a[1].b=true? Warm.c={}?");
	check_form("{'EvaluationCriteria':{'PromQLCriteria':{'Query':'up','PendingPeriod':60}},'EvaluationWindow':{'"
	           "SlidingWindow':{}}}",
	           "EvaluationCriteria.PromQLCriteria.PendingPeriod=60 EvaluationCriteria.PromQLCriteria.Query='up'");
}

static void bad_forms(void **state)
{
	(void)state;
	static const char *const cases[][2] = {
		{ "{'Threshold':'5'}", "ERROR Threshold: a number Threshold='5'" },
		{ "{'Period':60.5}", "ERROR Period: a whole number Period=60.5" },
		{ "{'ActionsEnabled':'yes'}", "ERROR ActionsEnabled: true or false ActionsEnabled='yes'" },
		{ "{'AlarmActions':'a'}", "ERROR AlarmActions: a list of texts" },
		{ "{'AlarmActions':[1]}", "ERROR AlarmActions: a list of texts" },
		{ "{'Dimensions':{'a':'b'}}", "ERROR Dimensions: a list of {'Name', 'Value'}" },
		{ "{'Dimensions':[{'Name':'a','Value':'1'},{'Name':'a','Value':'2'}]}",
		  "ERROR Dimensions.a: stands there twice Dimensions.a='1'" },
		{ "{'Metrics':[{'Expression':'1'}]}", "ERROR Metrics: each query has an 'Id'" },
		{ "{'EvaluationWindow':7}", "ERROR EvaluationWindow: an object" },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		check_form(cases[i][0], cases[i][1]);
}

static void near_names(void **state)
{
	(void)state;
	assert_string_equal(form_near(FORM_METRIC, "Treshold"), "Threshold");
	assert_string_equal(form_near(FORM_METRIC, "threshold"), "Threshold");
	assert_string_equal(form_near(FORM_METRIC, "Thresholds"), "Threshold");
	assert_string_equal(form_near(FORM_METRIC, "Threhsold"), "Threshold");
	assert_null(form_near(FORM_METRIC, "WarmUpConfiguration"));
	assert_null(form_near(FORM_METRIC, "AlarmRul"));
	assert_string_equal(form_near(FORM_COMPOSITE, "AlarmRul"), "AlarmRule");
	assert_int_equal(form_member(FORM_COMPOSITE, "Threshold"), FORM_OTHER_KIND);
	assert_int_equal(form_member(FORM_METRIC, "StateReason"), FORM_READ_ONLY);
	assert_int_equal(form_member(FORM_METRIC, "x-anything"), FORM_NOT_OURS);
}

/* ---- the file */

static void check_file(const char *text, const char *wanted)
{
	struct alarm_file f;
	struct err e = { 0 };
	char *json = json_of(text), *want = json_of(wanted);
	bool ok = alarm_file_read(&f, span_of(json), "f.json", &e);
	if (*want)
		assert_string_equal(ok ? "" : e.text, want);
	else if (!ok)
		fail_msg("%s: %s", text, e.text);
	if (!ok)
		assert_string_equal(e.where, "f.json");
	alarm_file_clear(&f);
	free(json);
	free(want);
}

static void files(void **state)
{
	(void)state;
	static const char *const good[] = {
		"{'version':1,'owner':'o','//':'x','x-more':1,'alarms':[]}",
		"[{'AlarmName':'A'," METRIC "}]",
		"{'AlarmName':'A'," METRIC "}",
		"{'MetricAlarms':[{'AlarmName':'A','StateValue':'OK','Metrics':[],'OKActions':[]," METRIC
		"}],'CompositeAlarms':[]}",
		"{'alarms':[{'AlarmName':'A','AlarmRule':'TRUE'}],'defaults':{'TreatMissingData':'ignore'}}",
	};
	static const char *const bad[][2] = {
		{ "", "no JSON: " },
		{ "{'alarms':[}", "no JSON: " },
		{ "7", "there is no list 'alarms' in it" },
		{ "{}", "there is no list 'alarms' in it" },
		{ "{'alarms':{}}", "alarms: a list of alarms" },
		{ "{'alarm':[]}", "alarm is no part of an alarm file" },
		{ "{'version':2,'alarms':[]}", "version: this build reads version 1" },
		{ "{'owner':'','alarms':[]}", "owner: a text of 1 to 256 characters" },
		{ "{'defaults':{'Treshold':1},'alarms':[]}", "defaults: Treshold is no setting of an alarm" },
		{ "{'MetricAlarms':[],'NextToken':'x'}", "it has a NextToken: not all alarms are in it" },
		{ "[7]", "alarm 1: is no object" },
		{ "[{'AlarmRule':'TRUE'}]", "alarm 1: has no 'AlarmName'" },
		{ "[{'AlarmName':'A'," METRIC "},{'AlarmName':'A','AlarmRule':'TRUE'}]", "alarm 'A': stands there twice" },
		{ "[{'AlarmName':'A','AlarmRule':'TRUE','Threshold':1}]", "alarm 'A': Threshold: a composite alarm has none" },
		{ "[{'AlarmName':'A','for_each':{}," METRIC "}]", "alarm 'A': for_each is not in this version" },
		{ "[{'AlarmName':'A','Tags':{'a':1}," METRIC "}]", "alarm 'A': Tags: a list of {'Key', 'Value'}" },
		{ "[{'AlarmName':'A'}]", "alarm 'A': exactly one of MetricName, Metrics and EvaluationCriteria" },
		{ "[{'AlarmName':'A','DatapointsToAlarm':4," METRIC "}]",
		  "alarm 'A': DatapointsToAlarm: 1 to EvaluationPeriods (3), not 4" },
		{ "[{'AlarmName':'A','TreatMissingData':'good'," METRIC "}]",
		  "alarm 'A': TreatMissingData: CloudWatch has no 'good'" },
		{ "[{'AlarmName':'A','ExtendedStatistic':'p99'," METRIC "}]",
		  "alarm 'A': exactly one of Statistic and ExtendedStatistic" },
		{ "[{'AlarmName':'A','AlarmActions':['1','2','3','4','5','6']," METRIC "}]",
		  "alarm 'A': AlarmActions: 6, 5 at the most" },
		{ "[{'AlarmName':'A','AlarmRule':'TRUE','ActionsSuppressor':'B'}]",
		  "alarm 'A': ActionsSuppressor, ...WaitPeriod and ...ExtensionPeriod stand together or not at all" },
		{ "[{'AlarmName':'A','Metrics':[{'Id':'e','Expression':'1'},{'Id':'f','Expression':'2'}],'EvaluationPeriods':1,"
		  "'Threshold':1,'ComparisonOperator':'LessThanThreshold'}]",
		  "alarm 'A': Metrics: exactly one query with ReturnData true, not 2" },
		{ "[{'AlarmName':'A','Metrics':[{'Id':'e','Expression':'1'}],'EvaluationPeriods':1,'ThresholdMetricId':'z',"
		  "'ComparisonOperator':'GreaterThanUpperThreshold'}]",
		  "alarm 'A': ThresholdMetricId: no query has the Id 'z'" },
	};
	for (size_t i = 0; i < sizeof good / sizeof *good; i++)
		check_file(good[i], "");
	for (size_t i = 0; i < 2; i++) { /* the reason is the reader's */
		struct alarm_file f;
		struct err e = { 0 };
		assert_false(alarm_file_read(&f, span_of(bad[i][0]), "f.json", &e));
		assert_int_equal(strncmp(e.text, bad[i][1], strlen(bad[i][1])), 0);
		alarm_file_clear(&f);
	}
	for (size_t i = 2; i < sizeof bad / sizeof *bad; i++)
		check_file(bad[i][0], bad[i][1]);
}

static void long_names(void **state)
{
	(void)state;
	char name[600] = "";
	struct alarm_file f;
	struct err e;
	for (unsigned n = 254; n <= 256; n++) { /* characters, not bytes */
		struct buf b;
		buf_init(&b, 4096);
		for (unsigned i = 0; i < n; i++)
			memcpy(name + 2 * i, "\xc3\xa4", 3);
		buf_addf(&b, "[{\"AlarmName\":\"%s\",\"AlarmRule\":\"TRUE\"}]", name);
		assert_int_equal(alarm_file_read(&f, buf_span(&b), "f", &e), n <= 255);
		alarm_file_clear(&f);
		buf_clear(&b);
	}
}

/* ---- composites */

static void check_rule(const char *rule, const char *wanted)
{
	struct arena mem;
	struct children c;
	struct err e = { 0 };
	struct buf b;
	arena_init(&mem);
	buf_init(&b, 65536);
	bool ok = composite_children(&mem, rule, &c, &e);
	for (unsigned i = 0; ok && i < c.n; i++)
		buf_addf(&b, "%s%s", i ? "|" : "", c.v[i]);
	if (!ok)
		buf_addf(&b, "! %s", e.text);
	assert_string_equal(b.p ? b.p : "", wanted);
	buf_clear(&b);
	arena_clear(&mem);
}

static void rules(void **state)
{
	(void)state;
	check_rule("ALARM(a)", "a");
	check_rule(" ALARM ( \"a b\" ) AND NOT(OK(c) OR INSUFFICIENT_DATA(\"d\\\"e\"))", "a b|c|d\"e");
	check_rule("ALARM(\"arn:aws:cloudwatch:eu-west-1:123456789012:alarm:x:y\") OR ALARM(x:y)", "x:y");
	check_rule("AT_LEAST(2, ALARM, (a1, \"a 2\", a3)) AND AT_LEAST(50%, NOT OK, (a1))", "a1|a 2|a3");
	check_rule("TRUE", "");
	check_rule("NOT NOT FALSE", "");
	check_rule("",
	           "! AlarmRule: ALARM, OK, INSUFFICIENT_DATA, AT_LEAST, TRUE, FALSE, NOT or ( is wanted at \"its end\"");
	check_rule("ALARM(a) OK(b)", "! AlarmRule: AND or OR is wanted at \"OK(b)\"");
	check_rule("ALARM(a", "! AlarmRule: ) is wanted at \"its end\"");
	check_rule("ALARM(\"a)", "! AlarmRule: a name in quotes does not end at \"its end\"");
	check_rule("BREAKS(a)",
	           "! AlarmRule: ALARM, OK, INSUFFICIENT_DATA, AT_LEAST, TRUE, FALSE, NOT or ( is wanted at \"BREAKS(a)\"");
	check_rule("AT_LEAST(x, ALARM, (a))", "! AlarmRule: a number is wanted at \"x, ALARM, (a))\"");
	char deep[400] = "";
	memset(deep, '(', 200);
	check_rule(deep, "! AlarmRule: is nested too deeply at \"((((((((((((((((((((((((((((((((((((((((\"");
}

#define FAMILY 7

/* Random graphs: an order in which every child that is in no ring comes first; rings are found exactly (by reachability). */
static void orders(void **state)
{
	(void)state;
	static const char *const names[FAMILY] = { "a", "b", "c", "d", "e", "f", "g" };
	unsigned rings = 0;
	srand(7);
	for (unsigned round = 0; round < 20000; round++) {
		struct arena mem;
		struct family v[FAMILY];
		unsigned order[FAMILY], place[FAMILY];
		bool reach[FAMILY][FAMILY] = { { false } };
		const char *ring[FAMILY];
		arena_init(&mem);
		for (unsigned i = 0; i < FAMILY; i++) {
			v[i] = (struct family){ names[i], { arena_array(&mem, FAMILY, sizeof *v[i].children.v), 0 } };
			for (unsigned k = 0; k < FAMILY; k++)
				if (rand() % 6 == 0) {
					v[i].children.v[v[i].children.n++] = names[k];
					reach[i][k] = true;
				}
		}
		composite_order(&mem, v, FAMILY, order, ring);
		for (unsigned k = 0; k < FAMILY; k++)
			for (unsigned i = 0; i < FAMILY; i++)
				for (unsigned j = 0; j < FAMILY; j++)
					reach[i][j] = reach[i][j] || (reach[i][k] && reach[k][j]);
		for (unsigned i = 0; i < FAMILY; i++)
			place[order[i]] = i;
		for (unsigned i = 0; i < FAMILY; i++) {
			assert_int_equal(ring[i] != NULL, reach[i][i]);
			rings += ring[i] != NULL;
			for (unsigned k = 0; k < FAMILY; k++)
				if (reach[i][k] && !ring[i])
					assert_true(place[k] < place[i]);
		}
		arena_clear(&mem);
	}
	assert_true(rings > 1000);
}

/* ---- the plan */

struct world {
	struct arena mem;
	struct alarm_file file;
	struct json *doc;
	struct live_alarm live[8];
	unsigned nlive;
	struct alarm_plan plan;
	struct plan_act *acts;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct live_alarm *)a)->name, ((const struct live_alarm *)b)->name);
}

/* live: a list of bodies; "owner": a member that only this test knows, its tag's value. */
static void plan_of(struct world *w, const char *file, const char *live, bool adopt)
{
	struct err e = { 0 };
	char *f = json_of(file), *l = json_of(live);
	*w = (struct world){ .nlive = 0 };
	arena_init(&w->mem);
	if (!alarm_file_read(&w->file, span_of(f), "f", &e))
		fail_msg("%s", e.text);
	w->doc = json_parse(span_of(l), &e);
	assert_non_null(w->doc);
	for (const struct json *a = json_first(w->doc); a; a = json_next(a)) {
		const char *owner = json_get_str(a, "owner");
		struct alarm_tag *t = arena_alloc(&w->mem, sizeof *t);
		*t = (struct alarm_tag){ ALARM_OWNER_TAG, owner };
		if (owner && strchr(owner, '='))
			*t = (struct alarm_tag){ arena_strndup(&w->mem, owner, strcspn(owner, "=")), strchr(owner, '=') + 1 };
		w->live[w->nlive++] = (struct live_alarm){ .name = json_get_str(a, "AlarmName"),
			                                       .arn = "arn",
			                                       .kind = form_kind_of(a),
			                                       .body = json_get(a, "body") ? json_get(a, "body") : a,
			                                       .tags_known = true,
			                                       .tags = t,
			                                       .ntags = owner != NULL };
	}
	qsort(w->live, w->nlive, sizeof *w->live, by_name);
	struct plan_in in = { &w->file, w->live, w->nlive, adopt, false };
	plan_make(&w->mem, &in, &w->plan, &w->acts);
	free(f);
	free(l);
}

static void world_clear(struct world *w)
{
	alarm_file_clear(&w->file);
	json_free(w->doc);
	arena_clear(&w->mem);
}

#define LIVE(more) "{'AlarmName':'A','body':{'AlarmName':'A'," METRIC more "},'owner':'o'}"
#define FILE_OF(more) "{'owner':'o','alarms':[{'AlarmName':'A'," METRIC more "}]}"

static void check_plan(const char *file, const char *live, bool adopt, enum plan_what what, const char *changes,
                       const char *why)
{
	struct world w;
	struct buf b;
	char *want = json_of(changes);
	plan_of(&w, file, live, adopt);
	const struct plan_step *s = &w.plan.steps[0];
	buf_init(&b, 65536);
	for (unsigned i = 0; i < s->nchanges; i++)
		buf_addf(&b, "%s%s:%s>%s", i ? " " : "", s->changes[i].path, s->changes[i].from ? s->changes[i].from : "-",
		         s->changes[i].to ? s->changes[i].to : "-");
	assert_string_equal(b.p ? b.p : "", want);
	assert_int_equal(s->what, what);
	assert_string_equal(s->why ? s->why : "", why);
	buf_clear(&b);
	free(want);
	world_clear(&w);
}

static void plans(void **state)
{
	(void)state;
	check_plan(FILE_OF(""), "[" LIVE("") "]", false, PLAN_SAME, "", "");
	check_plan(FILE_OF(",'DatapointsToAlarm':3"), "[" LIVE(",'TreatMissingData':'missing','OKActions':[]") "]", false,
	           PLAN_SAME, "", "");
	check_plan(FILE_OF(",'Unit':'Count'"), "[" LIVE(",'TreatMissingData':'ignore'") "]", false, PLAN_CHANGE,
	           "TreatMissingData:'ignore'>'missing' Unit:->'Count'", "");
	/* a setting that this build does not know stays, is refused when it cannot, and is no typing mistake */
	check_plan(FILE_OF(",'Unit':'Count'"), "[" LIVE(",'Warm':{'a':1}") "]", false, PLAN_CHANGE, "Unit:->'Count'", "");
	check_plan(FILE_OF(",'Warm':{'a':1}"), "[" LIVE(",'Warm':{'a':1}") "]", false, PLAN_SAME, "", "");
	check_plan(FILE_OF(",'Treshold':5"), "[" LIVE("") "]", false, PLAN_REFUSED, "",
	           "Treshold: this build knows no such setting; Threshold?");
	check_plan(FILE_OF(",'Warm':{'a':2}"), "[" LIVE(",'Warm':{'a':1}") "]", false, PLAN_REFUSED, "",
	           "Warm.a: this build knows no such setting, and the alarm has it not so");
	check_plan(FILE_OF(",'Dimensions':[{'Name':'d','Value':'v'}]"),
	           "[" LIVE(",'Dimensions':[{'Name':'d','Value':'v','Op':'='}]") "]", false, PLAN_REFUSED, "",
	           "the alarm has Dimensions.d.Op, which this build does not know and could not keep");
	/* who keeps it */
	check_plan(FILE_OF(",'Unit':'Count'"), "[{'AlarmName':'A'," METRIC "}]", false, PLAN_REFUSED,
	           "Unit:->'Count' Tags[sluice:owner]:->'o'",
	           "it has no tag sluice:owner: somebody else made it; --adopt takes it over");
	check_plan(FILE_OF(",'Unit':'Count'"), "[{'AlarmName':'A'," METRIC "}]", true, PLAN_CHANGE,
	           "Unit:->'Count' Tags[sluice:owner]:->'o'", "");
	check_plan(FILE_OF(""), "[{'AlarmName':'A'," METRIC "}]", false, PLAN_SAME, "", "");
	check_plan(FILE_OF(""), "[{'AlarmName':'A'," METRIC "}]", true, PLAN_CHANGE, "Tags[sluice:owner]:->'o'", "");
	check_plan(FILE_OF(",'Unit':'Count'"),
	           "[{'AlarmName':'A','owner':'aws:cloudformation:stack-name=s','body':{'AlarmName':'A'," METRIC "}}]",
	           false, PLAN_REFUSED, "Unit:->'Count' Tags[sluice:owner]:->'o'",
	           "CloudFormation keeps it (tag aws:cloudformation:stack-name = s); --adopt writes it all the same");
	check_plan(FILE_OF(",'Unit':'Count'"), "[{'AlarmName':'A','owner':'p','body':{'AlarmName':'A'," METRIC "}}]", false,
	           PLAN_REFUSED, "Unit:->'Count' Tags[sluice:owner]:'p'>'o'",
	           "it belongs to \"p\" (tag sluice:owner), this file to \"o\"; --adopt takes it over");
	check_plan(FILE_OF(""), "[{'AlarmName':'A','AlarmRule':'TRUE'}]", true, PLAN_REFUSED, "",
	           "there is a composite alarm of this name, which cannot become a metric one");
	/* tags */
	check_plan(FILE_OF(",'Tags':[{'Key':'k','Value':'v'}]"), "[" LIVE("") "]", false, PLAN_CHANGE, "Tags[k]:->'v'", "");
	check_plan(FILE_OF(",'Tags':[]"), "[{'AlarmName':'A','owner':'k=v','body':{'AlarmName':'A'," METRIC "}}]", true,
	           PLAN_CHANGE, "Tags[sluice:owner]:->'o' Tags[k]:'v'>-", "");
}

static void bodies(void **state)
{
	(void)state;
	struct world w;
	plan_of(&w, FILE_OF(",'Unit':'Count','//':'a note','x-sluice':{'severity':'page'},'StateValue':'OK'"),
	        "[" LIVE(",'Warm':{'a':1}") "]", false);
	char *wanted = json_of("{'AlarmName':'A'," METRIC ",'Unit':'Count','Warm':{'a':1}}");
	assert_string_equal(w.acts[0].body, wanted);
	assert_string_equal(w.plan.steps[0].kept, "Warm");
	free(wanted);
	world_clear(&w);
	plan_of(&w,
	        "{'owner':'o','defaults':{'TreatMissingData':'ignore','AlarmActions':['t']},'alarms':[{'AlarmName':'A','"
	        "AlarmActions':[],"
	        "'Tags':[{'Key':'k','Value':'v'}]," METRIC "},{'AlarmName':'B','AlarmRule':'ALARM(A)'}]}",
	        "[]", false);
	wanted =
	    json_of("{'AlarmName':'A'," METRIC
	            ",'TreatMissingData':'ignore','Tags':[{'Key':'k','Value':'v'},{'Key':'sluice:owner','Value':'o'}]}");
	assert_string_equal(w.acts[0].body, wanted);
	free(wanted);
	wanted = json_of(
	    "{'AlarmName':'B','AlarmRule':'ALARM(A)','AlarmActions':['t'],'Tags':[{'Key':'sluice:owner','Value':'o'}]}");
	assert_string_equal(w.acts[1].body, wanted);
	free(wanted);
	world_clear(&w);
}

static void families(void **state)
{
	(void)state;
	struct world w;
	plan_of(
	    &w,
	    "[{'AlarmName':'top','AlarmRule':'ALARM(mid) OR ALARM(nowhere)'},{'AlarmName':'mid','AlarmRule':'ALARM(A)'},"
	    "{'AlarmName':'x','AlarmRule':'ALARM(y)'},{'AlarmName':'A'," METRIC
	    "},{'AlarmName':'wrong','AlarmRule':'ALARM('}]",
	    "[{'AlarmName':'y','AlarmRule':'OK(x)'}]", false);
	static const char *const order[] = { "A", "mid", "top", "x", "wrong" };
	for (unsigned i = 0; i < 5; i++)
		assert_string_equal(w.plan.steps[i].name, order[i]);
	assert_string_equal(w.plan.steps[2].notes[0],
	                    "its rule names nowhere, which is neither in the file nor in the account");
	assert_int_equal(w.plan.steps[3].what, PLAN_REFUSED);
	assert_string_equal(w.plan.steps[3].why, "it would be in a ring: x -> y -> x");
	assert_string_equal(w.plan.steps[4].why, "AlarmRule: an alarm's name is wanted at \"its end\"");
	assert_true(w.plan.create == 3 && w.plan.refused == 2);
	assert_true(fabs(w.plan.usd - (0.1 + 4 * 0.5)) < 1e-9);
	world_clear(&w);
}

static void prices(void **state)
{
	(void)state;
	static const struct {
		const char *body;
		double usd;
	} cases[] = {
		{ "{'MetricName':'M','Period':60}", 0.1 },
		{ "{'MetricName':'M','Period':10}", 0.3 },
		{ "{'AlarmRule':'TRUE'}", 0.5 },
		{ "{'Metrics':[{'Id':'m','MetricStat':{'Period':60}},{'Id':'a','Expression':'ANOMALY_DETECTION_BAND(m, 2)'}]}",
		  0.3 },
		{ "{'Metrics':[{'Id':'m','MetricStat':{'Period':60}},{'Id':'n','MetricStat':{'Period':60}},{'Id':'a','"
		  "Expression':'m/n'}]}",
		  0.2 },
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		char *text = json_of(cases[i].body);
		struct json *doc = json_parse(span_of(text), NULL);
		assert_true(fabs(alarm_usd(doc) - cases[i].usd) < 1e-9);
		json_free(doc);
		free(text);
	}
}

/* ---- lints */

static enum lint_seen seen(const void *ctx, const char *ns, const char *name, const struct json *dimensions)
{
	(void)ctx, (void)ns, (void)dimensions;
	return strcmp(name, "Gone") == 0 ? LINT_NEVER : strcmp(name, "Unread") == 0 ? LINT_NOT_KNOWN : LINT_SEEN;
}

#define TOPIC "arn:aws:sns:eu-west-1:1:"

static void check_lint(const char *alarm, const char *live, const char *wanted)
{
	static const struct lint_topic topics[] = { { .arn = TOPIC "good", .known = true, .confirmed = 1 },
		                                        { .arn = TOPIC "pending", .known = true, .pending = 1 },
		                                        { .arn = TOPIC "empty", .known = true },
		                                        { .arn = TOPIC "unread" },
		                                        { .arn = TOPIC "gone", .missing = "there is no such topic" } };
	struct lint_in in = {
		.now = 1700000000 + 2 * 86400, .region = "eu-west-1", .topics = topics, .ntopics = 5, .seen = seen
	};
	struct world w;
	char *file = xasprintf("[{'AlarmName':'A',%s}]", alarm);
	plan_of(&w, file, live, false);
	lint(&w.mem, &in, &w.acts[0], &w.plan.steps[0]);
	const struct plan_step *s = &w.plan.steps[0];
	struct buf b;
	buf_init(&b, 65536);
	for (unsigned i = 0; i < s->nnotes; i++)
		buf_addf(&b, "%s%.32s", i ? "|" : "", s->notes[i]);
	assert_string_equal(b.p ? b.p : "", wanted);
	buf_clear(&b);
	free(file);
	world_clear(&w);
}

#define OF(ns, metric, more)                                                                                           \
	"'Namespace':'" ns "','MetricName':'" metric "','EvaluationPeriods':3,'Threshold':5,'ComparisonOperator':"         \
	"'GreaterThanThreshold'," more
#define TELLS "'AlarmActions':['" TOPIC "good']"

static void lints(void **state)
{
	(void)state;
	check_lint(OF("N", "M", "'Statistic':'Sum','Period':60," TELLS), "[]", "");
	check_lint(OF("N", "Gone", "'Statistic':'Sum','Period':60," TELLS), "[]", "CloudWatch lists no metric N/Gon");
	check_lint(OF("N", "Unread", "'Statistic':'Sum','Period':60," TELLS), "[]", "");
	check_lint(OF("N", "M", "'Statistic':'Sum','Period':60"), "[]", "no action: nobody is told when i");
	check_lint(OF("N", "M", "'Statistic':'Sum','Period':60,'ActionsEnabled':false," TELLS), "[]",
	           "its actions are off: it tells no");
	check_lint(OF("N", "M",
	              "'Statistic':'Sum','Period':60,'AlarmActions':['" TOPIC "pending','" TOPIC "empty','" TOPIC
	              "unread']"),
	           "[]", "nobody is subscribed to arn:aws:|nobody is subscribed to arn:aws:");
	check_lint(
	    OF("N", "M", "'Statistic':'Sum','Period':60,'AlarmActions':['" TOPIC "gone','arn:aws:sns:us-east-1:1:good']"),
	    "[]", "arn:aws:sns:eu-west-1:1:gone: th|arn:aws:sns:us-east-1:1:good is ");
	check_lint(OF("N", "M", "'Statistic':'Sum','Period':60,'Unit':'Count'," TELLS), "[]",
	           "Unit: datapoints of any other un");
	check_lint(OF("AWS/Lambda", "Errors", "'Statistic':'Sum','Period':60," TELLS), "[]",
	           "Errors has a datapoint only when");
	check_lint(OF("AWS/Lambda", "Errors", "'Statistic':'Sum','Period':60,'TreatMissingData':'notBreaching'," TELLS),
	           "[]", "");
	check_lint(OF("AWS/SQS", "NumberOfMessagesSent",
	              "'Dimensions':[{'Name':'QueueName','Value':'orders-dlq'}],'Statistic':'Sum','Period':60," TELLS),
	           "[]", "what redrive moves is not in Num");
	check_lint(OF("AWS/Lambda", "Duration", "'ExtendedStatistic':'p99','Period':10," TELLS), "[]",
	           "Period below 60: AWS's own metri|a percentile of few samples says");
	check_lint(OF("N", "M", "'Statistic':'Sum','Period':60," TELLS),
	           "[{'AlarmName':'A','StateValue':'INSUFFICIENT_DATA','StateTransitionedTimestamp':1700000000," OF(
	               "N", "M", "'Statistic':'Sum','Period':60," TELLS) "}]",
	           "it has been in INSUFFICIENT_DATA");
}

/* ---- recipes: each is a file that is valid */

static void recipes(void **state)
{
	(void)state;
	struct metric_id own = { 0 };
	metric_set(&own, "DataPipeline", "ErrorRate", "Average");
	metric_add_dim(&own, "Stage", "load");
	static const char hostile[] = "q\"\\\xc3\xa4 x";
	const struct recipe_in in[] = {
		{ .name = "f", .kind = "lambda", .resource = "f" },
		{ .name = "q", .kind = "sqs", .resource = "q", .dlq = "q-dlq" },
		{ .name = "s", .kind = "kinesis", .resource = "s" },
		{ .name = hostile, .kind = "lambda", .resource = hostile },
		{ .name = "o", .kind = "emr", .resource = "o", .error = &own, .throughput = &own },
	};
	for (size_t i = 0; i < sizeof in / sizeof *in; i++) {
		struct recipe r;
		struct buf b;
		struct json_out o;
		struct alarm_file f;
		struct err e = { 0 };
		char name[64];
		assert_true(recipe_of(&in[i], &r));
		buf_init(&b, 65536);
		json_out_lines(&o, &b);
		recipe_file(&o, &in[i], &r, NULL, "a metric");
		assert_true(o.ok && o.done);
		if (!alarm_file_read(&f, buf_span(&b), "f", &e))
			fail_msg("%s: %s", in[i].kind, e.text);
		assert_int_equal(f.n, 2);
		snprintf(name, sizeof name, "HighErrorRate-%s", in[i].name);
		assert_string_equal(f.v[0].name, name);
		assert_string_equal(form_find(&f.v[0].form, "Threshold")->value, "5");
		assert_string_equal(form_find(&f.v[0].form, "ComparisonOperator")->value, "\"GreaterThanThreshold\"");
		snprintf(name, sizeof name, "LowThroughput-%s", in[i].name);
		assert_string_equal(f.v[1].name, name);
		assert_string_equal(form_find(&f.v[1].form, "Threshold")->value, "1000");
		assert_string_equal(form_find(&f.v[1].form, "ComparisonOperator")->value, "\"LessThanThreshold\"");
		assert_non_null(strstr(f.v[1].note, "CloudWatch lists no such metric"));
		assert_string_equal(f.owner, in[i].name);
		alarm_file_clear(&f);
		buf_clear(&b);
		recipe_clear(&r);
	}
	struct recipe r;
	assert_true(recipe_of(&(struct recipe_in){ .name = "q", .kind = "sqs", .resource = "q" }, &r));
	assert_true(r.error.n == 0 && r.error.why);
	recipe_clear(&r);
	assert_false(recipe_of(&(struct recipe_in){ .name = "q", .kind = "emr", .resource = "q" }, &r));
	recipe_clear(&r);
	metric_clear(&own);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(forms),      cmocka_unit_test(bad_forms), cmocka_unit_test(near_names),
		cmocka_unit_test(files),      cmocka_unit_test(rules),     cmocka_unit_test(orders),
		cmocka_unit_test(plans),      cmocka_unit_test(bodies),    cmocka_unit_test(lints),
		cmocka_unit_test(recipes),    cmocka_unit_test(prices),    cmocka_unit_test(families),
		cmocka_unit_test(long_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
