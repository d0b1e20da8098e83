"""A small AWS that answers well until told otherwise: the faults no emulator produces, one operation at a time.

Nothing here is used to prove that sluice reads AWS right (the emulators do that), only how it takes what goes wrong."""

import json
import re
import socket
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ACCOUNT, REGION = "123456789012", "eu-west-1"
QUEUES = {"orders": 3, "orders-dlq": 0, "billing": 0}
STREAM, FUNCTION = "ingest", "enrich"

# operation -> IAM action; ListMetrics is asked for hints only
OPERATIONS = {
    "sts:GetCallerIdentity": "sts:GetCallerIdentity",
    "sqs:ListQueues": "sqs:ListQueues",
    "sqs:GetQueueAttributes": "sqs:GetQueueAttributes",
    "kinesis:ListStreams": "kinesis:ListStreams",
    "kinesis:DescribeStreamSummary": "kinesis:DescribeStreamSummary",
    "lambda:ListFunctions": "lambda:ListFunctions",
    "lambda:ListEventSourceMappings": "lambda:ListEventSourceMappings",
    "cloudwatch:DescribeAlarms": "cloudwatch:DescribeAlarms",
    "cloudwatch:GetMetricData": "cloudwatch:GetMetricData",
    "cloudwatch:ListMetrics": "cloudwatch:ListMetrics",
}
OPTIONAL = ("cloudtrail:LookupEvents", "lambda:ListAliases", "lambda:ListVersionsByFunction")  # nothing depends on these
TARGETS = {"AmazonSQS": "sqs", "GraniteServiceVersion20100801": "cloudwatch", "Kinesis_20131202": "kinesis",
           "ResourceGroupsTaggingAPI_20170126": "tagging", "Logs_20140328": "logs",
           "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101": "cloudtrail"}


def arn(service, rest):
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


class Answers:
    """Well-formed answers; text() is applied to every name and description, so that hostile text can stand anywhere."""

    def __init__(self, text=lambda s: s, points=15):
        self.text, self.points = text, points

    def caller(self, body):
        t = self.text("arn:aws:iam::123456789012:user/tester")
        safe = t.replace("&", "&amp;").replace("<", "&lt;")
        safe = "".join(c if c in "\t\n" or ord(c) >= 32 else f"&#{ord(c)};" if ord(c) in (9, 10, 13) else "" for c in safe)
        return ('<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
                f"<Arn>{safe}</Arn><UserId>AIDATEST</UserId><Account>{ACCOUNT}</Account></GetCallerIdentityResult>"
                "<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></GetCallerIdentityResponse>")

    def list_queues(self, body):
        return {"QueueUrls": [f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self.text(q)}" for q in QUEUES]}

    def get_queue_attributes(self, body):
        name = body.get("QueueUrl", "").rsplit("/", 1)[-1]
        plain = next((q for q in QUEUES if self.text(q) == name), "orders")
        a = {"QueueArn": arn("sqs", self.text(plain)), "ApproximateNumberOfMessages": str(QUEUES[plain]),
             "ApproximateNumberOfMessagesNotVisible": "0", "ApproximateNumberOfMessagesDelayed": "0",
             "MessageRetentionPeriod": "345600", "VisibilityTimeout": "30", "CreatedTimestamp": "1700000000"}
        if plain == "orders":
            a["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": arn("sqs", self.text("orders-dlq")), "maxReceiveCount": 3})
        return {"Attributes": a}

    def list_dead_letter_source_queues(self, body):
        name = body.get("QueueUrl", "").rsplit("/", 1)[-1]
        sources = ["orders"] if name == self.text("orders-dlq") else []
        return {"queueUrls": [f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{self.text(q)}" for q in sources]}

    def list_streams(self, body):
        s = {"StreamName": self.text(STREAM), "StreamARN": arn("kinesis", f"stream/{self.text(STREAM)}"), "StreamStatus": "ACTIVE",
             "StreamModeDetails": {"StreamMode": "PROVISIONED"}, "StreamCreationTimestamp": 1700000000.5}
        return {"StreamNames": [self.text(STREAM)], "HasMoreStreams": False, "StreamSummaries": [s]}

    def describe_stream_summary(self, body):
        return {"StreamDescriptionSummary": {
            "StreamName": self.text(STREAM), "StreamARN": arn("kinesis", f"stream/{self.text(STREAM)}"), "StreamStatus": "ACTIVE",
            "RetentionPeriodHours": 24, "OpenShardCount": 2, "ConsumerCount": 0, "StreamCreationTimestamp": 1700000000.5,
            "EnhancedMonitoring": [{"ShardLevelMetrics": []}], "EncryptionType": "NONE"}}

    def list_functions(self, body):
        return {"Functions": [{"FunctionName": self.text(FUNCTION), "FunctionArn": arn("lambda", f"function:{self.text(FUNCTION)}"),
                               "Runtime": self.text("python3.12"), "Handler": "h.h", "MemorySize": 128, "Timeout": 30,
                               "LastModified": "2026-01-01T00:00:00.000+0000", "Description": self.text("enriches")}]}

    def list_aliases(self, body):
        return {"Aliases": []}

    def list_versions_by_function(self, body):
        return {"Versions": [{"FunctionName": self.text(FUNCTION), "Version": "$LATEST"}]}

    def list_function_event_invoke_configs(self, body):
        return {"FunctionEventInvokeConfigs": []}

    def list_shards(self, body):
        return {"Shards": [{"ShardId": f"shardId-{i:012d}", "HashKeyRange": {"StartingHashKey": "0", "EndingHashKey": "1"},
                            "SequenceNumberRange": {"StartingSequenceNumber": "1"}} for i in range(2)]}

    def lookup_events(self, body):
        return {"Events": []}

    def list_event_source_mappings(self, body):
        return {"EventSourceMappings": [{
            "UUID": "11111111-1111-1111-1111-111111111111", "EventSourceArn": arn("kinesis", f"stream/{self.text(STREAM)}"),
            "FunctionArn": arn("lambda", f"function:{self.text(FUNCTION)}"), "State": self.text("Enabled"), "LastModified": 1700000000.0}]}

    def describe_alarms(self, body):
        return {"MetricAlarms": [{
            "AlarmName": self.text("HighErrorRate-enrich"), "AlarmArn": arn("cloudwatch", "alarm:" + self.text("HighErrorRate-enrich")),
            "AlarmDescription": self.text("too many errors"), "ActionsEnabled": True, "StateValue": "OK",
            "StateReason": self.text("3 datapoints were not greater than the threshold"), "StateUpdatedTimestamp": 1700000000.0,
            "MetricName": self.text("Errors"), "Namespace": "AWS/Lambda", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 3,
            "Threshold": 5.0, "ComparisonOperator": "GreaterThanThreshold",
            "Dimensions": [{"Name": "FunctionName", "Value": self.text(FUNCTION)}]}], "CompositeAlarms": []}

    def get_metric_data(self, body):
        now = int(time.time()) // 60 * 60
        times = [now - 60 * i for i in range(1, self.points + 1)]
        return {"MetricDataResults": [{"Id": q["Id"], "Label": self.text(q["Id"]), "Timestamps": times,
                                       "Values": [0.0] * len(times), "StatusCode": "Complete"}
                                      for q in body.get("MetricDataQueries", [])], "Messages": []}

    def list_metrics(self, body):
        return {"Metrics": []}


def method_of(operation):
    name = {"GetCallerIdentity": "caller"}.get(operation)
    return name or re.sub(r"(?<!^)(?=[A-Z])", "_", operation).lower()


# ---- faults: each gets the handler and the operation, and answers in its own way

def error(status, code, message):
    """AWS's error in the shape of the operation's protocol."""
    def fault(h, op):
        if op.startswith(("sts:", "sns:")):
            h.reply(status, f"<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
                            "<RequestId>r-2</RequestId></ErrorResponse>", "text/xml")
        elif op.startswith(("lambda:", "sso")):
            h.reply(status, json.dumps({"Message": message, "Type": "User"}), "application/json", {"x-amzn-ErrorType": code})
        else:
            h.reply(status, json.dumps({"__type": f"com.amazonaws.aws#{code}", "message": message}), "application/x-amz-json-1.0")
    return fault


def denied(h, op):
    code = "AccessDenied" if op.startswith(("sqs", "sts")) else "AccessDeniedException"
    status = 403 if op.startswith(("lambda", "sts", "sqs")) else 400
    error(status, code, f"User: arn:aws:iam::{ACCOUNT}:user/tester is not authorized to perform: {OPERATIONS.get(op, op)} on resource: * "
                        "because no identity-based policy allows the action")(h, op)


def throttled(h, op):
    code = {"sqs": "RequestThrottled", "lambda": "TooManyRequestsException", "kinesis": "LimitExceededException"}
    error(429 if op.startswith("lambda") else 400, code.get(op.split(":")[0], "ThrottlingException"), "Rate exceeded")(h, op)


expired = error(403, "ExpiredTokenException", "The security token included in the request is expired")
unknown_key = error(403, "UnrecognizedClientException", "The security token included in the request is invalid.")
internal = error(500, "InternalFailure", "We encountered an internal error. Please try again.")


def html500(h, op):
    h.reply(500, "<!doctype html><html><title>500 Internal Server Error</title><h1>Internal Server Error</h1></html>", "text/html")


def html503(h, op):
    h.reply(503, "<html><body>proxy: no healthy upstream</body></html>", "text/html")


def html200(h, op):
    h.reply(200, "<html><body>Please log in to the hotel network</body></html>", "text/html")


def redirect(h, op):
    h.reply(302, "", "text/plain", {"Location": "http://127.0.0.1:9/elsewhere"})


def body200(body):
    def fault(h, op):
        h.reply(200, body, "application/x-amz-json-1.0")
    return fault


def half(h, op):
    """Promises all of a good answer, sends half, hangs up."""
    good = h.good()
    h.head(200, len(good))
    h.wfile.write(good[: len(good) // 2])
    h.wfile.flush()
    h.hang_up()


def cut(h, op):
    """Half of a good answer, and says that this was all."""
    good = h.good()
    h.reply(200, good[: len(good) // 2], "application/x-amz-json-1.0")


def hang_up(h, op):
    h.hang_up()


def silent(h, op):
    h.server.owner.released.wait(120)
    h.hang_up()


def endless(h, op):
    """More than any answer may have."""
    h.head(200, 1 << 30)
    chunk = b" " * 65536
    try:
        for _ in range(1 << 14):
            h.wfile.write(chunk)
    except OSError:
        pass
    h.hang_up()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, *a):
        pass

    def head(self, status, length, kind="application/x-amz-json-1.0", headers=()):
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(length))
        for k, v in dict(headers).items():
            self.send_header(k, v)
        self.end_headers()

    def reply(self, status, body, kind, headers=()):
        body = body.encode("utf-8", "surrogatepass") if isinstance(body, str) else body
        self.head(status, len(body), kind, {"x-amzn-RequestId": "r-3", **dict(headers)})
        self.wfile.write(body)

    def hang_up(self):
        self.close_connection = True
        try:
            self.connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass

    def operation(self):
        target = self.headers.get("X-Amz-Target")
        if target:
            prefix, name = target.rsplit(".", 1)
            return f"{TARGETS[prefix]}:{name}"
        if self.path.startswith("/2015-03-31/event-source-mappings"):
            return "lambda:ListEventSourceMappings"
        if self.path.startswith("/2015-03-31/functions/"):
            return "lambda:ListAliases" if "/aliases?" in self.path else "lambda:ListVersionsByFunction"
        if self.path.startswith("/2019-09-25/functions/"):
            return "lambda:ListFunctionEventInvokeConfigs"
        if self.path.startswith("/2015-03-31/functions"):
            return "lambda:ListFunctions"
        form = urllib.parse.parse_qs(self.body.decode())
        action = form["Action"][0]
        return f"{'cloudformation' if 'Stack' in action else 'sns' if 'Subscription' in action or 'Topic' in action or action == 'Publish' else 'sts'}:{action}"

    def good(self):
        asked = {}
        if self.headers.get("X-Amz-Target"):
            asked = json.loads(self.body or b"{}")
        elif self.op.startswith(("cloudformation:", "sns:")):
            asked = {k: v[0] for k, v in urllib.parse.parse_qs(self.body.decode()).items()}
        answer = getattr(self.server.owner.answers, method_of(self.op.split(":")[1]))(asked)
        return (answer if isinstance(answer, str) else json.dumps(answer)).encode("utf-8", "surrogatepass")

    def serve(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.op = self.operation()
        owner = self.server.owner
        with owner.lock:
            owner.calls[self.op] = owner.calls.get(self.op, 0) + 1
            owner.heard.append(dict(self.headers))
            fault = owner.faults.get(self.op) or owner.faults.get("*")
        if fault:
            fault(self, self.op)
        else:
            self.reply(200, self.good(), "text/xml" if self.op.startswith(("sts:", "sns:", "cloudformation:")) else "application/x-amz-json-1.0")

    do_GET = do_POST = serve


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def handle_error(self, request, client_address):
        pass  # clients that hang up are part of the game


class FakeAws:
    """with FakeAws({"sqs:ListQueues": denied}) as url: ...   "*" stands for every operation."""
    handler, address = _Handler, ("127.0.0.1", 0)

    def __init__(self, faults=None, answers=None, host=None):
        self.faults, self.answers = faults or {}, answers or Answers()
        self.address = (host, 0) if host else self.address
        self.calls, self.lock, self.released = {}, threading.Lock(), threading.Event()
        self.heard = []  # the headers of every request

    def __enter__(self):
        self.server = _Server(self.address, self.handler)
        self.server.owner = self
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.released.set()
        self.server.shutdown()
        self.server.server_close()

    def env(self, **more):
        return {"AWS_ACCESS_KEY_ID": "AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY": "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
                "AWS_REGION": REGION, "AWS_ENDPOINT_URL": self.url, **more}
