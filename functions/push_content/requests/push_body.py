"""A push request's JSON, put together from the text that was dropped."""

import json

from push_content.requests.push_request import PushRequest


def push_body(request: PushRequest) -> bytes:
    """The body to POST. Nothing in a resource is decoded or encoded on the way."""
    first = request.first
    members = ['"instance_push_id":' + json.dumps(first.instance_push_id)]
    if first.request_id is not None:
        members.append('"request_id":' + json.dumps(first.request_id))
    members += [f"{key}:{value}" for key, value in first.extras]
    resources = ",".join(resource.raw for part in request.parts for resource in part.resources)
    members.append(f'"external_resources":[{resources}]')
    # A lone surrogate has no UTF-8; backslashreplace writes what JSON calls the same character.
    return ("{" + ",".join(members) + "}").encode("utf-8", "backslashreplace")
