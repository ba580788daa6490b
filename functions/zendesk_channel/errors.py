"""What can go wrong, as a tree to catch from.

::

    ZendeskChannelError
    ├── InvalidValueError         untrusted input that is not what its type says
    ├── ConfigurationError        an environment variable that is missing or makes no sense
    ├── ZendeskError              no answer came from Zendesk
    │   ├── ZendeskTimeoutError   ... in time: it may have done what was asked
    │   └── ZendeskUnreachableError  ... at all, or it broke off
    └── StoreError                AWS did not do what was asked
        ├── StoreUnavailableError ... this time
        ├── RevisionConflictError ... because somebody else wrote in between: read again
        └── CredentialMissingError ... because the secret version is not there, or marked for deletion

No message holds a token, a body or a form's value: messages are logged.
"""


class ZendeskChannelError(Exception):
    """The base of all errors that this project raises on purpose."""


class InvalidValueError(ZendeskChannelError, ValueError):
    """Untrusted input breaks a rule of the contract.

    ``field`` is the contract's name of the value, ``reason`` completes the sentence "<field> …".
    """

    def __init__(self, field: str, reason: str) -> None:
        super().__init__(f"{field} {reason}")
        self.field = field
        self.reason = reason


class ConfigurationError(ZendeskChannelError):
    """The function's environment is incomplete or contradictory: a deployment's fault, not a request's."""


class ZendeskError(ZendeskChannelError):
    """A request to Zendesk brought no answer."""


class ZendeskTimeoutError(ZendeskError):
    """No complete answer in time. The request may have been processed all the same."""


class ZendeskUnreachableError(ZendeskError):
    """The connection could not be made, or broke before the answer was complete."""


class StoreError(ZendeskChannelError):
    """A call to AWS failed. ``operation`` and ``code`` are AWS's names, such as PutItem and ThrottlingException."""

    def __init__(self, operation: str, code: str) -> None:
        super().__init__(f"{operation} failed with {code}")
        self.operation = operation
        self.code = code


class StoreUnavailableError(StoreError):
    """AWS could not do it this time, or the function is not allowed to."""


class RevisionConflictError(StoreError):
    """The record has changed since it was read."""


class CredentialMissingError(StoreError):
    """There is no such secret or version, or it is marked for deletion."""
