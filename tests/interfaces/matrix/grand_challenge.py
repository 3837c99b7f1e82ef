"""Grand Challenge's API: what is the same for every area, and what this archive does not have yet."""

from tests.interfaces.matrix import everybody, people

ROWS = [
    everybody("api/v1/openapi.json"),
    everybody("api/v1/", 404),
    everybody(r"api/^v1(?:/[\s\S]*)?$", 404, address="api/v1/nothing"),
    everybody("api/v1/gcapi/"),
    everybody("api/v1/reader-studies/"),
    everybody("api/v1/reader-studies/questions/"),
    everybody("api/v1/reader-studies/answers/"),
    people("api/v1/reader-studies/answers/mine/"),
    everybody("api/v1/reader-studies/display-sets/"),
    everybody("api/v1/algorithms/"),
    everybody("api/v1/algorithms/jobs/"),
    everybody("api/v1/algorithms/images/"),
    everybody("api/v1/algorithms/endpoints/"),
    everybody("api/v1/algorithms/invocations/"),
    people("api/v1/workstations/sessions/"),
]
