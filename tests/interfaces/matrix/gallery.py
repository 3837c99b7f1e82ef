"""Quick-find is for everybody. Alice's saved search is hers alone; the staff do not see it either."""

from tests.interfaces.matrix import LOGIN, Row, cells, everybody, people


def prepare(world):
    from medtheca.domains.search.operations import save_search

    world.names["saved"] = save_search(user=world.people["alice"], name="Nevi", query="diagnosis:Nevus").pk


def _hers(method, route, status, *, nobody=LOGIN, data=None):
    address = route.replace("<int:saved_id>", "{saved}")
    return Row(method, route, cells(nobody, 404, 404, 404, status, 404, 404), address=address, data=data)


_API = "api/v2/saved-searches/"
_PAGES = "account/searches/"

ROWS = [
    everybody("find/", address="find/?q=clinic"),
    everybody("find/", address="find/?q=clinic&part=options"),
    people(_PAGES),
    people("gallery/save/", address="gallery/save/?q=sex:male"),
    people("gallery/save/", 302, method="POST", address="gallery/save/?q=sex:male", data={"name": "Men"}),
    _hers("GET", f"{_PAGES}<int:saved_id>/", 200),
    _hers("POST", f"{_PAGES}<int:saved_id>/", 302, data={"name": "All nevi"}),
    _hers("POST", f"{_PAGES}<int:saved_id>/delete/", 302),
    people(_API),
    people(_API, 201, method="POST", data={"name": "Men", "query": "sex:male"}),
    _hers("GET", f"{_API}<int:saved_id>/", 200, nobody=401),
    _hers("PATCH", f"{_API}<int:saved_id>/", 200, nobody=401, data={"name": "All nevi"}),
    _hers("DELETE", f"{_API}<int:saved_id>/", 204, nobody=401),
]
