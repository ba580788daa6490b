"""The program that a function instance runs: what Lambda's runtime does with a handler.

Started as ``python worker.py FD`` with exactly the environment that the function has on Lambda. On the socket FD
come invocations ``{"request_id", "deadline", "arn", "event"}`` (deadline in epoch milliseconds) and go back
``{"result"}`` or ``{"error"}``; the first thing sent is ``{"ready": true}`` or an error of importing the handler.
Imports only what the runtime itself would: it shares the process with the handler.
"""

import importlib
import json
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any


class LambdaContext:
    """The second argument of a handler, as the Python runtime makes it."""

    identity = None
    client_context = None
    tenant_id = None

    def __init__(self, request_id: str, deadline: int, arn: str) -> None:
        self.aws_request_id = request_id
        self.invoked_function_arn = arn
        self.function_name = os.environ["AWS_LAMBDA_FUNCTION_NAME"]
        self.function_version = os.environ["AWS_LAMBDA_FUNCTION_VERSION"]
        self.memory_limit_in_mb = os.environ["AWS_LAMBDA_FUNCTION_MEMORY_SIZE"]
        self.log_group_name = os.environ["AWS_LAMBDA_LOG_GROUP_NAME"]
        self.log_stream_name = os.environ["AWS_LAMBDA_LOG_STREAM_NAME"]
        self._deadline = deadline

    def get_remaining_time_in_millis(self) -> int:
        """Milliseconds until the invocation is stopped."""
        return max(0, self._deadline - time.time_ns() // 1_000_000)


def main() -> None:
    connection = Connection(int(sys.argv[1]))
    sys.path.insert(0, os.environ["LAMBDA_TASK_ROOT"])
    try:
        handler = _import_handler(os.environ["_HANDLER"])
    except Exception as error:  # noqa: BLE001 - whatever a module raises while it is imported
        _send(connection, {"error": _describe_import(error)})
        return
    _send(connection, {"ready": True})
    invocations: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(connection, invocations), daemon=True).start()
    while True:
        invocation = json.loads(invocations.get())
        answer = _invoke(handler, invocation)
        sys.stdout.flush()
        sys.stderr.flush()
        # Everything that the handler wrote comes before this line: the other side waits for it.
        print(f"END RequestId: {invocation['request_id']}", flush=True)
        _send(connection, answer)


def _read(connection: Connection, invocations: "queue.SimpleQueue[bytes]") -> None:
    """Take invocations; end the process, whatever it is doing, once nobody waits for its answers."""
    while True:
        try:
            invocations.put(connection.recv_bytes())
        except (EOFError, OSError):
            os._exit(0)


def _import_handler(path: str) -> Callable[[Any, LambdaContext], Any]:
    module_name, _, name = path.rpartition(".")
    if not module_name:
        raise ImportError(f"Bad handler '{path}': not a module and a function")
    module = importlib.import_module(module_name.replace("/", "."))
    try:
        handler: Callable[[Any, LambdaContext], Any] = getattr(module, name)
    except AttributeError:
        raise ImportError(f"Handler '{name}' missing on module '{module_name}'") from None
    return handler


def _invoke(handler: Callable[[Any, LambdaContext], Any], invocation: dict[str, Any]) -> dict[str, Any]:
    request_id = invocation["request_id"]
    os.environ["_X_AMZN_TRACE_ID"] = invocation["trace_id"]
    print(f"START RequestId: {request_id} Version: {os.environ['AWS_LAMBDA_FUNCTION_VERSION']}", flush=True)
    context = LambdaContext(request_id, invocation["deadline"], invocation["arn"])
    try:
        result = handler(invocation["event"], context)
    except Exception as error:  # noqa: BLE001 - the runtime reports whatever a handler raises
        traceback.print_exc(file=sys.stdout)
        return {"error": _describe(error)}
    try:
        return {"result": json.dumps(result)}
    except (TypeError, ValueError) as error:
        message = f"Unable to marshal response: {error}"
        print(f"[ERROR] Runtime.MarshalError: {message}")
        return {"error": {"errorType": "Runtime.MarshalError", "errorMessage": message}}


def _describe(error: BaseException) -> dict[str, Any]:
    return {
        "errorType": type(error).__name__,
        "errorMessage": str(error),
        "stackTrace": traceback.format_tb(error.__traceback__),
    }


def _describe_import(error: Exception) -> dict[str, Any]:
    path = os.environ["_HANDLER"]
    if isinstance(error, ImportError):
        missing = "missing on module" in str(error)
        kind = "Runtime.HandlerNotFound" if missing else "Runtime.ImportModuleError"
        message = str(error) if missing else f"Unable to import module '{path.rpartition('.')[0]}': {error}"
        return {**_describe(error), "errorType": kind, "errorMessage": message}
    return _describe(error)


def _send(connection: Connection, message: dict[str, Any]) -> None:
    try:
        connection.send_bytes(json.dumps(message).encode())
    except OSError:  # whoever started this is gone
        os._exit(0)


if __name__ == "__main__":
    main()
