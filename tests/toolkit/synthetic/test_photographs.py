import sys
from importlib.util import find_spec

import pytest
from PIL import Image

from medtheca.toolkit.synthetic import find_photographs

needs_photographs = pytest.mark.skipif(find_spec("skimage") is None, reason="scikit-image is not installed")


@needs_photographs
def test_each_photograph_opens_and_says_where_it_is_from():
    before = "skimage" in sys.modules
    photographs = find_photographs()
    assert [photograph.path.name for photograph in photographs] == [
        "retina.jpg",
        "microaneurysms.png",
        "ihc.png",
        "cell.png",
    ]
    for photograph in photographs:
        with Image.open(photograph.path) as picture:
            picture.load()
        assert photograph.origin
        assert photograph.attribution
    assert ("skimage" in sys.modules) == before


@needs_photographs
def test_the_terms_are_the_ones_scikit_image_states():
    folder = find_photographs()[0].path.parent
    documented = " ".join((folder / "_fetchers.py").read_text().split())
    for photograph in find_photographs():
        assert photograph.statement in documented
        assert photograph.licence in ("CC0-1.0", None)
        assert (photograph.licence is None) == ("CC0" not in photograph.statement)


def test_without_scikit_image_there_are_none(monkeypatch):
    monkeypatch.setattr("medtheca.toolkit.synthetic.photographs.find_spec", lambda _: None)
    assert find_photographs() == []
