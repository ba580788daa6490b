"""Push tokens in Secrets Manager: one secret for each account, one version for each token.

The account's record names the version that push reads, so a version that nobody confirmed can lie beside it
unused. The stage AWSCURRENT follows for whoever looks with the console; nothing here relies on it.
"""

from typing import TYPE_CHECKING, Final

from botocore.exceptions import ClientError

from zendesk_channel.aws import error_code, store_errors
from zendesk_channel.contract import InstancePushId, PushToken
from zendesk_channel.errors import CredentialMissingError, InvalidValueError, StoreUnavailableError

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
            CredentialMissingError: no such secret or version, it is marked for deletion, or what is in it is no token.
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
        """Put a token into its account's secret, which is made or restored as needed; twice is as once.

        ``pending`` leaves the current version current.

        Returns:
            The version to name in the account's record.
        """
        version = token.version
        created = self._create(instance_push_id, token)
        # CreateSecret succeeds without doing anything if the secret has this very version, current or not.
        self.restore(instance_push_id)
        if not created:
            with store_errors("PutSecretValue"):
                self._secrets.put_secret_value(
                    SecretId=self._name(instance_push_id),
                    ClientRequestToken=version,
                    SecretString=token.reveal(),
                    VersionStages=[_PENDING if pending else _CURRENT],
                )
        if not pending:
            self.make_current(instance_push_id, version)
        return version

    def make_current(self, instance_push_id: InstancePushId, version: str) -> None:
        """Move AWSCURRENT to a version that is there; a put that repeats an older token does not move it."""
        with store_errors("DescribeSecret"):
            stages = self._secrets.describe_secret(SecretId=self._name(instance_push_id)).get(
                "VersionIdsToStages", {}
            )
        holder = next((key for key, names in stages.items() if _CURRENT in names), None)
        if holder == version:
            return
        with store_errors("UpdateSecretVersionStage"):
            if holder:
                self._secrets.update_secret_version_stage(
                    SecretId=self._name(instance_push_id),
                    VersionStage=_CURRENT,
                    MoveToVersionId=version,
                    RemoveFromVersionId=holder,
                )
            else:
                self._secrets.update_secret_version_stage(
                    SecretId=self._name(instance_push_id), VersionStage=_CURRENT, MoveToVersionId=version
                )

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
        """Take the secret out of its recovery window; False if it was not in there.

        Raises:
            CredentialMissingError: there is no such secret.
        """
        name = self._name(instance_push_id)
        with store_errors("DescribeSecret"):
            try:
                deleted = self._secrets.describe_secret(SecretId=name).get("DeletedDate")
            except ClientError as error:
                if error_code(error) == "ResourceNotFoundException":
                    raise CredentialMissingError("DescribeSecret", error_code(error)) from None
                raise
        if deleted:
            with store_errors("RestoreSecret"):
                self._secrets.restore_secret(SecretId=name)
        return bool(deleted)

    def _create(self, instance_push_id: InstancePushId, token: PushToken) -> bool:
        """Make the secret with its first version; False if there is one already (perhaps marked for deletion)."""
        try:
            with store_errors("CreateSecret"):
                self._secrets.create_secret(
                    Name=self._name(instance_push_id),
                    ClientRequestToken=token.version,
                    SecretString=token.reveal(),
                    KmsKeyId=self._key_arn,
                )
        except StoreUnavailableError as error:
            if error.code in ("ResourceExistsException", "InvalidRequestException"):
                return False
            raise
        return True

    def _name(self, instance_push_id: InstancePushId) -> str:
        return f"{self._prefix}/{instance_push_id}"
