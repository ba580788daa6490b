"""Lambda function 2: messages from the queue in, push requests to Zendesk out, an outcome for every message.

Read it in call order: ``handler``, ``composition``, ``invocation``, then the rooms as a message meets them:
``messages`` (what came), ``requests`` (what goes out), ``accounts`` (whose turn it is), ``answers`` (what Zendesk
said), ``outcomes`` (what becomes of it).
"""
