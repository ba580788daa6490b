"""What is measured. Each measurement compares two ways of doing the same on this machine, in this run."""

import json
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

import boto3
from moto import mock_aws

from push_content.messages.message import parse
from push_content.messages.sqs_record import receipts
from push_content.requests.push_body import push_body
from push_content.requests.push_request import coalesce
from zendesk_channel.accounts import AccountsTable
from zendesk_channel.addresses import ZendeskAddresses
from zendesk_channel.client import ZendeskClient
from zendesk_channel.credentials import CredentialStore
from zendesk_channel.push_state import SharedPauses
from zendesk_push.bench.naive import NaiveHandler
from zendesk_push.bench.rig import Rig, records
from zendesk_push.bench.slow_zendesk import SlowZendesk
from zendesk_push.in_memory.sqs import InMemorySqs
from zendesk_push.in_memory.zendesk import InMemoryZendeskClient
from zendesk_push.simulator.core import ZendeskState

LATENCY: Final = 0.02  # seconds; Zendesk's own is longer, which makes one-by-one worse
_REGION: Final = "us-east-1"


@dataclass(frozen=True)
class Row:
    """One line of the report. ``ratio`` says how many times better; None where there is nothing to compare with."""

    what: str
    ours: str
    baseline: str
    ratio: float | None = None


def throughput() -> Iterator[Row]:
    """256 messages of four accounts, one invocation, over HTTP."""
    accounts = [f"a{number}" for number in range(4)]
    batch = records(accounts, 256)
    with SlowZendesk(LATENCY) as zendesk:
        rig = Rig(ZendeskClient(ZendeskAddresses(zendesk.url)), accounts)
        ours = _seconds(lambda: rig.run(batch))
        requests = len(zendesk.pushed)
    with SlowZendesk(LATENCY) as zendesk:
        naive = NaiveHandler(zendesk.url, rig.tokens, timeout=30)
        theirs = _seconds(lambda: naive.run(batch))
        their_requests = len(zendesk.pushed)
    yield Row("256 messages of 4 accounts, seconds", f"{ours:.3f}", f"{theirs:.2f}", theirs / ours)
    yield Row(
        "... requests of the customers' rate limits",
        str(requests),
        str(their_requests),
        their_requests / requests,
    )


def isolation() -> Iterator[Row]:
    """Ten accounts, one of which never gets an answer: when do the others have what is theirs?"""
    accounts = [f"a{number}" for number in range(10)]
    batch = records(accounts, 50)
    with SlowZendesk(LATENCY, hanging=accounts[:1]) as zendesk:
        rig = Rig(ZendeskClient(ZendeskAddresses(zendesk.url)), accounts, push_timeout=1)
        begun = time.monotonic()
        rig.run(batch)
        ours = max(each.at for each in zendesk.pushed) - begun
    with SlowZendesk(LATENCY, hanging=accounts[:1]) as zendesk:
        naive = NaiveHandler(zendesk.url, rig.tokens, timeout=1)
        begun = time.monotonic()
        naive.run(batch)
        theirs = max(each.at for each in zendesk.pushed) - begun
    yield Row(
        "1 of 10 accounts hangs (1 s): the others served after, s",
        f"{ours:.3f}",
        f"{theirs:.2f}",
        theirs / ours,
    )


def poison() -> Iterator[Row]:
    """256 messages of one account, some of which Zendesk's schema refuses: how many requests until all are decided?"""
    for bad in (1, 16, 128):
        batch = records(["a0"], 256, poison=range(0, 256, 256 // bad))
        zendesk, client = _simulated(["a0"])
        staying = Rig(client, ["a0"]).run(batch)
        if staying:
            raise RuntimeError("a message was left undecided")
        ours = len(zendesk.requests)
        zendesk, _ = _simulated(["a0"])
        theirs = _bisected(zendesk, [json.loads(record["body"]) for record in batch])
        yield Row(f"{bad} of 256 refused: requests (baseline bisects)", str(ours), str(theirs), theirs / ours)


def aws_calls() -> Iterator[Row]:
    """1,000 messages of ten accounts, counted by botocore's hooks on moto: beside the poller's own calls."""
    accounts = [f"a{number}" for number in range(10)]
    _, client = _simulated(accounts)
    calls: list[str] = []
    with mock_aws():
        session = boto3.session.Session(
            region_name=_REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106
        )
        session.events.register("before-call.*", lambda model, **_: calls.append(model.name))
        dynamodb = session.client("dynamodb")
        dynamodb.create_table(
            TableName="accounts",
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            BillingMode="PAY_PER_REQUEST",
        )
        rig = Rig(
            client,
            accounts,
            table=(AccountsTable(dynamodb, "accounts"), SharedPauses(dynamodb, "accounts")),
            credentials=CredentialStore(session.client("secretsmanager"), "bench", "alias/bench"),
            sqs=session.client("sqs"),
        )
        for name in ("the first 1,000", "the next 1,000"):
            calls.clear()
            rig.run(records(accounts, 1_000, first=1 if name.startswith("the first") else 1_001))
            yield Row(f"AWS calls for {name} messages of 10 accounts", str(len(calls)), "-")


def json_handling() -> Iterator[Row]:
    """From 256 bodies to one request's: slices of text here, decoding and encoding there."""
    batch = records(["a0"], 256, size=1)
    ready = receipts(batch)

    def spliced() -> bytes:
        (request,) = coalesce([parse(receipt) for receipt in ready], 256)
        return push_body(request)

    def decoded() -> bytes:
        resources = [each for receipt in ready for each in json.loads(receipt.body)["external_resources"]]
        return json.dumps({"instance_push_id": "a0", "external_resources": resources}).encode()

    ours, theirs = _fastest(spliced), _fastest(decoded)
    yield Row(
        "a request of 256 messages from their bodies, ms",
        f"{ours * 1e3:.2f}",
        f"{theirs * 1e3:.2f}",
        theirs / ours,
    )
    yield Row("... with 1e400 still a number", str(b"1e400" in spliced()), str(b"1e400" in decoded()))


def queue() -> Iterator[Row]:
    """The in-memory queue of tests and benchmarks, and moto's, with 300 messages on it."""
    ours = _queue_seconds(InMemorySqs(time.time))
    with mock_aws():
        client = boto3.client(
            "sqs",
            region_name=_REGION,
            aws_access_key_id="local",
            aws_secret_access_key="local",  # noqa: S106
        )
        theirs = _queue_seconds(client)
    yield Row(
        "300 messages sent, received and deleted, s (moto's)", f"{ours:.3f}", f"{theirs:.2f}", theirs / ours
    )


ALL: Final[Sequence[Callable[[], Iterator[Row]]]] = (
    throughput,
    isolation,
    poison,
    aws_calls,
    json_handling,
    queue,
)


def _simulated(accounts: Sequence[str]) -> tuple[ZendeskState, ZendeskClient]:
    """A Zendesk that knows the rig's accounts and tokens."""
    zendesk = ZendeskState(rate_limit=100_000)
    for number, key in enumerate(accounts):
        zendesk.create_account(f"sub{number}", instance_push_id=key, token=f"{number + 1:064x}")
    return zendesk, InMemoryZendeskClient(zendesk, time.sleep)


def _bisected(zendesk: ZendeskState, messages: list[Any]) -> int:
    """Requests that halving takes, as Lambda's own "bisect on error" does it for streams."""
    resources = [each for message in messages for each in message["external_resources"]]
    body = json.dumps({"instance_push_id": "a0", "external_resources": resources}).replace(
        "Infinity", "1e400"
    )
    status = zendesk.push("sub0", f"Bearer {1:064x}", body.encode()).status
    if status == 200 or len(messages) == 1:
        return 1
    middle = len(messages) // 2
    return 1 + _bisected(zendesk, messages[:middle]) + _bisected(zendesk, messages[middle:])


def _queue_seconds(client: Any) -> float:
    url = client.create_queue(QueueName="bench")["QueueUrl"]

    def work() -> None:
        for number in range(300):
            client.send_message(QueueUrl=url, MessageBody=str(number))
        for _ in range(30):
            received = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
            client.delete_message_batch(
                QueueUrl=url,
                Entries=[
                    {"Id": str(index), "ReceiptHandle": each["ReceiptHandle"]}
                    for index, each in enumerate(received)
                ],
            )

    return _seconds(work)


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun


def _fastest(work: Callable[[], object]) -> float:
    return statistics.median(sorted(_seconds(work) for _ in range(21))[:7])
