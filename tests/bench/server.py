"""A canned AWS over TLS for the benchmarks: prepared bodies, keep-alive, optional latency, counted calls. Its own process, so
that its work is nobody's figure. Settings and counters travel over the same port: POST /control with JSON."""

import json
import re
import socket
import ssl
import sys
import threading
import time

ACCOUNT, REGION = "123456789012", "eu-west-1"
ACTION = re.compile(rb"Action=(\w+)")

state = {"latency_ms": 0, "points": 1, "functions": 0, "queues": 5, "alarm_pages": 1, "denied": "", "pages": False}
calls = {}
counted = {"metrics": 0, "percentile_requests": 0}
lock = threading.Lock()
cache = {}


def arn(service, rest):
    return f"arn:aws:{service}:{REGION}:{ACCOUNT}:{rest}"


def metric_data(body):
    """Another minute and other values each second, so that every poll brings news to keep: all of them minutes that are old enough to
    be taken (a younger one only teaches how late points come, and a metric that has no other counts as never seen)."""
    ids = [q["Id"] for q in body["MetricDataQueries"]]
    with lock:
        counted["metrics"] += len(ids)
        counted["percentile_requests"] += body["MetricDataQueries"][0]["MetricStat"]["Stat"].startswith("p")
    second = int(time.time())
    newest = int(body["EndTime"]) // 60 * 60 - 180 - 60 * (second % 5)
    calm = "AWS/SQS" in json.dumps(body["MetricDataQueries"][0])  # queues are empty and young
    key = ("gmd", len(ids), ids[0], ids[-1], state["points"], newest, calm)
    with lock:
        if cache.get("second") != second:
            for old in [k for k in cache if k[0] == "gmd"]:
                del cache[old]
            cache["second"] = second
    if key not in cache:
        times = [float(newest - 60 * i) for i in range(state["points"])]
        cache[key] = json.dumps({"MetricDataResults": [
            {"Id": id, "Label": id, "StatusCode": "Complete", "Timestamps": times,
             "Values": [0.0 if calm else float((k * 37 + i + second) % 1000) + 0.5 * (i % 3) for i in range(len(times))]} for k, id in enumerate(ids)],
            "Messages": []}).encode()
    return cache[key]


def alarms(body):
    page = int(body.get("NextToken") or 0)
    one = {"AlarmName": f"HighErrorRate-{page}", "AlarmArn": arn("cloudwatch", f"alarm:HighErrorRate-{page}"), "StateValue": "OK",
           "StateReason": "Threshold not crossed", "StateUpdatedTimestamp": 1700000000.0, "ActionsEnabled": True, "MetricName": "Errors",
           "Namespace": "AWS/Lambda", "Statistic": "Sum", "Period": 60, "EvaluationPeriods": 3, "Threshold": 5.0,
           "ComparisonOperator": "GreaterThanThreshold", "Dimensions": [{"Name": "FunctionName", "Value": "f"}]}
    more = {"NextToken": str(page + 1)} if page + 1 < state["alarm_pages"] else {}
    return {"MetricAlarms": [one], "CompositeAlarms": [], **more}


def queue_attributes(body):
    name = body["QueueUrl"].rsplit("/", 1)[1]
    a = {"QueueArn": arn("sqs", name), "ApproximateNumberOfMessages": "0", "ApproximateNumberOfMessagesNotVisible": "0",
         "ApproximateNumberOfMessagesDelayed": "0", "MessageRetentionPeriod": "345600"}
    if not name.endswith("-dlq"):
        a["RedrivePolicy"] = json.dumps({"deadLetterTargetArn": arn("sqs", name + "-dlq"), "maxReceiveCount": 3})
    return {"Attributes": a}


def queues(body):
    names = [n for i in range(state["queues"]) for n in (f"queue{i}", f"queue{i}-dlq")]
    first = int(body.get("NextToken") or 0)
    last = first + 1000 if state["pages"] else len(names)
    more = {"NextToken": str(last)} if last < len(names) else {}
    return {"QueueUrls": [f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/{n}" for n in names[first:last]], **more}


def pages(path):
    """What the query of a request says."""
    return dict(pair.split("=", 1) for pair in path.decode().partition("?")[2].split("&") if "=" in pair)


def functions(body):
    first = int(body.get("Marker") or 0)
    last = min(first + 50, state["functions"]) if state["pages"] else state["functions"]
    key = ("fn", first, last, state["functions"])
    if key not in cache:
        more = {"NextMarker": str(last)} if last < state["functions"] else {}
        cache[key] = json.dumps({"Functions": [
            {"FunctionName": f"function{i}", "FunctionArn": arn("lambda", f"function:function{i}"), "Runtime": "python3.12",
             "Timeout": 30, "MemorySize": 128} for i in range(first, last)], **more}).encode()
    return cache[key]


OPERATIONS = {
    "GetMetricData": metric_data, "DescribeAlarms": alarms, "GetQueueAttributes": queue_attributes, "ListQueues": queues,
    "ListFunctions": functions, "ListEventSourceMappings": lambda b: {"EventSourceMappings": []},
    "ListStreams": lambda b: {"StreamNames": [], "HasMoreStreams": False, "StreamSummaries": []},
    "ListAliases": lambda b: {"Aliases": []}, "ListVersionsByFunction": lambda b: {"Versions": []},
    "ListMetrics": lambda b: {"Metrics": []}, "LookupEvents": lambda b: {"Events": []}, "ListTagsForResource": lambda b: {"Tags": []},
    "GetResources": lambda b: {"ResourceTagMappingList": [], "PaginationToken": ""},
}
# What the older clients send in the query protocol, answered in its XML.
QUERY = {
    "GetCallerIdentity": f"<Arn>{arn('iam', 'user/bench')}</Arn><UserId>AIDA</UserId><Account>{ACCOUNT}</Account>",
    "DescribeAlarms": "<MetricAlarms><member><AlarmName>HighErrorRate-0</AlarmName><StateValue>OK</StateValue></member></MetricAlarms>",
    "GetMetricStatistics": "<Label>ApproximateAgeOfOldestMessage</Label><Datapoints><member><Timestamp>2026-01-01T00:00:00Z</Timestamp>"
                           "<Maximum>0.0</Maximum><Unit>Seconds</Unit></member></Datapoints>",
    "GetQueueAttributes": "<Attribute><Name>ApproximateNumberOfMessages</Name><Value>0</Value></Attribute>",
}


def answer(path, target, body):
    """(status, content type, body)"""
    if path == b"/control":
        with lock:
            state.update(json.loads(body))
            told = json.dumps({"calls": calls, **counted}).encode()
            calls.clear()
            counted.update(dict.fromkeys(counted, 0))
        return 200, "application/json", told
    if target:
        name = target.rsplit(".", 1)[1]
    elif path.startswith(b"/2015-03-31/event-source"):
        name = "ListEventSourceMappings"
    elif path.startswith(b"/2015-03-31/functions"):
        name = {b"aliases": "ListAliases", b"versions": "ListVersionsByFunction"}.get(path.partition(b"?")[0].rsplit(b"/", 1)[1], "ListFunctions")
    else:
        name = ACTION.search(body)[1].decode()
    with lock:
        calls[name] = calls.get(name, 0) + 1
    if state["latency_ms"]:
        time.sleep(state["latency_ms"] / 1000)
    if name == state["denied"]:
        return 400, "application/x-amz-json-1.0", b'{"__type":"x#AccessDeniedException","message":"not authorized"}'
    if not target and not path.startswith(b"/2015"):
        return 200, "text/xml", (f"<{name}Response xmlns='http://monitoring.amazonaws.com/doc/2010-08-01/'><{name}Result>{QUERY[name]}"
                                 f"</{name}Result><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></{name}Response>").encode()
    if name == "GetMetricStatistics":
        out = {"Label": "x", "Datapoints": [{"Timestamp": 1767225600.0, "Maximum": 0.0, "Unit": "Seconds"}]}
    elif name not in OPERATIONS:
        print(f"    (the canned AWS does not know {name})", file=sys.stderr, flush=True)
        return 400, "application/x-amz-json-1.0", b'{"__type":"x#UnknownOperationException","message":"unknown"}'
    else:
        out = OPERATIONS[name](json.loads(body) if target and body else pages(path))
    return 200, "application/x-amz-json-1.0", out if isinstance(out, bytes) else json.dumps(out).encode()


def serve(raw, context):
    try:
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        s = context.wrap_socket(raw, server_side=True)
        pending = b""
        while True:
            while b"\r\n\r\n" not in pending:
                data = s.recv(262144)
                if not data:
                    return
                pending += data
            head, _, rest = pending.partition(b"\r\n\r\n")
            headers = dict(re.findall(rb"\r\n([^:]+): *([^\r]*)", b"\r\n" + head.partition(b"\r\n")[2]))
            headers = {k.lower(): v for k, v in headers.items()}
            length = int(headers.get(b"content-length", 0))
            if headers.get(b"expect"):
                s.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
            while len(rest) < length:
                rest += s.recv(262144)
            body, pending = rest[:length], rest[length:]
            path = head.split(b" ", 2)[1]
            status, kind, out = answer(path, headers.get(b"x-amz-target", b"").decode(), body)
            s.sendall(b"HTTP/1.1 %d X\r\nContent-Type: %s\r\nx-amzn-RequestId: r\r\nContent-Length: %d\r\n\r\n" % (status, kind.encode(), len(out)) + out)
    except (OSError, ssl.SSLError):
        pass
    finally:
        raw.close()


def main(pem):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    listener = socket.create_server(("127.0.0.1", 0), backlog=128)
    print(listener.getsockname()[1], flush=True)
    while True:
        raw, _ = listener.accept()
        threading.Thread(target=serve, args=(raw, context), daemon=True).start()


if __name__ == "__main__":
    main(sys.argv[1])
