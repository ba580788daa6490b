"""What SQS takes: sizes, names and characters. Pure.

AWS refuses more than moto and the local stack do, and it refuses a batch for one of its entries. So what it would
refuse is found out here.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from push_content.messages.sqs_record import Attributes

BATCH: Final = 10
MAX_ATTRIBUTES: Final = 10
MAX_BYTES: Final = (
    1024 * 1024
)  # body and attributes of a message together, and of a batch's messages together
_GROUP_ID: Final = re.compile(r"[!-~]{1,128}")
_NAME: Final = re.compile(
    r"(?!aws\.|amazon\.)(?!.*\.\.)[A-Za-z0-9_-](?:[A-Za-z0-9_.-]{0,254}[A-Za-z0-9_-])?", re.IGNORECASE
)
_TYPE: Final = re.compile(r"(?:String|Number|Binary)(?:\..{1,249})?")
_REFUSED_CHARACTER: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def attributes_size(attributes: Attributes) -> int:
    """The bytes that SQS counts: of names, types and values."""
    return sum(
        byte_size(name)
        + byte_size(value["DataType"])
        + byte_size(value.get("StringValue", ""))
        + len(value.get("BinaryValue", b""))
        for name, value in attributes.items()
    )


def byte_size(text: str) -> int:
    """The length of a text in UTF-8."""
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def takes_attribute(name: str, value: Mapping[str, Any]) -> bool:
    """Whether SQS takes a message attribute of this name and value."""
    data_type = value["DataType"]
    if not _NAME.fullmatch(name) or not _TYPE.fullmatch(data_type) or not takes_text(data_type):
        return False
    if data_type.startswith("Binary"):
        return bool(value.get("BinaryValue"))
    text = value.get("StringValue") or ""
    return bool(text) and takes_text(text)


def takes_text(text: str) -> bool:
    """Whether SQS takes these characters."""
    return refused_character(text) is None


def refused_character(text: str) -> str | None:
    """The first character that SQS does not take: all that XML 1.0 lacks, in a body to be written as an escape."""
    found = _REFUSED_CHARACTER.search(text)
    return found[0] if found else None


def takes_group_id(group_id: str) -> bool:
    """Whether SQS takes this MessageGroupId on a standard queue."""
    return bool(_GROUP_ID.fullmatch(group_id))
