"""The layers hold, and the checks that say so would see it if they did not."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
HERE = Path(__file__).parent


def run(*command, tree=REPOSITORY):
    environment = os.environ | {"PYTHONPATH": str(tree / "src"), "DJANGO_SETTINGS_MODULE": "medtheca.config.settings"}
    return subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, check=False)


def lint_imports(tree=REPOSITORY):
    return run(
        sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache", tree=tree
    )


def check_relations(tree=REPOSITORY):
    return run(sys.executable, str(HERE / "relations.py"), tree=tree)


def check_job_names(tree=REPOSITORY):
    return run(sys.executable, str(HERE / "job_names.py"), str(tree / "src" / "medtheca"), tree=tree)


@pytest.fixture
def copy(tmp_path):
    """A copy of the tree, to plant faults in."""
    shutil.copytree(
        REPOSITORY / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__", "static", "*.egg-info")
    )
    shutil.copy(REPOSITORY / "pyproject.toml", tmp_path)
    return tmp_path


def plant(tree, file, text):
    path = tree / "src" / "medtheca" / file
    path.write_text(path.read_text() + text)


def test_imports_point_down():
    result = lint_imports()
    assert result.returncode == 0, result.stdout


def test_relations_point_down():
    result = check_relations()
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_enqueued_name_is_registered():
    result = check_job_names()
    assert result.returncode == 0, result.stdout + result.stderr


def test_a_planted_upward_import_is_seen(copy):
    plant(copy, "domains/storage/queries.py", "\nimport medtheca.workflows.receive  # planted\n")
    result = lint_imports(copy)
    assert result.returncode == 1
    assert "medtheca.domains.storage.queries -> medtheca.workflows.receive" in result.stdout


def test_a_planted_interface_that_touches_tables_is_seen(copy):
    plant(copy, "interfaces/http/middleware.py", "\nfrom medtheca.domains.imaging.models import Image  # planted\n")
    assert lint_imports(copy).returncode == 1


def test_a_planted_upward_foreign_key_is_seen(copy):
    field = (
        '    planted = models.ForeignKey("provenance.Cohort", null=True, on_delete=models.CASCADE, related_name="+")\n'
    )
    path = copy / "src" / "medtheca" / "domains" / "imaging" / "models.py"
    path.write_text(path.read_text().replace("class Image(TimeStamped):\n", "class Image(TimeStamped):\n" + field, 1))
    result = check_relations(copy)
    assert result.returncode == 1
    assert "imaging.Image.planted -> provenance.Cohort points up" in result.stdout


def test_a_planted_unregistered_job_name_is_seen(copy):
    plant(
        copy,
        "workflows/convert.py",
        '\n\ndef planted() -> None:\n    from medtheca.base.jobs import enqueue\n\n    enqueue("convert.bacth")\n',
    )
    result = check_job_names(copy)
    assert result.returncode == 1
    assert "convert.bacth is enqueued and not registered" in result.stdout


@pytest.mark.django_db
def test_no_migration_is_missing():
    from django.core.management import call_command

    call_command("makemigrations", check=True, dry_run=True, verbosity=0)


def test_every_domain_says_what_it_owns():
    for folder in (REPOSITORY / "src" / "medtheca" / "domains").iterdir():
        if folder.is_dir() and folder.name != "__pycache__":
            text = (folder / "__init__.py").read_text()
            assert text.startswith('"""'), folder
            assert "Does not own" in text, folder
