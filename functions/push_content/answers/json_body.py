"""Reading JSON that somebody else has written."""

import json
from typing import Any, Final

# Bytes. 256 resources' results or errors fit several times over; a body of nothing but "[]," takes twenty times
# its size when it is parsed, in a function of 512 MB with many answers at a time.
MAX_PARSED: Final = 2 * 1024 * 1024


def read_json(body: bytes) -> Any:
    """What a body says.

    Raises:
        ValueError: it is not JSON, or more than this function would parse.
    """
    if len(body) > MAX_PARSED:
        raise ValueError("the answer is too large to be read")
    try:
        return json.loads(body)
    except RecursionError:
        raise ValueError("the answer is nested too deep") from None
