"""The program works from its wheel, installed somewhere else, without this repository."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds nothing but what the wheel brings."""
    built = tmp_path_factory.mktemp("wheel")
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    for command in (
        ["-m", "build", "--wheel", "--no-isolation", "--outdir", built, REPOSITORY],
        ["-m", "pip", "install", "--no-deps", "--no-index", "--target", elsewhere, built],
    ):
        if command[1] == "pip":
            command[-1] = next(built.glob("*.whl"))
        subprocess.run([sys.executable, *command], check=True, capture_output=True)
    return elsewhere


def run_installed(installed: Path, folder: Path, *arguments: str) -> str:
    """Run the installed program in an empty folder and return its stdout."""
    environment = {**os.environ, "PYTHONPATH": str(installed), "XDG_CACHE_HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "-m", "fashiontui", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_the_wheel_brings_its_own_package(installed: Path, tmp_path: Path) -> None:
    where = subprocess.run(
        [sys.executable, "-c", "import fashiontui; print(fashiontui.__file__)"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(installed)


def test_the_wheel_brings_recipes_and_migrations(installed: Path, tmp_path: Path) -> None:
    store = str(tmp_path / "runs.sqlite3")
    printed = run_installed(
        installed,
        tmp_path,
        *("--batch", "--data", "sample", "--hidden", "8", "--recipe", "report", "--epochs", "1"),
        *("--json", "--store", store),
    )
    [run] = json.loads(printed)["runs"]
    assert (run["status"], run["recipe"], run["settings"]["dropout"]) == ("finished", "report", 0.5)
