"""Invocations as Lambda runs them: environment, context, failures of every kind, logs."""

import json
import os
import sys
import threading
from typing import Any

import pytest
import urllib3

from integration.local.conftest import ExampleStack
from zendesk_push.local.aws import LocalAws
from zendesk_push.local.errors import LocalStackError
from zendesk_push.local.invocation import InvocationResult


def behave(example: ExampleStack, how: str, function: str = "WebFunction") -> InvocationResult:
    return example.stack.invoke(function, {"how": how})


def environment(example: ExampleStack) -> dict[str, str]:
    event = {"version": "2.0"}
    answer = example.stack.invoke("WebFunction", event).value
    body: dict[str, Any] = json.loads(answer["body"])
    found: dict[str, str] = body["environment"]
    return found


def test_the_environment_is_the_template_s_resolved(example: ExampleStack) -> None:
    stack, found = example.stack, environment(example)

    assert found["GREETING"] == "hello from zendesk-push-local"
    assert found["QUEUE_URL"] == stack.queue_url
    assert found["QUEUE_ARN"].startswith("arn:aws:sqs:us-east-1:123456789012:")
    assert found["KEY_ARN"].startswith("arn:aws:kms:us-east-1:123456789012:key/")
    assert found["ZENDESK_BASE_URL"] == stack.zendesk_url
    assert found["AWS_ENDPOINT_URL"] == stack.aws_endpoint_url
    assert found["AWS_LAMBDA_FUNCTION_NAME"] == "zendesk-push-local-WebFunction"
    assert found["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"] == "256"
    assert found["AWS_EXECUTION_ENV"] == f"AWS_Lambda_python3.{sys.version_info.minor}"


def test_nothing_of_the_parent_s_environment_leaks(
    example: ExampleStack, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "AWS_PROFILE", "PYTHONPATH", "ZENDESK_TOKEN", "HOME"):
        monkeypatch.setenv(name, "/from/the/parent")
    # Time-outs end instances: this one starts with the environment as it is now.
    assert behave(example, "exit").function_error

    found = environment(example)

    assert "/from/the/parent" not in found.values()
    assert set(found) - set(example.stack._functions["WebFunction"].variables) <= {
        "PATH",
        "LANG",
        "LC_CTYPE",  # the interpreter's own, where the locale is not there
        "TZ",
        "LAMBDA_TASK_ROOT",
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
        *(name for name in found if name.startswith("AWS_")),
    }


def test_the_context_is_lambda_s(example: ExampleStack) -> None:
    result = behave(example, "fine")
    context = result.value["context"]

    assert not result.function_error
    assert context["aws_request_id"] == result.request_id
    assert context["function_name"] == "zendesk-push-local-WebFunction"
    assert context["function_version"] == "1"
    assert context["invoked_function_arn"] == (
        "arn:aws:lambda:us-east-1:123456789012:function:zendesk-push-local-WebFunction:live"
    )
    assert context["memory_limit_in_mb"] == "256"
    assert context["log_group_name"] == "/aws/lambda/zendesk-push-local-WebFunction"
    assert 0 < context["remaining"] <= 20_000


def test_an_instance_is_kept_for_the_next_invocation(example: ExampleStack) -> None:
    assert behave(example, "fine").value["pid"] == behave(example, "fine").value["pid"] != os.getpid()


def test_an_exception_is_reported_and_ends_nothing(example: ExampleStack) -> None:
    before = behave(example, "fine").value["pid"]

    result = behave(example, "raise")

    assert result.function_error
    assert result.value["errorType"] == "ValueError"
    assert result.value["errorMessage"] == "no such thing"
    assert any("raise ValueError" in line for line in result.value["stackTrace"])
    assert behave(example, "fine").value["pid"] == before
    assert "WebFunction: ValueError: no such thing" in example.stack.failures


@pytest.mark.parametrize(
    ("how", "error_type"),
    [
        ("exit", "Runtime.ExitError"),
        ("unserializable", "Runtime.MarshalError"),
        ("large", "Function.ResponseSizeTooLarge"),
    ],
)
def test_other_failures_are_reported_and_the_next_invocation_works(
    example: ExampleStack, how: str, error_type: str
) -> None:
    result = behave(example, how)

    assert result.function_error
    assert result.value["errorType"] == error_type
    assert not behave(example, "fine").function_error


def test_a_time_out_ends_the_instance(example: ExampleStack) -> None:
    before = behave(example, "fine", "ShortFunction").value["pid"]

    result = behave(example, "sleep", "ShortFunction")

    assert result.function_error
    assert result.value["errorType"] == "Sandbox.Timedout"
    assert "Task timed out after 1.00 seconds" in result.value["errorMessage"]
    with pytest.raises(ProcessLookupError):
        os.kill(before, 0)
    assert behave(example, "fine", "ShortFunction").value["pid"] != before


def test_an_event_that_is_too_large_is_refused(example: ExampleStack) -> None:
    result = example.stack.invoke("WebFunction", {"how": "x" * 6_300_000})

    assert result.value["errorType"] == "RequestEntityTooLarge"


def test_what_a_function_writes_is_in_the_logs_when_its_result_is(example: ExampleStack) -> None:
    result = behave(example, "print")

    text = example.stack.logs.text()
    assert f"START RequestId: {result.request_id} Version: 1" in text
    assert "to stdout: ä" in text
    assert "to stderr, without an end of line" in text
    assert {line.source for line in example.stack.logs.lines() if result.request_id in line.text} == {
        "WebFunction"
    }


def test_invocations_at_the_same_time_have_instances_of_their_own(example: ExampleStack) -> None:
    busy = threading.Thread(target=behave, args=(example, "sleep", "ShortFunction"))
    busy.start()

    result = behave(example, "fine", "ShortFunction")

    assert not result.function_error
    busy.join()


def test_a_schedule_fires_with_its_constant_input(example: ExampleStack) -> None:
    [schedule] = example.stack.schedules
    [result] = example.stack.fire_schedules()

    assert schedule.schedule.seconds == 3600
    assert result.value["how"] == "scheduled"


def test_only_functions_of_the_template_can_be_invoked(example: ExampleStack) -> None:
    with pytest.raises(LocalStackError, match="NoFunction is not a function"):
        example.stack.invoke("NoFunction", {})


@pytest.mark.parametrize("name", ["WebFunction", "zendesk-push-local-WebFunction"])
def test_aws_s_client_invokes_a_function_by_its_name(example: ExampleStack, name: str) -> None:
    client = LocalAws(example.stack.lambda_endpoint_url).client("lambda")
    good = client.invoke(FunctionName=name, Payload=json.dumps({"version": "2.0"}))
    assert (good["StatusCode"], good.get("FunctionError")) == (200, None)
    assert json.loads(good["Payload"].read())["statusCode"] == 200
    bad = client.invoke(FunctionName=name, Payload=json.dumps({"how": "raise"}))
    assert bad["FunctionError"] == "Unhandled"
    assert "errorMessage" in json.loads(bad["Payload"].read())
    with pytest.raises(client.exceptions.ResourceNotFoundException):
        client.invoke(FunctionName="NoFunction")


def test_a_web_page_invokes_nothing(example: ExampleStack) -> None:
    """A browser sends a form or text to any address without asking; it can't sign."""
    url = f"{example.stack.lambda_endpoint_url}/2015-03-31/functions/WebFunction/invocations"
    answer = urllib3.request("POST", url, body="{}", headers={"Content-Type": "text/plain"})
    assert answer.status == 403
