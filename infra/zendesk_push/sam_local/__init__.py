"""The functions in Lambda's own runtime, by `sam local`, against the local stack that runs beside it.

The container reaches the stack under the name host.docker.internal, so it has to listen on more than loopback:
``zendesk-push local --bind 0.0.0.0``.
"""
