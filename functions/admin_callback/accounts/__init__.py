"""Who may register which account, and what becomes of it."""
