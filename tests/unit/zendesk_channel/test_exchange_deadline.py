"""What an exchange leaves behind once it is over: its connection goes to the next one."""

import socket
import threading

from zendesk_channel.exchange_deadline import CutOff

SECONDS = 10  # more than anything here takes


def test_an_exchange_that_is_over_leaves_no_thread_that_waits() -> None:
    before = set(threading.enumerate())
    with CutOff(3600):
        (timer,) = set(threading.enumerate()) - before

    timer.join(SECONDS)

    assert not timer.is_alive()


def test_a_cut_that_comes_too_late_leaves_the_connection_to_its_next_exchange() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        with CutOff(3600) as cut_off:
            cut_off.watch(ours)

        cut_off._cut()  # the timer's last act, had it begun right before the end

        theirs.sendall(b"x")
        assert ours.recv(1) == b"x"


def test_a_cut_that_comes_before_the_connection_ends_it_all_the_same() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs, CutOff(3600) as cut_off:
        cut_off._cut()
        cut_off.watch(ours)

        assert cut_off.happened
        assert ours.recv(1) == b""
