"""The lines of `make bench` that are measured on a terminal: first frame, idle, keys, bytes."""

import os
import re
import select
import shutil
import statistics
import time

from measure import BUILD, FUNCTIONS, SLUICE, compare, cpu_ns, drain, end, left_out, line, on_terminal, wakeups


def first_frame(argv, env, enough, quiet=0.025):
    """Milliseconds from fork to the last byte of the first burst that holds a whole frame."""
    start = time.perf_counter()
    pid, fd = on_terminal(argv, env)
    last, n = start, 0
    while time.perf_counter() - start < 10:
        if select.select([fd], [], [], quiet if n >= enough else 1)[0]:
            try:
                n += len(os.read(fd, 65536))
            except OSError:
                break
            last = time.perf_counter()
        elif n >= enough:
            break
    end(pid, fd)
    return (last - start) * 1e3


def fill_history(w):
    """Lets a console poll once, so that the next one has something to paint."""
    pid, fd = on_terminal([SLUICE], w.env())
    drain(fd, 4)
    os.write(fd, b"q")
    drain(fd, 1)
    end(pid, fd)


def bench_paint(w):
    w.set(queues=20, functions=20, points=60)
    fill_history(w)
    w.set(latency_ms=3000)  # so that nothing but the file can be on the first frame
    ours, bare, others = [], [], []
    btop = shutil.which("btop", path="/usr/bin")
    for i in range(12):
        taken = [first_frame([SLUICE], w.env(), 2500), first_frame([str(BUILD / "bench/ref_paint")], w.env(), 2500)]
        if btop and i < 6:
            others.append(first_frame([btop], w.env(LC_ALL="C.UTF-8"), 4000))
        if i:
            ours.append(taken[0])
            bare.append(taken[1])
    pid, fd = on_terminal([SLUICE], w.env())
    seen = drain(fd, 0.5)
    end(pid, fd)
    w.set(latency_ms=0, queues=5, functions=0, points=1)
    a, b = statistics.median(ours), statistics.median(bare)
    if b"queue" not in seen and b"function" not in seen:
        print("    (the first frame shows no row of the history)")
    compare("S1", "first frame with history, against 5 libraries, bare", a, b, 1.3)
    if others:
        c = statistics.median(others)
        line("S1", "the same against btop", f"{a:.1f} ms", f"{c:.1f} ms", f"{a / c:.2f}x", "< 1x", a < c)


def bench_idle(w):
    htop = shutil.which("htop", path="/usr/bin")
    w.set(functions=FUNCTIONS, queues=0, points=1)
    home = w.folder / "idle"
    w.new_home(home)
    pid, fd = on_terminal([SLUICE], w.env(HOME=str(home)))
    drain(fd, 25)  # discovery, back-fill, first folds
    w.set()
    before, t0 = cpu_ns(pid), time.perf_counter()
    other = on_terminal([htop], w.env()) if htop else None
    if other:
        drain(other[1], 2)
        h0, th = cpu_ns(other[0]), time.perf_counter()
    quiet = []
    while time.perf_counter() - t0 < 60:
        n = wakeups(pid)
        drain(fd, 2.5)
        if other:
            drain(other[1], 2.5)
        quiet.append((wakeups(pid) - n) / 5)
    ours = (cpu_ns(pid) - before) / 1e7 / (time.perf_counter() - t0)
    if other:
        theirs = (cpu_ns(other[0]) - h0) / 1e7 / (time.perf_counter() - th)
        end(*other)
    polled = w.set().get("GetMetricData", 0)
    end(pid, fd)
    w.set(functions=0, queues=5)
    print(f"    (in that minute {polled} GetMetricData requests were answered)")
    if other:
        line("I1", "idle CPU, 10,000 series, 60 s polls, against htop", f"{ours:.3f} %", f"{theirs:.3f} %", f"1/{theirs / ours:.1f}", "<= 1/4", ours <= theirs / 4)
    else:
        left_out("I1", "no htop")
    least = statistics.median(quiet)
    line("I1", "wake-ups a second with nothing to do", f"{least:.1f}", "", "", "<= 2", least <= 2)
