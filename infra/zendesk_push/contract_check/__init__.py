"""What Zendesk would say of an external resource, told before it is sent. For tooling: the push path leaves the
judging to Zendesk.
"""
