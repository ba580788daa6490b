"""What a channelback may cost, by counting: forged ones by the thousand, and one that is authentic."""

import base64
import hashlib
import hmac
import json
from urllib.parse import urlencode

import pytest

from worlds.admin_requests import FORM_TYPE, Answer
from worlds.admin_world import AdminWorld

THOUSANDS = 3_000


@pytest.fixture
def metadata(world: AdminWorld) -> str:
    """A connected account's, of a function that takes answers."""
    world.restart(replies_queue_url=world.replies_url)
    return world.connect(account="one").metadata


def answer(world: AdminWorld, metadata: str, *, source: str = "192.0.2.1", **changes: str) -> Answer:
    form = {"message": "Hello", "parent_id": "p", "request_unique_identifier": "r", **changes}
    body = base64.b64encode(urlencode({**form, "metadata": metadata}).encode()).decode()
    return world.handle(
        world.http_event(
            "POST", "/channelback", body, base64_encoded=True, content_type=FORM_TYPE, source=source
        )
    )


def queued(world: AdminWorld) -> int:
    return len(world.sqs.queue(world.replies_url).messages())


def test_what_we_did_not_write_costs_no_call(world: AdminWorld, metadata: str) -> None:
    mine = json.loads(metadata)
    before, key_reads = world.calls(), world.metadata_key.calls
    for number in range(THOUSANDS):
        forged = json.dumps({**mine, "nonce": f"{number:032x}"})
        assert answer(world, forged, source=f"198.51.100.{number % 250}").status == 403
    assert world.calls() == before
    assert world.metadata_key.calls == key_reads
    assert queued(world) == 0
    # Meanwhile nobody is kept out.
    assert answer(world, metadata).status == 200


def test_what_a_stranger_had_made_costs_one_read_each(world: AdminWorld, metadata: str) -> None:
    """Anybody can have metadata made for anybody's account, with a junk token: its nonce is in no record."""
    made = world.callback(instance_push_id="one", zendesk_access_token="junk").metadata
    assert made != metadata
    before = world.calls()
    for _ in range(THOUSANDS):
        assert answer(world, made).status == 403
    assert world.calls() - before == {"reads": THOUSANDS}
    assert queued(world) == 0
    assert answer(world, metadata).status == 200


def test_an_authentic_one_costs_one_read_and_a_repeat_no_message(world: AdminWorld, metadata: str) -> None:
    before = world.calls()
    for _ in range(3):
        assert answer(world, metadata).status == 200
    assert world.calls() - before == {"reads": 3}
    assert queued(world) == 1


def test_lines_are_short_whatever_comes(
    world: AdminWorld, metadata: str, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    for changes in ({"message": "x" * 65_535}, {"parent_id": "y" * 600}, {"message": "\x00" * 60_000}):
        answer(world, metadata, **changes)
        answer(world, "z" * 5_000, **changes)
    lines = [line for line in capsys.readouterr().out.splitlines() if '"_aws"' not in line]
    assert len(lines) == 6
    assert max(map(len, lines)) < 1024


def test_what_a_newer_version_of_ours_wrote_is_no_forgery(world: AdminWorld, metadata: str) -> None:
    newer = {**json.loads(metadata), "v": 3}
    del newer["mac"]
    key = world.metadata_key.get_secret_value(VersionStage="AWSCURRENT")["SecretString"].encode()
    canonical = json.dumps(newer, sort_keys=True, separators=(",", ":")).encode()
    mac = hmac.new(key, canonical, hashlib.sha256).hexdigest()
    refused = answer(world, json.dumps({**newer, "mac": mac}))
    assert (refused.status, refused.headers["Retry-After"]) == (503, "10")
    assert queued(world) == 0
