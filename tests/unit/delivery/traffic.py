"""What a message may carry beside its body."""

from hypothesis import strategies as st

_TEXT = {"DataType": "String", "StringValue": "grüße"}
ATTRIBUTES = st.sampled_from(
    [
        {},
        {"trace": _TEXT, "weight": {"DataType": "Number", "StringValue": "1.50"}},
        {f"a{number}": {"DataType": "Binary", "BinaryValue": bytes([number])} for number in range(10)},
        {"ErrorCode": _TEXT, "Context": {"DataType": "String.json", "StringValue": "{}"}},
    ]
)
REQUEST_IDS = st.sampled_from([None, None, None, "r1", "r2"])
