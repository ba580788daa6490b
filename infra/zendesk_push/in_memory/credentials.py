"""The accounts' secrets in memory, with their versions and their recovery window."""

import threading
from dataclasses import dataclass, field

from zendesk_channel.contract import InstancePushId, PushToken
from zendesk_channel.credentials import CredentialStore
from zendesk_channel.errors import CredentialMissingError


@dataclass
class _SecretInMemory:
    versions: dict[str, PushToken] = field(default_factory=dict)
    current: str | None = None
    deleted: bool = False


class InMemoryCredentials(CredentialStore):
    """``CredentialStore`` without Secrets Manager."""

    def __init__(self) -> None:
        self._held: dict[InstancePushId, _SecretInMemory] = {}
        self._lock = threading.RLock()

    def read(self, instance_push_id: InstancePushId, version: str) -> PushToken:
        """As the store's."""
        with self._lock:
            secret = self._held.get(instance_push_id)
            if secret is None or version not in secret.versions:
                raise CredentialMissingError("GetSecretValue", "ResourceNotFoundException")
            if secret.deleted:
                raise CredentialMissingError("GetSecretValue", "InvalidRequestException")
            return secret.versions[version]

    def store(self, instance_push_id: InstancePushId, token: PushToken, *, pending: bool = False) -> str:
        """As the store's."""
        with self._lock:
            secret = self._held.setdefault(instance_push_id, _SecretInMemory())
            secret.deleted = False
            secret.versions[token.version] = token
            if not pending or secret.current is None:
                secret.current = token.version
            return token.version

    def make_current(self, instance_push_id: InstancePushId, version: str) -> None:
        """As the store's."""
        with self._lock:
            self._held[instance_push_id].current = version

    def schedule_deletion(self, instance_push_id: InstancePushId) -> None:
        """As the store's."""
        with self._lock:
            if instance_push_id in self._held:
                self._held[instance_push_id].deleted = True

    def restore(self, instance_push_id: InstancePushId) -> bool:
        """As the store's."""
        with self._lock:
            secret = self._held.get(instance_push_id)
            if secret is None or not secret.deleted:
                return False
            secret.deleted = False
            return True

    def names(self) -> list[InstancePushId]:
        """The accounts that have a secret, those marked for deletion included."""
        with self._lock:
            return sorted(self._held)

    def versions(self, instance_push_id: InstancePushId) -> list[str]:
        """The versions of an account's secret."""
        with self._lock:
            return list(self._held[instance_push_id].versions)

    def current(self, instance_push_id: InstancePushId) -> str | None:
        """The version that is AWSCURRENT."""
        with self._lock:
            return self._held[instance_push_id].current

    def is_marked_for_deletion(self, instance_push_id: InstancePushId) -> bool:
        """Whether the secret is in its recovery window."""
        with self._lock:
            return self._held[instance_push_id].deleted
