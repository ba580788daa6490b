"""The commands of ``zendesk-push``, a package each."""
