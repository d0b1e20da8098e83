"""replay of a stream's records, by pointers in an on-failure queue and by hand: read again, whole, in their order, each accounted for."""

import json
import re

import pytest
from replaykit import INSPECT, OPERATE
from simtools import Sim
from streamkit import Stream


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with Sim.start("empty", home=tmp_path_factory.mktemp("sim")) as s:
        yield s
        assert s.stop() == (0, "")


@pytest.fixture
def sim(world):
    world.heal()
    yield world
    world.heal()


def start(sluice, stream, source, n, *more, status=0):
    """--limit: the queue's end need not be waited for."""
    ran = sluice("replay", "start", source, *OPERATE, "--yes-i-mean", n, "--limit", n, "--rate", "500", "--format", "json", *more,
                 env=stream.peer.env())
    assert ran.status == status, ran
    return ran


def failures(stream):
    return f"failures:{stream.queue_name}"


def by_hand(stream, shard="shardId-000000000000"):
    v = stream.records[shard]
    return f"kinesis:{stream.name}/{shard}@{v[0][0]}..{v[-1][0]}"


def check_event(stream, event, shard):
    for r in event["Records"]:
        k = r["kinesis"]
        assert (k["kinesisSchemaVersion"], r["eventSource"], r["eventVersion"]) == ("1.0", "aws:kinesis", "1.0")
        assert (r["eventName"], r["eventSourceARN"], r["awsRegion"]) == ("aws:kinesis:record", stream.arn, stream.peer.region)
        assert r["eventID"] == f"{shard}:{k['sequenceNumber']}" and r["invokeIdentityArn"] == "arn:aws:iam::123456789012:role/r"
        assert re.fullmatch(r"k\d+", k["partitionKey"]) and k["approximateArrivalTimestamp"] > 1.5e9


def test_pointers(sim, sluice, rng):
    """Each message's records, as the mapping had them, through the function that the record names; then the queue is empty."""
    stream = Stream.make(sim, rng)
    stream.put(12, data=lambda i: bytes([i, 0, 255, 254]))
    stream.give_up(4)
    told = start(sluice, stream, failures(stream), 3).json
    assert (told["selected"], told["verified"], told["unaccounted"], told["state"]) == (3, 3, 0, "DONE")
    assert stream.left() == (0, 0)
    assert sorted(stream.deliveries()) == sorted(stream.all_records())
    events = stream.events()
    assert [len(e["Records"]) for e in events] == [4, 4, 4]
    for event in events:
        check_event(stream, event, "shardId-000000000000")


def test_by_hand(sim, sluice, rng):
    stream = Stream.make(sim, rng, batch=5)
    stream.put(23)
    ran = start(sluice, stream, by_hand(stream), 23, "--through", stream.function)
    told = ran.json
    assert (told["selected"], told["verified"], told["unaccounted"], told["state"]) == (23, 23, 0, "DONE")
    assert stream.deliveries() == stream.all_records()  # in their order
    assert [len(e["Records"]) for e in stream.events()][:2] == [1, 5]
    assert {i["message_id"].rsplit(":", 1)[1]: i["body_sha256"] for i in told["items"]} == stream.sha()
    for event in stream.events():
        check_event(stream, event, "shardId-000000000000")
    assert "frozen: 23 records" in ran.err


@pytest.mark.parametrize("partial", [False, True])
def test_a_bad_record_is_found_and_the_rest_goes_on(sim, sluice, rng, partial):
    """As the mapping bisects: in order, what fails alone twice is given up; the message stays, and says which."""
    stream = Stream.make(sim, rng, partial=partial, fail_if="bad")
    stream.put(16, data=lambda i: b"bad" if i in (13, 14) else b"good %d" % i)
    sent = stream.give_up(16)
    stream.put(4)
    stream.records = {s: v[16:] for s, v in stream.records.items()}
    other = stream.give_up(4)
    told = start(sluice, stream, failures(stream), 2, status=1).json
    assert (told["state"], told["verified"], told["poison"], told["unaccounted"]) == ("DONE", 1, 1, 0)
    item = {i["message_id"]: i for i in told["items"]}[list(sent)[0]]
    numbers = list(sent.values())[0]
    assert item["state"] == "POISON" and f"2 of its 16 records failed (the first: {numbers[13]}), 14 were accepted" in item["text"]
    assert sum(stream.left()) == 1
    times = {}
    for number, data in stream.deliveries():
        times[number] = times.get(number, 0) + 1
    assert set(times) == set(numbers) | set(list(other.values())[0])
    order = [n for n, d in stream.deliveries() if d.startswith(b"good")]
    assert [n for i, n in enumerate(order) if n not in order[i + 1:]] == [n for i, n in enumerate(numbers) if i not in (13, 14)]
    assert len(stream.events()) <= 16


@pytest.mark.parametrize("partial", [False, True])
def test_a_bad_record_by_hand(sim, sluice, rng, partial):
    stream = Stream.make(sim, rng, batch=20, partial=partial, fail_if="bad")
    put = stream.put(40, data=lambda i: b"bad" if i == 30 else b"good %d" % i)
    told = start(sluice, stream, by_hand(stream), 40, "--through", stream.function, status=1).json
    assert (told["state"], told["verified"], told["poison"], told["unaccounted"]) == ("DONE", 39, 1, 0)
    bad = [i for i in told["items"] if i["state"] == "POISON"]
    assert [i["message_id"] for i in bad] == [f"{put[30][0]}:{put[30][1]}"] and bad[0]["rejections"] == 2
    order = [n for n, _ in stream.deliveries()]
    last = [n for i, n in enumerate(order) if n not in order[i + 1:]]
    assert last == [n for _, n, _ in put]


def test_a_function_that_takes_nothing_stops_it_soon(sim, sluice, rng):
    stream = Stream.make(sim, rng, fail_if="good")
    stream.put(200, data=lambda i: b"good %d" % i)
    stream.give_up(100)
    told = start(sluice, stream, failures(stream), 2, status=1).json
    assert told["state"] == "PAUSED" and "of 3 results failed" in told["reason"], told["reason"]
    assert sum(stream.left()) == 2 and len(stream.events()) < 40


BAD = {
    "no JSON": lambda s, t: "{oops",
    "something else": lambda s, t: json.dumps({"order": 1}),
    "a shard of nonsense": lambda s, t: t.replace("shardId-000000000000", "shard/0"),
    "a backward range": lambda s, t: s.pointer("shardId-000000000000", s.all_records()[1][0], s.all_records()[0][0], 2),
    "a size of nothing": lambda s, t: s.pointer("shardId-000000000000", s.all_records()[0][0], s.all_records()[1][0], 0),
    "another account": lambda s, t: t.replace(":123456789012:stream", ":999999999999:stream"),
    "no function": lambda s, t: t.replace(s.function, "nobody"),
    "a DynamoDB stream": lambda s, t: t.replace("KinesisBatchInfo", "DDBStreamBatchInfo"),
    "a number of another stream": lambda s, t: t.replace(s.all_records()[0][0], "1"),
    "fewer than it counts": lambda s, t: s.pointer("shardId-000000000000", s.all_records()[0][0], s.all_records()[1][0], 3),
    "more than it counts": lambda s, t: s.pointer("shardId-000000000000", s.all_records()[0][0], s.all_records()[3][0], 2),
}


def test_what_cannot_be_followed_is_kept_out(sim, sluice, rng):
    """One clear line each; nothing is sent of it, nothing deleted, and the good one is done all the same."""
    stream = Stream.make(sim, rng)
    stream.put(4)
    numbers = [n for n, _ in stream.all_records()]
    good = stream.pointer("shardId-000000000000", numbers[0], numbers[1], 2)
    bad = {stream.send(make(stream, good)): what for what, make in BAD.items()}
    ok = stream.send(good)
    ran = start(sluice, stream, failures(stream), len(bad) + 1, status=1)
    told = ran.json
    items = {i["message_id"]: i for i in told["items"]}
    assert (told["state"], told["unaccounted"]) == ("DONE", 0)
    for message, what in bad.items():
        assert items[message]["state"] == "HELD" and items[message]["text"], (what, items[message])
        assert "\n" not in items[message]["text"]
    assert items[ok]["state"] == "VERIFIED" and stream.deliveries() == stream.all_records()[:2]
    assert sum(stream.left()) == len(bad)


def test_records_that_have_expired(sim, sluice, rng):
    """All of them: GONE, and why. Some: the others are sent, and it is said. Their messages stay."""
    stream = Stream.make(sim, rng)
    stream.put(8)
    sent = stream.give_up(4)
    sim.spoil("kinesis:GetRecords=trimmed:6,times=1")
    told = start(sluice, stream, failures(stream), 2, status=1).json
    items = [{i["message_id"]: i for i in told["items"]}[m] for m in sent]
    assert (told["state"], told["gone"], told["unaccounted"]) == ("DONE", 2, 0)
    assert [i["code"] for i in items] == ["EXPIRED", "EXPIRED"] and "have expired" in items[0]["text"]
    assert "2 of its 4 records had expired, the other 2 were accepted" in items[1]["text"]
    assert stream.deliveries() == stream.all_records()[6:] and sum(stream.left()) == 2


def test_a_range_that_has_expired_is_refused(sim, sluice, rng):
    stream = Stream.make(sim, rng)
    stream.put(6)
    sim.spoil("kinesis:GetRecords=trimmed:2,times=1")
    ran = start(sluice, stream, by_hand(stream), 6, "--through", stream.function, status=1)
    v = stream.records["shardId-000000000000"]
    assert f"the record {v[0][0]} is not in shardId-000000000000 (any more): the first that is there is {v[2][0]}" in ran.err
    assert stream.deliveries() == []


def test_ranges_that_are_none(sim, sluice, rng):
    stream = Stream.make(sim, rng)
    stream.put(2)
    first = stream.all_records()[0][0]
    for source, word, status in (("kinesis:x", "kinesis:STREAM/SHARD@SEQ..SEQ", 2),
                                 (f"kinesis:{stream.name}/shardId-000000000000@9..8", "ends before it begins", 2),
                                 (f"kinesis:nowhere/shardId-000000000000@1..{first}", "not found", 1),
                                 (f"kinesis:{stream.name}/shardId-000000000009@{first}..{first}", "has no shard shardId-000000000009", 1),
                                 (f"kinesis:{stream.name}/shardId-000000000000@1..2", "1 is no sequence number of shardId-000000000000", 2)):
        ran = start(sluice, stream, source, 2, "--through", stream.function, status=status)
        assert word in ran.err, ran
    assert stream.deliveries() == []


def test_a_shard_that_was_split(sim, sluice, rng):
    """It goes on in its children: what they hold comes behind what it held."""
    stream = Stream.make(sim, rng)
    kinesis = stream.peer.client("kinesis")
    stream.put(4)
    kinesis.split_shard(StreamName=stream.name, ShardToSplit="shardId-000000000000", NewStartingHashKey=str(1 << 127))
    stream.put(6)
    assert len(stream.records) == 3
    parent = stream.records["shardId-000000000000"]
    last = max((n for n, _ in stream.all_records()), key=lambda n: (len(n), n))
    source = f"kinesis:{stream.name}/shardId-000000000000@{parent[0][0]}..{last}"
    told = start(sluice, stream, source, 10, "--through", stream.function).json
    assert (told["state"], told["verified"]) == ("DONE", 10)
    got = stream.deliveries()
    assert got[:4] == parent and sorted(got) == sorted(stream.all_records())
    for v in stream.records.values():
        assert [r for r in got if r in v] == v


def test_groups_and_plan(sim, sluice, rng):
    stream = Stream.make(sim, rng)
    stream.put(6)
    stream.give_up(3)
    ran = sluice("replay", "groups", failures(stream), *INSPECT, "--format", "json", env=stream.peer.env())
    assert ran.status == 0, ran
    assert [(g["cause"], g["messages"]) for g in ran.json["groups"]] == [("RetryAttemptsExhausted: Unhandled", 2)]
    ran = sluice("replay", "plan", by_hand(stream), "--through", stream.function, *INSPECT, "--format", "json", env=stream.peer.env())
    assert ran.status == 0 and ran.json["selected"] == 6 and "frozen: 6 records" in ran.err
    assert stream.deliveries() == [] and stream.left() == (2, 0)
