"""Lambda's entry point: ``push_content.handler.lambda_handler``."""

import functools
import os
from typing import TYPE_CHECKING, Any

from push_content.accounts.revalidation import SCHEDULE_SOURCE, Revalidation
from push_content.composition import CLIENTS, compose
from push_content.schedule import compose_revalidation

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@functools.cache
def _composed() -> Any:
    return compose(os.environ)


@functools.cache
def _schedule() -> Revalidation:
    return compose_revalidation(os.environ, CLIENTS)


def lambda_handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """An SQS event in, the partial batch response out; or the schedule's tick."""

    def seconds_left() -> float:
        return context.get_remaining_time_in_millis() / 1000

    request_id = context.aws_request_id
    if event.get("source") == SCHEDULE_SOURCE:
        return _schedule().run(event, seconds_left=seconds_left, request_id=request_id)
    staying = _composed().run(event["Records"], time_left=seconds_left, request_id=request_id)
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in staying]}
