"""Lambda function 2: messages from the queue in, push requests to Zendesk out, an outcome for every message.

Read it in call order: ``handler`` → ``composition`` → ``invocation`` → ``account_pusher`` → ``outcomes``. What these
use is pure (``message``, ``coalescing``, ``push_body``, ``schema_errors``, ``results``, ``waiting``,
``dead_letters``) or one collaborator each (``queues``, ``pauses``, ``tokens``, ``credential_recovery``, ``telemetry``).
"""
