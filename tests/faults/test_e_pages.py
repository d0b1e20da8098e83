"""Reliability line E5: lists that come in pages and never end, repeat, shrink or break off: the loop stops, the count is right, and what
was not read whole is not taken for whole."""

import collections
import json
import threading
import urllib.parse

import call_tool
import fakeaws
from fakeaws import ACCOUNT, REGION, FakeAws, arn
from program import Sluice


def queue(i):
    return f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/q{i}"


def alarm(i):
    return {"AlarmName": f"a{i}", "AlarmArn": arn("cloudwatch", f"alarm:a{i}"), "StateValue": "OK", "MetricName": "Errors", "Namespace": "AWS/Lambda",
            "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold",
            "ActionsEnabled": True, "StateUpdatedTimestamp": 1700000000.0, "Dimensions": []}


def mapping(i):
    return {"UUID": f"u{i}", "EventSourceArn": arn("kinesis", f"stream/s{i}"), "FunctionArn": arn("lambda", f"function:f{i}"), "State": "Enabled"}


# operation -> (its items in the answer, the name of the token)
PAGED = {
    "sqs:ListQueues": (lambda items: {"QueueUrls": [queue(i) for i in items]}, "NextToken"),
    "kinesis:ListStreams": (lambda items: {"StreamNames": [f"s{i}" for i in items], "StreamSummaries": [
        {"StreamName": f"s{i}", "StreamARN": arn("kinesis", f"stream/s{i}"), "StreamStatus": "ACTIVE"} for i in items]}, "NextToken"),
    "lambda:ListFunctions": (lambda items: {"Functions": [{"FunctionName": f"f{i}", "FunctionArn": arn("lambda", f"function:f{i}")} for i in items]},
                             "NextMarker"),
    "lambda:ListEventSourceMappings": (lambda items: {"EventSourceMappings": [mapping(i) for i in items]}, "NextMarker"),
    "cloudwatch:DescribeAlarms": (lambda items: {"MetricAlarms": [alarm(i) for i in items], "CompositeAlarms": []}, "NextToken"),
    "cloudwatch:ListMetrics": (lambda items: {"Metrics": [{"Namespace": "AWS/SQS", "MetricName": f"M{i}", "Dimensions": []} for i in items]}, "NextToken"),
    "cloudwatch:GetMetricData": (lambda items: {"MetricDataResults": [{
        "Id": "m0", "Label": "x", "StatusCode": "Complete", "Timestamps": [1700000000 + 60 * i for i in items], "Values": [1.0] * len(items)}]},
        "NextToken"),
}
GONE = object()  # the token is absent
NO_TOKEN = {"null": None, "empty": "", "absent": GONE}

Page = collections.namedtuple("Page", "items token")
# case -> (page number -> Page or a refusal, expected code, items, requests at most, words in the error)
Case = collections.namedtuple("Case", "page code items requests words")


def listed(*pages):
    return lambda n: pages[min(n, len(pages) - 1)]


def ends_with(how):
    return Case(listed(Page(range(3), "a"), Page(range(3, 5), NO_TOKEN[how])), "ok", 5, 2, "")


expired_token = fakeaws.error(400, "ExpiredNextTokenException", "The pagination token has expired")
CASES = {
    "repeats": Case(lambda n: Page(range(2), "same"), "bad reply", None, 3, "same page token twice"),
    "circle of 3": Case(lambda n: Page(range(1), f"t{n % 3}"), "bad reply", None, 12, "same page token twice"),
    "circle of 7 after 5": Case(lambda n: Page(range(0), f"t{n if n < 5 else 5 + (n - 5) % 7}"), "bad reply", None, 30, "same page token twice"),
    "empty pages, then items": Case(lambda n: Page(range(0), f"t{n}") if n < 9 else Page(range(4), None), "ok", 4, 10, ""),
    "only empty pages": Case(lambda n: Page(range(0), f"t{n}" if n < 9 else None), "ok", 0, 10, ""),
    "shrinking": Case(lambda n: Page(range(10 * n, 10 * n + 5 - n), f"t{n}" if n < 5 else None), "ok", 15, 6, ""),
    "same item twice": Case(listed(Page(range(3), "a"), Page(range(2, 5), None)), "ok", 6, 2, ""),
    "ends with null": ends_with("null"), "ends with \"\"": ends_with("empty"), "ends without": ends_with("absent"),
    "expires": Case(listed(Page(range(3), "a"), expired_token), "refused", 3, 2, "ExpiredNextTokenException"),
    "fails once": Case(lambda n: (Page(range(3), "a"), fakeaws.internal, Page(range(3, 5), None))[n], "ok", 5, 3, ""),
    "page 2 cut": Case(lambda n: fakeaws.cut if n else Page(range(3), "a"), "bad reply", None, 2, ""),
    "a number as token": Case(listed(Page(range(3), 7)), "bad reply", None, 1, ""),
    "an object as token": Case(listed(Page(range(3), {"a": "b"})), "bad reply", None, 1, ""),
    "token of 60 KB": Case(lambda n: Page(range(1), str(n) + "x" * 60000 if n < 2 else None), "ok", 3, 3, ""),
    "token to escape": Case(lambda n: Page(range(1), f'"\\\n/+=&%20\u00e9{n}' if n < 2 else None), "ok", 3, 3, ""),
}


def body_of(op, page):
    make, key = PAGED[op]
    body = make(list(page.items))
    if page.token is not GONE:
        body[key] = page.token
    if op == "kinesis:ListStreams":
        body["HasMoreStreams"] = page.token not in (None, "", GONE)
    return body


def token_sent(h, op):
    """The token of a request, or nothing."""
    if op.startswith("lambda:"):
        return urllib.parse.parse_qs(urllib.parse.urlsplit(h.path).query).get("Marker", [None])[0]
    return json.loads(h.body).get("NextToken")


def wrong(key, case, got, requests, strayed):
    problems = []
    if got.code != case.code or case.words not in got.text:
        problems.append(f"said {got.code}: {got.text}")
    if case.items is not None and got.items != case.items:
        problems.append(f"{got.items} items, not {case.items}")
    if requests > case.requests:
        problems.append(f"{requests} requests, {case.requests} are enough")
    if strayed:
        problems.append("asked with a token that was not given")
    return f"{key}: {'; '.join(problems)}" if problems else None


def test_pages(tmp_path, figure):
    table = {f"AKID{i}": (op, name) for i, (op, name) in enumerate((op, name) for op in PAGED for name in CASES)}
    asked, given, strayed, lock = collections.Counter(), {}, set(), threading.Lock()

    def answer(h, op):
        key = call_tool.key_of(h)
        with lock:
            n = asked[key]
            asked[key] += 1
            if token_sent(h, op) != given.get(key):
                strayed.add(key)
        page = CASES[table[key][1]].page(n)
        if callable(page):
            page(h, op)
        else:
            given[key] = page.token
            h.reply(200, json.dumps(body_of(op, page)), "application/x-amz-json-1.0")

    with FakeAws({"*": answer}) as aws:
        got = call_tool.calls(tmp_path, aws.url, {k: op for k, (op, name) in table.items()})
    problems = [p for p in (wrong(table[k], CASES[table[k][1]], got[k], asked[k], k in strayed) for k in table) if p]
    figure("E5", f"pages: {len(CASES)} ways x {len(PAGED)} operations", attempted=len(table), passed=len(table) - len(problems), reached=len(asked),
           note=f"{sum(asked.values())} requests, {max(asked.values())} at most for one list")
    assert not problems, "\n".join(problems)


class Overlapping(fakeaws.Answers):
    """Every list in two pages that share an item, as when something is made while the list is read."""

    def paged(self, body, token, make, n):
        return {**make(range(n - 1, n + 1) if body.get("NextToken") else range(n)), token: None if body.get("NextToken") else "p2"}

    def list_queues(self, body):
        return self.paged(body, "NextToken", PAGED["sqs:ListQueues"][0], 3)

    def describe_alarms(self, body):
        return self.paged(body, "NextToken", PAGED["cloudwatch:DescribeAlarms"][0], 3)

    def get_queue_attributes(self, body):
        answer = super().get_queue_attributes(body)
        answer["Attributes"]["QueueArn"] = arn("sqs", body["QueueUrl"].rsplit("/", 1)[-1])
        return answer


def test_what_stands_on_two_pages_is_one(tmp_path, figure):
    """The program's own count: three queues and one more, three alarms and one more."""
    with FakeAws(answers=Overlapping()) as aws:
        ran = Sluice(tmp_path)("status", "--format", "json", env=aws.env())
        alarms = Sluice(tmp_path)("--check", "--alarms", "--format", "json", env=aws.env())
        reached = aws.calls["sqs:ListQueues"] >= 2 and aws.calls["cloudwatch:DescribeAlarms"] >= 2
    queues = [s["name"] for p in ran.json["pipelines"] for s in p["stages"] if s["kind"] == "sqs"]
    names = [c["name"] for c in alarms.json["checks"]]
    right = (sorted(queues) == ["q0", "q1", "q2", "q3"]) + (len(names) == len(set(names)) == 4)
    figure("E5", "an item on two pages is shown once", attempted=2, passed=right, reached=int(reached))
    assert right == 2, f"{queues} {names}\n{ran}\n{alarms}"


def test_tokens_without_end(tmp_path, figure):
    """Other tokens for ever, each with an empty page: the run ends at its deadline and says so; nothing of the list passes for whole."""
    state = {"n": 0}

    def forever(h, op):
        state["n"] += 1
        h.reply(200, json.dumps({"QueueUrls": [], "NextToken": f"t{state['n']}"}), "application/x-amz-json-1.0")

    with FakeAws({"sqs:ListQueues": forever}) as aws:
        ran = Sluice(tmp_path)("--check", "-t", "4", "--format", "json", env=aws.env())
    codes = {c["code"] for c in ran.json["checks"] if c["status"] == "UNKNOWN"}
    right = ran.status == 3 and bool(codes) and 0 < len(ran.err.splitlines()) <= 3
    figure("E5", "tokens without end: stopped by the deadline, UNKNOWN", attempted=1, passed=int(right), reached=state["n"],
           note=f"{state['n']} pages in 4 s; a console stops after 10,000")
    assert right, str(ran)
