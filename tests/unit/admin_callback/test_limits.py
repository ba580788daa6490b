"""Over a limit nobody is kept out; what proves itself has limits of its own; the edge names the viewer."""

import json
from typing import Any

import pytest

from worlds.admin_world import AdminWorld
from zendesk_channel.accounts import AccountState
from zendesk_channel.contract import PushToken

ACCOUNT = "3cd1d2a5-aaf2-41fe-a9f1-519499605854"
OLD, NEW = "a" * 64, "b" * 64
CREATE, ACTIVATE, DEACTIVATE, DESTROY = (
    f"{verb}_integration_instance" for verb in ("create", "activate", "deactivate", "destroy")
)
STRANGER = "198.51.100.7"
SECRET = "s" * 40


def asked(world: AdminWorld) -> int:
    number = len(world.zendesk.asked)
    world.zendesk.asked.clear()
    return number


def forged(world: AdminWorld, number: int, *, source: str = STRANGER, subdomain: str = "acme") -> None:
    for n in range(number):
        fields = world.form(subdomain, instance_push_id=f"forged-{n}", zendesk_access_token="junk")
        assert world.post_form(fields, source=source).status == 200


# Callbacks


def test_over_the_limit_the_page_is_the_unconfirmed_one_and_zendesk_is_not_asked(world: AdminWorld) -> None:
    pages = [world.callback(instance_push_id=f"new-{n}") for n in range(15)]
    assert {(page.status, page.state) for page in pages} == {(200, "unconfirmed")}
    assert asked(world) == 10
    assert world.sealed_token(pages[-1].metadata) == PushToken(OLD)


def test_who_is_over_the_limit_connects_by_the_first_save(world: AdminWorld) -> None:
    forged(world, 100, source="203.0.113.1")  # behind the same address
    world.zendesk.accept("acme", ACCOUNT, OLD)
    page = world.callback(instance_push_id=ACCOUNT)
    assert page.state == "unconfirmed"
    assert world.event(CREATE, page.metadata).status == 200
    assert world.token(world.known(ACCOUNT)) == OLD


def test_a_stranger_does_not_keep_an_administrator_from_being_asked_about(world: AdminWorld) -> None:
    forged(world, 1_000)
    assert world.connect(account=ACCOUNT).state == "connected"


def test_of_many_addresses_sixty_are_asked_about_a_subdomain_and_others_go_on(world: AdminWorld) -> None:
    for n in range(30):
        forged(world, 10, source=f"198.51.100.{n}")
    assert asked(world) == 60
    world.connect("other", account=ACCOUNT)


def test_an_edit_that_proves_itself_is_asked_about_whatever_strangers_do(world: AdminWorld) -> None:
    metadata = world.connect(account=ACCOUNT, token=OLD).metadata
    for n in range(30):
        forged(world, 10, source=f"198.51.100.{n}")
    world.zendesk.accept("acme", ACCOUNT, NEW)
    page = world.callback(instance_push_id=ACCOUNT, zendesk_access_token=NEW, metadata=metadata)
    assert page.state == "connected"


def test_edits_that_prove_themselves_are_asked_about_ten_times_a_minute(world: AdminWorld) -> None:
    metadata = world.connect(account=ACCOUNT, token=OLD).metadata
    asked(world)
    for n in range(60):
        token = f"junk-{n}"
        page = world.callback(instance_push_id=ACCOUNT, zendesk_access_token=token, metadata=metadata)
        assert (page.status, page.state) == (200, "unconfirmed")
    assert asked(world) == 10
    # And one version of the secret was written, not sixty: Secrets Manager keeps a day's, and about a hundred.
    account = world.known(ACCOUNT)
    assert len(world.credentials.versions(account.instance_push_id)) == 2
    assert world.token(account) == OLD


def test_one_pending_token_in_ten_minutes(world: AdminWorld) -> None:
    metadata = world.connect(account=ACCOUNT, token=OLD).metadata

    def edit(token: str) -> str:
        page = world.callback(instance_push_id=ACCOUNT, zendesk_access_token=token, metadata=metadata)
        assert page.state == "unconfirmed"
        return page.body.replace(page.metadata.replace('"', "&#34;"), "")

    first = edit("one")
    revision = world.known(ACCOUNT).revision
    world.clock.time += 599
    assert edit("two") == first  # the same page
    assert (world.known(ACCOUNT).revision, world.known(ACCOUNT).pending_version) == (
        revision,
        PushToken("one").version,
    )
    world.clock.time += 1.001
    edit("two")
    assert world.known(ACCOUNT).pending_version == PushToken("two").version


# Events


def test_forged_events_do_not_keep_a_genuine_one_out(world: AdminWorld) -> None:
    page = world.callback(instance_push_id=ACCOUNT)
    world.zendesk.accept("acme", ACCOUNT, OLD)
    for n in range(12):
        junk = world.callback(instance_push_id=f"junk-{n}", zendesk_access_token="junk").metadata
        world.events(world.event_body(CREATE, junk), source=STRANGER)
    assert world.event(CREATE, page.metadata).status == 200
    assert world.known(ACCOUNT).state is AccountState.ACTIVE


def test_callbacks_do_not_use_up_what_events_have(world: AdminWorld) -> None:
    page = world.callback(instance_push_id=ACCOUNT)
    world.zendesk.accept("acme", ACCOUNT, OLD)
    forged(world, 50, source="203.0.113.1")
    assert world.event(CREATE, page.metadata).status == 200
    assert world.known(ACCOUNT).state is AccountState.ACTIVE


def test_too_many_verifications_ask_for_a_repeat(world: AdminWorld) -> None:
    texts = [world.callback(instance_push_id=f"new-{n}").metadata for n in range(12)]
    answers = [world.event(CREATE, text) for text in texts]
    assert [answer.status for answer in answers] == [200] * 10 + [429] * 2
    assert answers[-1].headers["Retry-After"] == "60"
    world.clock.time += 61
    assert world.event(CREATE, texts[0]).status == 200


def test_what_a_newer_version_of_this_code_wrote_is_no_forgery(
    world: AdminWorld, capsys: pytest.CaptureFixture[str]
) -> None:
    newer = world.signed(v=3, who=ACCOUNT)
    answer = world.event(DESTROY, newer)
    assert (answer.status, answer.headers["Retry-After"]) == (503, "60")
    assert "EventsForged" not in capsys.readouterr().out
    assert world.callback(metadata=newer).status == 503
    assert asked(world) == 0


def test_metadata_of_both_keys_speaks_while_the_key_rotates(world: AdminWorld) -> None:
    before = world.connect(account="before").metadata
    world.metadata_key.rotate()
    for hours in (0, 1, 3):
        world.clock.time += hours * 3600
        world.restart()
        assert world.event(DEACTIVATE, before, world.clock.time).status == 200
        assert world.known("before").state is AccountState.INACTIVE
        after = world.connect(account=f"after-{hours}").metadata
        assert world.event(DESTROY, after).status == 200
        assert world.known(f"after-{hours}").state is AccountState.DELETED
        world.event(ACTIVATE, before, world.clock.time)


def test_six_addresses_keep_no_new_administrator_out(world: AdminWorld) -> None:
    """Sixty pages with junk tokens a minute, and what they got sent back as events."""
    for minute in range(3):
        for n in range(6):
            source, texts = f"198.51.100.{n}", []
            for j in range(10):
                form = world.form(instance_push_id=f"junk-{n}-{j}", zendesk_access_token=f"junk{j}")
                texts.append(world.post_form(form, source=source).metadata)
            for text in texts[:4]:
                world.events(*[world.event_body(CREATE, text)] * 3, source=source)
        assert asked(world) <= 2 * 60
        confirmed, later = f"confirmed-{minute}", f"later-{minute}"
        world.zendesk.accept("acme", confirmed, OLD)
        form = world.form(instance_push_id=confirmed)
        assert world.post_form(form, source="203.0.113.2").state == "connected"
        page = world.callback(instance_push_id=later)
        world.zendesk.accept("acme", later, OLD)
        assert world.event(CREATE, page.metadata).status == 200
        assert world.token(world.known(later)) == OLD
        world.clock.time += 60.5


# A destroy is always applied


def test_a_destroy_that_counts_as_older_is_applied_all_the_same(world: AdminWorld) -> None:
    metadata = world.connect(account=ACCOUNT).metadata
    world.event(ACTIVATE, metadata, "2026-01-01T00:00:09Z")
    assert world.event(DESTROY, metadata, "2026-01-01T00:00:01Z").status == 200
    account = world.known(ACCOUNT)
    assert account.state is AccountState.DELETED
    assert account.events_applied_until == 1767225609.0  # the newest of its life


# The control question


@pytest.mark.parametrize("by", ["callback", "event"])
def test_a_zendesk_that_says_yes_to_everything_registers_nobody(world: AdminWorld, by: str) -> None:
    world.zendesk.down.add("evil")
    page = world.callback("evil", instance_push_id=ACCOUNT)
    world.zendesk.down.clear()
    world.zendesk.says_yes_to_everything.add("evil")
    if by == "callback":
        assert world.callback("evil", instance_push_id=ACCOUNT).state == "unconfirmed"
    else:
        assert world.event(CREATE, page.metadata).status == 200
    assert world.nothing_stored()


@pytest.mark.parametrize("answer", [(500, b"", {}), (200, b"{}", {}), (429, b"", {})])
def test_no_verdict_about_the_control_question_is_no_confirmation(world: AdminWorld, answer: Any) -> None:
    page = world.callback(instance_push_id=ACCOUNT)
    world.zendesk.accept("acme", ACCOUNT, OLD)
    confirmed: Any = (200, b"null", {})
    world.zendesk.scripted += [confirmed, answer]
    assert world.callback(instance_push_id=ACCOUNT).state == "unconfirmed"
    world.zendesk.scripted += [confirmed, answer]
    assert world.event(CREATE, page.metadata).status == 503
    assert world.nothing_stored()


@pytest.mark.parametrize("token", ["0123456789abcdef" * 4, "Ab.~+/=-_9", "0", "f"])
def test_the_control_question_is_about_another_token_of_the_same_form(world: AdminWorld, token: str) -> None:
    world.connect(account=ACCOUNT, token=token)
    real, control = (each.token for each in world.zendesk.asked)
    assert (real, len(control)) == (token, len(token))
    assert control != token
    assert {each.body["instance_push_id"] for each in world.zendesk.asked} == {ACCOUNT}
    if len(token) == 64:
        assert set(control) <= set("0123456789abcdef")


def test_a_registered_account_is_not_asked_the_control_question(world: AdminWorld) -> None:
    world.connect(account=ACCOUNT)
    asked(world)
    world.connect(account=ACCOUNT)
    assert asked(world) == 1


# Saved or not


def test_a_confirmed_account_is_not_saved_until_an_event_says_so(world: AdminWorld) -> None:
    metadata = world.connect(account=ACCOUNT).metadata
    assert not world.known(ACCOUNT).saved
    world.event(DEACTIVATE, metadata)
    assert not world.known(ACCOUNT).saved
    world.clock.time += 5
    world.event(CREATE, metadata)
    saved_at = world.known(ACCOUNT).saved_at
    assert saved_at == round(world.clock.time, 3)
    world.clock.time += 5
    world.event(ACTIVATE, metadata)
    world.connect(account=ACCOUNT, token=NEW)
    assert world.known(ACCOUNT).saved_at == saved_at  # the first time


def test_an_account_that_its_first_save_connects_is_saved(world: AdminWorld) -> None:
    page = world.callback(instance_push_id=ACCOUNT)
    world.zendesk.accept("acme", ACCOUNT, OLD)
    world.event(CREATE, page.metadata)
    assert world.known(ACCOUNT).saved


def test_an_account_that_was_removed_and_added_again_is_not_saved(world: AdminWorld) -> None:
    metadata = world.connect(account=ACCOUNT).metadata
    world.event(CREATE, metadata)
    world.event(DESTROY, metadata)
    world.connect(account=ACCOUNT)
    assert not world.known(ACCOUNT).saved


# What the page says


@pytest.mark.parametrize(
    ("confirmed", "edited", "sentence"),
    [
        (True, False, "Enter a name for this account and save"),
        (True, True, "Save to finish your changes"),
        (False, False, "after 24 hours that is the only way"),
        (False, True, "open the account once more"),
    ],
)
def test_new_and_edited_accounts_are_told_apart(
    world: AdminWorld, confirmed: bool, edited: bool, sentence: str
) -> None:
    if confirmed:
        world.zendesk.accept("acme", ACCOUNT, OLD)
    page = world.callback(instance_push_id=ACCOUNT, name="Newsroom" if edited else "")
    assert page.state == ("connected" if confirmed else "unconfirmed")
    assert sentence in page.body
    assert "If this page stays after you have pressed Save" in page.body


# The edge


@pytest.mark.parametrize(
    "headers", [{}, {"x_origin_secret": ""}, {"x_origin_secret": "S" * 40}, {"x_origin_secret": "é"}]
)
@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/healthcheck"),
        ("GET", "/manifest.json"),
        ("POST", "/admin_ui"),
        ("GET", "/x"),
        ("PUT", "/admin_ui"),
    ],
)
def test_who_goes_around_the_edge_gets_403_before_anything_else(
    world: AdminWorld, method: str, path: str, headers: dict[str, Any]
) -> None:
    world.restart(origin_secret=SECRET)
    answer = world.handle(world.http_event(method, path, **headers))
    assert (answer.status, json.loads(answer.body)) == (403, {"error": "forbidden"})
    assert world.calls() == {}


def test_who_comes_through_it_is_answered(world: AdminWorld) -> None:
    world.restart(origin_secret=SECRET)
    assert world.request("GET", "/healthcheck", X_Origin_Secret=SECRET).status == 200


@pytest.mark.parametrize("viewer", ["198.51.100.{}:1234", "2001:db8:{}::1:1234"])
def test_behind_the_edge_the_viewers_address_is_the_edges_word(world: AdminWorld, viewer: str) -> None:
    world.restart(origin_secret=SECRET)

    def post(number: int) -> None:
        event = world.form_event(
            world.form(instance_push_id=f"new-{number}"),
            x_origin_secret=SECRET,
            cloudfront_viewer_address=viewer.format(number % 3),
        )
        assert world.handle(event).status == 200

    for number in range(60):
        post(number)
    assert asked(world) == 30  # ten of each of three viewers, though API Gateway sees one address


def test_without_an_edge_nobody_names_an_address_of_their_own(world: AdminWorld) -> None:
    for number in range(60):
        event = world.form_event(
            world.form(instance_push_id=f"new-{number}"), cloudfront_viewer_address=f"198.51.100.{number}:1"
        )
        assert world.handle(event).status == 200
    assert asked(world) == 10
