"""AWS fails, or does in the middle what it does: nothing is lost, and the answer asks for a repeat."""

import pytest

from integration.admin_callback import aws_faults
from integration.admin_callback.world import TABLE, MotoAdminWorld
from zendesk_channel.accounts import AccountState

ACCOUNT = "3cd1d2a5-aaf2-41fe-a9f1-519499605854"
OLD, NEW = "a" * 64, "b" * 64
CREATE, ACTIVATE, DEACTIVATE, DESTROY = (
    f"{verb}_integration_instance" for verb in ("create", "activate", "deactivate", "destroy")
)


@pytest.fixture
def metadata(world: MotoAdminWorld) -> str:
    """A connected account's."""
    return world.connect(account=ACCOUNT, token=OLD).metadata


def state(world: MotoAdminWorld) -> AccountState:
    return world.known(ACCOUNT).state


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("dynamodb", "GetItem"),
        ("secretsmanager", "CreateSecret"),
        ("secretsmanager", "DescribeSecret"),
        ("dynamodb", "UpdateItem"),
        ("secretsmanager", "GetSecretValue"),
        ("kms", "Encrypt"),
    ],
)
def test_when_aws_fails_the_page_says_to_come_back(
    world: MotoAdminWorld, service: str, operation: str
) -> None:
    aws_faults.refuse(service, operation)
    world.restart()
    if operation != "Encrypt":
        world.zendesk.accept("acme", "id-1", "a" * 64)
    answer = world.callback(instance_push_id="id-1")
    assert (answer.status, answer.state, answer.headers["Retry-After"]) == (503, "refused", "60")
    assert "<form" not in answer.body


@pytest.mark.parametrize(
    ("service", "operation"),
    [
        ("dynamodb", "GetItem"),
        ("dynamodb", "UpdateItem"),
        ("secretsmanager", "DeleteSecret"),
        ("secretsmanager", "GetSecretValue"),
    ],
)
@pytest.mark.parametrize("code", ["ThrottledForGood", "AccessDeniedException"])
def test_an_authentic_event_that_cannot_be_stored_asks_for_a_repeat(
    world: MotoAdminWorld, metadata: str, service: str, operation: str, code: str
) -> None:
    aws_faults.refuse(service, operation, code)
    world.restart()
    assert world.event(DESTROY, metadata).status == 503


def interrupt_destroy(world: MotoAdminWorld, metadata: str) -> None:
    """Between the mark and the deletion of the secret."""
    aws_faults.refuse("secretsmanager", "DeleteSecret", "InternalServiceError")
    world.restart()
    assert world.event(DESTROY, metadata).status == 503
    world.heal_aws()


def test_a_repeat_finishes_a_destroy_that_was_interrupted(world: MotoAdminWorld, metadata: str) -> None:
    aws_faults.refuse("secretsmanager", "DeleteSecret", "InternalServiceError")
    world.restart()
    assert world.event(DESTROY, metadata).status == 503
    assert state(world) is AccountState.DELETED  # nothing is pushed from now on
    for event in (ACTIVATE, DEACTIVATE):
        world.event(event, metadata)
        assert state(world) is AccountState.DELETED
    world.heal_aws()
    assert world.event(DESTROY, metadata).status == 200
    assert world.secret_deleted(ACCOUNT)
    assert world.known(ACCOUNT).nonce is None


def test_the_metadata_of_before_an_interrupted_destroy_is_nobodys_after_a_revival(
    world: MotoAdminWorld, metadata: str
) -> None:
    interrupt_destroy(world, metadata)
    world.connect(account=ACCOUNT, token=OLD)
    world.event(DESTROY, metadata)
    assert state(world) is AccountState.ACTIVE


def test_the_metadata_of_before_an_interrupted_destroy_speaks_for_no_callback(
    world: MotoAdminWorld, metadata: str
) -> None:
    interrupt_destroy(world, metadata)
    before = world.known(ACCOUNT)
    assert (before.state, before.nonce) == (AccountState.DELETED, None)
    page = world.callback(instance_push_id=ACCOUNT, zendesk_access_token=NEW, metadata=metadata)
    assert (page.state, world.known(ACCOUNT)) == ("unconfirmed", before)
    assert world.read_metadata(page.metadata).nonce != world.read_metadata(metadata).nonce


def test_the_schedule_finishes_a_destroy_that_nobody_repeats(world: MotoAdminWorld, metadata: str) -> None:
    interrupt_destroy(world, metadata)
    world.revalidate()
    assert world.secret_deleted(ACCOUNT)
    assert (world.known(ACCOUNT).token_version, world.known(ACCOUNT).nonce) == ("", None)


def test_a_record_that_somebody_spoilt_by_hand_stops_only_its_own_events(
    world: MotoAdminWorld, metadata: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other = world.connect("other", account="other").metadata
    key = {"pk": {"S": f"account#{ACCOUNT}"}}
    world.dynamodb.put_item(TableName=TABLE, Item={**key, "state": {"S": "half"}})

    answer = world.events(world.event_body(DEACTIVATE, metadata), world.event_body(DEACTIVATE, other))

    assert answer.status == 503
    assert world.known("other").state is AccountState.INACTIVE
    assert world.callback(instance_push_id=ACCOUNT, zendesk_access_token=OLD).status == 503
    assert "UnreadableItem" in capsys.readouterr().out


def test_a_receipt_that_cannot_be_handed_on_asks_for_a_repeat(world: MotoAdminWorld) -> None:
    aws_faults.refuse("sqs", "SendMessageBatch")
    world.restart(receipt_queue_url=world.receipts_url)
    report = {"external_id": "e-1", "ticket_id": 35}
    answer = world.event("resources_created_from_external_ids", request_id="r", resource_events=[report])
    assert answer.status == 503


def test_the_secret_holds_the_token_alone_under_its_hash(world: MotoAdminWorld) -> None:
    world.connect(account=ACCOUNT)
    secret = world.secrets.get_secret_value(SecretId=f"zendesk-push/{ACCOUNT}")
    assert (secret["SecretString"], secret["VersionId"]) == ("a" * 64, world.known(ACCOUNT).token_version)
    described = world.secrets.describe_secret(SecretId=f"zendesk-push/{ACCOUNT}")
    assert described["KmsKeyId"] == world.key_arn
