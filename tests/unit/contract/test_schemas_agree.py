"""Every reading of the contract says the same.

Of Zendesk's schema there are three: the published one, ``send --check``, and the simulated Zendesk. Of what is a
message at all there are two: the published envelope, and the push function.
"""

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from push_content.messages.message import InvalidMessageError, parse
from push_content.messages.sqs_record import SqsRecord
from zendesk_push.contract_check import published
from zendesk_push.contract_check.external_resource import check_resource
from zendesk_push.simulator.schema import push_errors

GOOD: dict[str, Any] = {
    "external_id": "e-1",
    "message": "Hello",
    "author": {"external_id": "a-1", "name": "Ann", "locale": "en", "fields": [{"id": 7, "value": None}]},
    "created_at": "2026-01-31T12:00:00Z",
    "html_message": "<p>Hello</p>",
    "parent_id": "p-1",
    "thread_id": "t-1",
    "internal_note": False,
    "allow_channelback": True,
    "display_info": [{"type": "x", "data": {}}],
    "fields": [{"id": "subject", "value": [1]}],
    "file_urls": ["https://example.com/a"],
}
PUBLISHED = Draft202012Validator(published.message_schema())

odd_values = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from(["", " x", "x\n", "x", "\x1c", "x" * 255, "x" * 256, "x" * 511, "x" * 512, "x" * 65_536]),
    st.sampled_from(["https://a/b", "http://a/b", "HTTPS://a/b", "https://a/" + "x" * 502]),
    st.sampled_from([[], {}, [{}], [[]], [1], [None], {"external_id": "x"}, {"external_id": " "}]),
    st.sampled_from(
        [[{"id": 1, "value": 0}] * 64, [{"id": 1, "value": 0}] * 65, [{"id": "x" * 256, "value": 0}]]
    ),
    st.sampled_from([[{"type": "x", "data": {}}] * 17, [{"type": "", "data": {}}], [{"type": "x"}]]),
    st.sampled_from([["https://a/b"] * 64, ["https://a/b"] * 65, ["http://a/b"], [""]]),
)


@st.composite
def resources(draw: st.DrawFn) -> Any:
    """A good resource with up to two of its values changed or gone; or something else altogether."""
    if draw(st.integers(0, 20)) == 0:
        return draw(odd_values)
    resource = GOOD | {
        key: draw(odd_values) for key in draw(st.sets(st.sampled_from(sorted(GOOD)), max_size=2))
    }
    resource["created_at"] = draw(st.sampled_from(["2026-01-31T12:00:00Z", "2026-01-31t12:00:00.5+01:00"]))
    return {
        key: resource[key] for key in set(resource) - draw(st.sets(st.sampled_from(sorted(GOOD)), max_size=1))
    }


@given(resources())
@example(GOOD)
@example(GOOD | {"external_id": "x\n"})
@example(GOOD | {"parent_id": " x"})
def test_they_agree_on_a_resource(resource: Any) -> None:
    message = {"instance_push_id": "a", "external_resources": [resource]}
    by_zendesk = push_errors(message)
    by_check = [finding for finding in check_resource(resource) if not finding.warning]
    by_schema = list(PUBLISHED.iter_errors(message))
    assert (not by_check) == (not by_zendesk), (by_check, by_zendesk)
    assert (not by_schema) == (not by_zendesk), (by_schema, by_zendesk)


ENVELOPE = Draft202012Validator(published.message_schema()["$defs"]["envelope"])

keys = st.sampled_from(["instance_push_id", "external_resources", "request_id", "trace_id"])
key_values = st.one_of(
    odd_values,
    st.sampled_from(["a-Z_9", "a b", "\u00e4", "x" * 64, "x" * 65]),
    st.integers(0, 2).map(lambda count: [None] * (count * 128)),
    st.just([None] * 257),
)


@given(st.one_of(odd_values, st.dictionaries(keys, key_values, max_size=4)))
@example({"instance_push_id": "a", "external_resources": [1]})
@example({"instance_push_id": "a", "external_resources": [1], "request_id": None})
@example({"instance_push_id": "a\n", "external_resources": [1]})
def test_they_agree_on_what_is_a_message(body: Any) -> None:
    try:
        parse(SqsRecord("id", "handle", json.dumps(body)))
        taken = True
    except InvalidMessageError:
        taken = False
    assert ENVELOPE.is_valid(body) == taken
