"""Who a request speaks for, by the metadata that it brings: Zendesk signs neither events nor agents' answers."""

from admin_callback.accounts.registration import holds_nonce
from admin_callback.accounts.sealed_metadata import MetadataSealer, parse_metadata
from zendesk_channel.accounts import Account, AccountsTable


class AccountAuthentication:
    """Finds the account whose recorded nonce the metadata holds."""

    def __init__(self, accounts: AccountsTable, sealer: MetadataSealer) -> None:
        self._accounts = accounts
        self._sealer = sealer

    def account_of(self, metadata: str) -> Account | None:
        """The account; None for metadata that is not ours, or not that of an account as it is now.

        Raises:
            StoreUnavailableError: AWS failed.
        """
        envelope = parse_metadata(metadata) if metadata else None
        record = self._accounts.get(envelope.instance_push_id) if envelope else None
        if envelope is None or record is None or not record.nonce:
            return None
        return record if holds_nonce(record, self._sealer.open(envelope)) else None
