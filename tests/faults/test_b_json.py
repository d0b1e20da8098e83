"""Reliability lines B1 and B2: what is JSON, and that none of it is changed on the way in without a word.

Two readers: the gate and reader of bulk answers (core/scan.h), and the tree behind it (core/json.h), which refuses some more that
it could not hold."""

import json
from decimal import Decimal, InvalidOperation

import pytest
from suites import absent, read_all, shared, unit_says

SUITE = "json-suite/test_parsing"
# Valid JSON that the tree refuses, each said in core/json.h: of two equal keys the reader cannot know which was meant, and a
# string with a NUL would end there.
TREE_REFUSES = {"y_object_duplicated_key.json", "y_object_duplicated_key_and_value.json", "y_object_escaped_null_in_key.json",
                "y_string_null_escape.json"}


def test_suite_through_the_gate(figure):
    what = "JSONTestSuite: verdicts, and the free ones by a written table"
    if not shared(SUITE):
        pytest.skip(absent(figure, "B1", what, 318, SUITE))
    accept, refuse, free, wrong = unit_says("t_scan", r"JSONTestSuite: (\d+) to accept, (\d+) to refuse, (\d+) free as tabled; (\d+) wrong")
    n = accept + refuse + free
    figure("B1", what, attempted=n, passed=n - wrong, reached=n, note=f"{accept + refuse}/283 mandatory, {free}/35 free, {wrong} wrong")
    assert (accept, refuse, free, wrong) == (95, 188, 35, 0)


# ---- the values, compared with Python's own reading of the same text, in which numbers keep every digit

def exact(text):
    def pairs(p):
        return ("object", p)

    def number(digits):
        try:
            return Decimal(digits)
        except InvalidOperation:  # an exponent that Python itself cannot hold: nothing or infinity
            return Decimal(float(digits))
    return json.loads(text, parse_int=number, parse_float=number, object_pairs_hook=pairs)


def differs(want, got, where="$"):
    """The first place at which a value was changed, or None. What a getter refuses is not a change: it is said."""
    if isinstance(want, tuple):
        if not isinstance(got, dict) or len(got.get("o", ())) != len(want[1]):
            return f"{where}: members {want} read as {got}"
        return next(filter(None, (differs(w, g[1], f"{where}.{k}") if g[0] == k else f"{where}: key {k!a} read as {g[0]!a}"
                                  for (k, w), g in zip(want[1], got["o"]))), None)
    if isinstance(want, list):
        if not isinstance(got, list) or len(got) != len(want):
            return f"{where}: {want} read as {got}"
        return next(filter(None, (differs(w, g, f"{where}[{i}]") for i, (w, g) in enumerate(zip(want, got)))), None)
    right = {
        type(None): lambda: got == {"z": True},
        bool: lambda: got == {"b": want},
        str: lambda: got.get("s") == want and not {"i", "n", "b", "z"} & set(got),
        Decimal: lambda: number_kept(want, got),
    }[type(want)]()
    return None if right else f"{where}: {want!a} read as {got}"


def number_kept(want, got):
    """An integer that is handed out is exact to the digit; a number is the nearest double, and none at all beyond a double. What was
    written with a fraction or an exponent is a double first (json.h says so): 1.000000000000000005 is 1."""
    if set(got) - {"i", "n", "l", "t"}:
        return False
    nearest = float(want)
    if "i" in got and Decimal(got["i"]) != (want if want == want.to_integral_value() else nearest):
        return False
    return (got["n"] == nearest) if "n" in got else abs(nearest) == float("inf")


def test_suite_through_the_tree(figure):
    what = "JSONTestSuite through the tree: verdicts and values"
    suite = shared(SUITE)
    if not suite:
        pytest.skip(absent(figure, "B1", what, 318, SUITE))
    files = sorted(suite.iterdir())
    wrong, accepted = [], 0
    answers = read_all([{"do": "json", "body": f.read_bytes()} for f in files])
    for f, a in zip(files, answers):
        kind = f.name[0]
        if kind == "n" and a["ok"] or kind == "y" and a["ok"] == (f.name in TREE_REFUSES):
            wrong.append(f"{f.name}: {a}")
        if a["ok"]:
            accepted += 1
            change = differs(exact(f.read_bytes().decode()), a["tree"])
            wrong += [f"{f.name}: {change}"] if change else []
        elif not a.get("why"):
            wrong.append(f"{f.name}: refused without a reason")
    figure("B1", what, attempted=len(files), passed=len(files) - len(wrong), reached=accepted,
           note=f"{accepted} accepted and compared value by value; {len(TREE_REFUSES)} valid ones refused with a reason (equal keys, NUL)")
    assert not wrong, "\n".join(wrong[:5])
    assert len(files) == 318


# ---- B2. The first 22 are the documents of JSONTestSuite's transform folder, written out: name, text, what the tree does.
# "kept": every value as Python has it. "refused": with a reason. Nothing else is allowed.

TRANSFORMS = [
    ("number_-9223372036854775808", b"[-9223372036854775808]", "kept"),
    ("number_-9223372036854775809", b"[-9223372036854775809]", "kept"),
    ("number_1.0", b"[1.0]", "kept"),
    ("number_1.000000000000000005", b"[1.000000000000000005]", "kept"),
    ("number_1000000000000000", b"[1000000000000000]", "kept"),
    ("number_10000000000000000999", b"[10000000000000000999]", "kept"),
    ("number_1e-999", b"[1E-999]", "kept"),
    ("number_1e6", b"[1E6]", "kept"),
    ("number_9223372036854775807", b"[9223372036854775807]", "kept"),
    ("number_9223372036854775808", b"[9223372036854775808]", "kept"),
    ("object_key_nfc_nfd", '{"\u00e9":"NFC","e\u0301":"NFD"}'.encode(), "kept"),
    ("object_key_nfd_nfc", '{"e\u0301":"NFD","\u00e9":"NFC"}'.encode(), "kept"),
    ("object_same_key_different_values", b'{"a":1,"a":2}', "refused"),
    ("object_same_key_same_value", b'{"a":1,"a":1}', "refused"),
    ("object_same_key_unclear_values", b'{"a":0, "a":-0}', "refused"),
    ("string_1_escaped_invalid_codepoint", rb'["\uD800"]', "refused"),
    ("string_1_invalid_codepoint", b'["\xed\xa0\x80"]', "refused"),
    ("string_2_escaped_invalid_codepoints", rb'["\uD800\uD800"]', "refused"),
    ("string_2_invalid_codepoints", b'["\xed\xa0\x80\xed\xa0\x80"]', "refused"),
    ("string_3_escaped_invalid_codepoints", rb'["\uD800\uD800\uD800"]', "refused"),
    ("string_3_invalid_codepoints", b'["\xed\xa0\x80\xed\xa0\x80\xed\xa0\x80"]', "refused"),
    ("string_with_escaped_NULL", rb'["A\u0000B"]', "refused"),
]
MORE = [
    ("2^53 - 1", b"[9007199254740991]", "kept"),
    ("2^53", b"[9007199254740992]", "kept"),
    ("2^53 + 1", b"[9007199254740993]", "kept"),
    ("-2^53 - 1", b"[-9007199254740993]", "kept"),
    ("an id of 20 digits", b"[12345678901234567890]", "kept"),
    ("the same as a string", b'["12345678901234567890"]', "kept"),
    ("1e400", b"[1e400]", "kept"),
    ("-1e400", b"[-1e400]", "kept"),
    ("raw NUL in a string", b'["a\x00b"]', "refused"),
    ("NUL in a key", rb'{"a\u0000b":1}', "refused"),
    ("NUL beside its look-alike", rb'["\\u0000","\u0000"]', "refused"),
    ("a backslash and u0000", rb'["\\u0000"]', "kept"),
    ("equal keys by escape", rb'{"a":1,"\u0061":2}', "refused"),
    ("equal keys far down", b'[[{"x":[{"k":1,"l":2,"k":3}]}]]', "refused"),
    ("keys that differ in case", b'{"Key":1,"key":2}', "kept"),
    ("empty keys", b'{"":1,"":2}', "refused"),
    ("a pair of surrogates", rb'["\ud83d\ude00"]', "kept"),
    ("a low surrogate alone", rb'["\ude00"]', "refused"),
    ("noncharacters", rb'["\uffff\ufdd0"]', "kept"),
    ("a mark at the text's front", b'\xef\xbb\xbf["a"]', "refused"),
    ("a mark inside a string", '["\ufeffa"]'.encode(), "kept"),
    ("minus zero", b"[-0]", "kept"),
    ("0.1", b"[0.1,0.30000000000000004,5e-324,1.7976931348623157e308]", "kept"),
    ("a number of 200 digits", b"[" + b"1" * 200 + b"]", "either"),  # some versions of cJSON hold no more than 63
]


def scanner_verdict(want, text):
    """The gate alone passes equal keys, NUL and lone surrogates on: whoever walks tokens sees each of them."""
    return "kept" if want == "refused" and not any(b in text for b in (b"\xed\xa0", b"\x00", b"\xef\xbb\xbf[")) else want


def replaced(want):
    """scan_string says that an unpaired surrogate becomes U+FFFD."""
    if isinstance(want, str):
        return "".join("\ufffd" if 0xD800 <= ord(c) <= 0xDFFF else c for c in want)
    return [replaced(w) for w in want] if isinstance(want, list) else want


@pytest.mark.parametrize("reader", ["json", "scan"])
def test_no_silent_change(figure, reader):
    cases = TRANSFORMS + MORE
    wrong, kept, refused = [], 0, 0
    for (name, text, want), a in zip(cases, read_all([{"do": reader, "body": text} for _, text, _ in cases])):
        if reader == "scan":
            want = scanner_verdict(want, text)
        kept, refused = kept + a["ok"], refused + (not a["ok"])
        if want != "either" and a["ok"] != (want == "kept"):
            wrong.append(f"{name}: {a}")
        elif a["ok"]:
            value = exact(text.decode())
            change = differs(replaced(value) if reader == "scan" else value, a["tree"])
            wrong += [f"{name}: {change}"] if change else []
        elif not a["why"]:
            wrong.append(f"{name}: refused without a reason")
    figure("B2", f"no silent change, {'the tree' if reader == 'json' else 'the scanner'}", attempted=len(cases), passed=len(cases) - len(wrong),
           reached=len(cases), note=f"22 of JSONTestSuite's transforms and {len(MORE)} more: {kept} kept to the digit, {refused} refused with a reason")
    assert len(TRANSFORMS) == 22
    assert not wrong, "\n".join(wrong)


def test_the_comparison_can_fail():
    """A value that was rounded, cut or swapped would be seen."""
    assert differs(exact("[9007199254740993]"), [{"i": 9007199254740992, "n": 9007199254740992.0}])
    assert differs(exact('["ab"]'), [{"s": "a"}])
    assert differs(exact('{"a":1,"a":2}'), {"o": [["a", {"i": 1, "n": 1}]]})
    assert not differs(exact('["ab"]'), [{"s": "ab"}])
