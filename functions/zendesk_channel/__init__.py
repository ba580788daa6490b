"""What both functions share: the Channel framework's contract, its client, accounts and credentials.

Imports point here and never back: nothing in this package knows of ``admin_callback`` or ``push_content``.
"""
