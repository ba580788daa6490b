"""Whatever boto3 raises gets a name, and keeps nothing of what was sent."""

import traceback

import boto3
import pytest
from botocore.stub import Stubber

from zendesk_channel.accounts import AccountsTable
from zendesk_channel.contract import InstancePushId, PushToken
from zendesk_channel.credentials import CredentialStore
from zendesk_channel.errors import CredentialMissingError, StoreUnavailableError

ACCOUNT = InstancePushId("account")
TOKEN = PushToken("canary")  # not as one word: tracebacks quote lines of this file


@pytest.fixture(autouse=True)
def _somewhere_in_aws(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "testing")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")


def test_a_refused_parameter_is_not_quoted() -> None:
    """botocore's own message holds every parameter, the token among them."""
    secrets = boto3.client("secretsmanager")
    store = CredentialStore(secrets, "stack", key_arn=7)  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailableError) as caught:
        store.store(ACCOUNT, TOKEN)
    assert caught.value.code == "ParamValidationError"
    assert TOKEN.reveal() not in "".join(traceback.format_exception(caught.value))


def test_an_errors_text_is_not_passed_on_but_its_code() -> None:
    secrets = boto3.client("secretsmanager")
    with Stubber(secrets) as stubber:
        stubber.add_client_error("create_secret", "LimitExceededException", TOKEN.reveal())
        with pytest.raises(StoreUnavailableError) as caught:
            CredentialStore(secrets, "stack", "key").store(ACCOUNT, TOKEN)
    assert (caught.value.operation, caught.value.code) == ("CreateSecret", "LimitExceededException")
    assert TOKEN.reveal() not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize("code", ["ResourceNotFoundException", "InvalidRequestException"])
def test_a_missing_secret_is_something_else_than_a_failing_service(code: str) -> None:
    secrets = boto3.client("secretsmanager")
    with Stubber(secrets) as stubber:
        stubber.add_client_error("get_secret_value", code)
        with pytest.raises(CredentialMissingError):
            CredentialStore(secrets, "stack", "key").read(ACCOUNT, "a" * 64)


def test_a_throttled_table_is_named() -> None:
    dynamodb = boto3.client("dynamodb")
    with Stubber(dynamodb) as stubber:
        stubber.add_client_error("get_item", "ProvisionedThroughputExceededException")
        with pytest.raises(StoreUnavailableError, match="GetItem failed with Provisioned"):
            AccountsTable(dynamodb, "accounts").get(ACCOUNT)


def test_aws_refuses_to_create_a_secret_that_is_marked_for_deletion_and_moto_does_not() -> None:
    """In AWS's words: create is refused, so it is described, restored and then given its version."""
    secrets = boto3.client("secretsmanager")
    token, name = PushToken("token"), {"SecretId": "stack/account"}
    with Stubber(secrets) as stubber:
        stubber.add_client_error("create_secret", "InvalidRequestException")
        stubber.add_response("describe_secret", {"DeletedDate": 1_700_000_000}, name)
        stubber.add_response("restore_secret", {}, name)
        stubber.add_response(
            "put_secret_value",
            {"VersionId": token.version, "VersionStages": ["AWSCURRENT"]},
            {
                **name,
                "ClientRequestToken": token.version,
                "SecretString": "token",
                "VersionStages": ["AWSCURRENT"],
            },
        )
        assert CredentialStore(secrets, "stack", "key").store(ACCOUNT, token) == token.version
        stubber.assert_no_pending_responses()


def test_a_secret_that_was_just_created_may_not_be_found_for_seconds() -> None:
    """A first registration does without what it cannot see yet."""
    secrets = boto3.client("secretsmanager")
    with Stubber(secrets) as stubber:
        stubber.add_response("create_secret", {})
        stubber.add_client_error("describe_secret", "ResourceNotFoundException")
        store = CredentialStore(secrets, "stack", "key")
        assert store.store(ACCOUNT, TOKEN) == TOKEN.version
        stubber.add_client_error("describe_secret", "ResourceNotFoundException")
        assert not store.restore(ACCOUNT)


def test_a_new_secret_costs_two_calls() -> None:
    secrets = boto3.client("secretsmanager")
    with Stubber(secrets) as stubber:
        stubber.add_response("create_secret", {})
        stubber.add_response("describe_secret", {"VersionIdsToStages": {TOKEN.version: ["AWSCURRENT"]}})
        CredentialStore(secrets, "stack", "key").store(ACCOUNT, TOKEN)
        stubber.assert_no_pending_responses()


@pytest.mark.parametrize("created", [True, False])
def test_a_version_that_is_there_is_made_current_and_not_put_again(created: bool) -> None:
    secrets = boto3.client("secretsmanager")
    current = "f" * 64
    with Stubber(secrets) as stubber:
        if created:
            stubber.add_response("create_secret", {})  # AWS ignores a request that repeats a version
        else:
            stubber.add_client_error("create_secret", "ResourceExistsException")
        stubber.add_response(
            "describe_secret",
            {"VersionIdsToStages": {TOKEN.version: ["AWSPENDING"], current: ["AWSCURRENT"]}},
        )
        stubber.add_response(
            "update_secret_version_stage",
            {},
            {
                "SecretId": "stack/account",
                "VersionStage": "AWSCURRENT",
                "MoveToVersionId": TOKEN.version,
                "RemoveFromVersionId": current,
            },
        )
        CredentialStore(secrets, "stack", "key").store(ACCOUNT, TOKEN)
        stubber.assert_no_pending_responses()


def test_a_put_that_repeats_an_old_version_moves_no_stage_so_it_is_moved() -> None:
    secrets = boto3.client("secretsmanager")
    with Stubber(secrets) as stubber:
        stubber.add_client_error("create_secret", "ResourceExistsException")
        stubber.add_response("describe_secret", {"VersionIdsToStages": {"f" * 64: ["AWSCURRENT"]}})
        stubber.add_response("put_secret_value", {"VersionId": TOKEN.version})
        stubber.add_response("update_secret_version_stage", {})
        CredentialStore(secrets, "stack", "key").store(ACCOUNT, TOKEN)
        stubber.assert_no_pending_responses()


def test_a_pending_token_leaves_the_current_version_alone() -> None:
    secrets = boto3.client("secretsmanager")
    with Stubber(secrets) as stubber:
        stubber.add_client_error("create_secret", "ResourceExistsException")
        stubber.add_response("describe_secret", {"VersionIdsToStages": {"f" * 64: ["AWSCURRENT"]}})
        stubber.add_response("put_secret_value", {"VersionStages": ["AWSPENDING"]})
        CredentialStore(secrets, "stack", "key").store(ACCOUNT, TOKEN, pending=True)
        stubber.assert_no_pending_responses()
