"""The ZIP that an administrator uploads to Zendesk."""
