"""A function's instances: started when they are needed, kept for the next invocation."""

import threading
from typing import Any, Final

from zendesk_push.local.errors import LocalStackError
from zendesk_push.local.instance import FunctionInstance, FunctionSpec
from zendesk_push.local.invocation import InvocationResult, failure
from zendesk_push.local.logs import LogCollector

_STOP_SECONDS: Final = 10


class FunctionPool:
    """Serves invocations of one function, at most ``limit`` at a time; more of them wait for their turn.

    The most recently used instance comes first, so that few stay warm, as on Lambda.
    """

    def __init__(self, spec: FunctionSpec, endpoint_url: str, logs: LogCollector, *, limit: int) -> None:
        self.spec: Final = spec
        self.failures: Final[list[str]] = []  # of invocations, for whoever wants to know that there was none
        self._endpoint_url = endpoint_url
        self._logs = logs
        self._turns = threading.Semaphore(limit)
        self._changed = threading.Condition()
        self._idle: list[FunctionInstance] = []
        self._all: set[FunctionInstance] = set()
        self._closed = False

    def start(self) -> None:
        """Begin with the first instance; returns at once."""
        self._idle.append(self._launch())

    def wait_until_ready(self) -> None:
        """Wait for the first instance's import of the handler.

        Raises:
            LocalStackError: the handler can't be imported.
        """
        problem = self._idle[-1].wait_until_ready()
        if problem is not None:
            raise LocalStackError(f"{self.spec.logical_id} does not start: {problem.error}")

    def invoke(self, event: Any) -> InvocationResult:
        """Run the handler with an event and wait for the result, failures of every kind included."""
        with self._turns:
            instance = self._take()
            if isinstance(instance, InvocationResult):
                return instance
            try:
                result = instance.invoke(event)
            finally:
                self._give_back(instance)
            if result.function_error:
                self.failures.append(f"{self.spec.logical_id}: {result.error}")
            return result

    def close(self) -> None:
        """End all instances. Invocations under way fail; their callers are told so before this returns."""
        with self._changed:
            self._closed = True
            idle, self._idle = self._idle, []
            self._all.difference_update(idle)
            for instance in self._all:
                instance.kill()
        for instance in idle:
            instance.close()
        with self._changed:
            self._changed.wait_for(lambda: not self._all, _STOP_SECONDS)

    def _take(self) -> FunctionInstance | InvocationResult:
        with self._changed:
            if self._closed:
                return _stopping()
            while self._idle:
                instance = self._idle.pop()
                if instance.alive:
                    return instance
                self._discard(instance)
        instance = self._launch()
        problem = instance.wait_until_ready()
        if problem is None:
            return instance
        with self._changed:
            self._discard(instance)
            return problem if not self._closed else _stopping()

    def _give_back(self, instance: FunctionInstance) -> None:
        with self._changed:
            if instance.alive and not self._closed:
                self._idle.append(instance)
            else:
                self._discard(instance)

    def _discard(self, instance: FunctionInstance) -> None:
        instance.close()
        self._all.discard(instance)
        self._changed.notify_all()

    def _launch(self) -> FunctionInstance:
        instance = FunctionInstance(self.spec, self._endpoint_url, self._logs)
        with self._changed:
            self._all.add(instance)
            if self._closed:
                instance.kill()
        return instance


def _stopping() -> InvocationResult:
    return failure("", "ServiceException", "the local stack is stopping")
