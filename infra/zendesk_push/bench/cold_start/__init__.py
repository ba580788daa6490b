"""Cold starts in Lambda's own runtime: the built functions beside a bare handler with the same clients.

From the start of the runtime's process to the answer to the first event, in a container of Lambda's Python, in
turns, so that whatever else the machine does hits all alike. The artifact is the built one (`make build`); the bare
handler lies in a copy of it, and has its libraries and their byte code.
"""
