"""The embedded AWS's faults as boto3 sees them: the right exception for every error, nothing to complain about in every good
answer, and each fault really reached, by its own count. Retries are off: one call is one request."""

import email.utils
import gzip
import http.client
import json
import re
import socket
import time

import botocore.exceptions as bx
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from program import SLOWER
from simtools import Sim

TESTED = set()  # names of faults that some test here switches on


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    with Sim.start("calm", home=tmp_path_factory.mktemp("sim")) as s:
        yield s


@pytest.fixture
def sim(world):
    world.heal()
    yield world
    world.heal()


@pytest.fixture(scope="module")
def client(world):
    made = {}
    return lambda service: made.setdefault(service, world.once(service))


def spoil(sim, *specs):
    TESTED.update(re.split("[:,]", s.split("=", 1)[1])[0] for s in specs)
    return sim.spoil(*specs)


def queue(sim, name="orders-load"):
    return f"{sim.endpoint}/123456789012/{name}"


def iterator(client):
    return client("kinesis").get_shard_iterator(StreamName="orders-ingest", ShardId="shardId-000000000000",
                                                ShardIteratorType="TRIM_HORIZON")["ShardIterator"]


def raw(sim, method, path, body=None, **headers):
    """(status, headers, body) of a request that no library had a hand in."""
    c = http.client.HTTPConnection("127.0.0.1", sim.port, timeout=20 * SLOWER)
    try:
        c.request(method, path, body, {k.replace("_", "-"): v for k, v in headers.items()})
        r = c.getresponse()
        return r.status, r.headers, r.read()
    finally:
        c.close()


# ---- what can be called, once

CALLS = {
    "cloudwatch:DescribeAlarms": ("cloudwatch", "describe_alarms", {}),
    "cloudwatch:ListMetrics": ("cloudwatch", "list_metrics", {}),
    "cloudwatch:PutMetricAlarm": ("cloudwatch", "put_metric_alarm", dict(
        AlarmName="a", Namespace="n", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1, Threshold=1,
        ComparisonOperator="GreaterThanThreshold")),
    "kinesis:ListStreams": ("kinesis", "list_streams", {}),
    "kinesis:ListShards": ("kinesis", "list_shards", dict(StreamName="orders-ingest")),
    "kinesis:PutRecord": ("kinesis", "put_record", dict(StreamName="orders-ingest", Data=b"x", PartitionKey="k")),
    "lambda:ListFunctions": ("lambda", "list_functions", {}),
    "lambda:Invoke": ("lambda", "invoke", dict(FunctionName="nightly-report", Payload=b"{}")),
    "sqs:ListQueues": ("sqs", "list_queues", {}),
    "sqs:SendMessage": ("sqs", "send_message", dict(MessageBody="m")),
    "sqs:ReceiveMessage": ("sqs", "receive_message", {}),
    "sts:GetCallerIdentity": ("sts", "get_caller_identity", {}),
}
ONE_OF_EACH = ["cloudwatch:ListMetrics", "kinesis:ListStreams", "lambda:ListFunctions", "sqs:ListQueues", "sts:GetCallerIdentity"]


def call(sim, client, op):
    service, method, args = CALLS[op]
    if op in ("sqs:SendMessage", "sqs:ReceiveMessage"):
        args = dict(args, QueueUrl=queue(sim))
    return getattr(client(service), method)(**args)


def fails(sim, client, op):
    """(code, status, message, exception's name, response)"""
    with pytest.raises(ClientError) as e:
        call(sim, client, op)
    error = e.value.response["Error"]
    return error["Code"], e.value.response["ResponseMetadata"]["HTTPStatusCode"], error["Message"], type(e.value).__name__, e.value.response


DENIED = "User: arn:aws:iam::123456789012:user/sluice is not authorized to perform: {} on resource: arn:aws:"
ERRORS = [  # operation, fault, code, status, what the message holds, the exception's class when the service models it
    *[(op, "denied", "AccessDenied" if op.split(":")[0] in ("sqs", "sts", "cloudwatch") else "AccessDeniedException",
       400 if op.startswith("kinesis") else 403, DENIED.format(op), None) for op in ONE_OF_EACH],
    ("sqs:ListQueues", "denied:explicit", "AccessDenied", 403, "with an explicit deny in an identity-based policy", None),
    ("sqs:ListQueues", "denied:scp", "AccessDenied", 403, "with an explicit deny in a service control policy", None),
    ("sqs:ListQueues", "denied:boundary", "AccessDenied", 403, "because no permissions boundary allows the sqs:ListQueues action", None),
    ("sqs:ListQueues", "denied:session", "AccessDenied", 403, "because no session policy allows the sqs:ListQueues action", None),
    *[(op, "expired-token", "ExpiredToken" if op.split(":")[0] in ("sqs", "sts", "cloudwatch") else "ExpiredTokenException",
       400 if op.startswith("kinesis") else 403, "is expired", None) for op in ONE_OF_EACH],
    *[(op, "unknown-key", "InvalidClientTokenId" if op.split(":")[0] in ("sqs", "sts", "cloudwatch") else "UnrecognizedClientException",
       403, "is invalid", None) for op in ONE_OF_EACH],
    ("cloudwatch:ListMetrics", "throttle", "Throttling", 400, "Rate exceeded", None),
    ("sqs:ListQueues", "throttle", "RequestThrottled", 403, "throttled", "RequestThrottled"),
    ("kinesis:ListStreams", "throttle", "LimitExceededException", 400, "Rate exceeded", "LimitExceededException"),
    ("kinesis:PutRecord", "throttle", "ProvisionedThroughputExceededException", 400, "Rate exceeded for shard",
     "ProvisionedThroughputExceededException"),
    ("lambda:ListFunctions", "throttle", "TooManyRequestsException", 429, "Rate Exceeded", "TooManyRequestsException"),
    ("sts:GetCallerIdentity", "throttle", "Throttling", 400, "Rate exceeded", None),
    ("cloudwatch:ListMetrics", "status:500", "InternalServiceError", 500, "internal error", "InternalServiceFault"),
    ("kinesis:ListStreams", "status:500", "InternalFailureException", 500, "internal error", "InternalFailureException"),
    ("lambda:ListFunctions", "status:500", "ServiceException", 500, "internal error", "ServiceException"),
    ("sqs:ListQueues", "status:500", "InternalFailure", 500, "internal error", None),
    ("sts:GetCallerIdentity", "status:500", "InternalFailure", 500, "internal error", None),
    *[(op, "status:503", "ServiceUnavailable", 503, "unavailable", None) for op in ONE_OF_EACH],
]


@pytest.mark.parametrize("op,fault,code,status,says,cls", ERRORS, ids=[f"{e[0]}={e[1]}" for e in ERRORS])
def test_errors(sim, client, op, fault, code, status, says, cls):
    spec = f"{op}={fault},times=1"
    spoil(sim, spec)
    got = fails(sim, client, op)
    assert got[:2] == (code, status)
    assert says in got[2]
    if cls:
        assert got[3] == cls
    assert sim.hits() == {spec: 1}
    call(sim, client, op)  # it is over
    assert sim.hits() == {spec: 1}


def test_lambda_says_why(sim, client):
    spoil(sim, "lambda:Invoke=throttle:ReservedFunctionConcurrentInvocationLimitExceeded")
    *_, response = fails(sim, client, "lambda:Invoke")
    assert response["Reason"] == "ReservedFunctionConcurrentInvocationLimitExceeded"
    assert response["retryAfterSeconds"] == "1"


# ---- pages and silence in place of an answer

@pytest.mark.parametrize("op", ONE_OF_EACH)
@pytest.mark.parametrize("fault,status", [("html", 503), ("html:502", 502), ("status:502", 502), ("status:504", 504), ("status:404", 404),
                                          ("empty:500", 500), ("empty:413", 413)])
def test_not_the_services_own_errors(sim, client, op, fault, status):
    spoil(sim, f"{op}={fault}")
    with pytest.raises((ClientError, ResponseParserError)) as e:  # the latter: a page where XML or JSON should be
        call(sim, client, op)
    if e.type is ClientError:
        assert e.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
    assert list(sim.hits().values()) == [1]


def test_a_good_status_and_no_answer(sim, client):
    spoil(sim, "sqs:ListQueues=html:200", "kinesis:ListStreams=empty", "cloudwatch:ListMetrics=big:100000", "lambda:ListFunctions=cut")
    for op, key in (("sqs:ListQueues", "QueueUrls"), ("kinesis:ListStreams", "StreamNames"), ("cloudwatch:ListMetrics", "Metrics"),
                    ("lambda:ListFunctions", "Functions")):
        assert key not in call(sim, client, op)  # boto3 is easily pleased
    assert list(sim.hits().values()) == [1, 1, 1, 1]
    headers = signed(sim)
    assert raw(sim, "POST", "/", "{}", **headers)[2].startswith(b"<html>")
    sim.heal()
    sim.spoil("sqs:ListQueues=big:100000")
    assert raw(sim, "POST", "/", "{}", **headers)[2] == b"A" * 100000


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_redirects(sim, client, status):
    """A trap tells who followed."""
    spoil(sim, f"kinesis:ListStreams=redirect:{status}")
    with pytest.raises((ClientError, ResponseParserError)):
        call(sim, client, "kinesis:ListStreams")
    assert list(sim.hits().values()) == [1] and sim.report()["trapped"] == 0
    sim.control("GET", path="/_sluice/trap")
    assert sim.report()["trapped"] == 1


# ---- clocks

@pytest.mark.parametrize("op", ONE_OF_EACH)
@pytest.mark.parametrize("ahead", [3600, -3600, 90000])
def test_a_clock_elsewhere(sim, client, op, ahead):
    spoil(sim, f"{op}=clock:{ahead}")
    code, status, says, _, response = fails(sim, client, op)
    assert code in ("SignatureDoesNotMatch", "InvalidSignatureException") and status == 403
    assert ("Signature expired" if ahead > 0 else "Signature not yet current") in says
    date = email.utils.parsedate_to_datetime(response["ResponseMetadata"]["HTTPHeaders"]["date"])
    assert abs(date.timestamp() - time.time() - ahead) < 10 * SLOWER
    assert list(sim.hits().values()) == [1]


def test_a_clock_that_is_near_enough(sim, client):
    spoil(sim, "sqs:ListQueues=clock:200")
    assert call(sim, client, "sqs:ListQueues")["QueueUrls"]
    assert list(sim.hits().values()) == [0]  # it made no difference


def test_too_skewed(sim, client):
    spoil(sim, "sqs:ListQueues=skewed:-7200", "kinesis:ListStreams=skewed:7200")
    for op, ahead in (("sqs:ListQueues", -7200), ("kinesis:ListStreams", 7200)):
        code, status, _, _, response = fails(sim, client, op)
        assert (code, status) == ("RequestTimeTooSkewed", 403)
        date = email.utils.parsedate_to_datetime(response["ResponseMetadata"]["HTTPHeaders"]["date"])
        assert abs(date.timestamp() - time.time() - ahead) < 10 * SLOWER


# ---- the line

def sent(sim):
    """How many messages were sent to a queue of the scenario's, as the queue says."""
    attributes = sim.once("sqs").get_queue_attributes(QueueUrl=queue(sim, "orders-load-dlq"), AttributeNames=["All"])["Attributes"]
    return int(attributes["ApproximateNumberOfMessages"])


@pytest.mark.parametrize("fault,done", [("reset", 0), ("lost", 1), ("half", 1), ("half:0", 1), ("length:50", 1)])
def test_a_line_that_breaks(sim, fault, done):
    """With the work done or not done, as the fault says."""
    before = sent(sim)
    spoil(sim, f"sqs:SendMessage={fault}")
    with pytest.raises((bx.ConnectionClosedError, bx.IncompleteReadError, bx.ResponseStreamingError, bx.HTTPClientError)):
        sim.once("sqs").send_message(QueueUrl=queue(sim, "orders-load-dlq"), MessageBody="m")
    assert list(sim.hits().values()) == [1]
    sim.heal()
    assert sent(sim) == before + done


def signed(sim, service="sqs", target="AmazonSQS.ListQueues", version="1.0", body="{}"):
    """Headers of a request as botocore signs it."""
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials
    request = AWSRequest("POST", sim.endpoint + "/", data=body,
                         headers={"X-Amz-Target": target, "Content-Type": f"application/x-amz-json-{version}"})
    SigV4Auth(Credentials(sim.access_key, sim.secret_key), service, sim.region).add_auth(request)
    return dict(request.headers.items())


def on_the_wire(sim, **more):
    """Every byte that comes until the server closes or is silent."""
    headers = {"Host": f"127.0.0.1:{sim.port}", **signed(sim), **{k.replace("_", "-"): v for k, v in more.items()}, "Content-Length": "2"}
    s = socket.create_connection(("127.0.0.1", sim.port), timeout=2 * SLOWER)
    s.sendall("".join(["POST / HTTP/1.1\r\n", *(f"{k}: {v}\r\n" for k, v in headers.items()), "\r\n{}"]).encode())
    data, end = b"", "closed"
    try:
        while more_data := s.recv(65536):
            data += more_data
    except TimeoutError:
        end = "open"
    except ConnectionResetError:
        end = "reset"
    s.close()
    head, _, body = data.partition(b"\r\n\r\n")
    return head.decode(), body, end


def test_bytes_on_the_line(sim, client):
    good = on_the_wire(sim)[1]
    assert json.loads(good)["QueueUrls"]

    spoil(sim, "sqs:ListQueues=reset")
    assert on_the_wire(sim) == ("", b"", "reset")
    sim.heal()
    spoil(sim, "sqs:ListQueues=lost")
    assert on_the_wire(sim) == ("", b"", "closed")
    sim.heal()
    spoil(sim, "sqs:ListQueues=half")
    head, body, end = on_the_wire(sim)
    assert f"Content-Length: {len(good)}" in head and body == good[:len(good) // 2] and end == "closed"
    sim.heal()
    spoil(sim, "sqs:ListQueues=cut:9")
    head, body, end = on_the_wire(sim)
    assert "Content-Length: 9" in head and body == good[:9] and end == "open"
    sim.heal()
    spoil(sim, "sqs:ListQueues=length:33")
    head, body, end = on_the_wire(sim)
    assert f"Content-Length: {len(good) + 33}" in head and body == good and end == "closed"
    sim.heal()
    spoil(sim, "sqs:ListQueues=length:-33")
    head, body, end = on_the_wire(sim)
    assert f"Content-Length: {len(good) - 33}" in head and "chunked" not in head and body == good and end == "closed"
    sim.heal()
    spoil(sim, "sqs:ListQueues=chunked:5", "sqs:ListQueues=gzip")
    head, body, _ = on_the_wire(sim, Accept_Encoding="gzip, deflate")
    assert "Transfer-Encoding: chunked" in head and "Content-Encoding: gzip" in head and body.startswith(b"5\r\n")
    chunks = re.findall(rb"\r\n(.{5})\r\n5\r\n", b"\r\n" + body, re.S)
    assert chunks[0] == gzip.compress(b"")[:4] + body[7:8]
    assert sim.hits() == {"sqs:ListQueues=chunked:5": 1, "sqs:ListQueues=gzip": 1}


def test_good_answers_in_other_clothes(sim, client):
    """Chunks, compression and slowness are no faults to a client: what comes is the same."""
    plain = call(sim, client, "sqs:ListQueues")["QueueUrls"]
    spoil(sim, "*=chunked", "*=gzip")
    assert call(sim, client, "sqs:ListQueues")["QueueUrls"] == plain
    status, headers, body = raw(sim, "POST", "/", "{}", **{**signed(sim), "Accept-Encoding": "gzip"})
    assert status == 200 and headers["Content-Encoding"] == "gzip" and json.loads(gzip.decompress(body))["QueueUrls"] == plain
    sim.heal()
    spoil(sim, "sqs:ListQueues=gzip:always")
    assert raw(sim, "POST", "/", "{}", **signed(sim))[1]["Content-Encoding"] == "gzip"
    sim.heal()
    spoil(sim, "*=drip:2")
    assert call(sim, client, "sqs:ListQueues")["QueueUrls"] == plain
    assert list(sim.hits().values()) == [1]


def test_slow(sim, client):
    spoil(sim, "sqs:ListQueues=delay:400", "kinesis:ListStreams=drip:40")
    for op in ("sqs:ListQueues", "kinesis:ListStreams"):
        begun = time.monotonic()
        call(sim, client, op)
        assert time.monotonic() - begun >= 0.4
    with pytest.raises(bx.ReadTimeoutError):
        sim.spoil("sqs:SendMessage=delay:3000,times=1")
        before = sent(sim)
        sim.once("sqs", read_timeout=0.5).send_message(QueueUrl=queue(sim, "orders-load-dlq"), MessageBody="m")
    assert sent(sim) == before + 1  # the work was done all the same
    assert list(sim.hits().values()) == [1, 1, 1]


def test_stops_in_the_middle_of_a_drip(tmp_path):
    with Sim.start("calm", home=tmp_path, faults=["sqs:ListQueues=drip:60000"]) as s:
        c = socket.create_connection(("127.0.0.1", s.port))
        headers = {"Host": f"127.0.0.1:{s.port}", **signed(s), "Content-Length": "2"}
        c.sendall("".join(["POST / HTTP/1.1\r\n", *(f"{k}: {v}\r\n" for k, v in headers.items()), "\r\n{}"]).encode())
        assert c.recv(15) == b"HTTP/1.1 200 OK"
        assert s.stop() == (0, "")
        c.close()


# ---- switching

def test_limits(sim, client):
    spoil(sim, "sqs:ListQueues=throttle,after=2,times=2")
    seen = ""
    for _ in range(6):
        try:
            call(sim, client, "sqs:ListQueues")
            seen += "."
        except ClientError:
            seen += "x"
    report = sim.report()
    assert seen == "..xx.." and report["faults"][0]["seen"] == 6 and report["faults"][0]["hits"] == 2
    assert report["calls"] == {"sqs:ListQueues": 6}


def test_a_long_poll_is_one_call(sim, client):
    q = sim.once("sqs").create_queue(QueueName="empty")["QueueUrl"]
    sim.heal()
    spoil(sim, "sqs:ReceiveMessage=throttle,after=1", "sqs:ReceiveMessage=delay:10")
    assert "Messages" not in client("sqs").receive_message(QueueUrl=q, WaitTimeSeconds=1)
    report = sim.report()
    assert report["calls"] == {"sqs:ReceiveMessage": 1}
    assert [(f["seen"], f["hits"]) for f in report["faults"]] == [(1, 0), (1, 1)]
    with pytest.raises(ClientError):
        client("sqs").receive_message(QueueUrl=q)


def test_wrong_keys_are_refused_first(sim):
    spoil(sim, "sqs:ListQueues=html")
    with pytest.raises(ClientError) as e:
        sim.once("sqs", aws_secret_access_key="wrong").list_queues()
    assert e.value.response["Error"]["Code"] == "SignatureDoesNotMatch"
    assert list(sim.hits().values()) == [0]


def test_the_control_path(sim, client):
    assert sim.control("POST", {"faults": ["sqs:*=throttle", "sqs:*=no-such"]}) == (
        400, {"message": "no fault 'no-such': `sluice sim --fault list` names them"})
    assert sim.report() == {"faults": [], "calls": {}, "trapped": 0}  # all of them or none
    for body in ({}, [], {"faults": "sqs:*=throttle"}, {"faults": [1]}):
        assert sim.control("POST", body)[0] == 400
    assert sim.control("PATCH")[0] == 405
    assert sim.control("GET", path="/_sluice/other")[0] == 404
    assert sim.control("GET", Origin="http://evil.example")[0] == 403
    assert sim.control("GET", Host="evil.example")[0] == 403
    assert sim.control("GET", Host=f"localhost:{sim.port}")[0] == 200


def test_from_the_command_line(tmp_path, sluice):
    with Sim.start("empty", home=tmp_path, faults=["sqs:ListQueues=throttle,times=1", "kinesis:*=denied"]) as s:
        with pytest.raises(s.once("sqs").exceptions.ClientError):
            s.once("sqs").list_queues()
        s.once("sqs").list_queues()
        with pytest.raises(ClientError):
            s.once("kinesis").list_streams()
        assert s.hits() == {"sqs:ListQueues=throttle,times=1": 1, "kinesis:*=denied": 1}
    r = sluice("sim", "--fault", "sqs:Nothing=throttle")
    assert r.status == 2 and "no operation 'Nothing'" in r.err and r.err.count("\n") == 1 and r.out == ""
    assert sluice("sim", "--fault", "").status == 2


# ---- at last: was every fault of the table tried?

def test_none_was_forgotten(sluice, request):
    if request.config.getoption("-k") or len(TESTED) < 3:
        pytest.skip("SKIP: only some of the tests of this file run")
    r = sluice("sim", "--fault", "list")
    assert r.status == 0
    names = {line.split()[0] for line in r.out.split("\nOperations:")[0].splitlines() if line[:1].strip()}
    assert names - TESTED == set()
