"""Downloads: theirs alone for people, and of strangers for whoever has the id or the token."""

from medtheca.toolkit.querylang import parse
from medtheca.workflows.downloading import make_download
from tests.interfaces.matrix import LOGIN, Row, cells, everybody, people


def prepare(world):
    """Alice's, of her private image, and a stranger's of the public one, with the tokens in their addresses."""
    from medtheca.interfaces.api.v2.shapes.downloads import ticket_for
    from medtheca.interfaces.http.download_urls import token_of

    alices = make_download(asker=world.people["alice"], refs=[world.names["private"]])
    strangers = make_download(asker=None, tree=parse(world.names["public"]))
    world.names |= {
        "alices": str(alices.pk),
        "strangers": str(strangers.pk),
        "alices_token": token_of(alices.pk, ticket_for(alices)),
        "bare_token": token_of(alices.pk, ""),
        "strangers_token": token_of(strangers.pk, ""),
    }


# Whoever works on the cohort sees its private images, Rita, who reviews, among them.
_ALICE_ALONE = cells(404, 404, 404, 404, 200, 404, 404)
_DOWNLOADS = "api/v2/downloads/"
_ONE = "api/v2/downloads/<uuidstr:download_id>/"
_MANIFEST = "api/v2/manifests/<uuidstr:download_id>/"
_ZIP = "api/v2/zip-download/"

ROWS = [
    # Pages.
    everybody("download/new/", address="download/new/?image={public}"),
    everybody("download/new/", address="download/new/?q=sex:male"),
    everybody("download/new/", 302, method="POST", address="download/new/?image={public}"),
    *(
        Row(
            method,
            "download/new/",
            cells(404, 404, 404, status, status, status, status),
            address="download/new/?image={private}",
        )
        for method, status in (("GET", 200), ("POST", 302))
    ),
    Row("GET", "download/<uuid:download_id>/", _ALICE_ALONE, address="download/{alices}/"),
    everybody("download/<uuid:download_id>/", address="download/{strangers}/"),
    people("account/downloads/"),
    Row(
        "POST",
        "download/<uuid:download_id>/delete/",
        cells(LOGIN, 404, 404, 404, 302, 404, 404),
        address="download/{alices}/delete/",
    ),
    # The API.
    people(_DOWNLOADS),
    everybody(_DOWNLOADS, 201, method="POST", data=lambda world: {"isic_ids": [world.names["public"]]}),
    Row(
        "POST",
        _DOWNLOADS,
        cells(404, 404, 404, 201, 201, 201, 201),
        data=lambda world: {"isic_ids": [world.names["private"]]},
    ),
    everybody(_DOWNLOADS, 404, method="POST", data={"collections": [4_000_000]}),
    Row("GET", _ONE, _ALICE_ALONE, address="api/v2/downloads/{alices}/"),
    everybody(_ONE, address="api/v2/downloads/{strangers}/"),
    Row("DELETE", _ONE, cells(401, 404, 404, 404, 204, 404, 404), address="api/v2/downloads/{alices}/"),
    # Nobody in particular made it, so nobody in particular may end it.
    Row("DELETE", _ONE, cells(401, *[404] * 6), address="api/v2/downloads/{strangers}/"),
    *(
        Row("GET", _MANIFEST, _ALICE_ALONE, address=f"api/v2/manifests/{{alices}}/?format={name}")
        for name in ("json", "csv", "aria2", "wget")
    ),
    everybody(_MANIFEST, address="api/v2/manifests/{strangers}/"),
    everybody(f"{_ZIP}url/", method="POST"),
    *(
        row
        for name in ("file-listing", "metadata-file", "attribution-file")
        for row in (
            everybody(f"{_ZIP}{name}/", address=f"{_ZIP}{name}/?token={{strangers_token}}"),
            everybody(f"{_ZIP}{name}/", address=f"{_ZIP}{name}/?token={{alices_token}}"),
            everybody(f"{_ZIP}{name}/", 404, address=f"{_ZIP}{name}/?token={{bare_token}}"),
            everybody(f"{_ZIP}{name}/", 404, address=f"{_ZIP}{name}/?token={{alices_token}}x"),
        )
    ),
    everybody(f"{_ZIP}license-file/<licence>/", address=f"{_ZIP}license-file/CC-BY/"),
    everybody(f"{_ZIP}license-file/<licence>/", 404, address=f"{_ZIP}license-file/GPL-3.0/"),
]
