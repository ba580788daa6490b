"""A snapshot of many accounts: BatchGetItem takes a hundred keys, and several calls go side by side."""

import threading
from typing import Any, cast

import pytest

from zendesk_channel.accounts import account_key
from zendesk_channel.contract import InstancePushId, Subdomain
from zendesk_channel.push_state import SharedPauses

SECONDS = 20.0  # more than anything here takes


class Table:
    """Every account that is asked for, once two calls are under way at the same time."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self._two = threading.Barrier(2, timeout=SECONDS)

    def batch_get_item(self, RequestItems: Any) -> Any:  # noqa: N803 (boto3's name)
        self._two.wait()
        ((name, wanted),) = RequestItems.items()
        self.sizes.append(len(wanted["Keys"]))
        return {"Responses": {name: [item(key["pk"]["S"]) for key in wanted["Keys"]]}}


def item(key: str) -> dict[str, dict[str, str]]:
    kind, _, name = key.partition("#")
    if kind == "subdomain":
        return {"pk": {"S": key}, "paused_until": {"N": "7"}}
    return {
        **account_key(InstancePushId(name)),
        "instance_push_id": {"S": name},
        "subdomain": {"S": name},
        "state": {"S": "active"},
        "revision": {"N": "1"},
    }


def test_the_calls_of_a_large_snapshot_are_side_by_side_and_none_is_left_out() -> None:
    table = Table()
    ids = [InstancePushId(f"a{number}") for number in range(350)]

    snapshot = SharedPauses(cast("Any", table), "accounts").snapshot(ids)

    assert snapshot.accounts.keys() == set(ids)
    assert len(snapshot.paused_until) == 350
    assert not snapshot.unread
    assert sorted(table.sizes) == [50, 50, 100, 100, 100, 100, 100, 100]


@pytest.mark.parametrize("broken", [{}, {"paused_until": {"S": "never"}}, {"paused_until": {"N": "never"}}])
def test_a_subdomain_that_somebody_broke_by_hand_stops_no_account(broken: dict[str, Any]) -> None:
    class Edited:
        def batch_get_item(self, RequestItems: Any) -> Any:  # noqa: N803 (boto3's name)
            ((name, wanted),) = RequestItems.items()
            keys = [key["pk"]["S"] for key in wanted["Keys"]]
            items = [{"pk": {"S": key}} | broken if key == "subdomain#acme" else item(key) for key in keys]
            return {"Responses": {name: items}}

    ids = [InstancePushId("acme"), InstancePushId("globex")]
    snapshot = SharedPauses(cast("Any", Edited()), "accounts").snapshot(ids)

    assert snapshot.accounts.keys() == set(ids)
    assert snapshot.paused_until == {Subdomain("globex"): 7.0}
