"""Reliability lines B6 and B7: answers that end early, and answers with a bit turned over.

Every byte at which each recorded answer can end goes through the operation's own reader in one process (tests/tools/answer_cli.c); a
sample goes over the wire to the program, in the four ways in which an answer can be cut there."""

import collections
import concurrent.futures
import itertools
import json
import pathlib

import fakeaws
import pytest
import recorded
import test_faults
from program import LONG, SLOWER
from suites import b64, drive


@pytest.fixture(scope="module")
def answers(tmp_path_factory):
    return recorded.record(pathlib.Path(tmp_path_factory.mktemp("recorded")))


def damage(answers, **how):
    """Four processes side by side; what became of each answer."""
    parts = [answers[i::4] for i in range(4)]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        done = pool.map(lambda part: drive("answer_cli", [a.line(b64(a.body), **how) for a in part], timeout=250), parts)
        return [(a, json.loads(line)) for part, lines in zip(parts, done) for a, line in zip(part, lines, strict=True)]


def complaints(results):
    return [f"{a.source} {a.op} {a.status}: {r['wrong']} times wrong, {r['first']}\n{a.body[:300]}" for a, r in results if r["wrong"]]


def test_every_cut(figure, answers):
    results = damage(answers, cut=1)
    cuts, wrong = sum(r["cuts"] for _, r in results), sum(r["wrong"] for _, r in results)
    ops = collections.Counter(a.op for a, r in results if a.success and r["good"])
    sources = ", ".join(sorted({a.source.split()[0] for a in answers}))
    figure("B6", "truncation at every byte of each stored answer", attempted=cuts, passed=cuts - wrong, reached=sum(r["refused"] + r["kept"] for _, r in results),
           note=f"{len(answers)} answers of {len(ops)} operations ({sources}), {sum(not a.success for a in answers)} of them errors; 0 crashes; "
                f"{sum(r['kept'] for _, r in results)} cuts in blanks at the end lost nothing")
    assert not complaints(results), "\n".join(complaints(results)[:5])
    assert len(answers) >= 40 and set(ops) == set(fakeaws.OPERATIONS), ops
    assert cuts == sum(len(a.body) for a in answers)


def test_bits(figure, answers):
    """Accepted or refused, never a crash: no reader can know that a digit is another."""
    step = 1 if LONG else 7
    results = damage(answers, flip=step)
    flips, wrong = sum(r["flips"] for _, r in results), sum(r["wrong"] for _, r in results)
    figure("B7", "one bit turned over in each stored answer", attempted=flips, passed=flips - wrong, reached=flips,
           note=f"{'every bit' if LONG else f'every {step}th bit; all with SLUICE_LONG=1'}; {sum(r['taken'] for _, r in results)} still read as an answer, the others refused")
    assert not complaints(results), "\n".join(complaints(results)[:5])


# ---- over the wire

def length_kept(h, good, n):
    """The head promises all of it."""
    h.head(200, len(good))
    h.wfile.write(good[:n])
    h.wfile.flush()
    h.hang_up()


def length_cut(h, good, n):
    """The head itself says that this is all."""
    h.reply(200, good[:n], "application/x-amz-json-1.0")


def chunk_open(h, good, n):
    """A chunk that ends early, and no last chunk."""
    h.send_response(200)
    h.send_header("Transfer-Encoding", "chunked")
    h.end_headers()
    h.wfile.write(b"%x\r\n%s" % (len(good), good[:n]))
    h.wfile.flush()
    h.hang_up()


def zipped_cut(h, good, n):
    """A compressed answer whose stream ends early, its length as promised. The last bytes do not count: curl does not miss the checksum
    behind the stream, and what was unpacked before it is whole, which its JSON proves."""
    z = recorded.zipped(good)
    h.reply(200, z[: min(n * len(z) // len(good), len(z) - 12)], "application/x-amz-json-1.0", {"Content-Encoding": "gzip"})


WAYS = {f.__name__: f for f in (length_kept, length_cut, chunk_open, zipped_cut)}
CODES = {"BADREPLY", "UNREACHABLE", "ERROR", "PARTIAL"}


def test_over_the_wire(figure, tmp_path):
    """--check: UNKNOWN with a reason wherever the answer was cut, never OK, one line on stderr."""
    places = (0, 1, 0.1, 0.5, 0.9, -2, -1) if LONG else (1, 0.5, -1)
    todo = list(itertools.product([op for op in fakeaws.OPERATIONS if op != "cloudwatch:ListMetrics" and not op.startswith("sts")], WAYS, places))
    reached = collections.Counter()
    for name, place in itertools.product(WAYS, places):
        def fault(h, op, way=WAYS[name], place=place):
            good = h.good()
            n = int(place * len(good)) if 0 < place < 1 else place if place >= 0 else len(good) + place
            reached[op, way.__name__, place] += 1
            way(h, good, n)
        test_faults.FAULTS[f"{name} {place}"] = (fault, CODES)
    failures = []
    with concurrent.futures.ThreadPoolExecutor(4 if SLOWER > 1 else 8) as pool:
        runs = {pool.submit(test_faults.run_fault, tmp_path / f"{i}", op, f"{name} {place}"): (op, name, place)
                for i, (op, name, place) in enumerate(todo)}
        for run in concurrent.futures.as_completed(runs):
            if run.exception():
                failures.append(f"{runs[run]}: {run.exception()}")
    figure("B6", "the same over the wire, the program's own verdict", attempted=len(todo), passed=len(todo) - len(failures),
           reached=sum(bool(reached[t]) for t in todo), note=f"{len(WAYS)} ways to cut x {len(places)} places x {len(todo) // len(WAYS) // len(places)} operations"
           f"{'' if LONG else '; 7 places with SLUICE_LONG=1'}; {sum(reached.values())} requests cut (retries too)")
    assert not failures, f"{len(failures)} of {len(todo)}:\n" + "\n".join(failures[:4])
    assert all(reached[t] for t in todo)
