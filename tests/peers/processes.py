"""Child processes that surely end: free ports, start, wait until ready, kill with their whole group."""

import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request

_LIBC = ctypes.CDLL(None)


def free_port():
    """A port that nobody used a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def _child():
    os.setsid()
    _LIBC.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG: a killed pytest takes its peers with it


def start(argv, env=None, cwd=None, log=None):
    out = open(log, "wb") if log else subprocess.DEVNULL
    try:
        return subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
                                preexec_fn=_child)
    finally:
        if log:
            out.close()


def stop(process):
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait(10)


def wait_ready(process, url, log, seconds=60):
    """Until url answers anything at all with less than 500."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if process.poll() is not None:
            break
        try:
            urllib.request.urlopen(url, timeout=2).close()
            return
        except urllib.error.HTTPError as e:
            if e.code < 500:
                return
        except OSError:
            pass
        time.sleep(0.1)
    with open(log, errors="replace") as f:
        tail = f.read()[-2000:]
    raise RuntimeError(f"{process.args[0]} did not start (exit {process.poll()}):\n{tail}")


def script(name):
    """A console script of the environment that runs us."""
    return os.path.join(os.path.dirname(sys.executable), name)


def base_env(home, **more):
    return {"PATH": "/usr/bin:/bin", "HOME": str(home), "LANG": "C.UTF-8", **more}


def moto_server(folder, name, **env):
    """(process, its URL), once it answers; its log is NAME.log in the folder."""
    port, log = free_port(), str(folder / f"{name}.log")
    p = start([script("moto_server"), "-H", "127.0.0.1", "-p", str(port)], base_env(folder, **env), str(folder), log)
    try:
        wait_ready(p, f"http://127.0.0.1:{port}/moto-api/", log)
    except Exception:
        stop(p)
        raise
    return p, f"http://127.0.0.1:{port}"
