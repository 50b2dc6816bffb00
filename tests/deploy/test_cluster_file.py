"""cluster.yaml is what Ray's launcher takes, and its settings start a system."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from ray.autoscaler._private.util import prepare_config, validate_config

from actors.placement import LOG_NODE
from s3palette.settings import read_settings

FILE = Path(__file__).parents[2] / "cluster.yaml"


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The settings of the head's env file, as the file's comment gives them."""
    given = dict(re.findall(r"(S3P_[A-Z0-9_]+)=(\S+)", FILE.read_text()))
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return given


def test_rays_launcher_takes_the_file() -> None:
    validate_config(prepare_config(yaml.safe_load(FILE.read_text())))


def test_its_settings_start_a_system_whose_engine_is_elsewhere(told: dict[str, str], tmp_path: Path) -> None:
    settings = read_settings(data_dir=tmp_path)
    assert (settings.store, settings.segmenter, settings.engine_min_replicas) == ("s3", "sam3", 0)
    types = yaml.safe_load(FILE.read_text())["available_node_types"]
    assert LOG_NODE in types["head"]["resources"]
    assert "GPU" not in types["head"]["resources"]
    assert types["gpu"]["min_workers"] == settings.engine_min_replicas
    assert types["gpu"]["max_workers"] * types["gpu"]["resources"]["GPU"] >= settings.engine_replicas


def test_every_node_is_behind_the_token() -> None:
    config = yaml.safe_load(FILE.read_text())
    assert "~/.ray/auth_token" in config["file_mounts"]
    for commands in (config["head_start_ray_commands"], config["worker_start_ray_commands"]):
        assert all("RAY_AUTH_MODE=token" in command for command in commands if "ray start" in command)
