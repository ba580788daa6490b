"""Handlers that do whatever the event tells them to."""

import json
import os
import sys
import time
from typing import Any


def web(event: dict[str, Any], context: Any) -> Any:
    """Echo, or misbehave as the path says."""
    if "version" not in event:
        return behave(event, context)
    parameters = event.get("pathParameters", {})
    if "how" in parameters:
        return behave({"how": parameters["how"]}, context)
    body = {"event": event, "environment": dict(os.environ), "context": _describe(context)}
    return {
        "statusCode": 200,
        "headers": {"content-type": "application/json"},
        "cookies": ["seen=1"],
        "body": json.dumps(body),
    }


def behave(event: dict[str, Any], context: Any) -> Any:
    """What goes wrong with functions, and what does not."""
    how = event["how"]
    if how == "raise":
        raise ValueError("no such thing")
    if how == "exit":
        os._exit(3)
    if how == "sleep":
        time.sleep(60)
    if how == "unserializable":
        return {1, 2}
    if how == "malformed":
        return {"statusCode": "x"}
    if how == "large":
        return "x" * 7_000_000
    if how == "print":
        print("to stdout: ä")  # noqa: T201
        print("to stderr, without an end of line", end="", file=sys.stderr)  # noqa: T201
    return {"how": how, "pid": os.getpid(), "context": _describe(context)}


def batch(event: dict[str, Any], _: Any) -> Any:
    """Each body says what is to become of it; ``answer`` is the answer for all."""
    failures = []
    for record in event["Records"]:
        body = json.loads(record["body"])
        if "answer" in body:
            return body["answer"]
        if body.get("raise"):
            raise RuntimeError("the whole batch")
        if body.get("fail"):
            failures.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failures}


def _describe(context: Any) -> dict[str, Any]:
    return {
        "aws_request_id": context.aws_request_id,
        "function_name": context.function_name,
        "function_version": context.function_version,
        "invoked_function_arn": context.invoked_function_arn,
        "memory_limit_in_mb": context.memory_limit_in_mb,
        "log_group_name": context.log_group_name,
        "remaining": context.get_remaining_time_in_millis(),
    }
