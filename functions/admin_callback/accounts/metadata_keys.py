"""The key of the metadata's MAC, which Secrets Manager has generated: its current and its previous version.

Both versions authenticate, so the key can be rotated while Zendesk hands back what was written under the older one.
"""

import hmac
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from zendesk_channel.aws import error_code, store_errors
from zendesk_channel.clock import Clock
from zendesk_channel.errors import StoreUnavailableError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

READ_EVERY: Final = 3600.0  # seconds
_RETRY_AFTER: Final = 60.0  # seconds after a reading that failed ...
_RETRY_FIRST_AFTER: Final = 5.0  # ... and after one without which nothing can be answered
# Seconds. A new version signs only when every container has read it: others would take its metadata for forged.
SIGNS_AFTER: Final = 2 * READ_EVERY


@dataclass(frozen=True)
class _KeyVersion:
    key: bytes
    created_at: float  # epoch seconds


class MetadataKeys:
    """Reads the secret once per container, and again every hour.

    Both methods raise StoreUnavailableError if it can't be read and never was.
    """

    def __init__(self, secrets: "SecretsManagerClient", secret_id: str, clock: Clock) -> None:
        self._secrets = secrets
        self._secret_id = secret_id
        self._clock = clock
        self._versions: tuple[_KeyVersion, ...] = ()
        self._read_again_at = 0.0
        self._error_code = ""  # AWS's name of the last reading's error

    def sign(self, text: bytes) -> str:
        """HMAC-SHA256 in hexadecimal, under the version that every container knows by now."""
        current, *previous = self._read()
        young = self._clock.now() - current.created_at < SIGNS_AFTER
        return _mac((previous[0] if previous and young else current).key, text)

    def verify(self, text: bytes, mac: str) -> bool:
        """Whether one of the two versions has signed this."""
        # Each is compared: how long it takes says nothing.
        matches = [hmac.compare_digest(_mac(version.key, text), mac) for version in self._read()]
        return any(matches)

    def _read(self) -> tuple[_KeyVersion, ...]:
        now = self._clock.now()
        if now >= self._read_again_at:
            try:
                self._versions = tuple(filter(None, map(self._version, ("AWSCURRENT", "AWSPREVIOUS"))))
                self._read_again_at = now + READ_EVERY
            except StoreUnavailableError as error:
                self._error_code = error.code
                self._read_again_at = now + (_RETRY_AFTER if self._versions else _RETRY_FIRST_AFTER)
        if not self._versions:
            # Also without another call: one request may bring thousands of strings, and anybody can send it.
            raise StoreUnavailableError("GetSecretValue", self._error_code)
        return self._versions

    def _version(self, stage: str) -> _KeyVersion | None:
        with store_errors("GetSecretValue"):
            try:
                answer = self._secrets.get_secret_value(SecretId=self._secret_id, VersionStage=stage)
            except ClientError as error:
                # A key that was never rotated has no previous version.
                if stage == "AWSPREVIOUS" and error_code(error) == "ResourceNotFoundException":
                    return None
                raise
        return _KeyVersion(answer["SecretString"].encode(), answer["CreatedDate"].timestamp())


def _mac(key: bytes, text: bytes) -> str:
    return hmac.digest(key, text, "sha256").hex()
