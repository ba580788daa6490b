"""A cold start pays for every import: the push path has none that it does not need."""

import json
import subprocess
import sys

# What costs more than it gives here (docs/benchmarks.md), and what only tooling or the other function needs.
UNWANTED = {
    "admin_callback",
    "asyncio",
    "aws_lambda_powertools.event_handler",
    "aws_lambda_powertools.utilities.batch",
    "aws_lambda_powertools.utilities.parser",
    "aws_xray_sdk",
    "boto3",
    "jinja2",
    "jsonschema",
    "moto",
    "pydantic",
    "requests",
    "zendesk_push",
}


def test_the_handler_imports_nothing_that_it_does_not_need() -> None:
    code = "import push_content.handler, sys, json; print(json.dumps(list(sys.modules)))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    imported = set(json.loads(result.stdout))
    assert "push_content.invocation" in imported
    assert imported & UNWANTED == set()


def test_importing_reads_no_setting() -> None:
    code = "import push_content.handler as h; assert not h._composed.cache_info().currsize"

    subprocess.run([sys.executable, "-I", "-c", code], check=True, env={"PATH": ""})
