"""A simulated Zendesk: the Admin Center, the Channel framework's two API endpoints, tickets, and its bad days.

For development and tests. It is faithful where Zendesk's contract is published (limits, result codes, the
validator's words, order of fields) and lets the other readings be chosen where it is not.

Embedded::

    from zendesk_push.simulator import Fault, FaultKind, Simulator

    with Simulator(manifest_url="http://127.0.0.1:8080/manifest.json") as zendesk:
        zendesk.url                        # http://127.0.0.1:PORT, every subdomain at one origin
        zendesk.url_of("acme")             # http://acme.localhost:PORT, strictly acme's
        account = zendesk.core.create_account("acme", name="Acme")   # without the integration's page
        account.instance_push_id, account.token
        zendesk.core.switch_on(Fault(FaultKind.THROTTLED, subdomain="acme", count=2, retry_after=30))
        zendesk.core.requests              # every API request with headers, raw body, status, result codes
        zendesk.core.ticket_of(account.instance_push_id, "external-1")
        zendesk.events.settle(5)           # until every event callback was delivered

Connecting an account as a browser does, through the integration's own page::

    from zendesk_push.simulator.admin_center import connect_account, edit_account

    account = connect_account(zendesk.url, "acme", "Acme support", locale="de")

Without sockets (the same core, driven directly, on a clock of your own)::

    zendesk = ZendeskState(clock=lambda: now)
    try:
        status, headers, body = zendesk.push(None, f"Bearer {account.token}", payload)
    except NoAnswerError as nothing:       # nothing.reason: "dropped", "reply_lost" or "hang"
        ...

From another process: ``control_routes`` lists the JSON API below ``/simulator/``. On its own:
``python -m zendesk_push.simulator --port 8090 --manifest-url http://127.0.0.1:8080/manifest.json``.
"""

from zendesk_push.simulator.accounts import SimulatedAccount, SimulatedAccountState, UnknownAccountError
from zendesk_push.simulator.answers import NoAnswerError, ZendeskAnswer
from zendesk_push.simulator.core import ZendeskState
from zendesk_push.simulator.endpoints import ValidateTokenPolicy
from zendesk_push.simulator.faults import Fault, FaultError, FaultKind
from zendesk_push.simulator.server import Simulator

__all__ = [
    "Fault",
    "FaultError",
    "FaultKind",
    "NoAnswerError",
    "SimulatedAccount",
    "SimulatedAccountState",
    "Simulator",
    "UnknownAccountError",
    "ValidateTokenPolicy",
    "ZendeskAnswer",
    "ZendeskState",
]
