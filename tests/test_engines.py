"""Which engine the settings choose, and what is said when it cannot be had."""

from __future__ import annotations

from pathlib import Path

import pytest

from engine.segment.sam3 import Sam3Unavailable
from s3palette.engines import check_engine, engine_note, load_segmenter, sam3_options
from s3palette.settings import SettingsError, load_settings


def test_sam3_without_weights_refuses_in_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="S3P_ENGINE=sam3 needs S3P_SAM3_WEIGHTS") as refusal:
        load_settings(data_dir=tmp_path, engine="sam3")
    assert "\n" not in str(refusal.value)


def test_auto_without_weights_is_classical_and_says_so(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path)
    assert settings.segmenter == "classical"
    assert "S3P_SAM3_WEIGHTS" in (engine_note(settings) or "")
    check_engine(settings)
    segmenter, batches = load_segmenter(settings)
    assert (segmenter.name, batches) == ("classical", None)


@pytest.mark.parametrize("engine", ["classical", "external"])
def test_a_choice_that_was_made_is_not_talked_about(tmp_path: Path, engine: str) -> None:
    assert engine_note(load_settings(data_dir=tmp_path, engine=engine)) is None


def test_weights_that_are_not_there_stop_the_start(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, sam3_weights=str(tmp_path / "nothing" / "sam3.pt"))
    with pytest.raises(Sam3Unavailable, match="no file, no folder"):
        check_engine(settings)


def test_a_path_is_made_absolute_and_a_hub_id_is_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "weights").mkdir()
    monkeypatch.chdir(tmp_path)
    assert load_settings(data_dir=tmp_path, sam3_weights="weights").sam3_weights == str(tmp_path / "weights")
    assert load_settings(data_dir=tmp_path, sam3_weights="facebook/sam3").sam3_weights == "facebook/sam3"


def test_without_a_gpu_share_it_runs_on_the_cpu(tmp_path: Path) -> None:
    settings = load_settings(data_dir=tmp_path, sam3_weights="facebook/sam3", sam3_gpus=0, sam3_batch=3)
    assert (sam3_options(settings).device, sam3_options(settings).max_batch) == ("cpu", 3)
    assert sam3_options(load_settings(data_dir=tmp_path, sam3_weights="facebook/sam3")).device is None
