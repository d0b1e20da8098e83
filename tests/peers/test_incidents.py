"""The first incident, at 80x24 in ASCII: from a cold start, with at most three keys, a person reads which stage it is, since when,
how long until data is lost (or that none will be), and what changed or fails. What must stand there is asked of the same simulated
account with boto3, so a canned text would not do."""

import collections
import datetime
import json
import re
import time

import pytest
from botocore.exceptions import ClientError
from console import Console
from program import LONG, SANITIZER, SLOWER, Sluice
from simtools import Sim

FROZEN = "2026-11-23T03:14:42Z"
NOW = datetime.datetime(2026, 11, 23, 3, 14, 42, tzinfo=datetime.timezone.utc)
MINUTE, HOUR, DAY = (datetime.timedelta(**{k: 1}) for k in ("minutes", "hours", "days"))
SOON = 10  # seconds from the start to what must be read, on a network that is not slow


class Incident:
    def __init__(self, home, scenario, faults=()):
        self.sim = Sim.start(scenario, home=home, now=FROZEN, faults=faults)
        self.home, self.keys = home, 0

    def __enter__(self):
        self.begun = time.monotonic()
        self.console = Console(self.home, columns=80, lines=24, env={**self.sim.peer.env(), "LANG": "C", "SLUICE_NOW": FROZEN}).__enter__()
        return self

    def __exit__(self, *exc):
        self.console.__exit__(*exc)
        self.sim.stop()

    def reads(self, *wanted, seconds=15):
        """All of it on one screen, in ASCII; a pattern where it is one."""
        self.console.wait(*(w if isinstance(w, str) else (lambda c, w=w: w.search(c.text)) for w in wanted), seconds=seconds)
        assert self.console.text.isascii()
        return self.console.text

    def soon(self):
        assert time.monotonic() - self.begun < SOON * SLOWER

    def press(self, *keys):
        self.keys += len(keys)
        assert self.keys <= 3, "more than three keys"
        for key in keys:
            self.console.settle()
            self.console.type(key)
        return self

    def line_of(self, stage):
        """Not the heading of the group of that name."""
        return next(y for y, line in enumerate(self.console.lines) if re.match(rf"[> ].. {re.escape(stage)} +(kinesis|lambda|sqs)", line))

    def row(self, stage, heading):
        head = next(y for y, line in enumerate(self.console.lines) if re.match(" +STAGE .*LOSS IN", line))
        return self.console.cell(self.line_of(stage), head, heading)

    def mark(self, stage):
        return self.console.lines[self.line_of(stage)][1:3].strip()

    # ---- what the account says

    def client(self, service):
        return self.sim.client(service)

    def metric(self, ns, name, dims, stat, at, period=60):
        found = self.client("cloudwatch").get_metric_statistics(Namespace=ns, MetricName=name, Statistics=[stat], Period=period, StartTime=at,
                                                                Dimensions=[{"Name": k, "Value": v} for k, v in dims.items()], EndTime=at + period * MINUTE / 60)
        return found["Datapoints"][0][stat] if found["Datapoints"] else None

    def since(self, alarm):
        [a] = self.client("cloudwatch").describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
        assert a["StateValue"] == "ALARM"
        return NOW - a["StateTransitionedTimestamp"]

    def alarm_line(self, alarm):
        """The alarm's line on the overview: in ALARM, for as long as AWS says."""
        return re.compile(rf"^[> ]!! {alarm} .* ALARM +{for_long(self.since(alarm))}$", re.M)

    def who(self, name, call):
        """When, and by whom, CloudTrail has it; with its parameters."""
        events = self.client("cloudtrail").lookup_events(LookupAttributes=[{"AttributeKey": "ResourceName", "AttributeValue": name}])["Events"]
        e = next(e for e in events if e["EventName"].startswith(call))
        return f"{e['EventTime']:%H:%MZ}", e["Username"], json.loads(e["CloudTrailEvent"])["requestParameters"]

    def queue(self, name):
        sqs = self.client("sqs")
        url = sqs.get_queue_url(QueueName=name)["QueueUrl"]
        return url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]

    def said(self, function, pattern):
        """The log's lines of the last three hours: those that match."""
        pages = self.client("logs").get_paginator("filter_log_events").paginate(
            logGroupName=f"/aws/lambda/{function}", filterPattern=pattern, startTime=ms(NOW - 3 * HOUR), endTime=ms(NOW))
        return [e for p in pages for e in p["events"]]


def ms(t):
    return int(t.timestamp() * 1000)


def for_long(d):
    m = int(d / MINUTE)
    return f"{m // 1440}d{m // 60 % 24:02}h" if m >= 1440 and m < 9 * 1440 else f"{m // 1440}d" if m >= 1440 else f"{m // 60}h{m % 60:02}m" if m >= 60 else f"{m}m"


def seconds_of(text):
    """17h50m, 2d18h, 6d: in seconds, the least and the most that it may be, as it is cut."""
    units = {"d": 86400, "h": 3600, "m": 60, "s": 1}
    parts = re.findall(r"(\d+)([dhms])", text)
    return (low := sum(int(n) * units[u] for n, u in parts)), low + units[parts[-1][1]]


def unhurt(text):
    """There is no deadline: nothing says there was one."""
    assert "DATA LOSS" not in text


@pytest.fixture
def incident(tmp_path):
    return lambda scenario: Incident(tmp_path, scenario)


def test_poison_shard(incident):
    with incident("poison-shard") as i:
        kinesis = i.client("kinesis")
        hours = kinesis.describe_stream_summary(StreamName="orders-ingest")["StreamDescriptionSummary"]["RetentionPeriodHours"]
        first = kinesis.get_shard_iterator(StreamName="orders-ingest", ShardId="shardId-000000000003", ShardIteratorType="TRIM_HORIZON")
        arrived = kinesis.get_records(ShardIterator=first["ShardIterator"], Limit=1)["Records"][0]["ApproximateArrivalTimestamp"]
        gone = arrived + hours * HOUR
        text = i.reads(f"DATA LOSS  first record expires {gone:%H:%MZ}, in {for_long(gone - NOW)}   orders-ingest", i.alarm_line("IteratorAgeHigh"), "Enter open")
        i.soon()
        assert i.mark("orders-ingest") == i.mark("orders-enrich") == i.mark("orders-load-dlq") == "!!" and i.mark("orders-loader") == "", text
        assert i.row("orders-ingest", "LOSS IN") == for_long(gone - NOW)
        at, who, rq = i.who("orders-enrich", "UpdateAlias")
        i.press("\r").reads(f"before: {at}  orders-enrich  UpdateAlias name=live, version={rq['functionVersion']}", f"first record expires {gone:%H:%MZ}")
        assert re.search(r"!! 003 [\d.]+/0 ", i.console.text), i.console.text  # the shard that is held
        at, who, _ = i.who("orders-enrich", "PublishVersion")
        text = i.press("n", "e").reads("Runtime.ExitError: Runtime exited with error: signal: killed", re.compile(r"\d+ \d\d:\d\dZ \d\d:\d\dZ v42 "))
        lines = [e for e in i.said("orders-enrich", '"Runtime.ExitError"')]
        assert re.search(rf"^> *{len(lines)} ", text, re.M), (len(lines), text)


def test_bad_deploy(incident):
    with incident("bad-deploy") as i:
        at, who, rq = i.who("orders-enrich", "UpdateAlias")
        minute = NOW.replace(second=0) - 3 * MINUTE
        errors, calls = (i.metric("AWS/Lambda", m, {"FunctionName": "orders-enrich"}, "Sum", minute) for m in ("Errors", "Invocations"))
        rate = f"{100 * errors / calls:.1f}"
        text = i.reads(f"!! orders-enrich  error rate {rate} % > 5 %", i.alarm_line("HighErrorRate"),
                       re.compile(rf"{at} lambda +orders-enrich +UpdateAlias name=live, version={rq['functionVersion']} +by {who}"), "e errors")
        i.soon()
        unhurt(text)
        assert i.mark("orders-enrich") == "!!" and i.row("orders-enrich", "LOSS IN") == i.row("orders-ingest", "LOSS IN") == "-"
        age = i.metric("AWS/Kinesis", "GetRecords.IteratorAgeMilliseconds", {"StreamName": "orders-ingest"}, "Maximum", minute)
        assert age < 60_000  # nothing waits: there is no deadline to tell
        text = i.press("n", "e").reads("PoolTimeout", "ReadTimeout")
        old, new = (i.said("orders-enrich", f'"[ERROR] {t}"') for t in ("ReadTimeout", "PoolTimeout"))
        for lines, version in ((new, "v42"), (old, "v41")):
            first = min(e["timestamp"] for e in lines) / 1000
            assert re.search(rf"^[> ] +{len(lines)} {datetime.datetime.fromtimestamp(first, datetime.timezone.utc):%H:%MZ} \S+ {version} ", text, re.M), (len(lines), version, text)


def test_dlq_growth(incident):
    with incident("dlq-growth") as i:
        url, attributes = i.queue("orders-load-dlq")
        text = i.reads("DATA LOSS  first message expires by", i.alarm_line("DlqNotEmpty"))
        i.soon()
        said = re.search(r"first message expires by (\d\d):(\d\d)Z(?:\+(\d))?, in <=(\S+)  orders-load-dlq", text)
        assert said and i.mark("orders-load-dlq") == "!!" and i.row("orders-load-dlq", "LOSS IN") == f"<={said[4]}", text
        assert i.row("orders-load-dlq", "BACKLOG") == f"{int(attributes['ApproximateNumberOfMessages']):,}"
        bound = NOW.replace(hour=int(said[1]), minute=int(said[2]), second=0) + int(said[3] or 0) * DAY
        text = i.press("n", "e").reads("ValueError: time data", "Task timed out")
        lines = i.said("orders-loader", '"[ERROR] ValueError"')
        assert re.search(rf"^> +{len(lines)} ", text, re.M), (len(lines), text)
        sent = []
        while got := i.client("sqs").receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=3600, AttributeNames=["SentTimestamp"]).get("Messages"):
            sent += [int(m["Attributes"]["SentTimestamp"]) / 1000 for m in got]
        truth = min(sent) + int(attributes["MessageRetentionPeriod"])
        assert NOW.timestamp() < truth <= bound.timestamp() + 60, "the deadline lies after the loss"


def test_throttled_consumer(incident):
    with incident("throttled-consumer") as i:
        _, attributes = i.queue("orders-load")
        text = i.reads("DATA LOSS  first message expires", i.alarm_line("LoadBacklog"), i.alarm_line("LoaderThrottles"), re.compile(r"in \d+d\.\.\d+d  orders-load$", re.M))
        i.soon()
        assert i.mark("orders-load") == i.mark("orders-loader") == "!!" and i.mark("orders-ingest") == ""
        minute = NOW.replace(second=0) - 4 * MINUTE
        age, sent, deleted = (i.metric("AWS/SQS", m, {"QueueName": "orders-load"}, s, minute)
                              for m, s in (("ApproximateAgeOfOldestMessage", "Maximum"), ("NumberOfMessagesSent", "Sum"), ("NumberOfMessagesDeleted", "Sum")))
        truth = (int(attributes["MessageRetentionPeriod"]) - age) / (1 - deleted / sent)  # at the pace of now
        low, high = re.search(r"in (\d+d)\.\.(\d+d)  orders-load$", text, re.M).groups()
        assert seconds_of(low)[0] <= truth <= seconds_of(high)[1], (low, truth / 86400, high)
        at, who, rq = i.who("orders-loader", "PutFunctionConcurrency")
        i.press("n", "\r").reads(f"before: {at}  orders-loader  PutFunctionConcurrency reserved={rq['reservedConcurrentExecutions']}")
        limit = i.client("lambda").get_function_concurrency(FunctionName="orders-loader")["ReservedConcurrentExecutions"]
        assert limit == rq["reservedConcurrentExecutions"]


def test_silent_producer(incident):
    with incident("silent-producer") as i:
        into = i.client("cloudwatch").get_metric_statistics(
            Namespace="AWS/Kinesis", MetricName="IncomingRecords", Statistics=["Sum"], Period=60, StartTime=NOW - 3 * HOUR, EndTime=NOW,
            Dimensions=[{"Name": "StreamName", "Value": "orders-ingest"}])["Datapoints"]
        last = max(p["Timestamp"] for p in into)
        text = i.reads("!! LowThroughput  Threshold Crossed: no datapoints were received", i.alarm_line("LowThroughput"))
        i.soon()
        unhurt(text)
        assert i.mark("orders-ingest") == "-" and i.row("orders-ingest", "IN/s").startswith("~"), text  # not "ok": nothing comes in
        assert i.row("orders-ingest", "LOSS IN") == i.row("orders-load", "LOSS IN") == "-"
        assert i.queue("orders-load")[1]["ApproximateNumberOfMessages"] == "0"
        i.press("\r").reads(f"orders-ingest  idle  idle: Records in last seen {for_long(NOW - last)} ago", re.compile(rf"Records in +~\d+ per minute {last:%H:%MZ} "))
        i.press("q", "n").reads(re.compile(r"^>!! LowThroughput ", re.M))


def test_expired_token(incident):
    with incident("expired-token") as i:
        text = i.reads("?? auth: check or renew the credentials; ExpiredTokenException", re.compile(r"^[> ]\?\? orders-ingest ", re.M))
        i.soon()
        with pytest.raises(ClientError) as e:
            i.client("kinesis").list_streams()
        assert e.value.response["Error"]["Code"] == "ExpiredTokenException"
        unhurt(text)
        assert re.search(r"stages \?\?\d+ ", i.console.lines[0]) and "ok" not in i.console.lines[0].split("stages")[1], text
        assert i.row("orders-ingest", "LOSS IN") == "??"
        i.press("\r").reads("unknown", re.compile("Records in +[?] "))


def test_slow_network(incident):
    """What is not known yet is said to be asked for, keys work meanwhile, and when all has come nothing is wrong. In the short run
    the network recovers after twenty calls; the long one waits for every answer."""
    with incident("slow-network") as i:
        i.reads("asking AWS...", "q quit")
        i.press("?").reads("HELP")
        i.press("q").reads("asking AWS...")
        i.soon()

        def slow():
            return sum(n for spec, n in i.sim.hits().items() if "slow" in spec)
        end = time.monotonic() + 100 * SLOWER
        while slow() <= 20 and time.monotonic() < end:
            assert "no problem" not in i.console.text
            i.console.pump(0.1)
        assert slow() > 20, "it was not slow"
        if not LONG:
            i.sim.heal()
        text = i.reads("no problem among 9 stages and 7 alarms", seconds=100)
        unhurt(text)
        assert i.row("orders-ingest", "LOSS IN") == i.row("orders-load", "LOSS IN") == "-"


# ---- what may not be read is said to be unread

def test_poor(tmp_path):
    """Neither CloudTrail nor logs nor subscriptions may be read: who, why and who is told are unknown, and the deadline stands all the same."""
    with Incident(tmp_path, "poison-shard", faults=["cloudtrail:*=denied", "logs:*=denied", "sns:*=denied"]) as i:
        text = i.reads("DATA LOSS  first record expires 21:05Z, in 17h50m   orders-ingest", "by whom: ?")
        assert not re.search(r" by (?!whom)\w", text), text
        i.press("n", "e").reads("?? denied", "logs:FilterLogEvents", "AccessDenied")
        i.console.type("3").wait("subscriptions ? (denied: allow sns:ListSubscriptions")
        i.console.type("5").wait("who did it is not told: allow cloudtrail:LookupEvents")
        for service, call, kw in (("cloudtrail", "lookup_events", {}), ("logs", "filter_log_events", {"logGroupName": "/aws/lambda/orders-enrich"})):
            with pytest.raises(ClientError, match="AccessDenied"):
                getattr(i.client(service), call)(**kw)


# ---- a day of it: neither a false red nor a false green

ROW = re.compile(r"^[> ](..) (\S+) +(?:kinesis|lambda|sqs)", re.M)


class Watch:
    """A console on a demo whose clocks run fast: the marks of its stages, frame by frame."""

    def __init__(self, home, scenario, speed, seconds):
        self.frames, self.minutes, self.wrong = 0, set(), collections.Counter()
        env = {"LANG": "C", "SLUICE_SPEED": str(speed)}
        with Console(home, f"--demo={scenario}", columns=80, lines=30, env=env) as c:
            c.wait(lambda c: "stages" in c.lines[0] and "CACHED" not in c.lines[0] and "asking" not in c.text)
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                c.type("\x0c").pump(0.1)  # somebody is there, and the whole screen is painted anew
                c.settle(quiet=0.02, seconds=0.5)
                self.see(c)

    def see(self, c):
        clock = re.search(r" (\d\d:\d\d):\d\dZ", c.lines[0])
        rows = dict(reversed(m) for m in ROW.findall(c.text))
        if not clock or "q quit" not in c.lines[-1] or len(rows) < 7:
            return  # half a frame
        self.frames += 1
        self.minutes.add(clock[1])
        self.judge(c, {name: mark.strip() for name, mark in rows.items()})

    def judge(self, c, marks):
        """Calm: everything ok or idle, and nothing said to be wrong."""
        for name, mark in marks.items():
            if mark not in ("", "-"):
                self.wrong[name, mark] += 1
        if re.search(r"stages.*(!|\?|~\d)", c.lines[0]) or not c.lines[2].startswith("   no problem among 9 stages and 7 alarms"):
            self.wrong[c.lines[0][:60], c.lines[2]] += 1


class Trouble(Watch):
    """The stages named are in trouble all the time: never ok."""

    def __init__(self, *args, stages):
        self.stages = stages
        super().__init__(*args)

    def judge(self, c, marks):
        for name in self.stages:
            if marks.get(name, "absent") == "":
                self.wrong[name, "ok"] += 1
        if "no problem among" in c.lines[2]:
            self.wrong["row 3", c.lines[2]] += 1


@pytest.mark.skipif(bool(SANITIZER), reason="its clocks would run too fast for it")
def test_a_calm_day_is_never_red(tmp_path):
    speed, seconds = (200, 86400 / 200 + 10) if LONG else (480, 12)
    w = Watch(tmp_path, "calm", speed, seconds)
    print(f"{w.frames} frames, {len(w.minutes)} minutes of the day seen")
    assert not w.wrong, w.wrong.most_common(5)
    assert len(w.minutes) >= (1400 if LONG else 30)


@pytest.mark.skipif(bool(SANITIZER), reason="its clocks would run too fast for it")
@pytest.mark.parametrize("scenario,stages", [
    ("poison-shard", ["orders-ingest", "orders-enrich", "orders-load-dlq"]), ("bad-deploy", ["orders-enrich"]), ("dlq-growth", ["orders-load-dlq"]),
    ("throttled-consumer", ["orders-load", "orders-loader"]), ("silent-producer", ["orders-ingest", "orders-enrich", "orders-loader"]),
    ("expired-token", ["orders-ingest", "orders-enrich", "orders-load", "orders-loader"]),
])
def test_trouble_is_never_green(tmp_path, scenario, stages):
    w = Trouble(tmp_path, scenario, 200 if LONG else 480, 120 if LONG else 3, stages=stages)
    print(f"{w.frames} frames, {len(w.minutes)} minutes")
    assert not w.wrong, w.wrong.most_common(5)
    assert w.frames >= 3 and len(w.minutes) >= 3


def test_a_day_of_single_looks(tmp_path, rng):
    """What CI and cron see, at instants over the day (all 1,440 minutes of it in the long run): 0 where it is calm, 2 where it is not."""
    minutes = range(1440) if LONG else sorted(rng.sample(range(1440), 12))
    run = Sluice(tmp_path)
    for m in minutes:
        now = {"SLUICE_NOW": f"2026-11-23T{m // 60:02}:{m % 60:02}:{rng.randrange(60):02}Z"}
        ran = run("--demo=calm", "--check", "--format", "json", env=now)
        assert ran.status == 0 and {c["status"] for c in ran.json["checks"]} <= {"OK", "SKIPPED"}, (now, str(ran))
        if m % 7 == 0 or not LONG:
            scenario = rng.choice(["poison-shard", "bad-deploy", "dlq-growth", "throttled-consumer", "silent-producer"])
            assert run(f"--demo={scenario}", "--check", env=now).status == 2, (now, scenario)


def test_a_calm_account_turns_bad_at_the_right_minute(tmp_path):
    """A release half an hour on raises errors: nobody is called before three minutes of them are there, everybody once they can have arrived.
    The alarm is CloudWatch's own and does not wait for points to arrive; the error rate is judged when they have (two minutes)."""
    seen, run = {}, Sluice(tmp_path)
    minutes = range(61) if LONG else [0, 15, *range(29, 37), 60]
    with Sim.start("turning", home=tmp_path, now=FROZEN) as sim:
        for k in minutes:
            now = (NOW + k * MINUTE).strftime("%Y-%m-%dT%H:%M:%SZ")
            assert sim.control("POST", {"now": now}, "/_sluice/clock")[0] == 200
            ran = run("--check", "--format", "json", env={**sim.peer.env(), "SLUICE_NOW": now})
            seen[k] = {c["name"] for c in ran.json["checks"] if c["status"] not in ("OK", "SKIPPED")}
            assert ran.status == (2 if seen[k] else 0), (k, str(ran))
    rate = [k for k in minutes if any(n.endswith("orders-enrich/error_rate") for n in seen[k])]
    alarm = [k for k in minutes if any("HighErrorRate" in n for n in seen[k])]
    assert rate == [k for k in minutes if k >= 35], seen
    assert alarm and alarm == [k for k in minutes if k >= alarm[0]] and 33 <= alarm[0] <= 34, seen
    assert set().union(*seen.values()) == seen[60] and len(seen[60]) == 2, "and nothing else"
