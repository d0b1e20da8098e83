"""The real calls without the program around them (tests/tools/call_cli.c), many at a time."""

import dataclasses
import os
import pathlib
import re
import subprocess

from program import ROOT, SLOWER, clean_env

CLI = pathlib.Path(os.environ.get("SLUICE_BUILD", ROOT / "build")) / "tools" / "call_cli"


@dataclasses.dataclass
class Answer:
    code: str
    attempts: int
    in_doubt: bool
    items: int
    text: str


def start(home, *args, **more):
    return subprocess.Popen([str(CLI), *map(str, args)], env=clean_env(home), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                            stderr=subprocess.PIPE, text=True, **more)


def run(home, *args, stdin="", seconds=120):
    with start(home, *args) as p:
        out, err = p.communicate(stdin, timeout=seconds * SLOWER)
    assert p.returncode == 0 and "Sanitizer" not in err, f"[{p.returncode}] {err[-3000:]}"
    return out


def calls(home, url, asked, side=256):
    """asked: key -> operation. What became of each, by key."""
    out = run(home, "calls", url, side, stdin="".join(f"{key} {op}\n" for key, op in asked.items()))
    lines = (line.split("\t") for line in out.splitlines())
    return {key: Answer(code, int(n), doubt == "1", int(items), text) for key, code, n, doubt, items, text in lines}


def key_of(handler):
    """Which target a request came from: its access key."""
    return re.search(r"Credential=([^/]+)/", handler.headers.get("Authorization", ""))[1]
