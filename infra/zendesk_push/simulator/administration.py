"""What administrators (and Zendesk itself) do to the integration's accounts, and the events that tell of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from zendesk_push.simulator.accounts import (
    Accounts,
    SimulatedAccount,
    SimulatedAccountState,
    UnknownAccountError,
)
from zendesk_push.simulator.editors import Editor, Editors, SaveRefusedError, check_form

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable

    from zendesk_push.simulator.events import Events


class Administration:
    """The half of ``core.ZendeskState`` that is about accounts; every method is atomic."""

    lock: threading.RLock
    clock: Callable[[], float]
    accounts: Accounts
    events: Events
    manifest_url: str
    new_token_on_edit: bool
    events_on_uninstall: bool
    _editors: Editors
    _installed: set[str]

    def install(self, subdomain: str) -> None:
        """The administrator uploads the installer app; adding a first account does it as well."""
        with self.lock:
            self.accounts.open_subdomain(subdomain)
            if subdomain not in self._installed:
                self._installed.add(subdomain)
                self._report("create_integration", subdomain, {"manifest_url": self.manifest_url})

    def is_installed(self, subdomain: str) -> bool:
        return subdomain in self._installed

    def uninstall(self, subdomain: str) -> None:
        """The administrator removes the installer app, and with it the integration's accounts."""
        with self.lock:
            for account in self.accounts.of(subdomain):
                if (
                    account.state in (SimulatedAccountState.ACTIVE, SimulatedAccountState.INACTIVE)
                    and self.events_on_uninstall
                ):
                    self._report("destroy_integration_instance", subdomain, {"metadata": account.metadata})
                self.accounts.delete(account)
            self._installed.discard(subdomain)
            self._report("destroy_integration", subdomain, {"manifest_url": self.manifest_url})

    def create_account(
        self,
        subdomain: str,
        *,
        name: str = "",
        metadata: str = "",
        instance_push_id: str | None = None,
        token: str | None = None,
        now: float | None = None,
    ) -> SimulatedAccount:
        """An active account without the integration's page having been asked: no event, token already saved."""
        with self.lock:
            at = self.clock() if now is None else now
            account = self.accounts.add(subdomain, at, instance_push_id=instance_push_id)
            self.accounts.issue(account, at, token).saved = True
            account.name, account.metadata, account.state = name, metadata, SimulatedAccountState.ACTIVE
            return account

    def open_new(self, subdomain: str, locale: str = "en-US") -> Editor:
        """Add account: the integration's page is about to be shown for an account that does not exist yet."""
        with self.lock:
            self.install(subdomain)
            account = self.accounts.add(subdomain, self.clock(), locale)
            return self._editors.open(account, self.accounts.issue(account, self.clock()), locale)

    def open_existing(
        self, instance_push_id: str, locale: str = "en-US", *, new_token: bool | None = None
    ) -> Editor:
        """Edit account; hands out a new token, or the newest once more. Raises UnknownAccountError."""
        with self.lock:
            account = self._existing(instance_push_id)
            fresh = self.new_token_on_edit if new_token is None else new_token
            if fresh or not account.tokens:
                return self._editors.open(account, self.accounts.issue(account, self.clock()), locale)
            return self._editors.open(account, account.tokens[-1], locale)

    def save(
        self,
        editor_id: str | None,
        host_subdomain: str | None,
        *,
        name: str,
        metadata: str,
        pull_state: str = "",
    ) -> SimulatedAccount:
        """The finalizer: the browser brings what the integration's page posted.

        The form itself does not say which account it is for. ``editor_id`` is the browser's cookie; without
        one (a blocked cookie, a client that keeps none) it is the page that was opened last at this address.
        Raises SaveRefusedError.
        """
        with self.lock:
            editor = self._editors.find(editor_id, host_subdomain)
            check_form(name, metadata, pull_state)
            account = editor.account
            if account.state is SimulatedAccountState.DELETED:
                raise SaveRefusedError("The account has been removed in the meantime.")
            self._editors.close(editor)
            account.name, account.metadata, account.pull_state = name, metadata, pull_state
            account.locale = editor.locale
            editor.token.saved = True
            if account.state is SimulatedAccountState.PENDING:
                account.state = SimulatedAccountState.ACTIVE
                self._report("create_integration_instance", account.subdomain, {"metadata": metadata})
            return account

    def activate(self, instance_push_id: str) -> None:
        with self.lock:
            account = self._existing(instance_push_id)
            account.state = SimulatedAccountState.ACTIVE
            self._report("activate_integration_instance", account.subdomain, {"metadata": account.metadata})

    def deactivate(self, instance_push_id: str, *, by: str = "api", error: str | None = None) -> None:
        """``by`` is "api" or "error", as Zendesk says; ``error`` goes along as deactivating_error."""
        with self.lock:
            account = self._existing(instance_push_id)
            account.state = SimulatedAccountState.INACTIVE
            data = {"metadata": account.metadata, "deactivated_by": by}
            if error is not None:
                data["deactivating_error"] = error
            self._report("deactivate_integration_instance", account.subdomain, data)

    def remove(self, instance_push_id: str) -> None:
        """Remove the account: all of its tokens end at once; its tickets stay."""
        with self.lock:
            account = self._existing(instance_push_id)
            self.accounts.delete(account)
            self._report("destroy_integration_instance", account.subdomain, {"metadata": account.metadata})

    def rotate_token(self, instance_push_id: str) -> str:
        """A new saved token in place of all others, which the integration is not told of."""
        with self.lock:
            account = self._existing(instance_push_id)
            self.accounts.revoke(account)
            token = self.accounts.issue(account, self.clock())
            token.saved = True
            return token.value

    def revoke_token(self, instance_push_id: str, token: str | None = None) -> None:
        """Revoke one token of the account, or all."""
        with self.lock:
            self.accounts.revoke(self.accounts.get(instance_push_id), token)

    def _existing(self, instance_push_id: str) -> SimulatedAccount:
        account = self.accounts.get(instance_push_id)
        if account.state not in (SimulatedAccountState.ACTIVE, SimulatedAccountState.INACTIVE):
            raise UnknownAccountError(instance_push_id)
        return account

    def _report(self, type_id: str, subdomain: str, data: dict[str, Any]) -> None:
        self.events.add(type_id, subdomain, self.clock(), data)
