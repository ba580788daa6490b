"""Push tokens in Secrets Manager: one secret for each account, one version for each token.

The account's record names the version that push reads, so a version that nobody confirmed can lie beside it
unused. The stage AWSCURRENT follows for whoever looks with the console; nothing here relies on it.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from zendesk_channel.aws import error_code, store_errors
from zendesk_channel.contract import InstancePushId, PushToken
from zendesk_channel.errors import CredentialMissingError, InvalidValueError

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

RECOVERY_WINDOW: Final = 7  # days; Secrets Manager's minimum
_CURRENT: Final = "AWSCURRENT"
_PENDING: Final = "AWSPENDING"
_MISSING: Final = ("ResourceNotFoundException", "InvalidRequestException")


class CredentialStore:
    """The accounts' secrets, ``<prefix>/<instance_push_id>``. Every method raises StoreUnavailableError if AWS fails.

    ``key_arn`` is the KMS key that new secrets are encrypted with.
    """

    def __init__(self, secrets: "SecretsManagerClient", prefix: str, key_arn: str) -> None:
        self._secrets = secrets
        self._prefix = prefix
        self._key_arn = key_arn

    def read(self, instance_push_id: InstancePushId, version: str) -> PushToken:
        """The token of one version.

        Raises:
            CredentialMissingError: no such secret or version, it is marked for deletion, or it does not hold a token.
        """
        with store_errors("GetSecretValue"):
            try:
                answer = self._secrets.get_secret_value(
                    SecretId=self._name(instance_push_id), VersionId=version
                )
            except ClientError as error:
                if error_code(error) in _MISSING:
                    raise CredentialMissingError("GetSecretValue", error_code(error)) from None
                raise
        try:
            return PushToken(answer["SecretString"])
        except (KeyError, InvalidValueError):
            raise CredentialMissingError("GetSecretValue", "NotAToken") from None

    def store(self, instance_push_id: InstancePushId, token: PushToken, *, pending: bool = False) -> str:
        """Put a token into its account's secret, which is made or restored as needed; doing it twice changes nothing.

        ``pending`` leaves the current version current.

        Returns:
            The version to name in the account's record.
        """
        name, version = self._name(instance_push_id), token.version
        created = self._create(name, token)
        secret = self._describe(name)
        if secret is None and created:
            return version  # made just now, and not to be seen yet: that may take seconds
        # CreateSecret succeeds without doing anything if the secret has this very version, current or not.
        secret = secret or _Secret()
        if secret.marked_for_deletion:
            self._restore(name)
        stages = secret.stages.get(version, ())
        if not stages:
            stages = self._put(name, token, _PENDING if pending else _CURRENT)
        # A put that repeats a version which is there moves no stage, and a version without one may be cleaned up.
        if not pending and _CURRENT not in stages:
            self._move_current(name, secret.current, version)
        return version

    def make_current(self, instance_push_id: InstancePushId, version: str) -> None:
        """Move AWSCURRENT to a version that is there."""
        name = self._name(instance_push_id)
        secret = self._describe(name) or _Secret()
        if secret.current != version:
            self._move_current(name, secret.current, version)

    def schedule_deletion(self, instance_push_id: InstancePushId) -> None:
        """Send the secret into its recovery window; nothing happens if it is there already, or gone."""
        with store_errors("DeleteSecret"):
            try:
                self._secrets.delete_secret(
                    SecretId=self._name(instance_push_id), RecoveryWindowInDays=RECOVERY_WINDOW
                )
            except ClientError as error:
                if error_code(error) not in _MISSING:
                    raise

    def restore(self, instance_push_id: InstancePushId) -> bool:
        """Take the secret out of its recovery window; False if it was not in there, or is gone."""
        name = self._name(instance_push_id)
        secret = self._describe(name)
        if secret is None or not secret.marked_for_deletion:
            return False
        self._restore(name)
        return True

    def _describe(self, name: str) -> "_Secret | None":
        with store_errors("DescribeSecret"):
            try:
                answer = self._secrets.describe_secret(SecretId=name)
            except ClientError as error:
                if error_code(error) == "ResourceNotFoundException":
                    return None
                raise
        return _Secret(answer.get("VersionIdsToStages", {}), "DeletedDate" in answer)

    def _restore(self, name: str) -> None:
        with store_errors("RestoreSecret"):
            self._secrets.restore_secret(SecretId=name)

    def _create(self, name: str, token: PushToken) -> bool:
        """Make the secret with its first version; False if there is one already (perhaps marked for deletion)."""
        with store_errors("CreateSecret"):
            try:
                self._secrets.create_secret(
                    Name=name,
                    ClientRequestToken=token.version,
                    SecretString=token.reveal(),
                    KmsKeyId=self._key_arn,
                )
            except ClientError as error:
                if error_code(error) in ("ResourceExistsException", "InvalidRequestException"):
                    return False
                raise
        return True

    def _put(self, name: str, token: PushToken, stage: str) -> Collection[str]:
        """The stages that the token's version has now."""
        with store_errors("PutSecretValue"):
            return self._secrets.put_secret_value(
                SecretId=name,
                ClientRequestToken=token.version,
                SecretString=token.reveal(),
                VersionStages=[stage],
            ).get("VersionStages", ())

    def _move_current(self, name: str, holder: str | None, version: str) -> None:
        held = {"RemoveFromVersionId": holder} if holder else {}
        with store_errors("UpdateSecretVersionStage"):
            self._secrets.update_secret_version_stage(
                SecretId=name, VersionStage=_CURRENT, MoveToVersionId=version, **held
            )

    def _name(self, instance_push_id: InstancePushId) -> str:
        return f"{self._prefix}/{instance_push_id}"


@dataclass(frozen=True)
class _Secret:
    """What DescribeSecret says."""

    stages: Mapping[str, Collection[str]] = field(default_factory=dict)  # by version
    marked_for_deletion: bool = False

    @property
    def current(self) -> str | None:
        return next((version for version, stages in self.stages.items() if _CURRENT in stages), None)
