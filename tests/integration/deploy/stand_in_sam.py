"""`sam deploy` as far as `make deploy` sees it: takes the same arguments, leaves what CloudFormation would be given.

By SAM's own translator, with the parameters that it is given, in the file that SAM_RESULT names.
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
parameters = json.loads(Path(overrides.removeprefix("file://")).read_text("utf-8"))
result = {
    "stage": arguments[2],
    "parameters": parameters,
    "template": translate(load_source(), parameters),
    "further": arguments[3 : arguments.index("--parameter-overrides")],
}
Path(os.environ["SAM_RESULT"]).write_text(json.dumps(result), "utf-8")
