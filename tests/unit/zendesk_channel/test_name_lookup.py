"""A name look-up that hangs costs whoever asks the time they have, and one thread, however many ask."""

import threading
import time
from collections.abc import Sequence

import pytest

from zendesk_channel.exchange_deadline import AddressInfo, NameLookup, seconds_left

SECONDS = 20.0  # more than anything here takes
HOST = ("acme.example.com", 443)
ADDRESS: AddressInfo = (2, 1, 6, "", ("192.0.2.1", 443))


class ScriptedResolver:
    """Answers when it is let go; ``asked`` is how often it was."""

    def __init__(self, error: Exception | None = None) -> None:
        self.asked = 0
        self.let_go = threading.Event()
        self._error = error

    def __call__(self, *_: object) -> Sequence[AddressInfo]:
        self.asked += 1
        self.let_go.wait(SECONDS)
        if self._error:
            raise self._error
        return [ADDRESS]


def soon() -> float:
    return time.monotonic() + 0.05


def test_a_name_that_hangs_is_given_up_and_asked_for_once() -> None:
    resolver = ScriptedResolver()
    names = NameLookup(resolver)
    for _ in range(3):
        with pytest.raises(TimeoutError):
            names.addresses(*HOST, soon())

    assert resolver.asked == 1
    resolver.let_go.set()


def test_who_waits_for_the_same_name_gets_the_same_answer() -> None:
    resolver = ScriptedResolver()
    names = NameLookup(resolver)
    with pytest.raises(TimeoutError):
        names.addresses(*HOST, soon())
    resolver.let_go.set()

    assert names.addresses(*HOST, time.monotonic() + SECONDS) == [ADDRESS]


@pytest.mark.parametrize("error", [OSError("no such name"), UnicodeError("label too long")])
def test_a_failure_is_whose_question_it_was_and_is_not_remembered(error: Exception) -> None:
    resolver = ScriptedResolver(error)
    resolver.let_go.set()
    names = NameLookup(resolver)
    for _ in range(2):
        with pytest.raises(type(error)):
            names.addresses(*HOST, time.monotonic() + SECONDS)


def test_no_time_is_no_time() -> None:
    with pytest.raises(TimeoutError):
        seconds_left(time.monotonic() - 1)
