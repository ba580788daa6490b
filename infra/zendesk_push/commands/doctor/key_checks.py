"""The KMS key, without which nothing can be read, and the metadata's, without which nobody's events are believed."""

import time
from collections.abc import Iterator

from botocore.exceptions import ClientError

from zendesk_push.commands.doctor.findings import Finding, fail, ok, skip
from zendesk_push.deployment import Deployment
from zendesk_push.terminal import duration

_SUBJECT = "key"
_METADATA_KEY = "metadata key"
_RESTORE = "restore it (docs/deployment.md): without it the events of every account are taken for forged"


def check_key(deployment: Deployment) -> Iterator[Finding]:
    """The content queue's key, which is that of everything else, can be used and will stay."""
    if deployment.queue_url is None:
        yield skip(_SUBJECT, "the content queue is not known: give --stack-name or --queue-url")
        return
    attributes = deployment.client("sqs").get_queue_attributes(
        QueueUrl=deployment.queue_url, AttributeNames=["KmsMasterKeyId"]
    )
    key_id = attributes.get("Attributes", {}).get("KmsMasterKeyId")
    if not key_id:
        yield skip(_SUBJECT, "the content queue has none")
        return
    key = deployment.client("kms").describe_key(KeyId=key_id)["KeyMetadata"]
    state = key["KeyState"]
    if state == "PendingDeletion":
        yield fail(
            _SUBJECT,
            f"{key['KeyId']} will be deleted on {key['DeletionDate']:%Y-%m-%d}",
            "cancel that in the KMS console at once and enable the key: without it all is lost",
        )
    elif state != "Enabled":
        yield fail(
            _SUBJECT, f"{key['KeyId']} is {state}", "enable it in the KMS console: nothing works without it"
        )
    else:
        yield ok(_SUBJECT, f"{key['KeyId']} is enabled")


def check_metadata_key(deployment: Deployment) -> Iterator[Finding]:
    """The key of the metadata's MAC is there, and how old it is."""
    if deployment.stack_name is None:
        yield skip(_METADATA_KEY, "its name is not known: give --stack-name")
        return
    name = f"{deployment.stack_name}-metadata-key"
    try:
        secret = deployment.client("secretsmanager").describe_secret(SecretId=name)
    except ClientError as error:
        if error.response["Error"]["Code"] != "ResourceNotFoundException":
            raise
        yield fail(_METADATA_KEY, f"{name} is not there", _RESTORE)
        return
    if "DeletedDate" in secret:
        yield fail(_METADATA_KEY, f"{name} is marked for deletion", _RESTORE)
        return
    changed = secret.get("LastChangedDate") or secret["CreatedDate"]
    age = duration(max(0.0, time.time() - changed.timestamp()))
    rotated = any("AWSPREVIOUS" in stages for stages in secret.get("VersionIdsToStages", {}).values())
    yield ok(
        _METADATA_KEY, f"{name} is {age} old" + (", and the one before it counts as well" if rotated else "")
    )
