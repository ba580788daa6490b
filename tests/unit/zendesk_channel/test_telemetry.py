"""What both functions log and count, as CloudWatch reads it."""

import itertools
import json
from typing import Any

import pytest
from aws_lambda_powertools.metrics import MetricUnit

from zendesk_channel.telemetry import Telemetry

UNITS = {"Pushes": MetricUnit.Count, "Latency": MetricUnit.Milliseconds}


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


_services = itertools.count()


def fresh() -> Telemetry:
    """Of a service of its own: Powertools keeps a service's logger, and the stream that it had."""
    return Telemetry(f"service-{next(_services)}", "Namespace", "INFO", UNITS)


def test_a_line_has_its_fields_its_place_and_the_invocations_id(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry = fresh()
    telemetry.begin("request-1")
    telemetry.info("done", account="one", nothing=None)
    telemetry.warning("odd")
    telemetry.error("broken")
    first, *others = lines(capsys)
    assert (first["message"], first["account"], first["function_request_id"]) == ("done", "one", "request-1")
    assert first["location"].startswith("test_a_line_has_its_fields")
    assert [line["level"] for line in others] == ["WARNING", "ERROR"]


def test_half_a_surrogate_pair_costs_no_line(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry = fresh()
    telemetry.info("odd", text="\ud800")
    assert lines(capsys)[0]["text"] == "\ud800"


def test_counts_are_summed_samples_are_kept_and_reasons_have_lines_of_their_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    telemetry = fresh()
    telemetry.count("Pushes")
    telemetry.count("Pushes", 2)
    telemetry.count("Pushes", reason="throttled")
    for value in range(100):
        telemetry.sample("Latency", value)
    telemetry.flush()
    telemetry.flush()
    printed = lines(capsys)
    values = {name: line[name] for line in printed for name in UNITS if name in line and "reason" not in line}
    assert values == {"Pushes": [3.0], "Latency": [float(value) for value in range(100)]}
    assert [(line["reason"], line["Pushes"]) for line in printed if "reason" in line] == [
        ("throttled", [1.0])
    ]
    assert {line["_aws"]["CloudWatchMetrics"][0]["Namespace"] for line in printed} == {"Namespace"}


def test_a_count_of_none_is_written_and_nothing_is_not(capsys: pytest.CaptureFixture[str]) -> None:
    telemetry = fresh()
    telemetry.flush()
    assert lines(capsys) == []
    telemetry.count("Pushes", 0)
    telemetry.flush()
    assert lines(capsys)[0]["Pushes"] == [0.0]


def test_what_an_invocation_that_broke_off_has_counted_is_not_the_next_ones(
    capsys: pytest.CaptureFixture[str],
) -> None:
    telemetry = fresh()
    telemetry.count("Pushes")
    telemetry.begin("request-2")
    telemetry.flush()
    assert lines(capsys) == []


def test_a_metric_that_nobody_declared_is_refused() -> None:
    telemetry = fresh()
    with pytest.raises(KeyError):
        telemetry.count("Pushs")
    with pytest.raises(KeyError):
        telemetry.sample("Latencies", 1)
