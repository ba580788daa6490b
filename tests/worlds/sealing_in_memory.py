"""KMS and the metadata's key in memory: what they check of a call, and how often they were called."""

import secrets
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError


class KmsInMemory:
    """Encrypt and Decrypt of one key, with the encryption context."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.failing: str | None = None  # AWS's name of an error of Decrypt
        self._sealed: dict[bytes, tuple[bytes, dict[str, str]]] = {}

    def encrypt(self, **given: Any) -> dict[str, bytes]:
        plaintext, context = given["Plaintext"], given["EncryptionContext"]
        self.calls["Encrypt"] += 1
        # As long as KMS makes it: what has to fit into metadata must fit here as well.
        blob = secrets.token_bytes(len(plaintext) + 180)
        self._sealed[blob] = (plaintext, context)
        return {"CiphertextBlob": blob}

    def decrypt(self, **given: Any) -> dict[str, bytes]:
        self.calls["Decrypt"] += 1
        if self.failing:
            raise ClientError({"Error": {"Code": self.failing, "Message": ""}}, "Decrypt")
        plaintext, context = self._sealed.get(given["CiphertextBlob"], (b"", None))
        if context != given["EncryptionContext"]:
            raise ClientError({"Error": {"Code": "InvalidCiphertextException", "Message": ""}}, "Decrypt")
        return {"Plaintext": plaintext}


class MetadataKeySecret:
    """The one secret, its current and its previous version."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.calls = 0
        self.failing: str | None = None  # AWS's name of an error
        self._now = now
        self._versions: list[tuple[str, float]] = []
        self.rotate()

    def rotate(self) -> None:
        self._versions.insert(0, (secrets.token_hex(32), self._now()))

    def get_secret_value(self, **given: str) -> dict[str, Any]:
        self.calls += 1
        if self.failing:
            raise ClientError({"Error": {"Code": self.failing, "Message": ""}}, "GetSecretValue")
        number = ["AWSCURRENT", "AWSPREVIOUS"].index(given["VersionStage"])
        if number >= len(self._versions):
            raise ClientError(
                {"Error": {"Code": "ResourceNotFoundException", "Message": ""}}, "GetSecretValue"
            )
        key, created_at = self._versions[number]
        return {"SecretString": key, "CreatedDate": datetime.fromtimestamp(created_at, UTC)}
