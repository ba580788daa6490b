"""Log lines of a file, and of Logs Insights as it answers."""

import json
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.stub import ANY, Stubber

from zendesk_push.deployment import Deployment, StackResource
from zendesk_push.errors import CommandError
from zendesk_push.function_logs import read_log_lines

LINES = [
    {"message": "batch", "timestamp": "2026-11-24 22:21:02,667+0000", "delivered": 1},
    {"message": "not sent", "timestamp": "2026-11-24 22:21:03,000+0000", "message_ids": ["a\u00e9"]},
]


def compact(line: Any) -> str:
    return json.dumps(line, separators=(",", ":"))


class OfStubs(Deployment):
    """A deployment with a client of the test's own."""

    logs: Any = None

    def client(self, service: str) -> Any:
        assert service == "logs"
        return type(self).logs


def test_a_local_stacks_lines_are_in_its_file(tmp_path: Path) -> None:
    path = tmp_path / "log"
    noise = ["START RequestId: x", '{"message":"batch"', '{"message":"batch","timestamp":7}', "[" * 100_000]
    path.write_text("\n".join(f"[PushContentFunction] {line}" for line in [*noise, *map(compact, LINES)]))
    deployment = Deployment(boto3.Session(), log_file=path)
    [line] = read_log_lines(deployment, ["batch"], 0).lines
    assert (line["delivered"], line["timestamp"]) == (1, 1795558862.667)
    assert read_log_lines(deployment, ["batch"], 1795558862.7).lines == []
    assert len(read_log_lines(deployment, ["batch", "not sent"], 0, holding="a\u00e9").lines) == 1


def test_on_aws_insights_is_asked() -> None:
    logs = boto3.client("logs", region_name="eu-central-1", aws_access_key_id="x", aws_secret_access_key="x")
    OfStubs.logs = logs
    groups = {"PushContentLogs": StackResource("PushContentLogs", "AWS::Logs::LogGroup", "/push")}
    deployment = OfStubs(boto3.Session(), resources=groups)
    with Stubber(logs) as stubber:
        stubber.add_response(
            "start_query",
            {"queryId": "q"},
            {
                "logGroupNames": ["/push"],
                "startTime": 7,
                "endTime": ANY,
                "queryString": 'fields @message | filter message in ["not sent"]'
                ' | filter @message like "a\\\\u00e9\\\\\\"" | sort @timestamp desc | limit 10000',
            },
        )
        stubber.add_response("get_query_results", {"status": "Running", "results": []})
        rows = [
            [{"field": "@message", "value": compact(line)}, {"field": "@ptr", "value": "x"}] for line in LINES
        ]
        stubber.add_response("get_query_results", {"status": "Complete", "results": rows[::-1]})
        found = read_log_lines(deployment, ["not sent"], 7, holding='a\u00e9"')
        assert [line["message"] for line in found.lines] == ["batch", "not sent"]
        stubber.add_response("start_query", {"queryId": "q"})
        stubber.add_response("get_query_results", {"status": "Failed", "results": []})
        stubber.add_response("stop_query", {"success": True})
        with pytest.raises(CommandError, match="did not answer: Failed"):
            read_log_lines(deployment, ["batch"], 0)


def test_where_nobody_knows_the_lines_that_is_said() -> None:
    with pytest.raises(CommandError, match="--stack-name"):
        read_log_lines(Deployment(boto3.Session()), ["batch"], 0)
