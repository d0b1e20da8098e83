"""Answers to damage: recorded on the way between sluice and the AWSs that answer it (the simulator, moto, the fake), errors of each
operation and wire among them, and pages."""

import dataclasses
import gzip
import http.client
import json
import random
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import fakeaws
import processes
from fakeaws import Answers, FakeAws
from peer import Peer
from program import Sluice
from simtools import Sim
from test_road import World

LONGEST = 8000  # a longer one is cut no differently, only slower


@dataclasses.dataclass(frozen=True)
class Answer:
    source: str
    op: str
    status: int
    headers: tuple
    body: bytes

    @property
    def success(self):
        return 200 <= self.status < 300

    def line(self, body64, **more):
        return json.dumps({"op": self.op, "status": self.status, "headers": [list(h) for h in self.headers], "body": body64, **more})


class Recorder:
    """Hands everything on to another AWS and keeps what came back. The Host that was signed goes on as it is."""

    def __init__(self, upstream, source):
        self.upstream, self.source, self.answers = urllib.parse.urlsplit(upstream), source, []

    def __enter__(self):
        recorder = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *a):
                pass

            def serve(self):
                self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                op = fakeaws._Handler.operation(self)
                up = http.client.HTTPConnection(recorder.upstream.hostname, recorder.upstream.port, timeout=60)
                headers = {k: v for k, v in self.headers.items() if k.lower() not in ("connection", "accept-encoding")}
                up.request(self.command, self.path, self.body, headers)
                r = up.getresponse()
                body = r.read()
                kept = tuple((k, v) for k, v in r.getheaders() if k.lower() not in ("connection", "transfer-encoding", "content-length", "date", "server"))
                recorder.answers.append(Answer(recorder.source, op, r.status, kept, body))
                self.send_response_only(r.status)
                for k, v in kept:
                    self.send_header(k, v)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)
                up.close()

            do_GET = do_POST = serve

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def __exit__(self, *exc):
        self.server.shutdown()
        self.server.server_close()


class Paged(Answers):
    """Every list in two pages, its second empty: the first one's token is what a reader must not keep from half an answer."""

    def _page(self, good, body, token):
        return good if body.get(token) else {**good, token: "dG9rZW4="}

    def list_queues(self, body):
        return self._page(super().list_queues(body), body, "NextToken")

    def describe_alarms(self, body):
        good = super().describe_alarms(body)
        rule = {"AlarmName": "both", "AlarmArn": fakeaws.arn("cloudwatch", "alarm:both"), "AlarmRule": "ALARM(a) AND \u00c4LARM(\"b\\\"\")", "StateValue": "ALARM"}
        return self._page({**good, "CompositeAlarms": [rule]}, body, "NextToken")

    def list_streams(self, body):
        good = super().list_streams(body)
        return good if body.get("NextToken") else {**good, "HasMoreStreams": True, "NextToken": "dG9rZW4="}

    def get_metric_data(self, body):
        good = super().get_metric_data(body)
        good["MetricDataResults"] = good["MetricDataResults"][:12]
        return self._page({**good, "Messages": [{"Code": "MaxMetricsExceeded", "Value": "too many \ud83d\ude00"}]}, body, "NextToken")

    def list_metrics(self, body):
        dims = [{"Name": "Stage", "Value": "\u00fcber"}, {"Name": "Host", "Value": "a\nb"}]
        return self._page({"Metrics": [{"Namespace": "DataPipeline", "MetricName": f"m{i}", "Dimensions": dims} for i in range(8)]}, body, "NextToken")


ERRORS = {"denied": fakeaws.denied, "throttled": fakeaws.throttled, "expired": fakeaws.expired, "internal": fakeaws.internal, "page": fakeaws.html503,
          "queue": fakeaws.error(400, "QueueDoesNotExist", "The specified queue does not exist.")}


LISTS = ("ListQueues", "ListStreams", "ListFunctions", "ListEventSourceMappings", "DescribeAlarms", "GetCallerIdentity")
LATER = {op for op in fakeaws.OPERATIONS if not op.endswith(LISTS)}  # asked only when lists were answered


def look(home, env):
    """The commands that between them use every operation."""
    run = Sluice(home)
    run("status", "--format", "json", env=env)
    run("doctor", env=env)


def record(folder):
    """At least 40 answers: each operation's good ones from three AWSs, its errors, its pages."""
    answers = []
    for scenario in ("calm", "dlq-growth"):
        with Sim.start(scenario, home=folder) as sim, Recorder(sim.endpoint, f"sim {scenario}") as r:
            look(folder / scenario, {**sim.peer.env(), "AWS_ENDPOINT_URL": r.url})
            answers += r.answers
    for name, made in (("plain", Answers()), ("paged", Paged()), ("hostile text", Answers(lambda s: s + "\u202e\"\\\u00e4"))):
        with FakeAws(answers=made) as aws, Recorder(aws.url, f"fake {name}") as r:
            look(folder / name, aws.env(AWS_ENDPOINT_URL=r.url))
            answers += r.answers
    for name, fault in ERRORS.items():
        for faults in ({"*": fault}, dict.fromkeys(LATER, fault)):
            with FakeAws(faults) as aws, Recorder(aws.url, f"fake {name}") as r:
                look(folder / name, aws.env(AWS_ENDPOINT_URL=r.url))
                answers += [a for a in r.answers if not a.success]
    return few(answers + record_moto(folder))


def record_moto(folder):
    """An AWS that nobody here wrote, with queues, a stream, a function, alarms and points in it."""
    process, url = processes.moto_server(folder, "moto")
    try:
        peer = Peer("moto", url, "AKIAIOSFODNN7EXAMPLE", "moto-takes-any-secret")
        World(peer, random.Random(7)).build()
        with Recorder(url, "moto") as r:
            look(folder / "moto-home", {**peer.env(), "AWS_ENDPOINT_URL": r.url})
        return r.answers
    finally:
        processes.stop(process)


def few(answers, each=2):
    """Of answers of one operation, source and status the first two that differ."""
    kept = {}
    for a in answers:
        same = kept.setdefault((a.source, a.op, a.status), {})
        if len(a.body) <= LONGEST and len(same) < each:
            same.setdefault(len(a.body), a)
    return [a for same in kept.values() for a in same.values()]


def zipped(body):
    return gzip.compress(body, mtime=0)
