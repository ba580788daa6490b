"""Lambda 1: Zendesk's administrators connect their accounts here, and Zendesk reports what becomes of them.

Read it in the order of a call: handler, composition, routes, then form and registration or events, and pages.
"""
