"""The metadata that Zendesk keeps for an account and hands back: ours by its MAC, which is checked before any call.

A MAC proves that we wrote it, no more: anybody can have metadata made for anybody's account, with a junk token in it.
What authenticates is its nonce, if the account's record holds the same.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from botocore.exceptions import ClientError

from admin_callback.accounts.metadata_keys import MetadataKeys
from zendesk_channel.accounts import Account, AccountState
from zendesk_channel.aws import error_code, store_errors
from zendesk_channel.contract import MAX_METADATA, InstancePushId, PushToken, Subdomain
from zendesk_channel.errors import InvalidValueError, ZendeskChannelError

if TYPE_CHECKING:
    from mypy_boto3_kms import KMSClient

SEALED_TOKEN_LIFETIME: Final = 24 * 3600  # seconds
_VERSION: Final = 2
_NOT_OURS: Final = ("InvalidCiphertextException", "IncorrectKeyException", "ValidationException")
# An AccessDeniedException with this text is about this function, which may not use its key: then nothing is known of
# the ciphertext. Any other is about the ciphertext, which names a key of somebody else's.
_NOT_ALLOWED: Final = "is not authorized to perform"


class MetadataVersionError(ZendeskChannelError):
    """Ours, in a version that this code does not know: a newer one is at work beside it, and a repeat will find it."""


@dataclass(frozen=True)
class Metadata:
    """What we wrote. ``issued_at`` in epoch seconds; ``sealed`` is a token that was not confirmed then, encrypted."""

    instance_push_id: InstancePushId
    subdomain: Subdomain
    nonce: str = field(repr=False)
    issued_at: float
    sealed: bytes | None = field(default=None, repr=False)

    def has_live_token(self, now: float) -> bool:
        """Whether a token goes along that is not older than a day."""
        return self.sealed is not None and now - self.issued_at <= SEALED_TOKEN_LIFETIME

    def speaks_for(self, record: Account | None) -> bool:
        """Whether it holds the nonce that was recorded when Zendesk confirmed a token of this account.

        Nothing speaks for a destroyed account, whatever is left of it.
        """
        if record is None or record.state is AccountState.DELETED or not record.nonce:
            return False
        return record.instance_push_id == self.instance_push_id and hmac.compare_digest(
            record.nonce.encode(), self.nonce.encode()
        )


class MetadataSealer:
    """Writes metadata and reads it back. Every method raises StoreUnavailableError if AWS fails."""

    def __init__(self, kms: "KMSClient", key_arn: str, keys: MetadataKeys) -> None:
        self._kms = kms
        self._key_arn = key_arn
        self._keys = keys

    def write(
        self,
        instance_push_id: InstancePushId,
        subdomain: Subdomain,
        *,
        nonce: str,
        issued_at: float,
        token: PushToken | None = None,
    ) -> str:
        """The metadata string, at most 5,000 characters; a token goes along sealed, which is one call to KMS."""
        inside: dict[str, Any] = {
            "v": _VERSION,
            "instance_push_id": instance_push_id,
            "subdomain": subdomain,
            "nonce": nonce,
            "issued_at": round(issued_at, 3),
        }
        if token:
            inside["sealed"] = base64.b64encode(self._seal(instance_push_id, subdomain, token)).decode()
        return json.dumps({**inside, "mac": self._keys.sign(_canonical(inside))}, separators=(",", ":"))

    def authenticate(self, text: str) -> Metadata | None:
        """The metadata of a string that we wrote; None for any other, which costs no call to AWS.

        Raises:
            MetadataVersionError: we wrote it, in a version that is not known here.
        """
        value = _object(text)
        mac = value.pop("mac", None)
        if not isinstance(mac, str) or not mac.isascii() or not self._keys.verify(_canonical(value), mac):
            return None
        try:
            if value["v"] != _VERSION:
                raise MetadataVersionError(f"metadata of version {value['v']!r:.20}")
            return Metadata(
                InstancePushId(value["instance_push_id"]),
                Subdomain(value["subdomain"]),
                nonce=str(value["nonce"]),
                issued_at=float(value["issued_at"]),
                sealed=base64.b64decode(value["sealed"], validate=True) if "sealed" in value else None,
            )
        except (KeyError, TypeError, ValueError, binascii.Error):
            raise MetadataVersionError("metadata in a form that is not known here") from None

    def open(self, metadata: Metadata) -> PushToken | None:
        """The sealed token, by one call to KMS; None if there is none, or this key did not seal it for these ids."""
        if metadata.sealed is None:
            return None
        with store_errors("Decrypt"):
            try:
                answer = self._kms.decrypt(
                    KeyId=self._key_arn,
                    CiphertextBlob=metadata.sealed,
                    EncryptionContext=_context(metadata.instance_push_id, metadata.subdomain),
                )
            except ClientError as error:
                if _is_about_ciphertext(error):
                    return None
                raise
        try:
            return PushToken(answer["Plaintext"].decode())
        except (InvalidValueError, UnicodeDecodeError):
            return None

    def _seal(self, instance_push_id: InstancePushId, subdomain: Subdomain, token: PushToken) -> bytes:
        with store_errors("Encrypt"):
            return self._kms.encrypt(
                KeyId=self._key_arn,
                Plaintext=token.reveal().encode(),
                EncryptionContext=_context(instance_push_id, subdomain),
            )["CiphertextBlob"]


def _object(text: str) -> dict[str, Any]:
    """A JSON object of a size that we could have written, or an empty one."""
    if len(text) > MAX_METADATA:
        return {}
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _canonical(value: Mapping[str, Any]) -> bytes:
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()


def _is_about_ciphertext(error: ClientError) -> bool:
    if error_code(error) == "AccessDeniedException":
        return _NOT_ALLOWED not in str(error.response["Error"].get("Message", ""))
    return error_code(error) in _NOT_OURS


def _context(instance_push_id: InstancePushId, subdomain: Subdomain) -> dict[str, str]:
    return {"instance_push_id": str(instance_push_id), "subdomain": str(subdomain)}
