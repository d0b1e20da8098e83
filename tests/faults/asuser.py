"""sluice as another user: a home below /tmp that is his, a copy of the program that he can reach."""

import os
import pathlib
import pwd
import shutil
import subprocess
import tempfile

from program import ROOT, SLOWER, Ran, binary, clean_env

NOBODY, OTHER = 65534, 1  # OTHER: some user who is neither root nor the one that runs sluice
WHY_NOT = "becoming another user needs root"


def plain_binary():
    """The program as it is shipped: a sanitizer's build leaves core files and debuggers alone. None when it is not built."""
    path = pathlib.Path(os.environ.get("SLUICE_PLAIN") or ROOT / "build" / "sluice")
    return path if path.is_file() else None


class AsUser:
    """with AsUser() as user: user.home / "x"; user("status", env=...)"""

    def __init__(self, program=None, uid=NOBODY):
        self.program, self.uid, self.gid = program or binary(), uid, pwd.getpwuid(uid).pw_gid

    def __enter__(self):
        self.top = pathlib.Path(tempfile.mkdtemp(prefix="sluice-user-", dir="/tmp"))
        self.top.chmod(0o755)
        self.copy = shutil.copy(self.program, self.top / "sluice")
        os.chmod(self.copy, 0o755)
        self.home = self.folder(self.top / "home")
        return self

    def __exit__(self, *exc):
        shutil.rmtree(self.top, ignore_errors=True)

    def give(self, path):
        os.chown(path, self.uid, self.gid, follow_symlinks=False)
        return path

    def folder(self, path, mode=0o700):
        path.mkdir()
        path.chmod(mode)
        return self.give(path)

    def file(self, path, content, mode=0o600):
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        path.chmod(mode)
        return self.give(path)

    def env(self, home=None, more=None):
        return {k: v for k, v in clean_env(home or self.home, more).items() if v is not None}

    def popen(self, *args, home=None, env=None, umask=-1, before=(), **more):
        return subprocess.Popen([*before, self.copy, *map(str, args)], env=self.env(home, env), cwd="/", user=self.uid, group=self.gid,
                                extra_groups=[], umask=umask, **more)

    def __call__(self, *args, home=None, env=None, timeout=30, **more):
        p = self.popen(*args, home=home, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **more)
        try:
            out, err = p.communicate(timeout=timeout * SLOWER)
        except subprocess.TimeoutExpired:
            p.kill()
            p.communicate()
            raise
        ran = Ran([str(a) for a in p.args], p.returncode, out.decode("utf-8", "surrogateescape"), err.decode("utf-8", "surrogateescape"))
        assert p.returncode != 99 and "Sanitizer" not in ran.err, str(ran)
        return ran
