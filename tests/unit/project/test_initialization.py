"""Before its first event Lambda grants a function a whole CPU: what needs no setting is done then."""

import subprocess
import sys

import pytest

LAMBDA = {
    "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "example",
    "AWS_SECRET_ACCESS_KEY": "example",
}


def clients_made(function: str, environment: dict[str, str]) -> list[str]:
    code = (
        f"import {function}.handler; from {function}.composition import CLIENTS; "
        "print(*(service for service, _ in CLIENTS._made))"
    )
    result = subprocess.run(
        [sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True, env=environment
    )
    return result.stdout.split()


@pytest.mark.parametrize(
    ("function", "services"),
    [
        ("admin_callback", ["dynamodb", "secretsmanager", "kms"]),
        ("push_content", ["sqs", "dynamodb", "secretsmanager"]),
    ],
)
def test_clients_are_made_while_lambda_initializes_and_not_elsewhere(
    function: str, services: list[str]
) -> None:
    assert clients_made(function, LAMBDA) == services
    assert clients_made(function, {"PATH": ""}) == []
