"""What schemathesis is told of the archive that it tries, in its own environment: ids that are there, and a secret.

Random ids would meet nothing but 404; so most requests ask for what is there, others' things among it.
"""

import json
import os
import random

import schemathesis

TOLD = json.loads(os.environ.get("MEDTHECA_TRIED", "{}"))
_random = random.Random(5)


@schemathesis.hook
def map_path_parameters(context, path_parameters):
    for name in list(path_parameters or {}):
        if (known := TOLD["ids"].get(name)) and _random.random() < 0.8:
            path_parameters[name] = _random.choice(known)
    return path_parameters


@schemathesis.check
def nothing_of_others(ctx, response, case):
    """No answer has the word that stands in everything of Bob's, unless the request had it."""
    secret = TOLD["secret"]
    if secret and secret in response.text and secret not in str(case.as_transport_kwargs()):
        raise AssertionError(
            f"{case.method} {case.formatted_path} tells of something of another's: {response.text[:500]}"
        )
