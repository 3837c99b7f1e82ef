"""The commands of the README do what it says."""

import os
import re
import subprocess
import sys
from pathlib import Path

from medtheca.toolkit.synthetic import synthetic_cohort

REPOSITORY = Path(__file__).resolve().parents[2]
README = (REPOSITORY / "README.md").read_text()


def blocks(language):
    return re.findall(rf"^```{language}\n(.*?)^```$", README, flags=re.MULTILINE | re.DOTALL)


def test_first_steps_run_as_they_stand(tmp_path):
    """Every `sh` block, line by line, in a new folder with its own data, as a new user would."""
    (tmp_path / "images").mkdir()
    for name, jpeg, _ in synthetic_cohort(3, seed=5, size=(300, 200)):
        (tmp_path / "images" / name).write_bytes(jpeg)
    own = {
        name: value for name, value in os.environ.items() if not name.startswith(("MEDTHECA_", "DATABASE_", "DJANGO_"))
    }
    own |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "MEDTHECA_DATA": str(tmp_path / "data"),
    }
    commands = [line for block in blocks("sh") for line in block.splitlines()]
    assert len(commands) >= 5
    for command in commands:
        done = subprocess.run(command, shell=True, cwd=tmp_path, env=own, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    assert (tmp_path / "backup").is_dir()


def test_make_knows_the_two_commands():
    help_text = subprocess.run(["make", "help"], cwd=REPOSITORY, capture_output=True, text=True, check=True).stdout
    targets = {
        line.split()[1] for block in blocks("console") for line in block.splitlines() if line.startswith("make ")
    }
    assert targets == {"up", "test"}
    assert all(re.search(rf"make {target}\s", help_text) for target in targets)
