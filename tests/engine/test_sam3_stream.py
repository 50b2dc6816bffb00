"""Many photos at once through the stream and the worker, with a tiny SAM 3: batches, bad photos, no photo's fault."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from actors.engine_worker import process_photo
from actors.photo_dispatch import PhotoTask
from engine import BadPhoto, process
from engine.image_io import encode_png
from engine.segment.sam3.segmenter import Ask, Sam3Segmenter
from engine.stream import PhotoStream
from engine.types import Exemplar, Layer, Recipe, Recolor, Refinement, Segmentation
from s3palette.domain import keys
from s3palette.engines import LoadedEngine
from s3palette.settings import load_settings
from s3palette.storage import open_store

from ._sam3 import LENIENT, backend, photo, prompts, save_tiny, segmenter

RECIPE = Recipe(tuple(prompts(3)), (Layer("C0", Recolor((40, 160, 60))), Layer("C1", Recolor((30, 50, 200)))), ("C2",))


class Recording(Sam3Segmenter):
    """Notes the sizes of its batches; breaks on photos of 77 rows."""

    def __init__(self) -> None:
        super().__init__(backend(), LENIENT)
        self.parts: list[int] = []

    def answer(self, asks: Sequence[Ask]) -> list[list[Segmentation]]:
        self.parts.append(len(asks))
        if any(ask.size[0] == 77 for ask in asks):
            raise RuntimeError("a photo the model chokes on")
        return super().answer(asks)


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool


async def test_the_stream_gives_what_process_gives(threads: ThreadPoolExecutor) -> None:
    files = [encode_png(photo(seed, (60, 90)).rgb) for seed in range(6)]
    recording = Recording()
    stream = PhotoStream(recording, threads)
    results = await asyncio.gather(*(stream.process(data, RECIPE) for data in files))
    stream.close()
    for data, result in zip(files, results, strict=True):
        alone = process(data, RECIPE, segmenter())
        assert result.png == alone.png
        assert result.masks == alone.masks
        assert set(result.timings_ms) == set(alone.timings_ms)
        assert json.loads(result.instances)["source"] == "sam3"
    assert sum(recording.parts) == 6
    assert len(recording.parts) < 6


async def test_photos_with_different_recipes_share_a_batch(threads: ThreadPoolExecutor) -> None:
    stream = PhotoStream(segmenter(), threads)
    recipes = [Recipe(tuple(prompts(k)), (Layer("C0", Recolor((9, 160, 60))),)) for k in (1, 4, 2)]
    files = [encode_png(photo(seed, (50, 60)).rgb) for seed in range(3)]
    results = await asyncio.gather(*map(stream.process, files, recipes))
    stream.close()
    for data, recipe, result in zip(files, recipes, results, strict=True):
        assert result.png == process(data, recipe, segmenter()).png


async def test_what_a_user_says_of_one_photo_stays_with_it(threads: ThreadPoolExecutor) -> None:
    data = encode_png(photo(3, (60, 90)).rgb)
    boxes = (Exemplar("C0", (0.1, 0.1, 0.6, 0.8)),)
    refined = replace(RECIPE, refinement=Refinement({"C0": {1: "excluded"}, "C1": {1: "locked"}}, boxes))
    stream = PhotoStream(segmenter(), threads)
    results = await asyncio.gather(*(stream.process(data, recipe) for recipe in (RECIPE, refined, RECIPE)))
    stream.close()
    assert results[0].png == results[2].png == process(data, RECIPE, segmenter()).png
    assert results[1].png == process(data, refined, segmenter()).png
    presence = [json.loads(result.instances)["concepts"]["C0"]["presence"] for result in results]
    assert presence[0] == presence[2] != presence[1]


async def test_bad_photos_fail_alone(threads: ThreadPoolExecutor) -> None:
    stream = PhotoStream(Recording(), threads)
    files = [encode_png(photo(seed, (rows, 60)).rgb) for seed, rows in enumerate((40, 77, 50))]
    unknown = Recipe(RECIPE.prompts, (Layer("C99", Recolor((1, 2, 3))),))
    jobs = [
        *(stream.process(data, RECIPE) for data in files),
        stream.process(b"no photo", RECIPE),
        stream.process(files[0], unknown),
    ]
    good, choked, fine, broken, refused = await asyncio.gather(*jobs, return_exceptions=True)
    stream.close()
    assert isinstance(choked, RuntimeError)
    assert isinstance(broken, BadPhoto)
    assert isinstance(refused, ValueError)
    for result, data in ((good, files[0]), (fine, files[2])):
        assert not isinstance(result, BaseException)
        assert result.png == process(data, RECIPE, segmenter()).png


async def test_nothing_selected_asks_the_model_nothing(threads: ThreadPoolExecutor) -> None:
    recording = Recording()
    stream = PhotoStream(recording, threads)
    seen = photo(1, (40, 50))
    result = await stream.process(encode_png(seen.rgb), Recipe((), ()))
    stream.close()
    assert result.size == seen.size
    assert recording.parts == []


def make_settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, **more: Any) -> Any:
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    weights = save_tiny(tmp_path / "weights")
    return load_settings(data_dir=tmp_path / "data", sam3_weights=str(weights), sam3_gpus=0, **more)


async def test_a_worker_carries_photos_of_several_jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = make_settings(tmp_path, monkeypatch, engine="sam3", sam3_threshold=0.2)
    loaded, store = LoadedEngine(settings), open_store(settings)
    assert loaded.name == "sam3"
    await loaded.check()
    rule = {"Window": {"action": "recolor", "value": "#F4F1EA"}}
    tasks = [PhotoTask("u_1", f"j_{k}", k, "interior", rule, ("Wall", "Glass_highlight")) for k in range(4)]
    for task in tasks:
        data = b"no photo" if task.idx == 2 else encode_png(photo(task.idx).rgb)
        await store.put(keys.input_key(task.user_id, task.job_id, task.idx), data, "image/jpeg")
    outcomes = await asyncio.gather(*(process_photo(task, store, loaded.process) for task in tasks))
    loaded.close()
    assert [outcome.status for outcome in outcomes] == ["done", "done", "failed", "done"]
    assert outcomes[2].error
    for outcome in outcomes[:2]:
        assert outcome.output_key
        assert outcome.instances_key
        assert (await store.get(outcome.output_key)).startswith(b"\x89PNG")
        concepts = json.loads(await store.get(outcome.instances_key))["concepts"]
        assert concepts["Wall"]["status"] == "found"
        assert concepts["Window"]["status"] == "found"


def test_weights_are_enough_for_auto_and_the_queue_fits_the_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = make_settings(tmp_path, monkeypatch, sam3_batch=6)
    assert settings.segmenter == "sam3"
    assert settings.engine_inflight == 16
    assert make_settings(tmp_path, monkeypatch, engine_inflight=3).engine_inflight == 3
    assert make_settings(tmp_path, monkeypatch, engine="classical").segmenter == "classical"
