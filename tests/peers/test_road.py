"""One datapoint, all the way: boto3 puts it into an AWS that nobody here wrote (and into ours), then the history, the
status, the screen and boto3's own read must agree on it, value for value.

What the peers cannot do decides what is asked of them (see test_peer_limits): moto answers HTML and 500 to percentiles, so its
functions' own metrics are read one by one; with signatures checked it refuses Lambda's GETs even from boto3."""

import csv
import datetime
import io
import json
import re
import time
import zipfile

import pytest
from botocore.exceptions import ClientError
from console import Console
from program import LONG

UTC = datetime.timezone.utc
PEERS = ["moto", "moto_auth", "ministack", "sim"]


@pytest.fixture(params=PEERS)
def peer(request):
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["moto_auth", "sim"])
def verifying(request):
    return request.getfixturevalue(request.param)


# ---- what is put there

def random_value(rng):
    """Counts, rates, tiny and huge ones; as short decimals or as doubles with every bit in use."""
    v = rng.choice([rng.randrange(1000), rng.uniform(0, 100), rng.uniform(0, 1e-3), rng.uniform(1e6, 1e12), 0.0])
    return float(round(v, rng.choice([0, 1, 2, 3, 6]))) if rng.random() < 0.7 else float(v)


class World:
    """Random queues, a stream, a function, alarms and points of four metrics, under names of their own."""

    def __init__(self, peer, rng):
        self.peer, self.rng = peer, rng
        self.tag = f"road{rng.randrange(16**6):06x}"
        self.queues, self.points, self.alarms = {}, {}, {}
        self.stream, self.function = f"{self.tag}-stream", f"{self.tag}-fn"
        self.lambda_works = peer.name != "moto_auth"

    def build(self):
        self.put_queues()
        self.peer.client("kinesis").create_stream(StreamName=self.stream, ShardCount=self.rng.randrange(1, 4))
        if self.lambda_works:
            self.put_function()
        self.put_points()
        self.put_alarms()
        return self

    def put_queues(self):
        sqs = self.peer.client("sqs")
        dlq = sqs.create_queue(QueueName=f"{self.tag}-dlq")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=dlq, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        urls = {f"{self.tag}-dlq": dlq}
        for i in range(self.rng.randrange(2, 5)):
            name = f"{self.tag}-q{i}"
            attributes = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "3"})} if i == 0 else {}
            urls[name] = sqs.create_queue(QueueName=name, Attributes=attributes)["QueueUrl"]
        for name, url in urls.items():
            for i in range(self.rng.randrange(15)):
                sqs.send_message(QueueUrl=url, MessageBody=f"message {i}")
        self.queues = urls

    def put_function(self):
        archive = io.BytesIO()
        with zipfile.ZipFile(archive, "w") as z:
            z.writestr("h.py", "def h(event, context):\n    return 1\n")
        role = f"arn:aws:iam::{self.account()}:role/{self.tag}"
        try:
            role = self.peer.client("iam").create_role(RoleName=self.tag, AssumeRolePolicyDocument="{}")["Role"]["Arn"]
        except ClientError:
            pass  # a peer without IAM takes any role
        self.peer.client("lambda").create_function(FunctionName=self.function, Runtime="python3.11", Role=role, Handler="h.h",
                                                   Code={"ZipFile": archive.getvalue()})

    def account(self):
        return self.peer.client("sts").get_caller_identity()["Account"]

    def metrics(self):
        """(namespace, name, {dimension: value}, statistic)"""
        return {
            "invocations": ("AWS/Lambda", "Invocations", {"FunctionName": self.function}, "Sum"),
            "records": ("AWS/Kinesis", "IncomingRecords", {"StreamName": self.stream}, "Sum"),
            "processed": ("DataPipeline", "RecordsProcessed", {"Stage": self.tag, "Team": "a, b=c"}, "Sum"),
            "error_rate": ("DataPipeline", "ErrorRate", {"Stage": self.tag}, "Average"),
        }

    def put_points(self):
        """60 points over the last hour, each of them in one of the metrics: so every series has gaps."""
        cw = self.peer.client("cloudwatch")
        now = int(time.time()) // 60 * 60
        for i in range(60):
            key = self.rng.choice(list(self.metrics()))
            t, v = now - 60 * (3 + i), random_value(self.rng)
            if key == "error_rate":
                v = v % 100  # a percentage
            ns, name, dims, _ = self.metrics()[key]
            cw.put_metric_data(Namespace=ns, MetricData=[{
                "MetricName": name, "Dimensions": [{"Name": d, "Value": w} for d, w in dims.items()],
                "Timestamp": datetime.datetime.fromtimestamp(t, UTC), "Value": v}])
            self.points.setdefault(key, {})[t] = v

    def put_alarms(self):
        cw = self.peer.client("cloudwatch")
        for i in range(self.rng.randrange(2, 6)):
            name, state = f"{self.tag}-alarm{i}", self.rng.choice(["OK", "ALARM", "INSUFFICIENT_DATA"])
            cw.put_metric_alarm(AlarmName=name, Namespace="DataPipeline", MetricName="Absent", Statistic="Sum", Period=3600,
                                EvaluationPeriods=self.rng.randrange(1, 4), Threshold=self.rng.randrange(100) / 2,
                                ComparisonOperator="GreaterThanThreshold", TreatMissingData="ignore")
            cw.set_alarm_state(AlarmName=name, StateValue=state, StateReason="set by a test")
            self.alarms[name] = state

    # ---- what boto3 reads back

    def read_points(self, key, start, end):
        ns, name, dims, stat = self.metrics()[key]
        query = {"Id": "q", "MetricStat": {"Metric": {"Namespace": ns, "MetricName": name,
                                                      "Dimensions": [{"Name": d, "Value": w} for d, w in dims.items()]},
                                           "Period": 60, "Stat": stat}}
        cw, found, more = self.peer.client("cloudwatch"), {}, {}
        while True:
            answer = cw.get_metric_data(MetricDataQueries=[query], StartTime=datetime.datetime.fromtimestamp(start, UTC),
                                        EndTime=datetime.datetime.fromtimestamp(end, UTC), **more)
            for r in answer["MetricDataResults"]:
                found.update(zip((int(t.timestamp()) // 60 * 60 for t in r["Timestamps"]), r["Values"]))
            if not answer.get("NextToken"):
                return found
            more = {"NextToken": answer["NextToken"]}

    def read_depths(self):
        sqs = self.peer.client("sqs")
        return {name: int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
                          ["Attributes"]["ApproximateNumberOfMessages"]) for name, url in self.queues.items()}

    def text(self, key):
        """NAMESPACE/NAME{dims}:STAT"""
        ns, name, dims, stat = self.metrics()[key]
        inside = ",".join(f'{d}="{v}"' for d, v in dims.items())
        return f"{ns}/{name}{{{inside}}}:{stat}"

    def config(self):
        stages = [f"[stage \"road/{name[len(self.tag) + 1:]}\"]\nresource = sqs:{name}" for name in self.queues]
        stages.append(f"[stage \"road/custom\"]\nresource = sqs:{self.tag}-q0\nin = {self.text('processed')}\nerror = {self.text('error_rate')}")
        stages.append(f"[stage \"road/stream\"]\nresource = kinesis:{self.stream}")
        if self.lambda_works:
            stages.append(f"[stage \"road/fn\"]\nresource = lambda:{self.function}")
        return "[pipeline \"road\"]\nrunbook = https://wiki.example/road\n" + "\n".join(stages) + "\n"


# ---- what sluice says

def seconds(text):
    return int(datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())


def read_csv(ran):
    rows = list(csv.reader(io.StringIO(ran.out)))
    assert rows[0] == ["time", "value"], str(ran)
    grid = [(seconds(t), float(v) if v else None) for t, v in rows[1:]]
    assert all(b[0] - a[0] == 60 for a, b in zip(grid, grid[1:])), "a hole in the grid"
    return grid


def check_history(ran, world, key):
    assert ran.status == 0, str(ran)
    grid = read_csv(ran)
    told = {t: v for t, v in grid if v is not None}
    truth = world.read_points(key, grid[0][0], grid[-1][0] + 60)
    assert told == truth, f"{key}: sluice {told}\nboto3 {truth}\n{ran}"
    put = {t: v for t, v in world.points.get(key, {}).items() if grid[0][0] <= t <= grid[-1][0]}
    assert set(told) == set(put), f"{key}: other minutes than were put"
    assert all(told[t] == pytest.approx(put[t], rel=1e-12) for t in put)  # a peer may add up its own way; ours is exact
    return told


def resources(world):
    known = [("processed", "-", world.text("processed")), ("error_rate", "-", world.text("error_rate")),
             ("records", f"kinesis:{world.stream}", "in"), ("records", "-", world.text("records")),
             ("invocations", "-", world.text("invocations"))]
    if world.lambda_works:
        known.append(("invocations", world.function, "invocations"))
    return known


@pytest.mark.parametrize("sample", range(4 if LONG else 1))
def test_one_datapoint_everywhere(peer, sluice, rng, sample):
    world = World(peer, rng).build()
    env, config = peer.env(), sluice.config(world.config())

    # the history, gap for gap, by the resource's key and by the metric's full text
    for key, resource, metric in resources(world):
        told = check_history(sluice("history", resource, metric, "--since", "90m", "--format", "csv", env=env), world, key)
        # and from the file alone, once it was read
        kept = sluice("history", resource, metric, "--since", "90m", "--format", "csv", "--offline", env=env)
        assert {t: v for t, v in read_csv(kept) if v is not None} == told, str(kept)

    # the status
    ran = sluice("status", "--format", "json", "--config", config, env=env)
    status = check_status(ran, world)

    # the screen
    check_screen(sluice, world, config, status)


def newest(points):
    t = max(points)
    return t, points[t]


def check_status(ran, world):
    status = ran.json
    assert status["targets"][0]["account"] == world.account() and status["targets"][0]["region"] == world.peer.region
    stages = {s["name"]: s for p in status["pipelines"] for s in p["stages"]}
    depths = world.read_depths()
    for name, depth in depths.items():
        stage = stages[name[len(world.tag) + 1:]]
        assert stage["metrics"]["visible"]["value"] == depth, f"{name}\n{ran}"
    assert stages["dlq"]["dlq"] and (stages["dlq"]["health"] == "alarm") == (depths[f"{world.tag}-dlq"] > 0), str(ran)
    now = int(time.time())
    wanted = [("processed", stages["custom"]["metrics"]["in"]), ("error_rate", stages["custom"]["metrics"]["error"]),
              ("records", stages["stream"]["metrics"]["in"])]
    if "fn" in stages:
        wanted.append(("invocations", stages["fn"]["metrics"]["invocations"]))
    for key, told in wanted:
        truth = world.read_points(key, now // 60 * 60 - 7200, now)
        if truth:
            t, v = newest(truth)
            assert (seconds(told["at"]), told["value"]) == (t, v), f"{key}: {told}, boto3 {t} {v}\n{ran}"
    told = {a["name"]: a["state"] for a in status["alarms"] if a["name"].startswith(world.tag)}
    assert told == world.alarms, str(ran)
    return stages


NUMBER = re.compile(r"^(-?[\d,]*\.?\d+)(?:e([-+]?\d+))?([kMGTPE%]?)$")


def agrees(cell, value):
    """A cell holds a value when it lies within half a unit of the last digit shown."""
    cell = cell.removeprefix("~")  # the mark of a value that has aged
    if cell.startswith("<"):
        return 0 < value < float(cell[1:].rstrip("%"))
    m = NUMBER.match(cell)
    assert m, f"no number: {cell!r}"
    digits = m[1].replace(",", "")
    scale = {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18}.get(m[3], 1) * 10.0 ** int(m[2] or 0)
    unit = 10.0 ** -(len(digits.partition(".")[2])) * scale
    return abs(float(digits) * scale - value) <= 0.5 * unit * (1 + 1e-9)


def value(status, stage, key):
    return status[stage]["metrics"].get(key, {}).get("value")


def check_screen(sluice, world, config, status):
    """Cells of the list, and of the detail screen that opens from it, say what the status said."""
    with Console(sluice.home, "--config", config, env=world.peer.env(), columns=200, lines=60) as console:
        console.wait("polled", lambda c: "custom" in c.text.split(), seconds=20)
        for name in status:
            if (depth := value(status, name, "visible")) is not None:
                cell = console.column(name, "BACKLOG", "STAGE")
                assert agrees(cell, depth), f"{name} BACKLOG: {cell!r}\n{console.text}"
        for heading, key, per in (("IN/s", "in", 60), ("ERR%", "error", 1)):
            if (v := value(status, "custom", key)) is not None:
                cell = console.column("custom", heading, "STAGE")
                if set(cell) == {"#"}:
                    continue  # too wide for the list: the detail below has room
                assert agrees(cell, v / per), f"custom {heading}: {cell!r} is not {v} / {per}\n{console.text}"
        console.type("/custom\r").wait(lambda c: "/custom  1 of" in c.text).type("\r").wait("METRICS")
        for key in ("in", "error"):
            if (v := value(status, "custom", key)) is not None:
                cell = console.column(key, "VALUE", "KEY")
                assert agrees(cell, v), f"detail {key}: {cell!r} is not {v}\n{console.text}"
        console.type("qqq")
        assert console.end() == 0


def test_wrong_secret_is_unknown(verifying, sluice):
    """A peer that verifies signatures refuses; nothing that could not be read is called OK."""
    wrong = verifying.with_secret("not-the-secret-of-this-key-at-all-0000000")
    ran = sluice("--check", "--format", "json", env=wrong.env())
    assert ran.status == 3, str(ran)
    assert ran.json["status"] == "UNKNOWN" and ran.json["checks"]
    assert {c["status"] for c in ran.json["checks"]} == {"UNKNOWN"}, str(ran)
    assert {c["code"] for c in ran.json["checks"]} == {"AUTH"}, str(ran)
    assert "not-the-secret" not in ran.out + ran.err and 1 <= len(ran.err.splitlines()) <= 3
    right = sluice("--check", "--alarms", "--format", "json", env=verifying.env())
    assert right.status != 3, str(right)


def test_unknown_key_is_unknown(verifying, sluice):
    env = verifying.env(AWS_ACCESS_KEY_ID="AKIAUNKNOWNKEY000000")
    ran = sluice("--check", "--alarms", "--format", "json", env=env)
    assert ran.status == 3 and {c["code"] for c in ran.json["checks"]} == {"AUTH"}, str(ran)


def test_peer_limits(moto, moto_auth, ministack):
    """The limits that shape the tests above; when a newer peer loses one, the tests can ask for more."""
    def percentile(peer):
        now = datetime.datetime.now(UTC)
        return peer.client("cloudwatch").get_metric_data(
            StartTime=now - datetime.timedelta(hours=1), EndTime=now,
            MetricDataQueries=[{"Id": "q", "MetricStat": {"Metric": {"Namespace": "N", "MetricName": "M"}, "Period": 60, "Stat": "p95"}}])

    earlier = datetime.datetime.now(UTC) - datetime.timedelta(minutes=5)
    moto.client("cloudwatch").put_metric_data(Namespace="N", MetricData=[{"MetricName": "M", "Value": 1.0, "Timestamp": earlier}])
    with pytest.raises(ClientError):
        percentile(moto)
    assert percentile(ministack)["MetricDataResults"][0]["StatusCode"] == "Complete"
    with pytest.raises(ClientError):
        moto_auth.client("lambda").list_functions()
