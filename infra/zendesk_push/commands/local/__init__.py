"""The whole stack on this machine: options, signals and what is printed; the stack is ``zendesk_push.local``."""
