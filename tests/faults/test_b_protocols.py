"""Reliability line B3: the wire as AWS's own protocol cases (botocore) have it.

sluice has no reader of any model: each operation takes what it needs through the strict JSON tree, the XML events, the header
look-up and the error classifier. So each case is read through these, and what their getters give is put together here by the case's
shapes and compared with its result. What no operation of ours can meet is skipped, by name and reason."""

import base64
import collections
import datetime
import email.utils
import json
import re
import urllib.parse

import pytest
from suites import absent, b64, read_all, shared

ROOT = "botocore-protocols"
WIRES = ("json", "json_1_0", "json_1_0-query-compatible", "query", "rest-json", "rest-xml")
BOUND = ("statusCode", "header", "headers")
SPECIAL = ("NaN", "Infinity", "-Infinity")


class Skip(Exception):
    """The reason why a case is not for us."""


def load(way, wire):
    """(case, shapes, metadata) of one file."""
    return [(c, s["shapes"], s["metadata"]) for s in json.loads((shared(ROOT) / way / f"{wire}.json").read_text()) for c in s["cases"]]


def headers_of(case):
    return [[k, v] for k, v in case["response"].get("headers", {}).items()]


def tally(figure, what, results, note=""):
    """results: id -> None (passed), a Skip, or the difference."""
    skipped = {k: str(r) for k, r in results.items() if isinstance(r, Skip)}
    failed = {k: r for k, r in results.items() if r is not None and k not in skipped}
    passed = len(results) - len(skipped) - len(failed)
    by_reason = collections.defaultdict(list)
    for k, reason in skipped.items():
        by_reason[reason].append(k.partition(":")[2])
    why = "; ".join(f"{reason}: {', '.join(ids)}" for reason, ids in sorted(by_reason.items()))
    figure("B3", what, attempted=len(results), passed=passed, reached=len(results) - len(skipped), skipped=len(skipped), why=why,
           note=f"passed {passed} / applicable {len(results) - len(skipped)}{note}")
    assert not failed, "\n".join(f"{k}: {r}" for k, r in list(failed.items())[:8])
    return skipped


# ---- what a member is, whatever the wire

def is_attribute(member, shape):
    return member.get("xmlAttribute") or shape.get("xmlAttribute")


def format_of(member, shape):
    return member.get("timestampFormat") or shape.get("timestampFormat")


class Json:
    """Reads the annotated tree of protocol_cli by shape."""

    def __init__(self, shapes):
        self.shapes = shapes

    def value(self, ref, got):
        """None: absent or null."""
        shape = self.shapes[ref["shape"]]
        if got is None or got == {"z": True}:
            return None
        if ref.get("jsonvalue"):
            raise Skip("JSON within a header or a string by the model's order (jsonvalue): no operation of ours has it")
        if shape.get("document"):
            return plain(got)
        return getattr(self, shape["type"])(ref, shape, got)

    def structure(self, ref, shape, got, skip=()):
        members = dict(got["o"])
        out = {}
        for name, m in shape["members"].items():
            if name in skip:
                continue
            v = self.value(m, members.get(m.get("locationName", name)))
            if v is not None:
                out[name] = v
        return out

    def list(self, ref, shape, got):
        return [v for v in (self.value(shape["member"], g) for g in got) if v is not None]

    def map(self, ref, shape, got):
        pairs = ((k, self.value(shape["value"], g)) for k, g in got["o"])
        return {k: v for k, v in pairs if v is not None}

    def string(self, ref, shape, got):
        return got["s"]

    def integer(self, ref, shape, got):
        if "n" in got and "i" not in got:
            raise Skip("a whole number beyond 2^53: the tree refuses it rather than round it, and no operation of ours has one")
        return got["i"]

    long = short = byte = integer

    def double(self, ref, shape, got):
        return got["n"] if "n" in got else got["s"]

    float = double

    def boolean(self, ref, shape, got):
        return got["b"]

    def blob(self, ref, shape, got):
        return got["x"] if got["s"] else ""

    def timestamp(self, ref, shape, got):
        if format_of(ref, shape) == "rfc822":
            raise Skip("an HTTP date in a JSON body: no service of ours writes one")
        return got["t"] / 1000


def plain(got):
    """A document: any JSON."""
    if isinstance(got, list):
        return [plain(g) for g in got]
    if "o" in got:
        return {k: plain(v) for k, v in got["o"]}
    return next((got[k] for k in ("s", "i", "n", "b") if k in got), None)


class Node:
    def __init__(self, name, text, children):
        self.name, self.text, self.children = name, text, children


def tree(events):
    """The events come at each element's end, a container after what it holds: so the tree can be put together again."""
    below = collections.defaultdict(list)
    for path, text in events:
        depth = path.count("/")
        below[depth].append(Node(path.rsplit("/", 1)[-1], text, below.pop(depth + 1, [])))
    return below[0][0]


class Xml:
    """Reads elements by shape. times: what protocol_cli made of each text as an instant."""

    def __init__(self, shapes, times):
        self.shapes, self.times = shapes, times

    def value(self, ref, node):
        shape = self.shapes[ref["shape"]]
        return getattr(self, shape["type"])(ref, shape, node)

    def structure(self, ref, shape, node, skip=()):
        out = {}
        for name, m in shape["members"].items():
            if name in skip:
                continue
            target = self.shapes[m["shape"]]
            if is_attribute(m, target):
                raise Skip("a value in an XML attribute: no answer of ours has one")
            flat = m.get("flattened") or target.get("flattened")
            wire = m.get("locationName", name).split(":")[-1]  # the reader drops prefixes
            found = [c for c in node.children if c.name == wire]
            if found and flat:
                out[name] = self.flat(m, target, found)
            elif found:
                out[name] = self.value(m, found[0])
        return out

    def flat(self, ref, shape, found):
        if shape["type"] == "list":
            return [self.value(shape["member"], n) for n in found]
        return dict(self.entry(shape, n) for n in found)

    def entry(self, shape, node):
        key, value = (shape[k].get("locationName", k) for k in ("key", "value"))
        at = {c.name: c for c in node.children}
        return at[key].text, self.value(shape["value"], at[value])

    def list(self, ref, shape, node):
        return [self.value(shape["member"], c) for c in node.children]

    def map(self, ref, shape, node):
        return dict(self.entry(shape, c) for c in node.children)

    def string(self, ref, shape, node):
        return node.text

    def integer(self, ref, shape, node):
        return int(node.text)

    long = short = byte = integer

    def double(self, ref, shape, node):
        return node.text if node.text in SPECIAL else float(node.text)

    float = double

    def boolean(self, ref, shape, node):
        return {"true": True, "false": False}[node.text]

    def blob(self, ref, shape, node):
        return node.text and read_all([{"do": "json", "body": json.dumps(node.text)}])[0]["tree"]["x"]

    def timestamp(self, ref, shape, node):
        if format_of(ref, shape) == "unixTimestamp":
            raise Skip("epoch seconds in XML or a header: STS and S3 write ISO 8601 there")
        return self.times[node.text] / 1000


def header_value(shapes, ref, text, times):
    shape = shapes[ref["shape"]]
    if shape["type"] == "list":
        raise Skip("a list in a header: no header we read holds one")
    if ref.get("jsonvalue"):
        raise Skip("JSON within a header or a string by the model's order (jsonvalue): no operation of ours has it")
    return Xml(shapes, times).value(ref, Node("", text, []))


def spelt(name):
    return [name.lower(), name.upper()]


def header_question(case, shapes):
    """What sluice's look-up gives for each header that the case's output binds."""
    out = shapes.get(case["given"].get("output", {}).get("shape"), {})
    names = [n for m in out.get("members", {}).values() if m.get("location") == "header" for n in spelt(m["locationName"])]
    return {"do": "header", "headers": headers_of(case), "ask": names}


def bound(case, shapes, out, times, result, looked_up):
    """Members that the status and the headers carry. Returns their names."""
    names = []
    for name, m in out["members"].items():
        where = m.get("location")
        if where not in BOUND:  # what a request has in its path or query is in the answer's body
            continue
        names.append(name)
        if where == "statusCode":
            result[name] = case["response"]["status_code"]
        elif where == "headers":
            raise Skip("headers by prefix: no operation of ours binds any")
        elif where == "header":
            a, b = (looked_up[n] for n in spelt(m["locationName"]))
            assert a == b, "the case of a header's name made a difference"
            if a is not None:
                result[name] = header_value(shapes, m, a, times)
    return names


class Times(dict):
    """text -> milliseconds, as sluice reads an instant outside of JSON; asked once a text."""

    def __missing__(self, text):
        self[text] = read_all([{"do": "time", "texts": [text]}])[0]["times"][0]
        return self[text]


TIMES = Times()


def body_of(case, wire, shapes, events):
    """The element that holds the result: the query wire wraps it twice."""
    node = tree(events)
    return node.children[0] if wire == "query" and node.children else node


def read_result(case, wire, shapes, answer, looked_up):
    """What our readers make of a good answer."""
    result = {}
    ref = case["given"].get("output")
    if not ref:
        return result
    out = shapes[ref["shape"]]
    events = answer.get("events") or []
    times = TIMES
    names = bound(case, shapes, out, times, result, looked_up)
    payload = out.get("payload")
    body = case["response"].get("body", "")
    if payload:
        m = out["members"][payload]
        target = shapes[m["shape"]]
        if target["type"] in ("string", "blob") and not target.get("document"):
            if body:
                result[payload] = body
            return result
        if answer["ok"] and body:
            reader = Json(shapes).value(m, answer["tree"]) if "tree" in answer else Xml(shapes, times).value(m, tree(events))
            result.update({payload: reader} if reader is not None else {})
        return result
    if not body.strip() or len(names) == len(out["members"]):
        return result
    assert answer["ok"], f"refused: {answer['why']}"
    if "tree" in answer:
        result.update(Json(shapes).structure(ref, out, answer["tree"], names))
    else:
        result.update(Xml(shapes, times).structure(ref, out, body_of(case, wire, shapes, events), names))
    return result


def same(want, got):
    if isinstance(want, dict) and isinstance(got, dict):
        return want.keys() == got.keys() and all(same(v, got[k]) for k, v in want.items())
    if isinstance(want, list) and isinstance(got, list):
        return len(want) == len(got) and all(map(same, want, got))
    if isinstance(want, (int, float)) and isinstance(got, (int, float)) and not isinstance(want, bool) and not isinstance(got, bool):
        return abs(want - got) < 1e-6
    return type(want) is type(got) and want == got


def judge_result(case, wire, shapes, answer, looked_up):
    try:
        got = read_result(case, wire, shapes, answer, looked_up)
    except Skip as e:
        return e
    except Exception as e:  # a reading that breaks is a failed case like another
        return f"{type(e).__name__}: {e}"
    return None if same(case["result"], got) else f"want {case['result']} got {got}"


@pytest.mark.parametrize("wire", [w for w in WIRES if w != "json_1_0-query-compatible"])  # that file has errors only
def test_results(figure, wire):
    what = f"protocol cases, results: {wire}"
    if not shared(ROOT):
        pytest.skip(absent(figure, "B3", what, 1, ROOT))
    cases = [(c, shapes) for c, shapes, _ in load("output", wire) if "result" in c]
    reader = "xml" if wire in ("query", "rest-xml") else "json"
    answers = read_all([{"do": reader, "body": c["response"].get("body", "")} for c, _ in cases])
    headers = read_all([header_question(c, shapes) for c, shapes in cases])
    tally(figure, what, {f"{wire}:{c['id']}": judge_result(c, wire, shapes, a, h["header"]) for (c, shapes), a, h in zip(cases, answers, headers)})


# ---- errors: all of them must be understood

def test_errors(figure):
    what = "protocol cases, errors: code, message and status, all six wires"
    if not shared(ROOT):
        pytest.skip(absent(figure, "B3", what, 43, ROOT))
    cases = [(wire, c) for wire in WIRES for c, _, _ in load("output", wire) if "errorCode" in c]
    asked = [{"do": "error", "status": c["response"]["status_code"], "headers": headers_of(c), "body": c["response"].get("body", "")} for _, c in cases]
    results = {}
    for (wire, c), a in zip(cases, read_all(asked)):
        code, _, message = a["text"].partition(": ")
        right = c["errorCode"] in code.replace("(", " ").replace(")", " ").split() and a["http"] == c["response"]["status_code"]
        right = right and message == (c.get("errorMessage") or c["error"].get("Message") or message)
        right = right and a["code"] not in ("ok", "bad reply")  # an envelope of AWS's is never taken for a stranger's page
        results[f"{wire}:{c['id']}"] = None if right else f"want {c['errorCode']} {c.get('errorMessage')!r} got {a}"
    skipped = tally(figure, what, results)
    assert len(results) == 43 and not skipped


# ---- requests

class Build:
    """A case's parameters by its shapes: as the JSON tree that json_out is to write, or the pairs that wire_param is to escape."""

    def __init__(self, shapes):
        self.shapes = shapes

    def scalar(self, ref, shape, v, query):
        kind = shape["type"]
        if v in SPECIAL and kind in ("float", "double"):
            raise Skip("NaN or an infinity in a request: sluice sends none (its writer says null)")
        if kind == "blob":
            return b64(v)
        if kind == "timestamp":
            form = format_of(ref, shape) or ("iso8601" if query else "unixTimestamp")
            if form == "rfc822":
                return email.utils.formatdate(v, usegmt=True)
            return v if form == "unixTimestamp" else iso(v)
        return v

    def members(self, members, v):
        return {m.get("locationName", k): self.tree(m, v[k]) for k, m in members.items() if v.get(k) is not None}

    def tree(self, ref, v):
        shape = self.shapes[ref["shape"]]
        if ref.get("jsonvalue"):
            raise Skip("JSON within a header or a string by the model's order (jsonvalue): no operation of ours has it")
        if shape.get("document") or v is None:
            return v
        if shape["type"] == "structure":
            return self.members(shape["members"], v)
        if shape["type"] == "list":
            return [self.tree(shape["member"], e) for e in v]
        if shape["type"] == "map":
            return {k: self.tree(shape["value"], e) for k, e in v.items()}
        return self.scalar(ref, shape, v, False)

    def form(self, ref, v, prefix=""):
        shape = self.shapes[ref["shape"]]
        dot = prefix and prefix + "."
        if shape["type"] == "structure":
            for k, m in shape["members"].items():
                if v.get(k) is not None:
                    target = self.shapes[m["shape"]]
                    flat = m.get("flattened") or target.get("flattened")
                    inner = target["member"].get("locationName") if flat and target["type"] == "list" else None
                    yield from self.form({**m, "flattened": flat}, v[k], dot + m.get("locationName", inner or k))
        elif shape["type"] == "list":
            if not v:
                yield prefix, ""
            step = prefix if ref.get("flattened") else dot + shape["member"].get("locationName", "member")
            for i, e in enumerate(v, 1):
                yield from self.form(shape["member"], e, f"{step}.{i}")
        elif shape["type"] == "map":
            step = prefix if ref.get("flattened") else dot + "entry"
            for i, (k, e) in enumerate(v.items(), 1):
                yield from self.form(shape["key"], k, f"{step}.{i}.{shape['key'].get('locationName', 'key')}")
                yield from self.form(shape["value"], e, f"{step}.{i}.{shape['value'].get('locationName', 'value')}")
        else:
            s = self.scalar(ref, shape, v, True)
            yield prefix, {True: "true", False: "false"}[s] if isinstance(s, bool) else str(s)


def iso(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


class Rest:
    """A REST request's parts by the model's bindings."""

    def __init__(self, case, shapes):
        self.shapes, self.params = shapes, case["params"]
        self.http, ref = case["given"]["http"], case["given"].get("input")
        self.shape = shapes[ref["shape"]] if ref else {"members": {}}

    def text(self, ref, v, default):
        shape = self.shapes[ref["shape"]]
        if shape["type"] == "timestamp":
            form = format_of(ref, shape) or default
            return {"iso8601": iso, "rfc822": lambda t: email.utils.formatdate(t, usegmt=True), "unixTimestamp": lambda t: str(int(t))}[form](v)
        if ref.get("jsonvalue"):
            raise Skip("JSON within a header or a string by the model's order (jsonvalue): no operation of ours has it")
        return {True: "true", False: "false"}[v] if isinstance(v, bool) else str(v)

    def located(self, where):
        return [(k, m, self.params[k]) for k, m in self.shape["members"].items() if m.get("location") == where and self.params.get(k) is not None]

    def path(self):
        """Fixed parts as they are; a label is escaped whole, a greedy one between its slashes."""
        labels = {m["locationName"]: self.text(m, v, "iso8601") for _, m, v in self.located("uri")}
        for part in re.split(r"(\{[^}]*\})", self.http["requestUri"].partition("?")[0]):
            name = part.strip("{}").rstrip("+")
            if not part.startswith("{"):
                yield from filter(None, [part])
            elif part.endswith("+}"):
                for i, piece in enumerate(labels[name].split("/")):
                    yield from ["/", {"label": piece}] if i else [{"label": piece}]
            else:
                yield {"label": labels[name]}

    def query(self):
        fixed = urllib.parse.parse_qsl(self.http["requestUri"].partition("?")[2], keep_blank_values=True)
        named, maps = [], []
        for _, m, v in self.located("querystring"):
            shape = self.shapes[m["shape"]]
            if shape["type"] == "map":
                maps += [(k, e) for k, es in v.items() for e in (es if isinstance(es, list) else [es])]
            elif shape["type"] == "list":
                named += [(m["locationName"], self.text(shape["member"], e, "iso8601")) for e in v]
            else:
                named.append((m["locationName"], self.text(m, v, "iso8601")))
        taken = {k for k, _ in fixed + named}
        return fixed + named + [(k, v) for k, v in maps if k not in taken]

    def headers(self):
        if self.located("headers"):
            raise Skip("headers by prefix: no operation of ours binds any")
        for _, m, v in self.located("header"):
            shape = self.shapes[m["shape"]]
            if shape["type"] == "list":
                raise Skip("a list in a header: no header we send holds one")
            yield m["locationName"], self.text(m, v, "rfc822")

    def tree(self, build):
        payload = self.shape.get("payload")
        if not payload:
            rest = {k: m for k, m in self.shape["members"].items() if not m.get("location")}
            return build.members(rest, self.params) if rest else None
        m = self.shape["members"][payload]
        if self.shapes[m["shape"]]["type"] in ("blob", "string") and not self.shapes[m["shape"]].get("document"):
            raise Skip("a payload that is not JSON: no operation of ours sends one")
        unset = None if self.shapes[m["shape"]].get("union") else {}
        return build.tree(m, self.params[payload]) if self.params.get(payload) is not None else unset


WIRE_NUMBER = {"1.0": 0, "1.1": 1, "query": 2, "rest-json": 3}


def request_for(case, shapes, meta):
    """protocol_cli's question, or a Skip."""
    given = case["given"]
    if given.get("requestcompression"):
        return Skip("request compression: no operation of ours asks for it")
    if given.get("httpChecksumRequired"):
        return Skip("a checksum that the model demands: of no operation of ours")
    if given.get("endpoint") or "host" in case["serialized"]:
        return Skip("host prefixes and hosts with a path: no operation of ours has one")
    ref, params = given.get("input"), case["params"]
    if ref and any(m.get("idempotencyToken") and k not in params for k, m in shapes[ref["shape"]]["members"].items()):
        return Skip("a token that the client makes up: no operation of ours has one")
    ask = {"do": "build", "name": given["name"], "target": meta.get("targetPrefix"), "version": meta.get("apiVersion"),
           "query_compatible": "awsQueryCompatible" in meta, "wire": WIRE_NUMBER[meta.get("jsonVersion") or meta["protocol"]]}
    try:
        if meta["protocol"] == "rest-json":
            rest = Rest(case, shapes)
            ask.update(method=rest.http["method"], path=list(rest.path()), query=rest.query(), headers=list(rest.headers()))
            tree = rest.tree(Build(shapes))
            ask.update({"tree": tree} if tree is not None else {})
        elif meta["protocol"] == "query":
            ask["form"] = list(Build(shapes).form(ref, params)) if ref else []
        elif ref:
            ask["tree"] = Build(shapes).tree(ref, params)
    except Skip as e:
        return e
    return ask


def judge_request(case, meta, got):
    want, body = case["serialized"], base64.b64decode(got["body"]).decode()
    headers = {k.lower(): v for k, v in got["headers"]}
    path, _, query = want["uri"].partition("?")
    pairs = [sorted(urllib.parse.parse_qsl(q, keep_blank_values=True)) for q in (got["query"], query)]
    if got["method"] != want["method"] or got["path"] != path or pairs[0] != pairs[1]:
        return f"{got['method']} {got['path']}?{got['query']}, wanted {want['method']} {want['uri']}"
    for k, v in want.get("headers", {}).items():
        if (headers.get(k.lower(), "").split(";")[0] if k.lower() == "content-type" else headers.get(k.lower())) != v:
            return f"{k}: {headers.get(k.lower())}, wanted {v}"
    forbidden = {h.lower() for h in want.get("forbidHeaders", ())} & headers.keys()
    if forbidden:
        return f"sends {forbidden}"
    if meta["protocol"] == "query":
        ours, theirs = (urllib.parse.parse_qsl(b, keep_blank_values=True, strict_parsing=True) for b in (body, want["body"]))
        right = ours[:2] == theirs[:2] and sorted(ours) == sorted(theirs)
    else:
        right = json.loads(body or "{}") == json.loads(want.get("body") or "{}") and (body == "") >= (want.get("body") == "")
    return None if right else f"{body}\nwanted {want['body']}"


@pytest.mark.parametrize("wire", ["json", "json_1_0", "json_1_0-query-compatible", "query", "rest-json"])
def test_requests(figure, wire):
    what = f"protocol cases, requests: {wire}"
    if not shared(ROOT):
        pytest.skip(absent(figure, "B3", what, 1, ROOT))
    cases = load("input", wire)
    asks = [request_for(*c) for c in cases]
    answers = iter(read_all([a for a in asks if not isinstance(a, Skip)]))
    results = {f"{wire}:{c['id']}": a if isinstance(a, Skip) else judge_request(c, meta, next(answers)) for (c, _, meta), a in zip(cases, asks)}
    tally(figure, what, results)
