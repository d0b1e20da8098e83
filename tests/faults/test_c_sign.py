"""Reliability line C1: the signer against AWS's own vectors."""

import pytest
from suites import absent, shared, unit_says

VECTORS = "sigv4-suite/v4"


def test_vectors(figure):
    """38 vectors, each in four stages: canonical request, string to sign, signature, signed request. Byte for byte."""
    what = "SigV4 vectors, four stages each"
    if not shared(VECTORS):
        pytest.skip(absent(figure, "C1", what, 152, VECTORS))
    cases, equal, stages = unit_says("t_sign", r"SigV4 suite: (\d+) cases, (\d+) of (\d+) stages equal")
    figure("C1", what, attempted=stages, passed=equal, reached=stages, note=f"{cases} vectors")
    assert (cases, equal, stages) == (38, 152, 152)
