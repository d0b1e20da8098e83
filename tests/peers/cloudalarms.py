"""CloudWatch's alarms as its API says they are: every body is kept as it came, told again whole, and judged by nobody.

The emulators each leave something out (moto: composites; MiniStack: metric math; the simulator: both), so that this one says whether a
plan comes true for every kind of alarm, and for settings that nobody knows yet."""

import json
import re
import time

from fakeaws import Answers, arn, error

LISTS = {"PutMetricAlarm": "MetricAlarms", "PutCompositeAlarm": "CompositeAlarms", "PutLogAlarm": "LogAlarms"}


class Alarms(Answers):
    def __init__(self, alarms=(), tags=None):
        super().__init__()
        self.alarms, self.tags, self.writes = {}, {}, []
        self.before = lambda op, body: None  # called before each write
        for a in alarms:
            self.put("PutCompositeAlarm" if "AlarmRule" in a else "PutLogAlarm" if "ScheduledQueryConfiguration" in a else "PutMetricAlarm", dict(a))
        for name, t in (tags or {}).items():
            self.tags[self.arn(name)] = dict(t)

    @staticmethod
    def arn(name):
        return arn("cloudwatch", f"alarm:{name}")

    def put(self, op, body):
        tags = {t["Key"]: t["Value"] for t in body.pop("Tags", [])}
        name = body["AlarmName"]
        old = self.alarms.get(name)
        if not old:
            self.tags[self.arn(name)] = tags
        read_only = {"AlarmArn": self.arn(name), "StateValue": "INSUFFICIENT_DATA", "StateReason": "Unchecked: Initial alarm creation",
                     "AlarmConfigurationUpdatedTimestamp": time.time(), "StateUpdatedTimestamp": 1700000000.5}
        defaults = {"ActionsEnabled": True, "OKActions": [], "AlarmActions": [], "InsufficientDataActions": []}
        self.alarms[name] = (LISTS[op], {**defaults, **body, **read_only})
        return {}

    def write(self, op, body):
        self.before(op, body)
        self.writes.append((op, body.get("AlarmName") or body.get("ResourceARN", "").rsplit(":", 1)[-1] or body.get("AlarmNames")))

    def put_metric_alarm(self, body):
        self.write("PutMetricAlarm", body)
        return self.put("PutMetricAlarm", body)

    def put_composite_alarm(self, body):
        self.write("PutCompositeAlarm", body)
        return self.put("PutCompositeAlarm", body)

    def put_log_alarm(self, body):
        self.write("PutLogAlarm", body)
        return self.put("PutLogAlarm", body)

    def describe_alarms(self, body):
        names, start = body.get("AlarmNames"), int(body.get("NextToken", 0))
        found = [(k, a) for n, (k, a) in sorted(self.alarms.items()) if (names is None or n in names) and k[:-1] in body["AlarmTypes"]]
        answer = {k: [a for kind, a in found[start:start + body.get("MaxRecords", 100)] if kind == k] for k in LISTS.values()}
        if len(found) > start + body.get("MaxRecords", 100):
            answer["NextToken"] = str(start + body["MaxRecords"])
        return answer

    def list_tags_for_resource(self, body):
        return {"Tags": [{"Key": k, "Value": v} for k, v in self.tags.get(body["ResourceARN"], {}).items()]}

    def tag_resource(self, body):
        self.write("TagResource", body)
        self.tags[body["ResourceARN"]].update({t["Key"]: t["Value"] for t in body["Tags"]})
        return {}

    def untag_resource(self, body):
        self.write("UntagResource", body)
        for k in body["TagKeys"]:
            self.tags[body["ResourceARN"]].pop(k, None)
        return {}

    def each(self, op, body, do):
        self.write(op, body)
        for n in body["AlarmNames"]:
            if n in self.alarms:
                do(n)
        return {}

    def enable_alarm_actions(self, body):
        return self.each("EnableAlarmActions", body, lambda n: self.alarms[n][1].update(ActionsEnabled=True))

    def disable_alarm_actions(self, body):
        return self.each("DisableAlarmActions", body, lambda n: self.alarms[n][1].update(ActionsEnabled=False))

    def delete_alarms(self, body):
        return self.each("DeleteAlarms", body, lambda n: self.alarms.pop(n))

    def set_alarm_state(self, body):
        self.write("SetAlarmState", body)
        self.alarms[body["AlarmName"]][1].update(StateValue=body["StateValue"], StateReason=body["StateReason"])
        return {}

    def settings(self, name):
        """What was put: without what only AWS sets."""
        return {k: v for k, v in self.alarms[name][1].items() if not re.match("AlarmArn|State|AlarmConfiguration", k)}


def after(n, fault):
    """The fault from the (n+1)-th call on; before that the good answer."""
    seen = {"n": 0}

    def f(h, op):
        seen["n"] += 1
        if seen["n"] > n:
            fault(h, op)
        else:
            h.reply(200, h.good(), "application/x-amz-json-1.0")
    return f


# ---- alarms of every kind, at random

COMPARE = ["GreaterThanThreshold", "GreaterThanOrEqualToThreshold", "LessThanThreshold", "LessThanOrEqualToThreshold"]
NAMES = ["orders", "a b", "x:y", "slash/ed", "per%cent", "q\"uote", "back\\slash", "hash#", "dot.dot", "\u00e4\u00f6", "\u65e5\u672c", "<tag>&", "-dash", "'"]


def number(rng):
    return rng.choice([0, 1, 5, 5.0, 0.1, -3.25, 1e-9, 1e15, rng.randrange(100000), round(rng.uniform(-1e6, 1e6), rng.randrange(6))])


def dims(rng):
    return [{"Name": f"D{i}", "Value": rng.choice(NAMES)} for i in range(rng.randrange(4))]


def common(rng, name):
    a = {"AlarmName": name}
    if rng.random() < .5:
        a["AlarmDescription"] = " ".join(rng.choices(NAMES, k=4))
    if rng.random() < .3:
        a["ActionsEnabled"] = rng.random() < .5
    for key in ("OKActions", "AlarmActions", "InsufficientDataActions"):
        if rng.random() < .4:
            a[key] = [f"arn:aws:sns:eu-west-1:123456789012:t{i}" for i in rng.sample(range(9), rng.randrange(1, 6))]
    return a


def evaluated(rng, a, period=60):
    most = (86400 if period < 3600 else 604800) // period
    a["EvaluationPeriods"] = rng.randrange(1, min(most, 20) + 1)
    if rng.random() < .5:
        a["DatapointsToAlarm"] = rng.randrange(1, a["EvaluationPeriods"] + 1)
    if rng.random() < .6:
        a["TreatMissingData"] = rng.choice(["missing", "ignore", "breaching", "notBreaching"])
    return a


def metric(rng, name, stat=None):
    a = common(rng, name)
    a.update(Namespace=rng.choice(["AWS/SQS", "AWS/Lambda", "Own"]), MetricName=rng.choice(["Errors", "In Flight", "Age/s"]), Dimensions=dims(rng),
             Period=rng.choice([60, 300, 3600]), Threshold=number(rng), ComparisonOperator=rng.choice(COMPARE))
    if stat:
        a["ExtendedStatistic"] = stat
        if rng.random() < .5:
            a["EvaluateLowSampleCountPercentile"] = rng.choice(["evaluate", "ignore"])
    else:
        a["Statistic"] = rng.choice(["Sum", "Average", "Minimum", "Maximum", "SampleCount"])
    if rng.random() < .2:
        a["Unit"] = rng.choice(["Count", "Seconds", "Percent"])
    return evaluated(rng, a, a["Period"])


def percentile(rng, name):
    return metric(rng, name, rng.choice(["p99", "p95", "p50", "p99.9"]))


def query(rng, i, **more):
    return {"Id": f"m{i}", "MetricStat": {"Metric": {"Namespace": "AWS/Lambda", "MetricName": rng.choice(["Errors", "Invocations"]),
                                                     "Dimensions": dims(rng)}, "Period": 60, "Stat": rng.choice(["Sum", "p99"])}, **more}


def math(rng, name):
    a = evaluated(rng, common(rng, name))
    n = rng.randrange(1, 4)
    a["Metrics"] = [query(rng, i, ReturnData=False) for i in range(n)] + [{"Id": "e", "Expression": "+".join(f"m{i}" for i in range(n)), "Label": "sum"}]
    rng.shuffle(a["Metrics"])
    a.update(Threshold=number(rng), ComparisonOperator=rng.choice(COMPARE))
    return a


def band(rng, name):
    a = evaluated(rng, common(rng, name))
    a["Metrics"] = [query(rng, 1, ReturnData=True), {"Id": "ad1", "Expression": f"ANOMALY_DETECTION_BAND(m1, {rng.choice([1, 2, 2.5])})", "ReturnData": True}]
    a.update(ThresholdMetricId="ad1", ComparisonOperator=rng.choice(["LessThanLowerOrGreaterThanUpperThreshold", "LessThanLowerThreshold",
                                                                     "GreaterThanUpperThreshold"]))
    return a


def promql(rng, name):
    return {**common(rng, name), "EvaluationCriteria": {"PromQLCriteria": {"Query": "up == 0", "PendingPeriod": 60, "RecoveryPeriod": 120}},
            "EvaluationInterval": 60}


def log(rng, name):
    return {**common(rng, name), "ScheduledQueryConfiguration": {
        "QueryString": "fields @message", "LogGroupIdentifiers": ["/aws/lambda/b", "/aws/lambda/a"], "ScheduledQueryRoleARN": "arn:aws:iam::123456789012:role/r",
        "ScheduleConfiguration": {"ScheduleExpression": "rate(5 minutes)", "StartTimeOffset": 300}, "AggregationExpression": "count(*)"},
        "QueryResultsToEvaluate": 3, "QueryResultsToAlarm": 2, "Threshold": number(rng), "ComparisonOperator": COMPARE[0]}


def composite(rng, name, children):
    quote = lambda n: '"' + n.replace("\\", "\\\\").replace('"', '\\"') + '"'  # noqa: E731
    a = {**common(rng, name), "AlarmRule": " OR ".join(f"{rng.choice(['ALARM', 'OK', 'NOT ALARM'])}({quote(c)})" for c in children)}
    if rng.random() < .3:
        a.update(ActionsSuppressor=children[0], ActionsSuppressorWaitPeriod=60, ActionsSuppressorExtensionPeriod=rng.randrange(1, 600))
    return a


def generate(rng, n, kinds, composites=0):
    """Names of every shape, each unlike the others."""
    alarms = [rng.choice(kinds)(rng, f"{NAMES[i % len(NAMES)]}-{i}") for i in range(n - composites)]
    for i in range(composites):
        alarms.append(composite(rng, f"zz {i}", [a["AlarmName"] for a in rng.sample(alarms, min(3, len(alarms)))]))
    rng.shuffle(alarms)
    return alarms


def canonical(a):
    """Written here once more, so that the program's own canonical form is not what it is measured by."""
    a = {k: v for k, v in a.items() if v not in (None, [], "") and not re.match("AlarmArn|State|AlarmConfiguration|Tags|EvaluationState", k)}
    for key, implied in (("ActionsEnabled", True), ("TreatMissingData", "missing"), ("EvaluateLowSampleCountPercentile", "evaluate"),
                         ("DatapointsToAlarm", a.get("EvaluationPeriods"))):
        if a.get(key) == implied:
            a.pop(key, None)
    for key in ("OKActions", "AlarmActions", "InsufficientDataActions"):
        if key in a:
            a[key] = sorted(set(a[key]))
    if "Dimensions" in a:
        a["Dimensions"] = {d["Name"]: d["Value"] for d in a["Dimensions"]}
    if "Metrics" in a:
        a["Metrics"] = {q["Id"]: canonical_query(q) for q in a["Metrics"]}
    return json.loads(json.dumps(a), parse_int=float)


def canonical_query(q):
    q = json.loads(json.dumps(q))
    if q.get("ReturnData", True):
        q.pop("ReturnData", None)
    if "MetricStat" in q:
        m = q["MetricStat"]["Metric"]
        m["Dimensions"] = {d["Name"]: d["Value"] for d in m.get("Dimensions") or []}
    return {k: v for k, v in q.items() if v not in (None, "")}


refused = error(400, "ValidationError", "Invalid metrics list")
