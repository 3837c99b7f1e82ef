"""What an archive shows of the challenges to anybody: its API, its pages, its command line."""

import html
import json
import re
import urllib.request

_CONTRIBUTORS = re.compile(r'<ul [^>]*aria-label="Contributors[^"]*">(.*?)</ul>', re.DOTALL)
_CARD = re.compile(r'<li class="card-plain[^"]*">(.*?)</p></li>', re.DOTALL)
_NAME = re.compile(r'<span class="text-link[^"]*">(.*?)</span>', re.DOTALL)
_IMAGES = re.compile(r'<p class="text-muted figures">([\d,]+) images?')
_TOGETHER = re.compile(r"([\d,]+) collections with ([\d,]+) images, of which ([\d,]+) are different")


def fetch(url):
    with urllib.request.urlopen(url, timeout=120) as answer:
        return answer.read().decode()


def by_api(site):
    """(images, contributors) of each collection by its name, as its list says and as each says itself; and sums."""
    listed = json.loads(fetch(f"{site}/api/v2/collections/?limit=100&sort=name"))
    assert listed["count"] == len(listed["results"])
    alone = {}
    for row in listed["results"]:
        one = json.loads(fetch(f"{site}/api/v2/collections/{row['id']}/"))
        found = json.loads(fetch(f"{site}/api/v2/images/search/?limit=1&collections={row['id']}"))
        credits_ = json.loads(fetch(f"{site}/api/v2/collections/{row['id']}/attribution/"))
        assert found["count"] == one["image_count"] == sum(credit["count"] for credit in credits_)
        assert {credit["attribution"] for credit in credits_} == set(one["contributors"])
        alone[one["name"]] = (one["image_count"], one["contributors"])
    table = {row["name"]: (row["image_count"], row["contributors"]) for row in listed["results"]}
    assert alone == table
    sums = json.loads(fetch(f"{site}/api/v2/stats/"))["collection"]
    return table, sums["memberships_count"], sums["collected_images_count"]


def by_pages(site):
    """The same off the page of collections, and off the page of each."""
    page = fetch(f"{site}/collections/")
    number, memberships, images = map(_number, _TOGETHER.search(page).groups())
    table = {}
    for card in _CARD.findall(page):
        table[html.unescape(_NAME.search(card)[1])] = _shown(card)
    assert number == len(table)
    ids = {row["name"]: row["id"] for row in json.loads(fetch(f"{site}/api/v2/collections/?limit=100"))["results"]}
    assert {name: _shown(fetch(f"{site}/collections/{pk}/")) for name, pk in ids.items()} == table
    return table, memberships, images


def by_command(archive):
    """The same by the command line; sums are for people only."""
    rows = json.loads(archive.command("collection", "list", "--as", "visitor@demo.localhost", "--json"))
    return {row["name"]: (row["images"], row["contributors"]) for row in rows}


def _shown(part):
    names = re.findall(r"<li[^>]*>(.*?)</li>", _CONTRIBUTORS.search(part)[1], re.DOTALL)
    return _number(_IMAGES.search(part)[1]), [html.unescape(name) for name in names]


def _number(text):
    return int(text.replace(",", ""))
