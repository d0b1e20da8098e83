"""The text filter beside Python: its UTF-8 decoder gives the verdicts, its character database says what may be printed."""

import itertools
import os
import pathlib
import random
import struct
import subprocess
import unicodedata

ROOT = pathlib.Path(__file__).resolve().parents[2]
LONG = os.environ.get("SLUICE_LONG") == "1"

# Drawn as nothing although they are letters, marks or symbols by category.
INVISIBLE = {0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, *range(0x180B, 0x1810), 0x2800, 0x3164,
             *range(0xFE00, 0xFE10), 0xFFA0, *range(0xE0000, 0xE1000)}
NONCHARACTERS = {*range(0xFDD0, 0xFDF0), *(p << 16 | e for p in range(17) for e in (0xFFFE, 0xFFFF))}


def tool():
    if "SLUICE_TOOLS" in os.environ:
        return pathlib.Path(os.environ["SLUICE_TOOLS"]) / "text_cli"
    return pathlib.Path(os.environ.get("SLUICE_BUILD", ROOT / "build")) / "tools" / "text_cli"


def run(mode, records):
    given = b"".join(struct.pack("<I", len(r)) + r for r in records)
    done = subprocess.run([tool(), mode], input=given, stdout=subprocess.PIPE, check=True, timeout=120)
    out, at = [], 0
    while at < len(done.stdout):
        (n,) = struct.unpack_from("<I", done.stdout, at)
        out.append(done.stdout[at + 4:at + 4 + n])
        at += 4 + n
    assert len(out) == len(records)
    return out


def newer(cp):
    """Unassigned in Python's older Unicode version: the filter may know better."""
    return unicodedata.category(chr(cp)) == "Cn" and cp not in NONCHARACTERS and cp not in INVISIBLE


def printable(cp):
    return unicodedata.category(chr(cp)) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp") and cp not in INVISIBLE


def expected(data):
    """surrogateescape turns each byte that is not UTF-8 into one lone surrogate: one mark a bad byte."""
    text, out = data.decode("utf-8", "surrogateescape"), []
    for i, c in enumerate(text):
        cp = ord(c)
        if 0xDC80 <= cp <= 0xDCFF:
            out.append(f"<0x{cp - 0xDC00:02X}>")
        elif text.startswith(("<U+", "<0x"), i):
            out.append("<U+003C>")
        elif not printable(cp) or (i == 0 and unicodedata.category(c)[0] == "M"):
            out.append(f"<U+{cp:04X}>")
        else:
            out.append(c)
    return "".join(out).encode()


def compare(records):
    got = run("visible", records)
    for data, have in zip(records, got):
        if have != expected(data) and not any(newer(ord(c)) for c in data.decode("utf-8", "ignore")):
            raise AssertionError(f"{data!r}: {have!r}, Python says {expected(data)!r}")
    assert run("unescape", got) == records
    return got


def test_all_code_points():
    cps = [cp for cp in range(0x110000) if not 0xD800 <= cp <= 0xDFFF]
    got = run("visible", [b"x" + chr(cp).encode() for cp in cps])
    wrong, known_only_here = [], 0
    for cp, have in zip(cps, got):
        want = chr(cp).encode() if printable(cp) else f"<U+{cp:04X}>".encode()
        if have[1:] != want:
            if newer(cp) and have[1:] == chr(cp).encode():
                known_only_here += 1
            else:
                wrong.append(f"U+{cp:04X}")
    print(f"{len(cps)} code points, {known_only_here} newer than Unicode {unicodedata.unidata_version}")
    assert wrong == []
    assert known_only_here < 20000


def test_all_pairs_of_bytes():
    compare([bytes(p) for p in itertools.product(range(256), repeat=2)])


def test_all_heads_of_three_bytes():
    """Every lead byte and second byte, with third bytes from both sides of each border."""
    thirds = (0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF)
    compare([bytes((a, b, c)) for a in range(0xC0, 0x100) for b in range(256) for c in thirds])


def test_heads_of_four_bytes():
    edges = (0x00, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xFF)
    compare([bytes((a, b, c, d)) for a in range(0xF0, 0x100) for b in edges for c in edges for d in edges])


def test_random_strings():
    rng = random.Random(os.environ.get("SLUICE_SEED", "text"))
    bits = [b"<", b"<U+", b"<0x", b"202E>", b">", b"\x1b[", b"\xc2\x9b", b"\xe2\x80\xae", b"\xed\xa0\x80", b"\xf4\x90", b"e\xcc\x81",
            "\u4f60".encode(), "\U0001f600".encode()]
    records = []
    for _ in range(200_000 if LONG else 20_000):
        parts = (rng.choice(bits) if rng.random() < 0.4 else rng.randbytes(rng.randrange(6)) for _ in range(rng.randrange(8)))
        records.append(b"".join(parts))
    compare(records)


def test_output_is_clean_utf8():
    """Whatever went in, the bytes decode strictly and hold no control of any kind."""
    rng = random.Random(os.environ.get("SLUICE_SEED", "clean"))
    for have in run("visible", [rng.randbytes(rng.randrange(64)) for _ in range(20_000)]):
        for c in have.decode("utf-8", "strict"):
            assert printable(ord(c)) or newer(ord(c))
