"""EC2's metadata service and a container's credential endpoint, answering well until told otherwise, and counting what they are asked.

A step's fault gets (handler, how often this step was asked before) and answers in its own way; None means: answer well."""

import json
import os
import pathlib
import secrets
import shutil
import socket
import subprocess
import sys
import threading
import time

from fakeaws import FakeAws, _Handler, _Server
from program import SLOWER, clean_env

ROLE = "ops-role"
STEPS = {"/latest/api/token": "token", "/latest/meta-data/iam/security-credentials/": "roles",
         "/latest/meta-data/placement/region": "region"}


def instant(seconds):
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + seconds))


def document(access="ASIAFAKEMETA00000001", lives=3600, **more):
    """The keys as either service writes them; a value of None leaves a member out."""
    d = {"Code": "Success", "Type": "AWS-HMAC", "LastUpdated": instant(0), "AccessKeyId": access, "SecretAccessKey": "secret/of/" + access,
         "Token": "token+of+" + access, "Expiration": instant(lives), **more}
    return json.dumps({k: v for k, v in d.items() if v is not None})


class _MetaHandler(_Handler):
    def operation(self):
        path = self.path.split("?")[0]
        return STEPS.get(path, "keys" if path.startswith("/latest/meta-data/iam/security-credentials/") else "container")

    def well(self):
        """(status, body) of a healthy service."""
        owner = self.server.owner
        if self.op == "container":
            wanted = owner.authorization
            if wanted is not None and self.headers.get("Authorization") != wanted:
                return 401, json.dumps({"code": "InvalidAuthorization", "message": "the token is not the right one"})
            return 200, document(owner.next_key(), owner.lives, Code=None, Type=None, LastUpdated=None,
                                 RoleArn="arn:aws:iam::123456789012:role/task", AccountId="123456789012")
        if self.op == "token":
            if self.command != "PUT" or self.headers.get("x-aws-ec2-metadata-token-ttl-seconds") != "21600":
                return 400, "Bad Request"
            token = secrets.token_urlsafe(42)
            owner.tokens.add(token)
            return 200, token
        if self.headers.get("x-aws-ec2-metadata-token") not in owner.tokens:
            return 401, "Unauthorized"
        if self.op == "keys":
            return (200, document(owner.next_key(), owner.lives)) if self.path.endswith("/" + ROLE) else (404, "Not Found")
        return 200, {"roles": ROLE, "region": "eu-north-1"}[self.op]

    def plain(self, status, body="", kind="text/plain", **headers):
        self.reply(status, body, kind, headers)

    def serve(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.op = self.operation()
        owner = self.server.owner
        with owner.lock:
            before = owner.calls.get(self.op, 0)
            owner.calls[self.op] = before + 1
            owner.seen.append((self.command, self.path, dict(self.headers)))
            owner.untokened += self.op not in ("token", "container") and not self.headers.get("x-aws-ec2-metadata-token")
        fault = owner.faults.get(self.op)
        answered = fault and fault(self, before)
        if answered is None or not fault:
            self.plain(*self.well())
        else:
            with owner.lock:
                owner.reached += 1

    do_GET = do_PUT = serve


class _Server6(_Server):
    address_family = socket.AF_INET6


class FakeMeta(FakeAws):
    """with FakeMeta({"roles": fault}) as meta: ... A fault that answered returns True; None asks for the good answer."""

    handler = _MetaHandler

    def __init__(self, faults=None, lives=3600, authorization=None):
        super().__init__(faults)
        self.lives, self.authorization = lives, authorization
        self.tokens, self.seen, self.untokened, self.reached, self.given = set(), [], 0, 0, 0

    def __enter__(self):
        if ":" not in self.address[0]:
            return super().__enter__()
        self.server = _Server6(self.address, self.handler)
        self.server.owner = self
        self.url = f"http://[{self.address[0]}]:{self.address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        return self

    def next_key(self):
        with self.lock:
            self.given += 1
            return f"ASIAFAKEMETA{self.given:08d}"

    def env(self, **more):
        return {"AWS_EC2_METADATA_SERVICE_ENDPOINT": self.url, "AWS_EC2_METADATA_DISABLED": "false", "AWS_REGION": "eu-west-1", **more}


def tool(name):
    """The path of a program of tests/tools/."""
    return str(pathlib.Path(os.environ["SLUICE_BUILD"]) / "tools" / name)


def alone(script, *command):
    """The command line of a command in a network of its own, which the script has set up: nothing that it asks can reach this machine's
    metadata service. Where nobody may make such a network it ends without a word."""
    if not shutil.which("unshare"):
        return ["false"]
    return ["unshare", "-Urn", "sh", "-c", f'set -e; {script}; exec "$@"', "sh", *map(str, command)]


def cred_cli(home, env, *args):
    """What the chain of credentials comes to in that environment; see tests/tools/cred_cli.c."""
    p = subprocess.run([tool("cred_cli"), *args], env=clean_env(home, env), capture_output=True, timeout=30 * SLOWER)
    assert p.returncode == 0 and b"Sanitizer" not in p.stderr, p.stderr.decode()
    return json.loads(p.stdout)


def main():
    """fakemeta.py ADDRESS COMMAND...: serves port 80 of the address, runs the command, ends as it ended."""
    with FakeMeta() as meta:
        status = subprocess.call(sys.argv[2:])
    print(json.dumps({"seen": [f"{method} {path}" for method, path, _ in meta.seen], "untokened": meta.untokened,
                      "hosts": [headers.get("Host") for _, _, headers in meta.seen]}))
    return status


if __name__ == "__main__":
    FakeMeta.address = (sys.argv[1], 80)
    sys.exit(main())
