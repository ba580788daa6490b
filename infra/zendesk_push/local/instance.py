"""One running instance of a function: a process that serves one invocation at a time."""

import json
import os
import socket
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

from zendesk_push.local.invocation import PAYLOAD_LIMIT, InvocationResult, failure
from zendesk_push.local.logs import LogCollector
from zendesk_push.local.moto_process import CREDENTIALS, REGION

_PROGRAM: Final = Path(__file__).with_name("worker.py")
_INIT_SECONDS: Final = 60  # Lambda gives 10; a busy laptop may need more
_END: Final = "END RequestId: "
_LOG_SECONDS: Final = 5  # for what the handler wrote to arrive


@dataclass(frozen=True)
class FunctionSpec:
    """A function as the template describes it.

    ``timeout`` is in seconds, ``memory`` in MB, ``variables`` the environment that the template sets.
    """

    logical_id: str
    name: str
    handler: str
    code: Path
    timeout: int
    memory: int
    variables: Mapping[str, str] = field(repr=False)
    log_group: str
    arn: str
    version: str = "$LATEST"

    def environment(self, endpoint_url: str, log_stream: str) -> dict[str, str]:
        """Everything that the function finds in its environment on Lambda, and nothing of ours but PATH.

        ``AWS_ENDPOINT_URL`` is the one difference: boto3 then talks to the local AWS.
        """
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "LANG": "en_US.UTF-8",
            "TZ": ":UTC",
            **CREDENTIALS,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            # A developer's own files must not play a part: boto3 finds them without HOME, too.
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_EXECUTION_ENV": f"AWS_Lambda_python{sys.version_info.major}.{sys.version_info.minor}",
            "AWS_LAMBDA_FUNCTION_NAME": self.name,
            "AWS_LAMBDA_FUNCTION_VERSION": self.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.memory),
            "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
            "AWS_LAMBDA_LOG_GROUP_NAME": self.log_group,
            "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
            "LAMBDA_TASK_ROOT": str(self.code),
            "_HANDLER": self.handler,
            **self.variables,
            "AWS_ENDPOINT_URL": endpoint_url,
        }


class FunctionInstance:
    """A process around the handler. It starts at once; ``wait_until_ready`` waits for the import.

    Not thread-safe: an instance serves one invocation after another.
    """

    def __init__(self, spec: FunctionSpec, endpoint_url: str, logs: LogCollector) -> None:
        self._spec = spec
        self._logs = logs
        self._ended = threading.Condition()
        self._last_ended = ""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-u", "-X", "utf8", str(_PROGRAM), str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                pass_fds=[theirs.fileno()],
                env=spec.environment(endpoint_url, f"local/[{spec.version}]{uuid.uuid4().hex}"),
                cwd=spec.code,
                start_new_session=True,  # Ctrl-C is for the one who started this
            )
        self._connection = Connection(ours.detach())
        self._reader = threading.Thread(target=self._read_output, daemon=True)
        self._reader.start()

    @property
    def alive(self) -> bool:
        """Whether it can serve another invocation."""
        return self._process.poll() is None

    def wait_until_ready(self) -> InvocationResult | None:
        """Wait for the handler's import; returns what went wrong with it, None when nothing did."""
        try:
            if not self._connection.poll(_INIT_SECONDS):
                return self._killed("", "Sandbox.Timedout", f"import took more than {_INIT_SECONDS} seconds")
            message = json.loads(self._connection.recv_bytes())
        except (EOFError, OSError):
            return self._exited("")
        if "error" in message:
            self.close()
            return InvocationResult("", json.dumps(message["error"]), function_error=True)
        return None

    def invoke(self, event: Any) -> InvocationResult:
        """Run the handler. After a time-out or the end of the process, the instance is no longer ``alive``."""
        request_id = str(uuid.uuid4())
        body = json.dumps(event)
        if len(body) > PAYLOAD_LIMIT:
            return failure(
                request_id, "RequestEntityTooLarge", f"{len(body)} bytes are more than {PAYLOAD_LIMIT}"
            )
        invocation = {
            "request_id": request_id,
            "trace_id": f"Root=1-{int(time.time()):08x}-{uuid.uuid4().hex[:24]};Sampled=0",
            "deadline": time.time_ns() // 1_000_000 + self._spec.timeout * 1000,
            "arn": self._spec.arn,
        }
        frame = json.dumps(invocation)[:-1] + ', "event": ' + body + "}"
        try:
            self._connection.send_bytes(frame.encode())
            if not self._connection.poll(self._spec.timeout):
                seconds = f"{self._spec.timeout:.2f}"
                message = f"RequestId: {request_id} Error: Task timed out after {seconds} seconds"
                return self._killed(request_id, "Sandbox.Timedout", message)
            answer = json.loads(self._connection.recv_bytes())
        except (EOFError, OSError):
            return self._exited(request_id)
        self._await_output(request_id)
        if "error" in answer:
            return InvocationResult(request_id, json.dumps(answer["error"]), function_error=True)
        if len(answer["result"]) > PAYLOAD_LIMIT:
            return failure(
                request_id,
                "Function.ResponseSizeTooLarge",
                f"Response payload size exceeded maximum allowed payload size ({PAYLOAD_LIMIT} bytes).",
            )
        return InvocationResult(request_id, answer["result"])

    def kill(self) -> None:
        """End the process from any thread; an invocation under way fails. ``close`` has to follow."""
        self._process.kill()

    def close(self) -> None:
        """End the process, as Lambda takes an instance away: at once. Only while no invocation is under way."""
        self._process.kill()
        self._process.wait()
        self._connection.close()
        self._reader.join(_LOG_SECONDS)

    def _killed(self, request_id: str, error_type: str, message: str) -> InvocationResult:
        self.close()
        self._logs.write(self._spec.logical_id, message)
        return failure(request_id, error_type, message)

    def _exited(self, request_id: str) -> InvocationResult:
        self._process.wait()
        code = self._process.returncode  # before close, which kills what still runs
        self.close()
        reason = f"signal: {-code}" if code < 0 else f"exit status {code}"
        message = f"RequestId: {request_id} Error: Runtime exited with error: {reason}"
        self._logs.write(self._spec.logical_id, message)
        return failure(request_id, "Runtime.ExitError", message)

    def _read_output(self) -> None:
        assert self._process.stdout is not None  # noqa: S101 - a pipe was asked for
        with self._process.stdout as output:
            for raw in output:
                line = raw.decode("utf-8", "backslashreplace").rstrip("\n")
                # A handler may have left its last line without an end.
                text, end, request_id = line.rpartition(_END)
                if not end or text:
                    self._logs.write(self._spec.logical_id, text if end else line)
                if end:
                    self._logs.write(self._spec.logical_id, f"{end}{request_id}")
                    with self._ended:
                        self._last_ended = request_id
                        self._ended.notify_all()

    def _await_output(self, request_id: str) -> None:
        """Wait until everything that the handler wrote is in the logs."""
        with self._ended:
            self._ended.wait_for(lambda: self._last_ended == request_id, _LOG_SECONDS)
