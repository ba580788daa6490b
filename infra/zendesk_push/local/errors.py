"""What can be wrong with a template or with the stack that is made of it.

CommandError
└── LocalStackError        the stack can't be started; the text says why
    └── TemplateError      the template asks for something that CloudFormation would refuse, or
                           that can't be done on this machine
"""

from zendesk_push.errors import CommandError


class LocalStackError(CommandError):
    """The local stack can't be started."""


class TemplateError(LocalStackError):
    """The template, or a parameter given for it, is wrong; the text names the place."""
