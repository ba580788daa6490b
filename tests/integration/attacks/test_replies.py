"""What somebody tries who wants to write in agents' names, and what whoever may do so can't get beyond that."""

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlencode

import pytest

from integration.attacks.target import AttackTarget
from integration.attacks.test_attacks import connect

FORM = "application/x-www-form-urlencoded"
SECRETS = ("nonce", "mac")


@pytest.fixture
def subdomain(target: AttackTarget) -> str:
    """A customer of this test's own."""
    target.answers()
    return f"replies-{uuid.uuid4().hex[:8]}"


def test_neighbours_of_one_customer_answer_each_for_their_own_account(
    target: AttackTarget, subdomain: str
) -> None:
    """Two accounts in one Zendesk: each one's metadata speaks for it, whatever else the form says."""
    mine, theirs = connect(target, subdomain), connect(target, subdomain)
    first, second = json.loads(mine.metadata), json.loads(theirs.metadata)
    mixed = [
        {**first, "instance_push_id": second["instance_push_id"]},
        {**second, **{name: first[name] for name in SECRETS}},
        {**second, "nonce": first["nonce"]},
        {**second, "mac": first["mac"]},
        {**second, "mac": second["mac"][::-1]},
        {**second, "v": 3},
    ]
    assert {target.channelback(json.dumps(each)).status for each in mixed} == {403}
    assert target.answers() == []
    asked = {"instance_push_id": theirs.instance_push_id, "subdomain": "elsewhere", "external_id": "reply-1"}
    assert target.channelback(mine.metadata, **asked).status == 200
    [reply] = target.answers()
    assert (reply["instance_push_id"], reply["subdomain"]) == (mine.instance_push_id, subdomain)
    assert reply["external_id"] != "reply-1"


def test_one_request_under_two_accounts_is_two_answers(target: AttackTarget, subdomain: str) -> None:
    """Or whoever knows a request's identifier could keep another account's answer from coming."""
    mine, theirs = connect(target, subdomain), connect(target, subdomain)
    ids = [
        json.loads(target.channelback(each.metadata, request_unique_identifier="same").text)["external_id"]
        for each in (mine, theirs)
    ]
    assert len(set(ids)) == 2
    assert sorted(reply["external_id"] for reply in target.answers()) == sorted(ids)


def test_what_a_former_account_kept_is_worth_nothing(target: AttackTarget, subdomain: str) -> None:
    account = connect(target, subdomain)
    target.zendesk.core.deactivate(account.instance_push_id)
    target.zendesk.events.settle(20)
    assert target.channelback(account.metadata).status == 403
    target.zendesk.core.remove(account.instance_push_id)
    target.zendesk.events.settle(20)
    assert target.channelback(account.metadata).status == 403
    assert target.answers() == []


def test_odd_forms_are_refused_and_cost_nobody_anything(target: AttackTarget, subdomain: str) -> None:
    account = connect(target, subdomain)
    good = urlencode({"message": "Hello", "metadata": account.metadata})
    before = target.items()
    odd: list[tuple[bytes | str, str, int]] = [
        (b"x" * 4_000_000, FORM, 413),  # Lambda takes 6 MB, a third of which is base64's
        (f"{good}&padding={'x' * 300_000}", FORM, 413),
        (f"{good}&metadata={'x' * 5_000}", FORM, 400),
        (f"{good}&message=other", FORM, 400),
        (f"{good}&message=%ED%A0%80", FORM, 400),
        (b"message=\xff", FORM, 400),
        (good + "&" * 100_000, FORM, 400),
        (urlencode({"message": "Hello", "metadata": "x" * 5_000}), FORM, 403),
        (urlencode({"message": "Hello", "metadata": "x" * 5_001}), FORM, 400),
        (urlencode({"message": "Hello", "metadata": "[" * 5_000}), FORM, 403),
        (json.dumps({"message": "Hello", "metadata": account.metadata}), "application/json", 415),
        (good, "multipart/form-data; boundary=x", 415),
        ("", FORM, 400),
    ]
    for body, content_type, status in odd:
        assert target.post("/channelback", body, content_type).status == status, (body[:80], status)
    assert target.items() == before
    assert target.answers() == []
    assert target.channelback(account.metadata).status == 200


def test_one_request_ever_so_often_at_once_is_one_answer(target: AttackTarget, subdomain: str) -> None:
    account = connect(target, subdomain)
    with ThreadPoolExecutor(8) as executor:
        answers = list(
            executor.map(
                lambda _: target.channelback(account.metadata, request_unique_identifier="same"), range(40)
            )
        )
    assert {answer.status for answer in answers} == {200}
    assert len({answer.text for answer in answers}) == 1
    assert len(target.answers()) == 1


def test_the_metadata_is_in_no_log_line_and_on_no_queue(target: AttackTarget, subdomain: str) -> None:
    account = connect(target, subdomain)
    assert target.channelback(account.metadata, message="canary-agent").status == 200
    assert target.channelback(account.metadata[:-1], message="canary-agent").status == 403
    secrets = [json.loads(account.metadata)[name] for name in SECRETS]
    logs, queues = target.stack.logs.text(), repr(target.messages())
    assert "canary-agent" not in logs
    assert "canary-agent" in queues
    assert [secret for secret in secrets if secret in logs or secret in queues] == []
