"""What the parser lines share: AWS's and others' published cases where they are at hand, the C drivers of tests/tools, and the unit
programs that run a published suite themselves and say how it went."""

import base64
import json
import os
import pathlib
import re
import subprocess

from program import ROOT, SLOWER

BUILD = pathlib.Path(os.environ.get("SLUICE_BUILD") or ROOT / "build")


def shared(path):
    """A file or folder of the shared data, or None. Nothing of it is copied into the project."""
    base = pathlib.Path(os.environ.get("SLUICE_SHARED") or ROOT.parent / "shared")
    return next((p for p in (base / "data" / path, base / path) if p.exists()), None)


def absent(figure, id, what, attempted, path):
    """Says in the table that nothing was tried; the test is then to skip."""
    why = f"data/{path} is not here (set SLUICE_SHARED)"
    figure(id, what, attempted=attempted, skipped=attempted, why=why)
    return why


def environment(**more):
    keep = {k: v for k, v in os.environ.items() if k in ("PATH", "SLUICE_SHARED", "ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS")}
    return {"LANG": "C.UTF-8", "AWS_EC2_METADATA_DISABLED": "true", **keep, **more}


def drive(tool, lines, *args, timeout=120, **env):
    """One process of tests/tools answers all lines; a sanitizer's report or any other death fails the caller."""
    p = subprocess.run([BUILD / "tools" / tool, *args], input="".join(f"{line}\n" for line in lines), capture_output=True, text=True,
                       timeout=timeout * SLOWER, env=environment(**env), cwd=ROOT)
    assert p.returncode == 0 and not p.stderr, f"{tool}: exit {p.returncode}\n{p.stderr[-4000:]}"
    return p.stdout.splitlines()


def b64(data):
    return base64.b64encode(data.encode("utf-8", "surrogatepass") if isinstance(data, str) else data).decode()


def read_all(cases):
    """protocol_cli's answers. A case is a dict; its body may be str or bytes."""
    lines = [json.dumps({**c, "body": b64(c.get("body", b""))}) for c in cases]
    answers = drive("protocol_cli", lines)
    assert len(answers) == len(cases)
    return [json.loads(a) for a in answers]


def unit_says(program, pattern):
    """The numbers of the line that a unit program prints of the suite it ran; the rest of its tests must pass too."""
    p = subprocess.run([BUILD / "unit" / program], capture_output=True, text=True, timeout=300 * SLOWER, env=environment(), cwd=ROOT)
    said = re.search(pattern, p.stdout + p.stderr)
    assert p.returncode == 0 and said, f"{program}: exit {p.returncode}\n{(p.stdout + p.stderr)[-3000:]}"
    return [int(n) for n in said.groups()]
