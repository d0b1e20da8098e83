"""The lines of `make bench` that are measured on a terminal: first frame, idle, keys, bytes."""

import os
import random
import re
import select
import shutil
import statistics
import time

import pyte

from measure import BUILD, FUNCTIONS, SLUICE, compare, cpu_ns, drain, end, left_out, line, on_terminal, settle, wakeups


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


# ---- K: from a key to its frame

def key_times(fd, n, seed):
    """Milliseconds from a key (five times down, five times up) to the last byte of what it brought, in no step with any clock; a key
    that brings nothing within a quarter of a second counts as that."""
    chance, taken = random.Random(seed), []
    for i in range(n):
        drain(fd, 0.008 + chance.random() * 0.02)
        while select.select([fd], [], [], 0.004)[0]:  # in the middle of a frame of its own
            os.read(fd, 65536)
        start = time.perf_counter()
        os.write(fd, b"\033OA" if i % 10 > 4 else b"\033OB")
        last = None
        while select.select([fd], [], [], 0.003 if last else 0.25)[0]:
            os.read(fd, 65536)
            last = time.perf_counter()
            if last - start > 0.25:
                break
        taken.append(((last or time.perf_counter()) - start) * 1e3)
    return sorted(taken)


def p50_p99(runs):
    """The medians over the runs of each run's median and 99th percentile."""
    return tuple(statistics.median(r[min(len(r) - 1, int(len(r) * part))] for r in runs) for part in (0.5, 0.99))


MANY = 10000
KEYS_A_RUN, RUNS = 200, 3


def polling_console(w, points):
    """A console on 10,000 functions whose clock runs 60 times as fast: a poll is due each second."""
    w.set(functions=MANY, queues=0, points=points)
    home = w.folder / f"keys-{points}"
    w.new_home(home)
    pid, fd = on_terminal([SLUICE], w.env(HOME=str(home), SLUICE_SPEED="60"))
    asked, _ = settle(w, fd, quiet=600, most=12)
    return pid, fd, asked


def bench_keys(w):
    htop = shutil.which("htop", path="/usr/bin")
    pid, fd, _ = polling_console(w, 1)
    other = on_terminal([htop], w.env()) if htop else None
    if other:
        drain(other[1], 2)
    w.set()
    start, ours, theirs = time.perf_counter(), [], []
    for i in range(RUNS):
        ours.append(key_times(fd, KEYS_A_RUN, i))
        drain(fd, 0.01)
        if other:
            theirs.append(key_times(other[1], KEYS_A_RUN, i))
    calls, took = w.set(), time.perf_counter() - start
    end(pid, fd)
    if other:
        end(*other)
    a = p50_p99(ours)
    polled = calls.get("GetMetricData", 0)
    print(f"    ({polled} GetMetricData requests and {w.told['metrics']:,} metrics were answered in these {took:.0f} s)")
    b = p50_p99(theirs) if other else None
    for k, name, limit in ((0, "p50", 1.5), (1, "p99", 8)):
        line("K1", f"key to frame, {MANY:,} functions, polling, {name}", f"{a[k]:.2f} ms", f"{b[k]:.2f} ms (htop)" if b else "",
             f"{a[k] / b[k]:.2f}x" if b else "", f"<= {limit:g} ms", a[k] <= limit and polled > 0)
    if b:
        compare("K1", "the same against htop, p99", a[1], b[1], 1)
    else:
        left_out("K1", "against htop: not measured, htop is not here")


def bench_keys_bulk(w):
    pid, fd, _ = polling_console(w, 200)
    w.set()
    start, runs = time.perf_counter(), [key_times(fd, KEYS_A_RUN, i) for i in range(RUNS)]
    bodies, took = w.set().get("GetMetricData", 0), time.perf_counter() - start
    metrics = w.told["metrics"]
    end(pid, fd)
    w.set(functions=0, queues=5, points=1)
    p50, p99 = p50_p99(runs)
    print(f"    ({metrics * 200 / 1e6:.1f} million points in {bodies} bodies in these {took:.0f} s)")
    line("K2", "the same while bodies of 100,000 points arrive, p99", f"{p99:.2f} ms", f"p50 {p50:.2f} ms", "", "<= 16 ms", p99 <= 16 and bodies > took)


# ---- F: bytes

def cells(screen):
    return [[screen.buffer[y][x] for x in range(screen.columns)] for y in range(screen.lines)]


def attributes(c):
    return (c.fg, c.bg, c.bold, c.italics, c.underscore, c.strikethrough, c.reverse, c.blink)


def hand_diff(before, after):
    """Bytes of the least that a hand writes for a changed frame: a cursor move to each run of changed cells (gaps of up to four
    unchanged cells of the same looks are written through), one SGR where the looks change, and the text."""
    size, looks = 0, None
    for y, (old, new) in enumerate(zip(before, after)):
        x, at = 0, None
        while x < len(new):
            if old[x] == new[x]:
                x += 1
                continue
            if at is None or x - at > 4 or any(attributes(c) != looks for c in new[at:x]):
                size += len(f"\033[{y + 1};{x + 1}H")
            else:
                size += sum(len(c.data.encode()) for c in new[at:x])
            if attributes(new[x]) != looks:
                looks = attributes(new[x])
                size += len(sgr(looks))
            size += len(new[x].data.encode())
            x += 1
            at = x
    return size


def sgr(looks):
    """The shortest sequence that sets these from nothing."""
    codes = [code for code, on in zip((1, 3, 4, 9, 7, 5), looks[2:]) if on]
    numbers = [f"{base}{NAMES[color]}" if color in NAMES else f"{base}8;5;nnn" for base, color in ((3, looks[0]), (4, looks[1])) if color != "default"]
    return f"\033[{';'.join(['', *map(str, codes), *numbers])}m"


NAMES = {"black": 0, "red": 1, "green": 2, "brown": 3, "blue": 4, "magenta": 5, "cyan": 6, "white": 7}


def bench_bytes(w):
    w.set(functions=200, queues=0, points=60)
    home = w.folder / "bytes"
    w.new_home(home)
    screen = pyte.Screen(120, 40)
    stream = pyte.ByteStream(screen)
    pid, fd = on_terminal([SLUICE], w.env(HOME=str(home), TERM="linux"))
    end_of = time.perf_counter() + 6
    while time.perf_counter() < end_of:
        stream.feed(drain(fd, 0.5))
    ours = least = frames = 0
    for i in range(120):
        before = cells(screen)
        os.write(fd, b"\033[A" if i % 10 > 4 else b"\033[B")
        data = drain(fd, 0.05)
        stream.feed(data)
        ours, least, frames = ours + len(data), least + hand_diff(before, cells(screen)), frames + bool(data)
    w.set()
    start = time.perf_counter()
    quiet = drain(fd, 20)
    took, polled = time.perf_counter() - start, w.set().get("GetMetricData", 0)
    end(pid, fd)
    w.set(functions=0, queues=5, points=1)
    line("F1", f"bytes a frame, mean of {frames} moves, against a hand", f"{ours / frames:.0f} B", f"{least / frames:.0f} B", f"{ours / least:.2f}x",
         "<= 1.10x", ours <= 1.1 * least)
    line("F1", "bytes a second when nothing changes", f"{len(quiet) / took:.1f} B/s", "", "", "<= 50 B/s", len(quiet) / took <= 50)
    print(f"    (20 s, in which {polled} GetMetricData requests were answered)")
