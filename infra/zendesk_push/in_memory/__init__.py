"""AWS's parts in this process's memory, with a clock that is set by hand.

They are for what moto is too slow or too lenient for: the state machine of the tests, the benchmarks, the
soak run. The methods have boto3's shapes, so that the real code runs on them unchanged. What they do is held
against moto by tests/integration/conformance.
"""
