"""What a message is, and that its content stays the text that was dropped."""

import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from push_content.messages.message import MAX_DEPTH, InvalidMessageError, Message, parse
from push_content.messages.sqs_record import SqsRecord
from push_content.requests.push_request import Part, PushRequest
from worlds.messages import JSON_VALUES, body, resource

GOOD = body("3cd1d2a5", [resource("1")])


def parsed(text: str) -> Message:
    return parse(SqsRecord("id", "handle", text))


def sent(text: str) -> bytes:
    message = parsed(text)
    return PushRequest((Part(message, 0, len(message.resources)),)).body()


def test_a_message_is_read() -> None:
    message = parsed(
        ' {"request_id": "r", "instance_push_id": "a_-9", "external_resources": '
        '[ {"external_id": "1", "parent_id": "0"} , 7,null ]}\n'
    )

    assert (message.instance_push_id, message.request_id) == ("a_-9", "r")
    assert [each.raw for each in message.resources] == ['{"external_id": "1", "parent_id": "0"}', "7", "null"]
    assert [(each.external_id, each.parent_id) for each in message.resources] == [
        ("1", "0"),
        (None, None),
        (None, None),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "not JSON"),
        ("   ", "not JSON"),
        ("hello", "not JSON"),
        ("\ufeff" + GOOD, "not JSON"),
        (GOOD[:-1], "not JSON"),
        (GOOD + "x", "not JSON"),
        (GOOD + GOOD, "not JSON"),
        (GOOD.replace("}]", "},]"), "not JSON"),
        (GOOD.replace('"3cd1d2a5"', "'3cd1d2a5'"), "not JSON"),
        (GOOD.replace('"text of 1"', '"tab\there"'), "not JSON"),
        (GOOD.replace('"text of 1"', '"\\x41"'), "not JSON"),
        (GOOD.replace('"text of 1"', "NaN"), "NaN"),
        (GOOD.replace('"text of 1"', "[-Infinity]"), "-Infinity"),
        (GOOD.replace('"text of 1"', "01"), "not JSON"),
        (GOOD.replace('"text of 1"', "\u0661"), "not JSON"),
        ("[]", "not a JSON object"),
        ('"text"', "not a JSON object"),
        ("null", "not a JSON object"),
        ("{}", "instance_push_id must be a string"),
        ('{"instance_push_id": "a",}', "not JSON"),
        ('{"instance_push_id": "a" "b": 1}', "not JSON"),
        ('{"instance_push_id"}', "not JSON"),
        ("{1: 2}", "not JSON"),
        (GOOD.replace('"3cd1d2a5"', "1"), "instance_push_id must be a string"),
        (GOOD.replace('"3cd1d2a5"', '""'), "instance_push_id must be 1 to 255"),
        (GOOD.replace("3cd1d2a5", "a" * 256), "instance_push_id must be 1 to 255"),
        (GOOD.replace("3cd1d2a5", "../other"), "instance_push_id must be 1 to 255"),
        (GOOD.replace("3cd1d2a5", "a\\n"), "instance_push_id must be 1 to 255"),
        ('{"instance_push_id": "a"}', "external_resources must be an array"),
        ('{"instance_push_id": "a", "external_resources": {}}', "external_resources must be an array"),
        ('{"instance_push_id": "a", "external_resources": []}', "external_resources must be 1 to 256, not 0"),
        (body("a", [0] * 257), "external_resources must be 1 to 256, not 257"),
        (body("a", [0], request_id=""), "request_id must be a string of 1 to 64"),
        (body("a", [0], request_id="r" * 65), "request_id must be a string of 1 to 64"),
        (body("a", [0], request_id=None), "request_id must be a string of 1 to 64"),
        (body("a", [0], request_id=5), "request_id must be a string of 1 to 64"),
        (GOOD[:-1] + ', "request_id": "a", "request_id": "a"}', "top-level key twice"),
        (GOOD[:-1] + ', "instance_push_\\u0069d": "other"}', "top-level key twice"),
        (GOOD[:-1] + ', "external_resources": [1]}', "top-level key twice"),
        ("[" * 100_000, "nested more than 100 deep"),
        ('{"a":' * 100_000, "nested more than 100 deep"),
        (GOOD.replace('"text of 1"', "[" * 100_000 + "]" * 100_000), "nested more than 100 deep"),
    ],
)
def test_what_is_not_a_message_is_refused_with_the_rule_it_breaks(text: str, says: str) -> None:
    with pytest.raises(InvalidMessageError) as refused:
        parsed(text)

    assert says in str(refused.value)


def test_a_refusal_does_not_quote_the_body() -> None:
    with pytest.raises(InvalidMessageError) as refused:
        parsed('{"instance_push_id": "secret text", "external_resources": "secret text" secret text')

    assert "secret" not in str(refused.value)


@pytest.mark.parametrize(("levels", "fits"), [(MAX_DEPTH - 2, True), (MAX_DEPTH - 1, False)])
def test_depth_counts_from_the_message_itself(levels: int, fits: bool) -> None:
    text = f'{{"instance_push_id": "a", "external_resources": [{"[" * levels}{"]" * levels}]}}'

    if fits:
        assert parsed(text)
    else:
        with pytest.raises(InvalidMessageError, match="nested"):
            parsed(text)


@pytest.mark.parametrize("text", ["[" * 100_000, '\\"' * 100_000, "\\\\" * 50_000, "]" * 200])
def test_brackets_and_quotes_inside_strings_are_text(text: str) -> None:
    assert parsed(f'{{"instance_push_id": "a", "external_resources": ["{text}"]}}').resources


def test_a_string_that_never_ends_is_read_once() -> None:
    """Started anew at each of its quotes, this would take minutes: the work would grow by the square."""
    with pytest.raises(InvalidMessageError, match="not JSON"):
        parsed('{"a": "' + '\\"[' * 330_000)


@pytest.mark.parametrize(
    "content",
    [
        "1e400",
        "-0.0",
        "1E+2",
        "9" * 5000,
        "0.1000000000000000055511151231257827",
        '{"b":1,"a":2,"b":3}',
        '"\\ud800"',
        '"\\u00e9 \\/ \u00e9"',
        '"\U0001f600\\ud83d\\ude00"',
        "[ 1 ,\t2 ]",
        '{"unknown key": null}',
    ],
)
def test_content_is_passed_on_as_it_is_written(content: str) -> None:
    text = f'{{"instance_push_id":"a","external_resources":[{content}]}}'

    assert sent(text) == text.encode()


def test_further_members_are_the_senders_own() -> None:
    text = '{"x\\u0079": [1 , 2], "instance_push_id": "a", "external_resources": [1], "z": 1e400}'

    assert sent(text) == b'{"instance_push_id":"a","external_resources":[1]}'


def test_a_lone_surrogate_that_is_not_escaped_is_sent_as_its_escape() -> None:
    """SQS never delivers one, but whatever calls the function might."""
    assert b'"\\ud800"' in sent('{"instance_push_id": "a", "external_resources": ["\ud800"]}')


@given(st.lists(JSON_VALUES, min_size=1, max_size=5), st.none() | st.text(min_size=1, max_size=64))
def test_any_values_arrive_unchanged(values: list[object], request_id: str | None) -> None:
    more = {} if request_id is None else {"request_id": request_id}
    arrived = json.loads(sent(body("a", values, **more)))

    assert arrived == {"instance_push_id": "a", "external_resources": values, **more}


@given(st.text(st.characters(), max_size=200))
def test_no_text_makes_the_parser_fail_otherwise(text: str) -> None:
    with contextlib.suppress(InvalidMessageError):
        parsed(text)


@given(st.text(alphabet='{}[]",:\\ e1-ntrufals', max_size=60))
def test_what_json_refuses_is_refused(fragment: str) -> None:
    text = f'{{"instance_push_id": "a", "external_resources": [{fragment}]}}'
    try:
        expected = json.loads(text)
    except ValueError:
        expected = None
    try:
        got: Message | None = parsed(text)
    except InvalidMessageError:
        got = None

    if expected is None:
        assert got is None
    elif got is not None:
        assert json.loads(sent(text)) == expected
