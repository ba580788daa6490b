"""A callback of Zendesk's Admin Center, as a checked value."""

from dataclasses import dataclass, field

from zendesk_channel.contract import InstancePushId, PushToken, Subdomain


@dataclass(frozen=True)
class CallbackForm:
    """A well-formed callback. That says nothing yet of who sent it.

    ``name``, ``metadata`` and ``state`` are empty for a new account. ``return_url`` is below the subdomain's origin.
    """

    subdomain: Subdomain
    instance_push_id: InstancePushId
    token: PushToken
    return_url: str
    name: str = field(repr=False)
    metadata: str = field(repr=False)
    locale: str
