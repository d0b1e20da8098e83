"""Keys of EC2 instances and containers: the whole way, against an emulator of EC2's metadata service that takes no questions without a
token, with boto3 beside it, and at the true addresses in a network of the test's own."""

import json
import os
import subprocess
import re
import sys
import time
from pathlib import Path

import boto3
import pytest

import fakeaws
from console import Console
from fakeaws import FakeAws
from fakemeta import FakeMeta, alone, cred_cli, tool
from program import LONG, SLOWER, clean_env

HERE = Path(__file__).parent


def boto3_keys(monkeypatch, env):
    """What boto3 gets in the same environment."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name, value in {"AWS_SHARED_CREDENTIALS_FILE": "/nowhere", "AWS_CONFIG_FILE": "/nowhere", **env}.items():
        monkeypatch.setenv(name, value)
    return boto3.Session(region_name="eu-west-1").get_credentials().get_frozen_credentials()


def signed_with(aws):
    """The access key ids of what a fake AWS was asked."""
    return {h["Authorization"].split("Credential=")[1].split("/")[0] for h in aws.heard if "Authorization" in h}


def test_instance_role_against_an_emulator(sluice, ministack):
    env = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": ministack.url, "AWS_EC2_METADATA_DISABLED": "false", "AWS_REGION": ministack.region}
    got = cred_cli(sluice.home, env)
    assert got["from"] == "EC2 instance role" and got["access_key"].startswith("ASIA") and got["session_token"] and 3500 < got["lives_s"] <= 3600
    ministack.client("sqs").create_queue(QueueName="orders")
    ran = sluice("status", "--format", "json", env={**env, "AWS_ENDPOINT_URL": ministack.url})
    assert ran.status == 0 and "orders" in ran.out, str(ran)
    assert cred_cli(sluice.home, env, "region")["region"] == "us-east-1"


def test_the_instance_says_the_region_too(sluice, ministack):
    env = {"AWS_EC2_METADATA_SERVICE_ENDPOINT": ministack.url, "AWS_EC2_METADATA_DISABLED": "false", "AWS_ENDPOINT_URL": ministack.url}
    ran = sluice("status", "--format", "json", env=env)
    assert ran.status == 0 and ran.json["targets"][0]["region"] == "us-east-1", str(ran)
    rows = {r[2]: r[3:] for r in (line.split("\t") for line in sluice("doctor", env=env).out.splitlines())}
    assert rows["region"][:2] == ["us-east-1", "EC2 metadata service"], rows
    gone = sluice("status", env={**env, "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:1"})
    assert gone.status == 2 and "no region is set" in gone.err, str(gone)


def test_container_role_against_an_emulator(sluice, ministack):
    env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": ministack.url + "/v2/credentials/0f5a", "AWS_REGION": ministack.region}
    got = cred_cli(sluice.home, env)
    assert got["from"] == "container" and got["access_key"].startswith("ASIA") and got["session_token"] and 3500 < got["lives_s"] <= 3600
    ministack.client("sqs").create_queue(QueueName="orders")
    ran = sluice("status", "--format", "json", env={**env, "AWS_ENDPOINT_URL": ministack.url})
    assert ran.status == 0 and "orders" in ran.out, str(ran)


@pytest.mark.parametrize("kind", ["instance", "container"])
def test_the_same_keys_as_boto3(sluice, monkeypatch, kind):
    with FakeMeta(authorization="the-token" if kind == "container" else None) as meta, FakeAws() as aws:
        meta.next_key = lambda: "ASIAFAKEMETA00000042"
        env = meta.env() if kind == "instance" else {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{meta.url}/creds?id=1",
                                                     "AWS_CONTAINER_AUTHORIZATION_TOKEN": "the-token"}
        want = boto3_keys(monkeypatch, env)
        asked_by_boto3 = [(m, p) for m, p, _ in meta.seen]
        meta.seen.clear()
        ran = sluice("status", "--format", "json", env={**env, "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": aws.url})
        assert ran.status == 0 and ran.json["pipelines"], str(ran)
        assert signed_with(aws) == {want.access_key}
        assert {h["X-Amz-Security-Token"] for h in aws.heard if "Authorization" in h} == {want.token}
        assert [(m, p) for m, p, _ in meta.seen] == asked_by_boto3
        assert meta.untokened == 0


def test_nothing_anywhere_says_what_to_set(sluice):
    """The end of the chain: EC2's service was asked in vain; the line says so and still names the variable."""
    ran = sluice("status", env={"AWS_EC2_METADATA_DISABLED": "false", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://127.0.0.1:9", "AWS_REGION": "eu-west-1"})
    assert ran.status == 2, str(ran)
    assert "AWS_ACCESS_KEY_ID is not set" in ran.err and "EC2's metadata service does not answer" in ran.err, str(ran)


def test_a_refused_container_address_names_the_setting(sluice):
    ran = sluice("status", env={"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://192.0.2.1/creds", "AWS_REGION": "eu-west-1"})
    assert ran.status == 2 and "AWS_CONTAINER_CREDENTIALS_FULL_URI" in ran.err and "192.0.2.1" in ran.err, str(ran)


ADDRESSES = {
    "169.254.169.254": ({}, ["PUT /latest/api/token", "GET /latest/meta-data/iam/security-credentials/", "GET /latest/meta-data/iam/security-credentials/ops-role"]),
    "fd00:ec2::254": ({"AWS_EC2_METADATA_SERVICE_ENDPOINT_MODE": "IPv6"}, ["PUT /latest/api/token", "GET /latest/meta-data/iam/security-credentials/",
                                                                          "GET /latest/meta-data/iam/security-credentials/ops-role"]),
    "169.254.170.2": ({"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI": "/v2/credentials/1"}, ["GET /v2/credentials/1"]),
    "169.254.170.23": ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://169.254.170.23/v1/credentials"}, ["GET /v1/credentials"]),
    "fd00:ec2::23": ({"AWS_CONTAINER_CREDENTIALS_FULL_URI": "http://[fd00:ec2::23]/v1/credentials"}, ["GET /v1/credentials"]),
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_true_addresses(sluice, address):
    env, asked = ADDRESSES[address]
    six = ":" in address
    script = f"ip link set lo up; ip addr add {address}/{128 if six else 32} dev lo{' nodad' if six else ''}"
    argv = alone(script, sys.executable, HERE / "fakemeta.py", address, tool("cred_cli"))
    p = subprocess.run(argv, env=clean_env(sluice.home, {"AWS_EC2_METADATA_DISABLED": "false", "AWS_REGION": "eu-west-1", **env}), capture_output=True,
                       timeout=30 * SLOWER)
    if p.returncode and not p.stdout:
        pytest.skip(f"no network of its own on this machine: {p.stderr.decode()[-200:]}")
    got, said = map(json.loads, p.stdout.decode().splitlines())
    assert got.get("access_key", "").startswith("ASIAFAKEMETA"), got
    assert said["seen"] == asked and said["untokened"] == 0
    assert set(said["hosts"]) == {f"[{address}]" if six else address}


class Bank:
    """A container's endpoint whose keys live for seconds, and an AWS that takes no others."""

    def __init__(self, lives):
        self.meta, self.ends, self.refused, self.out = FakeMeta({"container": self.fault}, lives=lives), {}, 0, False
        self.aws = FakeAws({"*": self.judge})
        plain = self.meta.next_key
        self.meta.next_key = lambda: self.issue(plain())

    def issue(self, key):
        self.ends[key] = time.time() + self.meta.lives
        return key

    def fault(self, h, n):
        if self.out:
            h.plain(503, json.dumps({"code": "Unavailable", "message": "not now"}))
        return self.out or None

    def judge(self, h, op):
        key = h.headers["Authorization"].split("Credential=")[1].split("/")[0]
        if time.time() < self.ends.get(key, 0) + 1:  # ends are told in whole seconds
            h.reply(200, h.good(), "text/xml" if op.startswith("sts:") else "application/x-amz-json-1.0")
        else:
            self.refused += 1
            fakeaws.expired(h, op)


def test_console_on_keys_that_live_for_seconds(tmp_path):
    """Renewed again and again beside a console that stays live; told when there are none, and live again by itself."""
    bank = Bank(lives=4 if LONG else 3)
    with bank.meta as meta, bank.aws as aws:
        env = {"AWS_CONTAINER_CREDENTIALS_FULL_URI": f"{meta.url}/creds", "AWS_REGION": "eu-west-1", "AWS_ENDPOINT_URL": aws.url}
        live = re.compile(r"\bok ?5\b")
        with Console(tmp_path, env=env) as c:
            def ask_until(holds, seconds):
                """AWS is asked again each second, until something holds; never holds when the time is up."""
                end = time.monotonic() + seconds
                while time.monotonic() < end and not holds():
                    c.type("r")
                    for _ in range(10):
                        assert c.pump(0.1)
                return holds()
            c.wait(lambda c: live.search(c.lines[0]))
            ask_until(lambda: not live.search(c.lines[0]) or meta.given >= (12 if LONG else 3), 60 * SLOWER)
            assert live.search(c.lines[0]) and meta.given >= 3 and bank.refused == 0, (meta.given, bank.refused, c.text)
            bank.out, calls = True, meta.calls["container"]
            assert ask_until(lambda: "Unavailable" in c.text, 30 * SLOWER), c.text
            assert meta.calls["container"] - calls <= 12  # and the endpoint is not stormed
            c.type("?").wait("HELP")
            c.type("q").wait("STAGES")
            bank.out, asked = False, sum(aws.calls.values())
            assert ask_until(lambda: live.search(c.lines[0]) and sum(aws.calls.values()) > asked, 60 * SLOWER), c.text
            assert bank.refused == 0
            c.type("q")
            assert c.end(seconds=5) == 0
