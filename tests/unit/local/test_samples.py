"""The samples: each is what it says, and together they show every kind of message and outcome."""

import json
from collections import Counter

from zendesk_push.local.samples import ACCOUNTS, ExpectedDeadLetter, ExpectedDelivery, load_samples

IDS = {subdomain: f"id-of-{subdomain}" for subdomain in ACCOUNTS}


def test_a_body_is_addressed_to_its_account() -> None:
    for sample in load_samples():
        if sample.account is not None:
            body = json.loads(sample.body(IDS))
            assert body["instance_push_id"] == IDS[sample.account]
            assert body["external_resources"]


def test_every_external_id_of_a_delivered_sample_has_a_ticket_expected() -> None:
    for sample in load_samples():
        if isinstance(sample.expected, ExpectedDelivery):
            resources = json.loads(sample.body(IDS))["external_resources"]
            assert {one["external_id"] for one in resources} == set(sample.expected.tickets)


def test_there_are_all_kinds_of_samples() -> None:
    samples = load_samples()
    delivered = [json.loads(one.body(IDS)) for one in samples if isinstance(one.expected, ExpectedDelivery)]
    resources = [resource for body in delivered for resource in body["external_resources"]]
    repeats = Counter((body["instance_push_id"], str(body["external_resources"])) for body in delivered)

    assert {sample.account for sample in samples} == {*ACCOUNTS, None}
    assert any("parent_id" in resource for resource in resources)
    assert any("thread_id" in resource for resource in resources)
    assert max(repeats.values()) == 2
    assert any(len(body["external_resources"]) > 1 for body in delivered)
    assert {one.expected.code for one in samples if isinstance(one.expected, ExpectedDeadLetter)} == {
        "zendesk_400",
        "invalid_message",
    }


def test_titles_tell_them_apart() -> None:
    titles = [sample.title for sample in load_samples()]
    assert len(set(titles)) == len(titles)
