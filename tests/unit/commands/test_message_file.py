"""Messages are slices of the file's own text."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zendesk_push.commands.send.message_file import FileMessage, cut_lines, cut_messages, decode
from zendesk_push.errors import UsageError

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
objects = st.builds(
    lambda value, indent, ascii_only: json.dumps(value, indent=indent, ensure_ascii=ascii_only),
    st.dictionaries(st.text(), json_values, max_size=4),
    st.sampled_from([None, 2]),
    st.booleans(),
)
blanks = st.text(alphabet=" \t\r\n", max_size=3)


@given(st.lists(st.tuples(objects, blanks)), blanks)
def test_objects_one_after_the_other_come_out_as_they_went_in(
    parts: list[tuple[str, str]], start: str
) -> None:
    text = start + "".join(message + blank for message, blank in parts)
    assert [found.text for found in cut_messages(text, "f")] == [message for message, _ in parts]


@given(st.lists(st.tuples(blanks, objects, blanks)), blanks)
def test_an_arrays_elements_come_out_as_they_went_in(parts: list[tuple[str, str, str]], blank: str) -> None:
    text = f"{blank}[{','.join(''.join(part) for part in parts)}]{blank}"
    assert [found.text for found in cut_messages(text, "f")] == [message for _, message, _ in parts]


def test_nothing_inside_a_message_is_rewritten() -> None:
    text = (
        '{"a":1e400, "a" : 007 ,"\\u00e9":"\\ud800 }] \\" {",\n "deep": '
        + "[" * 100_000
        + "]" * 100_000
        + "}"
    )
    assert [found.text for found in cut_messages(text, "f")] == [text]


def test_the_line_is_that_on_which_a_message_begins() -> None:
    text = '\n{"a":\n1}\n\n{"b": 2} {"c": 3}'
    assert list(cut_messages(text, "f")) == [
        FileMessage('{"a":\n1}', 2),
        FileMessage('{"b": 2}', 5),
        FileMessage('{"c": 3}', 5),
    ]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a": 1}\nnonsense', "f:2:1: expected a message"),
        ('{"a": 1}\n[{"b": 2}]', "f:2:1: expected a message"),
        ('{"a": 1', "f:1:1: the message that begins here has no end"),
        ('{"a": ]}', "f:1:7: ']' closes nothing"),
        ('{"a": "' + "x" * 1_000_000, "f:1:7: this string has no end"),
        ('[{"a": 1} {"b": 2}]', "f:1:11: expected ',' or ']'"),
        ('[{"a": 1},]', "f:1:11: expected a message"),
        ('[{"a": 1}', "f:1:10: expected ',' or ']'"),
        ("[1, 2]", "f:1:2: expected a message"),
        ("[] x", "f:1:4: something follows"),
    ],
)
def test_a_file_that_cannot_be_cut_says_where(text: str, says: str) -> None:
    with pytest.raises(UsageError) as caught:
        list(cut_messages(text, "f"))
    assert str(caught.value).startswith(says)
    assert caught.value.exit_code == 2


def test_lines_are_messages_whatever_they_hold() -> None:
    assert list(cut_lines('NaN\r\n\n  {"a": \n')) == [FileMessage("NaN", 1), FileMessage('  {"a": ', 3)]


def test_a_byte_order_mark_is_the_files_and_not_the_messages() -> None:
    assert decode(b"\xef\xbb\xbf{}", "f") == "{}"


def test_what_is_not_utf8_says_where() -> None:
    with pytest.raises(UsageError, match=r"f:2: this is not UTF-8 \(byte 0xFF\)"):
        decode(b"{}\n\xff", "f")
