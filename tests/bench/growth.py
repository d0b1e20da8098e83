"""The lines of `make bench` about memory and about growth with the number of resources."""

import math
import statistics
import subprocess
import sys

from measure import BUILD, FUNCTIONS, SLUICE, end, drain, left_out, line, memory, on_terminal, settle

# A child's ru_maxrss begins at what its parent held when it forked: so a small parent. It prints kilobytes.
PEAK = """import os, sys
p = os.fork()
if not p:
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    os.execve(sys.argv[1], sys.argv[1:], os.environ)
_, status, use = os.wait4(p, 0)
print(use.ru_maxrss)
sys.exit(os.waitstatus_to_exitcode(status))"""


def peak(argv, env):
    """The most resident MB that a command had."""
    return int(subprocess.run([sys.executable, "-I", "-S", "-c", PEAK, *argv], env=env, check=True, capture_output=True, text=True).stdout) / 1024


def bare_console(w):
    pid, fd = on_terminal([str(BUILD / "bench/ref_paint")], w.env())
    drain(fd, 0.5)
    high, _ = memory(pid)
    end(pid, fd)
    return high


def console_memory(w, functions, points):
    """(peak, now) MB of a console that has read so many functions' points and become quiet, and what it asked for."""
    w.set(functions=functions, queues=0, points=points)
    home = w.folder / f"memory-{functions}"
    w.new_home(home)
    pid, fd = on_terminal([SLUICE], w.env(HOME=str(home)))
    asked, quiet = settle(w, fd, most=90)
    taken = memory(pid)
    end(pid, fd)
    w.set(functions=0, queues=5, points=1)
    return taken, asked, quiet


def bench_memory(w):
    bare = bare_console(w)
    for functions, points, limit in ((FUNCTIONS, 60, 24), (4 * FUNCTIONS, 180, 64)):
        (high, now), asked, quiet = console_memory(w, functions, points)
        series = functions * 6
        line("M1", f"RSS at the most, {round(series, -3):,} series x {points} points, TLS", f"{high:.1f} MB", f"{bare:.1f} MB (bare)",
             f"{high / bare:.2f}x", f"<= {limit} MB", high <= limit and quiet and asked["metrics"] >= series)
        print(f"    ({now:.1f} MB once quiet; {asked['metrics']:,} metrics asked for in {asked['GetMetricData']} requests{'' if quiet else '; never quiet'})")
    ours = statistics.median(peak([SLUICE, "--check", "--alarms"], w.env()) for _ in range(3))
    least = statistics.median(peak([str(BUILD / "bench/ref_check"), w.url], w.env()) for _ in range(3))
    line("M1", "RSS at the most, one-shot check over TLS", f"{ours:.1f} MB", f"{least:.1f} MB (bare)", f"{ours / least:.2f}x", "<= 13 MB", ours <= 13)


def grown(w, n, rounds=2):
    """An engine on n functions, their list in pages of 50, polled whole so often: what a poll costs, and what the canned AWS counted."""
    w.set(functions=n, queues=0, points=1, pages=True)
    argv = [str(BUILD / "bench/bench_engine"), str(rounds), str(w.folder / f"grown-{n}.db"), str(6 * n)]
    p = subprocess.Popen(argv, env=w.env(), stdout=subprocess.PIPE, text=True)
    told, cpu, asked, first = {}, [], [], {}
    for text in p.stdout:
        name, value = text.split()
        told[name] = float(value)
        if name == "filled":
            first = w.set()
        elif name in ("first", "round"):
            cpu.append(float(value))
            asked.append({**w.set(), **w.told})
    w.set(functions=0, queues=5, pages=False)
    if p.wait():
        return None
    return min(cpu), told["peak"] / 1024, asked, first


def requests_there_must_be(n):
    """Of n functions. Percentiles go in requests of their own: one of a function's six metrics is one."""
    return math.ceil(5 * n / 500) + math.ceil(n / 500)


def bench_growth(w):
    sizes = (10, 100, 1000, 10000)
    taken = {}
    for n in sizes:
        taken[n] = grown(w, n) or grown(w, n)
        if not taken[n]:
            return left_out("G1", f"the engine with {n:,} functions did not finish its polls, twice")
    for n in sizes:
        cpu, peak_mb, asked, first = taken[n]
        print(f"    ({n:,} functions: a poll {cpu:.2f} ms of CPU; {peak_mb:.1f} MB; metrics and requests of each poll"
              f" {', '.join(str(a['metrics']) + ' in ' + str(a['GetMetricData']) for a in asked)})")
    polls = [(n, a) for n in sizes for a in taken[n][2]]
    for k, what, unit in ((0, "CPU of a poll", "us"), (1, "memory at the most", "kB")):
        # What each further function costs, from 100 to 1,000 and from 1,000 to 10,000.
        less, more = ((taken[b][k] - taken[a][k]) / (b - a) * 1e3 for a, b in ((100, 1000), (1000, 10000)))
        line("G1", f"{what}, a function of 10,000 against one of 1,000", f"{more:.3g} {unit}", f"{less:.3g} {unit}", f"{more / less:.2f}x",
             "<= 1.10x", more <= less * 1.1)
    counted, least = [a["GetMetricData"] for _, a in polls], [requests_there_must_be(n) for n, _ in polls]
    line("G1", "requests of these polls, against metrics / 500", f"{sum(counted)}", f"{sum(least)}", f"{sum(counted) / sum(least):.2f}x", "<= 1.00x",
         all(c <= n for c, n in zip(counted, least)))
    lists, forced = [taken[n][3].get("ListFunctions", 0) for n in sizes], [math.ceil(n / 50) for n in sizes]
    line("G1", "pages of functions read, against functions / 50", f"{sum(lists)}", f"{sum(forced)}", f"{sum(lists) / sum(forced):.2f}x", "<= 1.00x",
         lists == forced)
