"""Who a request speaks for, by the metadata that it brings: Zendesk signs neither events nor agents' answers."""

from admin_callback.accounts.sealed_metadata import MetadataSealer
from zendesk_channel.accounts import Account, AccountsTable


class AccountAuthentication:
    """Finds the account whose recorded nonce the metadata holds."""

    def __init__(self, accounts: AccountsTable, sealer: MetadataSealer) -> None:
        self._accounts = accounts
        self._sealer = sealer

    def account_of(self, text: str) -> Account | None:
        """The account; None for metadata that is not ours, or not that of an account as it is now.

        Raises:
            StoreUnavailableError: AWS failed.
            MetadataVersionError: it is ours, in a version that this code does not know.
        """
        metadata = self._sealer.authenticate(text)
        record = self._accounts.get(metadata.instance_push_id) if metadata else None
        return record if metadata and metadata.speaks_for(record) else None
