"""1,000 random metrics in AWSes that nobody here wrote (and in ours): names, dimensions and statistics at random, gaps, and points that
come late, after a first poll. Whatever boto3's own GetMetricData reads, sluice says: in the status and in what it keeps of it for all of
them, in the history as CSV, as JSON and offline for a sample, and again when late points changed what was read before. Equal means the
same double, bit for bit.

What had changed is in the as-seen log, read here by a decoder of its own. moto answers HTML and 500 to percentiles, and goes through every
point it has for every query: it gets fewer metrics. SLUICE_LONG=1: 1,000 of each peer."""

import csv
import datetime
import io
import os
import pathlib
import random
import sqlite3
import struct
import subprocess
import time

import pytest
from program import LONG, ROOT

UTC = datetime.timezone.utc
CLI = pathlib.Path(os.environ.get("SLUICE_BUILD", ROOT / "build")) / "tools" / "history_cli"
HOW_MANY = {"moto": 50, "ministack": 450, "sim": 500}
assert sum(HOW_MANY.values()) == 1000
SIMPLE = ["Sum", "Average", "Minimum", "Maximum", "SampleCount"]
STATS = {"moto": SIMPLE, "ministack": SIMPLE + ["p50", "p90", "p99"], "sim": SIMPLE + ["p50", "p95", "p99.9"]}
NAMESPACES = ["DataPipeline", "Orders", "AWS/Lambda", "AWS/Kinesis", "a.b-c_d/e#f:g", "Team/Load", "N"]
TEXT = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 .-_/#:;@&()*+!?<>[]|~^$%'"
HARD = TEXT + '",={}\\'
ROLES = ["in", "out", "error", "latency", "backlog", "age"]


@pytest.fixture(params=list(HOW_MANY))
def peer(request):
    return request.getfixturevalue(request.param)


class Metric:
    def __init__(self, rng, peer, i, tag):
        word = lambda n, letters: rng.choice("abcXYZ09") + "".join(rng.choice(letters) for _ in range(rng.randrange(n)))
        self.ns = rng.choice(NAMESPACES)
        self.name = f"M{i}" + rng.choice(["", word(12, "abcXYZ09._-")])
        self.dims = {f"{word(6, 'abcXYZ_')}{k}": word(20, rng.choice([TEXT, HARD])).strip() for k in range(rng.choice([0, 1, 1, 2, 3, 6]))}
        self.dims["Run"] = tag
        if peer.name != "sim":  # to the others a metric whose dimensions come in another order is another metric
            self.dims = dict(sorted(self.dims.items()))
        self.stat = rng.choice(STATS[peer.name])

    def text(self):
        quote = lambda s: '"' + s.replace("\\", "\\\\").replace('"', '\\"') + '"'
        inside = ",".join(f"{quote(d)}={quote(v)}" for d, v in self.dims.items())
        return f"{self.ns}/{self.name}{{{inside}}}:{self.stat}"

    def dimensions(self):
        return [{"Name": d, "Value": v} for d, v in self.dims.items()]

    def data(self, points):
        return [{"MetricName": self.name, "Dimensions": self.dimensions(), "Timestamp": datetime.datetime.fromtimestamp(t, UTC), "Value": v}
                for t, v in points]


def value_of(rng):
    v = rng.choice([rng.randrange(1000), rng.uniform(0, 100), rng.uniform(0, 1e-3), rng.uniform(1e6, 1e12), 0.0, -rng.uniform(0, 50)])
    return float(round(v, rng.choice([0, 1, 2, 3, 6]))) if rng.random() < 0.7 else float(v)


class World:
    def __init__(self, peer):
        self.peer, self.rng = peer, random.Random(f"random metrics, {peer.name}")
        self.now = int(time.time()) // 60 * 60
        self.sample = range(200 if LONG else 20)  # of them the history is asked one by one
        self.metrics = [Metric(self.rng, peer, i, f"run{self.now}") for i in range(1000 if LONG else HOW_MANY[peer.name])]

    def value(self, m):
        v = value_of(self.rng)
        return abs(v) if m.stat.startswith("p") else v  # of negative values nobody has percentiles

    def put(self, chance_of, minutes):
        """Each metric gets points in some of the last minutes, none younger than four of them; often several in one."""
        by_ns = {}
        for m in self.metrics:
            if self.rng.random() >= chance_of:
                continue
            some = self.rng.sample(range(4, 90), self.rng.randrange(1, minutes))
            points = [(self.now - 60 * i, self.value(m)) for i in some for _ in range(self.rng.choice([1, 1, 1, 2, 3]))]
            by_ns.setdefault(m.ns, []).extend(m.data(points))
        for ns, data in by_ns.items():
            for k in range(0, len(data), 500):
                self.peer.client("cloudwatch").put_metric_data(Namespace=ns, MetricData=data[k:k + 500])

    def read(self):
        """By boto3: for each metric {minute: value}."""
        cw, found = self.peer.client("cloudwatch"), [{} for _ in self.metrics]
        start, end = (datetime.datetime.fromtimestamp(t, UTC) for t in (self.now - 100 * 60, self.now))
        for k in range(0, len(self.metrics), 100):
            queries = [{"Id": f"q{i}", "MetricStat": {"Metric": {"Namespace": m.ns, "MetricName": m.name, "Dimensions": m.dimensions()},
                                                      "Period": 60, "Stat": m.stat}}
                       for i, m in list(enumerate(self.metrics))[k:k + 100]]
            more = {}
            while more is not None:
                answer = cw.get_metric_data(MetricDataQueries=queries, StartTime=start, EndTime=end, **more)
                for r in answer["MetricDataResults"]:
                    found[int(r["Id"][1:])].update(zip((int(t.timestamp()) // 60 * 60 for t in r["Timestamps"]), r["Values"]))
                more = {"NextToken": answer["NextToken"]} if answer.get("NextToken") else None
        return found


def seconds(text):
    return int(datetime.datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC).timestamp())


def told_by(ran, form):
    assert ran.status == 0, str(ran)
    if form == "json":
        rows = [(seconds(p["time"]), p["value"]) for p in ran.json["points"]]
    else:
        rows = [(seconds(t), float(v) if v else None) for t, v in list(csv.reader(io.StringIO(ran.out)))[1:]]
    assert all(b[0] - a[0] == 60 for a, b in zip(rows, rows[1:])), "a hole in the grid"
    return {t: v for t, v in rows if v is not None}


def bits(points):
    return {t: struct.pack("<d", v) for t, v in points.items()}


def check(told, truth, world):
    for m, a, b in zip(world.metrics, told, truth):
        assert bits(a) == bits(b), f"{m.text()}: sluice {a}\nboto3 {b}"


def check_histories(sluice, world, truth, *more):
    """What `history` says of the sample, every other one as JSON."""
    told = []
    for i in world.sample:
        form = ("csv", "json")[i % 2]
        ran = sluice("history", "-", world.metrics[i].text(), "--since", "100m", "--format", form, *more, env=world.peer.env())
        told.append(told_by(ran, form))
    check(told, truth, world)


def history_file(sluice):
    return pathlib.Path(sluice.home) / ".cache/sluice/history.db"


def check_kept(sluice, world, truth):
    """What the history file holds of all of them."""
    account = world.peer.client("sts").get_caller_identity()["Account"]
    target = f"aws/{account}/{world.peer.region}@{world.peer.url}"
    lines = "".join(m.text() + "\n" for m in world.metrics)
    ran = subprocess.run([CLI, history_file(sluice), target, "60"], input=lines, capture_output=True, text=True, timeout=60)
    assert ran.returncode == 0, ran.stderr
    told = [{} for _ in world.metrics]
    for line in ran.stdout.splitlines():
        i, t, v = line.split()
        told[int(i)][int(t)] = float.fromhex(v)
    check(told, truth, world)


def config(world):
    """Six metrics of it a stage, all of one queue."""
    stages = []
    for k in range(0, len(world.metrics), len(ROLES)):
        own = "\n".join(f"{role} = {m.text()}" for role, m in zip(ROLES, world.metrics[k:k + len(ROLES)]))
        stages.append(f"[stage \"random/s{k}\"]\nresource = sqs:random-metrics\n{own}\n")
    return "[pipeline \"random\"]\n" + "".join(stages)


def check_status(sluice, world, truth):
    ran = sluice("status", "--format", "json", "--config", sluice.config(config(world)), env=world.peer.env())
    assert ran.json["cost"]["metrics"] >= len(world.metrics), str(ran)
    stages = {s["name"]: s["metrics"] for s in ran.json["pipelines"][0]["stages"]}
    now = seconds(ran.json["generated"])
    for i, points in enumerate(truth):
        told = stages[f"s{i - i % len(ROLES)}"][ROLES[i % len(ROLES)]]
        if not points:
            assert (told["value"], told["at"], told["age_seconds"], told["stale"]) == (None, None, None, False), told
            continue
        t = max(points)
        assert (told["value"], seconds(told["at"]), told["age_seconds"]) == (points[t], t, now - t), f"{world.metrics[i].text()} {told}"
        assert told["stale"] == (now - t - 60 > 120 + 60 + 2 * 60), "older than the delay, the poll's interval and two periods"
    newest = max(max(p) for p in truth if p)
    assert seconds(ran.json["data_to"]) == newest + 60 and 0 <= now - seconds(ran.json["polled"]) < 60


# ---- the as-seen log, read as cache/revise.h tells

class Bytes:
    def __init__(self, b):
        self.b, self.at = b, 0

    def varint(self):
        v = shift = 0
        while True:
            byte, self.at = self.b[self.at], self.at + 1
            v |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return v

    def value(self):
        tag = self.b[self.at] & 7
        if tag == 7:
            self.at += 9
            return struct.unpack("<d", self.b[self.at - 8:self.at])[0]
        if tag == 6:
            word = int.from_bytes(self.b[self.at:self.at + 8], "little")
            self.at += 8
            rest = word >> 8
            exponent = ((rest >> 52) << 5 | (word >> 3 & 31)) + 1023 - 256
            return struct.unpack("<d", struct.pack("<Q", exponent << 52 | (rest & (1 << 52) - 1)))[0]
        size = self.varint() >> 3
        return -float(size) if tag == 1 else float(size) if tag == 0 else size / 10.0 ** (tag - 1)


def revisions(sluice):
    """{(series' id, minute): the value before}"""
    db = sqlite3.connect(f"file:{history_file(sluice)}?mode=ro", uri=True)
    found = {}
    for row, body in db.execute("SELECT id, body FROM revision ORDER BY id"):
        b = Bytes(body)
        assert (b.b[0], b.b[1]) == (1, 0), "version, and nothing is missing"
        b.at, series = 2, 0
        b.varint()
        while b.at < len(b.b):
            head = b.varint()
            series, t = series + (head >> 1), (row >> 24) * 7200 + b.varint()
            b.varint()
            assert b.varint() == 0, "since when it was known a command does not know"
            assert (series, t) not in found, "once each"
            found[series, t] = None if head & 1 else b.value()
    db.close()
    return found


def check_revisions(sluice, world, first, truth):
    """Every value that changed, and no other point, stands there once, as it was read first. A series' id is not told: it is whichever
    has all of them."""
    changed = {}
    for i in world.sample:
        values = {t: v for t, v in first[i].items() if bits({t: v}) != bits({t: truth[i][t]})}
        if values:
            changed[i] = values
    told = {}
    for (series, t), old in revisions(sluice).items():
        told.setdefault(series, {})[t] = old
    as_sets = lambda of: sorted(sorted(bits(points).items()) for points in of.values())
    assert changed and as_sets(told) == as_sets(changed)


def test_random_metrics(peer, sluice):
    world = World(peer)
    peer.client("sqs").create_queue(QueueName="random-metrics")
    world.put(0.9, 12)
    first = world.read()
    assert sum(map(len, first)) > 4 * len(first)
    check_status(sluice, world, first)
    check_kept(sluice, world, first)
    check_histories(sluice, world, first)

    world.put(0.6, 8)  # late: into gaps, and into minutes that were read already
    truth = world.read()
    assert truth != first
    check_histories(sluice, world, truth)
    check_revisions(sluice, world, first, truth)
    check_status(sluice, world, truth)
    check_kept(sluice, world, truth)
    check_histories(sluice, world, truth, "--offline")
