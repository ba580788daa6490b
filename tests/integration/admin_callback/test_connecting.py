"""A callback that Zendesk confirms: stored, and answered with the page that goes back to Zendesk."""

import re

from integration.admin_callback.world import World
from zendesk_channel.accounts import AccountState

ACCOUNT = "3cd1d2a5-aaf2-41fe-a9f1-519499605854"


def test_a_new_account_is_confirmed_stored_and_answered(world: World) -> None:
    answer = world.connect(account=ACCOUNT)

    account = world.account(ACCOUNT)
    assert account is not None
    assert (account.state, account.subdomain, account.revision) == (AccountState.ACTIVE, "acme", 1)
    assert world.token(account) == "a" * 64
    assert account.connected_at
    assert answer.action == world.form()["return_url"]
    assert set(answer.fields) == {"metadata", "name"}
    assert answer.fields["name"] == ""
    seal = world.opened(answer.metadata)
    assert (seal.nonce, seal.token) == (account.nonce, None)
    assert [(asked.subdomain, asked.body) for asked in world.zendesk.asked] == [
        ("acme", {"instance_push_id": ACCOUNT})
    ]
    assert re.search(r"<code>req-0001</code>", answer.body)
