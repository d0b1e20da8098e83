"""Every endpoint that AWS's own rule sets make, made by us: botocore carries them, and an engine of its own that evaluates them.

Not the same, on purpose (each is counted below):
- DynamoDB in the region `local` is http://localhost:8000 there, and an error with FIPS or dual-stack; here an endpoint that
  nobody wrote down is AWS's.
- DynamoDB's hosts of one account (123456789012.ddb.REGION...) and Kinesis's (...data-kinesis...) want the account's number and
  an ARN beside the region; without these the rule sets give the plain host, which is always valid and the one we use.
"""

import os
import subprocess

import pytest
from botocore.awsrequest import prepare_request_dict
from botocore.endpoint_provider import EndpointProvider
from botocore.exceptions import BotoCoreError
from botocore.loaders import Loader

# botocore's name of the service -> host prefix
SERVICES = {
    "cloudwatch": "monitoring", "sqs": "sqs", "kinesis": "kinesis", "sns": "sns", "lambda": "lambda", "sts": "sts", "s3": "s3",
    "logs": "logs", "stepfunctions": "states", "glue": "glue", "emr": "elasticmapreduce", "redshift": "redshift",
    "redshift-data": "redshift-data", "dynamodb": "dynamodb", "xray": "xray", "apigateway": "apigateway",
    "apigatewayv2": "apigateway", "firehose": "firehose", "cloudformation": "cloudformation", "mwaa": "airflow",
    "events": "events", "pipes": "pipes", "resourcegroupstaggingapi": "tagging", "sso": "portal.sso", "sso-oidc": "oidc",
}
# Regions that partitions.json does not name: of each partition's pattern, almost of it, and of none.
MADE_UP = ["eu-west-99", "us-nowhere-7", "mx-south-12", "cn-made-3", "us-gov-central-3", "eusc-de-west-2", "us-iso-south-9",
           "us-isob-south-9", "eu-isoe-east-9", "us-isof-north-9",
           "eusc-fr-west-1", "cn-1", "cn-north-x", "cn-north-1a", "cn-north-east-1", "cnn-north-1", "us-gov-1", "us-gov-west", "us-iso-1",
           "us-isox-west-1", "eu-isoe-x", "CN-north-1", "local-1", "here", "aws-nowhere-global", "moon-base-1"]
ON_PURPOSE = {("dynamodb", "local")}


@pytest.fixture(scope="module")
def rules():
    loader = Loader()
    partitions = loader.load_data("partitions")
    providers = {name: EndpointProvider(loader.load_service_model(name, "endpoint-rule-set-1"), partitions) for name in SERVICES}
    regions = [r for p in partitions["partitions"] for r in p["regions"]] + MADE_UP + ["local"]
    return providers, regions


def ours(lines):
    folder = os.environ.get("SLUICE_TOOLS") or os.path.join(os.environ.get("SLUICE_BUILD", "build"), "tools")
    done = subprocess.run([os.path.join(folder, "endpoint_cli")], input="".join(f"{line}\n" for line in lines), text=True,
                          stdout=subprocess.PIPE, timeout=120, check=True)
    answers = done.stdout.split("\n")[:-1]
    assert len(answers) == len(lines)
    return answers


def theirs(provider, region, fips, dualstack, **more):
    parameters = {"Region": region, "UseFIPS": fips, "UseDualStack": dualstack, **more}
    known = provider.ruleset.parameters
    try:
        endpoint = provider.resolve_endpoint(**{k: v for k, v in parameters.items() if k in known and v is not None})
    except BotoCoreError as e:
        return f"error: {e}"
    schemes = [s for s in endpoint.properties.get("authSchemes", []) if s["name"] == "sigv4"]
    signing = schemes[0].get("signingRegion", region) if schemes else region
    return f"{endpoint.url} {signing}"


def differences(cases, lines, wanted):
    """An error is an error: the words are each program's own."""
    for case, line, want, got in zip(cases, lines, wanted, ours(lines)):
        if got != want and not (got.startswith("error: ") and want.startswith("error: ")):
            yield case, f"{line}: {got}, botocore {want}"


def test_every_endpoint_equals_botocores(rules):
    providers, regions = rules
    cases = [(name, region, fips, dualstack) for name in SERVICES for region in regions for fips in (False, True)
             for dualstack in (False, True)]
    wanted = [theirs(providers[name], region, fips, dualstack, UseGlobalEndpoint=False) for name, region, fips, dualstack in cases]
    lines = [f"{SERVICES[name]} {region} {fips:d} {dualstack:d}" for name, region, fips, dualstack in cases]
    wrong, allowed = [], 0
    for (name, region, _, _), text in differences(cases, lines, wanted):
        if (name, region) in ON_PURPOSE:
            allowed += 1
        else:
            wrong.append(text)
    errors = sum(w.startswith("error: ") for w in wanted)
    unusual = sum(w.split()[0] != f"https://{SERVICES[c[0]]}.{c[1]}.amazonaws.com" for c, w in zip(cases, wanted))
    print(f"{len(cases)} endpoints compared, {len(wrong)} differ, {allowed} differ on purpose; {unusual} are not PREFIX.REGION.amazonaws.com, "
          f"{errors} are refused by both")
    assert not wrong, "\n".join(wrong[:20])
    assert len(cases) >= 8000 and errors >= 8 and unusual > 6000
    assert allowed == 4


def test_sts_legacy_equals_botocores(rules):
    providers, regions = rules
    cases = [(region, fips, dualstack) for region in regions for fips in (False, True) for dualstack in (False, True)]
    wanted = [theirs(providers["sts"], *c, UseGlobalEndpoint=True) for c in cases]
    lines = [f"sts {region} {fips:d} {dualstack:d} 1" for region, fips, dualstack in cases]
    wrong = [text for _, text in differences(cases, lines, wanted)]
    far = sum(w == "https://sts.amazonaws.com us-east-1" for w in wanted)
    print(f"{len(cases)} compared, {len(wrong)} differ; {far} are the global endpoint")
    assert not wrong, "\n".join(wrong[:20])
    assert far == 16


def test_custom_endpoints_equal_botocores(rules):
    """As they stand, and refused together with FIPS or dual-stack. Services with rules of their own for custom hosts are left
    out: S3 (buckets) and, with an account, DynamoDB and Kinesis."""
    providers, _ = rules
    cases = [(name, region, fips, dualstack, url) for name in SERVICES if name != "s3" for region in ("eu-west-1", "us-gov-west-1", "cn-north-1")
             for fips in (False, True) for dualstack in (False, True) for url in ("http://127.0.0.1:4566", "https://proxy.example.com")]
    wanted = [theirs(providers[name], region, fips, dualstack, Endpoint=url) for name, region, fips, dualstack, url in cases]
    lines = [f"{SERVICES[name]} {region} {fips:d} {dualstack:d} 0 {url}" for name, region, fips, dualstack, url in cases]
    wrong = [text for _, text in differences(cases, lines, wanted)]
    refused = sum(w.startswith("error: Invalid Configuration") for w in wanted)
    print(f"{len(cases)} compared, {len(wrong)} differ; {refused} are refused by both")
    assert not wrong, "\n".join(wrong[:20])
    assert refused == len(cases) * 3 // 4


@pytest.mark.parametrize("prefix", ["api.", "env.", "ops."])
@pytest.mark.parametrize("custom", [None, "http://localhost:4566", "https://proxy.example.com"])
def test_host_prefixes_equal_botocores(rules, prefix, custom):
    providers, _ = rules
    base = theirs(providers["mwaa"], "eu-west-1", False, False, Endpoint=custom).split()[0]
    request = {"url_path": "/", "query_string": {}, "headers": {}, "body": b"", "host_prefix": prefix}
    prepare_request_dict(request, base)
    assert ours([f"airflow eu-west-1 0 0 0 {custom or '-'} {prefix}"]) == [f"{request['url'].rstrip('/')} eu-west-1"]
