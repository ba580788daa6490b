"""What can be wrong with a template."""

from zendesk_push.errors import CommandError


class TemplateError(CommandError):
    """The template, or a parameter given for it, is wrong, or asks for what can't be done on this machine.

    The text names the place.
    """
