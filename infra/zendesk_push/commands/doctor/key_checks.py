"""The KMS key: without it nothing can be read, and every account has to be connected again."""

from collections.abc import Iterator

from zendesk_push.commands.doctor.findings import Finding, fail, ok, skip
from zendesk_push.deployment import Deployment

_SUBJECT = "key"


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
