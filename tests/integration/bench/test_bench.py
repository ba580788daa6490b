"""The benchmarks in short, so that they cannot rot: counts are held here, timings nowhere. And a short soak run."""

from pathlib import Path
from xml.etree import ElementTree

import pytest

from zendesk_push.bench import soak
from zendesk_push.bench.__main__ import MEASUREMENTS, main, measured
from zendesk_push.bench.figures import Chapter, Effort, Figure, Plot
from zendesk_push.bench.plots import svg
from zendesk_push.bench.report import write
from zendesk_push.bench.traffic import message

SHORT = Effort(rounds=1, short=True)


def counts(chapter: Chapter) -> dict[str, float]:
    return {figure.what: figure.values[0] for figure in chapter.figures}


@pytest.fixture(scope="module")
def chapters() -> dict[str, Chapter]:
    """Every measurement, once."""
    return {name: measured(measure, SHORT) for name, measure in MEASUREMENTS.items()}


def test_everything_is_measured_and_fits_on_a_page(chapters: dict[str, Chapter], tmp_path: Path) -> None:
    (tmp_path / "images").mkdir()
    write(list(chapters.values()), 1, tmp_path)

    page = (tmp_path / "benchmarks.md").read_text()
    for chapter in chapters.values():
        assert chapter.figures
        assert all(f"| {figure.what} |" in page for figure in chapter.figures)
        for plot in chapter.plots:
            assert f"](images/bench-{plot.name}.svg)" in page
            picture = (tmp_path / "images" / f"bench-{plot.name}.svg").read_text()
            ElementTree.fromstring(picture)  # noqa: S314 (our own)


def test_two_requests_decide_however_many_are_refused(chapters: dict[str, Chapter]) -> None:
    found = [value for what, value in counts(chapters["trouble"]).items() if "of 256 refused" in what]
    assert found == [2, 2, 2]


def test_trouble_costs_no_more_than_was_promised(chapters: dict[str, Chapter]) -> None:
    found = counts(chapters["trouble"])
    assert found["4 of 1,000 refused: requests"] <= 8
    assert found["128 processing errors in 256: resources sent over resources"] < 5.1
    assert found["30 old processing errors before 200 good messages: requests"] <= 7
    assert found["201 messages after one time-out: requests"] <= 10
    shares = [value for what, value in found.items() if what.endswith("good ones there in 15 min")]
    assert len(shares) == 2
    assert min(shares) >= 95


def test_what_is_parsed_is_bounded(chapters: dict[str, Chapter]) -> None:
    assert counts(chapters["odd_answers"])["an answer of 8 MB of empty lists: memory at most"] < 40


def test_a_token_is_read_once(chapters: dict[str, Chapter]) -> None:
    assert counts(chapters["aws_calls"])["token reads, 2,100 accounts in rotation, the second time"] == 0


def test_a_connection_is_kept_for_every_customer(chapters: dict[str, Chapter]) -> None:
    assert counts(chapters["cost"])["… connections made for all rounds, per customer"] == 1


def test_a_thousand_messages_cost_a_few_calls_to_aws(chapters: dict[str, Chapter]) -> None:
    calls = counts(chapters["aws_calls"])
    assert calls["calls for the first 1,000 messages of 10 accounts"] <= 25
    assert calls["calls for the next 1,000 messages of 10 accounts"] == 1


def test_no_minute_of_the_quota_is_lost_and_none_is_overdrawn(chapters: dict[str, Chapter]) -> None:
    found = counts(chapters["quota"])
    assert found["… answered with 429"] == 0
    assert found["… most requests in a minute of the 630 that are ours"] == 630


def test_one_measurement_can_be_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["aws_calls", "--short"]) == 0
    assert "BatchGetItem" in capsys.readouterr().out


def test_what_is_not_measured_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["speed"])
    assert ended.value.code == 2
    assert "there is no speed" in capsys.readouterr().err


def test_a_figure_is_its_median_between_the_least_and_the_most() -> None:
    figure = Figure("CPU", [3.0, 1.234, 200.0], unit=" ms")
    assert (figure.now, figure.spread) == ("3 ms", "1.23-200")
    assert (Figure("requests", [1_000.0]).now, Figure("requests", [2.0]).spread) == ("1,000", "")


def test_a_plot_bears_names_with_angle_brackets_and_a_line_that_does_not_move() -> None:
    plot = Plot("p", "a < b", "x & y", "y", {"<one>": [(1, 5), (2, 5)], "none": []}, log_x=True)
    assert "&lt;one&gt;" in svg(plot)
    ElementTree.fromstring(svg(plot))  # noqa: S314 (our own)


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
