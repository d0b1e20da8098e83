"""replay of a stream's records, by pointers in an on-failure queue and by hand: read again, whole, in their order, each accounted for."""

import datetime
import json
import re
import time

import pytest
from replaykit import INSPECT, OPERATE
from simtools import sim, world  # noqa: F401 (fixtures)
from streamkit import Stream


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
    ran = sluice("replay", "groups", failures(stream), *INSPECT, "--limit", 2, "--format", "json", env=stream.peer.env())
    assert ran.status == 0, ran
    assert [(g["cause"], g["messages"]) for g in ran.json["groups"]] == [("RetryAttemptsExhausted: Unhandled", 2)]
    loss = datetime.datetime.fromisoformat(ran.json["groups"][0]["first_loss"]) - datetime.datetime.now(datetime.timezone.utc)
    assert datetime.timedelta(hours=23) < loss < datetime.timedelta(hours=24)  # the stream's, not the queue's fourteen days
    ran = sluice("replay", "plan", by_hand(stream), "--through", stream.function, *INSPECT, "--format", "json", env=stream.peer.env())
    assert ran.status == 0 and ran.json["selected"] == 6 and "frozen: 6 records" in ran.err
    assert stream.deliveries() == [] and stream.left() == (2, 0)


def test_a_plan_says_what_is_lost_already(sim, sluice, rng):
    stream = Stream.make(sim, rng)
    (shard, first, _), (_, last, _) = stream.put(2)
    stream.send(stream.pointer(shard, first, last, 2, approximateArrivalOfFirstRecord="2026-01-02T03:04:05.678Z"))
    stream.send("{}")
    ran = sluice("replay", "plan", failures(stream), *INSPECT, "--limit", 2, env=stream.peer.env())
    assert ran.status == 0 and "1 of the messages point to records that have expired" in ran.err, ran
    assert "1 of the messages are no on-failure records that can be followed" in ran.err, ran


@pytest.mark.parametrize("policy", ["resend", "hold"])
def test_an_answer_that_is_lost(sim, sluice, rng, policy):
    """By hand: what comes behind waits for a person. By pointers: the part that was under way is in doubt, what was accepted before is not."""
    stream = Stream.make(sim, rng, batch=5)
    stream.put(11)
    sim.spoil("lambda:Invoke=lost,after=1,times=1")
    ran = start(sluice, stream, by_hand(stream), 11, "--through", stream.function, status=1)
    told = ran.json
    assert (told["state"], told["verified"], told["unknown"], told["pending"]) == ("PAUSED", 1, 5, 5), told
    assert "those behind it wait for it" in told["reason"]
    ran = sluice("replay", "resume", "--unknown", policy, "--mode", "operate", "--rate", "500", "--format", "json", env=stream.peer.env())
    assert ran.json["state"] == "DONE" and ran.status == (0 if policy == "resend" else 1), ran
    given = [n for n, _ in stream.deliveries()]
    numbers = [n for n, _ in stream.all_records()]
    twice = numbers[1:6] if policy == "resend" else []
    assert [n for n in numbers if given.count(n) == 2] == twice and set(given) == set(numbers)
    named = [i["message_id"].split(":")[1] for i in ran.json["items"] if i["possible_duplicate"]]
    assert named == twice and (ran.json["verified"], ran.json["unknown"]) == ((11, 0) if policy == "resend" else (6, 5))


def test_a_pointer_goes_on_where_it_was(sim, sluice, rng):
    """Half of it accepted, then an answer lost: the resume sends what was in doubt and behind it, never what was accepted."""
    stream = Stream.make(sim, rng, fail_if="bad")
    stream.put(16, data=lambda i: b"bad" if i == 15 else b"good %d" % i)
    message = list(stream.give_up(16))[0]
    sim.spoil("lambda:Invoke=lost,after=2,times=1")  # the whole fails, the first half is accepted, the answer to the next is lost
    told = start(sluice, stream, failures(stream), 1, status=1).json
    assert (told["state"], told["unknown"]) == ("DONE", 1)
    assert [len(e["Records"]) for e in stream.events()] == [16, 8, 4]
    ran = sluice("replay", "resume", "--unknown", "resend", "--mode", "operate", "--format", "json", env=stream.peer.env())
    assert ran.json["poison"] == 1 and "1 of its 16 records failed" in ran.json["items"][0]["text"], ran
    assert ran.json["items"][0]["message_id"] == message and ran.json["items"][0]["possible_duplicate"]
    numbers = [n for n, _ in stream.all_records()]
    times = {n: [g for g, _ in stream.deliveries()].count(n) for n in numbers}
    assert all(times[n] == 2 for n in numbers[:8])  # with all of them, which failed, and then by halves
    assert sum(stream.left()) == 1


def test_reading_keeps_to_the_shard_s_limits(sim, sluice, rng):
    """5 reads and 2 MiB a second a shard, shared: with another reader about, one a second. Nothing was refused."""
    stream = Stream.make(sim, rng)
    lam = stream.peer.client("lambda")
    stream.put(4)
    stream.give_up(2)
    sim.spoil("kinesis:GetRecords=read-limits")
    mapping = lam.list_event_source_mappings(EventSourceArn=stream.arn)["EventSourceMappings"][0]["UUID"]
    lam.update_event_source_mapping(UUID=mapping, Enabled=True)
    began = time.monotonic()
    assert start(sluice, stream, failures(stream), 2).json["verified"] == 2
    assert time.monotonic() - began > 1 and sum(sim.hits().values()) == 0


def test_reading_goes_on_behind_what_fails(sim, sluice, rng):
    """An iterator that expired is taken anew, a throttled or failed read again; nothing is read twice, nothing left out."""
    stream = Stream.make(sim, rng, batch=5)
    stream.put(9)
    sim.spoil("kinesis:GetRecords=expired-iterator,times=1", "kinesis:GetRecords=behind:60000,times=1", "kinesis:GetRecords=status:500,times=1",
              "kinesis:GetShardIterator=throttle,times=1")
    told = start(sluice, stream, by_hand(stream), 9, "--through", stream.function).json
    assert told["verified"] == 9 and stream.deliveries() == stream.all_records() and min(sim.hits().values()) == 1


def test_what_is_not_there_any_more(sim, sluice, rng):
    """The stream goes away between two lives of a run: one line, paused; of pointers: GONE, and why."""
    stream = Stream.make(sim, rng, batch=5)
    stream.put(8)
    stream.give_up(4)
    sim.spoil("lambda:Invoke=denied,after=1")
    told = start(sluice, stream, by_hand(stream), 8, "--through", stream.function, status=1).json
    assert (told["state"], told["verified"], told["pending"]) == ("PAUSED", 1, 7) and "AccessDenied" in told["reason"], told
    sim.heal()
    stream.peer.client("kinesis").delete_stream(StreamName=stream.name, EnforceConsumerDeletion=True)
    ran = sluice("replay", "resume", "--mode", "operate", "--format", "json", env=stream.peer.env())
    assert ran.status == 1 and "ResourceNotFound" in ran.err and len(stream.deliveries()) == 1, ran
    shown = sluice("replay", "show", "--format", "json", env=stream.peer.env()).json
    assert (shown["state"], shown["pending"]) == ("PAUSED", 7)  # not given up: a resume that could not begin changes nothing
    told = start(sluice, stream, failures(stream), 2, status=1).json
    assert (told["state"], told["gone"]) == ("DONE", 2)
    assert {i["text"] for i in told["items"]} == {"its stream is not there any more, and no record of it"}
    assert sum(stream.left()) == 2


def test_expired_between_two_lives(sim, sluice, rng):
    stream = Stream.make(sim, rng, batch=5)
    stream.put(11)
    sim.spoil("lambda:Invoke=denied,after=1")
    start(sluice, stream, by_hand(stream), 11, "--through", stream.function, status=1)
    sim.heal()
    sim.spoil("kinesis:GetRecords=trimmed:4,times=1")
    ran = sluice("replay", "resume", "--mode", "operate", "--format", "json", env=stream.peer.env())
    told = ran.json
    assert (told["state"], told["verified"], told["gone"], told["unaccounted"]) == ("DONE", 8, 3, 0), told
    assert [i["seq"] for i in told["items"] if i["code"] == "EXPIRED"] == [2, 3, 4] and ran.status == 1
    assert stream.deliveries() == stream.all_records()[:1] + stream.all_records()[4:]
