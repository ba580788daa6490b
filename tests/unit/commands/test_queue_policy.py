"""What the doctor reads out of a queue policy."""

from typing import Any

import pytest

from zendesk_push.commands.doctor.queue_policy import (
    deleted_senders,
    denies_others,
    open_to_everybody,
    refuses_plain_http,
    senders,
)

ROLE = "arn:aws:iam::123456789012:role/upstream"
TOPIC = "arn:aws:sns:eu-central-1:123456789012:content"
TLS_ONLY = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "sqs:*",
    "Condition": {"Bool": {"aws:SecureTransport": "false"}},
}
ROLE_SENDS = {
    "Effect": "Allow",
    "Principal": {"AWS": [ROLE]},
    "Action": ["sqs:SendMessage", "sqs:GetQueueUrl"],
}
TOPIC_SENDS = {
    "Effect": "Allow",
    "Principal": {"Service": "sns.amazonaws.com"},
    "Action": "sqs:SendMessage",
    "Condition": {"ArnEquals": {"aws:SourceArn": [TOPIC]}},
}
OTHERS_DO_NOT = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": "sqs:SendMessage",
    "Condition": {"ArnNotEquals": {"aws:PrincipalArn": [ROLE]}},
}
EVERYBODY_SENDS = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "SQS:SendMessage"}


def policy(*statements: Any) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def test_tls_only() -> None:
    assert refuses_plain_http(policy(ROLE_SENDS, TLS_ONLY))
    assert refuses_plain_http({"Statement": TLS_ONLY})  # a single statement need not be in a list


@pytest.mark.parametrize(
    "changed",
    [
        {"Effect": "Allow"},
        {"Principal": {"AWS": ROLE}},
        {"Action": "sqs:SendMessage"},
        {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
        {"Condition": {}},
    ],
)
def test_almost_tls_only_is_not(changed: dict[str, Any]) -> None:
    assert not refuses_plain_http(policy(TLS_ONLY | changed))


def test_senders_are_principals_and_sources() -> None:
    assert senders(policy(TLS_ONLY, ROLE_SENDS, TOPIC_SENDS)) == [ROLE, TOPIC]
    named = {"Principal": {"AWS": "*"}, "Condition": {"ArnEquals": {"aws:PrincipalArn": ROLE}}}
    assert senders(policy(TLS_ONLY, ROLE_SENDS | named)) == [ROLE]


def test_who_may_read_is_no_sender() -> None:
    assert senders(policy(ROLE_SENDS | {"Action": "sqs:GetQueueUrl"})) == []


def test_open_to_everybody() -> None:
    assert open_to_everybody(policy(EVERYBODY_SENDS))
    assert open_to_everybody(
        policy(EVERYBODY_SENDS | {"Action": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}})
    )
    assert not open_to_everybody(
        policy(EVERYBODY_SENDS | {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}})
    )
    assert not open_to_everybody(policy(ROLE_SENDS, TOPIC_SENDS, TLS_ONLY))


def test_others_are_denied_only_by_principal() -> None:
    assert denies_others(policy(OTHERS_DO_NOT))
    assert not denies_others(policy(TLS_ONLY, ROLE_SENDS))


def test_what_iam_leaves_of_a_deleted_role_is_noticed() -> None:
    gone = ROLE_SENDS | {"Principal": {"AWS": [ROLE, "AROAEXAMPLEEXAMPLEXYZ"]}}
    assert deleted_senders(policy(gone)) == ["AROAEXAMPLEEXAMPLEXYZ"]
    assert deleted_senders(policy(ROLE_SENDS)) == []
