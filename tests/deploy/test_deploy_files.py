"""What deploy/ says is true of the program: settings, commands, paths, names."""

from __future__ import annotations

import re
import shutil
import subprocess
import tomllib
from configparser import RawConfigParser
from pathlib import Path
from typing import Any

import pytest
import yaml

from actors.placement import LOG_NODE
from s3palette.cli import app
from s3palette.settings import Settings, read_settings

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
EXAMPLE = DEPLOY / "s3palette.env.example"
VARIABLE = re.compile(r"#(S3P_[A-Z0-9_]+)=(.*)")


def example() -> dict[str, str]:
    return dict(match.groups() for line in EXAMPLE.read_text().splitlines() if (match := VARIABLE.fullmatch(line)))


def test_the_example_has_every_setting_once_and_nothing_else() -> None:
    named = re.findall(r"^#?(S3P_\w+)=", EXAMPLE.read_text(), re.MULTILINE)
    assert sorted(named) == sorted(f"S3P_{name.upper()}" for name in Settings.model_fields)
    assert all(line.startswith("#") for line in EXAMPLE.read_text().splitlines() if line), "an example changes nothing"


def test_the_example_tells_the_defaults(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = read_settings(data_dir="/x").model_dump()
    for name, value in example().items():
        monkeypatch.setenv(name, value)
    assert read_settings(data_dir="/x").model_dump() == plain


@pytest.fixture
def unit() -> RawConfigParser:
    parser = RawConfigParser(strict=False, comment_prefixes=("#",), delimiters=("=",))
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(DEPLOY / "s3palette.service")
    return parser


def test_the_unit_stops_as_slowly_as_photos_may_take(unit: RawConfigParser) -> None:
    service = unit["Service"]
    assert float(service["TimeoutStopSec"]) >= Settings().stop_within_s + 45
    assert (service["KillSignal"], service["KillMode"], service["Restart"]) == ("SIGTERM", "mixed", "on-failure")
    program, command = service["ExecStart"].split()
    assert Path(program).name in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert command in {each.name for each in app.registered_commands}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_understands_the_unit(tmp_path: Path) -> None:
    there = (DEPLOY / "s3palette.service").read_text().replace("/opt/s3palette/bin/s3palette up", "/bin/true")
    (tmp_path / "s3palette.service").write_text(there)
    command = ["systemd-analyze", "verify", "--man=no", str(tmp_path / "s3palette.service")]
    said = subprocess.run(command, capture_output=True, text=True)
    assert "s3palette.service" not in said.stdout + said.stderr, said.stderr
    assert said.returncode == 0, said.stderr


def test_the_container_copies_what_the_package_is_made_of() -> None:
    lines = (DEPLOY / "Containerfile").read_text().replace("\\\n", " ").splitlines()
    copied = {
        each for line in lines if line.startswith("COPY ") and "--from" not in line for each in line.split()[1:-1]
    }
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")}
    assert copied == packages | {"constraints.txt", "pyproject.toml", "README.md", "serve_app.py"}
    kept = {line[1:] for line in (ROOT / ".dockerignore").read_text().splitlines() if line.startswith("!")}
    assert kept == copied
    assert [line for line in lines if line.startswith("USER ")] == ["USER s3palette"]
    assert any(line.startswith("HEALTHCHECK ") and "/ready" in line for line in lines)
    for name in re.findall(r"\b(S3P_\w+)\b", "\n".join(lines)):
        assert f"#{name}=" in EXAMPLE.read_text()


def test_the_cluster_runs_up_where_the_log_is() -> None:
    job, claim = list(yaml.safe_load_all((DEPLOY / "kuberay.yaml").read_text()))
    spec: dict[str, Any] = job["spec"]
    assert spec["entrypoint"] == "s3palette up"
    head = spec["rayClusterSpec"]["headGroupSpec"]
    assert LOG_NODE in head["rayStartParams"]["resources"]
    constraints = (ROOT / "constraints.txt").read_text()
    assert f"ray=={spec['rayClusterSpec']['rayVersion']}" in re.sub(r"\[.*?\]", "", constraints)
    pod = head["template"]["spec"]
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == claim["metadata"]["name"]
    given = {each["name"]: each["value"] for each in pod["containers"][0]["env"]}
    assert {name for name in given if name.startswith("S3P_")} <= set(example())
    assert pod["terminationGracePeriodSeconds"] >= Settings().stop_within_s + 45
