"""discover: what belongs together, every edge with its proof, against emulators; stacks, tags, and what is saved."""

import dataclasses
import json
import os
import pathlib
import re
import stat

import fakeaws
import pytest
from fakeaws import FakeAws
from program import plain
from simtools import Sim

ARN = "arn:aws:{}:eu-west-1:123456789012:{}"
INGEST, ENRICH = ARN.format("kinesis", "stream/orders-ingest"), ARN.format("lambda", "function:orders-enrich")
FAILED = ARN.format("sqs", "orders-enrich-fail")
LOAD, LOADER, DLQ = ARN.format("sqs", "orders-load"), ARN.format("lambda", "function:orders-loader"), ARN.format("sqs", "orders-load-dlq")


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    with Sim.start("calm", home=tmp_path_factory.mktemp("sim")) as s:
        yield s


@pytest.fixture
def own(tmp_path):
    with Sim.start("calm", home=tmp_path) as s:
        yield s


def discover(sluice, peer, *args, status=0, **env):
    ran = sluice("discover", *args, env=peer.env(**env))
    assert ran.status == status and plain(ran.out) and plain(ran.err), str(ran)
    return ran


def edges(doc):
    return {(e["from"], e["to"]): (e["kind"], e["proof"]["operation"], e["proof"]["field"]) for e in doc["edges"]}


def pipelines(doc):
    found = {}
    for n in doc["nodes"]:
        found.setdefault(n["pipeline"], []).append(n["name"])
    return found


def verdicts(doc):
    return {(v["node"].rsplit(":", 1)[1], v["code"]) for v in doc["verdicts"]}


# ---- the embedded AWS

def test_the_graph(calm, sluice):
    doc = discover(sluice, calm.peer, "--format", "json").json
    assert doc["version"] == 1 and doc["problems"] == [], doc
    assert edges(doc) == {
        (INGEST, ENRICH): ("mapping", "lambda:ListEventSourceMappings", "EventSourceArn"),
        (LOAD, LOADER): ("mapping", "lambda:ListEventSourceMappings", "EventSourceArn"),
        (ENRICH, FAILED): ("on_failure", "lambda:ListEventSourceMappings", "DestinationConfig.OnFailure.Destination"),
        (LOAD, DLQ): ("dlq", "sqs:GetQueueAttributes", "RedrivePolicy.deadLetterTargetArn")}
    assert {e["to"]: e["proof"]["confirmed"] for e in doc["edges"]} == {ENRICH: False, LOADER: False, FAILED: False, DLQ: True}  # by ListDeadLetterSourceQueues
    assert all(e["strength"] == "configured" for e in doc["edges"])
    assert pipelines(doc) == {"orders-ingest": ["orders-ingest", "orders-enrich", "orders-enrich-fail"],
                              "orders-load": ["orders-load", "orders-loader", "orders-load-dlq"],
                              None: ["nightly-report", "thumbnailer", "billing-events"]}
    ids = [n["id"] for n in doc["nodes"]]
    assert len(set(ids)) == len(ids) and all(n["id"] == n["arn"] for n in doc["nodes"])
    assert {k for e in doc["edges"] for k in (e["from"], e["to"])} <= set(ids)
    assert ("stream/orders-ingest", "infinite_retries") in verdicts(doc) and ("billing-events", "no_consumer") in verdicts(doc)


def test_the_same_every_time(calm, sluice):
    first, second = (discover(sluice, calm.peer, "--format", f).out for f in ("text", "text"))
    assert first == second
    rows = [line.split("\t") for line in first.splitlines()]
    assert all(len(r) == 9 for r in rows) and {r[0] for r in rows} == {"node", "edge", "verdict"}


def test_free_of_charge(own, sluice):
    """No metric is asked for, and of the dead-letter queues each once."""
    own.spoil("cloudwatch:*=status:500", "sqs:ListDeadLetterSourceQueues=delay:1")
    discover(sluice, own.peer)
    assert own.hits() == {"cloudwatch:*=status:500": 0, "sqs:ListDeadLetterSourceQueues=delay:1": 2}  # both dead-letter queues


def parse_dot(text):
    """Quoted ids with their escapes undone, as graphviz reads them."""
    quoted = r'"((?:[^"\\]|\\.)*)"'
    nodes = {undo(m[1]): m[2] for m in re.finditer(rf"^ +{quoted} \[label={quoted}", text, re.M)}
    arrows = {(undo(m[1]), undo(m[2])) for m in re.finditer(rf"^ +{quoted} -> {quoted} \[", text, re.M)}
    return nodes, arrows


def undo(s):
    return re.sub(r'\\(["\\])', r"\1", s)


def test_dot(calm, sluice):
    text = discover(sluice, calm.peer, "--format", "dot").out
    nodes, arrows = parse_dot(text)
    assert text.startswith("digraph sluice {\n") and text.endswith("}\n") and text.count("{") == text.count("}")
    assert len(nodes) == 9 and nodes[INGEST] == r"orders-ingest\nkinesis"
    assert arrows == {(INGEST, ENRICH), (ENRICH, FAILED), (LOAD, LOADER), (LOAD, DLQ)}


def test_disabled_shared_and_short(own, sluice):
    sqs, lam = own.client("sqs"), own.client("lambda")
    url = sqs.create_queue(QueueName="jobs", Attributes={"VisibilityTimeout": "60", "RedrivePolicy": json.dumps(
        {"deadLetterTargetArn": DLQ, "maxReceiveCount": 1})})["QueueUrl"]
    jobs = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    lam.create_event_source_mapping(EventSourceArn=jobs, FunctionName="thumbnailer", Enabled=False)
    found = verdicts(discover(sluice, own.peer, "--format", "json").json)
    assert {("jobs", "consumer_disabled"), ("jobs", "max_receive_1"), ("jobs", "visibility"), ("orders-load-dlq", "dlq_shared")} <= found, found


# ---- what cannot be read

@pytest.mark.parametrize("fault,op,lost", [
    ("lambda:ListEventSourceMappings=denied", "lambda:ListEventSourceMappings", {(INGEST, ENRICH), (ENRICH, FAILED), (LOAD, LOADER)}),
    ("sqs:GetQueueAttributes=denied", "sqs:GetQueueAttributes", {(LOAD, DLQ)}),
    ("sqs:ListDeadLetterSourceQueues=denied", "sqs:ListDeadLetterSourceQueues", set()),
    ("kinesis:ListStreams=denied", "kinesis:ListStreams", set()),
])
def test_one_denied(own, sluice, fault, op, lost):
    own.spoil(fault)
    ran = discover(sluice, own.peer, "--format", "json")
    doc = ran.json
    assert [(p["operation"], p["code"]) for p in doc["problems"]] == [(op, "DENIED")], doc["problems"]
    assert op in ran.err and '"Effect":"Allow"' in ran.err, str(ran)
    assert set(edges(doc)) == {(INGEST, ENRICH), (ENRICH, FAILED), (LOAD, LOADER), (LOAD, DLQ)} - lost
    if op.startswith("lambda"):  # nothing is known of consumers, so nobody is said to have none
        assert not [v for v in verdicts(doc) if v[1] == "no_consumer"]


def test_everything_denied(own, sluice):
    own.spoil("sqs:*=denied", "kinesis:*=denied", "lambda:*=denied")
    ran = discover(sluice, own.peer, "--format", "json", status=1)
    assert ran.out == "" and "not authorized" in ran.err


# ---- stacks and tags

MEMBERS = {"orders-ingest", "orders-enrich", "orders-load", "orders-loader", "orders-load-dlq", "orders-enrich-fail"}


@pytest.mark.parametrize("args,name", [(("--stack", "orders-prod"), "orders-prod"), (("--tag", "pipeline=orders"), "pipeline=orders"),
                                       (("--tag", "pipeline"), "pipeline")])
def test_groups(calm, sluice, args, name):
    doc = discover(sluice, calm.peer, *args, "--format", "json").json
    assert {k: set(v) for k, v in pipelines(doc).items()} == {name: MEMBERS}
    assert set(edges(doc)) == {(INGEST, ENRICH), (ENRICH, FAILED), (LOAD, LOADER), (LOAD, DLQ)}


def test_groups_that_are_none(own, sluice):
    ran = discover(sluice, own.peer, "--stack", "nope", status=1)
    assert "no CloudFormation stack" in ran.err and ran.out == ""
    ran = discover(sluice, own.peer, "--tag", "pipeline=none", "--format", "json")
    assert ran.json["nodes"] == [] and "carried by nothing" in ran.err
    discover(sluice, own.peer, "--tag", "pipeline=none", "--write", status=1)
    assert not (sluice.home / ".config").exists()
    own.spoil("cloudformation:ListStackResources=denied", "tagging:GetResources=denied")
    assert "cloudformation:ListStackResources" in discover(sluice, own.peer, "--stack", "orders-prod", status=1).err
    assert "tag:GetResources" in discover(sluice, own.peer, "--tag", "pipeline=orders", status=1).err


@pytest.mark.parametrize("key", ["stack = orders-prod", "tag = pipeline=orders"])
def test_a_group_is_a_pipeline(own, sluice, key):
    config = sluice.config(f"[pipeline shop]\n{key}\n[stage shop/first]\nresource = kinesis:orders-ingest\n")
    ran = sluice("--config", config, "status", "--format", "json", env=own.peer.env())
    assert ran.status == 0, str(ran)
    shop, = ran.json["pipelines"]
    assert shop["name"] == "shop" and {s["resource"] for s in shop["stages"]} == MEMBERS and shop["health"] in ("ok", "idle")
    assert [s["name"] for s in shop["stages"] if s["resource"] == "orders-ingest"] == ["first"]
    queue, = [s for s in shop["stages"] if s["resource"] == "orders-load"]
    assert queue["metrics"]["visible"]["value"] is not None  # and what is asked of the queue itself
    assert sluice("--config", config, "--check", env=own.peer.env()).status == 0
    own.spoil("cloudformation:*=denied", "tagging:*=denied")
    ran = sluice("--config", config, "--check", "--format", "json", env=own.peer.env())
    assert ran.status == 3 and ("discover/shop", "DENIED") in {(c["name"], c["code"]) for c in ran.json["checks"]}, str(ran)
    shop, = sluice("--config", config, "status", "--format", "json", env=own.peer.env()).json["pipelines"]
    assert shop["health"] == "unknown"


TEMPLATE = {"Resources": {
    "Dead": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "shop-dead", "MessageRetentionPeriod": 1209600}},
    "In": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "shop-in", "RedrivePolicy": {
        "deadLetterTargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}, "maxReceiveCount": 3}}},
    "Raw": {"Type": "AWS::Kinesis::Stream", "Properties": {"Name": "shop-raw", "ShardCount": 1}},
    "Mail": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "shop-mail"}}}}


def test_stack_of_another_make(ministack, sluice):
    """MiniStack's CloudFormation (moto's needs packages that are not among ours)."""
    cfn = ministack.client("cloudformation")
    cfn.create_stack(StackName="shop", TemplateBody=json.dumps(TEMPLATE))
    cfn.get_waiter("stack_create_complete").wait(StackName="shop", WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    ministack.client("sqs").create_queue(QueueName="elsewhere")
    doc = discover(sluice, ministack, "--stack", "shop", "--format", "json").json
    assert {k: set(v) for k, v in pipelines(doc).items()} == {"shop": {"shop-in", "shop-dead", "shop-raw"}}
    (edge, how), = edges(doc).items()
    assert [e.rsplit(":", 1)[1] for e in edge] == ["shop-in", "shop-dead"] and how[0] == "dlq"
    ran = discover(sluice, ministack, "--stack", "no-such-stack", status=1)
    assert "no CloudFormation stack of this name in eu-west-1" in ran.err, str(ran)


def test_tags_of_another_make(moto, sluice):
    peer = dataclasses.replace(moto, region="eu-central-1")  # where no other test has anything
    made = [peer.client("sqs").create_queue(QueueName=n, tags=t)["QueueUrl"]
            for n, t in (("a", {"team": "shop"}), ("b", {"team": "bank"}), ("c", {}))]
    try:
        for tag, found in (("team=shop", {"a"}), ("team=bank", {"b"}), ("team", {"a", "b"}), ("team=", set()), ("tea", set())):
            doc = discover(sluice, peer, "--tag", tag, "--format", "json").json
            assert {n["name"] for n in doc["nodes"]} == found, (tag, doc["nodes"])
    finally:
        for url in made:
            peer.client("sqs").delete_queue(QueueUrl=url)


def test_iam(calm, sluice):
    """What a stack holds is not known beforehand, so the policy covers it."""
    def allowed(text):
        ran = sluice("--config", sluice.config(text), "iam", env=calm.peer.env())
        return {a: s["Resource"] for s in ran.json["Statement"] for a in s["Action"]}
    one = allowed("[pipeline a]\n[stage a/b]\nresource = sqs:orders-load\n")
    assert "kinesis:DescribeStreamSummary" not in one and one["tag:GetResources"] == ["*"]
    assert one["sqs:ListDeadLetterSourceQueues"] == one["sqs:GetQueueAttributes"]
    assert one["cloudformation:ListStackResources"] == ["arn:aws:cloudformation:eu-west-1:*:stack/*"]
    many = allowed("[pipeline a]\nstack = s\n[stage a/b]\nresource = kinesis:orders-ingest\n")
    assert many["kinesis:DescribeStreamSummary"] == ["arn:aws:kinesis:eu-west-1:*:stream/*"]


class Nested(fakeaws.Answers):
    """A stack within a stack within itself, in pages."""
    stacks = {"top": [("AWS::SQS::Queue", "orders"), ("AWS::CloudFormation::Stack", "arn:inner"), ("AWS::Lambda::Function", "enrich")],
              "arn:inner": [("AWS::SQS::Queue", "orders-dlq"), ("AWS::SNS::Topic", "arn:topic"), ("AWS::CloudFormation::Stack", "arn:inner"),
                            ("AWS::CloudFormation::Stack", "arn:lost")]}

    def list_stack_resources(self, body):
        at = int(body.get("NextToken", "0"))
        kind, name = self.stacks.get(body["StackName"], [("AWS::SQS::Queue", "billing")])[at:][0]
        more = at + 1 < len(self.stacks.get(body["StackName"], [1]))
        url = f"https://sqs.{fakeaws.REGION}.amazonaws.com/{fakeaws.ACCOUNT}/{name}"
        return ("<ListStackResourcesResponse><ListStackResourcesResult><StackResourceSummaries><member>"
                f"<PhysicalResourceId>{url if 'Queue' in kind else name}</PhysicalResourceId><ResourceType>{kind}</ResourceType>"
                "<ResourceStatus>CREATE_COMPLETE</ResourceStatus></member></StackResourceSummaries>"
                f"{f'<NextToken>{at + 1}</NextToken>' if more else ''}</ListStackResourcesResult></ListStackResourcesResponse>")


def test_nested_stacks(sluice):
    with FakeAws(answers=Nested()) as aws:
        doc = sluice("discover", "--stack", "top", "--format", "json", env=aws.env()).json
        assert set(pipelines(doc)["top"]) == {"orders", "orders-dlq", "enrich", "billing"}, doc
        assert pipelines(doc)[None] == ["ingest"]  # not of the stack, but it feeds one of it
        assert aws.calls["cloudformation:ListStackResources"] == 3 + 4 + 1  # each stack once, each page once


@pytest.mark.parametrize("text", ["\x1b]0;owned\x07", "a\"b\\", "x\u202ey\nz\t|", "%s%n"], ids=ascii)
@pytest.mark.parametrize("form", ["text", "json", "dot"])
def test_hostile_names(sluice, text, form):
    with FakeAws(answers=fakeaws.Answers(text=lambda s: s + text)) as aws:
        ran = sluice("discover", "--format", form, env=aws.env())
        assert ran.status == 0 and plain(ran.out) and plain(ran.err), str(ran)
        if form == "json":
            assert {n["name"] for n in ran.json["nodes"]} >= {"ingest" + text, "enrich" + text}
        elif form == "dot":
            nodes, arrows = parse_dot(ran.out)
            assert len(nodes) == 5 and len(arrows) == 2 and {x for a in arrows for x in a} <= set(nodes), ran.out
        else:
            assert all(line.count("\t") == 8 for line in ran.out.splitlines())
        dry = sluice("discover", "--write", "--dry-run", env=aws.env()).out
        saved = sluice("--config", sluice.config(dry), "discover", "--format", "json", env=aws.env())
        assert saved.status == 0, str(saved)
        assert dry == ""  # AWS gives no such names; one with a line feed could begin a section


# ---- --write

def names(text):
    return re.findall(r'^\[(?:pipeline|stage) "([^"]+)"\]$', text, re.M)


def test_write(calm, sluice):
    path = sluice.home / ".config/sluice/config.ini"
    dry = discover(sluice, calm.peer, "--write", "--dry-run")
    assert not path.exists() and dry.err == ""
    assert names(dry.out) == ["orders-ingest", "orders-ingest/orders-ingest", "orders-ingest/orders-enrich", "orders-ingest/orders-enrich-fail", "orders-load",
                              "orders-load/orders-load", "orders-load/orders-loader", "orders-load/dlq"]
    ran = discover(sluice, calm.peer, "--write")
    assert "2 new pipelines and 6 new stages" in ran.err and str(path) in ran.err
    assert path.read_text() == dry.out and stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [p.name for p in path.parent.iterdir()] == ["config.ini"]
    again = discover(sluice, calm.peer, "--write")
    assert "has all of it" in again.err and path.read_text() == dry.out
    doc = sluice("status", "--format", "json", env=calm.peer.env()).json
    assert [p["name"] for p in doc["pipelines"]] == ["orders-ingest", "orders-load"]
    assert pipelines(discover(sluice, calm.peer, "--format", "json").json)["orders-load"] == ["orders-load", "orders-loader", "orders-load-dlq"]


def test_write_keeps_what_is_there(calm, sluice):
    mine = "; by hand\n[pipeline shop]   ; spaces\n\n[stage shop/in]\n\tresource=kinesis:orders-ingest"
    config = sluice.config(mine)
    os.chmod(config, 0o640)
    ran = discover(sluice, calm.peer, "--write", "--config", config)
    text = pathlib.Path(config).read_text()
    assert text.startswith(mine + "\n\n") and "1 new pipeline and 5 new stages" in ran.err, str(ran)
    assert names(text[len(mine):]) == ["orders", "orders/load", "orders/loader", "orders/load-dlq", "shop/orders-enrich", "shop/orders-enrich-fail"]
    assert stat.S_IMODE(os.stat(config).st_mode) == 0o640
    assert sluice("--config", config, "status", env=calm.peer.env()).status == 0


def test_write_a_group(calm, sluice):
    config = sluice.config("")
    discover(sluice, calm.peer, "--stack", "orders-prod", "--write", "--config", config)
    discover(sluice, calm.peer, "--tag", "pipeline=orders", "--write", "--config", config)
    assert pathlib.Path(config).read_text() == ('[pipeline "orders-prod"]\nstack = "orders-prod"\n\n[pipeline "orders"]\n'
                                                'tag = "pipeline=orders"\n')


def test_write_refuses(calm, sluice):
    config = sluice.config("[pipeline a]\nnonsense\n")
    ran = discover(sluice, calm.peer, "--write", "--config", config, status=2)
    assert "config.ini:2" in ran.err and pathlib.Path(config).read_text() == "[pipeline a]\nnonsense\n"


def test_without_a_configuration_status_groups(calm, sluice):
    doc = sluice("status", "--format", "json", env=calm.peer.env()).json
    assert {p["name"]: [s["resource"] for s in p["stages"]] for p in doc["pipelines"]} == {
        "orders-ingest": ["orders-ingest", "orders-enrich", "orders-enrich-fail"], "orders-load": ["orders-load", "orders-loader", "orders-load-dlq"],
        "discovered": ["billing-events", "nightly-report", "thumbnailer"]}
    one = sluice("status", "orders-load", "--format", "json", env=calm.peer.env()).json
    assert [p["name"] for p in one["pipelines"]] == ["orders-load"]
