"""The way of one message, as ``make way`` prints it."""

from zendesk_push.bench.message_way import way_of_a_message


def test_it_goes_from_the_invocation_to_zendesk_and_back() -> None:
    way = way_of_a_message()
    lines = [line.strip() for line in way.lines()]
    assert lines[0] == "push_content/invocation: PushInvocation.run"
    assert lines.index("zendesk_channel/client: ZendeskClient.push") < lines.index(
        "push_content/answers/answer_judge: judge"
    )
    assert len(way.files) <= len(way.hops) <= way.calls
