"""The demo's albums: photos that are there, rules that hold, concepts that are found without weights."""

from __future__ import annotations

import pytest

from engine import decode
from s3palette.demo import ALBUMS, Album
from s3palette.domain.plans import PLANS
from s3palette.recipes import build_recipe

NAMES = [album.name for album in ALBUMS]


@pytest.mark.parametrize("album", ALBUMS, ids=NAMES)
def test_every_photo_is_one(album: Album) -> None:
    assert len(set(album.photos)) == 3
    for photo in album.photos:
        assert min(decode(photo.read_bytes()).size) >= 400


@pytest.mark.parametrize("album", ALBUMS, ids=NAMES)
def test_the_rule_fits_its_preset_and_needs_no_model(album: Album) -> None:
    recipe = build_recipe(album.preset, album.concepts, album.protect)
    assert all(prompt.finder for prompt in recipe.prompts)


def test_a_new_user_may_run_an_album() -> None:
    assert all(len(album.photos) <= PLANS["free"].credits for album in ALBUMS)
