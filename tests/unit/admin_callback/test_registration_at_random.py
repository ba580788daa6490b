"""Administrators, events, the schedule and an attacker in any order, one in the middle of another, and crashes.

Time passes, limits are used up, pages are closed without Save, the metadata's key rotates, Zendesk is renamed, and
Secrets Manager does not find what it has just made.

Whatever happens: only tokens that the owner's Zendesk has confirmed are in use, accounts stay with their Zendesk,
strangers change nothing, and once everything has arrived an account that Zendesk confirms works.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, cast

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from admin_callback.accounts.account_events import AccountEvents
from admin_callback.accounts.account_lifecycle import AccountLifecycle
from admin_callback.accounts.callback import CallbackForm
from admin_callback.accounts.event import ACTIVATED, CREATED, DEACTIVATED, DESTROYED, Event
from admin_callback.accounts.event_limits import EventBudget
from admin_callback.accounts.metadata_keys import MetadataKeys
from admin_callback.accounts.registration import (
    Outcome,
    Registrar,
    RegistrarDeps,
    RegistrationRefusedError,
    VerdictMissingError,
)
from admin_callback.accounts.sealed_metadata import MetadataSealer
from admin_callback.accounts.validation_rate_limit import WINDOW, ValidationLimits
from push_content.accounts.revalidation import AccountCheck
from worlds.admin_requests import SOURCE
from worlds.sealing_in_memory import KmsInMemory, MetadataKeySecret
from zendesk_channel.account_removal import AccountRemoval
from zendesk_channel.accounts import Account, AccountState
from zendesk_channel.client import Validation, Verdict, ZendeskClient
from zendesk_channel.clock import Clock
from zendesk_channel.contract import InstancePushId, PushToken, Subdomain
from zendesk_channel.errors import CredentialMissingError, StoreError
from zendesk_channel.token_verification import TokenVerifier
from zendesk_push.in_memory.accounts import InMemoryAccounts, InMemoryTable
from zendesk_push.in_memory.credentials import InMemoryCredentials

ACCOUNTS = [InstancePushId("one"), InstancePushId("two")]
NAMES = [Subdomain("acme"), Subdomain("acme-renamed"), Subdomain("acme-again")]
EVIL = Subdomain("evil")
HOUR = 3600.0
LAG = 5.0  # seconds until a new secret can be seen
START = 1_800_000_000.0


class Crash(BaseException):
    """The function is killed between two effects."""


@dataclass
class Customer:
    """What acme's Zendesk knows of one account."""

    token: PushToken | None = None  # handed out last
    saved: bool = False
    removed: bool = False
    metadata: str = ""
    page: str = ""  # the metadata of the page that is open
    connected: int = 0  # the newest token that a page has called connected, by its number


@dataclass
class Zendesks(ZendeskClient):
    """Both Zendesks' validate_token. evil's confirms whatever its owner likes."""

    customers: dict[InstancePushId, Customer]
    meanwhile: Callable[[str], None]
    home: Subdomain = NAMES[0]  # what acme's is called now
    after_save: bool = False
    down: bool = False
    confirmed: set[tuple[InstancePushId, str]] = field(default_factory=set)

    def validate_token(
        self, subdomain: Subdomain, token: PushToken, instance_push_id: InstancePushId, **_: float
    ) -> Validation:
        self.meanwhile("validate_token")
        if subdomain == EVIL:
            return Validation(Verdict.CONFIRMED, 200)
        if subdomain != self.home:
            return Validation(Verdict.REFUSED, 404)
        if self.down:
            return Validation(Verdict.NO_VERDICT, 500)
        customer = self.customers.get(instance_push_id, Customer())
        known = customer.saved or not self.after_save
        if token == customer.token and known and not customer.removed:
            self.confirmed.add((instance_push_id, token.version))
            return Validation(Verdict.CONFIRMED, 200)
        return Validation(Verdict.REFUSED, 401)


class LaggingCredentials(InMemoryCredentials):
    """A secret that was just created is not found for seconds."""

    def __init__(self, now: Callable[[], float]) -> None:
        super().__init__()
        self._now = now
        self._created: dict[InstancePushId, float] = {}

    def read(self, instance_push_id: InstancePushId, version: str) -> PushToken:
        if self._now() - self._created.get(instance_push_id, self._now() - LAG) < LAG:
            raise CredentialMissingError("GetSecretValue", "ResourceNotFoundException")
        return super().read(instance_push_id, version)

    def store(self, instance_push_id: InstancePushId, token: PushToken, *, pending: bool = False) -> str:
        self._created.setdefault(instance_push_id, self._now())
        return super().store(instance_push_id, token, pending=pending)

    def token(self, account: Account) -> PushToken:
        """What push will read in a while."""
        return super().read(account.instance_push_id, account.token_version)


def interrupted(store: Any, names: tuple[str, ...], meanwhile: Callable[[str], None]) -> Any:
    """The store, with something happening before and after each of its effects."""
    for name in names:
        original = getattr(store, name)

        def call(*args: Any, _name: str = name, _original: Any = original, **kwargs: Any) -> Any:
            meanwhile(f"before {_name}")
            result = _original(*args, **kwargs)
            meanwhile(f"after {_name}")
            return result

        setattr(store, name, call)
    return store


class RegistrationAtRandom(RuleBasedStateMachine):
    """Each rule is one request, or one click in acme's Admin Center."""

    def __init__(self) -> None:
        super().__init__()
        self.now = START
        self.customers = {name: Customer() for name in ACCOUNTS}
        self.events: list[Event] = []
        self.interruptions: list[Callable[[], None] | None] = []
        self.crashes = False
        self.tokens = 0
        self.table = InMemoryTable()
        self.zendesk = Zendesks(self.customers, self.meanwhile)
        self.held = LaggingCredentials(lambda: self.now)
        plain = InMemoryAccounts(self.table), self.held
        self.accounts = interrupted(plain[0], ("get", "save"), self.meanwhile)
        self.credentials = interrupted(plain[1], ("store", "schedule_deletion", "restore"), self.meanwhile)
        self.metadata_key = MetadataKeySecret(lambda: self.now)
        self.rotated_at = START
        keys = MetadataKeys(cast("Any", self.metadata_key), "secret", Clock(lambda: self.now))
        self.sealer = MetadataSealer(cast("Any", KmsInMemory()), "key", keys)
        self._build()

    def _build(self) -> None:
        clock = Clock(lambda: self.now, lambda: self.now, self._sleep)
        lifecycle = AccountLifecycle(self.accounts, self.credentials, clock)
        deps = RegistrarDeps(
            accounts=self.accounts,
            credentials=self.credentials,
            zendesk=self.zendesk,
            sealer=self.sealer,
            lifecycle=lifecycle,
            limits=ValidationLimits(clock),
            allowed_subdomains=(),
            clock=clock,
        )
        self.account_check = AccountCheck(
            TokenVerifier(self.accounts, self.credentials, self.zendesk, clock),
            AccountRemoval(self.accounts, self.credentials, clock),
            self.accounts,
            clock,
        )
        self.registrar = Registrar(deps)
        self.account_events = AccountEvents(replace(deps, limits=ValidationLimits(clock)))
        self.clock = clock

    def _sleep(self, seconds: float) -> None:
        self.now += seconds

    def meanwhile(self, _: str) -> None:
        """Do what was planned for this moment: something else entirely, or the end of the function."""
        if not self.interruptions:
            return
        action = self.interruptions.pop(0)
        if action is not None:
            rest, self.interruptions = self.interruptions, []
            action()
            self.interruptions = rest

    def guarded(self, action: Callable[[], Any]) -> Any:
        """One request; what it raises is an answer."""
        self.now += 7  # so that the throttle, which has tests of its own, is not what decides here
        try:
            return action()
        except (RegistrationRefusedError, VerdictMissingError, StoreError) as error:
            return error
        except Crash:
            return None
        finally:
            self.interruptions = []

    def register(
        self, account: InstancePushId, subdomain: Subdomain, token: PushToken, metadata: str
    ) -> Outcome | None:
        form = CallbackForm(subdomain, account, token, "https://x/", "Name", metadata, "en")
        result = self.guarded(lambda: self.registrar.register(form, SOURCE))
        if getattr(result, "outcome", None) is None:
            return None
        self.last_metadata: str = result.metadata
        outcome: Outcome = result.outcome
        return outcome

    def open_page(self, account: InstancePushId, *, new_token: bool) -> Outcome | None:
        customer = self.customers[account]
        if customer.removed:
            customer.removed = customer.saved = False
            customer.metadata = ""
            new_token = True
        if new_token or customer.token is None:
            self.tokens += 1
            customer.token = PushToken(f"token-{self.tokens}")
        number = self.tokens
        outcome = self.register(account, self.zendesk.home, customer.token, customer.metadata)
        if outcome is not None:
            customer.page = self.last_metadata
        if outcome is Outcome.CONNECTED and new_token:
            customer.connected = max(customer.connected, number)
        return outcome

    def save(self, account: InstancePushId) -> None:
        customer = self.customers[account]
        if not customer.page or customer.removed:
            return
        new = not customer.saved
        customer.metadata, customer.saved, customer.page = customer.page, True, ""
        if new:
            self.report(CREATED, account)

    def remove(self, account: InstancePushId) -> None:
        customer = self.customers[account]
        if customer.saved and not customer.removed:
            customer.removed, customer.page = True, ""
            self.report(DESTROYED, account)

    def report(self, type_id: str, account: InstancePushId) -> None:
        self.now += 1
        self.events.append(Event(type_id, self.now, self.zendesk.home, self.customers[account].metadata, {}))

    def deliver(self, event: Event) -> None:
        self.guarded(lambda: self.account_events.apply(event, EventBudget(self.clock, SOURCE)))

    # What may happen

    @initialize(crashes=st.booleans())
    def choose(self, crashes: bool) -> None:
        self.crashes = crashes

    @rule(data=st.data(), account=st.sampled_from(ACCOUNTS), new_token=st.booleans())
    def administrator_opens(self, data: st.DataObject, account: InstancePushId, new_token: bool) -> None:
        self.plan(data, account)
        self.open_page(account, new_token=new_token)

    @rule(account=st.sampled_from(ACCOUNTS))
    def administrator_saves(self, account: InstancePushId) -> None:
        self.save(account)

    @rule(account=st.sampled_from(ACCOUNTS))
    def administrator_removes(self, account: InstancePushId) -> None:
        self.remove(account)

    @rule(account=st.sampled_from(ACCOUNTS), on=st.booleans())
    def administrator_switches(self, account: InstancePushId, on: bool) -> None:
        if self.customers[account].saved and not self.customers[account].removed:
            self.report(ACTIVATED if on else DEACTIVATED, account)

    @precondition(lambda self: self.events)
    @rule(data=st.data(), again=st.booleans(), account=st.sampled_from(ACCOUNTS))
    def event_arrives(self, data: st.DataObject, again: bool, account: InstancePushId) -> None:
        event = data.draw(st.sampled_from(self.events))
        if not again:
            self.events.remove(event)
        self.plan(data, account)
        self.deliver(event)

    @rule(data=st.data())
    def schedule_runs(self, data: st.DataObject) -> None:
        for account in ACCOUNTS:
            self.plan(data, account)
            self.revalidate(account)

    @rule(account=st.sampled_from(ACCOUNTS), at=st.integers(0, 9))
    def removed_and_added_again_at_once(self, account: InstancePushId, at: int) -> None:
        """The one meeting that chance brings about too seldom."""
        self.zendesk.down = self.zendesk.after_save = False
        self.now += WINDOW  # events that met a Zendesk that was down may have used up the throttle
        self.open_page(account, new_token=False)
        self.save(account)
        if not self.customers[account].saved:
            return  # its Zendesk has been renamed, and the page refused it
        self.remove(account)
        self.interruptions = [None] * at + [
            lambda: self._nested(lambda: self.open_page(account, new_token=True))
        ]
        self.deliver(self.events[-1])

    @rule(down=st.booleans(), after_save=st.booleans())
    def zendesk_changes(self, down: bool, after_save: bool) -> None:
        self.zendesk.down, self.zendesk.after_save = down, after_save

    @rule(account=st.sampled_from(ACCOUNTS))
    def administrator_gives_up(self, account: InstancePushId) -> None:
        """The page is closed without Save, and Zendesk forgets the token."""
        customer = self.customers[account]
        if not customer.saved:
            customer.token, customer.page = None, ""

    @rule(hours=st.sampled_from([1, 13, 25]))
    def time_passes(self, hours: int) -> None:
        self.now += hours * HOUR

    @rule()
    def the_metadata_key_rotates(self) -> None:
        if self.now - self.rotated_at >= 24 * HOUR:
            self.metadata_key.rotate()
            self.rotated_at = self.now

    @rule(name=st.sampled_from(NAMES))
    def zendesk_is_renamed(self, name: Subdomain) -> None:
        self.zendesk.home = name

    @rule()
    def strangers_use_up_the_limits(self) -> None:
        """From many addresses, within a second: whoever comes next is not asked about."""
        for number in range(70):
            form = CallbackForm(
                self.zendesk.home,
                InstancePushId(f"junk-{number}"),
                PushToken("junk"),
                "https://x/",
                "",
                "",
                "en",
            )
            self.registrar.register(form, f"198.51.100.{number // 10}")

    @rule(account=st.sampled_from(ACCOUNTS), at_home=st.booleans())
    def stranger_tries_everything(self, account: InstancePushId, at_home: bool) -> None:
        before = dict(self.table.accounts)
        subdomain = self.zendesk.home if at_home else EVIL
        own = self.sealer.write(
            account, subdomain, nonce="invented", issued_at=self.now, token=PushToken("junk")
        )
        for metadata in ("", own):
            self.register(account, EVIL, PushToken("good-at-evil"), metadata)
            self.register(account, subdomain, PushToken("junk"), metadata)
        for type_id in (CREATED, ACTIVATED, DEACTIVATED, DESTROYED):
            self.deliver(Event(type_id, self.now, self.zendesk.home, own, {}))
        assert dict(self.table.accounts) == before

    def revalidate(self, account: InstancePushId) -> None:
        record = self.table.accounts.get(account)
        if record is None:
            self.interruptions = []
        else:
            self.guarded(lambda: self.account_check.check(record))

    def plan(self, data: st.DataObject, account: InstancePushId) -> None:
        """What happens in the middle of the next request: at up to two of its effects, something else or the end."""
        moments = data.draw(
            st.lists(
                st.tuples(st.integers(0, 9), st.sampled_from(["crash", "open", "event", "remove"])),
                max_size=2,
            )
        )
        actions: dict[str, Callable[[], None] | None] = {
            "crash": self._crash if self.crashes else None,
            "open": lambda: self._nested(lambda: self.open_page(account, new_token=True)),
            "remove": lambda: self.remove(account),
            "event": lambda: self._nested(lambda: self.deliver(self.events[-1]) if self.events else None),
        }
        planned = {at: actions[what] for at, what in moments}
        self.interruptions = [planned.get(at) for at in range(10)]

    def _nested(self, action: Callable[[], object]) -> None:
        action()

    def _crash(self) -> None:
        raise Crash

    # What must hold

    @invariant()
    def only_confirmed_tokens_are_in_use(self) -> None:
        for record in self.table.accounts.values():
            assert record.subdomain in NAMES
            if record.token_version:
                assert (record.instance_push_id, record.token_version) in self.zendesk.confirmed

    @invariant()
    def without_a_crash_nothing_waits_to_be_mended(self) -> None:
        if self.crashes:
            return
        for record in self.table.accounts.values():
            if record.state is AccountState.DELETED:
                assert (record.token_version, record.nonce) == ("", None)
                continue
            token = self.held.token(record)
            # Two at once do not leave the older token behind.
            newest = self.customers[record.instance_push_id].connected
            assert int(token.reveal().removeprefix("token-")) >= newest

    def teardown(self) -> None:
        """Everything that was on its way arrives, the schedule runs, and each administrator comes back once."""
        self.zendesk.down = self.zendesk.after_save = False
        self.now += (
            WINDOW  # strangers, and events that met a Zendesk that was down, may have used up the limits
        )
        for event in list(self.events):
            self.deliver(event)
        for account in ACCOUNTS:
            self.revalidate(account)
            record = self.table.accounts.get(account)
            if record is not None:
                # An account stays where it is, unless its metadata comes along: so the old name is taken up again.
                self.zendesk.home = record.subdomain
                if record.state is not AccountState.DELETED:
                    self.held.token(record)
            self.events.clear()
            assert self.open_page(account, new_token=False) is Outcome.CONNECTED
            self.save(account)
            for event in self.events:
                self.deliver(event)
            self._must_work(account)
            self.remove(account)
            self.deliver(self.events[-1])
            gone = self.table.accounts[account]
            assert (gone.state, gone.nonce, gone.token_version) == (AccountState.DELETED, None, "")

    def _must_work(self, account: InstancePushId) -> None:
        record = self.table.accounts[account]
        assert record.state is AccountState.ACTIVE
        assert self.held.token(record) == self.customers[account].token


RegistrationAtRandom.TestCase.settings = settings(max_examples=150, stateful_step_count=25, deadline=None)
TestRegistrationAtRandom = RegistrationAtRandom.TestCase
