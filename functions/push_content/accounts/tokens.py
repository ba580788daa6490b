"""Push tokens, read from Secrets Manager once for each version and container."""

import threading
from collections import OrderedDict
from typing import Final

from zendesk_channel.accounts import Account
from zendesk_channel.contract import InstancePushId, PushToken
from zendesk_channel.credentials import CredentialStore

_KEPT: Final = 2_000  # versions; a token is a hundred bytes


class TokenCache:
    """A version of a secret never changes, so nothing here grows old. Safe to use from several threads."""

    def __init__(self, credentials: CredentialStore) -> None:
        self._credentials = credentials
        self._tokens: OrderedDict[tuple[InstancePushId, str], PushToken] = OrderedDict()
        self._lock = threading.Lock()

    def token(self, account: Account) -> PushToken:
        """The token that the account's record names.

        Raises:
            CredentialMissingError: its secret or version is not there.
            StoreUnavailableError: AWS failed.
        """
        key = (account.instance_push_id, account.token_version)
        with self._lock:
            if key in self._tokens:
                self._tokens.move_to_end(key)
                return self._tokens[key]
        token = self._credentials.read(*key)
        with self._lock:
            self._tokens[key] = token
            while len(self._tokens) > _KEPT:
                self._tokens.popitem(last=False)
        return token
