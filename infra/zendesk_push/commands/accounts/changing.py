"""``accounts pause``, ``resume``, ``revalidate`` and ``forget``."""

import argparse
import json
import time
from typing import Any, Final

from zendesk_channel.account_removal import AccountRemoval
from zendesk_channel.accounts import AccountsTable, AccountState
from zendesk_channel.clock import SYSTEM_CLOCK
from zendesk_channel.credentials import CredentialStore
from zendesk_channel.errors import RevisionConflictError
from zendesk_push.account_overview import AccountStatus
from zendesk_push.commands.accounts.looking import chosen
from zendesk_push.deployment import Deployment
from zendesk_push.errors import CommandError
from zendesk_push.terminal import confirm, print_json, printable

_FUNCTION: Final = "PushContentFunction"


def pause(args: argparse.Namespace, deployment: Deployment) -> int:
    """Stop pushing to it. What is under way is finished."""
    status = chosen(args, deployment)
    if status.account.paused_by_operator_at is not None:
        return _say(args, status, "was paused already")
    _unchanged(status, _table(deployment).pause_by_operator(status.account.instance_push_id, time.time()))
    return _say(args, status, "paused: its messages wait until `accounts resume`, or until they are too old")


def resume(args: argparse.Namespace, deployment: Deployment) -> int:
    """Push to it again: what waits comes at its next turn."""
    status = chosen(args, deployment)
    if status.account.paused_by_operator_at is None:
        return _say(args, status, "was not paused by an operator")
    _unchanged(status, _table(deployment).resume_by_operator(status.account.instance_push_id))
    return _say(args, status, "resumed: what waits is delivered at its next turn, within 15 minutes")


def revalidate(args: argparse.Namespace, deployment: Deployment) -> int:
    """Have the push function, which alone reads tokens, ask Zendesk."""
    status = chosen(args, deployment)
    account_id = status.account.instance_push_id
    event = {"source": "zendesk-push.schedule", "action": "revalidate", "accounts": [account_id]}
    result = _invoke(deployment, event)
    verdict = str(result.get(account_id, "unknown") if isinstance(result, dict) else "unknown")
    _say(args, status, f"Zendesk says: {verdict}", verdict=verdict)
    return 0 if verdict in ("confirmed", "healed") else 1


def forget(args: argparse.Namespace, deployment: Deployment) -> int:
    """Mark it as deleted and send its secret into the recovery window, as a destroy event does."""
    status = chosen(args, deployment)
    if status.account.state is AccountState.DELETED and not status.account.token_version:
        return _say(args, status, "was removed already")
    question = f"Forget {printable(status.label)}? Nothing is pushed to it until its administrator connects it again."
    if not confirm(question, assume_yes=args.yes):
        _say(args, status, "nothing was changed")
        return 1
    try:
        _removal(deployment).remove(status.account)
    except RevisionConflictError:
        raise CommandError(f"{status.label} has changed meanwhile: look again") from None
    return _say(args, status, "forgotten: its messages end as inactive_account; its secret is gone in 7 days")


def _table(deployment: Deployment) -> AccountsTable:
    return AccountsTable(deployment.client("dynamodb"), deployment.table())


def _removal(deployment: Deployment) -> AccountRemoval:
    # A secret's name begins with the stack's; the key is for making secrets, which this does not.
    credentials = CredentialStore(deployment.client("secretsmanager"), deployment.secret_prefix(), "")
    return AccountRemoval(_table(deployment), credentials, SYSTEM_CLOCK)


def _unchanged(status: AccountStatus, written: bool) -> None:
    if not written:
        raise CommandError(f"{status.label} has changed meanwhile: look again")


def _invoke(deployment: Deployment, event: dict[str, Any]) -> Any:
    resource = deployment.resources.get(_FUNCTION)
    if resource is None and deployment.lambda_endpoint_url is None:
        raise CommandError("the push function, which alone reads tokens, is not known: give --stack-name")
    answer = deployment.client("lambda").invoke(
        FunctionName=resource.physical_id if resource else _FUNCTION, Payload=json.dumps(event).encode()
    )
    payload = answer["Payload"].read()
    result = json.loads(payload)
    if "FunctionError" in answer:
        raise CommandError(
            f"the push function failed: {result.get('errorType')}: {result.get('errorMessage')}"
        )
    return result


def _say(args: argparse.Namespace, status: AccountStatus, text: str, **more: str) -> int:
    if args.json:
        result = {"instance_push_id": status.account.instance_push_id, "result": text, **more}
        print_json(result)
    else:
        print(printable(f"{status.label}: {text}"))
    return 0
