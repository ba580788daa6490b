"""``python -m zendesk_push.packaging.kept``: the template of an import, with only what outlives a deleted stack.

CloudFormation imports resources by a plain template that holds nothing else (docs/deployment.md, Restore).
"""

import json
import sys
from typing import Any

from zendesk_push.template.reader import load_source

# What a stack adds once it is imported.
_LEFT_OUT = ("Resources", "Outputs", "Rules", "Metadata", "Globals", "Transform")


def kept_resources() -> dict[str, Any]:
    """A plain template with the resources that are retained; those of Replies with their condition."""
    source = load_source()
    kept = {
        name: resource
        for name, resource in source["Resources"].items()
        if "Retain" in resource.get("DeletionPolicy", "")
    }
    return {key: value for key, value in source.items() if key not in _LEFT_OUT} | {"Resources": kept}


if __name__ == "__main__":
    json.dump(kept_resources(), sys.stdout, indent=1)
