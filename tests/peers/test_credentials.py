"""Where keys come from, end to end: botocore with the same files and environment must end with the same keys, and what goes wrong
is said in one plain line that holds no secret."""

import concurrent.futures
import contextlib
import hashlib
import json
import os
import pathlib
import shlex
import stat
import subprocess
import sys

import fakeaws
import pytest
from console import Console
from fakelogin import FakeLogin, sha1, sso_token
from program import SLOWER, Sluice, clean_env, plain

STATIC = "aws_access_key_id = AKIASTATIC0000000001\naws_secret_access_key = static/secret+1\n"
STATIC2 = "aws_access_key_id = AKIASTATIC0000000002\naws_secret_access_key = static/secret+2\n"
FIXED = {"static/secret+1", "static/secret+2", "ext-SECRET-id", "env/secret", "web.identity.TOKEN", "printed/secret", "client-secret-1"}
ROLE = "arn:aws:iam::123456789012:role/ops"
SESSION = "[sso-session my-sso]\nsso_region = eu-central-1\nsso_start_url = https://example.awsapps.com/start\n"
SSO = "sso_session = my-sso\nsso_account_id = 111122223333\nsso_role_name = ReadOnly\n"
CACHE = f".aws/sso/cache/{sha1('my-sso')}.json"
LEGACY = "sso_start_url = https://example.awsapps.com/start\nsso_region = eu-central-1\nsso_account_id = 111122223333\nsso_role_name = Legacy\n"
LEGACY_CACHE = f".aws/sso/cache/{sha1('https://example.awsapps.com/start')}.json"
KEYS = {"AWS_ACCESS_KEY_ID": "AKIAENV0000000000001", "AWS_SECRET_ACCESS_KEY": "env/secret"}


def printed(key="ASIAPRINTED000000001", **more):
    return json.dumps({"Version": 1, "AccessKeyId": key, "SecretAccessKey": "printed/secret", "SessionToken": "printed+token", **more})


def lay(home, files):
    """Writes files below a home folder; @HOME@ stands for it, a leading #! makes a program."""
    for name, text in files.items():
        path = pathlib.Path(home, name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("@HOME@", str(home)))
        path.chmod(0o700 if text.startswith("#!") else 0o600)


def run(home, aws, *args, env=None, files=None, **kw):
    """sluice doctor (or what is said), and nothing secret in what it shows."""
    ran_sluice = Sluice(home)
    lay(home, files or {})
    more = {k: v.replace("@HOME@", str(home)) for k, v in (env or {}).items()}
    ran = ran_sluice(*(args or ("doctor",)), env=aws.env(**more), **kw)
    for secret in FIXED | aws.secrets:
        assert secret not in ran.out + ran.err, f"{secret} is shown\n{ran}"
    assert plain(ran.err), str(ran)
    return ran


# ---- the winner is botocore's

BOTOCORE = """
import json, os, sys, traceback
import botocore.credentials, botocore.session, botocore.tokens
for case in json.load(sys.stdin):
    if os.fork() == 0:  # each with an environment of its own, none with an import of its own
        try:
            os.environ.clear()
            os.environ.update(case["env"])
            for c in (botocore.tokens.SSOTokenProvider, botocore.credentials.SSOProvider):
                c._SSO_TOKEN_CACHE_DIR = os.path.expanduser("~/.aws/sso/cache")
            botocore.session.Session(profile=case["profile"]).create_client("sts").get_caller_identity()
        except Exception:
            print(case["name"], traceback.format_exc(), file=sys.stderr)
        os._exit(0)
    os.wait()
"""


def botocore(*cases):
    """Each case: name, home, its FakeLogin, environment, profile. Asks who it is, as sluice does."""
    asked = [{"name": name, "profile": profile, "env": clean_env(home, {**aws.env(), **{k: v.replace("@HOME@", str(home)) for k, v in env.items()}})}
             for name, home, aws, env, profile in cases]
    p = subprocess.run([sys.executable, "-c", BOTOCORE], input=json.dumps(asked), capture_output=True, text=True, timeout=120 * SLOWER)
    assert p.returncode == 0 and not p.stderr, p.stderr[-3000:]


# name: (files, environment, explicit profile or None, what sluice is expected to name as the source)
ORACLE = {
    "static": ({".aws/credentials": f"[default]\n{STATIC}"}, {}, None, "static keys"),
    "environment": ({".aws/credentials": f"[default]\n{STATIC}"}, KEYS, None, "static keys"),
    "environment and AWS_PROFILE": ({".aws/credentials": f"[p]\n{STATIC}"}, {**KEYS, "AWS_PROFILE": "p"}, None, "static keys"),
    "environment and --profile": ({".aws/credentials": f"[p]\n{STATIC}"}, KEYS, "p", "static keys"),
    "role": ({".aws/config": f"[profile r]\nrole_arn = {ROLE}\nsource_profile = base\n", ".aws/credentials": f"[base]\n{STATIC}"},
             {"AWS_PROFILE": "r"}, None, "assumed role"),
    "role with all settings": ({".aws/config": f"[default]\nrole_arn = {ROLE}\nsource_profile = base\nexternal_id = ext-SECRET-id\n"
                                               "role_session_name = me@here\nduration_seconds = 1200\n",
                                ".aws/credentials": f"[base]\n{STATIC}"}, {}, None, "assumed role"),
    "role of its own keys": ({".aws/config": f"[profile r]\nrole_arn = {ROLE}\nsource_profile = r\n", ".aws/credentials": f"[r]\n{STATIC}"},
                             {}, "r", "assumed role"),
    "role of a role": ({".aws/config": f"[default]\nrole_arn = {ROLE}\nsource_profile = b\n[profile b]\nrole_arn = {ROLE}-b\nsource_profile = c\n"
                                       f"[profile c]\n{STATIC2}"}, {}, None, "assumed role"),
    "role of the environment": ({".aws/config": f"[profile r]\nrole_arn = {ROLE}\ncredential_source = Environment\n"}, KEYS, "r", "assumed role"),
    "web identity": ({"token": "web.identity.TOKEN"}, {"AWS_WEB_IDENTITY_TOKEN_FILE": "@HOME@/token", "AWS_ROLE_ARN": ROLE}, None, "web identity"),
    "web identity of a profile": ({"token": "web.identity.TOKEN", ".aws/config": f"[default]\nrole_arn = {ROLE}\nrole_session_name = pod\n"
                                   "web_identity_token_file = @HOME@/token\n"}, {}, None, "web identity"),
    "role of a web identity": ({"token": "web.identity.TOKEN", ".aws/config": f"[default]\nrole_arn = {ROLE}\nsource_profile = w\n[profile w]\n"
                                f"role_arn = {ROLE}-w\nweb_identity_token_file = @HOME@/token\n"}, {}, None, "assumed role"),
    "SSO": ({".aws/config": f"[default]\n{SSO}{SESSION}", CACHE: sso_token()}, {}, None, "IAM Identity Center"),
    "SSO with an old CLI's times": ({".aws/config": f"[default]\n{SSO}{SESSION}", CACHE: sso_token(utc="UTC")}, {}, None, "IAM Identity Center"),
    "SSO, legacy": ({".aws/config": f"[profile l]\n{LEGACY}", LEGACY_CACHE: sso_token()}, {"AWS_PROFILE": "l"}, None, "IAM Identity Center"),
    "SSO before static keys": ({".aws/config": f"[default]\n{SSO}{SESSION}", CACHE: sso_token(), ".aws/credentials": f"[default]\n{STATIC}"}, {}, None,
                               "IAM Identity Center"),
    "role of SSO": ({".aws/config": f"[default]\nrole_arn = {ROLE}\nsource_profile = s\n[profile s]\n{SSO}{SESSION}", CACHE: sso_token()}, {}, None,
                    "assumed role"),
    "process": ({".aws/config": "[default]\ncredential_process = @HOME@/keys\n", "keys": f"#!/bin/sh\necho '{printed()}'\n"}, {}, None,
                "credential_process"),
    "process, long-lived": ({".aws/config": "[default]\ncredential_process = @HOME@/keys\n",
                             "keys": '#!/bin/sh\necho \'{"Version":1,"AccessKeyId":"AKIAPRINTED","SecretAccessKey":"printed/secret"}\'\n'},
                            {}, None, "credential_process"),
    "process with words": ({".aws/config": "[default]\ncredential_process = \"@HOME@/my keys\" 'a  b' c\\ d\n",
                            "my keys": '#!/bin/sh\ntest "$1" = "a  b" && test "$2" = "c d" && test $# = 2 && echo \'' + printed() + "'\n"},
                           {}, None, "credential_process"),
    "process by PATH": ({".aws/config": f"[default]\ncredential_process = sh -c 'echo {shlex.quote(printed())[1:-1]}'\n".replace('"', '\\"')}, {}, None,
                        "credential_process"),
    "process before keys of the config file": ({".aws/config": f"[default]\n{STATIC}credential_process = @HOME@/keys\n",
                                                "keys": f"#!/bin/sh\necho '{printed()}'\n"}, {}, None, "credential_process"),
    "process after the credentials file": ({".aws/config": "[default]\ncredential_process = @HOME@/keys\n", ".aws/credentials": f"[default]\n{STATIC}",
                                            "keys": f"#!/bin/sh\necho '{printed()}'\n"}, {}, None, "static keys"),
    "role of a process": ({".aws/config": f"[default]\nrole_arn = {ROLE}\nsource_profile = p\n[profile p]\ncredential_process = @HOME@/keys\n",
                           "keys": f"#!/bin/sh\necho '{printed()}'\n"}, {}, None, "assumed role"),
}


def buying(aws):
    """What was asked until the keys were there; of the sessions' names those that were set."""
    def essence(s):
        return {**s, "form": {k: v for k, v in s["form"].items() if k != "RoleSessionName" or v in ("pod", "me@here")}}
    return [essence(s) for s in aws.seen if s["op"].startswith(("sts:Assume", "sso"))]


def test_winners_are_botocores(tmp_path):
    wrong, cases, ours = [], [], {}
    with contextlib.ExitStack() as stack:
        for i, (name, (files, env, profile, source)) in enumerate(ORACLE.items()):
            home, aws = tmp_path / f"{i}", stack.enter_context(FakeLogin())
            ran = run(home, aws, "doctor", *(["--profile", profile] if profile else []), env=env, files=files)
            ours[name] = (aws.winner(), buying(aws), ran)
            if source not in ran.out:
                wrong.append(f"{name}: doctor does not say \"{source}\"\n{ran}")
            aws.seen.clear()
            cases.append((name, home, aws, env, profile))
        botocore(*cases)
        for name, _, aws, _, _ in cases:
            winner, asked, ran = ours[name]
            if not winner or winner != aws.winner():
                wrong.append(f"{name}: sluice ended with {winner}, botocore with {aws.winner()}\n{ran}")
            if asked != buying(aws):
                wrong.append(f"{name}: sluice asked {asked}, botocore {buying(aws)}\n{ran}")
    assert not wrong, "\n".join(wrong)


def test_words_are_shlexs(tmp_path, rng):
    """credential_process is split as Python's shlex splits it, which is what AWS's tools do."""
    show = "#!" + sys.executable + f"\nimport json, sys\njson.dump(sys.argv[1:], open(sys.argv[0] + '.got', 'w'))\nprint('''{printed()}''')\n"
    lines = []
    while len(lines) < 60:
        line = "".join(rng.choice(["a", "b", " ", " ", "'", '"', "\\", "$x", "*", "~", "#", "\t", "\u00e4", ";", "''"]) for _ in range(rng.randrange(1, 14)))
        lines.append("x" + line + "x" if rng.randrange(3) else "y " + line.strip() + " y")  # the file's own trimming is not the question
    def one(i):
        home, line = tmp_path / f"{i}", lines[i]
        try:
            wanted = shlex.split(line)
        except ValueError:
            wanted = None
        with FakeLogin() as aws:
            ran = run(home, aws, files={".aws/config": f"[default]\ncredential_process = @HOME@/show {line}\n", "show": show})
        got = home / "show.got"
        if (json.loads(got.read_text()) if got.exists() else None) != wanted:
            return f"{line!r}: {got.read_text() if got.exists() else None}, shlex {wanted}\n{ran.err}"
    # ' #' and ' ;' begin a comment in the file
    order = [i for i, line in enumerate(lines) if not any(f"{b}{c}" in line for b in " \t" for c in "#;")]
    assert len(order) > 20
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        wrong = list(filter(None, pool.map(one, order)))
    assert not wrong, "\n".join(wrong)


# ---- roles

def role_files(more=""):
    return {".aws/config": f"[default]\nrole_arn = {ROLE}\nsource_profile = base\n{more}[profile base]\n{STATIC}"}


def error_line(ran, *wanted):
    lines = ran.err.splitlines()
    assert len(lines) == 1, str(ran)
    for w in wanted:
        assert w in lines[0], f"{w!r} is not in the error\n{ran}"


def test_role_denied(tmp_path):
    message = f"User: arn:aws:iam::123456789012:user/me is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
    for n, (text, wanted) in enumerate([(message, ROLE), ("Access denied", ROLE), ("x" * 900, ROLE)]):
        with FakeLogin({"sts:AssumeRole": fakeaws.error(403, "AccessDenied", text)}) as aws:
            ran = run(tmp_path / f"{n}", aws, "status", files=role_files())
            assert aws.calls == {"sts:AssumeRole": 1}
        assert ran.status == 1
        error_line(ran, "AccessDenied", "sts:AssumeRole", wanted)


def test_what_sts_repeats_is_hidden(tmp_path):
    """Its validation errors quote the value that they refuse."""
    for n, text in enumerate(["1 validation error detected: Value 'ext-SECRET-id' at 'externalId' failed to satisfy constraint",
                              "y" * 225 + "ext-SECRET-id", "x" * 215 + "ext-SECRET-id"]):
        with FakeLogin({"sts:AssumeRole": fakeaws.error(400, "ValidationError", text)}) as aws:
            ran = run(tmp_path / f"{n}", aws, "status", files=role_files("external_id = ext-SECRET-id\n"))
            assert aws.calls["sts:AssumeRole"] == 1
        error_line(ran, "ValidationError")
        assert "ext-SEC" not in ran.err
    with FakeLogin({"sts:AssumeRoleWithWebIdentity": fakeaws.error(400, "InvalidIdentityToken", "no: web.identity.TOKEN")}) as aws:
        ran = run(tmp_path / "w", aws, "status", files=ORACLE["web identity of a profile"][0])
    error_line(ran, "InvalidIdentityToken: no: ***")


def test_role_needs_a_code(tmp_path):
    with FakeLogin() as aws:
        ran = run(tmp_path, aws, "status", files=role_files("mfa_serial = arn:aws:iam::123456789012:mfa/me\n"))
        assert not aws.seen
    error_line(ran, "MFA", "arn:aws:iam::123456789012:mfa/me")
    assert ran.status == 2


def test_role_with_a_code(tmp_path):
    """Asked for on the terminal, not shown there, sent once with the device's name."""
    files = role_files("mfa_serial = arn:aws:iam::123456789012:mfa/me\n")
    lay(tmp_path / "a", files)
    with FakeLogin() as aws, Console(tmp_path / "a", "status", env=aws.env()) as c:
        c.wait("MFA code of arn:aws:iam::123456789012:mfa/me").type("470816\r").wait("orders")
        assert c.end() == 0 and b"470816" not in c.raw
        forms = [s["form"] for s in aws.asked("sts:AssumeRole")]
        assert [(f["SerialNumber"], f["TokenCode"]) for f in forms] == [("arn:aws:iam::123456789012:mfa/me", "470816")]
    lay(tmp_path / "b", files)
    wrong = fakeaws.error(403, "AccessDenied", "MultiFactorAuthentication failed with invalid MFA one time pass code 654321.")
    with FakeLogin({"sts:AssumeRole": wrong}) as aws, Console(tmp_path / "b", "status", env=aws.env()) as c:
        c.wait("MFA code of").type("654321\r").wait("invalid MFA one time pass code ***")
        assert c.end() == 1 and b"654321" not in c.raw and aws.calls["sts:AssumeRole"] == 1


def test_base_keys_refused(tmp_path):
    refused = fakeaws.error(403, "InvalidClientTokenId", "The security token included in the request is invalid.")
    with FakeLogin({"sts:AssumeRole": refused}) as aws:
        ran = run(tmp_path, aws, "status", files=role_files())
        assert aws.calls == {"sts:AssumeRole": 1}
    error_line(ran, "InvalidClientTokenId")


def test_bad_session_name(tmp_path):
    with FakeLogin() as aws:
        ran = run(tmp_path, aws, "status", files=role_files("role_session_name = me and you\n"))
        assert not aws.seen
    error_line(ran, "me and you", "~/.aws/config")


def test_web_identity(tmp_path):
    files = ORACLE["web identity of a profile"][0]
    busy = fakeaws.error(400, "IDPCommunicationError", "could not reach the provider")
    with FakeLogin({"sts:AssumeRoleWithWebIdentity": [busy, busy]}) as aws:  # tried again
        ran = run(tmp_path / "a", aws, "doctor", files={**files, "token": "  \n web.identity.TOKEN\r\n\n"})
        asked = aws.asked("sts:AssumeRoleWithWebIdentity")
        assert len(asked) == 3 and ran.status == 0, str(ran)
        assert {s["key"] for s in asked} == {None}  # not signed
        assert {s["form"]["WebIdentityToken"] for s in asked} == {"web.identity.TOKEN"}
    with FakeLogin({"sts:AssumeRoleWithWebIdentity": fakeaws.error(400, "ExpiredTokenException", "Token expired")}) as aws:
        error_line(run(tmp_path / "b", aws, "status", files=files), "ExpiredTokenException", "Token expired")
        assert aws.calls == {"sts:AssumeRoleWithWebIdentity": 1}
    for n, token in enumerate(["", "abc", "   \n", "x" * 20001]):
        with FakeLogin() as aws:
            error_line(run(tmp_path / f"c{n}", aws, "status", files={**files, "token": token}), "/token holds no token")
            assert not aws.seen
    with FakeLogin() as aws:
        ran = run(tmp_path / "d", aws, "status", files={k: v for k, v in files.items() if k != "token"})
        error_line(ran, "/token", "No such file")
    with FakeLogin() as aws:
        (tmp_path / "e").mkdir()
        os.mkfifo(tmp_path / "e" / "token")
        error_line(run(tmp_path / "e", aws, "status", files={k: v for k, v in files.items() if k != "token"}, timeout=10), "not a regular file")


# ---- SSO

SSO_FILES = {".aws/config": f"[default]\n{SSO}{SESSION}"}


def test_sso_token_is_renewed_in_place(tmp_path):
    old = sso_token(600, region="eu-central-1", more={"nested": [1, {"a": None}]}, big=12345678901234567890)
    with FakeLogin() as aws:
        ran = run(tmp_path, aws, files={**SSO_FILES, CACHE: old})
        asked = aws.asked("sso-oauth:CreateToken")
        assert len(asked) == 1 and asked[0]["key"] is None, str(ran)
        assert asked[0]["form"] == {"clientId": "client-1", "clientSecret": "client-secret-1", "grantType": "refresh_token", "refreshToken": "refresh-1"}
        assert {s["bearer"] for s in aws.asked("sso:GetRoleCredentials")} == {"renewed-access-1"}
        path = tmp_path / CACHE
        new = json.loads(path.read_text())
        before = json.loads(old)
        assert new["accessToken"] == "renewed-access-1" and new["refreshToken"].startswith("renewed-refresh") and new["expiresAt"] > before["expiresAt"]
        assert {k: v for k, v in new.items() if k not in ("accessToken", "refreshToken", "expiresAt")} == \
            {k: v for k, v in before.items() if k not in ("accessToken", "refreshToken", "expiresAt")}
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert os.listdir(path.parent) == [path.name]
        # botocore goes on with what was written
        aws.seen.clear()
        botocore(("renewed", tmp_path, aws, {}, None))
        assert not aws.asked("sso-oauth:CreateToken") and aws.asked("sso:GetRoleCredentials")[0]["bearer"] == "renewed-access-1"


def test_sso_without_a_new_refresh_token(tmp_path):
    with FakeLogin(rotates=False) as aws:
        run(tmp_path, aws, files={**SSO_FILES, CACHE: sso_token(-60)})  # its end is no obstacle
        assert json.loads((tmp_path / CACHE).read_text())["refreshToken"] == "refresh-1"
        assert aws.winner()


def test_sso_that_cannot_be_renewed(tmp_path):
    """It serves until its end."""
    with FakeLogin(refreshes=()) as aws:
        ran = run(tmp_path / "a", aws, files={**SSO_FILES, CACHE: sso_token(600)})
        assert aws.calls["sso-oauth:CreateToken"] == 1 and aws.winner(), str(ran)
    with FakeLogin(refreshes=()) as aws:
        ran = run(tmp_path / "b", aws, "status", files={**SSO_FILES, CACHE: sso_token(-1)})
        error_line(ran, "expired", "run: aws sso login --sso-session my-sso")
        assert ran.status == 1
    with FakeLogin({"sso-oauth:CreateToken": fakeaws.error(500, "InternalServerException", "oops")}) as aws:  # nobody has to log in for that
        ran = run(tmp_path / "c", aws, "status", files={**SSO_FILES, CACHE: sso_token(-1)})
        assert aws.calls["sso-oauth:CreateToken"] == 3 and "aws sso login" not in ran.err, str(ran)
    for n, broken in enumerate([{"registrationExpiresAt": "2020-01-01T00:00:00Z"}, {"refreshToken": None}, {"clientSecret": None}]):
        with FakeLogin() as aws:
            ran = run(tmp_path / f"d{n}", aws, "status", files={**SSO_FILES, CACHE: sso_token(-1, **broken)})
            error_line(ran, "run: aws sso login --sso-session my-sso")
            assert not aws.seen
    with FakeLogin() as aws:  # the legacy form never is
        ran = run(tmp_path / "e", aws, "status", files={".aws/config": f"[profile l]\n{LEGACY}", LEGACY_CACHE: sso_token(-1)}, env={"AWS_PROFILE": "l"})
        error_line(ran, "run: aws sso login --profile l")
        assert not aws.seen


def test_sso_needs_a_login(tmp_path):
    with FakeLogin() as aws:
        error_line(run(tmp_path / "none", aws, "status", files=SSO_FILES), "run: aws sso login --sso-session my-sso")
        for n, text in enumerate(["", "{", "[]", '{"accessToken": "access-1"}', '{"accessToken":"access-1","expiresAt":"soon"}', "\0", '{"accessToken":"a\\nb",'
                                  '"expiresAt":"2030-01-01T00:00:00Z"}']):
            error_line(run(tmp_path / f"{n}", aws, "status", files={**SSO_FILES, CACHE: text}), "run: aws sso login --sso-session my-sso")
        assert not aws.seen
    with FakeLogin(bearers=()) as aws:
        ran = run(tmp_path / "dead", aws, "status", files={**SSO_FILES, CACHE: sso_token()})
        error_line(ran, "not valid any more", "run: aws sso login --sso-session my-sso")
        assert aws.calls == {"sso:GetRoleCredentials": 1}
    with FakeLogin({"sso:GetRoleCredentials": fakeaws.error(403, "ForbiddenException", "No access")}) as aws:
        error_line(run(tmp_path / "role", aws, "status", files={**SSO_FILES, CACHE: sso_token()}), "ReadOnly", "111122223333", "No access")
    with FakeLogin() as aws:
        files = {".aws/config": f"[default]\nsso_session = my-sso\n{SESSION}", CACHE: sso_token()}
        error_line(run(tmp_path / "half", aws, "status", files=files), "sso_account_id and sso_role_name")
    with FakeLogin() as aws:
        files = {".aws/config": f"[default]\n{SSO}{SESSION}".replace("eu-central-1", "evil.example/"), CACHE: sso_token()}
        error_line(run(tmp_path / "host", aws, "status", files=files), "evil.example/")
        assert not aws.seen


def test_each_service_has_its_endpoint(tmp_path):
    """AWS_ENDPOINT_URL_SSO, _SSO_OIDC and _STS beat the one for all."""
    with FakeLogin() as all_of_it, FakeLogin() as sso, FakeLogin() as oidc, FakeLogin() as sts:
        oidc.bearers = sso.bearers  # one bank, two doors
        env = {"AWS_ENDPOINT_URL_SSO": sso.url, "AWS_ENDPOINT_URL_SSO_OIDC": oidc.url, "AWS_ENDPOINT_URL_STS": sts.url}
        files = {**ORACLE["role of SSO"][0], CACHE: sso_token(60)}
        run(tmp_path, all_of_it, files=files, env=env)
        assert {s["op"] for s in oidc.seen} == {"sso-oauth:CreateToken"}
        assert {s["op"] for s in sso.seen} == {"sso:GetRoleCredentials"}
        assert {s["op"] for s in sts.seen} == {"sts:AssumeRole", "sts:GetCallerIdentity"}
        assert not {s["op"] for s in all_of_it.seen} & {"sso-oauth:CreateToken", "sso:GetRoleCredentials", "sts:AssumeRole", "sts:GetCallerIdentity"}


def test_console_goes_on_after_a_login(tmp_path):
    """Nobody logged in: the command to run stands there; when it was run, all else follows by itself."""
    home = tmp_path / "home"
    lay(home, SSO_FILES)
    with FakeLogin() as aws, Console(home, env=aws.env()) as c:
        c.wait("aws sso login --sso-session my-sso", seconds=20)
        assert not aws.seen
        lay(home, {CACHE: sso_token()})
        c.wait("orders", seconds=25)
        assert "aws sso login" not in c.text
        c.type("q")
        assert c.end() == 0


# ---- aws login

def test_aws_login(tmp_path):
    session = "arn:aws:iam::123456789012:user/me"
    sha256 = hashlib.sha256(session.encode()).hexdigest()
    keys = {"accessKeyId": "ASIALOGIN00000000001", "secretAccessKey": "printed/secret", "sessionToken": "login+token", "accountId": "123456789012",
            "expiresAt": "2030-01-01T00:00:00Z"}
    files = {".aws/config": f"[profile dev]\nlogin_session = {session}\n"}
    cache = f".aws/login/cache/{sha256}.json"
    env = {"AWS_PROFILE": "dev"}
    with FakeLogin() as aws:
        ran = run(tmp_path / "a", aws, files={**files, cache: json.dumps({"accessToken": keys, "tokenType": "urn:aws:params:oauth:token-type:access_token_sigv4"})},
                  env=env)
        assert aws.winner() == ["ASIALOGIN00000000001"] and "aws login" in ran.out
    with FakeLogin() as aws:
        run(tmp_path / "b", aws, files={**files, f"elsewhere/{sha256}.json": json.dumps({"accessToken": keys})},
            env={**env, "AWS_LOGIN_CACHE_DIRECTORY": "@HOME@/elsewhere"})
        assert aws.winner() == ["ASIALOGIN00000000001"]
    bad = [None, "", "{}", json.dumps({"accessToken": {**keys, "expiresAt": "2020-01-01T00:00:00Z"}}),
           json.dumps({"accessToken": {k: v for k, v in keys.items() if k != "secretAccessKey"}})]
    for n, text in enumerate(bad):
        with FakeLogin() as aws:
            ran = run(tmp_path / f"c{n}", aws, "status", files={**files, **({cache: text} if text is not None else {})}, env=env)
            error_line(ran, "run: aws login --profile dev")
            assert not aws.seen


# ---- emulators that others wrote

def test_moto_takes_the_keys_of_a_role(moto_auth, tmp_path):
    """It verifies the signature of each request, those with a role's keys too."""
    iam = moto_auth.client("iam")
    trust = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"AWS":"*"}}]}'
    iam.create_role(RoleName="ops-test", AssumeRolePolicyDocument=trust)
    try:
        iam.put_role_policy(RoleName="ops-test", PolicyName="all",
                            PolicyDocument='{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}')
        lay(tmp_path, {".aws/config": f"[default]\nregion = eu-west-1\nrole_arn = arn:aws:iam::123456789012:role/ops-test\nsource_profile = base\n"
                                      f"[profile base]\naws_access_key_id = {moto_auth.access_key}\naws_secret_access_key = {moto_auth.secret_key}\n"})
        good = Sluice(tmp_path)("doctor", env={"AWS_ENDPOINT_URL": moto_auth.url})
        refused = [line for line in good.out.splitlines() if line.startswith("!!") and "lambda:" not in line]  # it refuses boto3's GETs as well
        assert "assumed-role/ops-test/sluice-" in good.out and not refused, str(good)
        assert "kinesis:ListStreams\tallowed" in good.out
        config = tmp_path / ".aws/config"
        config.write_text(config.read_text().replace(moto_auth.secret_key, moto_auth.secret_key[:-1] + "x"))
        bad = Sluice(tmp_path)("status", env={"AWS_ENDPOINT_URL": moto_auth.url})
        assert bad.status == 1 and "SignatureDoesNotMatch" in bad.err and "sts:AssumeRole" in bad.err, str(bad)
    finally:
        iam.delete_role_policy(RoleName="ops-test", PolicyName="all")
        iam.delete_role(RoleName="ops-test")


@pytest.mark.parametrize("kind", ["role", "web"])
def test_emulators_give_keys(kind, moto, ministack, tmp_path):
    for n, peer in enumerate((moto, ministack)):
        home = tmp_path / f"{n}"
        more = "source_profile = base\n" if kind == "role" else "web_identity_token_file = @HOME@/token\n"
        lay(home, {".aws/config": f"[default]\nregion = eu-west-1\nrole_arn = {ROLE}\nrole_session_name = me@home\n{more}"
                                  f"[profile base]\naws_access_key_id = {peer.access_key}\naws_secret_access_key = {peer.secret_key}\n",
                   "token": "eyJhbGciOiJSUzI1NiJ9.e30.c2ln"})
        ran = Sluice(home)("doctor", env={"AWS_ENDPOINT_URL": peer.url})
        assert "assumed-role/ops/me@home" in ran.out, f"{peer.name}\n{ran}"
