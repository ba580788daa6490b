"""What is remembered of replies: the part in memory against the adapter on moto, step by step."""

import urllib.request
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer

from admin_callback.replies.reply_log import CLAIM_SECONDS, REMEMBERED_SECONDS, ReplyLog
from zendesk_push.in_memory.replies import InMemoryReplyLog

START = 1_800_000_000.125
REPLIES = ("reply-a", "reply-b")
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("claim"), st.sampled_from(REPLIES)),
        st.tuples(st.just("note_sent"), st.sampled_from(REPLIES)),
        st.tuples(st.just("give_up"), st.sampled_from(REPLIES)),
        st.tuples(
            st.just("pass"),
            st.sampled_from([0.0004, 1.0, CLAIM_SECONDS, CLAIM_SECONDS + 0.001, REMEMBERED_SECONDS + 2.0]),
        ),
    ),
    min_size=3,
    max_size=14,
)


@pytest.fixture(scope="module")
def dynamodb() -> Iterator[Any]:
    server = ThreadedMotoServer("127.0.0.1", 0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield boto3.client(
        "dynamodb",
        endpoint_url=f"http://{host}:{port}",
        region_name="eu-central-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    server.stop()


@given(steps=STEPS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_both_answer_the_same(dynamodb: Any, steps: list[tuple[str, Any]]) -> None:
    url = f"{dynamodb.meta.endpoint_url}/moto-api/reset"
    urllib.request.urlopen(urllib.request.Request(url, method="POST")).close()  # noqa: S310 (loopback)
    dynamodb.create_table(
        TableName="t",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        BillingMode="PAY_PER_REQUEST",
    )
    logs: list[ReplyLog] = [ReplyLog(dynamodb, "t"), InMemoryReplyLog()]
    now = START
    claimed: dict[str, float] = {}
    for action, what in steps:
        if action == "pass":
            now += what
        elif action == "claim":
            first, second = (log.claim(what, now) for log in logs)
            assert first is second
            claimed[what] = now
        else:
            at = claimed.get(what, START) if action == "give_up" else now
            for log in logs:
                getattr(log, action)(what, at)
