"""The benchmarks measure what they say, and the soak run sees what it should: short runs of both."""

import pytest

from zendesk_push.bench import measurements, soak
from zendesk_push.bench.__main__ import main
from zendesk_push.bench.traffic import message


def test_however_many_are_refused_two_requests_decide() -> None:
    rows = list(measurements.poison())
    assert [row.ours for row in rows] == ["2", "2", "2"]
    assert [int(row.baseline) for row in rows] == [17, 159, 511]


def test_a_thousand_messages_cost_a_few_calls_to_aws() -> None:
    first, steady = measurements.aws_calls()
    assert int(first.ours) <= 20
    assert int(steady.ours) <= 10


def test_one_measurement_can_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["json_handling"]) == 0
    assert "1e400 still a number" in capsys.readouterr().out


def test_a_short_soak_run_ends_well(capsys: pytest.CaptureFixture[str]) -> None:
    assert soak.main(["--seed", "5", "--messages", "40", "--seconds", "4", "--window", "10"]) == 0
    output = capsys.readouterr().out
    assert "seed 5" in output
    assert "every invariant held" in output


def test_a_soak_run_tells_when_a_message_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checks can fail: a message that was never sent is missed."""
    monkeypatch.setattr(soak.Soak, "settle", _settle_and_invent)
    assert soak.main(["--seed", "5", "--messages", "8", "--seconds", "1"]) == 1


def _settle_and_invent(self: soak.Soak, seconds: float) -> bool:
    account = self._run.accounts[0][1]
    invented = message("m999", account)
    self._run.sent[invented.body] = invented
    return True
