"""Print agents' answers as they come, and leave them on the queue for the system that reads it.

While this runs, what it has printed is hidden from other readers; at the end it is given back. Each look counts as
one of the ten receipts after which SQS takes an answer for one that no reader can cope with. With --delete
they are taken off the queue: to try things out, or where a person is the reader.
"""

import argparse
import json
import time
from typing import Any, Final

from zendesk_push.commands.replies.reading import QueuedReply, RepliesReading
from zendesk_push.deployment import Deployment, add_deployment_arguments, find_deployment
from zendesk_push.errors import CommandError
from zendesk_push.terminal import counted, duration, isoformat, printable, remark, styled, timestamp

EXAMPLES: Final = """\
examples:
  zendesk-push replies
  zendesk-push replies --no-wait --json | jq -r .message
  zendesk-push replies --dead --no-wait"""
_MANY_RECEIPTS: Final = 8  # of ten


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument("--delete", action="store_true", help="take each off the queue once it is printed")
    parser.add_argument("--no-wait", action="store_true", help="end when there is nothing more for now")
    parser.add_argument(
        "--dead", action="store_true", help="those that their reader failed on ten times, instead"
    )
    parser.add_argument("--json", action="store_true", help="a JSON object on a line for each")
    add_deployment_arguments(parser)


def run(args: argparse.Namespace) -> int:
    """Print replies until interrupted, or until there are no more."""
    deployment = find_deployment(args)
    sqs = deployment.client("sqs")
    queue_url = dead_letter_queue_of(sqs, deployment) if args.dead else deployment.replies_queue()
    printed = deleted = 0
    reading = RepliesReading(sqs, queue_url, wait=not args.no_wait)
    try:
        with reading:
            for reply in reading:
                print(_line(reply) if args.json else _text(reply), flush=True)
                printed += 1
                if args.delete:
                    reading.delete(reply)
                    deleted += 1
                elif reply.receive_count >= _MANY_RECEIPTS and not args.dead:
                    times = f"received {reply.receive_count} times"
                    remark(f"{reply.message_id}: {times}; after ten it goes to the dead-letter queue")
    finally:
        held = printed - deleted - reading.given_back
        done = f"{deleted:,} deleted" if args.delete else f"{reading.given_back:,} given back"
        late = f"; {held:,} will be back on the queue within two minutes" if held > 0 else ""
        remark(f"{counted(printed, 'answer')} printed, {done}{late}" if printed else "no answers")
    return 0


def dead_letter_queue_of(sqs: Any, deployment: Deployment) -> str:
    """Where SQS moves what the reader failed on.

    Raises:
        CommandError: the replies queue leads nowhere.
    """
    attributes = sqs.get_queue_attributes(
        QueueUrl=deployment.replies_queue(), AttributeNames=["RedrivePolicy"]
    )
    policy = json.loads(attributes.get("Attributes", {}).get("RedrivePolicy") or "{}")
    arn = policy.get("deadLetterTargetArn")
    if not arn:
        raise CommandError("the replies queue has no dead-letter queue: deploy template.yaml again")
    account, name = arn.split(":")[-2:]
    url: str = sqs.get_queue_url(QueueName=name, QueueOwnerAWSAccountId=account)["QueueUrl"]
    return url


def _line(reply: QueuedReply) -> str:
    about = {
        "message_id": reply.message_id,
        "sent_at": isoformat(reply.sent_at),
        "receive_count": reply.receive_count,
    }
    return json.dumps((reply.reply or {"body": reply.body}) | {"sqs": about}, ensure_ascii=False)


def _text(queued: QueuedReply) -> str:
    age = duration(time.time() - queued.sent_at)
    reply = queued.reply
    if not reply:
        head = f"{timestamp(queued.sent_at)}  {queued.message_id}  no reply of this project's, {age} old"
        return f"{head}\n    {printable(queued.body)}\n"
    to = " ".join(
        f"{name} {reply[name]}" for name in ("parent_id", "thread_id", "recipient_id") if reply.get(name)
    )
    head = f"{timestamp(queued.sent_at)}  {reply.get('subdomain')}  {reply['external_id']}"
    text = printable(str(reply.get("message"))).replace("\n", "\n    ")
    return f"{styled(printable(head), 'bold')}  {printable(to)}  {age} old\n    {text}\n"
