"""--check --publish and --notify: what CloudWatch then has, what a subscribed queue really gets, when nothing is told again, and what is
refused. Nothing refused or dry may reach the service."""

import json
import time

import fakeaws
import pytest
from simtools import Sim
from test_check_options import METRIC, Points

GO = ("--mode", "operate", "--yes")
NS = "Sluice/Checks"


@pytest.fixture(params=["moto", "ministack"])
def peer(request):
    return request.getfixturevalue(request.param)


def env_of(peer):
    return {"AWS_ACCESS_KEY_ID": peer.access_key, "AWS_SECRET_ACCESS_KEY": peer.secret_key, "AWS_REGION": peer.region,
            "AWS_ENDPOINT_URL": peer.url}


def topic_of(peer, name):
    """A topic and a queue that is subscribed to it."""
    sns, sqs = peer.client("sns"), peer.client("sqs")
    topic = sns.create_topic(Name=name)["TopicArn"]
    url = sqs.create_queue(QueueName=f"{name}-box")["QueueUrl"]
    box = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=box, ReturnSubscriptionArn=True)
    return topic, url


def heard(peer, url):
    """[(subject, message)] that came into the queue since the last look."""
    sqs, got, until = peer.client("sqs"), [], time.monotonic() + 3
    while time.monotonic() < until:
        page = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", [])
        for m in page:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=m["ReceiptHandle"])
            body = json.loads(m["Body"])
            got.append((body["Subject"], body["Message"]))
        if got and not page:
            break
        time.sleep(0.1)
    return got


def dead_letters(peer, rng):
    """A queue with a dead-letter queue in which one message is: what the defaults call CRITICAL."""
    sqs, name = peer.client("sqs"), f"q{rng.randrange(1 << 40):x}"
    dead = sqs.create_queue(QueueName=f"{name}-dlq")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 3})})
    sqs.send_message(QueueUrl=dead, MessageBody="x")
    return name, dead


def check(sluice, peer, *options):
    return sluice("--check", "--dlq-max", "0", "--format", "json", *options, env=env_of(peer))


def test_a_subscribed_queue_gets_one_message_a_change(sluice, peer, rng):
    name, dead = dead_letters(peer, rng)
    topic, box = topic_of(peer, f"t{rng.randrange(1 << 40):x}")
    run = lambda *more: check(sluice, peer, "--select", f"{name}-dlq", "--notify", topic, *more)
    ran = run(*GO)
    assert ran.status == 2 and ran.err == "", str(ran)
    (subject, message), = heard(peer, box)
    assert "CRITICAL" in subject and name in subject and len(subject) < 100 and subject.isascii() and subject.isprintable()
    assert "CRITICAL" in message and f"{name}-dlq" in message and "1 messages in this dead-letter queue" in message
    assert run(*GO).status == 2 and heard(peer, box) == [], "the same is not told again"
    peer.client("sqs").purge_queue(QueueUrl=dead)
    assert run(*GO).status == 0
    (subject, message), = heard(peer, box)
    assert "OK" in subject and "Nothing is in trouble any more" in message
    assert run(*GO).status == 0 and heard(peer, box) == []
    log = [line for line in sluice("audit", env=env_of(peer)).out.splitlines() if "sns:Publish" in line]
    assert len(log) == 2 and all("announced" in line and topic in line for line in log), log


def test_a_first_run_tells_only_trouble(sluice, peer, rng):
    name, dead = dead_letters(peer, rng)
    peer.client("sqs").purge_queue(QueueUrl=dead)
    topic, box = topic_of(peer, f"t{rng.randrange(1 << 40):x}")
    assert check(sluice, peer, "--select", f"{name}-dlq", "--notify", topic, *GO).status == 0
    assert heard(peer, box) == []


def test_refused_and_dry_reach_nobody(sluice, peer, rng):
    name, _ = dead_letters(peer, rng)
    topic, box = topic_of(peer, f"t{rng.randrange(1 << 40):x}")
    run = lambda *more: check(sluice, peer, "--select", f"{name}-dlq", "--notify", topic, "--publish", NS, *more)
    for more, word in (((), "--mode operate"), (("--mode", "operate"), "--yes"), (("--mode", "inspect", "--yes"), "--mode operate")):
        ran = run(*more)
        assert ran.status == 2 and word in ran.err, str(ran)
    ran = run(*GO, "--dry-run")
    assert ran.status == 2 and f"notify topic {topic.rsplit(':', 1)[1]}" in ran.err and "publish 3 values" in ran.err, str(ran)
    assert heard(peer, box) == []
    assert not peer.client("cloudwatch").list_metrics(Namespace=NS)["Metrics"]
    assert run(*GO).status == 2 and len(heard(peer, box)) == 1, "a dry run keeps nothing as told"


@pytest.mark.parametrize("topic,word", [("arn:aws:sns:eu-central-1:123456789012:t", "the topic is in eu-central-1"),
                                        ("arn:aws:sqs:us-east-1:123456789012:t", "wants a topic's ARN"),
                                        ("arn:aws:sns:us-east-1:123456789012:t:sub", "wants a topic's ARN"),
                                        ("arn:aws:sns:us-east-1:123456789012:t.fifo", "FIFO")])
def test_topics_that_cannot_be(sluice, sim, topic, word):
    """Sim's region is its own: the one that fits is put in."""
    topic = topic.replace("us-east-1", sim.region)
    ran = sluice("--check", "--alarms", "--format", "json", "--notify", topic, *GO, env=env_of(sim))
    assert ran.status == ran.json["exit"] == 3 and word in ran.err and ran.json["status"] == "OK", str(ran)


def test_what_cloudwatch_then_has(sluice, tmp_path):
    """0..3 and the value of each check, the exit status of all: an alarm can page on them."""
    with Sim.start("dlq-growth", home=tmp_path) as sim:
        ran = sluice("--check", "--dlq-max", "0", "--ttl-min", "1h", "--format", "json", "--publish", NS, *GO, env=env_of(sim.peer))
        assert ran.status == ran.json["exit"] == 2 and "PutMetricData" not in ran.err, str(ran)
        cw = sim.client("cloudwatch")
        metrics = cw.list_metrics(Namespace=NS)["Metrics"]
        names = {(m["MetricName"], next((d["Value"] for d in m["Dimensions"]), None)) for m in metrics}
        want = {("CheckStatus", c["name"]) for c in ran.json["checks"]} | {("CheckValue", c["name"]) for c in ran.json["checks"] if c["value"] is not None}
        assert names == want | {("ExitStatus", None)}
        now = time.time()

        def newest(metric, check):
            dims = [{"Name": "Check", "Value": check}] if check else []
            stat = cw.get_metric_statistics(Namespace=NS, MetricName=metric, Dimensions=dims, StartTime=now - 600, EndTime=now + 120,
                                            Period=60, Statistics=["Maximum"])["Datapoints"]
            return max(p["Maximum"] for p in stat)

        status = {"OK": 0, "SKIPPED": 0, "WARNING": 1, "CRITICAL": 2, "UNKNOWN": 3}
        for c in ran.json["checks"]:
            assert newest("CheckStatus", c["name"]) == status[c["status"]], c
            assert c["value"] is None or newest("CheckValue", c["name"]) == c["value"], c
        assert newest("ExitStatus", None) == 2


class Loud(Points):
    """Counts what is published."""

    def publish(self, body):
        return ('<PublishResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/"><PublishResult><MessageId>m-1</MessageId></PublishResult>'
                "<ResponseMetadata><RequestId>r-1</RequestId></ResponseMetadata></PublishResponse>")


def test_many_checks_go_in_batches(sluice, sim):
    """More values than one request takes."""
    options = [w for i in range(700) for w in ("--metric", f"Orders/M{i}:Sum")]
    ran = sluice("--check", "--format", "json", "--no-data", "ok", *options, "--publish", "Many", *GO, env=env_of(sim))
    assert ran.status == 0, str(ran)[:2000]
    pages = sim.client("cloudwatch").get_paginator("list_metrics").paginate(Namespace="Many")
    assert sum(len(p["Metrics"]) for p in pages) == 701


@pytest.mark.parametrize("ns,word", [("AWS/SQS", "AWS's own"), (":x", "no colon"), (" ", "1 to 255")])
def test_namespaces_that_cannot_be(sluice, sim, ns, word):
    ran = sluice("--check", "--alarms", "--publish", ns, *GO, env=env_of(sim))
    assert ran.status == 3 and word in ran.err, str(ran)


def test_the_configuration_says_it_too(sluice, peer, rng):
    name, _ = dead_letters(peer, rng)
    topic, box = topic_of(peer, f"t{rng.randrange(1 << 40):x}")
    conf = sluice.config(f"[checks]\ndlq-max = 0\nnotify = {topic}\npublish = {NS}\n")
    ran = sluice("--check", "--config", conf, "--select", f"{name}-dlq", *GO, env=env_of(peer))
    assert ran.status == 2 and len(heard(peer, box)) == 1 and peer.client("cloudwatch").list_metrics(Namespace=NS)["Metrics"], str(ran)


def test_a_lost_answer_is_said_and_told_again(sluice, sim, rng):
    """SNS took it or not: nobody knows, so the next run tells; the check itself stays what it is."""
    answers = Loud(states=["ALARM"])
    lost = {"sns:Publish": fakeaws.hang_up}
    topic = fakeaws.arn("sns", "oncall")
    with fakeaws.FakeAws(lost, answers) as aws:
        run = lambda: sluice("--check", "--alarms", "--format", "json", "--in-alarm-is", "warn", "--notify", topic, *GO, env=aws.env())
        ran = run()
        assert ran.status == ran.json["exit"] == 3 and ran.json["status"] == "WARNING" and "unknown: it was sent" in ran.err, str(ran)
        assert aws.calls["sns:Publish"] == 1, "what may have been done is not done again at once"
        aws.faults.clear()
        assert run().status == 1 and aws.calls["sns:Publish"] == 2
        assert run().status == 1 and aws.calls["sns:Publish"] == 2
