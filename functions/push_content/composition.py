"""Where the function is put together: the one place that knows AWS's clients, the clock and the random numbers."""

import functools
import gc
import random
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Final

from botocore.config import Config

from push_content.accounts.account_pusher import PusherDeps
from push_content.accounts.credential_recovery import CredentialRecovery
from push_content.accounts.delivery_notes import DeliveryNotes
from push_content.accounts.push_history import PushHistory
from push_content.begun_work import BegunWork
from push_content.invocation import PushInvocation
from push_content.outcomes.queues import ContentQueue, DeadLetterQueue
from push_content.outcomes.rate_limit_turns import RateLimitTurns
from push_content.settings import PushSettings
from push_content.telemetry import PushTelemetry
from push_content.turn_executor import MAX_THREADS, TurnExecutor
from zendesk_channel.accounts import AccountsTable
from zendesk_channel.addresses import ZendeskAddresses
from zendesk_channel.aws import CLIENT_CONFIG, AwsClients, is_initializing
from zendesk_channel.client import ZendeskClient
from zendesk_channel.clock import SYSTEM_CLOCK, Clock
from zendesk_channel.credentials import CredentialStore
from zendesk_channel.push_state import SharedPauses
from zendesk_channel.token_verification import TokenVerifier

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient

# As many connections as there are threads, or botocore throws the surplus away and says so.
_CLIENT_CONFIG: Final = CLIENT_CONFIG.merge(Config(max_pool_connections=MAX_THREADS))
# A batch that SQS took though its answer came too late is sent again: each letter in it a second time. So a slow answer
# is waited for, and the queue is left to repeat what fails.
_SQS_CONFIG: Final = _CLIENT_CONFIG.merge(
    Config(read_timeout=20, retries={"mode": "standard", "total_max_attempts": 2})
)
_TOKENS_KEPT: Final = 20_000  # versions, of some 250 bytes; a version of a secret never changes


CLIENTS: Final = AwsClients()
if is_initializing():
    # They are most of a cold start, and need no setting.
    CLIENTS.client("sqs", _SQS_CONFIG)
    CLIENTS.client("dynamodb", _CLIENT_CONFIG)
    CLIENTS.client("secretsmanager", _CLIENT_CONFIG)


def compose(env: Mapping[str, str], clients: AwsClients = CLIENTS) -> PushInvocation:
    """The function on AWS's real clients, and on Zendesk's own over the network.

    Raises:
        ConfigurationError: the environment is incomplete or makes no sense.
    """
    settings = PushSettings.from_env(env)
    dynamodb = clients.client("dynamodb", _CLIENT_CONFIG)
    secrets = clients.client("secretsmanager", _CLIENT_CONFIG)
    collect_garbage_seldom()
    return assemble(
        settings,
        sqs=clients.client("sqs", _SQS_CONFIG),
        accounts=AccountsTable(dynamodb, settings.accounts_table),
        pauses=SharedPauses(dynamodb, settings.accounts_table),
        credentials=CredentialStore(secrets, settings.secret_prefix, settings.data_key_arn),
        zendesk=ZendeskClient(ZendeskAddresses(settings.zendesk_base_url)),
        begun_work=BegunWork(Path(tempfile.gettempdir(), settings.service)),
    )


def collect_garbage_seldom() -> None:
    """An invocation makes many objects, hardly any of them in circles, beside all that was imported and stays.

    Looking for circles among them took a third of the CPU of 10,000 records.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(10_000, 50, 100)


def assemble(
    settings: PushSettings,
    *,
    sqs: "SQSClient",
    accounts: AccountsTable,
    pauses: SharedPauses,
    credentials: CredentialStore,
    zendesk: ZendeskClient,
    telemetry: PushTelemetry | None = None,
    turn_executor: TurnExecutor | None = None,
    begun_work: BegunWork | None = None,
    clock: Clock = SYSTEM_CLOCK,
    uniform: Callable[[float, float], float] | None = None,
) -> PushInvocation:
    """The function on the collaborators that it is given.

    Args:
        uniform: draws a number from a range; for jitter.
    """
    deps = PusherDeps(
        zendesk=zendesk,
        read_token=functools.lru_cache(_TOKENS_KEPT)(credentials.read),
        credential_recovery=CredentialRecovery(
            accounts, TokenVerifier(accounts, credentials, zendesk, clock)
        ),
        history=PushHistory(),
        rate_limit_turns=RateLimitTurns(settings.rate_limit_reserve_percent),
        telemetry=telemetry
        or PushTelemetry(settings.service, settings.metrics_namespace, settings.log_level),
        clock=clock,
        push_timeout=settings.push_timeout,
        max_resources=settings.max_resources_per_request,
        reserve_percent=settings.rate_limit_reserve_percent,
    )
    return PushInvocation(
        deps=deps,
        shared_pauses=pauses,
        delivery_notes=DeliveryNotes(pauses),
        content_queue=ContentQueue(sqs, settings.content_queue_url),
        dead_letter_queue=DeadLetterQueue(sqs, settings.dead_letter_queue_url),
        turn_executor=turn_executor or TurnExecutor(),
        begun_work=begun_work or BegunWork(None),
        rules=settings.waiting,
        # SnapStart gives every copy of the function the same state of the ordinary generator.
        uniform=uniform or random.SystemRandom().uniform,
    )
