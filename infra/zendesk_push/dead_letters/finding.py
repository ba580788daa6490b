"""A deployment's dead letters, read with a progress bar."""

from collections.abc import Callable, Iterator

from zendesk_push.dead_letters.dead_letter import ReceivedDeadLetter
from zendesk_push.dead_letters.letter_file import without_body
from zendesk_push.dead_letters.reading import LONG_POLL_SECONDS, Reading, hold_seconds
from zendesk_push.deployment import Deployment
from zendesk_push.terminal import progress_bar, remark


def open_reading(deployment: Deployment) -> Reading:
    """A reading of the deployment's dead letters."""
    return Reading(
        deployment.client("sqs"),
        deployment.dead_letter_queue(),
        # Long polling is for SQS's many servers; a local one is one, and has told all at once.
        wait_seconds=0 if deployment.local else LONG_POLL_SECONDS,
        hold_seconds=hold_seconds(visible_letters(deployment)),
        remark=remark,
    )


def visible_letters(deployment: Deployment, attribute: str = "ApproximateNumberOfMessages") -> int:
    """About how many dead letters can be read now; with ``…NotVisible`` as attribute, how many somebody reads."""
    answer = deployment.client("sqs").get_queue_attributes(
        QueueUrl=deployment.dead_letter_queue(), AttributeNames=[attribute]
    )
    return int(answer["Attributes"][attribute])


def read_letters(deployment: Deployment, reading: Reading) -> Iterator[ReceivedDeadLetter]:
    """Every letter of one pass, with a progress bar."""
    with progress_bar() as progress:
        task = progress.add_task("reading", total=visible_letters(deployment))
        for letter in reading:
            progress.advance(task)
            yield letter


def find_letters(
    deployment: Deployment, meant: Callable[[ReceivedDeadLetter], bool]
) -> list[ReceivedDeadLetter]:
    """Those that are meant, oldest first and without bodies; all are back on the queue when this returns."""
    with open_reading(deployment) as reading:
        found = [without_body(letter) for letter in read_letters(deployment, reading) if meant(letter)]
    return sorted(found, key=lambda letter: letter.dead_since)
