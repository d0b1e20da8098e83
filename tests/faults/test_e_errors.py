"""Reliability line E1: every way a service can say "not now", for every operation, in every envelope: the right class, tried again
only where that is safe. The table is AWS's (its SDKs' retry tables), not sluice's."""

import collections
import itertools
import threading

import call_tool
import fakeaws
from fakeaws import FakeAws

THROTTLING = """Throttling ThrottlingException ThrottledException RequestThrottledException TooManyRequestsException
    ProvisionedThroughputExceededException TransactionInProgressException RequestLimitExceeded BandwidthLimitExceeded
    LimitExceededException RequestThrottled SlowDown PriorRequestNotComplete EC2ThrottledException Throttled""".split()
TRANSIENT = {"RequestTimeout": "timeout", "RequestTimeoutException": "timeout", "IDPCommunicationError": "service"}
FINAL = {"AccessDenied": "denied", "AccessDeniedException": "denied", "ExpiredToken": "auth", "UnrecognizedClientException": "auth",
         "ValidationException": "refused", "InvalidParameterValue": "refused", "ResourceNotFoundException": "not found",
         "QueueDoesNotExist": "not found", "ResourceConflictException": "conflict", "OverLimit": "limit"}
STATUS = {500: "service", 502: "service", 503: "service", 504: "service", 408: "timeout", 429: "throttled", 509: "throttled"}

ENVELOPES = {
    "type": lambda c: (f'{{"__type":"{c}","message":"why"}}', {}),
    "namespace": lambda c: (f'{{"__type":"com.amazonaws.some#{c}","Message":"why"}}', {}),
    "header": lambda c: ('{"Type":"User","message":"why"}', {"x-amzn-ErrorType": f"{c}:http://internal.amazon.com/coral/"}),
    "bare_header": lambda c: ("", {"X-Amzn-Errortype": c}),
    "query": lambda c: ('{"__type":"com.amazonaws.some#ANewShape","message":"why"}', {"x-amzn-query-error": f"{c};Sender"}),
    "xml": lambda c: (f'<ErrorResponse xmlns="https://x/"><Error><Type>Sender</Type><Code>{c}</Code><Message>why</Message></Error>'
                      "<RequestId>r</RequestId></ErrorResponse>", {}),
}
PAGES = {"nothing": "", "object": "{}", "html": "<!doctype html><html><h1>Not now</h1><br></html>"}

Case = collections.namedtuple("Case", "op write status body headers once code again doubt name")


def cases():
    """once: the fault comes once, then a good answer. again: may it be tried again? doubt: may a write have taken effect?"""
    named = [(c, 400, "throttled", True, False) for c in THROTTLING] + [(c, 429, "throttled", True, False) for c in THROTTLING[:5]]
    named += [(c, 400, k, None, True) for c, k in TRANSIENT.items()] + [(c, 400, k, False, False) for c, k in FINAL.items()]
    for op, write in itertools.product(fakeaws.OPERATIONS, (False, True)):
        for (name, status, code, again, doubt), (envelope, make) in itertools.product(named, ENVELOPES.items()):
            body, headers = make(name)
            for once in (False, True) if again is not False else (False,):
                yield Case(op, write, status, body, headers, once, code, not write if again is None else again, doubt, f"{name} {envelope}")
        for (status, code), (page, body), once in itertools.product(STATUS.items(), PAGES.items(), (False, True)):
            yield Case(op, write, status, body, {}, once, code, not write, True, f"{status} {page}")


def wrong(case, got, reached):
    """What is wrong with an answer, or nothing."""
    attempts = 1 if not case.again else 2 if case.once else 3
    good = case.once and case.again
    want = ("ok" if good else case.code, attempts, False if good else case.doubt)
    have = (got.code, got.attempts, got.in_doubt)
    if want != have or reached != attempts:
        return f"{case.op}{'!' if case.write else ''} {case.name} once={case.once}: wanted {want}, got {have}, asked {reached} times: {got.text}"
    return None


def test_every_refusal_of_every_operation(tmp_path, figure):
    table = {f"AKID{i}": case for i, case in enumerate(cases())}
    asked, lock = collections.Counter(), threading.Lock()

    def refuse(h, op):
        key = call_tool.key_of(h)
        case = table[key]
        with lock:
            asked[key] += 1
            n = asked[key]
        if case.once and n > 1:
            h.reply(200, h.good(), "application/x-amz-json-1.0")
        else:
            h.reply(case.status, case.body, "text/plain", case.headers)  # Content-Type lies

    with FakeAws({"*": refuse}) as aws:
        got = call_tool.calls(tmp_path, aws.url, {k: c.op + ("!" if c.write else "") for k, c in table.items()})
    problems = [p for p in (wrong(case, got[key], asked[key]) for key, case in table.items()) if p]
    pairs = len({(c.op, c.name.split()[0]) for c in table.values()})
    figure("E1", "refusals x operations x envelopes, class and retries right", attempted=len(table), passed=len(table) - len(problems),
           reached=len(asked), note=f"{pairs} pairs of operation and refusal, wrong class 0 wanted; {sum(asked.values())} requests")
    assert not problems, f"{len(problems)} of {len(table)}:\n" + "\n".join(problems[:10])
