"""The embedded AWS's faults as boto3 sees them: the right exception for every error, nothing to complain about in every good
answer, and each fault really reached, by its own count. Retries are off: one call is one request."""

import datetime
import email.utils
import gzip
import hashlib
import http.client
import json
import re
import socket
import time

import boto3
import botocore.exceptions as bx
import botocore.utils
import pytest
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError
from program import SLOWER
from simtools import sim, Sim, world  # noqa: F401 (fixtures)

TESTED = set()  # names of faults that some test here switches on


WORLD = {"scenario": "calm"}


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


# ---- credentials: where they come from, how long they live

ROLE = "arn:aws:iam::123456789012:role/ops"


def with_keys(sim, service, keys):
    names = {k.lower(): v for k, v in keys.items()}
    return sim.once(service, aws_access_key_id=names["accesskeyid"], aws_secret_access_key=names["secretaccesskey"],
                    aws_session_token=names.get("sessiontoken") or names["token"])


def unsigned(sim, service):
    return boto3.client(service, region_name=sim.region, endpoint_url=sim.endpoint,
                        config=Config(signature_version=UNSIGNED, retries={"total_max_attempts": 1}))


def who(sim, keys):
    return with_keys(sim, "sts", keys).get_caller_identity()["Arn"]


def assume(sim, session="night", **more):
    return sim.once("sts").assume_role(RoleArn=ROLE, RoleSessionName=session, **more)


def web_identity(sim, token="eyJhbGciOiJSUzI1NiJ9.e30.c2ln"):
    return unsigned(sim, "sts").assume_role_with_web_identity(RoleArn=ROLE, RoleSessionName="pod", WebIdentityToken=token)


def imds(sim):
    return botocore.utils.InstanceMetadataFetcher(timeout=1, num_attempts=1, base_url=sim.endpoint + "/", env={}).retrieve_iam_role_credentials()


def container(sim, path="/v1/credentials", token="sim-container-token"):
    return botocore.utils.ContainerMetadataFetcher(sleep=lambda s: None).retrieve_full_uri(
        sim.endpoint + path, headers={"Authorization": token} if token else None)


def role_credentials(sim, token="sim-access-token", account="123456789012"):
    return unsigned(sim, "sso").get_role_credentials(roleName="ReadOnly", accountId=account, accessToken=token)["roleCredentials"]


def new_token(sim, refresh="sim-refresh-token"):
    return unsigned(sim, "sso-oidc").create_token(clientId="sim-client", clientSecret="sim-client-secret", grantType="refresh_token",
                                                  refreshToken=refresh)


def seconds_left(when):
    when = when if isinstance(when, (int, float)) else when.timestamp()
    return when - time.time()


def refusal(call, *args, **more):
    with pytest.raises(ClientError) as e:
        call(*args, **more)
    return e.value.response["Error"]["Code"], e.value.response["ResponseMetadata"]["HTTPStatusCode"], type(e.value).__name__


def test_assumed_roles(sim):
    answer = assume(sim)
    keys = answer["Credentials"]
    assert keys["AccessKeyId"].startswith("ASIA") and 3500 < seconds_left(keys["Expiration"]) <= 3600
    assert answer["AssumedRoleUser"]["Arn"] == who(sim, keys) == "arn:aws:sts::123456789012:assumed-role/ops/night"
    for service, method in (("sqs", "list_queues"), ("kinesis", "list_streams"), ("lambda", "list_functions"), ("cloudwatch", "list_metrics")):
        getattr(with_keys(sim, service, keys), method)()
    stripped = sim.once("sqs", aws_access_key_id=keys["AccessKeyId"], aws_secret_access_key=keys["SecretAccessKey"])
    assert refusal(stripped.list_queues)[0] == "InvalidClientTokenId"
    assert refusal(with_keys(sim, "sqs", {**keys, "SessionToken": "x"}).list_queues)[0] == "InvalidClientTokenId"
    assert refusal(with_keys(sim, "sqs", {**keys, "SecretAccessKey": "x"}).list_queues)[0] == "SignatureDoesNotMatch"
    # a role from a role: an hour at most
    chained = with_keys(sim, "sts", keys).assume_role(RoleArn=ROLE, RoleSessionName="on")["Credentials"]
    assert who(sim, chained).endswith("/on")
    assert refusal(with_keys(sim, "sts", keys).assume_role, RoleArn=ROLE, RoleSessionName="on", DurationSeconds=7200)[0] == "ValidationError"
    assert 42000 < seconds_left(assume(sim, DurationSeconds=43200)["Credentials"]["Expiration"])
    # a code from a device
    assert assume(sim, SerialNumber="arn:aws:iam::123456789012:mfa/me", TokenCode="123456")["Credentials"]
    assert refusal(assume, sim, SerialNumber="arn:aws:iam::123456789012:mfa/me", TokenCode="000000")[:2] == ("AccessDenied", 403)
    assert refusal(assume, sim, session="no/way")[0] == "ValidationError"


def test_denied_roles(sim):
    spoil(sim, "sts:AssumeRole=denied")
    with pytest.raises(ClientError, match="not authorized to perform: sts:AssumeRole on resource: " + ROLE):
        assume(sim)
    keys = role_credentials(sim)
    spoil(sim, "sqs:ListQueues=denied")
    with pytest.raises(ClientError, match=r"User: arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_ReadOnly_\w+/sluice is not authorized"):
        with_keys(sim, "sqs", keys).list_queues()
    assert list(sim.hits().values()) == [1, 1]


def test_web_identity(sim):
    answer = web_identity(sim)
    assert who(sim, answer["Credentials"]).endswith(":assumed-role/ops/pod")
    for fault, code in (("bad-web-token", "InvalidIdentityToken"), ("idp-down", "IDPCommunicationError"), ("expired-token", "ExpiredTokenException")):
        spoil(sim, f"sts:AssumeRoleWithWebIdentity={fault},times=1")
        assert refusal(web_identity, sim)[:2] == (code, 400)
    assert refusal(unsigned(sim, "sts").get_caller_identity)[:2] == ("MissingAuthenticationToken", 403)
    assert refusal(unsigned(sim, "sts").assume_role, RoleArn=ROLE, RoleSessionName="pod")[0] == "MissingAuthenticationToken"
    assert list(sim.hits().values()) == [1, 1, 1]


def test_sso(sim):
    keys = role_credentials(sim)
    assert who(sim, keys).startswith("arn:aws:sts::123456789012:assumed-role/AWSReservedSSO_ReadOnly_")
    assert 3500 < seconds_left(keys["expiration"] / 1000) <= 3600
    assert refusal(role_credentials, sim, token="x") == ("UnauthorizedException", 401, "UnauthorizedException")
    assert refusal(role_credentials, sim, account="210987654321")[:2] == ("ForbiddenException", 403)
    token = new_token(sim)
    assert token["tokenType"] == "Bearer" and token["expiresIn"] == 28800
    assert role_credentials(sim, token=token["accessToken"])
    assert new_token(sim, refresh=token["refreshToken"])["accessToken"] != token["accessToken"]
    assert refusal(new_token, sim, refresh="x") == ("InvalidGrantException", 400, "InvalidGrantException")
    assert refusal(role_credentials, sim, token=token["refreshToken"])[0] == "UnauthorizedException"
    spoil(sim, "sso:*=expired-token,times=1", "sso:*=throttle,times=1", "oidc:*=expired-token,times=1", "oidc:*=lifetime:1")
    assert refusal(role_credentials, sim) == ("UnauthorizedException", 401, "UnauthorizedException")
    assert refusal(role_credentials, sim)[1:] == (429, "TooManyRequestsException")
    assert refusal(new_token, sim) == ("ExpiredTokenException", 400, "ExpiredTokenException")
    token = new_token(sim)
    assert token["expiresIn"] == 1
    time.sleep(1.1)
    assert refusal(role_credentials, sim, token=token["accessToken"])[0] == "UnauthorizedException"


def test_instance_metadata(sim):
    got = imds(sim)
    assert got["role_name"] == "sluice-instance" and who(sim, {"AccessKeyId": got["access_key"], "SecretAccessKey": got["secret_key"],
                                                               "SessionToken": got["token"]}).endswith("assumed-role/sluice-instance/i-0123456789abcdef0")
    assert imds(sim) == got  # the same, until they are near their end
    ttl = {"x-aws-ec2-metadata-token-ttl-seconds": "21600"}
    status, headers, token = raw(sim, "PUT", "/latest/api/token", **ttl)
    assert status == 200 and headers["x-aws-ec2-metadata-token-ttl-seconds"] == "21600"
    mine = {"x-aws-ec2-metadata-token": token.decode()}
    assert raw(sim, "GET", "/latest/meta-data/placement/region", **mine)[::2] == (200, sim.region.encode())
    assert raw(sim, "GET", "/latest/meta-data/placement/availability-zone", **mine)[2] == sim.region.encode() + b"a"
    assert raw(sim, "GET", "/latest/meta-data/iam/security-credentials/", **mine)[2] == b"sluice-instance"
    assert raw(sim, "GET", "/latest/meta-data/iam/security-credentials/other", **mine)[0] == 404
    assert raw(sim, "GET", "/latest/other", **mine)[0] == 404
    assert raw(sim, "GET", "/latest/meta-data/placement/region")[0] == 401  # version 2 alone
    assert raw(sim, "GET", "/latest/meta-data/placement/region", x_aws_ec2_metadata_token="x")[0] == 401
    assert raw(sim, "PUT", "/latest/api/token")[0] == 400
    assert raw(sim, "PUT", "/latest/api/token", **{**ttl, "x-aws-ec2-metadata-token-ttl-seconds": "99999"})[0] == 400
    assert raw(sim, "PUT", "/latest/api/token", **ttl, x_forwarded_for="10.0.0.1")[0] == 403
    short = raw(sim, "PUT", "/latest/api/token", x_aws_ec2_metadata_token_ttl_seconds="1")[2].decode()
    assert raw(sim, "GET", "/latest/meta-data/placement/region", x_aws_ec2_metadata_token=short)[0] == 200
    time.sleep(1.1)
    assert raw(sim, "GET", "/latest/meta-data/placement/region", x_aws_ec2_metadata_token=short)[0] == 401


def test_a_mebibyte_of_metadata(sim):
    spoil(sim, "imds:GetToken=big", "container:*=big:70000")
    assert raw(sim, "PUT", "/latest/api/token", x_aws_ec2_metadata_token_ttl_seconds="60")[2] == b"A" * 1048576
    assert raw(sim, "GET", "/v1/credentials")[2] == b"A" * 70000


@pytest.mark.parametrize("fault", ["delay:1500", "status:400", "status:401", "html:200", "empty", "lost", "reset", "half", "redirect"])
def test_bad_instance_metadata(sim, fault):
    """botocore's own reader gives up on each of them, and is not misled."""
    spoil(sim, f"imds:*={fault}")
    if fault.startswith("redirect"):
        assert raw(sim, "PUT", "/latest/api/token", x_aws_ec2_metadata_token_ttl_seconds="60")[0] == 302
    elif fault == "html:200":  # it takes the page for a token
        with pytest.raises(bx.HTTPClientError, match="Invalid header value"):
            imds(sim)
    else:
        assert imds(sim) == {}
    assert list(sim.hits().values())[0] >= 1 and sim.report()["trapped"] == 0


def test_old_instance_metadata(sim):
    for status in (403, 404, 405):  # no token to be had: botocore goes on without one, and a version 2 says 401
        spoil(sim, f"imds:GetToken=status:{status}")
        assert imds(sim) == {}
        assert sim.report()["calls"]["imds:GetRole"] >= 1
        sim.heal()
    spoil(sim, "imds:*=imds-v1")
    assert imds(sim)["role_name"] == "sluice-instance"
    assert list(sim.hits().values()) == [3]  # the token refused, the role and the keys given


def test_containers(sim):
    for path in ("/v1/credentials", "/v2/credentials/sluice"):
        got = container(sim, path)
        assert who(sim, got).endswith(":assumed-role/sluice-task/0123456789abcdef")
        assert seconds_left(email_or_iso(got["Expiration"])) > 20000
        assert raw(sim, "GET", path)[0] == 401
        assert raw(sim, "GET", path, Authorization="wrong")[0] == 401
    spoil(sim, "container:*=status:500,times=1")
    with pytest.raises(bx.MetadataRetrievalError):
        botocore.utils.ContainerMetadataFetcher(sleep=lambda s: None)._get_response(
            sim.endpoint + "/v1/credentials", {"Authorization": "sim-container-token"}, 2)
    assert list(sim.hits().values()) == [1]


def email_or_iso(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def test_keys_that_rotate(sim):
    """A lifetime makes new keys while the old ones still work; then the old ones are dead."""
    spoil(sim, "imds:GetCredentials=lifetime:2", "container:*=lifetime:2", "sts:AssumeRole=lifetime:2")
    for get in (lambda: {"AccessKeyId": imds(sim)["access_key"], "SecretAccessKey": imds(sim)["secret_key"], "SessionToken": imds(sim)["token"]},
                lambda: container(sim)):
        first, begun = get(), time.monotonic()
        who(sim, first)
        second = first
        while second["AccessKeyId"] == first["AccessKeyId"] and time.monotonic() - begun < 5:
            second = get()
        assert 0.9 < time.monotonic() - begun < 2  # half their life
        who(sim, second)
        while time.monotonic() - begun < 2.05:
            time.sleep(0.01)
        assert refusal(with_keys(sim, "sqs", first).list_queues)[:2] == ("ExpiredToken", 403)
        assert refusal(with_keys(sim, "kinesis", first).list_streams)[:2] == ("ExpiredTokenException", 400)
    keys = assume(sim)["Credentials"]
    assert seconds_left(keys["Expiration"]) <= 2
    assert all(n > 0 for n in sim.hits().values())


def test_revoked(sim, client):
    """Dead from the third request on, for this session alone."""
    mine, other = with_keys(sim, "sqs", assume(sim)["Credentials"]), with_keys(sim, "sqs", assume(sim)["Credentials"])
    spoil(sim, "sqs:ListQueues=revoked,after=2,times=1")
    mine.list_queues()
    mine.list_queues()
    for _ in range(2):
        assert refusal(mine.list_queues)[0] == "ExpiredToken"
    other.list_queues()
    assert list(sim.hits().values()) == [1]
    sim.heal()
    sim.spoil("sqs:ListQueues=revoked")
    client("sqs").list_queues()  # keys without a session do not expire
    assert list(sim.hits().values()) == [0]


# ---- pages

PAGED = [("cloudwatch", "list_metrics", "Metrics", {}), ("cloudwatch", "describe_alarms", "MetricAlarms", {}),
         ("cloudwatch", "describe_alarm_history", "AlarmHistoryItems", {}), ("cloudwatch", "get_metric_data", "MetricDataResults", None),
         ("sqs", "list_queues", "QueueUrls", {}), ("lambda", "list_functions", "Functions", {}),
         ("lambda", "list_event_source_mappings", "EventSourceMappings", {})]


@pytest.mark.parametrize("service,method,key,args", PAGED, ids=[p[1] for p in PAGED])
def test_pages_that_are_empty_or_never_end(sim, client, service, method, key, args):
    args = ask() if args is None else args
    op = f"{service}:{''.join(word.title() for word in method.split('_'))}"
    whole = getattr(client(service), method)(**args)
    for name in ("NextToken", "NextMarker", "ResponseMetadata"):
        whole.pop(name, None)
    assert whole[key]
    spoil(sim, f"{op}=empty-page,times=1")
    empty = getattr(client(service), method)(**args)
    token = empty.get("NextToken") or empty["NextMarker"]
    assert not empty.get(key)
    again = getattr(client(service), method)(**args, **{"Marker" if service == "lambda" else "NextToken": token})
    assert [r for r in again[key]] == whole[key]
    spoil(sim, f"{op}=endless-pages")
    pages = 0
    with pytest.raises(bx.PaginationError, match="The same next token was received twice"):  # boto3 sees the ring
        for page in client(service).get_paginator(method).paginate(**args):
            pages += 1
    assert pages >= 2 and list(sim.hits().values()) == [1, pages]


# ---- CloudWatch

def ask(count=2, minutes=60, stat="Sum", **more):
    metric = {"Namespace": "AWS/Kinesis", "MetricName": "IncomingRecords", "Dimensions": [{"Name": "StreamName", "Value": "orders-ingest"}]}
    end = datetime.datetime.now(datetime.timezone.utc).replace(second=0, microsecond=0)
    return dict(MetricDataQueries=[{"Id": f"q{i}", "MetricStat": {"Metric": metric, "Period": 60, "Stat": stat}} for i in range(count)],
                StartTime=end - datetime.timedelta(minutes=minutes), EndTime=end, ScanBy="TimestampAscending", **more)


def test_alarm_quota(sim, client):
    spoil(sim, "cloudwatch:PutMetricAlarm=limit-exceeded")
    assert fails(sim, client, "cloudwatch:PutMetricAlarm")[:4:3] == ("LimitExceeded", "LimitExceededFault")


@pytest.mark.parametrize("fault,status", [("internal-error", "InternalError"), ("forbidden", "Forbidden")])
def test_results_that_failed(sim, client, fault, status):
    spoil(sim, f"cloudwatch:GetMetricData={fault}:2")
    results = client("cloudwatch").get_metric_data(**ask(5))["MetricDataResults"]
    assert [r["Id"] for r in results] == [f"q{i}" for i in range(5)]
    assert [r["StatusCode"] for r in results] == ["Complete", status, "Complete", status, "Complete"]
    assert [len(r["Values"]) for r in results] == [60, 0, 60, 0, 60]
    assert results[1]["Messages"][0]["Code"] == status and results[1]["Timestamps"] == []
    assert list(sim.hits().values()) == [1]


def test_partial_results(sim, client):
    spoil(sim, "cloudwatch:GetMetricData=partial-data", "cloudwatch:GetMetricData=max-metrics")
    answer = client("cloudwatch").get_metric_data(**ask(2))
    assert [(r["StatusCode"], len(r["Values"])) for r in answer["MetricDataResults"]] == [("PartialData", 30)] * 2
    assert "NextToken" not in answer and [m["Code"] for m in answer["Messages"]] == ["MaxMetricsExceeded"]


def test_results_spread_over_pages(sim, client):
    whole = client("cloudwatch").get_metric_data(**ask(3))["MetricDataResults"]
    spoil(sim, "cloudwatch:GetMetricData=spread:25")
    got, statuses = {}, []
    pages = list(client("cloudwatch").get_paginator("get_metric_data").paginate(**ask(3)))
    for page in pages:
        assert sum(len(r["Values"]) for r in page["MetricDataResults"]) <= 25
        for r in page["MetricDataResults"]:
            statuses.append((r["Id"], r["StatusCode"]))
            got.setdefault(r["Id"], []).extend(zip(r["Timestamps"], r["Values"]))
    assert got == {r["Id"]: list(zip(r["Timestamps"], r["Values"])) for r in whole}
    assert ("q0", "PartialData") in statuses and statuses[-1] == ("q2", "Complete")
    assert list(sim.hits().values()) == [len(pages)] and len(pages) == 8


def test_late_and_filled_in(sim, client):
    cw = client("cloudwatch")
    whole = cw.get_metric_data(**ask(1))["MetricDataResults"][0]
    spoil(sim, "cloudwatch:*=late:7,times=2", "cloudwatch:*=holes:4,after=2")
    late = cw.get_metric_data(**ask(1))["MetricDataResults"][0]
    assert late["StatusCode"] == "Complete" and 53 <= len(late["Values"]) <= 55
    assert late["Timestamps"] == whole["Timestamps"][:len(late["Values"])]
    metric = ask(1)["MetricDataQueries"][0]["MetricStat"]["Metric"]
    old = dict(metric, Period=60, Statistics=["Sum"], StartTime=ask()["StartTime"], EndTime=ask()["EndTime"])
    assert 53 <= len(cw.get_metric_statistics(**old)["Datapoints"]) <= 55
    holes = cw.get_metric_data(**ask(1))["MetricDataResults"][0]
    assert len(holes["Values"]) == 45 and holes["StatusCode"] == "Complete"
    assert all(t.minute % 4 for t in holes["Timestamps"])
    assert len(cw.get_metric_statistics(**old)["Datapoints"]) == 45
    assert list(sim.hits().values()) == [2, 2]
    sim.heal()
    assert len(cw.get_metric_data(**ask(1))["MetricDataResults"][0]["Values"]) >= 60


def test_stragglers_and_revisions(tmp_path):
    """Each metric is late by a time of its own; a sum grows to what it is."""
    with Sim.start("poison-shard", home=tmp_path, now="2026-11-23T03:14:42Z") as s:
        cw = s.client("cloudwatch")
        zero = datetime.datetime(2026, 11, 23, 3, 14, tzinfo=datetime.timezone.utc)

        def read(stat="Sum"):
            queries = [{"Id": f"q{i}", "MetricStat": {"Metric": m, "Period": 60, "Stat": stat}} for i, m in enumerate(metrics)]
            got = cw.get_metric_data(MetricDataQueries=queries, StartTime=zero - datetime.timedelta(minutes=10), EndTime=zero)
            return {r["Id"]: dict(zip(r["Timestamps"], r["Values"])) for r in got["MetricDataResults"]}

        metrics = cw.list_metrics(Namespace="AWS/Kinesis", Dimensions=[{"Name": "ShardId"}])["Metrics"]
        whole = read()
        TESTED.update(["straggling", "revised"])
        s.spoil("cloudwatch:*=straggling:3")
        late = read()
        missing = {i: len(whole[i]) - len(late[i]) for i in whole}
        assert set(missing.values()) == {0, 1, 2, 3} and late == read()
        assert all(late[i][t] == whole[i][t] for i in late for t in late[i])
        m = next(m for i, m in enumerate(metrics) if missing[f"q{i}"] == 3)
        old = dict(m, Period=60, Statistics=["Sum"], StartTime=zero - datetime.timedelta(minutes=10), EndTime=zero)
        assert len(cw.get_metric_statistics(**old)["Datapoints"]) == 7
        s.heal()
        s.spoil("cloudwatch:*=revised:3")
        grown = read()["q0"], whole["q0"]
        assert [round(grown[0][t] / grown[1][t], 2) for t in sorted(grown[1])][-5:] == [1, 1, 0.8, 0.6, 0.4]
        metrics = metrics[:1]
        assert read("Maximum")["q0"] == (s.heal(), read("Maximum"))[1]["q0"]


def test_cloudwatchs_own_limits(sim, client):
    cw = client("cloudwatch")
    assert len(cw.get_metric_data(**ask(500, 1))["MetricDataResults"]) == 500
    assert refusal(cw.get_metric_data, **ask(501, 1))[:2] == ("ValidationError", 400)
    assert refusal(cw.get_metric_data, **ask(1, 1, MaxDatapoints=100801))[1] == 400
    answer = cw.get_metric_data(**ask(75, 1380))
    assert sum(len(r["Values"]) for r in answer["MetricDataResults"]) == 100800
    rest = cw.get_metric_data(**ask(75, 1380, NextToken=answer["NextToken"]))
    assert sum(len(r["Values"]) for r in rest["MetricDataResults"]) == 75 * 1380 - 100800 and "NextToken" not in rest
    assert answer["MetricDataResults"][-1]["Id"] == rest["MetricDataResults"][0]["Id"]
    assert answer["MetricDataResults"][-1]["StatusCode"] == "PartialData"


def test_alarm_pages(sim, client):
    cw = client("cloudwatch")
    for i in range(105):
        cw.put_metric_alarm(AlarmName=f"many-{i:03d}", Namespace="None", MetricName="m", Statistic="Sum", Period=60, EvaluationPeriods=1,
                            Threshold=1, ComparisonOperator="GreaterThanThreshold")
    first = cw.describe_alarms(AlarmNamePrefix="many-")
    assert len(first["MetricAlarms"]) == 100
    last = cw.describe_alarms(AlarmNamePrefix="many-", NextToken=first["NextToken"])
    assert [a["AlarmName"] for a in last["MetricAlarms"]] == [f"many-{i:03d}" for i in range(100, 105)] and "NextToken" not in last
    assert refusal(cw.describe_alarms, NextToken="x")[0] == "InvalidNextToken"
    cw.delete_alarms(AlarmNames=[f"many-{i:03d}" for i in range(100)])
    cw.delete_alarms(AlarmNames=[f"many-{i:03d}" for i in range(100, 105)])


# ---- SQS

@pytest.fixture
def work(sim, request):
    """A queue with a dead-letter queue of its own: (sqs, url, dead-letter url, its ARN)"""
    sqs = sim.once("sqs")
    name = re.sub(r"\W+", "-", request.node.name)[:60]
    dead = sqs.create_queue(QueueName=f"{name}-dlq")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 1})
    url = sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": policy, "VisibilityTimeout": "0"})["QueueUrl"]
    yield sqs, url, dead, arn
    sqs.delete_queue(QueueUrl=url)
    sqs.delete_queue(QueueUrl=dead)


def count(sqs, url, name="ApproximateNumberOfMessages"):
    return int(sqs.get_queue_attributes(QueueUrl=url, AttributeNames=[name])["Attributes"][name])


def test_too_many_in_flight(sim, client):
    spoil(sim, "sqs:ReceiveMessage=over-limit")
    assert fails(sim, client, "sqs:ReceiveMessage")[:4] == ("OverLimit", 403, "Too many messages are in flight for this queue.", "OverLimit")


@pytest.mark.parametrize("fault,sender,code", [("batch-sender-fault", True, "InvalidParameterValue"), ("batch-service-fault", False, "InternalError")])
@pytest.mark.parametrize("mask", [0x001, 0x2aa, 0x3ff])
def test_partial_batches(sim, work, fault, sender, code, mask):
    """What failed was not done, what succeeded was; all three batches."""
    sqs, _, url, _ = work
    bad = [str(i) for i in range(10) if mask >> i & 1]
    good = [str(i) for i in range(10) if not mask >> i & 1]

    def check(answer):
        assert [e["Id"] for e in answer.get("Successful", [])] == good
        assert [(e["Id"], e["SenderFault"], e["Code"]) for e in answer["Failed"]] == [(i, sender, code) for i in bad]

    spoil(sim, f"sqs:SendMessageBatch={fault}:{mask:#x},times=1")
    check(sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(i), "MessageBody": str(i)} for i in range(10)]))
    assert count(sqs, url) == len(good)
    rest = [{"Id": i, "MessageBody": i} for i in bad]
    assert not sqs.send_message_batch(QueueUrl=url, Entries=rest).get("Failed")
    got = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60)["Messages"]
    assert sorted(m["Body"] for m in got) == [str(i) for i in range(10)]
    handles = [{"Id": m["Body"], "ReceiptHandle": m["ReceiptHandle"]} for m in sorted(got, key=lambda m: m["Body"])]
    spoil(sim, f"sqs:ChangeMessageVisibilityBatch={fault}:{mask:#x},times=1", f"sqs:DeleteMessageBatch={fault}:{mask:#x},times=1")
    check(sqs.change_message_visibility_batch(QueueUrl=url, Entries=[{**h, "VisibilityTimeout": 90} for h in handles]))
    check(sqs.delete_message_batch(QueueUrl=url, Entries=handles))
    assert count(sqs, url, "ApproximateNumberOfMessagesNotVisible") == len(bad)
    assert list(sim.hits().values()) == [1, 1, 1]


def test_a_mask_that_meets_nobody(sim, work):
    sqs, _, url, _ = work
    spoil(sim, "sqs:SendMessageBatch=batch-sender-fault:0x200")
    assert not sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": "a", "MessageBody": "x"}]).get("Failed")
    assert list(sim.hits().values()) == [0]


def test_duplicates_digests_and_handles(sim, work):
    sqs, _, url, _ = work
    spoil(sim, "sqs:SendMessage=wrong-md5", "sqs:ReceiveMessage=wrong-md5", "sqs:ReceiveMessage=duplicate,times=1")
    right = hashlib.md5(b"x").hexdigest()
    sent_md5 = sqs.send_message(QueueUrl=url, MessageBody="x")["MD5OfMessageBody"]
    first = sqs.receive_message(QueueUrl=url, VisibilityTimeout=60)["Messages"][0]
    second = sqs.receive_message(QueueUrl=url, VisibilityTimeout=60)["Messages"][0]
    assert first["MessageId"] == second["MessageId"] and first["ReceiptHandle"] != second["ReceiptHandle"]
    assert "Messages" not in sqs.receive_message(QueueUrl=url)
    for md5 in (sent_md5, first["MD5OfBody"]):
        assert md5 != right and md5[1:] == right[1:]
    assert list(sim.hits().values()) == [1, 2, 1]
    sim.heal()
    spoil(sim, "sqs:*=expired-handle,times=4")
    handle = dict(QueueUrl=url, ReceiptHandle=second["ReceiptHandle"])
    for call_it in (lambda: sqs.delete_message(**handle), lambda: sqs.change_message_visibility(**handle, VisibilityTimeout=1)):
        with pytest.raises(ClientError, match="Reason: The receipt handle has expired.") as e:
            call_it()
        assert e.value.response["Error"]["Code"] == "InvalidParameterValue"
    entry = {"Id": "a", "ReceiptHandle": second["ReceiptHandle"]}
    assert sqs.delete_message_batch(QueueUrl=url, Entries=[entry])["Failed"][0]["Code"] == "InvalidParameterValue"
    assert sqs.change_message_visibility_batch(QueueUrl=url, Entries=[{**entry, "VisibilityTimeout": 1}])["Failed"][0]["SenderFault"] is True
    sqs.delete_message(**handle)
    assert list(sim.hits().values()) == [4]


def test_counts_that_lag(sim, work):
    sqs, _, url, _ = work
    spoil(sim, "sqs:GetQueueAttributes=lagging-counts:600")
    seen = []
    for _ in range(3):
        seen.append(count(sqs, url))
        sqs.send_message(QueueUrl=url, MessageBody="x")
    assert seen == [0, 0, 0] and list(sim.hits().values()) == [3]
    sim.heal()
    assert count(sqs, url) == 3


def dead_letters(sqs, url, dead, n):
    """n messages that died."""
    for first in range(0, n, 10):
        sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(i), "MessageBody": str(i)} for i in range(first, min(n, first + 10))])
    while "Messages" in sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10):
        pass
    assert count(sqs, dead) == n


def tasks(sqs, arn, n=1):
    return sqs.list_message_move_tasks(SourceArn=arn, MaxResults=n)["Results"]


def until(sqs, arn, status):
    end = time.monotonic() + 20 * SLOWER
    while tasks(sqs, arn)[0]["Status"] != status:
        assert time.monotonic() < end, tasks(sqs, arn)
        time.sleep(0.02)
    return tasks(sqs, arn)[0]


def test_move_tasks(sim, work):
    sqs, url, dead, arn = work
    assert sqs.list_dead_letter_source_queues(QueueUrl=dead)["queueUrls"] == [url]
    assert refusal(sqs.start_message_move_task, SourceArn=arn[:-4])[0] == "InvalidParameterValue"
    assert refusal(sqs.start_message_move_task, SourceArn=arn + "x")[0] == "ResourceNotFoundException"
    dead_letters(sqs, url, dead, 30)
    handle = sqs.start_message_move_task(SourceArn=arn, MaxNumberOfMessagesPerSecond=20)["TaskHandle"]
    one = tasks(sqs, arn)[0]
    assert one["Status"] == "RUNNING" and one["TaskHandle"] == handle and one["MaxNumberOfMessagesPerSecond"] == 20
    assert one["ApproximateNumberOfMessagesToMove"] == 30 and abs(one["StartedTimestamp"] / 1000 - time.time()) < 20 * SLOWER
    assert refusal(sqs.start_message_move_task, SourceArn=arn)[2] == "UnsupportedOperation"
    time.sleep(0.3)
    moved = sqs.cancel_message_move_task(TaskHandle=handle)["ApproximateNumberOfMessagesMoved"]
    one = tasks(sqs, arn)[0]
    assert one["Status"] == "CANCELLED" and "TaskHandle" not in one and 0 < moved == one["ApproximateNumberOfMessagesMoved"] < 30
    assert count(sqs, url) == moved and count(sqs, dead) == 30 - moved
    assert refusal(sqs.cancel_message_move_task, TaskHandle=handle)[2] == "UnsupportedOperation"
    assert refusal(sqs.cancel_message_move_task, TaskHandle="x")[0] == "ResourceNotFoundException"
    sqs.start_message_move_task(SourceArn=arn, DestinationArn=arn[:-4], MaxNumberOfMessagesPerSecond=500)
    one = until(sqs, arn, "COMPLETED")
    assert one["ApproximateNumberOfMessagesMoved"] == 30 - moved and one["DestinationArn"] == arn[:-4]
    assert [t["Status"] for t in tasks(sqs, arn, 10)] == ["COMPLETED", "CANCELLED"]
    assert (count(sqs, url), count(sqs, dead)) == (30, 0)


def test_move_tasks_that_fail(sim, work):
    sqs, url, dead, arn = work
    sqs.send_message(QueueUrl=dead, MessageBody="sent here, not fallen here")
    sqs.start_message_move_task(SourceArn=arn, MaxNumberOfMessagesPerSecond=500)
    assert until(sqs, arn, "FAILED")["FailureReason"] == "CouldNotDetermineMessageSource"
    sqs.purge_queue(QueueUrl=dead)
    dead_letters(sqs, url, dead, 10)
    spoil(sim, "sqs:StartMessageMoveTask=move-fails:4,times=1", "sqs:CancelMessageMoveTask=slow-cancel:1")
    sqs.start_message_move_task(SourceArn=arn, MaxNumberOfMessagesPerSecond=500)
    one = until(sqs, arn, "FAILED")
    assert one["FailureReason"] == "AccessDenied" and one["ApproximateNumberOfMessagesMoved"] == 4
    assert (count(sqs, url), count(sqs, dead)) == (4, 6)
    handle = sqs.start_message_move_task(SourceArn=arn, MaxNumberOfMessagesPerSecond=1)["TaskHandle"]
    sqs.cancel_message_move_task(TaskHandle=handle)
    assert tasks(sqs, arn)[0]["Status"] == "CANCELLING"
    assert refusal(sqs.start_message_move_task, SourceArn=arn)[2] == "UnsupportedOperation"
    until(sqs, arn, "CANCELLED")
    assert list(sim.hits().values()) == [1, 1]


# ---- Kinesis

@pytest.fixture
def shard(sim, request):
    """A stream of one shard with ten records: (kinesis, its name)"""
    kinesis, name = sim.once("kinesis"), re.sub(r"\W+", "-", request.node.name)
    kinesis.create_stream(StreamName=name, ShardCount=1)
    kinesis.put_records(StreamName=name, Records=[{"Data": bytes([i]), "PartitionKey": str(i)} for i in range(10)])
    yield kinesis, name
    kinesis.delete_stream(StreamName=name)


def start(kinesis, name, number=0):
    return kinesis.get_shard_iterator(StreamName=name, ShardId=f"shardId-{number:012d}", ShardIteratorType="TRIM_HORIZON")["ShardIterator"]


def test_iterators_and_tokens_that_expired(sim, shard):
    kinesis, name = shard
    spoil(sim, "kinesis:GetRecords=expired-iterator,times=1", "kinesis:*=expired-next-token")
    first = start(kinesis, name)
    assert refusal(kinesis.get_records, ShardIterator=first) == ("ExpiredIteratorException", 400, "ExpiredIteratorException")
    assert len(kinesis.get_records(ShardIterator=first)["Records"]) == 10
    kinesis.create_stream(StreamName=name + "-2", ShardCount=3)
    token = kinesis.list_shards(StreamName=name + "-2", MaxResults=1)["NextToken"]
    assert refusal(kinesis.list_shards, NextToken=token) == ("ExpiredNextTokenException", 400, "ExpiredNextTokenException")
    kinesis.delete_stream(StreamName=name + "-2")
    assert list(sim.hits().values()) == [1, 1]


def test_five_reads_a_second(sim, shard):
    kinesis, name = shard
    spoil(sim, "kinesis:GetRecords=read-limits")
    first, outcomes, begun = start(kinesis, name), "", time.monotonic()
    for _ in range(7):
        try:
            kinesis.get_records(ShardIterator=first)
            outcomes += "."
        except kinesis.exceptions.ProvisionedThroughputExceededException:
            outcomes += "x"
    if time.monotonic() - begun < 1:
        assert outcomes == ".....xx"
    assert list(sim.hits().values()) == [outcomes.count("x")]
    time.sleep(1)
    kinesis.get_records(ShardIterator=first)


def test_two_mebibytes_a_second(sim, shard):
    kinesis, name = shard
    for _ in range(8):
        kinesis.put_records(StreamName=name, Records=[{"Data": b"x" * 1000000, "PartitionKey": "k"}])
    spoil(sim, "kinesis:GetRecords=read-limits")
    begun = time.monotonic()
    assert len(kinesis.get_records(ShardIterator=start(kinesis, name))["Records"]) == 18  # 8 MB at once: four seconds' worth
    read = time.monotonic() - begun
    last = kinesis.get_shard_iterator(StreamName=name, ShardId="shardId-000000000000", ShardIteratorType="LATEST")["ShardIterator"]
    while True:
        try:
            kinesis.get_records(ShardIterator=last)
            break
        except kinesis.exceptions.ProvisionedThroughputExceededException:
            time.sleep(0.1)
    assert 2 < time.monotonic() - begun < read + 4.5 * SLOWER
    assert list(sim.hits().values())[0] > 5


@pytest.mark.parametrize("every", [1, 2, 3])
def test_records_that_failed(sim, shard, every):
    kinesis, name = shard
    spoil(sim, f"kinesis:PutRecords=failed-records:{every},times=1")
    answer = kinesis.put_records(StreamName=name, Records=[{"Data": b"n", "PartitionKey": str(i)} for i in range(6)])
    failed = [i for i, r in enumerate(answer["Records"]) if "ErrorCode" in r]
    assert failed == [i for i in range(6) if (i + 1) % every == 0] and answer["FailedRecordCount"] == len(failed)
    assert answer["Records"][failed[0]]["ErrorCode"] == "ProvisionedThroughputExceededException"
    assert answer["Records"][failed[1]]["ErrorCode"] == "InternalFailure"
    assert all("SequenceNumber" not in answer["Records"][i] for i in failed)
    assert len(kinesis.get_records(ShardIterator=start(kinesis, name))["Records"]) == 10 + 6 - len(failed)
    assert list(sim.hits().values()) == [1]


def test_empty_answers_and_trimmed_records(sim, shard):
    kinesis, name = shard
    spoil(sim, "kinesis:GetRecords=behind:7200000,times=2", "kinesis:GetRecords=trimmed:4,after=2,times=1")
    at = start(kinesis, name)
    for _ in range(2):
        answer = kinesis.get_records(ShardIterator=at)
        assert answer["Records"] == [] and answer["MillisBehindLatest"] == 7200000
        at = answer["NextShardIterator"]
    answer = kinesis.get_records(ShardIterator=at)
    assert [r["Data"] for r in answer["Records"]] == [bytes([i]) for i in range(4, 10)] and answer["MillisBehindLatest"] == 0
    assert list(sim.hits().values()) == [2, 1]


def test_resharding(sim, shard):
    """A closed shard is read to its end, then names its children; sequence numbers and hash ranges join up."""
    kinesis, name = shard
    middle = str(2 ** 127)
    assert refusal(kinesis.split_shard, StreamName=name, ShardToSplit="shardId-000000000000", NewStartingHashKey="0")[0] == "InvalidArgumentException"
    kinesis.split_shard(StreamName=name, ShardToSplit="shardId-000000000000", NewStartingHashKey=middle)
    old, low, high = kinesis.list_shards(StreamName=name)["Shards"]
    assert "EndingSequenceNumber" in old["SequenceNumberRange"] and "EndingSequenceNumber" not in low["SequenceNumberRange"]
    assert low["ParentShardId"] == high["ParentShardId"] == old["ShardId"]
    assert low["HashKeyRange"]["EndingHashKey"] == str(2 ** 127 - 1) and high["HashKeyRange"]["StartingHashKey"] == middle
    assert kinesis.describe_stream_summary(StreamName=name)["StreamDescriptionSummary"]["OpenShardCount"] == 2
    assert kinesis.put_record(StreamName=name, Data=b"x", PartitionKey="a")["ShardId"] in (low["ShardId"], high["ShardId"])
    answer = kinesis.get_records(ShardIterator=start(kinesis, name), Limit=4)
    assert len(answer["Records"]) == 4 and "ChildShards" not in answer
    answer = kinesis.get_records(ShardIterator=answer["NextShardIterator"])
    assert len(answer["Records"]) == 6 and "NextShardIterator" not in answer
    assert [c["ShardId"] for c in answer["ChildShards"]] == [low["ShardId"], high["ShardId"]]
    kinesis.merge_shards(StreamName=name, ShardToMerge=low["ShardId"], AdjacentShardToMerge=high["ShardId"])
    merged = kinesis.list_shards(StreamName=name)["Shards"][3]
    assert (merged["ParentShardId"], merged["AdjacentParentShardId"]) == (low["ShardId"], high["ShardId"])
    assert merged["HashKeyRange"] == old["HashKeyRange"]
    child = kinesis.get_records(ShardIterator=start(kinesis, name, 2))["ChildShards"]
    assert [c["ParentShards"] for c in child] == [[low["ShardId"], high["ShardId"]]]
    assert refusal(kinesis.merge_shards, StreamName=name, ShardToMerge=low["ShardId"], AdjacentShardToMerge=high["ShardId"])[0] == "InvalidArgumentException"


# ---- Lambda

def invoke(sim, **more):
    return sim.once("lambda").invoke(FunctionName="nightly-report", Payload=b"{}", **more)


@pytest.mark.parametrize("fault,error,kind,says", [
    ("handled", "Handled", "OrderError", "the order has no items"), ("unhandled", "Unhandled", "SimulatedError", "simulated failure"),
    ("timed-out", "Unhandled", "Sandbox.Timedout", r"RequestId: [-0-9a-f]{36} Error: Task timed out after \d+\.\d\d seconds")])
def test_functions_that_fail(sim, fault, error, kind, says):
    spoil(sim, f"lambda:Invoke={fault},times=1")
    answer = invoke(sim, LogType="Tail")
    assert answer["StatusCode"] == 200 and answer["FunctionError"] == error and answer["LogResult"]
    document = json.load(answer["Payload"])
    assert document["errorType"] == kind and re.fullmatch(says, document["errorMessage"])
    assert "FunctionError" not in invoke(sim)
    assert list(sim.hits().values()) == [1]


def test_functions_that_cannot_be_asked(sim, client):
    spoil(sim, "lambda:Invoke=too-large,times=1", "lambda:*=pending")
    assert refusal(invoke, sim) == ("RequestTooLargeException", 413, "RequestTooLargeException")
    assert refusal(invoke, sim) == ("ResourceConflictException", 409, "ResourceConflictException")
    shown = client("lambda").get_function_configuration(FunctionName="nightly-report")
    assert (shown["State"], shown["StateReasonCode"]) == ("Pending", "Creating")
    assert client("lambda").get_function(FunctionName="nightly-report")["Configuration"]["State"] == "Pending"
    assert list(sim.hits().values()) == [1, 3]
    sim.heal()
    assert client("lambda").get_function_configuration(FunctionName="nightly-report")["State"] == "Active"


def invocations(sim):
    now = datetime.datetime.now(datetime.timezone.utc)
    query = [{"Id": "q", "MetricStat": {"Metric": {"Namespace": "AWS/Lambda", "MetricName": "Invocations", "Dimensions": [
        {"Name": "FunctionName", "Value": "nightly-report"}]}, "Period": 60, "Stat": "Sum"}}]
    got = sim.once("cloudwatch").get_metric_data(MetricDataQueries=query, StartTime=now - datetime.timedelta(hours=1),
                                                 EndTime=now + datetime.timedelta(minutes=2))["MetricDataResults"][0]
    return sum(got["Values"])


@pytest.mark.parametrize("fault,ran", [("lost", 1), ("reset", 0), ("status:502", 0), ("status:504", 0), ("throttle", 0), ("pending", 0),
                                       ("unhandled", 1)])
def test_did_it_run(sim, fault, ran):
    """An answer lost is an invocation that happened; a refusal is none."""
    before = invocations(sim)
    spoil(sim, f"lambda:Invoke={fault}")
    try:
        invoke(sim)
    except (ClientError, bx.HTTPClientError, ResponseParserError):
        pass
    assert list(sim.hits().values()) == [1]
    assert invocations(sim) == before + ran


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
    assert head.count("Content-Length") == 1 and head.startswith("HTTP/1.1 200")
    sim.heal()
    spoil(sim, "sqs:ListQueues=trickle:1")
    head, body, end = on_the_wire(sim)
    assert head.startswith("HTTP/1.1 200 OK\r\n") and f"Content-Length: {len(good)}" in head and body == good and end == "closed"
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
    spoil(sim, "sqs:ListQueues=delay:400", "kinesis:ListStreams=drip:5")
    for op in ("sqs:ListQueues", "kinesis:ListStreams"):
        begun = time.monotonic()
        call(sim, client, op)
        assert time.monotonic() - begun >= 0.4
    sim.heal()
    spoil(sim, "sqs:ListQueues=slow:900")
    took = []
    for _ in range(6):
        begun = time.monotonic()
        call(sim, client, "sqs:ListQueues")
        took.append(time.monotonic() - begun)
    assert min(took) >= 0.5 and max(took) - min(took) > 0.05 and list(sim.hits().values()) == [6]
    with pytest.raises(bx.ReadTimeoutError):
        sim.spoil("sqs:SendMessage=delay:3000,times=1")
        before = sent(sim)
        sim.once("sqs", read_timeout=0.5).send_message(QueueUrl=queue(sim, "orders-load-dlq"), MessageBody="m")
    assert sent(sim) == before + 1  # the work was done all the same
    assert list(sim.hits().values()) == [6, 1]


def test_reading_the_trail_too_fast(sim):
    once = sim.once("cloudtrail")
    once.lookup_events()
    spoil(sim, "cloudtrail:LookupEvents=lookup-rate")
    for _ in range(50):  # a slow machine may need a while to be too fast
        begun, refused = time.monotonic(), 0
        for _ in range(3):
            try:
                once.lookup_events()
            except ClientError as e:
                assert e.response["Error"]["Code"] == "ThrottlingException"
                refused += 1
        if time.monotonic() - begun < 1:
            assert refused >= 1
            break
    time.sleep(1.1)
    once.lookup_events()
    assert list(sim.hits().values())[0] >= 1


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
