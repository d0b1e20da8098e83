"""Kill -9 at any moment costs the history nothing that was committed, and never half a tick.

A writer commits a tick a simulated minute and says so on its output; it is killed after a random time, in the middle of
commits, folding and checkpoints. What it said must be there, every tick whole, every revision in its order, the file sound,
and nobody else may have become able to read it. A second writer lives in faster time, so that points become coarse and go while
it is killed: hour by hour the sums must stay what they are. SLUICE_KILLS sets how often (default 40), SLUICE_BUILD where the tools are."""

import os
import pathlib
import random
import shutil
import signal
import sqlite3
import stat
import subprocess
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
CLI = pathlib.Path(os.environ.get("SLUICE_BUILD", ROOT / "build")) / "tools" / "cache_cli"
SERIES = 1200  # a span of them takes three commits to fold


def verify(path, what="verify", series=SERIES):
    done = subprocess.run([CLI, what, path, str(series)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def killed_writer(path, minute, seconds, what="write", series=SERIES):
    """The last minute the writer said it had committed, minute - 1 when it said nothing."""
    writer = subprocess.Popen([CLI, what, path, str(series), str(minute)], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    time.sleep(seconds)
    writer.send_signal(signal.SIGKILL)
    out, err = writer.communicate(timeout=60)
    assert writer.returncode == -signal.SIGKILL, (writer.returncode, err)
    said = [int(n) for n in out.decode().split("\n")[:-1]]
    assert said == list(range(minute, minute + len(said)))
    return said[-1] if said else minute - 1


def assert_private(folder):
    for name in [folder, *folder.iterdir()]:
        mode = stat.S_IMODE(name.stat().st_mode)
        assert mode == (0o700 if name.is_dir() else 0o600), (name, oct(mode))


def mid_fold(folder):
    """Looks at a copy, so that the recovery under test stays the program's own."""
    with tempfile.TemporaryDirectory() as top:
        copy = pathlib.Path(shutil.copytree(folder, pathlib.Path(top) / "copy")) / "history.db"
        db = sqlite3.connect(copy)
        assert db.execute("PRAGMA integrity_check").fetchone()[0] == "ok"
        row = db.execute("SELECT span >= 0 FROM fold").fetchone() if db.execute("PRAGMA user_version").fetchone()[0] else None
        db.close()
        return bool(row and row[0])


def test_kill(kills=int(os.environ.get("SLUICE_KILLS", "40"))):
    seed = int(os.environ.get("SLUICE_SEED", time.time_ns() % 1000000))
    choose = random.Random(seed)
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory() as top:
        folder = pathlib.Path(top) / "sluice"
        path = str(folder / "history.db")
        minutes, folding, logs, done = 0, 0, 0, 0
        # Folding begins after two hours of ticks. How many ticks a life holds depends on the machine: a slow or busy one needs more.
        while done < kills or (minutes <= 130 and done < 10 * kills):
            # Short lives die while the file is opened and recovered, long ones in folds and checkpoints.
            said = killed_writer(path, minutes, choose.choice([0.002, 0.005, 0.02, 0.1]) * (0.5 + choose.random()))
            done += 1
            if not folder.exists():
                continue
            logs = max([logs] + [f.stat().st_size for f in folder.iterdir() if f.name.endswith("-wal")])
            assert_private(folder)
            folding += mid_fold(folder)
            before, minutes = minutes, verify(path)
            assert minutes >= max(said + 1, before), f"{said + 1} minutes were committed, {minutes} are there"
            assert minutes <= said + 2, "more than the one tick that was on its way"
        assert not list(folder.glob("*corrupt*"))
        assert minutes > 130, "the writer hardly lived: nothing was folded"
        assert logs < 8 << 20
        print(f"{done} kills: {minutes} ticks of {SERIES} series, all there and whole; {folding} times folding was under way; "
              f"log at most {logs >> 10} KiB")


def rows(path, what):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    n = db.execute(what).fetchone()[0]
    db.close()
    return n


def test_kill_while_points_grow_old(kills=int(os.environ.get("SLUICE_KILLS", "40")) // 2):
    # More series than one step rolls up of a span; hours lie in spans of twelve days: one of these must have gone.
    series, enough = 1600, 48 * 18
    seed = int(os.environ.get("SLUICE_SEED", time.time_ns() % 1000000))
    choose = random.Random(seed)
    print(f"seed {seed}")
    with tempfile.TemporaryDirectory() as top:
        folder = pathlib.Path(top) / "sluice"
        path = str(folder / "history.db")
        ticks, done, amid, first = 0, 0, 0, set()
        while done < kills or (ticks <= enough and done < 20 * kills):
            said = killed_writer(path, ticks, choose.choice([0.05, 0.2, 0.6]) * (0.5 + choose.random()), "age", series)
            done += 1
            if not folder.exists():
                continue
            before, ticks = ticks, verify(path, "verify-aged", series)
            assert said + 1 <= ticks <= said + 2 and ticks >= before, f"{said + 1} ticks were committed, {ticks} are there"
            # Between two steps of a roll-up: of the oldest span some series are coarse, the others not yet.
            amid += 0 < rows(path, "SELECT count(*) FROM chunk WHERE id >> 24 = (SELECT min(id) >> 24 FROM chunk)") < series
            first.add(rows(path, "SELECT coalesce(min(id >> 24 & 0xffffffff), 0) FROM coarse WHERE id >> 56 = 1"))
        assert ticks > enough, "the writer hardly lived: nothing has gone"
        assert len(first - {0}) > 1, "no span was ever deleted"
        assert not list(folder.glob("*corrupt*"))
        print(f"{done} kills: {ticks} ticks of {series} series, every hour of the last 5 days whole; "
              f"{amid} times a span was half rolled up")


if __name__ == "__main__":
    test_kill()
    test_kill_while_points_grow_old()
