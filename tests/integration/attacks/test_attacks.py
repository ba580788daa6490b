"""What an attacker tries against the running stack, and what it gets: nothing stored, nobody else's account."""

import base64
import json
import os
import re
import socket
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from integration.attacks.target import AttackTarget
from zendesk_push.simulator import ValidateTokenPolicy
from zendesk_push.simulator.admin_center import ConnectedAccount, connect_account, edit_account

# In one process it is ten thousand (tests/integration/admin_callback/test_forgery.py); over HTTP that takes a minute.
FORGED = int(os.environ.get("FORGED_CALLBACKS", "1000"))
AT_ONCE = 8


def connect(target: AttackTarget, subdomain: str) -> ConnectedAccount:
    """An administrator adds an account in Zendesk."""
    account = connect_account(target.zendesk.url_of(subdomain), subdomain, "Newsroom")
    target.zendesk.events.settle(20)
    return account


def token_of(target: AttackTarget, account: ConnectedAccount) -> str:
    """The token that Zendesk accepts for the account."""
    found = [
        each.token
        for each in target.zendesk.core.accounts
        if each.instance_push_id == account.instance_push_id
    ]
    assert found[0] is not None
    return found[0]


def test_registering_somebody_elses_account_from_another_subdomain(target: AttackTarget) -> None:
    """With a token that is valid there: an attacker has a Zendesk too, and may choose ids in a simulated one."""
    victim = connect(target, "victim")
    before = (target.record(victim.instance_push_id), target.secrets())
    attacker = connect(target, "attacker")
    token = token_of(target, attacker)
    for metadata in ("", attacker.metadata, victim.metadata):
        reply = target.callback("attacker", victim.instance_push_id, token, metadata=metadata)
        assert reply.status in (200, 403)
        assert 'data-state="connected"' not in reply.text
    assert target.record(victim.instance_push_id) == before[0]
    assert target.secrets().items() >= before[1].items()


def test_another_accounts_metadata_in_an_event(target: AttackTarget) -> None:
    victim, attacker = connect(target, "victim2"), connect(target, "attacker2")
    envelope = json.loads(attacker.metadata)
    theirs = json.loads(victim.metadata)
    mixed = [
        {**envelope, "instance_push_id": victim.instance_push_id},
        {**envelope, "instance_push_id": victim.instance_push_id, "subdomain": "victim2"},
        {**theirs, "nonce": envelope["nonce"]},
        {**theirs, "mac": envelope["mac"]},
        {**theirs, "sealed": base64.b64encode(b"x" * 300).decode()},
        {**theirs, "subdomain": "attacker2"},
    ]
    before = target.record(victim.instance_push_id)
    for verb in ("create", "activate", "deactivate", "destroy"):
        events = [
            {"type_id": f"{verb}_integration_instance", "data": {"metadata": json.dumps(metadata)}}
            for metadata in mixed
        ]
        assert (
            target.post("/event_callback", json.dumps({"events": events}), "application/json").status == 200
        )
    assert target.record(victim.instance_push_id) == before


def test_replaying_an_old_callback(target: AttackTarget) -> None:
    account = connect(target, "replayed")
    old = token_of(target, account)
    edit_account(target.zendesk.url_of("replayed"), "replayed", account.instance_push_id, new_token=True)
    target.zendesk.events.settle(20)
    target.zendesk.core.revoke_token(account.instance_push_id, old)
    registered = target.record(account.instance_push_id)
    assert registered is not None
    reply = target.callback("replayed", account.instance_push_id, old)
    assert 'data-state="connected"' not in reply.text
    assert target.record(account.instance_push_id) == registered


def test_script_in_every_field(target: AttackTarget) -> None:
    evil = "\"'><script>alert(1)</script>"
    origin = target.zendesk.url_of("markup")
    reply = target.callback(
        "markup", "any", "junk", name=evil, metadata=evil, locale=evil, return_url=f"{origin}/{evil}"
    )
    assert reply.status == 200
    assert "<script" not in reply.text
    policy = reply.headers["Content-Security-Policy"]
    assert "script" not in policy
    assert f"form-action {origin}; frame-ancestors {origin};" in policy
    reply = target.callback(evil, evil, evil)
    assert (reply.status, "<script" in reply.text) == (400, False)


def test_nothing_is_ever_asked_but_the_customers_zendesk(
    target: AttackTarget, listener: socket.socket
) -> None:
    """Every field that could hold an address points to the attacker."""
    host, port = listener.getsockname()
    address = f"{host}:{port}"
    for subdomain in (
        address,
        f"{address}/",
        f"{address}#",
        f"x@{address}",
        f"{address}?",
        f"evil.localhost:{port}/",
        f"evil.localhost:{port}#",
        "xn--a",
        "",
        "a" * 64,
    ):
        for return_url in (f"http://{address}/", f"http://{subdomain}.localhost:{target.zendesk.port}/"):
            assert target.callback(subdomain, "any", "junk", return_url=return_url).status == 400
    assert target.callback("good", "any", "junk", return_url=f"http://{address}/").status == 400
    with pytest.raises(BlockingIOError):
        listener.accept()


def test_forged_callbacks_by_the_thousand(target: AttackTarget) -> None:
    account = connect(target, "stormed")
    before = (target.items(), target.secrets())
    asked = len(target.zendesk.core.requests)

    def forge(number: int) -> int:
        instance_push_id = account.instance_push_id if number % 2 else str(uuid.UUID(int=number))
        return target.callback("stormed", instance_push_id, f"junk{number}").status

    with ThreadPoolExecutor(AT_ONCE) as pool:
        statuses = Counter(pool.map(forge, range(FORGED)))
    assert statuses == {200: FORGED}  # nobody is kept out: beyond the limit Zendesk is not asked, that is all
    assert (target.items(), target.secrets()) == before
    # Ten a minute and container: one container for each request at once, and a few minutes for a slow machine.
    calls = len(target.zendesk.core.requests) - asked
    assert calls <= 10 * AT_ONCE * 3
    assert target.callback("bystander", "any", "junk").status == 200
    # The account's own administrator is not kept out: the metadata that Zendesk hands over proves the callback.
    edited = edit_account(target.zendesk.url_of("stormed"), "stormed", account.instance_push_id)
    assert edited.page_state == "connected"


def test_a_renamed_zendesk_takes_its_account_along(target: AttackTarget) -> None:
    account = connect(target, "before")
    target.zendesk.core.accounts.rename_subdomain("before", "afterwards")
    edited = edit_account(
        target.zendesk.url_of("afterwards"), "afterwards", account.instance_push_id, new_token=True
    )
    assert edited.page_state == "connected"
    record = target.record(account.instance_push_id)
    assert record is not None
    assert (record["subdomain"], record["state"]) == ("afterwards", "active")


@pytest.mark.parametrize(
    "policy", [ValidateTokenPolicy.BEFORE_SAVE, ValidateTokenPolicy.AFTER_SAVE, ValidateTokenPolicy.ERROR]
)
def test_a_canary_token_is_nowhere_but_in_its_secret(
    target: AttackTarget, policy: ValidateTokenPolicy
) -> None:
    """Through adding, editing, removing and the schedule, however Zendesk answers meanwhile."""
    subdomain = f"canary-{policy.replace('_', '-')}"
    target.zendesk.core.validate_token_policy = policy
    account = connect(target, subdomain)
    edit_account(target.zendesk.url_of(subdomain), subdomain, account.instance_push_id, new_token=True)
    target.stack.fire_schedules()
    target.zendesk.events.settle(60)
    tokens = {
        dict(request.headers)["Authorization"].removeprefix("Bearer ")
        for request in target.zendesk.core.requests
        if request.subdomain == subdomain
    }
    canary = f"canary{uuid.uuid4().hex}"
    target.callback(subdomain, account.instance_push_id, canary, metadata=account.metadata)
    target.callback(subdomain, account.instance_push_id, f"{canary} {canary}")
    places = {
        "logs": target.stack.logs.text(),
        "replies": repr([(reply.headers, reply.text) for reply in target.replies]),
        "table": repr(target.items()),
        "queues": repr(target.messages()),
        "metadata": account.metadata,
    }
    assert tokens
    for token in (*tokens, canary):
        inner = re.sub(r"^.{4}|.{4}$", "", base64.b64encode(token.encode()).decode())
        assert [name for name, text in places.items() if token in text or inner in text] == []
