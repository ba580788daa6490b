"""The message that a reply is on the queue: its id, its form, and that SQS takes it whatever an agent has written."""

import json
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from admin_callback.http.channelback_form import Channelback
from admin_callback.replies.reply import Reply, reply_of
from zendesk_channel.accounts import Account, AccountState
from zendesk_channel.contract import InstancePushId, Subdomain

ACCOUNT = Account(InstancePushId("one"), Subdomain("acme"), AccountState.ACTIVE, 1)
OTHER = Account(InstancePushId("two"), Subdomain("acme"), AccountState.ACTIVE, 1)
NOW = 1_800_000_000.25
SQS_TAKES = re.compile("[\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*")


def channelback(**changes: Any) -> Channelback:
    fields: dict[str, Any] = {
        "message": "Thank you!",
        "metadata": "m",
        "parent_id": "review-4711",
        "thread_id": None,
        "recipient_id": "customer-1",
        "request_unique_identifier": "d9f9",
        **changes,
    }
    return Channelback(**fields, pairs=[(name, value) for name, value in fields.items() if value is not None])


def reply(**changes: Any) -> Reply:
    return reply_of(channelback(**changes), ACCOUNT, NOW)


def test_the_body() -> None:
    one = reply()
    assert json.loads(one.body) == {
        "v": 1,
        "instance_push_id": "one",
        "subdomain": "acme",
        "external_id": one.external_id,
        "message": "Thank you!",
        "parent_id": "review-4711",
        "thread_id": None,
        "recipient_id": "customer-1",
        "request_unique_identifier": "d9f9",
        "received_at": "2027-01-15T08:00:00.250+00:00",
    }
    assert one.group_id == "one"


def test_the_id_is_the_same_for_a_repeat_and_nobody_elses() -> None:
    one = reply()
    assert re.fullmatch("reply-[0-9a-f]{32}", one.external_id)
    # Whatever else has changed by then: the account's metadata, for one, after an edit.
    assert reply(message="Other", metadata="other").external_id == one.external_id
    assert reply(request_unique_identifier="d9fa").external_id != one.external_id
    assert reply_of(channelback(), OTHER, NOW).external_id != one.external_id


def test_without_an_identifier_all_of_the_form_tells_replies_apart() -> None:
    plain = {"request_unique_identifier": None}
    one = reply(**plain)
    assert reply(**plain).external_id == one.external_id
    for change in ({"message": "Thank you"}, {"parent_id": "review-4712"}, {"recipient_id": None}):
        assert reply(**plain, **change).external_id != one.external_id
    turned = channelback(**plain)
    turned.pairs.reverse()
    assert reply_of(turned, ACCOUNT, NOW).external_id == one.external_id


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_sqs_takes_whatever_an_agent_writes_and_readers_get_it_back(message: str) -> None:
    body = reply(message=message).body
    assert SQS_TAKES.fullmatch(body)
    assert json.loads(body)["message"] == message


@pytest.mark.parametrize("character", ["😀", "\x01", "\uffff", "\\", "日"])
def test_the_longest_reply_fits_into_a_message(character: str) -> None:
    one = reply(
        message=character * 65_535,
        parent_id=character * 511,
        thread_id=character * 511,
        recipient_id=character * 255,
        request_unique_identifier=character * 255,
    )
    assert len(one.body.encode()) <= 1024 * 1024


def test_a_long_accounts_group_is_one_that_sqs_takes() -> None:
    account = Account(InstancePushId("a" * 255), Subdomain("acme"), AccountState.ACTIVE, 1)
    assert re.fullmatch("[0-9a-f]{64}", reply_of(channelback(), account, NOW).group_id)


def test_what_the_agent_wrote_is_in_no_repr() -> None:
    assert "Thank you" not in repr(reply())
