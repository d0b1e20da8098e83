"""What AWS and its emulators really send and a client must take: each habit alone, everything else as usual.

Elsewhere: pages of HTML, empty answers and XML on JSON calls (test_faults.py, and tests/faults/test_e_errors.py with every place an error's
name may stand in), tokens and lists (tests/faults/test_e_pages.py), StatusCode per result (test_faults.py), Failed[] and ErrorCode per entry
(tests/unit/t_batch.c), TLS with a bundle of one's own (test_faults.py)."""

import datetime
import json
import random

import fakeaws
import pytest
from fakeaws import FakeAws
from program import Sluice


def status(home, env):
    ran = Sluice(home)("status", "--format", "json", env=env)
    return ran, {(s["kind"], s["name"]): s["state"] if "state" in s else s["health"] for p in ran.json["pipelines"] for s in p["stages"]}


@pytest.fixture
def healthy(tmp_path):
    with FakeAws() as aws:
        return status(tmp_path / "healthy", aws.env())[1]


TIMES = {
    "whole": lambda t: t, "fraction": lambda t: t + 0.123, "exponent": lambda t: float(f"{t:e}") if float(f"{t:e}") == t else t * 1.0,
    "Z": lambda t: datetime.datetime.fromtimestamp(t, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ"),
    "offset": lambda t: datetime.datetime.fromtimestamp(t, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S+00:00"),
    "milliseconds": lambda t: datetime.datetime.fromtimestamp(t, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.000Z"),
}


@pytest.mark.parametrize("form", TIMES)
def test_times_in_any_form_and_order_and_off_the_grid(tmp_path, healthy, form):
    class Other(fakeaws.Answers):
        def get_metric_data(self, body):
            answer = super().get_metric_data(body)
            for r in answer["MetricDataResults"]:
                times = [TIMES[form](t + random.Random(t).randrange(50)) for t in r["Timestamps"]]
                random.Random(1).shuffle(times)
                r["Timestamps"] = times
            return answer

    with FakeAws(answers=Other()) as aws:
        ran, seen = status(tmp_path, aws.env())
    assert seen == healthy and ran.status == 0 and ran.err == "", str(ran)


@pytest.mark.parametrize("nothing", ["absent", "null", "[]"])
def test_nothing_is_said_in_three_ways(tmp_path, nothing):
    """An account without anything: no error, no stage, and --check does not call it fine."""
    lists = {"list_queues": "QueueUrls", "list_streams": "StreamNames", "list_functions": "Functions",
             "list_event_source_mappings": "EventSourceMappings", "describe_alarms": "MetricAlarms"}

    class Empty(fakeaws.Answers):
        def __getattribute__(self, name):
            if name not in lists:
                return super().__getattribute__(name)
            value = {} if nothing == "absent" else {lists[name]: None if nothing == "null" else [], "NextToken": None, "NextMarker": None}
            return lambda body: {**value, **({"HasMoreStreams": False} if name == "list_streams" else {})}

    with FakeAws(answers=Empty()) as aws:
        ran, seen = status(tmp_path, aws.env())
        check = Sluice(tmp_path)("--check", "--format", "json", env=aws.env())
    assert seen == {} and ran.status == 0 and ran.err == "", str(ran)
    assert check.status == 3, str(check)


def test_queue_urls_of_another_host_go_into_the_body_alone(tmp_path, healthy):
    """The endpoint given is asked; the host within a queue's URL may not resolve."""
    hosts, urls = set(), set()

    class Elsewhere(fakeaws.Answers):
        def list_queues(self, body):
            return {"QueueUrls": [f"http://queue.no-such-host.invalid:4566/{fakeaws.ACCOUNT}/{q}" for q in fakeaws.QUEUES]}

    def watched(h, op):
        hosts.add(h.headers["Host"])
        urls.add(json.loads(h.body).get("QueueUrl"))
        h.reply(200, h.good(), "application/x-amz-json-1.0")

    with FakeAws({"sqs:GetQueueAttributes": watched}, answers=Elsewhere()) as aws:
        ran, seen = status(tmp_path, aws.env())
        assert hosts == {aws.url.removeprefix("http://")}
    assert urls == {f"http://queue.no-such-host.invalid:4566/{fakeaws.ACCOUNT}/{q}" for q in fakeaws.QUEUES}
    assert seen == healthy and ran.err == "", str(ran)


@pytest.mark.parametrize("closes", [True, False])
def test_servers_that_close_and_that_keep_alive(tmp_path, healthy, closes):
    connections = set()

    def answer(h, op):
        connections.add(h.client_address)
        kind = "text/xml" if op.startswith("sts:") else "application/x-amz-json-1.0"
        h.reply(200, h.good(), kind, {"Connection": "close"} if closes else {})
        h.close_connection = closes

    with FakeAws({"*": answer}) as aws:
        ran, seen = status(tmp_path, aws.env())
        asked = sum(aws.calls.values())
    assert seen == healthy and ran.status == 0 and ran.err == "", str(ran)
    assert len(connections) == asked if closes else len(connections) < asked


def test_kinesis_hangs_up_after_an_error(tmp_path, healthy):
    """And is asked again over another connection."""
    asked = []

    def first_throttles(h, op):
        asked.append(h.client_address)
        if len(asked) > 1:
            h.reply(200, h.good(), "application/x-amz-json-1.1")
            return
        h.reply(400, '{"__type":"LimitExceededException","message":"Rate exceeded"}', "application/x-amz-json-1.1")
        h.hang_up()

    with FakeAws({"kinesis:DescribeStreamSummary": first_throttles}) as aws:
        ran, seen = status(tmp_path, aws.env())
    assert len(set(asked)) == 2 and seen == healthy and ran.err == "", str(ran)


@pytest.mark.parametrize("name,legacy,code", [
    ("com.amazonaws.sqs#QueueDoesNotExist", "AWS.SimpleQueueService.NonExistentQueue;Sender", "ERROR"),
    ("com.amazonaws.sqs#AShapeToCome", "RequestThrottled;Sender", "THROTTLED"),
    ("com.amazonaws.sqs#RequestThrottled", "ANameToCome;Sender", "THROTTLED"),
])
def test_sqs_says_both_codes(tmp_path, name, legacy, code):
    def both(h, op):
        h.reply(400, json.dumps({"__type": name, "message": "said both ways"}), "application/x-amz-json-1.0", {"x-amzn-query-error": legacy})

    with FakeAws({"sqs:GetQueueAttributes": both}) as aws:
        ran = Sluice(tmp_path)("--check", "--format", "json", env=aws.env())
    assert ran.status == 3 and {c["code"] for c in ran.json["checks"] if c["status"] == "UNKNOWN"} == {code}, str(ran)
