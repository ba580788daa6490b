"""An account's item, field by field: whatever the dataclass says is what is read and written."""

from dataclasses import fields, replace
from typing import Any

import pytest

from zendesk_channel.accounts import Account, AccountState, account_from_item, attribute, readable_account

ITEM: dict[str, dict[str, Any]] = {
    "pk": {"S": "account#one"},
    "instance_push_id": {"S": "one"},
    "subdomain": {"S": "acme"},
    "state": {"S": "active"},
    "revision": {"N": "7"},
}


def test_the_least_that_an_item_holds() -> None:
    account = account_from_item(ITEM)
    assert (account.instance_push_id, account.subdomain, account.revision) == ("one", "acme", 7)
    assert account.state is AccountState.ACTIVE
    assert (account.nonce, account.paused_until, account.token_version, account.saved) == (None, 0, "", False)


def test_every_field_comes_back_as_it_was_written() -> None:
    least = account_from_item(ITEM)
    texts: dict[str, Any] = {
        each.name: f"text of {each.name}" for each in fields(Account) if "str" in str(each.type)
    }
    times: dict[str, Any] = {each.name: 1.5 for each in fields(Account) if "float" in str(each.type)}
    whole = replace(least, request_limit=3, **texts, **times)
    assert None not in vars(whole).values()
    item = {name: attribute(value) for name, value in vars(whole).items()}
    # A destroyed account is deleted and has no nonce, whatever else its item holds.
    assert account_from_item({**ITEM, **item}) == replace(whole, state=AccountState.DELETED, nonce=None)
    del item["destroyed_at"]
    assert account_from_item({**ITEM, **item}) == replace(whole, destroyed_at=None)


@pytest.mark.parametrize("name", ["instance_push_id", "subdomain", "state", "revision"])
def test_an_item_that_lacks_what_every_account_has_is_none(name: str) -> None:
    assert readable_account({key: value for key, value in ITEM.items() if key != name}) is None


@pytest.mark.parametrize(
    "spoilt",
    [
        {"state": {"S": "?"}},
        {"subdomain": {"S": "a.b"}},
        {"revision": {"N": "1.5"}},
        {"revision": {"S": "1"}},
        {"name": {"N": "1"}},
        {"request_limit": {"N": "x"}},
        {"paused_until": {"M": {}}},
        {"pk": {"S": "subdomain#acme"}},
    ],
)
def test_an_item_that_somebody_has_spoilt_is_none(spoilt: dict[str, Any]) -> None:
    assert readable_account({**ITEM, **spoilt}) is None


@pytest.mark.parametrize("name", ["saved_at", "last_delivery_at"])
def test_saved_by_an_event_or_by_a_delivery(name: str) -> None:
    assert account_from_item({**ITEM, name: {"N": "1800000000"}}).saved
