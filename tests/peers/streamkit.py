"""What replay tests of streams share: a stream with records, a function with its mapping, a queue of on-failure records, and what the
function was given."""

import base64
import dataclasses
import datetime
import hashlib
import json


def sequence_key(number):
    return len(number), number


@dataclasses.dataclass
class Stream:
    peer: object
    sim: object
    name: str
    arn: str = ""
    function: str = ""
    function_arn: str = ""
    queue: str = ""
    records: dict = dataclasses.field(default_factory=dict)  # shard -> [(sequence number, data)], as they were put

    @classmethod
    def make(cls, sim, rng, shards=1, batch=10, partial=False, fail_if="", mapping=True, retention=None):
        peer = sim.peer
        s = cls(peer, sim, f"s{rng.randrange(1 << 40):x}")
        kinesis, lam, sqs = peer.client("kinesis"), peer.client("lambda"), peer.client("sqs")
        kinesis.create_stream(StreamName=s.name, ShardCount=shards)
        kinesis.get_waiter("stream_exists").wait(StreamName=s.name, WaiterConfig={"Delay": 1})
        s.arn = kinesis.describe_stream_summary(StreamName=s.name)["StreamDescriptionSummary"]["StreamARN"]
        s.function = f"f-{s.name}"
        s.function_arn = lam.create_function(
            FunctionName=s.function, Runtime="python3.11", Role="arn:aws:iam::123456789012:role/r", Handler="h.h",
            Code={"ZipFile": b"code"}, Timeout=5,
            Environment={"Variables": {"FAIL_IF": fail_if, "PARTIAL": "yes" if partial else "no"}})["FunctionArn"]
        s.queue = sqs.create_queue(QueueName=f"{s.name}-fail", Attributes={"MessageRetentionPeriod": str(retention or 1209600)})["QueueUrl"]
        if mapping:
            lam.create_event_source_mapping(
                EventSourceArn=s.arn, FunctionName=s.function, BatchSize=batch, Enabled=False, StartingPosition="TRIM_HORIZON",
                DestinationConfig={"OnFailure": {"Destination": s.queue_arn()}},
                FunctionResponseTypes=["ReportBatchItemFailures"] if partial else [])
        return s

    def queue_arn(self):
        return self.peer.client("sqs").get_queue_attributes(QueueUrl=self.queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]

    @property
    def queue_name(self):
        return self.queue.rsplit("/", 1)[1]

    def put(self, n, data=None, **more):
        """n records, one call each, so that their numbers are known; [(shard, number, data)]"""
        kinesis, put = self.peer.client("kinesis"), []
        for i in range(n):
            body = data(i) if data else json.dumps({"order": i}).encode()
            done = kinesis.put_record(StreamName=self.name, Data=body, PartitionKey=f"k{i}", **more)
            put.append((done["ShardId"], done["SequenceNumber"], body))
            self.records.setdefault(done["ShardId"], []).append((done["SequenceNumber"], body))
        return put

    def pointer(self, shard, first, last, size, **more):
        """The text of an on-failure record."""
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.835Z")
        info = {"shardId": shard, "startSequenceNumber": first, "endSequenceNumber": last, "approximateArrivalOfFirstRecord": now,
                "approximateArrivalOfLastRecord": now, "batchSize": size, "streamArn": self.arn, **more}
        return json.dumps({
            "requestContext": {"requestId": "c9b8fa9f-5a7f-4000-af9c-0c604cde93a5", "functionArn": self.function_arn,
                               "condition": "RetryAttemptsExhausted", "approximateInvokeCount": 1},
            "responseContext": {"statusCode": 200, "executedVersion": "$LATEST", "functionError": "Unhandled"},
            "version": "1.0", "timestamp": "2026-11-14T00:38:06.021Z", "KinesisBatchInfo": info})

    def give_up(self, size):
        """A message for each `size` records of each shard, in their order; {message id: [sequence numbers]}"""
        sent = {}
        for shard, v in self.records.items():
            for i in range(0, len(v), size):
                part = v[i:i + size]
                sent[self.send(self.pointer(shard, part[0][0], part[-1][0], len(part)))] = [number for number, _ in part]
        return sent

    def send(self, text):
        return self.peer.client("sqs").send_message(QueueUrl=self.queue, MessageBody=text)["MessageId"]

    def left(self):
        a = self.peer.client("sqs").get_queue_attributes(QueueUrl=self.queue, AttributeNames=["All"])["Attributes"]
        return int(a["ApproximateNumberOfMessages"]), int(a["ApproximateNumberOfMessagesNotVisible"])

    def events(self):
        told = self.sim.control("GET", path="/_sluice/invocations")[1]["invocations"]
        return [json.loads(e["payload"]) for e in told if e["function"] == self.function]

    def deliveries(self):
        """[(sequence number, data)] in the order in which the function was given them"""
        return [(r["kinesis"]["sequenceNumber"], base64.b64decode(r["kinesis"]["data"])) for e in self.events() for r in e["Records"]]

    def all_records(self):
        return [r for v in self.records.values() for r in v]

    def sha(self):
        return {number: hashlib.sha256(data).hexdigest() for number, data in self.all_records()}
