"""`sam deploy` as far as `make deploy` sees it: takes the same arguments, leaves what CloudFormation would be given.

By SAM's own translator, in the file that SAM_RESULT names. As SAM does it, a parameter that is not given keeps the
value of the deployment before, which SAM_PREVIOUS has.
"""

import json
import os
import sys
from pathlib import Path

from zendesk_push.template.reader import load_source
from zendesk_push.template.translation import translate

arguments = sys.argv[1:]
assert arguments[:2] == ["deploy", "--config-env"]
overrides = arguments[arguments.index("--parameter-overrides") + 1]
given = json.loads(Path(overrides.removeprefix("file://")).read_text("utf-8"))
parameters = {**json.loads(os.environ["SAM_PREVIOUS"]), **given}
result = {
    "stage": arguments[2],
    "parameters": parameters,
    "template": translate(load_source(), parameters),
    "further": arguments[3 : arguments.index("--parameter-overrides")],
}
Path(os.environ["SAM_RESULT"]).write_text(json.dumps(result), "utf-8")
