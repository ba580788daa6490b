"""Lambda's entry point: ``push_content.handler.lambda_handler``."""

import functools
import os
from typing import TYPE_CHECKING, Any

from push_content.composition import compose

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext


@functools.cache
def _composed() -> Any:
    return compose(os.environ)


def lambda_handler(event: dict[str, Any], context: "LambdaContext") -> dict[str, Any]:
    """An SQS event in, the partial batch response out."""
    staying = _composed().run(
        event["Records"],
        time_left=lambda: context.get_remaining_time_in_millis() / 1000,
        request_id=context.aws_request_id,
    )
    return {"batchItemFailures": [{"itemIdentifier": message_id} for message_id in staying]}
