"""The local stack: its parts, put together from template.yaml, and their life.

with LocalStack() as stack:
    account = connect_account(stack.zendesk_url, "acme", "Acme")
    stack.client("sqs").send_message(QueueUrl=stack.queue_url, MessageBody=…)
    stack.invoke("AdminCallbackFunction", event).value
    stack.fire_schedules()
    assert token not in stack.logs.text()
"""

from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Self

from zendesk_push.local.aws import LocalAws, isolated_session
from zendesk_push.local.cloudformation import CreatedStack
from zendesk_push.local.errors import LocalStackError
from zendesk_push.local.event_source import BatchOutcome, EventSourceMapping
from zendesk_push.local.event_wiring import EventSource, event_sources, functions, routes, schedules
from zendesk_push.local.http_api import HttpApiServer
from zendesk_push.local.invocation import InvocationResult
from zendesk_push.local.lambda_api import LambdaApi
from zendesk_push.local.logs import LogCollector
from zendesk_push.local.moto_process import REGION, MotoProcess
from zendesk_push.local.pool import FunctionPool
from zendesk_push.local.ready_file import KEYS as READY_KEYS
from zendesk_push.local.schedule import ScheduledEvent
from zendesk_push.local_registry import STACK_NAME
from zendesk_push.loopback_http import public_host
from zendesk_push.simulator import Simulator
from zendesk_push.template.reader import TEMPLATE
from zendesk_push.template.translation import StackTemplate, load_template

if TYPE_CHECKING:
    import boto3


_QUEUE: Final = "ContentQueue"
_DEAD_LETTER_QUEUE: Final = "DeadLetterQueue"
_TABLE: Final = "AccountsTable"
_REPLIES_QUEUE: Final = "RepliesQueue"
_ZENDESK_URL: Final = "ZendeskBaseUrl"
_MOST_INSTANCES: Final = 32  # of one function, whatever MaximumConcurrency says: each is a process
_HTTP_INSTANCES: Final = 10


def _nothing(_: Any) -> None:
    """Nobody listens."""


class LocalStack:
    """Everything that a deployment is, on this machine, from ``start`` to ``stop``; also a context manager.

    Args:
        template: the SAM template, source or built.
        parameters: values for its parameters, checked as CloudFormation does.
        zendesk_url: an origin to push to, with or without ``{subdomain}``; None starts a simulated Zendesk.
        bind: the address that every server listens on.
        port: the HTTP API's; 0 is a free one. All other ports are free ones.
        logs: takes what the functions write.
        moto: moto's server, where it was started earlier to save time; the stack ends it.
        on_batch: is told the records of each invocation before it starts, ``on_outcome`` what became of them;
            both from several threads.

    Raises:
        LocalStackError: it can't start; whatever was running by then is stopped.
    """

    def __init__(
        self,
        *,
        template: Path = TEMPLATE,
        parameters: Mapping[str, str] | None = None,
        zendesk_url: str | None = None,
        bind: str = "127.0.0.1",
        port: int = 0,
        logs: LogCollector | None = None,
        moto: MotoProcess | None = None,
        on_batch: Callable[[list[dict[str, Any]]], None] = _nothing,
        on_outcome: Callable[[BatchOutcome], None] = _nothing,
    ) -> None:
        self.logs: Final = logs or LogCollector()
        self.region: Final = REGION
        self.simulator: Simulator | None = None
        self.zendesk_url = ""
        self.schedules: list[ScheduledEvent] = []
        self.template: Final = template
        self._parameters = dict(parameters or {})
        self._given_zendesk_url = zendesk_url or self._parameters.get(_ZENDESK_URL)
        self._bind = bind
        self._port = port
        self._moto = moto
        self._on_batch = on_batch
        self._on_outcome = on_outcome
        self._running = ExitStack()
        self._session: boto3.session.Session | None = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> Self:
        """Start everything; returns when every part answers."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """Stop everything in reverse order; invocations under way get 3 s to end."""
        self._running.close()

    def _start(self) -> None:
        moto = self._moto or MotoProcess(self._bind)
        self._running.callback(moto.stop)
        self._session = isolated_session()
        self._start_zendesk()
        template = load_template(self.template, self._parameters)
        self._aws = LocalAws(f"http://{public_host(self._bind)}:{moto.wait_until_ready()}", self._session)
        self._stack = CreatedStack.create(template, STACK_NAME, self._aws)
        self._start_functions(template)
        self._start_triggers()

    def _start_zendesk(self) -> None:
        if self._given_zendesk_url is not None:
            self.zendesk_url = self._given_zendesk_url
        else:
            self.simulator = Simulator(host=self._bind)
            self._running.callback(self.simulator.close)
            self.simulator.start()
            self.zendesk_url = self.simulator.url
        self._parameters[_ZENDESK_URL] = self.zendesk_url

    def _start_functions(self, template: StackTemplate) -> None:
        self._functions = functions(self._stack, template)
        self._sources = event_sources(self._stack, self._functions)
        self._pools: dict[str, FunctionPool] = {}
        for logical_id, spec in self._functions.items():
            wanted = [source.concurrency for source in self._sources if source.function == logical_id]
            limit = min(_MOST_INSTANCES, max([_HTTP_INSTANCES, *wanted]))
            pool = FunctionPool(spec, self.aws_endpoint_url, self.logs, limit=limit)
            self._pools[logical_id] = pool
            self._running.callback(pool.close)
            pool.start()

    def _start_triggers(self) -> None:
        self._http_api = HttpApiServer(
            routes(self._stack, self._functions),
            {logical_id: pool.invoke for logical_id, pool in self._pools.items()},
            bind=self._bind,
            port=self._port,
        )
        self._running.callback(self._http_api.stop)
        by_name = {pool.spec.name: pool.invoke for pool in self._pools.values()}
        self._lambda_api = LambdaApi(by_name | {name: pool.invoke for name, pool in self._pools.items()})
        self._running.callback(self._lambda_api.stop)
        mappings = [self._mapping(source) for source in self._sources]
        self.schedules = [
            ScheduledEvent(schedule, self._pools[schedule.function].invoke)
            for schedule in schedules(self._stack, self._functions)
        ]
        for pool in self._pools.values():
            pool.wait_until_ready()
        self._http_api.start()
        self._lambda_api.start()
        if self.simulator is not None:
            self.simulator.install(f"{self.api_url}/manifest.json")
        for mapping in mappings:
            self._running.callback(mapping.stop)
            mapping.start()
        for schedule in self.schedules:
            self._running.callback(schedule.stop)
            schedule.start()

    def _mapping(self, source: EventSource) -> EventSourceMapping:
        sqs = self._aws.client("sqs", connections=source.concurrency + 10)
        name = source.queue_arn.rsplit(":", 1)[1]
        return EventSourceMapping(
            source,
            sqs,
            sqs.get_queue_url(QueueName=name)["QueueUrl"],
            self._pools[source.function].invoke,
            on_batch=self._on_batch,
            on_outcome=self._on_outcome,
        )

    @property
    def api_url(self) -> str:
        """The HTTP API's origin, without a slash at the end."""
        return f"http://{public_host(self._bind)}:{self._http_api.port}"

    @property
    def aws_endpoint_url(self) -> str:
        """Where moto's server answers: boto3's ``AWS_ENDPOINT_URL``."""
        return self._aws.endpoint_url

    @property
    def lambda_endpoint_url(self) -> str:
        """Where functions are invoked by their names: the ``endpoint_url`` of a Lambda client."""
        return self._lambda_api.url

    @property
    def queue_url(self) -> str:
        """The queue that upstream systems drop messages on."""
        return self._stack.physical_id(_QUEUE)

    @property
    def dead_letter_queue_url(self) -> str:
        """Where refused messages end."""
        return self._stack.physical_id(_DEAD_LETTER_QUEUE)

    @property
    def accounts_table(self) -> str:
        """The table of accounts."""
        return self._stack.physical_id(_TABLE)

    @property
    def replies_queue_url(self) -> str | None:
        """The queue of agents' replies; None without the parameter Replies."""
        return self._stack.physical_id(_REPLIES_QUEUE) if self._stack.has(_REPLIES_QUEUE) else None

    def addresses(self) -> dict[str, str]:
        """Where everything is, as a ready file has it."""
        addresses = {name: str(getattr(self, name)) for name in READY_KEYS}
        replies = self.replies_queue_url
        return addresses if replies is None else {**addresses, "replies_queue_url": replies}

    @property
    def failures(self) -> list[str]:
        """Every invocation so far that failed as a whole: the function and its error."""
        return [failure for pool in self._pools.values() for failure in pool.failures]

    def client(self, service: str) -> Any:
        """A boto3 client of the local AWS."""
        return self._aws.client(service)

    def invoke(self, logical_id: str, event: Any) -> InvocationResult:
        """Run a function with any event; what is returned includes failures.

        Raises:
            LocalStackError: there is no such function.
        """
        pool = self._pools.get(logical_id)
        if pool is None:
            raise LocalStackError(f"{logical_id} is not a function of the template")
        return pool.invoke(event)

    def fire_schedules(self) -> list[InvocationResult]:
        """Fire every schedule of the template now; returns their functions' results."""
        return [schedule.fire() for schedule in self.schedules]
