"""The services that give keys away: STS, IAM Identity Center's portal and its OIDC, beside the small AWS of fakeaws.py. The same
question always gets the same keys, so whoever asks like botocore ends with botocore's keys; every question is written down."""

import hashlib
import json
import re
import time
import urllib.parse

import fakeaws
from fakeaws import ACCOUNT, FakeAws

ROLE_KEYS = "2030-01-02T03:04:05Z"


def made(*parts):
    """Keys that stand for what they were asked with."""
    h = hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()
    return {"AccessKeyId": f"ASIA{h[:16].upper()}", "SecretAccessKey": f"made/{h[16:50]}", "SessionToken": f"session+{h[50:]}{h[:20]}==",
            "Expiration": ROLE_KEYS}


def xml_keys(op, form, keys):
    account = (form.get("RoleArn", "").split(":") + [""] * 5)[4] or ACCOUNT
    role = form.get("RoleArn", "").rsplit("/", 1)[-1]
    return (f'<{op}Response xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><{op}Result><AssumedRoleUser><AssumedRoleId>AROATEST:s'
            f"</AssumedRoleId><Arn>arn:aws:sts::{account}:assumed-role/{role}/{form.get('RoleSessionName')}</Arn></AssumedRoleUser><Credentials>"
            + "".join(f"<{k}>{v}</{k}>" for k, v in keys.items()) + f"</Credentials></{op}Result><ResponseMetadata><RequestId>r</RequestId>"
            f"</ResponseMetadata></{op}Response>")


class _Handler(fakeaws._Handler):
    def operation(self):
        path = self.path.split("?")[0]
        return {"/federation/credentials": "sso:GetRoleCredentials", "/token": "sso-oauth:CreateToken"}.get(path) or super().operation()

    def note(self):
        """What was asked, and with which keys."""
        credential = re.search(r"Credential=([^/]+)/\d+/([^/]+)/", self.headers.get("Authorization") or "")
        form = {}
        if self.op.startswith("sts:"):
            form = dict(urllib.parse.parse_qsl(self.body.decode(), keep_blank_values=True))
        elif self.op == "sso-oauth:CreateToken":
            form = json.loads(self.body)
        elif self.op == "sso:GetRoleCredentials":
            form = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        return {"op": self.op, "key": credential and credential[1], "region": credential and credential[2], "form": form,
                "session": self.headers.get("X-Amz-Security-Token"), "bearer": self.headers.get("x-amz-sso_bearer_token")}

    def serve(self):
        owner = self.server.owner
        self.body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.op = self.operation()
        asked = self.note()
        with owner.lock:
            owner.seen.append(asked)
            owner.calls[self.op] = owner.calls.get(self.op, 0) + 1
            fault = owner.faults.get(self.op)
            if isinstance(fault, list):  # one after the other, then all is well
                fault = fault.pop(0) if fault else None
        give = {"sts:AssumeRole": self.role, "sts:AssumeRoleWithWebIdentity": self.role, "sso:GetRoleCredentials": self.portal,
                "sso-oauth:CreateToken": self.token}.get(self.op)
        if fault:
            fault(self, self.op)
        elif give:
            give(owner, asked)
        else:
            self.reply(200, self.good(), "text/xml" if self.op.startswith("sts:") else "application/x-amz-json-1.0")

    def role(self, owner, asked):
        form = asked["form"]
        # the session's name is made up anew each time
        parts = [asked["op"], asked["key"], asked["session"]] + [form.get(k) for k in (
            "RoleArn", "ExternalId", "DurationSeconds", "SerialNumber", "TokenCode", "WebIdentityToken")]
        self.reply(200, xml_keys(self.op.split(":")[1], form, owner.gave(made(*parts))), "text/xml")

    def portal(self, owner, asked):
        if asked["bearer"] not in owner.bearers:
            return fakeaws.error(401, "UnauthorizedException", "Session token not found or invalid")(self, self.op)
        k = owner.gave(made("sso", asked["form"]["account_id"], asked["form"]["role_name"]))
        self.reply(200, json.dumps({"roleCredentials": {"accessKeyId": k["AccessKeyId"], "secretAccessKey": k["SecretAccessKey"],
                                                        "sessionToken": k["SessionToken"], "expiration": 1893553445123}}), "application/json")

    def token(self, owner, asked):
        if asked["form"].get("refreshToken") not in owner.refreshes:
            return fakeaws.error(400, "InvalidGrantException", "Invalid refresh token provided")(self, self.op)
        token = f"renewed-access-{len(owner.bearers)}"
        owner.bearers.add(token)
        answer = {"accessToken": token, "tokenType": "Bearer", "expiresIn": 3600}
        if owner.rotates:
            answer["refreshToken"] = f"renewed-refresh-{len(owner.bearers)}"
            owner.refreshes.add(answer["refreshToken"])
        owner.secrets |= {token, answer.get("refreshToken") or token}
        self.reply(200, json.dumps(answer), "application/json")

    do_GET = do_POST = serve


class FakeLogin(FakeAws):
    """bearers and refreshes: the tokens that are taken; secrets: all that must never be shown."""
    handler = _Handler

    def __init__(self, faults=None, bearers=("access-1",), refreshes=("refresh-1",), rotates=True):
        super().__init__(faults)
        self.seen, self.bearers, self.refreshes, self.rotates = [], set(bearers), set(refreshes), rotates
        self.secrets = set(bearers) | set(refreshes)

    def gave(self, keys):
        self.secrets |= {keys["SecretAccessKey"], keys["SessionToken"]}
        return keys

    def asked(self, op):
        return [s for s in self.seen if s["op"] == op]

    def winner(self):
        """The access key with which somebody asked who he is."""
        return [s["key"] for s in self.asked("sts:GetCallerIdentity")][-1:]

    def env(self, **more):
        """No keys among it."""
        return {"AWS_REGION": "eu-west-1", "AWS_DEFAULT_REGION": "eu-west-1", "AWS_ENDPOINT_URL": self.url, **more}


def sso_token(seconds=8 * 3600, utc="Z", **more):
    """What `aws sso login` leaves behind; seconds until its end."""
    def at(t):
        return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + t)) + utc
    return json.dumps({"startUrl": "https://example.awsapps.com/start", "region": "eu-central-1", "accessToken": "access-1", "expiresAt": at(seconds),
                       "clientId": "client-1", "clientSecret": "client-secret-1", "registrationExpiresAt": at(80 * 86400),
                       "refreshToken": "refresh-1", **more}, indent=1)


def sha1(text):
    return hashlib.sha1(text.encode()).hexdigest()
