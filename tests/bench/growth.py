"""The lines of `make bench` about memory and about growth with the number of resources."""

import statistics
import subprocess
import sys

from measure import BUILD, FUNCTIONS, SLUICE, end, drain, line, memory, on_terminal, settle

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
