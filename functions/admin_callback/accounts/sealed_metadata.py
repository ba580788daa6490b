"""The metadata that Zendesk keeps for an account and hands back: sealed, so that nobody reads or changes it.

A seal proves nothing by itself: anybody can have one made for anybody's account, with a junk token in it. What
authenticates is its nonce, if the account's record holds the same (see registration.py).
"""

import base64
import binascii
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from zendesk_channel.aws import error_code, store_errors
from zendesk_channel.contract import MAX_METADATA, InstancePushId, PushToken, Subdomain
from zendesk_channel.errors import InvalidValueError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

SEALED_TOKEN_LIFETIME: Final = 24 * 3600  # seconds
_VERSION: Final = 1
_MAX_CIPHERTEXT: Final = 6_144  # bytes; KMS's own limit
_NOT_OURS: Final = ("InvalidCiphertextException", "IncorrectKeyException", "ValidationException")
# An AccessDeniedException with this text is about this function, which may not use its key: then nothing is known of
# the ciphertext. Any other is about the ciphertext, which names a key of somebody else's.
_NOT_ALLOWED: Final = "is not authorized to perform"


@dataclass(frozen=True)
class Envelope:
    """Metadata that has our form. Its ids are in the clear and say only whose seal it claims to be."""

    instance_push_id: InstancePushId
    subdomain: Subdomain
    ciphertext: bytes


@dataclass(frozen=True)
class Seal:
    """What is sealed. ``issued_at`` in epoch seconds; the token is there until Zendesk has confirmed it."""

    instance_push_id: InstancePushId
    subdomain: Subdomain
    nonce: str
    issued_at: float
    token: PushToken | None = None

    def live_token(self, now: float) -> PushToken | None:
        """The token, unless it is older than a day."""
        return self.token if now - self.issued_at <= SEALED_TOKEN_LIFETIME else None


def parse_metadata(text: str) -> Envelope | None:
    """The envelope of a metadata string; None for whatever this project did not write."""
    if len(text) > MAX_METADATA:
        return None
    try:
        value = json.loads(text)
        if not isinstance(value, dict) or value.get("v") != _VERSION:
            return None
        ciphertext = base64.b64decode(value["sealed"], validate=True)
        if not 0 < len(ciphertext) <= _MAX_CIPHERTEXT:
            return None
        return Envelope(InstancePushId(value["instance_push_id"]), Subdomain(value["subdomain"]), ciphertext)
    except (ValueError, KeyError, TypeError, RecursionError, binascii.Error):
        return None


class MetadataSealer:
    """Seals and opens by KMS. Both methods raise StoreUnavailableError if KMS fails."""

    def __init__(self, kms: "KMSClient", key_arn: str) -> None:
        self._kms = kms
        self._key_arn = key_arn

    def seal(self, seal: Seal) -> str:
        """The metadata string, at most 5,000 characters."""
        inside: dict[str, Any] = {"nonce": seal.nonce, "issued_at": round(seal.issued_at, 3)}
        if seal.token:
            inside["token"] = seal.token.reveal()
        with store_errors("Encrypt"):
            answer = self._kms.encrypt(
                KeyId=self._key_arn,
                Plaintext=json.dumps(inside).encode(),
                EncryptionContext=_context(seal.instance_push_id, seal.subdomain),
            )
        return json.dumps(
            {
                "v": _VERSION,
                "instance_push_id": seal.instance_push_id,
                "subdomain": seal.subdomain,
                "sealed": base64.b64encode(answer["CiphertextBlob"]).decode(),
            },
            separators=(",", ":"),
        )

    def open(self, envelope: Envelope) -> Seal | None:
        """What is inside; None if this key did not seal it for these two ids."""
        with store_errors("Decrypt"):
            try:
                answer = self._kms.decrypt(
                    KeyId=self._key_arn,
                    CiphertextBlob=envelope.ciphertext,
                    EncryptionContext=_context(envelope.instance_push_id, envelope.subdomain),
                )
            except ClientError as error:
                if _is_about_ciphertext(error):
                    return None
                raise
        try:
            inside = json.loads(answer["Plaintext"])
            return Seal(
                envelope.instance_push_id,
                envelope.subdomain,
                nonce=str(inside["nonce"]),
                issued_at=float(inside["issued_at"]),
                token=PushToken(inside["token"]) if "token" in inside else None,
            )
        except (ValueError, KeyError, TypeError, InvalidValueError):
            return None


def _is_about_ciphertext(error: ClientError) -> bool:
    if error_code(error) == "AccessDeniedException":
        return _NOT_ALLOWED not in str(error.response["Error"].get("Message", ""))
    return error_code(error) in _NOT_OURS


def _context(instance_push_id: InstancePushId, subdomain: Subdomain) -> dict[str, str]:
    return {"instance_push_id": str(instance_push_id), "subdomain": str(subdomain)}
