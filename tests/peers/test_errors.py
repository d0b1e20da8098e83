"""errors: a function's errors by shape out of its log, against moto, a fake and the simulator; what it costs in calls."""

import json
import time
import uuid

import pytest
from fakeaws import Answers, FakeAws, denied, error
from program import plain
from simtools import Sim

REQUEST = "11111111-2222-3333-4444-555555555555"


def run(sluice, peer, *args, status=0):
    ran = sluice("errors", *args, env=peer.env())
    assert ran.status == status and plain(ran.out) and plain(ran.err), str(ran)
    return ran


def fake(pages=None, group=None):
    """FilterLogEvents: pages of (stream, seconds ago, text) for the first question; START lines of a stream for the others."""
    class Own(Answers):
        asked = []

        def list_functions(self, body):
            answer = super().list_functions(body)
            if group:
                answer["Functions"][0]["LoggingConfig"] = {"LogFormat": "Text", "LogGroup": group}
            return answer

        def filter_log_events(self, body):
            self.asked.append(body)
            if "START RequestId" in body["filterPattern"]:
                return {"events": [event(body["logStreamNames"][0], 5, f"START RequestId: {REQUEST} Version: 7\n")]}
            at = int(body.get("nextToken", "0"))
            answer = {"events": [event(*e) for e in pages[at]] if at < len(pages) else []}
            if at + 1 < len(pages):
                answer["nextToken"] = str(at + 1)
            return answer

    Own.asked = []
    return Own()


def event(stream, ago, text):
    return {"logStreamName": stream, "timestamp": int((time.time() - ago) * 1000), "message": text, "eventId": uuid.uuid4().hex}


def test_groups(sluice):
    pages = [[("s", 4, "[ERROR] KeyError: 'a'\n"), ("s", 60, "[ERROR] KeyError: 'b'\n"), ("s", 9, "all is well, Error count 0")],
             [("2026/11/23/[6]x", 1200, "[ERROR] KeyError: 'c'\n"), ("s", 30, f"2026-11-23T02:41:00.000Z {REQUEST} Task timed out after 3.00 seconds\n\n")]]
    with FakeAws(answers=fake(pages)) as aws:
        ran = run(sluice, aws, "enrich", "--format", "json").json
    first, second = ran["errors"]
    assert (first["shape"], first["lines"], first["release"], first["newest_release"]) == ("KeyError: '*'", 3, "6", "7"), first
    assert first["requests"] == [REQUEST]
    assert (second["shape"], second["lines"], second["requests"]) == ("Task timed out after <n> seconds", 1, [REQUEST])
    assert ran["whole"] and ran["log_group"] == "/aws/lambda/enrich" and ran["lines_read"] == 5
    with FakeAws(answers=fake(pages)) as aws:
        rows = [r.split("\t") for r in run(sluice, aws, "enrich").out.splitlines()]
    assert [(r[0], r[3], r[6]) for r in rows] == [("3", "6", "KeyError: '*'"), ("1", "", "Task timed out after <n> seconds")]


def test_it_reads_a_few_pages_and_says_so(sluice):
    pages = [[("s", 10 * (i + 1), f"[ERROR] KeyError: {i}\n")] for i in range(50)]
    with FakeAws(answers=fake(pages)) as aws:
        ran = run(sluice, aws, "enrich", "--format", "json")
        calls = aws.calls["logs:FilterLogEvents"]
    assert calls == ran.json["calls"] <= 8
    assert ran.json["whole"] is False and ran.json["errors"][0]["lines"] == 5
    assert "holds more" in ran.err


def test_the_log_group_is_the_functions_own_word(sluice):
    answers = fake([[]], group="/teams/orders")
    with FakeAws(answers=answers) as aws:
        ran = run(sluice, aws, "enrich")
    assert answers.asked[0]["logGroupName"] == "/teams/orders" and "/teams/orders" in ran.err and ran.out == ""


def test_hostile_lines(sluice):
    pages = [[("s\x1b[31m", 4, "[ERROR] Evil\x1b[31mError: \u202e {\"body\": \"secret\"}\n")]]
    with FakeAws(answers=fake(pages)) as aws:
        assert "secret" not in run(sluice, aws, "enrich").out
        assert "secret" not in json.dumps(run(sluice, aws, "enrich", "--format", "json").json["errors"][0]["sample"])


@pytest.mark.parametrize("fault,status,words", [
    (denied, 1, "logs:FilterLogEvents"),
    (error(400, "ResourceNotFoundException", "The specified log group does not exist."), 1, "there is no log group /aws/lambda/enrich"),
])
def test_what_cannot_be_read_is_an_error(sluice, fault, status, words):
    with FakeAws({"logs:FilterLogEvents": fault}, fake([[]])) as aws:
        ran = run(sluice, aws, "enrich", status=status)
    assert words in ran.err and ran.out == "" and len(ran.err.splitlines()) == 1


def test_a_function_that_is_not_there(sluice):
    with FakeAws(answers=fake([[]])) as aws:
        assert "no function of this name" in run(sluice, aws, "nobody", status=1).err
        assert "logs:FilterLogEvents" not in aws.calls
    with FakeAws({"lambda:ListFunctions": denied}, fake([[("s", 4, "[ERROR] KeyError: 'a'")]])) as aws:
        assert run(sluice, aws, "unlisted").out.startswith("1\t")  # its log has the usual name


def test_against_moto(moto, sluice, tmp_path):
    logs, group = moto.client("logs"), f"/aws/lambda/f{uuid.uuid4().hex[:8]}"
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="2026/11/23/[3]abc")
    now = int(time.time() * 1000)
    lines = [f"START RequestId: {REQUEST} Version: 3", "[ERROR] KeyError: 'a'\nTraceback (most recent call last):\n  File \"/var/task/app.py\", line 2, in f\n",
             f"END RequestId: {REQUEST}"]
    logs.put_log_events(logGroupName=group, logStreamName="2026/11/23/[3]abc",
                        logEvents=[{"timestamp": now - 5000 + i, "message": m} for i, m in enumerate(lines)])
    with FakeAws({"lambda:ListFunctions": denied}) as front:  # moto has no such function; its log is what matters
        env = {**moto.env(), "AWS_ENDPOINT_URL_LAMBDA": front.url}
        ran = sluice("errors", group.rsplit("/", 1)[1], "--format", "json", env=env)
    assert ran.status == 0, str(ran)
    (only,) = ran.json["errors"]
    assert (only["shape"], only["lines"], only["release"]) == ("KeyError: '*', at app.py in f", 1, "3")


def test_the_release_that_broke_it(sluice):
    with Sim.start("bad-deploy") as s:
        ran = run(sluice, s.peer, "orders-enrich", "--format", "json").json
    worst = max(ran["errors"], key=lambda e: e["lines"])
    assert worst["type"] == "PoolTimeout" and worst["release"] == worst["newest_release"] == "42"
    assert worst["requests"] and worst["lines"] > 100
    assert all(e["release"] == "41" for e in ran["errors"] if e is not worst), ran["errors"]


def test_messages_where_the_log_names_them(sluice):
    with Sim.start("poison-shard") as s:
        ran = run(sluice, s.peer, "orders-loader", "--since", "3h", "--format", "json").json
        queue = s.peer.client("sqs")
        url = queue.get_queue_url(QueueName="orders-load-dlq")["QueueUrl"]
        before = queue.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])["Attributes"]
    named = [m for e in ran["errors"] for m in e["messages"]]
    assert all(uuid.UUID(m) for m in named) and named, ran["errors"]
    assert int(before["ApproximateNumberOfMessages"]) > 0  # nothing was received for it
