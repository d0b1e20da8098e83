"""What goes wrong, one operation and one fault at a time: nothing unknown is OK, one plain line says why, nothing hangs.

The fake AWS of fakeaws.py answers everything else well, so the only cause in sight is the fault."""

import concurrent.futures
import itertools
import json
import socket
import time

import fakeaws
import pytest
from fakeaws import FakeAws
from program import LONG, SANITIZER, SLOWER, Sluice, plain

# What --check asks when nothing is configured. ListMetrics is asked for hints only, by history.
ASKED = [op for op in fakeaws.OPERATIONS if op != "cloudwatch:ListMetrics"]

# fault -> codes that may stand at the UNKNOWN it causes
FAULTS = {
    "denied": (fakeaws.denied, {"DENIED"}),
    "throttled": (fakeaws.throttled, {"THROTTLED"}),
    "expired": (fakeaws.expired, {"AUTH"}),
    "unknown_key": (fakeaws.unknown_key, {"AUTH"}),
    "internal": (fakeaws.internal, {"ERROR"}),
    "html500": (fakeaws.html500, {"ERROR", "BADREPLY"}),
    "html503": (fakeaws.html503, {"ERROR", "BADREPLY", "THROTTLED"}),
    "html200": (fakeaws.html200, {"BADREPLY"}),
    "redirect": (fakeaws.redirect, {"BADREPLY", "ERROR"}),
    "empty": (fakeaws.body200(""), {"BADREPLY"}),
    "not_utf8": (fakeaws.body200(b'{"QueueUrls":["\xff\xfe"]}'), {"BADREPLY"}),
    "array": (fakeaws.body200("[]"), {"BADREPLY"}),
    "number": (fakeaws.body200("42"), {"BADREPLY"}),
    "trailing": (fakeaws.body200("{} {}"), {"BADREPLY"}),
    "deep": (fakeaws.body200("[" * 100000), {"BADREPLY"}),
    "half": (fakeaws.half, {"BADREPLY", "UNREACHABLE", "ERROR", "PARTIAL"}),
    "cut": (fakeaws.cut, {"BADREPLY"}),
    "hang_up": (fakeaws.hang_up, {"UNREACHABLE", "ERROR", "BADREPLY"}),
    "endless": (fakeaws.endless, {"ERROR", "BADREPLY"}),
}
XML_TOO = {"denied", "throttled", "expired", "unknown_key", "internal", "html500", "html503", "html200", "redirect", "empty", "deep",
           "half", "cut", "hang_up", "endless"}


def complain(ran, problem):
    raise AssertionError(f"{problem}\n{ran}")


def check_plain_errors(ran):
    lines = ran.err.splitlines()
    if not 1 <= len(lines) <= 3:
        complain(ran, f"{len(lines)} lines on stderr")
    if not plain(ran.err) or not plain(ran.out):
        complain(ran, "control characters in the output")


def unknowns(ran):
    return [c for c in ran.json["checks"] if c["status"] == "UNKNOWN"]


def run_fault(home, op, fault):
    make, codes = FAULTS[fault]
    with FakeAws({op: make}) as aws:
        start = time.monotonic()
        ran = Sluice(home)("--check", "--format", "json", env=aws.env())
        took = time.monotonic() - start
        asked = aws.calls.get(op, 0)
    if not asked:
        complain(ran, f"{op} was never asked")
    if took > 45 * SLOWER:
        complain(ran, f"took {took:.0f} s")
    if op == "sts:GetCallerIdentity":
        # Only the account's number hangs on it, and an alarm's ARN tells that too. The failure is said all the same.
        if ran.status != 0 or ran.json["account"] not in (None, fakeaws.ACCOUNT):
            complain(ran, "all else could be read")
        check_plain_errors(ran)
        return
    if ran.status != 3 or ran.json["status"] != "UNKNOWN" or ran.json["exit"] != 3:
        complain(ran, f"{op} {fault}: exit {ran.status}, not UNKNOWN")
    found = {c["code"] for c in unknowns(ran)}
    if not found or not found <= codes:
        complain(ran, f"{op} {fault}: codes {found}, expected {codes}")
    if fault == "denied" and fakeaws.OPERATIONS[op] not in ran.err + ran.out:
        complain(ran, f"the IAM action {fakeaws.OPERATIONS[op]} is not named")
    if any(c["status"] == "OK" for c in ran.json["checks"] if c["code"]):
        complain(ran, "an OK with a reason to be unknown")
    check_plain_errors(ran)


def cases():
    for op, fault in itertools.product(ASKED, FAULTS):
        if op.startswith("sts:") and fault not in XML_TOO:
            continue
        yield op, fault


def test_every_fault_on_every_operation(tmp_path):
    """Retries wait, so the runs go side by side."""
    failures, n = [], 0
    todo = [c for i, c in enumerate(cases()) if not SANITIZER or i % 4 == 0]
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        runs = {pool.submit(run_fault, tmp_path / f"{i}", op, fault): (op, fault) for i, (op, fault) in enumerate(todo)}
        for run in concurrent.futures.as_completed(runs):
            n += 1
            if run.exception():
                failures.append(f"{runs[run]}: {run.exception()}")
    assert not failures, f"{len(failures)} of {n}:\n" + "\n".join(failures[:5])


@pytest.mark.parametrize("op", ASKED)
def test_denied_names_the_action_and_the_rest_goes_on(sluice, op):
    with FakeAws({op: fakeaws.denied}) as aws:
        ran = sluice("status", "--format", "json", env=aws.env())
    kinds = {s["kind"] for p in ran.json["pipelines"] for s in p["stages"]}
    gone = {"sqs:ListQueues": "sqs", "kinesis:ListStreams": "kinesis", "lambda:ListFunctions": "lambda"}.get(op)
    assert kinds == {"sqs", "kinesis", "lambda"} - {gone}, str(ran)
    assert fakeaws.OPERATIONS[op] in ran.err + ran.out, str(ran)
    assert plain(ran.err) and ran.status in (0, 1), str(ran)


def test_healthy_account_is_ok(sluice):
    """The other tests mean something only because this one passes."""
    with FakeAws() as aws:
        ran = sluice("--check", "--format", "json", env=aws.env())
    assert ran.status == 0 and ran.json["status"] == "OK" and ran.json["checks"], str(ran)
    assert ran.json["account"] == fakeaws.ACCOUNT and ran.json["region"] == fakeaws.REGION
    assert ran.err == ""


@pytest.mark.parametrize("status,code", [("PartialData", "PARTIAL"), ("InternalError", "ERROR"), ("Forbidden", "DENIED")])
def test_a_200_is_not_success(sluice, status, code):
    """GetMetricData says per result how it went."""
    class Partly(fakeaws.Answers):
        def get_metric_data(self, body):
            answer = super().get_metric_data(body)
            for r in answer["MetricDataResults"]:
                r.update(StatusCode=status, Timestamps=[], Values=[])
            return answer

    with FakeAws(answers=Partly()) as aws:
        ran = sluice("--check", "--format", "json", env=aws.env())
    assert ran.status == 3, str(ran)
    assert code in {c["code"] for c in unknowns(ran)}, str(ran)
    with FakeAws(answers=Partly()) as aws:
        status = sluice("status", "--format", "json", env=aws.env())
    assert status.status == 1 and "cloudwatch:GetMetricData" in status.err, str(status)
    assert {"cloudwatch:GetMetricData": code}.items() <= {p["operation"]: p["code"] for p in status.json["problems"]}.items(), str(status)


class PerMetric(fakeaws.Answers):
    """Answers by the metric's name; every request is kept as the names it asked for."""

    def __init__(self):
        super().__init__()
        self.asked = []

    def get_metric_data(self, body):
        names = [q["MetricStat"]["Metric"]["MetricName"] for q in body["MetricDataQueries"]]
        self.asked.append(names)
        answer = super().get_metric_data(body)
        for name, result in zip(names, answer["MetricDataResults"]):
            self.change(name, result)
        return answer


THREE = [x for name in ("Made", "Lost", "Late") for x in ("--metric", f"Orders/{name}{{Stage=load}}:Sum", "-c", "5")]


@pytest.mark.parametrize("recovers", [True, False])
def test_what_cloudwatch_could_not_compute_is_asked_again_alone(sluice, recovers):
    """Every metric asked is billed: one that failed inside CloudWatch must not have its whole batch asked again."""
    class Internal(PerMetric):
        def change(self, name, result):
            if name == "Lost" and not (recovers and len(self.asked) > 1):
                result.update(StatusCode="InternalError", Timestamps=[], Values=[])

    answers = Internal()
    with FakeAws(answers=answers) as aws:
        ran = sluice("--check", *THREE, "--format", "json", env=aws.env())
    assert answers.asked == [["Made", "Lost", "Late"], ["Lost"]], str(answers.asked)
    by_name = {c["name"].split("{")[0]: (c["status"], c["code"]) for c in ran.json["checks"]}
    lost = ("OK", None) if recovers else ("UNKNOWN", "ERROR")
    assert by_name == {"Orders/Made": ("OK", None), "Orders/Lost": lost, "Orders/Late": ("OK", None)}, str(ran)
    assert ran.status == (0 if recovers else 3)
    assert ran.json["cost"]["metrics"] == 4, str(ran)


def test_a_forbidden_metric_is_denied_and_the_others_stand(sluice):
    class Forbidden(PerMetric):
        def change(self, name, result):
            if name == "Lost":
                result.update(StatusCode="Forbidden", Timestamps=[], Values=[],
                              Messages=[{"Code": "Forbidden", "Value": "not of your account"}])

    answers = Forbidden()
    with FakeAws(answers=answers) as aws:
        ran = sluice("--check", *THREE, "--format", "json", env=aws.env())
    checks = {c["name"].split("{")[0]: c for c in ran.json["checks"]}
    assert [(checks[f"Orders/{n}"]["status"], checks[f"Orders/{n}"]["code"]) for n in ("Made", "Lost", "Late")] == [
        ("OK", None), ("UNKNOWN", "DENIED"), ("OK", None)], str(ran)
    assert "not of your account" in checks["Orders/Lost"]["reason"] and ran.status == 3, str(ran)
    assert len(answers.asked) == 1, "what is forbidden stays so"


def test_partial_data_is_followed_to_its_end(sluice):
    """A result that says PartialData goes on behind the NextToken: no point is missing, none comes twice, and it costs one request."""
    class Pages(PerMetric):
        def get_metric_data(self, body):
            self.change = lambda name, result: None
            answer = super().get_metric_data(body)
            page = int(body.get("NextToken", "0"))
            for result in answer["MetricDataResults"]:
                for key in ("Timestamps", "Values"):
                    result[key] = result[key][page * 3:page * 3 + 3]
                result["StatusCode"] = "Complete" if page == 9 else "PartialData"
            return answer if page == 9 else {**answer, "NextToken": str(page + 1)}

    answers = Pages()
    answers.points = 30
    with FakeAws(answers=answers) as aws:
        ran = sluice("history", "-", "Orders/Made{Stage=load}:Sum", "--since", "40m", "--format", "json", env=aws.env())
        check = sluice("--check", *THREE, "--window", "20m", "--format", "json", env=aws.env())
    assert ran.status == 0 and len([p for p in ran.json["points"] if p["value"] is not None]) == 30, str(ran)
    assert {c["status"] for c in check.json["checks"]} == {"OK"} and {c["samples"] for c in check.json["checks"]} == {20}, str(check)
    assert check.json["cost"]["metrics"] == 3, "pages of one answer are not asked for anew"


def test_a_message_of_the_whole_answer_means_it_is_not_whole(sluice):
    """MaxMetricsExceeded and the like stand beside results that all say Complete."""
    class Limited(fakeaws.Answers):
        def get_metric_data(self, body):
            return {**super().get_metric_data(body), "Messages": [{"Code": "MaxMetricsExceeded", "Value": "only 500 metrics were returned"}]}

    with FakeAws(answers=Limited()) as aws:
        ran = sluice("--check", "--format", "json", env=aws.env())
        status = sluice("status", env=aws.env())
    assert ran.status == 3 and "PARTIAL" in {c["code"] for c in unknowns(ran)}, str(ran)
    assert status.status == 1 and "MaxMetricsExceeded" in status.err, str(status)


def test_no_points_in_a_complete_answer_is_idle_not_ok_by_accident(sluice):
    with FakeAws(answers=fakeaws.Answers(points=0)) as aws:
        ran = sluice("--check", "--format", "json", env=aws.env())
        named = sluice("--check", "--metric", "DataPipeline/ErrorRate{Stage=enrich}:Average", "-c", "5", "--format", "json", env=aws.env())
    assert not [c for c in ran.json["checks"] if c["status"] == "OK" and c["value"] is None and c["source"] == "live"
                and c["name"].endswith("error_rate")], str(ran)
    assert named.status == 3 and unknowns(named)[0]["code"] == "NO_DATA", str(named)


def test_unreachable(sluice):
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))  # bound, not listening: refused at once
        env = FakeAws().__dict__ and {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "eu-west-1",
                                      "AWS_ENDPOINT_URL": f"http://127.0.0.1:{s.getsockname()[1]}"}
        ran = sluice("--check", "--format", "json", env=env)
        assert ran.status == 3 and {c["code"] for c in unknowns(ran)} == {"UNREACHABLE"}, str(ran)
        check_plain_errors(ran)
        ran = sluice("status", env=env)
        assert ran.status == 1, str(ran)
        check_plain_errors(ran)


def test_unresolvable(sluice):
    env = {"AWS_ACCESS_KEY_ID": "AKIA", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": "eu-west-1",
           "AWS_ENDPOINT_URL": "http://no-such-host.invalid:1"}
    ran = sluice("--check", "--format", "json", env=env)
    assert ran.status == 3 and {c["code"] for c in unknowns(ran)} == {"UNREACHABLE"}, str(ran)
    check_plain_errors(ran)


def test_silence_ends_at_the_deadline(sluice):
    """A service that accepts and never answers."""
    with FakeAws({"*": fakeaws.silent}) as aws:
        start = time.monotonic()
        ran = sluice("--check", "-t", "3", "--format", "json", env=aws.env(), timeout=30)
        took = time.monotonic() - start
    assert ran.status == 3 and {c["code"] for c in unknowns(ran)} == {"TIMEOUT"}, str(ran)
    assert took < 8 * SLOWER, f"{took:.1f} s"
    check_plain_errors(ran)


def test_redirect_is_not_followed(sluice):
    """Signed requests go where they were signed for and nowhere else."""
    with FakeAws() as elsewhere:
        def away(h, op):
            h.reply(307, "", "text/plain", {"Location": elsewhere.url + "/"})
        with FakeAws({"*": away}) as aws:
            ran = sluice("--check", env=aws.env())
    assert ran.status == 3 and elsewhere.calls == {}, str(ran)


HOSTILE = ["\x1b[2J\x1b[H", "\x1b]0;owned\x07", "\x1b]52;c;bHMK\x07", "\u202eevil", "\u2066x\u2069", "\u200b\ufeff", "a\rb\x08c\td\ne",
           "\x9b31m", "\x7f", "\U000e0001", "\x00nul"]


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda s: repr(s)[1:-1])
def test_hostile_text_in_every_field(sluice, hostile):
    with FakeAws(answers=fakeaws.Answers(text=lambda s: s + hostile)) as aws:
        for args in (["status"], ["status", "--format", "json"], ["--check"], ["--check", "--format", "json"], ["doctor"],
                     ["history", "orders" + hostile if "\x00" not in hostile else "orders", "backlog"]):
            ran = sluice(*args, env=aws.env())
            raw = ran.out + ran.err
            assert plain(raw), str(ran)
            assert hostile not in raw, str(ran)
            if "json" in args:
                json.loads(ran.out)


@pytest.mark.parametrize("hostile", HOSTILE, ids=lambda s: repr(s)[1:-1])
def test_hostile_error_message(sluice, hostile):
    with FakeAws({"*": fakeaws.error(400, "Weird" + json.dumps(hostile)[1:-1], "it said " + json.dumps(hostile)[1:-1])}) as aws:
        ran = sluice("--check", env=aws.env())
    assert ran.status == 3 and plain(ran.out + ran.err), str(ran)


@pytest.mark.parametrize("wrong", ["unknown_ca", "expired", "other_host"])
def test_tls_is_verified(sluice, moto, tls_front, ca, wrong):
    certificate = {"unknown_ca": {}, "expired": {"expired": True}, "other_host": {"host": "example.org"}}[wrong]
    peer = tls_front(moto, **certificate)
    trust = {} if wrong == "unknown_ca" else {"AWS_CA_BUNDLE": ca[2]}
    ran = sluice("--check", "--format", "json", env=peer.env(**trust))
    assert ran.status == 3 and {c["code"] for c in unknowns(ran)} == {"UNREACHABLE"}, str(ran)
    check_plain_errors(ran)


def test_tls_with_the_right_bundle(sluice, moto, tls_front, ca):
    ran = sluice("status", "--format", "json", env=tls_front(moto).env(AWS_CA_BUNDLE=ca[2]))
    assert ran.status == 0 and ran.json["targets"][0]["account"] == "123456789012", str(ran)


@pytest.mark.skipif(not LONG, reason="larger sample")
def test_random_bytes_as_answers(sluice, rng):
    for _ in range(200):
        body = rng.randbytes(rng.randrange(2000))
        with FakeAws({rng.choice(ASKED[1:]): fakeaws.body200(body)}) as aws:
            ran = sluice("--check", env=aws.env())
        assert ran.status == 3 and plain(ran.out + ran.err), f"{body!r}\n{ran}"
