"""What the template connects to what: functions, routes, event source mappings and schedules, as values."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from zendesk_push.local.cloudformation import CreatedStack
from zendesk_push.local.instance import FunctionSpec
from zendesk_push.local.moto_process import ACCOUNT_ID, REGION
from zendesk_push.template.errors import TemplateError
from zendesk_push.template.intrinsics import text_of
from zendesk_push.template.translation import StackTemplate

_FUNCTION_ARN: Final = re.compile(r"arn:aws:lambda:[a-z0-9-]+:[0-9]{12}:function:([^:/]+)(?::([^:/]+))?")
_METHODS: Final = ("get", "put", "post", "delete", "options", "head", "patch")
_ANY_METHOD: Final = "x-amazon-apigateway-any-method"
_RATE: Final = re.compile(r"rate\((\d+) (second|minute|hour|day)s?\)")
_UNIT_SECONDS: Final = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}


@dataclass(frozen=True)
class Route:
    """One route of the HTTP API; ``key`` is API Gateway's, such as ``POST /admin_ui`` or ``$default``."""

    key: str
    function: str


@dataclass(frozen=True)
class EventSource:
    """An event source mapping between a queue and a function. ``window`` is in seconds."""

    logical_id: str
    queue_arn: str
    function: str
    batch_size: int
    window: int
    concurrency: int
    reports_failures: bool


@dataclass(frozen=True)
class Schedule:
    """A function's scheduled event. ``seconds`` is None where the expression is not a rate: cron and at do not fire."""

    logical_id: str
    function: str
    event: Any
    seconds: int | None


def functions(stack: CreatedStack, template: StackTemplate) -> dict[str, FunctionSpec]:
    """The functions by logical id.

    Raises:
        TemplateError: a setting that Lambda would refuse, or code that is not there.
    """
    qualifiers = {}
    for _, properties in stack.of_type("AWS::Lambda::Alias"):
        qualifiers[properties["FunctionName"]] = properties["Name"]
    specs = {}
    for logical_id, properties in stack.of_type("AWS::Lambda::Function"):
        code = template.code[logical_id]
        if not code.is_dir():
            raise TemplateError(f"{logical_id}: CodeUri {code} is not a folder")
        name = stack.physical_id(logical_id)
        arn = f"arn:aws:lambda:{REGION}:{ACCOUNT_ID}:function:{name}"
        qualifier = qualifiers.get(name)
        logging = properties.get("LoggingConfig") or {}
        specs[logical_id] = FunctionSpec(
            logical_id=logical_id,
            name=name,
            handler=properties["Handler"],
            code=code,
            timeout=_number(properties.get("Timeout", 3), 1, 900, f"{logical_id}.Timeout"),
            memory=_number(properties.get("MemorySize", 128), 128, 10240, f"{logical_id}.MemorySize"),
            variables=_variables(logical_id, properties),
            log_group=logging.get("LogGroup", f"/aws/lambda/{name}"),
            arn=f"{arn}:{qualifier}" if qualifier else arn,
            version="1" if qualifier else "$LATEST",
        )
    return specs


def routes(stack: CreatedStack, specs: Mapping[str, FunctionSpec]) -> list[Route]:
    """The HTTP APIs' routes, from the OpenAPI bodies that SAM makes."""
    found = []
    for logical_id, properties in stack.of_type("AWS::ApiGatewayV2::Api"):
        for path, operations in (properties.get("Body") or {}).get("paths", {}).items():
            for method, operation in operations.items():
                if method != _ANY_METHOD and method not in _METHODS:
                    continue
                verb = "ANY" if method == _ANY_METHOD else method.upper()
                key = "$default" if path.lstrip("/") == "$default" else f"{verb} {path}"
                integration = operation["x-amazon-apigateway-integration"]
                if integration.get("payloadFormatVersion") != "2.0":
                    raise TemplateError(f"{logical_id}, {key}: only payload format 2.0 is supported here")
                found.append(Route(key, _function(integration["uri"], specs, f"{logical_id}, {key}")))
    return found


def event_sources(stack: CreatedStack, specs: Mapping[str, FunctionSpec]) -> list[EventSource]:
    """The event source mappings that are switched on.

    Raises:
        TemplateError: a setting that Lambda would refuse, or one that is not supported here.
    """
    found = []
    for logical_id, properties in stack.of_type("AWS::Lambda::EventSourceMapping"):
        if text_of(properties.get("Enabled", True)) == "false":
            continue
        if properties.get("FilterCriteria"):
            raise TemplateError(f"{logical_id}.FilterCriteria is not supported on this machine")
        batch_size = _number(properties.get("BatchSize", 10), 1, 10_000, f"{logical_id}.BatchSize")
        window = _number(
            properties.get("MaximumBatchingWindowInSeconds", 0),
            0,
            300,
            f"{logical_id}.MaximumBatchingWindowInSeconds",
        )
        if batch_size > 10 and window == 0:
            raise TemplateError(
                f"{logical_id}: a BatchSize above 10 needs a batching window of 1 second or more"
            )
        scaling = properties.get("ScalingConfig") or {}
        found.append(
            EventSource(
                logical_id=logical_id,
                queue_arn=properties["EventSourceArn"],
                function=_function(properties["FunctionName"], specs, logical_id),
                batch_size=batch_size,
                window=window,
                concurrency=_number(
                    scaling.get("MaximumConcurrency", 2), 2, 1000, f"{logical_id}.MaximumConcurrency"
                ),
                reports_failures="ReportBatchItemFailures" in properties.get("FunctionResponseTypes", []),
            )
        )
    return found


def schedules(stack: CreatedStack, specs: Mapping[str, FunctionSpec]) -> list[Schedule]:
    """The functions' scheduled events that are switched on."""
    found = []
    for logical_id, properties in stack.of_type("AWS::Events::Rule", "AWS::Scheduler::Schedule"):
        if "ScheduleExpression" not in properties or properties.get("State") == "DISABLED":
            continue
        targets = properties.get("Targets") or [properties["Target"]]
        match = _RATE.fullmatch(properties["ScheduleExpression"])
        seconds = int(match.group(1)) * _UNIT_SECONDS[match.group(2)] if match else None
        for target in targets:
            function = _function(target["Arn"], specs, logical_id)
            found.append(Schedule(logical_id, function, _input(target, logical_id), seconds))
    return found


def _input(target: Mapping[str, Any], logical_id: str) -> Any:
    """What the function is given: the constant, or the shape of EventBridge's own event."""
    text = target.get("Input")
    if text is None:
        return {"source": "aws.events", "detail-type": "Scheduled Event", "detail": {}}
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise TemplateError(f"{logical_id}: its Input is not JSON: {error}") from None


def _variables(logical_id: str, properties: Mapping[str, Any]) -> dict[str, str]:
    variables = (properties.get("Environment") or {}).get("Variables") or {}
    for name, value in variables.items():
        if isinstance(value, (dict, list)):
            raise TemplateError(f"{logical_id}: the environment variable {name} is not text but {value!r}")
        if isinstance(value, str) and "{{resolve:" in value:
            raise TemplateError(f"{logical_id}: {name}: dynamic references are not supported on this machine")
    return {name: text_of(value) for name, value in variables.items()}


def _function(reference: str, specs: Mapping[str, FunctionSpec], where: str) -> str:
    """The logical id of the function that an ARN, an alias, a name or an integration's URI means."""
    match = _FUNCTION_ARN.search(reference)
    name = match.group(1) if match else reference
    for logical_id, spec in specs.items():
        if spec.name == name:
            return logical_id
    raise TemplateError(f"{where}: {reference!r} is not a function of the template")


def _number(value: Any, least: int, most: int, where: str) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise TemplateError(f"{where} must be a whole number, not {value!r}") from None
    if not least <= number <= most:
        raise TemplateError(f"{where} must be {least} to {most}, not {number}")
    return number
