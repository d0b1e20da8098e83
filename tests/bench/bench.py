"""`make bench`: what sluice costs beside bare references, measured side by side in one run. Prints a table:
figure, ours, reference, ratio, goal, met or missed.  bench.py [NAME...] runs only the lines whose names begin so."""

import os
import pathlib
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

from growth import bench_growth, bench_memory
from measure import BUILD, FUNCTIONS, KEYS, ROOT, SLUICE, World, compare, left_out, line, paired, run, table, wants
from replays import bench_replay
from terminal import bench_bytes, bench_idle, bench_keys, bench_keys_bulk, bench_paint


# ---- C: one-shot checks

def aws_clis():
    """(name, argv, limit) of the AWS CLIs there are: Debian's 2.9 and the virtual environment's 1.x."""
    found = []
    if os.access("/usr/bin/aws", os.X_OK):
        found.append(("aws 2.9", ["/usr/bin/aws"], 1 / 45))
    v1 = pathlib.Path(sys.executable).with_name("aws")
    if v1.exists():
        found.append(("aws 1.46", [str(v1)], 1 / 35))
    return found


def bench_one_call(w):
    ours = ([SLUICE, "--check", "--alarms"], w.env())
    bare = ([str(BUILD / "bench/ref_check"), w.url], w.env())
    curl = (["curl", "-s", "--aws-sigv4", "aws:amz:eu-west-1:monitoring", "--user", f"{KEYS['AWS_ACCESS_KEY_ID']}:{KEYS['AWS_SECRET_ACCESS_KEY']}",
             "--cacert", str(w.bundle), "-H", "X-Amz-Target: GraniteServiceVersion20100801.DescribeAlarms",
             "-H", "Content-Type: application/x-amz-json-1.0", "-d", "{}", w.url], w.env())
    w.set()
    a, b, c = paired(15, ours, bare, curl)
    calls = w.set()
    print(f"    (16 rounds of the three made {calls}; the trust store holds {w.count} certificates)")
    compare("C1", "check, one TLS call: CPU against bare libcurl", a[0], b[0], 1.25)
    compare("C2", "the same against curl --aws-sigv4, default bundle", a[0], c[0], 0.40)
    if not wants("C3"):
        return
    if not aws_clis():
        left_out("C3", "no aws CLI")
    for name, argv, limit in aws_clis():
        other = (argv + ["--endpoint-url", w.url, "--ca-bundle", str(w.bundle), "cloudwatch", "describe-alarms"], w.env())
        a, b = paired(3, ours, other)
        compare("C3", f"the same against {name} cloudwatch describe-alarms", a[0], b[0], limit)


QUEUES = """#!/bin/bash
# A health check of five queues as people write it.
worst=OK
for q in queue0 queue1 queue2 queue3 queue4; do
  url=https://sqs.eu-west-1.amazonaws.com/123456789012/$q
  depth=$($AWS sqs get-queue-attributes --queue-url $url --attribute-names ApproximateNumberOfMessages | jq -r '.Attributes.ApproximateNumberOfMessages // "0"')
  dlq=$($AWS sqs get-queue-attributes --queue-url $url-dlq --attribute-names ApproximateNumberOfMessages | jq -r '.Attributes.ApproximateNumberOfMessages // "0"')
  age=$($AWS cloudwatch get-metric-statistics --namespace AWS/SQS --metric-name ApproximateAgeOfOldestMessage --dimensions Name=QueueName,Value=$q \
    --start-time $(date -u -d '15 minutes ago' +%FT%TZ) --end-time $(date -u +%FT%TZ) --period 60 --statistics Maximum | jq '[.Datapoints[].Maximum] | max // 0')
  [ "${depth:-0}" -gt 1000 ] && worst=CRITICAL
  [ "${dlq:-0}" -gt 0 ] && worst=CRITICAL
  [ "$(echo "${age:-0} > 300" | bc 2>/dev/null || echo 0)" = 1 ] && worst=CRITICAL
done
echo $worst
"""


def five_queues(w):
    """The same five queues for sluice, whose own defaults judge dead-letter depth, age and alarms."""
    stages = "".join(f"[stage \"orders/q{i}\"]\nresource = sqs:queue{i}\n[stage \"orders/d{i}\"]\nresource = sqs:queue{i}-dlq\n" for i in range(5))
    return w.config("five.ini", "[pipeline \"orders\"]\n" + stages)


def bench_five_queues(w):
    check = ([SLUICE, "--check", "--config", five_queues(w)], w.env())
    w.set()
    run(*check)
    calls = w.set()
    n = sum(calls.values())
    if wants("C4"):
        clis = aws_clis()
        if not clis or not shutil.which("jq"):
            left_out("C4", "no aws CLI or no jq")
        else:
            name, argv, _ = clis[0]
            script = w.folder / "queues.sh"
            script.write_text(QUEUES)
            aws = f"{' '.join(argv)} --endpoint-url {w.url} --ca-bundle {w.bundle}"
            ours = [run(*check)[0] for _ in range(5)]
            theirs = run(["bash", str(script)], w.env(AWS=aws))[0]
            ours += [run(*check)[0] for _ in range(5)]
            compare("C4", f"five queues ({n} calls): CPU against bash + {name} + jq", statistics.median(ours), theirs, 1 / 500)
        states = []
        for op in [*calls, "GetQueueAttributes"]:
            w.set(denied=op)
            run(*check, ok=(0, 1, 2, 3))
            states.append("UNKNOWN" in run.out)
        w.set(denied="")
        if clis:
            w.set(denied="GetQueueAttributes")
            run(["bash", str(script)], w.env(AWS=aws))
            w.set(denied="")
            print(f"    (the script, when every GetQueueAttributes is denied, says {run.out.split()[-1]})")
        line("C4", "a failed call gives UNKNOWN, for each operation", f"{sum(states)} of {len(states)}", "", "", "all", all(states))
    if wants("C5"):
        w.set(latency_ms=20)
        a, b = paired(5, check, ([str(BUILD / "bench/ref_check"), w.url, str(n)], w.env()))
        w.set(latency_ms=0)
        compare("C5", f"{n} calls at 20 ms: wall against one after another", a[1], b[1], 0.30)


def instructions(argv, env, folder):
    out = folder / "callgrind.out"
    p = subprocess.run(["valgrind", "--tool=callgrind", f"--callgrind-out-file={out}", *argv], env=env, capture_output=True, text=True)
    if p.returncode:
        raise SystemExit(p.stderr[-2000:])
    return int(re.search(r"^(?:summary|totals): (\d+)", out.read_text(), re.M)[1]) / 1e6


def bench_instructions(w):
    if not shutil.which("valgrind"):
        return left_out("C6", "no valgrind")
    argv = [SLUICE, "--check", "--alarms"]
    one = instructions(argv, w.env(), w.folder)
    bare = instructions([str(BUILD / "bench/ref_check"), w.url], w.env(), w.folder)
    w.set(alarm_pages=21)
    many = instructions(argv, w.env(), w.folder)
    w.set(alarm_pages=1)
    line("C6", "instructions of one TLS check", f"{one:.1f} M", f"{bare:.1f} M (bare)", f"{one / bare:.2f}x", "<= 45 M", one <= 45)
    more = (many - one) / 20
    line("C6", "instructions of each further call", f"{more:.3f} M", "", "", "<= 0.3 M", more <= 0.3)


# ---- P: polls and parsing

def rounds(text, word):
    return statistics.median(float(x) for x in re.findall(rf"^{word} ([\d.]+)", text, re.M))


def bench_poll(w):
    w.set(points=1, functions=0)
    bare, kept, stored = [], [], []
    for _ in range(5):
        run([str(BUILD / "bench/ref_poll"), w.url, "12"], w.env())
        bare.append(rounds(run.out, "round"))
        run([str(BUILD / "bench/bench_poll"), "12"], w.env())
        kept.append(rounds(run.out, "round"))
    compare("P1", "poll 10,000 metrics x1, TLS: CPU against bare", statistics.median(kept), statistics.median(bare), 1.5)
    w.set(functions=FUNCTIONS)
    run([str(BUILD / "bench/bench_engine"), "7", str(w.folder / "bench-history.db"), "0"], w.env())
    stored.append(rounds(run.out, "round") * 10000 / rounds(run.out, "metrics"))
    w.set(functions=0)
    compare("P1", "the same with storing and publishing", statistics.median(stored), statistics.median(bare), 2.2)


def bench_boto3(w):
    for points, n, theirs_n, limit in ((1, 12, 3, 1 / 60), (60, 6, 1, 1 / 150)):
        w.set(points=points)
        run([str(BUILD / "bench/bench_poll"), str(n), str(points)], w.env())
        ours = [rounds(run.out, "round")]
        run([sys.executable, str(ROOT / "tests/bench/ref_boto3.py"), w.url, str(w.bundle), str(theirs_n)], w.env())
        theirs, version = rounds(run.out, "round"), run.out.split()[-1]
        assert f"points {10000 * points}" in run.out
        run([str(BUILD / "bench/bench_poll"), str(n), str(points)], w.env())
        ours.append(rounds(run.out, "round"))
        compare("P2", f"poll 10,000 metrics x{points}: CPU against boto3 {version}", statistics.mean(ours), theirs, limit)
    w.set(points=1)


def numbers(text):
    return {k: float(v) for k, v in re.findall(r"^(\w+) ([-\d.e+]+)$", text, re.M)}


def yyjson(folder):
    """Builds the yyjson reference from a package that carries yyjson.c; None when it cannot be had."""
    got = subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "--no-binary", ":all:", "-d",
                          str(folder), "yyjson==4.0.6"], capture_output=True, text=True)
    archive = next(folder.glob("yyjson-*.tar.gz"), None)
    if got.returncode or not archive:
        return None
    shutil.unpack_archive(archive, folder)
    source = next(folder.glob("yyjson-*/yyjson"))
    exe = folder / "ref_yyjson"
    subprocess.run(["cc", "-O2", f"-I{source}", "-o", str(exe), str(ROOT / "tests/bench/yyjson/ref_yyjson.c"), str(source / "yyjson.c")], check=True)
    return exe


def bench_parse(w):
    body = w.folder / "body.json"
    ref = yyjson(w.folder)
    ours, theirs = [], []
    for _ in range(7):
        run([str(BUILD / "bench/ref_parse"), str(body)], w.env())
        ours.append(numbers(run.out))
        if ref:
            run([str(ref), str(body)], w.env())
            theirs.append(numbers(run.out))
    o = {k: statistics.median(x[k] for x in ours) for k in ours[0]}
    assert o["ours_sum"] == o["cjson_sum"] and o["ours_points"] == 100000
    if ref:
        assert theirs[0]["yyjson_sum"] == o["ours_sum"]
        compare("P3", "read 500 x 200 points: against yyjson 0.10's tree", o["ours_ns_point"], statistics.median(x["yyjson_ns_point"] for x in theirs),
                1.5, "ns/point")
    else:
        compare("P3", "read 500 x 200 points: against yyjson (figure, not run)", o["ours_ns_point"], 43.5, 1.5, "ns/point")
    compare("P3", "the same against cJSON (times faster)", o["ours_ns_point"], o["cjson_ns_point"], 8, "ns/point", at_least=True)
    line("P3", "extra memory, of the body", f"{o['ours_bytes'] / 1e6:.2f} MB", f"{o['body_bytes'] / 1e6:.2f} MB body", f"{o['ours_bytes'] / o['body_bytes']:.2f}x",
         "<= 0.3x", o["ours_bytes"] <= 0.3 * o["body_bytes"])


# ---- H: the history file; the program prints one line a figure:  NAME|WHAT|OURS|REFERENCE|RATIO|GOAL|met or MISSED

def bench_history(w):
    exe = BUILD / "bench/bench_cache"
    if not exe.exists():
        return left_out("H", "no bench_cache")
    run([str(exe), str(w.folder)], w.env(), ok=(0, 1))
    for text in run.out.splitlines():
        parts = [p.strip() for p in text.split("|")]
        if len(parts) == 7:
            line(*parts[:6], parts[6] == "met")
        else:
            print("    " + text)


# ---- B: back-tests

def bench_backtest(w):
    """Equal in every state of every minute, or it is missed."""
    exe = BUILD / "bench/bench_backtest"
    if not exe.exists():
        return left_out("B", "no bench_backtest")
    run([str(exe), "1000"], w.env(), ok=(0, 1))
    told = run.out.split()
    if len(told) != 3:
        return line("B1", "back-test: 15 days x 1,000 alarms", run.out.strip(), "brute force", "", "the same", False)
    compare("B1", f"back-test: 15 days x 1,000 alarms, {told[2]} fires alike", float(told[0]), float(told[1]), 1, unit="s")


def main():
    cpu = re.search(r"^model name\s*:\s*(.*)", pathlib.Path("/proc/cpuinfo").read_text(), re.M)
    commit = subprocess.run(["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"], capture_output=True, text=True).stdout.strip()
    print(f"{time.strftime('%Y-%m-%d %H:%M')}  commit {commit or '?'}  {os.cpu_count()} x {cpu[1] if cpu else 'CPU'}  load {os.getloadavg()[0]:.1f}")
    print(f"{'':3} {'figure':52} {'ours':>15} {'reference':>22} {'ratio':>10} {'goal':>10}")
    with tempfile.TemporaryDirectory() as folder:
        w = World(pathlib.Path(folder))
        try:
            for names, bench in ((("C1", "C2", "C3"), bench_one_call), (("C4", "C5"), bench_five_queues), (("C6",), bench_instructions),
                                 (("P1",), bench_poll), (("P2",), bench_boto3), (("P3",), bench_parse), (("H1", "H2", "H3"), bench_history), (("S1",), bench_paint),
                                 (("I1",), bench_idle), (("K1",), bench_keys), (("K2",), bench_keys_bulk),
                                 (("F1",), bench_bytes), (("M1",), bench_memory), (("G1",), bench_growth), (("R1",), lambda w: bench_replay()),
                                 (("B1",), bench_backtest)):
                if wants(*names):
                    bench(w)
        finally:
            w.close()
    missed = [r for r in table if r[6] != "met"]
    print(f"{len(table) - len(missed)} met, {len(missed)} missed" + "".join(f"\n  missed: {r[0]} {r[1]} {r[4] or r[2]}, goal {r[5]}" for r in missed))


if __name__ == "__main__":
    main()
