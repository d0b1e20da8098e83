"""Random requests signed by us and by botocore: every Authorization header must be the same.

What botocore does otherwise by construction is kept out of the sample, for each side is right in its own terms:
- a Date header, which botocore signs in place of X-Amz-Date;
- a raw '=' or '+' or any other byte of a query that should have been percent-encoded: botocore signs a URL's query as it
  stands, we encode it;
- blanks of Unicode (U+00A0, U+0085, U+001C ...) in header values, which str.split() takes for white space;
- an empty path for S3, which HTTP does not have;
- a security token among the headers that is not the credentials' own.
"""

import base64
import collections
import datetime
import hashlib
import json
import os
import subprocess
from urllib.parse import quote

from botocore.auth import S3SigV4Auth, SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

COUNT = 100_000 if os.environ.get("SLUICE_LONG") == "1" else 10_000
BIG = 12  # bodies of up to 1 MiB

KEYS = [("AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"), ("AKIAIOSFODNN7EXAMPLE", "a"), ("ASIAX", "sécret/+ key" * 20)]
REGIONS = ["us-east-1", "eu-west-1", "ap-southeast-2", "us-gov-west-1", "cn-north-1"]
SERVICES = ["monitoring", "sqs", "kinesis", "lambda", "sts", "sns", "execute-api", "s3"]
HOSTS = ["sqs.eu-west-1.amazonaws.com", "my-bucket.s3.amazonaws.com", "127.0.0.1", "localhost", "h.example.com"]
METHODS = ["GET", "POST", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"]
UNSIGNED = ["User-Agent", "Expect", "connection", "Keep-Alive", "Proxy-Authenticate", "Proxy-Authorization", "TE", "Trailer",
            "Transfer-Encoding", "Upgrade", "X-Amzn-Trace-Id", "Authorization", "X-Amz-Date"]
LETTERS = "abzABZ0189-_.~ /:;,?!@#$%^&*()[]{}|\\\"'`<>+=äßéÿ€漢字😀\u202e\u0301"
PATH_RAW = "abzABZ019-_.~!$&'()*+,;=:@"


def text(rng, most, letters=LETTERS):
    return "".join(rng.choice(letters) for _ in range(rng.randrange(most + 1)))


def escape(rng, s, safe):
    """Percent-encoded; sometimes more than need be, with the hex digits in either case."""
    if rng.random() < 0.8:
        return quote(s, safe=safe)
    return "".join("%%%02x" % b if rng.random() < 0.5 else "%%%02X" % b for b in s.encode())


def make_path(rng):
    if rng.random() < 0.1:
        return "/"
    segments = []
    for _ in range(rng.randrange(1, 7)):
        kind = rng.random()
        if kind < 0.25:
            segments.append(rng.choice(["", ".", "..", "...", "%2E", "%2e%2e", "%2F", ".a"]))
        elif kind < 0.8:
            segments.append(escape(rng, text(rng, 12), "-_.~"))
        elif kind < 0.95:
            segments.append(text(rng, 12, PATH_RAW))
        else:
            segments.append(text(rng, 6, "aäß漢😀"))  # as some clients send it
    return "/" + "/".join(segments)


def make_query(rng):
    """(params for botocore or None, the query as it goes out)"""
    n = rng.choice([0, 0, 1, 2, 3, 8])
    keys = [text(rng, 6) for _ in range(3)] + ["a", "A", "a-b", "", "X-Amz-Foo", "list-type"]
    pairs = [(rng.choice(keys), rng.choice(["", "a", text(rng, 15)])) for _ in range(n)]
    if rng.random() < 0.5:
        return pairs, "&".join(quote(k, safe="-_.~") + "=" + quote(v, safe="-_.~") for k, v in pairs)
    parts = []
    for k, v in pairs:
        key = quote(k, safe="-_.~")
        parts.append(key if v == "" and rng.random() < 0.5 else key + "=" + quote(v, safe="-_.~"))
    return None, "&".join(parts)


def make_value(rng):
    words = [text(rng, 8, "aAzZ09-_./:;,=+\"'()äß€漢") for _ in range(rng.randrange(6))]
    gaps = [rng.choice([" ", "  ", "\t", " \t ", ""]) for _ in range(7)]
    return gaps[6] + "".join(w + g for w, g in zip(words, gaps))


def make_headers(rng):
    names = ["X-Foo", "x-foo", "X-FOO", "x-amz-target", "Content-Type", "Range", "x-a_b", "x-a-b", "X-a", "Content-MD5"]
    headers = [(rng.choice(names), make_value(rng)) for _ in range(rng.choice([0, 1, 2, 3, 8]))]
    while rng.random() < 0.3:
        headers.insert(rng.randrange(len(headers) + 1), (rng.choice(UNSIGNED), make_value(rng)))
    return headers


def make_request(rng, number):
    access, secret = rng.choice(KEYS)
    params, query = make_query(rng)
    host, port = rng.choice(HOSTS), rng.choice([None, None, 443, 4566, 80])
    size = rng.randrange(1 << 20) + 1 if number < BIG else rng.choice([0, 0, 1, 55, 56, 64, rng.randrange(2000)])
    s3 = rng.random() < 0.3
    return {
        "method": rng.choice(METHODS), "path": make_path(rng), "query": query, "params": params, "headers": make_headers(rng),
        "body": rng.randbytes(size), "host": host if port in (None, 443) else f"{host}:{port}",
        "url_host": host if port is None else f"{host}:{port}", "region": rng.choice(REGIONS), "service": rng.choice(SERVICES),
        "access": access, "secret": secret,
        "token": None if rng.random() < 0.6 else base64.b64encode(rng.randbytes(rng.randrange(1, 900))).decode(),
        "now": rng.randrange(1_400_000_000, 2_100_000_000), "s3": s3, "sign_body": not s3 and rng.random() < 0.2,
        "unsigned_payload": not s3 and rng.random() < 0.05,
    }


def sign_with_botocore(r):
    url = f"https://{r['url_host']}{r['path']}"
    if r["params"] is None and r["query"]:
        url += "?" + r["query"]
    request = AWSRequest(method=r["method"], url=url, data=r["body"], params=r["params"] or {})
    for name, value in r["headers"]:
        request.headers[name] = value  # appends
    if r["sign_body"]:
        del request.headers["X-Amz-Content-SHA256"]
        request.headers["X-Amz-Content-SHA256"] = hashlib.sha256(r["body"]).hexdigest()
    now = datetime.datetime.fromtimestamp(r["now"], datetime.timezone.utc)
    request.context["timestamp"] = now.strftime("%Y%m%dT%H%M%SZ")
    signer = (S3SigV4Auth if r["s3"] else SigV4Auth)(Credentials(r["access"], r["secret"], r["token"]), r["service"], r["region"])
    # add_auth() but for its clock
    signer._modify_request_before_signing(request)
    canonical = signer.canonical_request(request)
    signature = signer.signature(signer.string_to_sign(request, canonical), request)
    signer._inject_signature_to_request(request, signature)
    return f"{request.headers['Authorization']}\t{request.headers.get('X-Amz-Content-SHA256', '')}", canonical


def line_for_us(r):
    line = {k: v for k, v in r.items() if k not in ("params", "url_host", "unsigned_payload")}
    line["body"] = base64.b64encode(r["body"]).decode()
    return json.dumps(line, ensure_ascii=False)


def features(r):
    names = [n.lower() for n, _ in r["headers"]]
    keys = [p.split("=")[0] for p in r["query"].split("&")]
    yield "S3 style" if r["s3"] else "general"
    if r["token"]:
        yield "session token"
    if r["sign_body"]:
        yield "signed body header"
    if r["unsigned_payload"]:
        yield "unsigned payload"
    if len(set(names)) < len(names):
        yield "repeated headers"
    if any("  " in v or "\t" in v or v != v.strip() for _, v in r["headers"]):
        yield "odd blanks"
    if len(set(keys)) < len(keys):
        yield "repeated query keys"
    if r["query"] and "" in keys:
        yield "empty query keys"
    if r["params"] is None and any("=" not in p for p in r["query"].split("&")) and r["query"]:
        yield "query keys without a value"
    if any(s in ("", ".", "..") for s in r["path"].split("/")[1:-1]):
        yield "paths to normalise"
    if not r["path"].isascii():
        yield "raw UTF-8 paths"
    if "%" in r["path"]:
        yield "encoded paths"
    if not r["body"]:
        yield "empty bodies"
    if len(r["body"]) > 4096:
        yield "large bodies"
    if ":" in r["host"]:
        yield "ports"


def tool():
    folder = os.environ.get("SLUICE_TOOLS") or os.path.join(os.environ.get("SLUICE_BUILD", "build"), "tools")
    return os.path.join(folder, "sign_cli")


def test_signatures_equal_botocores(rng):
    requests = [make_request(rng, i) for i in range(COUNT)]
    for r in requests:
        if r["unsigned_payload"] and not r["sign_body"]:
            r["headers"].append(("X-Amz-Content-SHA256", "UNSIGNED-PAYLOAD"))
    feed = "".join(line_for_us(r) + "\n" for r in requests)
    done = subprocess.run([tool()], input=feed.encode(), stdout=subprocess.PIPE, timeout=600, check=True)
    ours = done.stdout.decode().split("\n")[:-1]
    assert len(ours) == len(requests)

    compared, counts, differ = 0, collections.Counter(), []
    for r, got in zip(requests, ours):
        want, canonical = sign_with_botocore(r)
        compared += 1
        counts.update(features(r))
        if got != want:
            differ.append(f"request {line_for_us(r)[:2000]}\nours     {got}\nbotocore {want}\nbotocore's canonical request:\n{canonical}")
    print(f"{compared} requests compared, {len(differ)} differ; " + ", ".join(f"{n} {what}" for what, n in counts.most_common()))
    assert not differ, "\n\n".join(differ[:3])
    assert compared >= 10_000
    assert len(counts) == 16 and min(counts.values()) >= BIG - 2, counts


def test_a_change_is_noticed(rng):
    """The comparison can fail: the same request one second later is signed otherwise."""
    r = make_request(rng, BIG)
    before, _ = sign_with_botocore(r)
    done = subprocess.run([tool()], input=line_for_us({**r, "now": r["now"] + 1}).encode() + b"\n", stdout=subprocess.PIPE, timeout=60,
                          check=True)
    assert done.stdout.decode().startswith("AWS4-HMAC-SHA256 Credential=")
    assert done.stdout.decode().rstrip("\n") != before
