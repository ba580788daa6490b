"""The event source mapping: takes messages from the queue, gives them to the function, deletes what succeeded.

As Lambda does it: long polling; a batch ends at its size, at the end of its window (counted from its first
message) or at 6 MB; at most MaximumConcurrency invocations at a time, and nothing is received that can't be
handed on. What the function reports as failed, or everything if it fails as a whole, is left as it is: it comes
back when its visibility time-out ends, or when the function said so.
"""

import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from zendesk_push.local.event_wiring import EventSource
from zendesk_push.local.invocation import PAYLOAD_LIMIT, InvocationResult
from zendesk_push.sqs_event import MalformedResponseError, failed_ids, in_tens, record, size_of

_LOG: Final = logging.getLogger(__name__)

_LONG_POLL_SECONDS: Final = 1  # short, since shutting down waits for it
_EMPTY_QUEUE_SECONDS: Final = 0.05  # between two looks at the queue while a window is open
# SQS hands over ten at a time: receives go side by side, or a window would end with a request half full.
_PARALLEL_RECEIVES: Final = 4
_AWS_ERRORS: Final = (BotoCoreError, ClientError)
_ENVELOPE: Final = len('{"Records": []}')


@dataclass(frozen=True)
class BatchOutcome:
    """What became of one invocation: message ids that were deleted, and those that stay on the queue.

    ``error`` is why the whole batch stayed, where it did.
    """

    records: list[dict[str, Any]]
    deleted: frozenset[str]
    left: frozenset[str]
    error: str | None = None


class EventSourceMapping:
    """Runs one mapping from ``start`` to ``stop``.

    Args:
        source: the template's settings.
        sqs: a boto3 client for any number of threads.
        queue_url: the queue's address.
        invoke: runs the function.
        on_batch: is told the records of each invocation before it starts.
        on_outcome: is told what became of it.
        drain_seconds: how long ``stop`` waits for invocations under way.
    """

    def __init__(
        self,
        source: EventSource,
        sqs: Any,
        queue_url: str,
        invoke: Callable[[Any], InvocationResult],
        *,
        on_batch: Callable[[list[dict[str, Any]]], None] = lambda _: None,
        on_outcome: Callable[[BatchOutcome], None] = lambda _: None,
        drain_seconds: float = 3,
    ) -> None:
        self._source = source
        self._sqs = sqs
        self._queue_url = queue_url
        self._invoke = invoke
        self._on_batch = on_batch
        self._on_outcome = on_outcome
        self._drain_seconds = drain_seconds
        self._stopping = threading.Event()
        self._idle = threading.Condition()
        self._running = 0
        self._slots = threading.Semaphore(source.concurrency)
        self._receivers = ThreadPoolExecutor(_PARALLEL_RECEIVES, thread_name_prefix="receive")
        self._invocations = ThreadPoolExecutor(source.concurrency, thread_name_prefix="invoke")
        self._poller = threading.Thread(target=self._poll, name="event-source", daemon=True)
        # A message that did not fit into the last batch, and opens the next.
        self._held_back: list[dict[str, Any]] = []

    def start(self) -> None:
        """Begin to poll; returns at once."""
        self._poller.start()

    def stop(self) -> None:
        """Receive nothing more, and give the invocations under way a while to end."""
        self._stopping.set()
        if self._poller.is_alive():
            self._poller.join()
        self._receivers.shutdown()
        with self._idle:
            self._idle.wait_for(lambda: not self._running, self._drain_seconds)
        # What still runs ends with its function's instance, and its messages stay on the queue.
        self._invocations.shutdown(wait=False)

    def _poll(self) -> None:
        while not self._stopping.is_set():
            if not self._slots.acquire(timeout=_LONG_POLL_SECONDS):
                continue
            batch = self._gather()
            if batch:
                with self._idle:
                    self._running += 1
                self._invocations.submit(self._process, batch).add_done_callback(self._processed)
            else:
                self._slots.release()

    def _processed(self, future: "Future[None]") -> None:
        self._slots.release()
        with self._idle:
            self._running -= 1
            self._idle.notify_all()
        error = future.exception()
        if error is not None:
            _LOG.error("an invocation was not accounted for: %r", error)

    def _gather(self) -> list[dict[str, Any]]:
        """The next batch, empty when nothing came within one long poll."""
        records = self._held_back
        self._held_back = []
        if not records:
            records = self._receive(min(10, self._source.batch_size), _LONG_POLL_SECONDS)
        if not records:
            return []
        deadline = time.monotonic() + self._source.window
        size = _ENVELOPE + sum(map(size_of, records))
        while len(records) < self._source.batch_size and size <= PAYLOAD_LIMIT:
            came = self._receive_side_by_side(self._source.batch_size - len(records))
            records.extend(came)
            size += sum(map(size_of, came))
            remaining = deadline - time.monotonic()
            if remaining <= 0 or self._stopping.is_set():
                break
            if not came:
                self._stopping.wait(min(_EMPTY_QUEUE_SECONDS, remaining))
        return self._fitting(records)

    def _fitting(self, records: list[dict[str, Any]]) -> list[dict[str, Any]]:
        size = _ENVELOPE
        for index, one in enumerate(records):
            size += size_of(one)
            if size > PAYLOAD_LIMIT and index > 0:
                self._held_back = records[index:]
                return records[:index]
        return records

    def _receive_side_by_side(self, wanted: int) -> list[dict[str, Any]]:
        calls = min(_PARALLEL_RECEIVES, -(-wanted // 10))
        counts = [min(10, wanted - 10 * index) for index in range(calls)]
        futures = [self._receivers.submit(self._receive, count, 0) for count in counts]
        return [one for future in futures for one in future.result()]

    def _receive(self, count: int, wait_seconds: int) -> list[dict[str, Any]]:
        try:
            answer = self._sqs.receive_message(
                QueueUrl=self._queue_url,
                MaxNumberOfMessages=count,
                WaitTimeSeconds=wait_seconds,
                AttributeNames=["All"],
                MessageAttributeNames=["All"],
            )
        except _AWS_ERRORS as error:
            _LOG.warning("receiving failed: %s", error)
            self._stopping.wait(_LONG_POLL_SECONDS)
            return []
        return [record(message, self._source.queue_arn) for message in answer.get("Messages", [])]

    def _process(self, records: list[dict[str, Any]]) -> None:
        self._on_batch(records)
        ids = [one["messageId"] for one in records]
        result = self._invoke({"Records": records})
        failed, error = self._failed(result, ids)
        if error is not None:
            _LOG.error("%s failed, its %d messages stay: %s", self._source.function, len(ids), error)
        done = [one for one in records if one["messageId"] not in failed]
        kept = self._delete(done)
        left = frozenset(failed | kept)
        self._on_outcome(BatchOutcome(records, frozenset(set(ids) - left), left, error))

    def _failed(self, result: InvocationResult, ids: list[str]) -> tuple[set[str], str | None]:
        if result.function_error:
            return set(ids), result.error
        if not self._source.reports_failures:
            return set(), None
        try:
            return failed_ids(result.value, ids), None
        except MalformedResponseError as error:
            return set(ids), f"not a partial batch response: {error}"

    def _delete(self, records: list[dict[str, Any]]) -> set[str]:
        """Delete; returns the ids of what could not be deleted."""
        kept = set()
        for ten in in_tens(records):
            entries = [
                {"Id": str(index), "ReceiptHandle": one["receiptHandle"]} for index, one in enumerate(ten)
            ]
            try:
                answer = self._sqs.delete_message_batch(QueueUrl=self._queue_url, Entries=entries)
                refused = {int(failure["Id"]) for failure in answer.get("Failed", [])}
            except _AWS_ERRORS as error:
                _LOG.warning("deleting failed: %s", error)
                refused = set(range(len(ten)))
            kept |= {ten[index]["messageId"] for index in refused}
        return kept
