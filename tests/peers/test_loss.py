"""First-loss clocks end to end: `status --format json`, and --check --ttl-min with its exit statuses, fed by an AWS that says this or
that of queues and streams; and the embedded AWS, whose messages boto3 can look at. What the arithmetic is worth: tests/unit/t_loss_sim.c."""

import json
import time

import fakeaws
import pytest
from fakeaws import FakeAws, arn
from simtools import Sim

GMD = "cloudwatch:GetMetricData"
HOUR, DAY = 3600, 86400


class Kept(fakeaws.Answers):
    """Queues orders and orders-dlq and a stream: `metrics` has the points of (MetricName, dimension's value), newest first."""

    def __init__(self, metrics=(), *, held=(), retention=(), **more):
        super().__init__()
        self.metrics, self.held, self.retention, self.more = dict(metrics), dict(held), dict(retention), more

    def get_queue_attributes(self, body):
        answer = super().get_queue_attributes(body)
        a, name = answer["Attributes"], body["QueueUrl"].rsplit("/", 1)[-1]
        a["ApproximateNumberOfMessages"] = str(self.held.get(name, 0))
        a["MessageRetentionPeriod"] = str(self.retention.get(name, 4 * DAY))
        return answer

    def list_event_source_mappings(self, body):
        answer = super().list_event_source_mappings(body)
        answer["EventSourceMappings"][0].update(self.more)
        return answer

    def get_metric_data(self, body):
        now = int(time.time()) // 60 * 60
        results = []
        for q in body["MetricDataQueries"]:
            m = q["MetricStat"]["Metric"]
            values = self.metrics.get((m["MetricName"], m["Dimensions"][0]["Value"]), [])
            results.append({"Id": q["Id"], "Label": q["Id"], "StatusCode": "Complete", "Values": [float(v) for v in values],
                            "Timestamps": [now - 60 * (i + 1) for i in range(len(values))]})
        return {"MetricDataResults": results, "Messages": []}


def growing(newest, slope, n=60, scale=1):
    return [max(newest - slope * 60 * i, 0) * scale for i in range(n)]


AGE, ITERATOR, LAMBDA = "ApproximateAgeOfOldestMessage", "GetRecords.IteratorAgeMilliseconds", "IteratorAge"
CALM = {(AGE, "orders"): growing(12, 0), ("NumberOfMessagesSent", "orders"): [600] * 60, ("NumberOfMessagesDeleted", "orders"): [600] * 60,
        ("NumberOfMessagesReceived", "orders"): [600] * 60, (ITERATOR, "ingest"): growing(0, 0), ("IncomingRecords", "ingest"): [500] * 60}


def held_shard(age):
    return {**CALM, (LAMBDA, "enrich"): growing(age, 1, scale=1000)}


def dead(age, received=0):
    return {**CALM, (AGE, "orders-dlq"): growing(age, 1), ("NumberOfMessagesReceived", "orders-dlq"): [received] * 60}


def losses(sluice, aws, **env):
    ran = sluice("status", "--format", "json", env=aws.env(**env))
    return {s["name"]: s["loss"] for p in ran.json["pipelines"] for s in p["stages"]}


def near(value, want, within=180):
    return value is not None and abs(value - want) <= within


def test_status_json_says_when_and_from_what(sluice):
    answers = Kept({**held_shard(22140), **{k: v for k, v in dead(2 * DAY).items() if k[1] == "orders-dlq"}},
                   held={"orders": 12, "orders-dlq": 7}, retention={"orders-dlq": 14 * DAY})
    with FakeAws(answers=answers) as aws:
        got = losses(sluice, aws)
    stream, dlq = got["ingest"], got["orders-dlq"]
    assert set(stream) >= {"at", "in_seconds", "low_seconds", "high_seconds", "basis", "state", "where", "what"}
    assert stream["state"] == "exact" and near(stream["in_seconds"], DAY - 22140) and stream["what"] == "first record", stream
    assert stream["low_seconds"] == stream["in_seconds"] == stream["high_seconds"]
    assert "growing 1.00 s/s" in stream["basis"] and "retention 24h" in stream["basis"]
    assert dlq["state"] == "between" and near(dlq["low_seconds"], 8 * DAY) and near(dlq["high_seconds"], 12 * DAY), dlq
    assert dlq["in_seconds"] == dlq["low_seconds"], "the nearer counts"
    assert got["orders"]["state"] == "safe" and got["orders"]["at"] is got["orders"]["in_seconds"] is None
    assert got["enrich"] is None, "a function keeps nothing: its stream's clock says it"


@pytest.mark.parametrize("received,state,low", [(0, "between", True), (3, "at_most", False)])
def test_a_dead_letter_queue_that_somebody_looked_into(sluice, received, state, low):
    """Three receives take a message out of the age: then nothing bounds the nearest."""
    with FakeAws(answers=Kept(dead(2 * DAY, received), held={"orders-dlq": 7}, retention={"orders-dlq": 14 * DAY})) as aws:
        got = losses(sluice, aws)["orders-dlq"]
    assert got["state"] == state and (got["low_seconds"] is not None) == low and near(got["high_seconds"], 12 * DAY), got


def test_a_mapping_gives_up_earlier_than_the_stream(sluice):
    with FakeAws(answers=Kept(held_shard(HOUR), MaximumRecordAgeInSeconds=4 * HOUR)) as aws:
        assert near(losses(sluice, aws)["ingest"]["in_seconds"], 3 * HOUR)


def test_pointers_last_as_long_as_the_stream_has_the_records(sluice):
    """A queue with what a mapping gave up: its own retention is not what counts."""
    answers = Kept(dead(6 * HOUR), held={"orders-dlq": 2}, retention={"orders-dlq": 14 * DAY},
                   DestinationConfig={"OnFailure": {"Destination": arn("sqs", "orders-dlq")}})
    with FakeAws(answers=answers) as aws:
        got = losses(sluice, aws)["orders-dlq"]
    assert got["state"] == "at_most" and got["what"] == "first record" and near(got["high_seconds"], 18 * HOUR), got


def test_nobody_reads_any_more(sluice):
    """The metrics stop: the age is projected from the last point, never 0 and never nothing at risk."""
    metrics = {**CALM, (ITERATOR, "ingest"): [], (LAMBDA, "enrich"): []}
    with FakeAws(answers=Kept(metrics, State="Disabled")) as aws:
        got = losses(sluice, aws)["ingest"]
    assert got["state"] == "at_most" and near(got["high_seconds"], 23 * HOUR, 400), got  # something came an hour ago, unread


def test_unknown_is_not_fine(sluice):
    with FakeAws({GMD: fakeaws.denied}, Kept(CALM, held={"orders": 12})) as aws:
        got = losses(sluice, aws)
    assert got["orders"]["state"] == got["ingest"]["state"] == "unknown" and got["orders"]["in_seconds"] is None
    assert got["orders-dlq"]["state"] == "safe", "it is empty, whatever CloudWatch refuses to say"


TTL = {  # (answers, faults, limit, exit status, overall, the code or None)
    "nothing at risk": (Kept(CALM, held={"orders": 12}), {}, "24h", 0, "OK", None),
    "nearer": (Kept(held_shard(22140)), {}, "24h", 2, "CRITICAL", None),
    "not so near": (Kept(held_shard(22140)), {}, "12h", 0, "OK", None),
    "bounds, both farther": (Kept(dead(2 * DAY), held={"orders-dlq": 7}, retention={"orders-dlq": 14 * DAY}), {}, "3d", 0, "OK", None),
    "bounds, both nearer": (Kept(dead(2 * DAY), held={"orders-dlq": 7}, retention={"orders-dlq": 14 * DAY}), {}, "13d", 2, "CRITICAL", None),
    "bounds on both sides": (Kept(dead(2 * DAY), held={"orders-dlq": 7}, retention={"orders-dlq": 14 * DAY}), {}, "10d", 3, "UNKNOWN", "PARTIAL"),
    "being lost": (Kept({**CALM, (AGE, "orders"): [4 * DAY] * 60}, held={"orders": 9}), {}, "1h", 2, "CRITICAL", None),
    "no data": (Kept({}, held={"orders": 9}), {}, "24h", 3, "UNKNOWN", "NO_DATA"),
    "denied": (Kept(CALM, held={"orders": 9}), {GMD: fakeaws.denied}, "24h", 3, "UNKNOWN", "DENIED"),
    "throttled": (Kept(CALM, held={"orders": 9}), {GMD: fakeaws.throttled}, "24h", 3, "UNKNOWN", "THROTTLED"),
    "not listed": (Kept(CALM), {"kinesis:ListStreams": fakeaws.denied}, "24h", 3, "UNKNOWN", "DENIED"),
    "not described": (Kept(CALM), {"sqs:GetQueueAttributes": fakeaws.denied}, "24h", 3, "UNKNOWN", "DENIED"),
}


@pytest.mark.parametrize("row", TTL)
def test_ttl_min_exit_status(sluice, row):
    answers, faults, limit, status, overall, code = TTL[row]
    with FakeAws(faults, answers) as aws:
        ran = sluice("--check", "--ttl-min", limit, "--format", "json", env=aws.env())
    assert ran.status == ran.json["exit"] == status and ran.json["status"] == overall, str(ran)
    assert code is None or code in {c["code"] for c in ran.json["checks"]}, str(ran)
    clocks = [c for c in ran.json["checks"] if c["name"].endswith("/ttl")]
    assert all(c["unit"] == "Seconds" and c["critical"].endswith(":") for c in clocks)


@pytest.mark.parametrize("form", ["text", "nagios", "junit", "github", "gitlab", "prom"])
def test_ttl_min_in_every_form(sluice, form):
    with FakeAws(answers=Kept(held_shard(22140))) as aws:
        ran = sluice("--check", "--ttl-min", "24h", "--format", form, env=aws.env())
    assert ran.status == 2 and "ingest/ttl" in ran.out, str(ran)


def test_ttl_min_from_the_configuration(sluice):
    with FakeAws(answers=Kept(held_shard(22140))) as aws:
        def run(text, *more):
            return sluice("--check", "--format", "json", "--config", sluice.config(text), *more, env=aws.env())

        assert run("[checks]\nttl-min = 24h\n").status == 2 and run("[checks]\nttl-min = 12h\n").status == 0
        assert run("[checks]\nttl-min = 24h\n", "--ttl-min", "12h").status == 0, "the command line wins"
        named = '[pipeline "p"]\n[stage "p/load"]\nresource = sqs:orders\n'
        checks = {c["name"]: c["status"] for c in run(named, "--ttl-min", "24h").json["checks"]}
        assert checks["p/load/ttl"] == "OK" and any("orders-dlq" in name for name in checks), checks


def test_ttl_min_polls_only_what_clocks_go_by(sluice):
    with FakeAws(answers=Kept(CALM)) as aws:
        one = sluice("--check", "--ttl-min", "24h", "--format", "json", env=aws.env()).json["cost"]["metrics"]
        all_of_them = sluice("status", "--format", "json", env=aws.env()).json["cost"]["metrics"]
    assert 0 < one < all_of_them, (one, all_of_them)


# ---- what is asked only of what may be in trouble

class Sharded(Kept):
    """Enhanced monitoring on; the stream's age is the highest of two shards, `shards` has each one's by its place."""

    def __init__(self, ages, closed=(), enhanced=True, **more):
        self.closed, self.enhanced = closed, enhanced
        points = {("IteratorAgeMilliseconds", f"shardId-{i:012d}"): v for i, v in enumerate(ages)}
        super().__init__({**CALM, (ITERATOR, "ingest"): [max(v) for v in zip(*[a for a in ages if a])], **points}, **more)

    def describe_stream_summary(self, body):
        answer = super().describe_stream_summary(body)
        answer["StreamDescriptionSummary"]["EnhancedMonitoring"] = [{"ShardLevelMetrics": ["IteratorAgeMilliseconds"] * self.enhanced}]
        return answer

    def list_shards(self, body):
        answer = super().list_shards(body)
        for i in self.closed:
            answer["Shards"][i]["SequenceNumberRange"]["EndingSequenceNumber"] = "9"
        return answer

    def get_metric_data(self, body):
        for q in body["MetricDataQueries"]:  # a shard's come under its own dimension, whichever stands first
            dims = q["MetricStat"]["Metric"]["Dimensions"]
            dims.sort(key=lambda d: d["Name"] != "ShardId")
        return super().get_metric_data(body)


def young(newest, slope=0.0):
    return growing(newest, slope, scale=1000)


@pytest.mark.parametrize("row,ages,closed,state,where,seconds", [
    ("one is held", [young(0), young(6 * HOUR, 1)], (), "exact", "shard 1", 18 * HOUR),
    ("the other grows slower, and stays behind", [young(2 * HOUR, 0.5), young(6 * HOUR, 1)], (), "exact", "shard 1", 18 * HOUR),
    ("a younger one grows faster", [young(HOUR, 1), young(6 * HOUR)], (), "exact", "shard 0", 23 * HOUR),
    ("a closed one was read to its end", [[], young(6 * HOUR, 1)], (0,), "exact", "shard 1", 18 * HOUR)])
def test_each_shard_has_a_clock_of_its_own(sluice, row, ages, closed, state, where, seconds):
    with FakeAws(answers=Sharded(ages, closed)) as aws:
        got = losses(sluice, aws)["ingest"]
        ttl = sluice("--check", "--ttl-min", "24h", "--format", "json", env=aws.env())
        calls = aws.calls.get("kinesis:ListShards", 0)
    if row != "a younger one grows faster":  # there what stands still may begin to grow: no more than it is old
        assert got["state"] == state and got["where"] == where and near(got["in_seconds"], seconds), got
    assert got["high_seconds"] is not None and near(got["high_seconds"], seconds), got
    assert ttl.status == 2 and any(where in c["reason"] for c in ttl.json["checks"]), str(ttl)
    assert calls == 2


@pytest.mark.parametrize("row,answers,faults", [
    ("no enhanced monitoring", Sharded([young(0), young(6 * HOUR, 1)], enhanced=False), {}),
    ("its shards may not be listed", Sharded([young(0), young(6 * HOUR, 1)]), {"kinesis:ListShards": fakeaws.denied}),
    ("one is not measured", Sharded([[], young(6 * HOUR, 1)]), {})])
def test_without_each_shards_age_the_highest_bounds_the_rest(sluice, row, answers, faults):
    with FakeAws(faults, answers) as aws:
        got = losses(sluice, aws)["ingest"]
    assert got["where"] is None and got["high_seconds"] is not None and near(got["high_seconds"], 18 * HOUR), got


def test_a_calm_stream_is_asked_no_shard(sluice):
    with FakeAws(answers=Sharded([young(0), young(0)])) as aws:
        assert losses(sluice, aws)["ingest"]["state"] == "safe" and "kinesis:ListShards" not in aws.calls


class Waiting(Kept):
    """A function that nothing maps to, whose events wait."""

    def __init__(self, age, configs=(), **more):
        super().__init__({**CALM, ("AsyncEventAge", "lonely"): growing(age, 1, scale=1000), ("Invocations", "lonely"): [3] * 60,
                          ("Throttles", "lonely"): [2] * 60}, **more)
        self.configs = configs

    def list_functions(self, body):
        return {"Functions": [*super().list_functions(body)["Functions"], {"FunctionName": "lonely", "FunctionArn": arn("lambda", "function:lonely")}]}

    def list_function_event_invoke_configs(self, body):
        return {"FunctionEventInvokeConfigs": [{"FunctionArn": arn("lambda", f"function:lonely:{q}"), "MaximumEventAgeInSeconds": s}
                                               for q, s in self.configs]}


@pytest.mark.parametrize("configs,faults,state,low,high", [
    ((), {}, "exact", 4 * HOUR, 4 * HOUR),
    ((("$LATEST", 3 * HOUR),), {}, "exact", HOUR, HOUR),
    ((("live", 3 * HOUR),), {}, "between", HOUR, 4 * HOUR),
    ((), {"lambda:ListFunctionEventInvokeConfigs": fakeaws.denied}, "at_most", None, 4 * HOUR)])
def test_events_that_wait_for_a_function(sluice, configs, faults, state, low, high):
    """AsyncEventAge against MaximumEventAgeInSeconds, 6 hours where nobody set it."""
    with FakeAws(faults, Waiting(2 * HOUR, configs)) as aws:
        got = losses(sluice, aws)["lonely"]
        ttl = sluice("--check", "--ttl-min", "5h", "--format", "json", env=aws.env())
    assert got["state"] == state and got["what"] == "first event" and near(got["high_seconds"], high), got
    assert got["low_seconds"] is low or near(got["low_seconds"], low), got
    assert ttl.status == 2 and any(c["name"].endswith("lonely/ttl") and c["status"] == "CRITICAL" for c in ttl.json["checks"]), str(ttl)


def test_a_function_that_is_well_costs_nothing_more(sluice):
    answers = Waiting(2 * HOUR)
    answers.metrics.pop(("Throttles", "lonely"))
    with FakeAws(answers=answers) as aws:
        assert losses(sluice, aws)["lonely"] is None and "lambda:ListFunctionEventInvokeConfigs" not in aws.calls


def test_a_function_without_waiting_events_is_asked_nothing_more(sluice):
    with FakeAws(answers=Waiting(0)) as aws:
        aws.answers.metrics.pop(("AsyncEventAge", "lonely"))
        assert losses(sluice, aws)["lonely"] is None and "lambda:ListFunctionEventInvokeConfigs" not in aws.calls


# ---- the embedded AWS: boto3 sees the messages, sluice only the metrics

def look(sqs, url):
    """Every message: (when it is lost, its handle), the first to go first."""
    keeps = int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]["MessageRetentionPeriod"])
    found = {}
    while page := sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, AttributeNames=["SentTimestamp"], VisibilityTimeout=600).get("Messages"):
        found.update({m["MessageId"]: (int(m["Attributes"]["SentTimestamp"]) / 1000 + keeps, m["ReceiptHandle"]) for m in page})
    return sorted(found.values())


def test_a_look_makes_the_clock_of_a_dead_letter_queue_exact_and_it_stays_so(sluice, tmp_path):
    """Bounds that hold the truth; then `replay groups` looks, and from then on every process knows the second; until others take some."""
    with Sim.start("dlq-growth", home=tmp_path) as sim:
        env = {"AWS_ACCESS_KEY_ID": sim.access_key, "AWS_SECRET_ACCESS_KEY": sim.secret_key, "AWS_REGION": sim.region,
               "AWS_ENDPOINT_URL": sim.endpoint}

        def clock():
            ran, now = sluice("status", "--format", "json", env=env), time.time()
            got = {s["name"]: s["loss"] for p in ran.json["pipelines"] for s in p["stages"]}["orders-load-dlq"]
            return got["state"], now + (got["low_seconds"] or 0), now + (got["high_seconds"] or 1e9), got

        bounds = clock()
        assert sluice("replay", "groups", "sqs:orders-load-dlq", "--mode", "inspect", env=env).status == 0
        exact, checked = clock(), sluice("--check", "--ttl-min", "3d", "--format", "json", env=env)
        sqs = sim.client("sqs")
        url = sqs.get_queue_url(QueueName="orders-load-dlq")["QueueUrl"]
        letters = look(sqs, url)
        for lost, handle in letters[:3]:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=handle)
        fewer = clock()
    first, fourth = letters[0][0], letters[3][0]
    assert len(letters) > 1000 and bounds[0] != "exact" and bounds[1] - 60 <= first <= bounds[2] + 60, (len(letters), bounds)
    assert exact[0] == "exact" and abs(exact[1] - first) < 10 and "sent " in exact[3]["basis"], (exact, first)
    ttl = next(c for c in checked.json["checks"] if c["name"].endswith("orders-load-dlq/ttl"))
    assert ttl["status"] == "CRITICAL" and abs(ttl["value"] - exact[3]["in_seconds"]) < 10, ttl
    assert fewer[0] != "exact" and fewer[1] - 60 <= fourth <= fewer[2] + 60, "what others have taken is not counted on any more"


def test_pointers_that_were_looked_at_say_when_the_stream_forgets_their_records(sluice, tmp_path):
    """Kinesis on-failure: the message lasts four days, the records it names a day from their arrival."""
    with Sim.start("calm", home=tmp_path) as sim:
        env = {"AWS_ACCESS_KEY_ID": sim.access_key, "AWS_SECRET_ACCESS_KEY": sim.secret_key, "AWS_REGION": sim.region,
               "AWS_ENDPOINT_URL": sim.endpoint}
        sqs = sim.client("sqs")
        arrived = [time.time() - 5 * HOUR, time.time() - 20 * HOUR]
        for at in arrived:
            stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(at))
            sqs.send_message(QueueUrl=sqs.get_queue_url(QueueName="orders-enrich-fail")["QueueUrl"], MessageBody=json.dumps(
                {"version": "1.0", "KinesisBatchInfo": {"shardId": "shardId-000000000001", "approximateArrivalOfFirstRecord": stamp,
                 "streamArn": f"arn:aws:kinesis:{sim.region}:123456789012:stream/orders-ingest", "batchSize": 100}}))

        def clock():
            ran = sluice("status", "--format", "json", env=env)
            return {s["name"]: s["loss"] for p in ran.json["pipelines"] for s in p["stages"]}["orders-enrich-fail"]

        before = clock()
        assert sluice("replay", "groups", "sqs:orders-enrich-fail", "--mode", "inspect", env=env).status == 0
        after = clock()
    assert before["state"] == "at_most" and after["state"] == "exact", (before, after)
    assert abs(after["in_seconds"] - 4 * HOUR) < 30 and after["what"] == "first record", after
