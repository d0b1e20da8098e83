"""The operations that write: what they send is what botocore's serialisers make of the same input."""

import base64
import collections
import json
import os
import subprocess
import urllib.parse

import botocore.session
from botocore.serialize import create_serializer

COUNT = 5_000 if os.environ.get("SLUICE_LONG") == "1" else 600
UNITS = botocore.session.get_session().get_service_model("cloudwatch").shape_for("StandardUnit").enum
LETTERS = "abzABZ0189-_.~ /:;,?!@#$%^&*()[]{}|\\\"'`<>+=\t\u0001\u007fäßéÿ€漢字😀\u202e\u0301\u2028"


def tool():
    return os.path.join(os.environ.get("SLUICE_BUILD", "build"), "tools", "write_cli")


def text(rng, most, least=1, letters=LETTERS):
    return "".join(rng.choice(letters) for _ in range(rng.randint(least, most)))


def number(rng):
    return rng.choice([0.0, -0.5, 1.0, 5e-324, 2.0**360, -(2.0**360), 0.1 + 0.2, float(rng.randrange(-(10**6), 10**6)),
                       rng.uniform(-1, 1) * 10.0 ** rng.randrange(-30, 30)])


def records(rng):
    size = rng.choice([0, 1, 2, 3, rng.randrange(200), rng.randrange(3000)])
    n = rng.choice([1, 2, rng.randint(1, 20), 500 if size < 200 else 5])
    rows = [(rng.randbytes(rng.randint(0, size)), text(rng, rng.choice([1, 10, 256]))) for _ in range(n)]
    stream = text(rng, 128, letters="abzAZ09_.-")
    ours = {"op": "PutRecords", "stream": stream,
            "records": [{"data": base64.b64encode(d).decode(), "key": k} for d, k in rows]}
    return ours, "kinesis", {"StreamName": stream, "Records": [{"Data": d, "PartitionKey": k} for d, k in rows]}


def metric(rng):
    dims = sorted({text(rng, 20): text(rng, 40) for _ in range(rng.choice([0, 1, 3, 30]))}.items(), key=lambda d: d[0].encode())
    unit = rng.choice([None, *UNITS])
    ours = {"op": "PutMetricData", "ns": text(rng, 60), "name": text(rng, 60), "dims": dims, "value": number(rng), "unit": unit}
    ours["more"] = [number(rng) for _ in range(rng.choice([0, 0, 1, 8]))]
    datum = {"MetricName": ours["name"], "Value": ours["value"]}
    if dims:
        datum["Dimensions"] = [{"Name": k, "Value": v} for k, v in dims]
    if unit:
        datum["Unit"] = unit
    return ours, "cloudwatch", {"Namespace": ours["ns"], "MetricData": [datum, *({**datum, "Value": v} for v in ours["more"])]}


def invoke(rng):
    name = rng.choice(["f", "data-processor", "f:live", "f:$LATEST", "123456789012:function:f",
                       "arn:aws:lambda:eu-west-1:123456789012:function:orders:v1"])
    payload = json.dumps({"bucket": text(rng, 20), "key": text(rng, 200)}).encode()
    ours = {"op": "Invoke", "function": name, "payload": base64.b64encode(payload).decode()}
    return ours, "lambda", {"FunctionName": name, "InvocationType": "Event", "Payload": payload}


def publish(rng):
    ours = {"op": "Publish", "topic": "arn:aws:sns:eu-west-1:123456789012:" + text(rng, 30, letters="abzAZ09_-"),
            "subject": text(rng, 99, letters="abz AZ09:;&=+%/()"), "message": text(rng, 2000)}
    return ours, "sns", {"TopicArn": ours["topic"], "Subject": ours["subject"], "Message": ours["message"]}


def botocores(models, ours, service, params):
    model = models[service]
    protocol = {"lambda": "rest-json", "sns": "query"}.get(service, "json")  # of CloudWatch's three the one that sluice speaks
    return create_serializer(protocol).serialize_to_request(params, model.operation_model(ours["op"]))


def test_requests_equal_botocores(rng):
    cases = [rng.choice([records, metric, metric, invoke, publish])(rng) for _ in range(COUNT)]
    feed = "".join(json.dumps(ours) + "\n" for ours, _, _ in cases)
    done = subprocess.run([tool()], input=feed.encode(), stdout=subprocess.PIPE, timeout=200, check=True)
    answers = done.stdout.decode().splitlines()
    assert len(answers) == len(cases)
    session = botocore.session.get_session()
    models = {s: session.get_service_model(s) for s in ("kinesis", "cloudwatch", "lambda", "sns")}
    counts = collections.Counter()
    for (ours, service, params), line in zip(cases, answers):
        got, want = json.loads(line), botocores(models, ours, service, params)
        headers = {k.lower(): v for k, v in got["headers"]}
        body = base64.b64decode(got["body"])
        assert got["method"] == want["method"]
        assert got["path"] == want["url_path"] and got["query"] == (want["query_string"] or "")
        if service == "lambda":
            assert body == want["body"] and headers["x-amz-invocation-type"] == "Event"
        elif service == "sns":
            form = urllib.parse.parse_qs(body.decode(), keep_blank_values=True, strict_parsing=True)
            assert form == {k: [str(v)] for k, v in want["body"].items()}, line[:1000]
        else:
            assert json.loads(body) == json.loads(want["body"]), line[:1000]  # 0 and 0.0 are one number
        for name, value in want["headers"].items():
            if service == "sns":
                continue  # of a form the type alone matters, and that is botocore's own to add
            assert headers[name.lower()] == value, (name, headers)
        counts[ours["op"]] += 1
    print(dict(counts))
    assert len(counts) == 4 and min(counts.values()) >= COUNT // 10


def test_every_unit(rng):
    """Each of CloudWatch's units is known in any case, and no other."""
    names = [(u, u) for u in UNITS] + [(u.upper(), u) for u in UNITS] + [("Second", None), ("counts", None), ("", None), ("%", None)]
    lines = [json.dumps({"op": "PutMetricData", "ns": "n", "name": "m", "dims": [], "value": 1, "unit": given}) for given, _ in names]
    done = subprocess.run([tool()], input="\n".join(lines).encode() + b"\n", stdout=subprocess.PIPE, timeout=60, check=True)
    for (given, want), line in zip(names, done.stdout.decode().splitlines(), strict=True):
        assert json.loads(base64.b64decode(json.loads(line)["body"]))["MetricData"][0].get("Unit") == want, given
