"""The commands of ``zendesk-push``, a module each."""
