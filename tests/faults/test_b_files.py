"""Reliability lines B4 and B5: AWS's two profile files, and sluice's own configuration file."""

import json
import re

import pytest
from program import plain
from suites import absent, drive, shared, unit_says

PARSER, LOCATION = "aws-config/profile-parser-tests.json", "aws-config/file-location-tests.json"
LENIENT = ("sluice loads a profile by the name it was asked for and a key by the name it needs: what AWS's tools ignore because of "
           "blanks or '!' in its name is found by whoever asks for it under that very name (quoted names such as \"my team\" are in use)")
UNSET = ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE", "AWS_PROFILE", "HOME", "USERPROFILE", "HOMEDRIVE", "HOMEPATH")


def sections(text):
    """Every name that a header could be read as."""
    for inside in re.findall(r"^\s*\[([^\]\n]*)", text, re.M):
        name = inside.strip()
        yield name
        for prefix in ("profile", "sso-session"):
            if name.startswith(prefix):
                yield name[len(prefix):].strip()


def questions(case, folder):
    """One a profile: those that must be there, and every other name in the files, which must not."""
    given = case["input"]
    config, credentials = folder / "config", folder / "credentials"
    folder.mkdir()
    config.write_text(given.get("configFile", ""))
    credentials.write_text(given.get("credentialsFile", ""))
    text = given.get("configFile", "") + "\n" + given.get("credentialsFile", "")
    wanted = case["output"].get("config", {}).get("profiles", {})
    keys = sorted({k.strip().lower() for k in re.findall(r"^([^=\[#;\n]+)=", text, re.M) if k.strip() and k[0] not in " \t"})
    env = {"HOME": str(folder), "AWS_CONFIG_FILE": str(config), "AWS_SHARED_CREDENTIALS_FILE": str(credentials)}
    for name in dict.fromkeys([*wanted, *(s for s in sections(text) if s), "default"]):
        yield name, wanted.get(name), {"env": env, "name": name, "keys": keys}


def judge(case, name, want, got):
    error = case["output"].get("errorContaining")
    if error:
        return None if not got["ok"] and error in got["why"] and re.search(r":\d+$", got["where"]) else f"wanted the error {error}"
    if not got["ok"]:
        return f"refused: {got['why']}"
    if want is None:
        return "is there, and should not be" if got["there"] else None
    if not got["there"]:
        return "is not there"
    # blank counts as not set, and a block of nested keys is no value; the lexical half of the case compares those
    plain = {k: v for k, v in want.items() if v and not v.startswith("\n")}
    found = {k: v for k, v in got["values"].items() if v is not None}
    return None if plain == found else f"wanted {plain}, got {found}"


def test_profile_parser(figure, tmp_path):
    """Each case twice: what the reader of lines makes of it (all values, nested ones too, and all errors), and what a profile holds."""
    what = "AWS's profile parser cases: values, merging, errors"
    if not shared(PARSER):
        pytest.skip(absent(figure, "B4", what, 65, PARSER))
    lexical = unit_says("t_ini", r"(\d+) of AWS's profile parser cases")[0]
    cases = json.loads(shared(PARSER).read_text())["tests"]
    asked = [(i, name, want, q) for i, c in enumerate(cases) for name, want, q in questions(c, tmp_path / str(i))]
    wrong, lenient = {}, {}
    for (i, name, want, q), line in zip(asked, drive("profile_cli", [json.dumps(q) for *_, q in asked])):
        problem = judge(cases[i], name, want, json.loads(line))
        odd = not re.fullmatch(r"[\w/.%@:+-]+", name) or any(not re.fullmatch(r"[\w-]+", k) for k in q["keys"])
        if problem:
            (lenient if odd else wrong)[i] = f"{cases[i]['name']} [{name}]: {problem}"
    skipped = lenient.keys() - wrong.keys()
    figure("B4", what, attempted=len(cases), passed=len(cases) - len(wrong) - len(skipped), reached=len(cases), skipped=len(skipped),
           why=f"{LENIENT}: {'; '.join(cases[i]['name'] for i in sorted(skipped))}", note=f"{len(asked)} profiles asked for; {lexical} cases compared line by line too")
    assert not wrong, "\n".join(wrong.values())
    assert lexical == len(cases) == 65 and len(skipped) == 6, lenient


def test_file_locations(figure):
    what = "AWS's file location cases"
    if not shared(LOCATION):
        pytest.skip(absent(figure, "B4", what, 9, LOCATION))
    cases = json.loads(shared(LOCATION).read_text())["tests"]
    ours = [c for c in cases if c["platform"] != "windows"]
    lines = [json.dumps({"env": {**dict.fromkeys(UNSET), **c["environment"]}, "name": "default", "keys": []}) for c in ours]
    wrong = []
    for c, line in zip(ours, drive("profile_cli", lines)):
        got = json.loads(line)
        if (got["config"], got["credentials"]) != (c["configLocation"], c["credentialsLocation"]):
            wrong.append(f"{c['name']}: {got}")
    figure("B4", what, attempted=len(cases), passed=len(ours) - len(wrong), reached=len(ours), skipped=len(cases) - len(ours),
           why="sluice does not run on Windows")
    assert not wrong, "\n".join(wrong)
    assert len(cases) == 9


# ---- B5: sluice's own file is INI. Its cases stand in tests/unit/t_conf.c; these go through the program, as a reader meets them.

FILES = [  # what is wrong, the text, its line, its key
    ("no section", b"retention = 30d\n", 1, "syntax"),
    ("no equals sign", b"[sluice]\nretention 30d\n", 2, "syntax"),
    ("an open bracket", b"[sluice\n", 1, "syntax"),
    ("an empty section", b"\n[]\n", 2, "syntax"),
    ("text after a section", b"[sluice] x\n", 1, "syntax"),
    ("no key", b"[sluice]\n= 30d\n", 2, "syntax"),
    ("an open quote", b"[pipeline p]\n\nrunbook = \"x\ntarget = y\n", 3, "syntax"),
    ("not UTF-8", b"[sluice]\nretention = 30\xff\n", 2, "syntax"),
    ("UTF-16", "[sluice]\n".encode("utf-16"), 1, "the line holds a NUL byte"),
    ("a NUL", b"[sluice]\nretention = 3\x000d\n", 2, "the line holds a NUL byte"),
    ("an escape sequence", b"[sluice]\n# fine\nretention = \x1b[2J\n", 3, "syntax"),
    ("a carriage return within", b"[sluice]\nretention = 3\r0d\n", 2, "syntax"),
    ("a line of 70,000 bytes", b"[sluice]\nretention = " + b"3" * 70000 + b"\n", 2, "syntax"),
    ("an unknown section", b"\n\n[slice]\n", 3, "slice"),
    ("an unknown key", b"[sluice]\nbudget = 1\n", 2, "budget"),
    ("a key twice", b"[sluice]\nretention = 30d\r\nretention = 31d\n", 3, "retention"),
    ("a bad value", b"[target \"t\"]\nregion = Mordor\n", 2, "region"),
    ("a value with a newline's escape", b"[target t]\nregion = eu-west-1\\n\n", 2, "region"),
    ("a password in a URL", b"[target t]\nendpoint_url = http://u:p@h\n", 2, "endpoint_url"),
    ("a section twice", b"[target a]\n[target b]\n[target a]\n", 3, "target"),
    ("a stage without a pipeline", b"[stage p/s]\nresource = sqs:q\n", 1, "stage"),
    ("a stage without a resource", b"[pipeline p]\n[stage p/s]\n", 2, "resource"),
    ("a check without a range", b"[check c]\nmetric = A/b:Sum\n", 1, "critical"),
    ("TOML", b"[[pipeline]]\nname = 1\n", 1, ""),
    ("JSON", b"{\"sluice\": {}}\n", 1, "syntax"),
    ("YAML", b"sluice:\n  retention: 30d\n", 1, "syntax"),
    ("HTML", b"<html>\n", 1, "syntax"),
    ("only a byte order mark and text", b"\xef\xbb\xbfx\n", 1, "syntax"),
]


def test_own_configuration(figure, sluice):
    """Each by file, line and key on one plain line, exit 2, nothing asked of anybody."""
    malformed = unit_says("t_conf", r"configuration: (\d+) malformed files named by file, line and key")[0]
    options, good, bad = unit_says("t_conf", r"configuration: (\d+) options: (\d+) values taken, (\d+) refused by file, line and key")
    wrong = []
    for what, text, line, key in FILES:
        path = sluice.home / "config.ini"
        path.write_bytes(text)
        path.chmod(0o600)
        ran = sluice("status", "--config", path, env={"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_REGION": "eu-west-1"})
        right = ran.status == 2 and f"config.ini:{line}: {key}" in ran.err and plain(ran.err) and ran.err.count("\n") == 1 and not ran.out
        if not right:
            wrong.append(f"{what}: {ran}")
    n = malformed + good + bad + len(FILES)
    figure("B5", "own configuration (INI): each fault by file, line and key", attempted=n, passed=n - len(wrong), reached=n,
           note=f"{malformed} malformed files, {options} options with {good} values taken and {bad} refused; {len(FILES)} files through the program")
    assert not wrong, "\n".join(wrong[:3])
