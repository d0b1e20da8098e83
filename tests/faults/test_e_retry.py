"""Reliability lines E2, E3 and E4: a storm of throttling, the shape of the jitter, the fate of each entry of a batch."""

import itertools
import json
import math
import random
import re
import threading


import call_tool
import fakeaws
from fakeaws import FakeAws
from program import LONG

RATE = 20  # calls a second, all operations in turn: a console with a thousand resources polls no faster


class Storm:
    """Throttles everything from the start until told to stop; counts what came, and what of it were second attempts."""

    def __init__(self):
        self.raging, self.lock = True, threading.Lock()
        self.sent = self.again = self.after = 0

    def __call__(self, h, op):
        again = not re.match(r"attempt=1;", h.headers.get("amz-sdk-request", ""))
        with self.lock:
            self.sent += self.raging
            self.again += self.raging and again
            self.after += not self.raging
        if self.raging:
            fakeaws.throttled(h, op)
        else:
            h.reply(200, h.good(), "application/x-amz-json-1.0")


def test_storm(tmp_path, figure):
    """E2: all throttled, at full rate: at most 100 requests more than were asked for, then each call fails fast; when it ends, calls
    succeed again within 30 s at the rate they are asked for."""
    seconds, calm = (60, 40) if LONG else (20, 15)
    storm, lines = Storm(), []
    with FakeAws({"*": storm}) as aws, call_tool.start(tmp_path, "storm", aws.url, RATE, seconds + calm) as p:
        for line in p.stdout:
            lines.append([int(n) for n in line.split()])
            if lines[-1][0] >= seconds:
                storm.raging = False
        err = p.stderr.read()
    assert p.returncode == 0 and "Sanitizer" not in err, err[-3000:]
    at_end = next(n for n in lines if n[0] >= seconds)
    offered, ok, failed, left_out, busy = at_end[1], at_end[3], at_end[4], at_end[5], at_end[6]
    # back: within one second as many calls succeeded as were asked for in it
    back = next((b[0] - seconds for a, b in itertools.pairwise(lines) if a[0] >= seconds and b[3] - a[3] >= RATE), None)
    tail = lines[-1][4] - lines[-6][4]  # and none fails at the end
    most_wait = max((n[6] for n in lines if n[0] <= seconds), default=0)
    right = (storm.again <= 100 and ok == 0 and back is not None and back <= 30 and tail == 0 and failed + busy == offered)
    figure("E2", f"{seconds} s of throttling at {RATE} calls/s: extra <= 100, back <= 30 s", attempted=1, passed=int(right), reached=storm.sent,
           note=f"sent {storm.sent} / offered {offered}, {storm.again} of them second attempts; {failed} failed, {left_out} of these unsent; "
                f"at most {most_wait} waited; back at full rate after {back} s"
                + ("" if LONG else "; 60 s with SLUICE_LONG=1"))
    assert right, "\n".join(map(str, lines))


def p_of_chi_square(x, freedom):
    """The upper tail of chi-square: the regularised incomplete gamma function as a series."""
    a, x = freedom / 2, x / 2
    term = total = 1 / a
    for n in range(1, 1000):
        term *= x / (a + n)
        total += term
    return 1 - total * math.exp(-x + a * math.log(x) - math.lgamma(a))


def test_full_jitter(tmp_path, figure):
    """E3: 10,000 draws are uniform over what each wait may be at most, within 20 %, and none can be longer than 20 s."""
    draws = [line.split() for line in call_tool.run(tmp_path, "draws", 10000).splitlines()]
    parts, most = [float(d[0]) for d in draws], [float(d[1]) for d in draws]
    bins = [0] * 20
    for part in parts:
        bins[int(part * 20)] += 1
    chi = sum((n - 500) ** 2 / 500 for n in bins)
    p = p_of_chi_square(chi, 19)
    # by the book: transient base 50 ms, throttled 1 s, doubled for each retry
    books = all(m == min((50, 1000)[i % 2] * 2 ** (i // 2 % 12), 20000) for i, m in enumerate(most))
    right = all(400 <= n <= 600 for n in bins) and p > 1e-4 and max(most) == 20000 and books and len(draws) == 10000
    figure("E3", "draws of full jitter", attempted=10000, passed=10000 if right else 0, reached=len(draws),
           note=f"20 bins of {min(bins)} to {max(bins)}, 500 expected; chi-square {chi:.1f}, p = {p:.3f}; longest wait {max(most):.0f} ms")
    assert right, f"{bins} {chi} {p}"


def sqs_answer(rng, bits, send):
    """An answer to a batch of ten, and the fate of each entry as AWS's words mean it."""
    done, failed, fates = [], [], []
    for i in range(10):
        if bits >> i & 1:
            done.append({"Id": str(i), **({"MessageId": f"id-{i}", "MD5OfMessageBody": "0" * 32} if send else {})})
            fates.append("D")
        else:
            sender = rng.random() < 0.5
            code = "RequestThrottled" if rng.random() < 0.2 else "InvalidMessageContents" if sender else "InternalError"
            failed.append({"Id": str(i), "SenderFault": sender, "Code": code, "Message": "why"})
            fates.append("F" if sender and code != "RequestThrottled" else "R")
    for i in range(10):
        luck = rng.random()
        mine = [e for e in done + failed if e["Id"] == str(i)]
        if luck < 0.03:  # told nowhere
            done, failed = [e for e in done if e not in mine], [e for e in failed if e not in mine]
            fates[i] = "U"
        elif luck < 0.06:  # told both ways
            done, failed = done + [{"Id": str(i)}], failed + [{"Id": str(i), "SenderFault": False, "Code": "InternalError"}]
            fates[i] = "U"
        elif luck < 0.10:  # told twice
            (done if fates[i] == "D" else failed).append(mine[0])
    rng.shuffle(done)
    rng.shuffle(failed)
    answer = {"Successful": done, "Failed": failed}
    for key in ("Successful", "Failed"):
        if not answer[key] and rng.random() < 0.7:
            answer.update({key: None}) if rng.random() < 0.5 else answer.pop(key)
    return answer, "".join(fates)


def kinesis_answer(rng, bits):
    records, fates = [], ""
    for i in range(10):
        if bits >> i & 1:
            records.append({"SequenceNumber": f"49{i}", "ShardId": "shardId-000000000000"})
            fates += "D"
        else:
            code, fate = rng.choice([("ProvisionedThroughputExceededException", "R"), ("InternalFailure", "R"), ("KMSAccessDeniedException", "F")])
            records.append({"ErrorCode": code, "ErrorMessage": "why"})
            fates += fate
    return {"FailedRecordCount": rng.choice([0, 10, fates.count("R")]), "Records": records}, fates


def test_every_pattern_of_a_batch(tmp_path, figure):
    """E4: all 1,024 patterns for a send and for a delete (sluice sends none yet: this is who decides), and for PutRecords."""
    rng, questions, wanted = random.Random(4), [], []
    for kind in ("send", "delete", "put"):
        for bits in range(1024):
            answer, fates = kinesis_answer(rng, bits) if kind == "put" else sqs_answer(rng, bits, kind == "send")
            questions.append(json.dumps({"kind": "kinesis" if kind == "put" else "sqs", "n": 10, "answer": answer}))
            wanted.append(fates)
    got = call_tool.run(tmp_path, "batches", stdin="".join(q + "\n" for q in questions)).split()
    right = sum(g == w for answer, want in zip(got, wanted, strict=True) for g, w in zip(answer, want, strict=True))
    tried = 10 * len(wanted)
    figure("E4", "fates of batch entries: send, delete, PutRecords", attempted=tried, passed=right,
           reached=sum(f != "D" for w in wanted for f in w), note="who decides, alone; PutRecords as it is sent: tests/peers/test_acts.py")
    assert right == tried, next(f"{q}\nwanted {w}, got {g}" for q, w, g in zip(questions, wanted, got) if w != g)
