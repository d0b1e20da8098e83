"""Screens as text: a script of keys, the embedded AWS, a frozen clock, a size, and what must then stand on the screen, cell for
cell: in what the program says it drew, and in what an independent terminal emulator made of its bytes.

tests/screens/NAME.keys is the script, NAME-COLUMNSxLINES[-ascii].txt the screen. SLUICE_SCREENS=write writes the screens anew:
read the difference before committing it. A tour is one script that saves many screens."""

import os
import pathlib
import re

import pytest
from console import Console
from program import LONG
from simtools import Sim

SCREENS = pathlib.Path(__file__).resolve().parents[1] / "screens"
NOW = "2026-11-23T03:14:42Z"
SIZES = [(80, 24), (120, 40), (200, 60)]
TERMS = {"C.UTF-8": "vt220", "C": "linux"}  # these neither repeat nor scroll by a count, which pyte does not know
EVERYWHERE = [(name, "poison-shard", size, lang) for name in ("overview", "pipeline", "detail", "stream", "alarm", "errors", "events", "help") for size in SIZES for lang in ("C.UTF-8", "C")]
MORE = [
    ("pipeline", "poison-shard", (40, 12), "C"),
    ("stream", "poison-shard", (40, 12), "C"),
    ("palette", "poison-shard", (80, 24), "C.UTF-8"),
    ("command", "poison-shard", (80, 24), "C"),
    ("zoomed", "poison-shard", (80, 24), "C"),
    ("panned", "poison-shard", (120, 40), "C.UTF-8"),
    ("overview", "poison-shard", (40, 12), "C"),
    ("detail", "poison-shard", (40, 12), "C.UTF-8"),
    ("overview", "poison-shard", (39, 11), "C"),
    ("filter", "poison-shard", (80, 24), "C.UTF-8"),
    ("sort", "poison-shard", (80, 24), "C"),
    ("cursor", "poison-shard", (120, 40), "C.UTF-8"),
    *[(name, "poison-shard", size, lang) for name in ("alarms", "past", "event") for size in SIZES for lang in ("C.UTF-8", "C")],
    ("events", "poison-shard", (40, 12), "C"),
    ("bad-deploy", "bad-deploy", (80, 24), "C"),
    ("silent", "silent-producer", (80, 24), "C"),
    ("expired", "expired-token", (80, 24), "C"),
    ("alarm", "poison-shard", (40, 12), "C"),
    ("errors", "poison-shard", (40, 12), "C"),
    ("errors-deploy", "bad-deploy", (120, 40), "C.UTF-8"),
    ("blocks", "poison-shard", (80, 24), "C.UTF-8"),
    ("calm", "calm", (80, 24), "C.UTF-8"),
    ("dlq-growth", "dlq-growth", (80, 24), "C.UTF-8"),
    ("denied", "denied", (120, 40), "C.UTF-8"),
    ("throttled", "throttled", (80, 24), "C"),
    ("throttled-detail", "throttled", (80, 24), "C"),
    ("empty", "empty", (80, 24), "C"),
]


POOR = ("overview", "pipeline", "stream", "detail", "dlq", "errors", "alarms", "events", "event", "help", "replay", "past")
FIRST = {"first": (), "first-chosen": (), "first-poor": ("kinesis:ListStreams=denied", "cloudwatch:DescribeAlarms=denied", "tagging:*=denied")}


def expected_path(name, size, lang):
    return SCREENS / f"{name}-{size[0]}x{size[1]}{'-ascii' if lang == 'C' else ''}.txt"


def check(name, size, lang, drawn):
    path = expected_path(name, size, lang)
    if os.environ.get("SLUICE_SCREENS") == "write":
        path.write_text(drawn, encoding="utf-8")
    assert path.exists(), f"no expected screen {path}"
    assert drawn == path.read_text(encoding="utf-8"), f"{path.name}\n{drawn}"


def tour(tmp_path, keys, size, lang, *args, **more):
    """Runs a script that saves screens by name; {name: what was drawn}"""
    script = tmp_path / "script"
    script.write_text(re.sub(r"(?m)^save (.*)$", lambda m: f"save {tmp_path}/{m[1]}.saved", keys) + "quit\n")
    env = {**more.pop("env", {}), "SLUICE_SCRIPT": str(script), "SLUICE_NOW": NOW, "LANG": lang, "TERM": TERMS[lang]}
    with Console(tmp_path, *args, columns=size[0], lines=size[1], env=env, **more) as console:
        assert console.end(seconds=100) == 0, console.raw[-300:]
    return {p.stem: p.read_text(encoding="ascii" if lang == "C" else "utf-8") for p in tmp_path.glob("*.saved")}


@pytest.mark.parametrize("lang", TERMS)
@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
def test_poor(tmp_path, size, lang):
    """No logs, no CloudTrail, no subscriptions, no metrics of shards, observe only: what has no source is absent or said to be unknown."""
    drawn = tour(tmp_path, (SCREENS / "poor/tour.keys").read_text(), size, lang, "--demo=poor")
    assert set(drawn) == set(POOR)
    for name in POOR:
        check(f"poor/{name}", size, lang, drawn[name])
    if os.environ.get("SLUICE_SCREENS") == "write":
        return
    every = "\n".join(drawn.values())
    assert not re.search(r"UpdateAlias|PublishVersion|\bby [a-z]+[.@]|RuntimeError|ExitError|unconfirmed|[a-z]@", every)  # none of these has a source
    for said in ("allow logs:FilterLogEvents", "allow cloudtrail:LookupEvents", "subscriptions ?", "enhanced monitoring is off", "by whom: ?", "not received"):
        assert said in every, said


@pytest.fixture(scope="module")
def accounts(tmp_path_factory):
    """Seen for the first time: one that may be read, and one that may not be listed whole."""
    home = tmp_path_factory.mktemp("sim")
    with Sim.start("poison-shard", home=home, now=NOW) as rich, Sim.start("poison-shard", home=home, now=NOW, faults=FIRST["first-poor"]) as poor:
        yield {(): rich, FIRST["first-poor"]: poor}


@pytest.mark.parametrize("lang", TERMS)
@pytest.mark.parametrize("size", SIZES, ids=lambda s: f"{s[0]}x{s[1]}")
def test_first_contact(tmp_path, accounts, size, lang):
    for faults, names in (((), ["first", "first-chosen"]), (FIRST["first-poor"], ["first-poor"])):
        keys = "wait settled\nwait text FIRST CONTACT\n" + f"save {names[0]}\n" + ("key p\nwait text resources, 17 metrics\nsave first-chosen\n" if not faults else "")
        home = tmp_path / names[0]
        home.mkdir()
        drawn = tour(home, keys, size, lang, env=accounts[faults].peer.env(), first=True)
        assert set(drawn) == set(names)
        for name in names:
            check(name, size, lang, re.sub(r"127\.0\.0\.1:\d{5}", "127.0.0.1:PORT.", drawn[name]))


def script_of(name, saved, tmp_path):
    """The screen's keys; a screen without keys of its own only waits until everything was read."""
    path = SCREENS / f"{name}.keys"
    keys = path.read_text() if path.exists() else "wait settled\n"
    script = tmp_path / "script"
    script.write_text(f"{keys}save {saved}\nquit\n")
    return script


def rest(console):
    """What the program wrote last, after it has ended."""
    seen = -1
    while len(console.raw) > seen and console.pump(0.05):
        seen = len(console.raw)


@pytest.mark.parametrize("name,scenario,size,lang", EVERYWHERE + MORE, ids=lambda v: "x".join(map(str, v)) if isinstance(v, tuple) else v)
def test_screen(tmp_path, name, scenario, size, lang):
    saved = tmp_path / "saved.txt"
    env = {"SLUICE_SCRIPT": str(script_of(name, saved, tmp_path)), "SLUICE_NOW": NOW, "LANG": lang, "TERM": TERMS[lang]}
    with Console(tmp_path, f"--demo={scenario}", columns=size[0], lines=size[1], env=env) as console:
        assert console.end(seconds=60) == 0, console.raw[-300:]
        rest(console)
    drawn = saved.read_text(encoding="ascii" if lang == "C" else "utf-8")
    assert drawn.splitlines() == console.lines, f"the terminal shows something else:\n{console.text}\n--- drawn\n{drawn}"
    check(name, size, lang, drawn)


def test_no_expected_screen_is_left_over():
    wanted = {expected_path(name, size, lang) for name, _, size, lang in EVERYWHERE + MORE}
    wanted |= {expected_path(name, size, lang) for name in [*FIRST, *(f"poor/{n}" for n in POOR)] for size in SIZES for lang in TERMS}
    assert {*SCREENS.glob("*.txt"), *SCREENS.glob("poor/*.txt")} == wanted


@pytest.mark.parametrize("line,says", [
    *([("wait text no such text", "waited in vain: text no such text")] if LONG else []),  # takes all of its ten seconds
    ("key Nonsense", "no such key: Nonsense"),
    ("press j", "no such command: press j"), ("wait for me", "no such wait: for me"), ("save /nonexistent/x", "No such file or directory"),
])
def test_script_that_fails_says_where(tmp_path, line, says):
    (tmp_path / "script").write_text(f"# first a comment\nkey j\n{line}\n")
    env = {"SLUICE_SCRIPT": str(tmp_path / "script"), "SLUICE_NOW": NOW}
    with Console(tmp_path, "--demo=empty", env=env) as console:
        assert console.end(seconds=30) == 1
        rest(console)
    assert f"sluice: script line 3: {says}" in console.raw.decode()
