"""What runs before a commit and before a change is taken: the files that say so."""

import re
import subprocess
import sys
from typing import Any

import pytest
import yaml
from pre_commit.clientlib import load_config

from bot.settings import ROOT

WORKFLOW = ROOT / ".github" / "workflows" / "check.yaml"


def workflow() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(WORKFLOW.read_text("utf-8"))
    return found


def test_every_hook_runs_a_program_of_the_virtual_environment() -> None:
    config = load_config(str(ROOT / ".pre-commit-config.yaml"))
    hooks = [hook for repo in config["repos"] for hook in repo["hooks"]]
    assert {repo["repo"] for repo in config["repos"]} == {"local"}, "nothing is fetched"
    entries = [hook["entry"].split() for hook in hooks if hook["language"] != "fail"]
    assert {entry[0] for entry in entries} == {".ci/in-venv"}
    programs = {entry[1] for entry in entries}
    assert programs == {"ruff", "mypy", "lint-imports", "python"}


def test_every_python_that_herald_runs_on_is_tried() -> None:
    tried = workflow()["jobs"]["tests"]["strategy"]["matrix"]["python"]
    readme = (ROOT / "README.md").read_text("utf-8")
    [named] = re.findall(r"You need Python (.+?), and `make`", readme)
    assert tried == re.findall(r"3\.\d+", named)


def test_what_the_workflow_runs_is_there() -> None:
    steps = [step for job in workflow()["jobs"].values() for step in job["steps"]]
    lines = "\n".join(step.get("run", "") for step in steps)
    for path in re.findall(r"(?:\.ci|tests|requirements)[\w./-]*", lines):
        assert (ROOT / path).exists(), path


def test_scripts_can_be_run_where_they_are_taken() -> None:
    listed = subprocess.run(
        ["git", "ls-files", "--stage", ".ci/run", ".ci/in-venv"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert [line[:6] for line in listed.splitlines()] == ["100755", "100755"]


@pytest.mark.parametrize(
    ("file", "schema"),
    [
        (".github/workflows/check.yaml", "vendor.github-workflows"),
        ("deploy/compose.yaml", "vendor.compose-spec"),
    ],
)
def test_what_others_run_is_of_the_shape_that_they_publish(file: str, schema: str) -> None:
    """Their schemas come with the package: nothing is asked of the network."""
    ran = subprocess.run(
        [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, ROOT / file],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
