"""Two at the same time, and crashes in between: an account that works is left."""

import pytest

from integration.admin_callback import aws_faults
from integration.admin_callback.world import MotoAdminWorld
from worlds.scripted_zendesk import Asked
from zendesk_channel.accounts import AccountState

ACCOUNT = "3cd1d2a5-aaf2-41fe-a9f1-519499605854"
FIRST, SECOND, THIRD = "a" * 64, "b" * 64, "c" * 64
DESTROY = "destroy_integration_instance"


def while_asked_about(world: MotoAdminWorld, token: str, action: object, times: int = 1) -> None:
    """Do something in the middle of a registration: when Zendesk is asked about its token."""
    left = times

    def before_answer(asked: Asked) -> None:
        nonlocal left
        if asked.token == token and left:
            left -= 1
            assert callable(action)
            action()

    world.zendesk.before_answer = before_answer


def works(world: MotoAdminWorld, token: str) -> bool:
    account = world.known(ACCOUNT)
    return (
        account.state is AccountState.ACTIVE
        and world.token(account) == token
        and not world.secret_deleted(ACCOUNT)
    )


def test_two_administrators_of_a_new_account(world: MotoAdminWorld) -> None:
    nonces = []
    while_asked_about(
        world,
        FIRST,
        lambda: nonces.append(
            world.read_metadata(world.connect(account=ACCOUNT, token=SECOND).metadata).nonce
        ),
    )
    answer = world.connect(account=ACCOUNT, token=FIRST)
    # Both were told of the same nonce, so whichever is saved last in Zendesk speaks for the account.
    assert [world.read_metadata(answer.metadata).nonce] == nonces == [world.known(ACCOUNT).nonce]
    assert works(world, FIRST)


def test_a_token_that_was_replaced_meanwhile_is_asked_about_again(world: MotoAdminWorld) -> None:
    world.connect(account=ACCOUNT, token=THIRD)

    def replaced() -> None:
        world.connect(account=ACCOUNT, token=SECOND)
        world.zendesk.accepted.discard(("acme", ACCOUNT, FIRST))

    world.zendesk.accept("acme", ACCOUNT, FIRST)
    world.zendesk.scripted.clear()
    while_asked_about(world, FIRST, replaced)
    world.zendesk.scripted.append((200, b"null", {}))  # the second administrator's
    world.zendesk.scripted.append(
        (200, b"null", {})
    )  # the first one's, revoked while the answer was on its way
    answer = world.callback(instance_push_id=ACCOUNT, zendesk_access_token=FIRST)
    assert answer.state == "unconfirmed"
    assert works(world, SECOND)


def test_conflict_after_conflict_gives_up_after_three_restarts(world: MotoAdminWorld) -> None:
    world.connect(account=ACCOUNT, token=SECOND)
    world.zendesk.accept("acme", ACCOUNT, FIRST)
    world.zendesk.asked.clear()
    while_asked_about(world, FIRST, lambda: world.accounts.save(world.known(ACCOUNT)), times=99)
    answer = world.callback(instance_push_id=ACCOUNT, zendesk_access_token=FIRST)
    assert (answer.status, answer.action) == (503, None)
    assert len(world.zendesk.asked) == 4
    assert works(world, SECOND)


def test_three_conflicts_are_overcome(world: MotoAdminWorld) -> None:
    world.connect(account=ACCOUNT, token=SECOND)
    world.zendesk.accept("acme", ACCOUNT, FIRST)
    while_asked_about(world, FIRST, lambda: world.accounts.save(world.known(ACCOUNT)), times=3)
    assert world.callback(instance_push_id=ACCOUNT, zendesk_access_token=FIRST).state == "connected"
    assert works(world, FIRST)


def test_an_event_that_meets_a_conflict_is_applied_to_the_record_as_it_is_now(world: MotoAdminWorld) -> None:
    metadata = world.connect(account=ACCOUNT, token=FIRST).metadata
    aws_faults.before("dynamodb", "UpdateItem", lambda: world.accounts.save(world.known(ACCOUNT)))
    world.restart()
    assert world.event("deactivate_integration_instance", metadata).status == 200
    assert world.known(ACCOUNT).state is AccountState.INACTIVE


def test_an_event_that_meets_conflict_after_conflict_asks_for_a_repeat(world: MotoAdminWorld) -> None:
    sealed = world.callback(instance_push_id=ACCOUNT, zendesk_access_token=FIRST).metadata
    world.connect(account=ACCOUNT, token=SECOND)
    world.zendesk.accept("acme", ACCOUNT, FIRST)
    world.zendesk.asked.clear()
    while_asked_about(world, FIRST, lambda: world.accounts.save(world.known(ACCOUNT)), times=99)
    assert world.event("create_integration_instance", sealed).status == 429
    assert len(world.zendesk.asked) == 3  # of one body
    assert works(world, SECOND)


@pytest.mark.parametrize("operation", ["PutSecretValue", "UpdateItem"])
@pytest.mark.parametrize("edge", ["before", "after"])
def test_destroyed_in_the_middle_of_an_edit(world: MotoAdminWorld, operation: str, edge: str) -> None:
    """Zendesk confirms the token afterwards as well, so the account is to work."""
    metadata = world.connect(account=ACCOUNT, token=FIRST).metadata
    service = "dynamodb" if operation == "UpdateItem" else "secretsmanager"
    hook = aws_faults.before if edge == "before" else aws_faults.after
    hook(service, operation, lambda: world.event(DESTROY, metadata))
    world.zendesk.accept("acme", ACCOUNT, SECOND)
    editor = world.build()
    aws_faults.clear()
    world.restart()

    answer = world.post_form(world.form(instance_push_id=ACCOUNT, zendesk_access_token=SECOND), editor)

    if (operation, edge) == ("UpdateItem", "after"):
        assert world.known(ACCOUNT).state is AccountState.DELETED  # that was the last word
    else:
        assert answer.state == "connected"
        assert works(world, SECOND)


@pytest.mark.parametrize("operation", ["DeleteSecret", "UpdateItem"])
@pytest.mark.parametrize("edge", ["before", "after"])
def test_added_again_in_the_middle_of_a_destroy(world: MotoAdminWorld, operation: str, edge: str) -> None:
    metadata = world.connect(account=ACCOUNT, token=FIRST).metadata
    service = "dynamodb" if operation == "UpdateItem" else "secretsmanager"
    hook = aws_faults.before if edge == "before" else aws_faults.after
    hook(service, operation, lambda: world.connect(account=ACCOUNT, token=FIRST))
    destroyer = world.build()
    aws_faults.clear()
    world.restart()

    event = world.http_event(
        "POST", "/event_callback", world.events_body(world.event_body(DESTROY, metadata))
    )
    world.handle(event, destroyer)

    if (operation, edge) == ("UpdateItem", "before"):
        assert world.known(ACCOUNT).state is AccountState.DELETED  # the event came after the callback
    else:
        assert works(world, FIRST)


def test_the_secret_goes_away_right_before_a_revival_is_written(world: MotoAdminWorld) -> None:
    """The destroyer's deletion hits between the callback's restore and its record."""
    metadata = world.connect(account=ACCOUNT, token=FIRST).metadata
    world.event(DESTROY, metadata)
    name = f"zendesk-push/{ACCOUNT}"
    aws_faults.before(
        "dynamodb",
        "UpdateItem",
        lambda: world.secrets.delete_secret(SecretId=name, RecoveryWindowInDays=7),
    )
    world.restart()
    world.connect(account=ACCOUNT, token=FIRST)
    assert works(world, FIRST)


def test_a_crash_after_the_secret_leaves_a_new_account_to_be_connected_by_the_next_try(
    world: MotoAdminWorld,
) -> None:
    aws_faults.refuse("dynamodb", "UpdateItem", "InternalServerError")
    world.restart()
    world.zendesk.accept("acme", ACCOUNT, FIRST)
    assert world.callback(instance_push_id=ACCOUNT, zendesk_access_token=FIRST).status == 503
    assert world.account(ACCOUNT) is None
    world.heal_aws()
    world.connect(account=ACCOUNT, token=FIRST)
    assert works(world, FIRST)


def test_a_crash_after_an_edits_secret_leaves_the_old_token_in_use(world: MotoAdminWorld) -> None:
    world.connect(account=ACCOUNT, token=FIRST)
    aws_faults.refuse("dynamodb", "UpdateItem", "InternalServerError")
    world.restart()
    world.zendesk.accept("acme", ACCOUNT, SECOND)
    assert world.callback(instance_push_id=ACCOUNT, zendesk_access_token=SECOND).status == 503
    assert works(world, FIRST)


def test_a_living_account_whose_secret_was_sent_away_is_mended_by_the_schedule(world: MotoAdminWorld) -> None:
    world.connect(account=ACCOUNT, token=FIRST)
    world.secrets.delete_secret(SecretId=f"zendesk-push/{ACCOUNT}", RecoveryWindowInDays=7)
    world.revalidate()
    assert works(world, FIRST)
    assert not world.known(ACCOUNT).refused
