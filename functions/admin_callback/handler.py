"""The Lambda entry point."""

from typing import Any

from admin_callback.composition import application


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Answer one event. The application is built at the first one, so that importing this costs and needs nothing."""
    return application().handle(event, context)
