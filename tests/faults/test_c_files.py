"""Reliability line C6: AWS's files as they are found on shared machines, each read as another user than root. docs/security.md has the
table that is tried here."""

import concurrent.futures
import os
import re
import socket
import stat
import subprocess

import pytest
from asuser import NOBODY, OTHER, WHY_NOT, AsUser
from fakeaws import FakeAws

KEY, SECRET = "AKIASLUICEFILES00001", "secret/of+the/files/zzz9zzz9zzz9zzz9zzz9"
PAIR = f"[default]\naws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"
USED, NOTED, REFUSED, ABSENT = "used", "used with a note", "refused", "as if it were not there"

CASES = {}


def case(outcome, *words, which="credentials"):
    """The function prepares its file at `path`; it may return settings of the environment. reached: the fault stands as meant."""
    def add(prepare):
        CASES[prepare.__name__] = (prepare, which, outcome, words)
        return prepare
    return add


def with_mode(name, mode, outcome, *words, which="credentials", uid=NOBODY):
    def prepare(user, path):
        user.file(path, PAIR, mode)
        os.chown(path, uid, -1)
        assert stat.S_IMODE(path.stat().st_mode) == mode and path.stat().st_uid == uid
    prepare.__name__ = name
    case(outcome, *words, which=which)(prepare)


WRITE, READ = "others may write it: chmod go-w", "others may read it: chmod 600"
with_mode("0600", 0o600, USED)
with_mode("0400", 0o400, USED)
with_mode("0644", 0o644, NOTED, READ)
with_mode("0640", 0o640, NOTED, READ)
with_mode("0666", 0o666, REFUSED, WRITE)
with_mode("0620", 0o620, REFUSED, WRITE)
with_mode("0000", 0o000, REFUSED, "Permission denied")
with_mode("config 0644", 0o644, USED, which="config")
with_mode("config 0640", 0o640, USED, which="config")
with_mode("config 0666", 0o666, REFUSED, WRITE, which="config")
with_mode("config 0620", 0o620, REFUSED, WRITE, which="config")
with_mode("another's", 0o644, REFUSED, "belongs to another user", uid=OTHER)
with_mode("config another's", 0o644, REFUSED, "belongs to another user", which="config", uid=OTHER)
with_mode("root's", 0o644, NOTED, READ, uid=0)


@case(USED)
def link_of_his_own(user, path):
    user.file(user.home / "elsewhere", PAIR)
    path.symlink_to("../elsewhere")
    user.give(path)


@case(NOTED, READ)
def link_to_a_readable_one(user, path):
    user.file(user.home / "elsewhere", PAIR, 0o644)
    path.symlink_to(user.home / "elsewhere")
    user.give(path)


@case(REFUSED, "a symbolic link on the way to it belongs to another user")
def link_of_another(user, path):
    user.file(user.home / "elsewhere", PAIR)
    path.symlink_to("../elsewhere")
    os.chown(path, OTHER, OTHER, follow_symlinks=False)


@case(REFUSED, "a symbolic link on the way to it belongs to another user")
def folder_behind_a_link_of_another(user, path):
    user.file(user.folder(user.home / "dir") / "credentials", PAIR)
    (user.home / "to").symlink_to("dir")
    os.chown(user.home / "to", OTHER, OTHER, follow_symlinks=False)
    return {"AWS_SHARED_CREDENTIALS_FILE": str(user.home / "to" / "credentials")}


@case(REFUSED, "is not a regular file")
def link_to_a_pipe(user, path):
    os.mkfifo(user.home / "pipe")
    user.give(user.home / "pipe")
    path.symlink_to("../pipe")
    user.give(path)


@case(ABSENT, "is a symbolic link to nothing")
def link_to_nothing(user, path):
    path.symlink_to("nothing")
    user.give(path)


@case(REFUSED, "Too many levels of symbolic links")
def links_in_a_ring(user, path):
    path.symlink_to("credentials")
    user.give(path)


@case(REFUSED, "is not a regular file")
def pipe(user, path):
    os.mkfifo(path)
    user.give(path)


@case(REFUSED, "is not a regular file")
def folder(user, path):
    user.folder(path)


@case(REFUSED, "is not a regular file")
def endless_device(user, path):
    return {"AWS_SHARED_CREDENTIALS_FILE": "/dev/zero"}


@case(REFUSED, "is not a regular file")
def socket_file(user, path):
    with socket.socket(socket.AF_UNIX) as s:
        s.bind(str(path))
    user.give(path)


@case(REFUSED, "is larger than 1048576 bytes")
def a_gibibyte_of_nothing(user, path):
    user.file(path, PAIR)
    os.truncate(path, 1 << 30)


@case(REFUSED, "credentials:3", "the line holds a NUL byte")
def nul_byte(user, path):
    user.file(path, PAIR[:-5].encode() + b"\0" + PAIR[-5:].encode())


@case(USED)
def byte_order_mark(user, path):
    user.file(path, b"\xef\xbb\xbf" + PAIR.encode())


@case(USED)
def line_ends_of_windows(user, path):
    user.file(path, PAIR.replace("\n", "\r\n"))


@case(REFUSED, "everybody may write the folder that holds it")
def folder_open_to_everybody(user, path):
    user.file(path, PAIR)
    path.parent.chmod(0o777)


@case(USED)
def sticky_folder_open_to_everybody(user, path):
    user.file(path, PAIR)
    path.parent.chmod(0o1777)


@case(ABSENT)
def empty(user, path):
    user.file(path, b"")


@case(ABSENT)
def no_home(user, path):
    return {"HOME": None}


@case(USED)
def no_home_but_a_named_file(user, path):
    return {"HOME": None, "AWS_SHARED_CREDENTIALS_FILE": str(user.file(path, PAIR))}


@case(ABSENT)
def a_file_for_a_home(user, path):
    return {"HOME": str(user.file(user.home / "file", b""))}


@case(REFUSED, "credentials:4", "Expected an '=' sign")
def a_secret_where_none_belongs(user, path):
    """Half an edit: the line that cannot be read is the secret, and must not be quoted."""
    user.file(path, PAIR + SECRET + "\n")


def used(aws):
    return KEY in aws.seen


def judge(ran, aws, outcome, words):
    """What is wrong, or ''."""
    text, lines = ran.err, [line for line in ran.err.splitlines() if ": note: " not in line]
    if SECRET in ran.out + ran.err or SECRET[8:] in ran.out + ran.err:
        return "the secret is shown"
    missing = [w for w in words if w not in text]
    if missing:
        return f"stderr lacks {missing}"
    if outcome in (USED, NOTED):
        wrong = ran.status != 0 or not used(aws) or lines or text.count("\n") != (outcome == NOTED)
    else:
        wrong = ran.status != 2 or used(aws) or len(lines) != 1
    return "not " + outcome if wrong else ""


class Watched(FakeAws):
    """Notes which access keys signed what arrives."""

    def __init__(self):
        self.seen = set()
        super().__init__({"*": self.note})

    def note(self, h, op):
        self.seen.update(re.findall(r"Credential=([^/]+)/", h.headers.get("Authorization", "")))
        h.reply(200, h.good(), "text/xml" if op.startswith("sts:") else "application/x-amz-json-1.0")


def run(name):
    prepare, which, outcome, words = CASES[name]
    with AsUser() as user, Watched() as aws:
        path = user.folder(user.home / ".aws") / which
        more = prepare(user, path) or {}
        env = {"AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": aws.url, **more}
        try:
            ran = user("status", env=env, timeout=10)
        except subprocess.TimeoutExpired:
            return f"{name}: hangs"
        wrong = judge(ran, aws, outcome, words)
        if not wrong and outcome == NOTED:
            ran = user("doctor", env=env, timeout=10)
            wrong = "" if ran.status == 1 and all(w in ran.out for w in words) else "doctor does not tell"
        return f"{name}: {wrong}\n{ran}" if wrong else ""


def test_files_of_aws(figure):
    """C6."""
    if os.geteuid() != 0:
        figure("C6", "AWS's files with wrong modes, owners, kinds", attempted=len(CASES), skipped=len(CASES), why=WHY_NOT)
        pytest.skip(WHY_NOT)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        wrong = [w for w in pool.map(run, CASES) if w]
    count = {o: sum(c[2] == o for c in CASES.values()) for o in (USED, NOTED, REFUSED, ABSENT)}
    figure("C6", "AWS's files with wrong modes, owners, kinds", attempted=len(CASES), passed=len(CASES) - len(wrong), reached=len(CASES),
           note="as another user; " + ", ".join(f"{n} {o}" for o, n in count.items()) + "; each within 10 s")
    assert not wrong, "\n".join(wrong)
