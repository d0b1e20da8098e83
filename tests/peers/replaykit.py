"""What replay tests share: a queue with its dead-letter queue, a function with its mapping, messages, and what the function was given."""

import base64
import dataclasses
import io
import json
import zipfile

OPERATE = ("--mode", "operate")
INSPECT = ("--mode", "inspect")


@dataclasses.dataclass
class Pipe:
    """queue -> dlq, function <- mapping <- queue; none of it consumes by itself on sim, whose mapping is disabled here."""
    peer: object
    sim: object
    name: str
    source: str = ""
    dlq: str = ""
    function: str = ""

    @classmethod
    def make(cls, sim, rng, batch=10, partial=False, fail_if="", fifo=False, retention=None, mapping=True):
        peer = sim.peer
        p = cls(peer, sim, f"q{rng.randrange(1 << 40):x}")
        sqs, lam = peer.client("sqs"), peer.client("lambda")
        end, attributes = (".fifo", {"FifoQueue": "true"}) if fifo else ("", {})
        p.dlq = sqs.create_queue(QueueName=f"{p.name}-dlq{end}", Attributes={
            **attributes, **({"MessageRetentionPeriod": str(retention)} if retention else {})})["QueueUrl"]
        arn = p.arn(p.dlq)
        p.source = sqs.create_queue(QueueName=f"{p.name}{end}", Attributes={
            **attributes, "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})})["QueueUrl"]
        p.function = f"f-{p.name}"
        lam.create_function(FunctionName=p.function, Runtime="python3.11", Role="arn:aws:iam::123456789012:role/r", Handler="h.h",
                            Code={"ZipFile": b"code"}, Timeout=5,
                            Environment={"Variables": {"FAIL_IF": fail_if, "PARTIAL": "yes" if partial else "no"}})
        if mapping:
            lam.create_event_source_mapping(EventSourceArn=p.arn(p.source), FunctionName=p.function, BatchSize=batch, Enabled=False,
                                            FunctionResponseTypes=["ReportBatchItemFailures"] if partial else [])
        return p

    def arn(self, url):
        return self.peer.client("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    @property
    def dlq_name(self):
        return self.dlq.rsplit("/", 1)[1]

    def fill(self, n, body=None, **more):
        """Puts n messages into the dead-letter queue; {message id: body}"""
        sqs, sent = self.peer.client("sqs"), {}
        for first in range(0, n, 10):
            entries = [{"Id": str(i), "MessageBody": (body or (lambda k: json.dumps({"order": k})))(i), **more}
                       for i in range(first, min(first + 10, n))]
            done = sqs.send_message_batch(QueueUrl=self.dlq, Entries=entries)
            assert not done.get("Failed")
            sent.update({d["MessageId"]: entries[int(d["Id"]) - first]["MessageBody"] for d in done["Successful"]})
        return sent

    def counts(self, url=None):
        """(visible, in flight)"""
        a = self.peer.client("sqs").get_queue_attributes(QueueUrl=url or self.dlq, AttributeNames=["All"])["Attributes"]
        return int(a["ApproximateNumberOfMessages"]), int(a["ApproximateNumberOfMessagesNotVisible"])

    def events(self):
        """What the function was given, event by event."""
        told = self.sim.control("GET", path="/_sluice/invocations")[1]["invocations"]
        return [json.loads(e["payload"]) for e in told if e["function"] == self.function]

    def contexts(self):
        told = self.sim.control("GET", path="/_sluice/invocations")[1]["invocations"]
        return [json.loads(base64.b64decode(e["client_context"])) for e in told if e["function"] == self.function]

    def deliveries(self):
        """{message id: how often the function was given it}"""
        n = {}
        for event in self.events():
            for r in event["Records"]:
                n[r["messageId"]] = n.get(r["messageId"], 0) + 1
        return n


def python_function(peer, name, code, account="000000000000"):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as z:
        z.writestr("h.py", code)
    peer.client("lambda").create_function(FunctionName=name, Runtime="python3.11", Role=f"arn:aws:iam::{account}:role/r", Handler="h.h",
                                          Code={"ZipFile": packed.getvalue()}, Timeout=10)
