"""Whatever a record or an answer holds: it costs that message a retry, and no other anything."""

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from push_content.outcomes.dead_letters import OWN_NAMES, restore_attributes
from push_content.outcomes.outcome import ErrorCode
from push_content.outcomes.sqs_limits import takes_attribute
from worlds.messages import body, resource
from worlds.push_memory import PushWorld
from zendesk_push.simulator import Fault, FaultKind

# Text with everything that UTF-8, XML and JSON have trouble with.
ODD_TEXT = st.text(
    st.characters() | st.sampled_from("\x00\x1f\ud800\udfff\ufffe\uffff\u2028\\\"{}[]'#/\n"), max_size=12
)
ODD_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ODD_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ODD_TEXT, inner, max_size=3),
    max_leaves=6,
)
PACKED = st.dictionaries(
    ODD_TEXT | st.sampled_from(["trace", "ErrorCode", "AWS.x"]),
    st.fixed_dictionaries({}, optional={"type": ODD_VALUES, "string": ODD_VALUES, "binary": ODD_VALUES})
    | ODD_VALUES,
    max_size=4,
)
CONTEXTS = (
    st.one_of(
        st.builds(
            lambda packed, more: {"v": 1, "message_id": "m", **more, "attributes": packed},
            PACKED | ODD_VALUES,
            st.dictionaries(ODD_TEXT, ODD_VALUES, max_size=2),
        ),
        ODD_VALUES,
    ).map(lambda value: json.dumps(value))
    | ODD_TEXT
)
OURS = st.fixed_dictionaries(
    {
        "ErrorCode": st.sampled_from(sorted(ErrorCode)) | ODD_TEXT,
        "ErrorMessage": ODD_TEXT,
        "RequestID": ODD_TEXT,
        "Context": CONTEXTS,
    }
)
ATTRIBUTES = st.one_of(
    OURS.map(
        lambda values: {name: {"dataType": "String", "stringValue": text} for name, text in values.items()}
    ),
    st.dictionaries(
        ODD_TEXT,
        st.fixed_dictionaries(
            {}, optional={"dataType": ODD_VALUES, "stringValue": ODD_VALUES, "binaryValue": ODD_VALUES}
        )
        | ODD_VALUES,
        max_size=12,
    ),
)
SYSTEM = st.fixed_dictionaries(
    {},
    optional={
        "SentTimestamp": ODD_VALUES | st.integers().map(str),
        "ApproximateReceiveCount": ODD_VALUES | st.integers().map(str),
        "MessageGroupId": ODD_VALUES,
    },
)
BODIES = st.one_of(
    ODD_TEXT,
    ODD_VALUES.map(json.dumps),
    st.builds(
        lambda values, request_id: body("a1", values, request_id=request_id),
        st.lists(ODD_VALUES, max_size=3),
        ODD_VALUES,
    ),
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(text=BODIES, attributes=ATTRIBUTES | ODD_VALUES, system=SYSTEM | ODD_VALUES, handle=ODD_VALUES)
@example(text="", attributes={}, system={"SentTimestamp": "253402300800000"}, handle=None)
def test_no_record_hurts_another(text: str, attributes: Any, system: Any, handle: Any) -> None:
    world = PushWorld()
    account = world.connect("acme")
    good = [world.drop(account, resource(str(number))) for number in range(3)]
    dying = world.drop(account, resource("dying", message=""))
    event = world.source.receive(10)
    assert event is not None
    odd = {
        "messageId": "odd",
        "receiptHandle": handle,
        "body": text.replace("a1", account),
        "attributes": system,
        "messageAttributes": attributes,
    }
    staying = world.run([odd, *event["Records"]])

    assert not set(staying) & {*good, dying}
    assert world.pushes[-1] >= 3
    letters = world.dead()
    assert dying in [
        json.loads(each["MessageAttributes"]["Context"]["StringValue"])["message_id"] for each in letters
    ]
    # It has an outcome too: it stays, or is dead, or Zendesk has taken it.
    assert ("odd" in staying) + len(letters) in (1, 2)


@given(OURS)
def test_what_claims_to_be_ours_is_unpacked_only_if_sqs_could_have_delivered_it(
    values: dict[str, str],
) -> None:
    attributes = {name: {"DataType": "String", "StringValue": text} for name, text in values.items()}
    restored = restore_attributes(attributes)

    if restored.keys() & set(OWN_NAMES) != set(OWN_NAMES):
        assert all(takes_attribute(name, value) for name, value in restored.items())
    else:
        assert restored == attributes


def test_a_context_with_half_a_surrogate_pair_does_not_fell_the_invocation() -> None:
    """Encoding its size raised on the main thread: good messages were imported and came again for nine days."""
    context = '{"v":1,"message_id":"m","attributes":{"trace":{"type":"String","string":"\\ud800"}}}'
    attributes: dict[str, Any] = {
        "ErrorCode": "zendesk_400",
        "ErrorMessage": "x",
        "RequestID": "r",
        "Context": context,
    }
    world = PushWorld()
    account = world.connect()
    sent = {name: {"DataType": "String", "StringValue": text} for name, text in attributes.items()}
    world.send("not JSON", sent)
    world.drop(account, resource("1"))

    assert world.invoke() == []
    (letter,) = world.dead()
    packed = json.loads(letter["MessageAttributes"]["Context"]["StringValue"])["attributes"]
    assert packed["Context"] == {"type": "String", "string": context}
    assert restore_attributes(letter["MessageAttributes"]) == sent


@pytest.mark.parametrize(
    "answer",
    [
        '{"results": ' + "[" * 900 + "]" * 900 + "}",
        '{"results": [{"external_resource_id": {"a": [1]}, "status": {"code": "\\ud800", "description": "\\u0000"}}]}',
        '{"results": [' + "1" * 5_000 + "]}",
        '{"error": {"message": [{"a": 1}, ' + "9" * 5_000 + "]}}",
        '{"results": null, "results": 5}',
        "\ufeff{}",
    ],
)
@pytest.mark.parametrize("status", [200, 400, 422, 500])
def test_no_answer_hurts_another_account(status: int, answer: str) -> None:
    world = PushWorld()
    account, other = world.connect("acme"), world.connect("globex")
    world.zendesk.switch_on(Fault(FaultKind.STATUS, subdomain="acme", status=status, body=answer, count=1))
    world.drop(account, resource("1"))
    world.drop(other, resource("1"))
    world.invoke()

    assert world.zendesk.ticket_of(other, "1")
    for letter in world.dead():
        assert letter["MessageAttributes"]["ErrorCode"]["StringValue"] in ("zendesk_400", "zendesk_422")
