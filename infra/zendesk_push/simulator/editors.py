"""The integration's pages that are open in the Admin Center, each for one account with one token.

Not thread-safe: ``core.ZendeskState`` holds the lock.
"""

from __future__ import annotations

import secrets
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zendesk_push.simulator.accounts import SimulatedAccount, Token

MAX_EDITORS = 1_000
MAX_NAME = 255
MAX_METADATA = 5_000


class SaveRefusedError(ValueError):
    """The finalizer does not take what the browser posted; the text is for the administrator."""


@dataclass(frozen=True)
class Editor:
    """The integration's page, opened for one account with one token."""

    id: str
    account: SimulatedAccount
    token: Token
    locale: str


class Editors:
    """The newest MAX_EDITORS pages that were opened and not saved yet."""

    def __init__(self) -> None:
        self._editors: OrderedDict[str, Editor] = OrderedDict()

    def open(self, account: SimulatedAccount, token: Token, locale: str) -> Editor:
        editor = Editor(secrets.token_urlsafe(16), account, token, locale)
        self._editors[editor.id] = editor
        while len(self._editors) > MAX_EDITORS:
            self._editors.popitem(last=False)
        return editor

    def find(self, editor_id: str | None, host_subdomain: str | None) -> Editor:
        """The page that the browser's cookie names, else the one opened last; raises SaveRefusedError."""
        if editor_id is None:
            here = (
                each
                for each in reversed(self._editors.values())
                if host_subdomain in (None, each.account.subdomain)
            )
            editor = next(here, None)
        else:
            editor = self._editors.get(editor_id)
        if editor is None or host_subdomain not in (None, editor.account.subdomain):
            raise SaveRefusedError("No account is being added or edited here, or it has been saved already.")
        return editor

    def close(self, editor: Editor) -> None:
        self._editors.pop(editor.id, None)


def check_form(name: str, metadata: str, pull_state: str) -> None:
    """Raises SaveRefusedError for values that Zendesk does not store."""
    if not name.strip():
        raise SaveRefusedError("Enter a name for the account.")
    if len(name) > MAX_NAME:
        raise SaveRefusedError(f"The name has more than {MAX_NAME} characters.")
    if max(len(metadata), len(pull_state)) > MAX_METADATA:
        raise SaveRefusedError(f"metadata or state has more than {MAX_METADATA:,} characters.")
