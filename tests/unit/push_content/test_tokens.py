"""Tokens are read once for each version, and not kept for ever."""

from push_content.accounts import tokens
from push_content.accounts.tokens import TokenCache
from zendesk_channel.accounts import Account, AccountState
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_channel.credentials import CredentialStore

KEPT = tokens._KEPT


class Counting(CredentialStore):
    """A store whose token is its version's name."""

    def __init__(self) -> None:
        self.reads: list[str] = []

    def read(self, instance_push_id: InstancePushId, version: str) -> PushToken:  # noqa: ARG002
        self.reads.append(version)
        return PushToken(version)


def account(version: str) -> Account:
    return Account(InstancePushId("a"), Subdomain("acme"), AccountState.ACTIVE, 1, token_version=version)


def test_a_version_is_read_once_and_a_newer_one_again() -> None:
    store = Counting()
    cache = TokenCache(store)

    found = [cache.token(account(version)).reveal() for version in ("v1", "v1", "v2", "v2", "v1")]

    assert found == ["v1", "v1", "v2", "v2", "v1"]
    assert store.reads == ["v1", "v2"]


def test_what_was_used_longest_ago_is_forgotten_first() -> None:
    store = Counting()
    cache = TokenCache(store)
    for number in range(KEPT):
        cache.token(account(f"v{number}"))
    cache.token(account("v0"))
    cache.token(account("one-more"))
    store.reads.clear()

    cache.token(account("v0"))
    cache.token(account("v1"))

    assert store.reads == ["v1"]
