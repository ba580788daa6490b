"""What keeps the local stack from starting, beside a wrong template (``template.errors``)."""

from zendesk_push.errors import CommandError


class LocalStackError(CommandError):
    """The local stack can't be started; the text says why."""
