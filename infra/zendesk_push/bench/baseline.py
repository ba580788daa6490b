"""What people use instead, and the limit: three handlers that take the same records and push them to one origin.

None of them looks at results, limits, refusals or time: they are here for what they cost. Close them after use.
"""

import http.client
import json
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final
from urllib.parse import urlsplit

import urllib3
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from aws_lambda_powertools.utilities.data_classes.sqs_event import SQSRecord

_PATH: Final = "/api/v2/any_channel/push.json"
_TIMEOUT: Final = 30.0
Records = Sequence[Mapping[str, Any]]


class OnePostPerRecord:
    """Powertools' batch processor, and one POST a record over kept connections ("N")."""

    def __init__(self, url: str, tokens: Mapping[str, str]) -> None:
        self._url = url + _PATH
        self._tokens = tokens
        self._pool = urllib3.PoolManager(timeout=_TIMEOUT, retries=False)
        self._processor = BatchProcessor(event_type=EventType.SQS)

    def run(self, records: Records) -> Any:
        """One invocation."""
        return process_partial_response(
            event={"Records": records},
            record_handler=self._push,
            processor=self._processor,
            context=None,
        )

    def close(self) -> None:
        """End its connections."""
        self._pool.clear()

    def _push(self, record: SQSRecord) -> None:
        _post(self._pool, self._url, self._tokens, json.loads(record.body))


class OnePostPerMessageOnThreads:
    """One request per message on 32 threads ("E")."""

    def __init__(self, url: str, tokens: Mapping[str, str]) -> None:
        self._url = url + _PATH
        self._tokens = tokens
        self._pool = urllib3.PoolManager(timeout=_TIMEOUT, retries=False, maxsize=32)
        self._threads = ThreadPoolExecutor(32)

    def run(self, records: Records) -> None:
        """One invocation."""
        list(self._threads.map(self._push, records))

    def close(self) -> None:
        """End its threads and connections."""
        self._threads.shutdown()
        self._pool.clear()

    def _push(self, record: Mapping[str, Any]) -> None:
        _post(self._pool, self._url, self._tokens, json.loads(record["body"]))


class Limit:
    """The least that can be done: json.loads and json.dumps of the same bytes, one POST per 256 resources of an
    account, on kept connections of the standard library; on as many threads as the function has ("L").
    """

    def __init__(self, url: str, tokens: Mapping[str, str], threads: int = 64) -> None:
        parts = urlsplit(url)
        self._address = (parts.hostname or "", parts.port)
        self._tokens = tokens
        self._threads = ThreadPoolExecutor(threads) if threads > 1 else None
        self._idle: list[http.client.HTTPConnection] = []

    def run(self, records: Records) -> None:
        """One invocation."""
        accounts: dict[str, list[Any]] = {}
        for record in records:
            message = json.loads(record["body"])
            accounts.setdefault(message["instance_push_id"], []).extend(message["external_resources"])
        if self._threads is None or len(accounts) == 1:
            for account in accounts.items():
                self._push(account)
        else:
            list(self._threads.map(self._push, accounts.items()))

    def close(self) -> None:
        """End its threads and connections."""
        if self._threads:
            self._threads.shutdown()
        for connection in self._idle:
            connection.close()

    def _push(self, account: tuple[str, list[Any]]) -> None:
        key, resources = account
        connection = self._idle.pop() if self._idle else http.client.HTTPConnection(*self._address)
        headers = {"Authorization": f"Bearer {self._tokens[key]}", "Content-Type": "application/json"}
        for start in range(0, len(resources), 256):
            body = json.dumps({"instance_push_id": key, "external_resources": resources[start : start + 256]})
            connection.request("POST", _PATH, body=body, headers=headers)
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise ValueError(f"status {answer.status}")
        self._idle.append(connection)


Peer = OnePostPerRecord | OnePostPerMessageOnThreads | Limit
PEERS: Final[Mapping[str, type[Peer]]] = {
    "N: one POST a record": OnePostPerRecord,
    "E: 32 threads": OnePostPerMessageOnThreads,
    "L: the limit": Limit,
}


def _post(pool: urllib3.PoolManager, url: str, tokens: Mapping[str, str], message: Mapping[str, Any]) -> None:
    """One push request, decoded and encoded again."""
    token = tokens[message["instance_push_id"]]
    answer = pool.request(
        "POST",
        url,
        body=json.dumps(message),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    if answer.status != 200:
        raise ValueError(f"status {answer.status}")
