import json
import re
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from django import forms
from django.template.loader import get_template, render_to_string

import medtheca.interfaces.web

WEB = Path(medtheca.interfaces.web.__file__).parent
TEMPLATES = WEB / "templates"
DIST = WEB / "static/dist"
FRONTEND = WEB.parents[3] / "frontend"
ALL = sorted(path.relative_to(TEMPLATES).as_posix() for path in TEMPLATES.rglob("*.*"))
PAGES = [name for name in ALL if name.endswith(".html")]


def source(name):
    return (TEMPLATES / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ALL)
def test_every_template_compiles(name):
    get_template(name)


@pytest.mark.parametrize("name", PAGES)
def test_no_page_needs_an_inline_script_or_style(name):
    text = re.sub(r"\{% comment %\}.*?\{% endcomment %\}", "", source(name), flags=re.DOTALL)
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|hx-on|javascript:|<script(?![^>]*\ssrc=)", text) == []


@pytest.mark.parametrize("name", PAGES)
def test_every_icon_that_a_page_names_is_in_the_sprite(name):
    named = re.findall(r'\{% icon "([^"]+)"', source(name)) + re.findall(r'\bicon="([^"]+)"', source(name))
    sprite = (DIST / "icons.svg").read_text()
    assert [icon for icon in named if f'id="{icon}"' not in sprite] == []


@pytest.mark.parametrize("name", PAGES)
def test_every_file_that_a_page_loads_is_there(name):
    loaded = re.findall(r"\{% static '(dist/[^']+)' %\}", source(name))
    assert [path for path in loaded if not (WEB / "static" / path).is_file()] == []


@pytest.mark.parametrize("name", PAGES)
def test_a_comment_over_several_lines_is_one_that_the_engine_knows(name):
    assert re.findall(r"\{#[^}]*\n", source(name)) == []


@pytest.mark.parametrize("code", ["400", "403", "403_csrf", "404", "413", "429", "500", "507"])
def test_an_error_page_needs_neither_request_nor_database(code):
    shown = render_to_string(f"{code}.html", {"error_id": "01J9Z3K7QW"})
    for word in ("What happened", "What was kept", "What you can do", "01J9Z3K7QW", "Research use only"):
        assert word in shown
    assert "What happened" in render_to_string(f"{code}.html")


class Cohort(forms.Form):
    name = forms.CharField(label="Name", help_text="Short and unique among your cohorts.")
    licence = forms.ChoiceField(label="Licence", choices=[("", "Choose a licence"), ("CC0-1.0", "CC0")])


def test_the_style_guide_shows_every_component():
    tile = SimpleNamespace(
        id="ISIC_0000042", url="/images/ISIC_0000042/", thumbnail_url="/t.jpg", diagnosis="Nevus", licence="CC0-1.0",
        synthetic=True, visibility="private", colour="#b0877a",
    )  # fmt: skip
    row = SimpleNamespace(label="Diagnosis", value="Nevus", source="metadata.csv, row 2")
    now = datetime.now(UTC)
    shown = render_to_string(
        "medtheca/styleguide.html",
        {
            "form": Cohort({}),
            "clean_form": Cohort(),
            "tiles": [tile],
            "group": SimpleNamespace(title="Diagnosis", rows=[row]),
            "now": now,
            "earlier": now,
            "crumbs": [{"label": "Cohorts", "url": "/cohorts/"}, {"label": "Clinic", "url": None}],
        },
    )
    for word in (
        "Synthetic",
        "Private",
        "2 fields need a change",
        "metadata.csv, row 2",
        'aria-current="page"',
        "2,750",
    ):
        assert word in shown


def test_the_lock_of_the_front_end_is_exact_and_names_no_registry():
    package = json.loads((FRONTEND / "package.json").read_text())
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in package["devDependencies"].values())
    lock = json.loads((FRONTEND / "package-lock.json").read_text())
    assert [name for name, entry in lock["packages"].items() if "resolved" in entry] == []
    assert [name for name, entry in lock["packages"].items() if name and "integrity" not in entry] == []


def test_built_files_tell_nothing_of_the_machine_that_built_them():
    for path in DIST.rglob("*"):
        if path.suffix in {".js", ".css", ".svg"}:
            text = path.read_text(encoding="utf-8")
            assert "sourceMappingURL" not in text, path
            here = re.escape(str(Path(__file__).resolve().parents[3]))
            folders = "|".join(f"/{name}/" for name in ("home", "root", "tmp"))
            assert not re.search(rf"({folders}|{here}/)\w", text), path
