"""Reliability line D6: signed requests go where they were signed for and nowhere else."""

import concurrent.futures
import ssl
import urllib.request

import tls
from redirects import PATH, STATUSES, Server, in_namespace, run_case

TARGETS = ("other host", "http", "file", "same host")


def test_redirects_are_not_followed(ca, tmp_path, figure):
    """D6: five statuses, five places; the metadata address only where it is ours."""
    pem = tls.make_server(tmp_path, ca)
    (tmp_path / "apart").mkdir()
    cases = [(status, target) for status in STATUSES for target in TARGETS]
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        apart = pool.submit(in_namespace, tmp_path / "apart")
        results = list(pool.map(lambda c: run_case(*c, ca[2], pem, tmp_path / f"{c[0]}-{c[1].replace(' ', '-')}"), cases))
        metadata = apart.result()
    skipped = 0 if metadata else len(STATUSES)
    results += metadata or []
    wrong = [w for found, _ in results for w in found]
    figure("D6", "redirects: 5 statuses to 5 places", attempted=len(results) + skipped, passed=sum(not found for found, _ in results),
           reached=sum(n > 0 for _, n in results), skipped=skipped, why="no network namespace for the metadata address",
           note=f"{sum(n for _, n in results)} requests were told to go elsewhere")
    assert not wrong, "\n".join(wrong[:3])
    assert len(results) + skipped == 25


def test_a_follower_is_noticed(ca, tmp_path):
    """The servers count: whoever follows is seen."""
    pem = tls.make_server(tmp_path, ca)
    with Server(pem=pem) as there, Server(pem=pem, status=302, location=there.url + PATH) as here:
        context = ssl.create_default_context(cafile=ca[2])
        urllib.request.urlopen(here.url, context=context, timeout=10).close()
        assert there.visits() >= 1 and there.requests[0][0] == PATH
