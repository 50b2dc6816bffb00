"""One job as an engine outside is told of it: with all it needs, so that it knows nothing of presets or materials."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, PlainValidator, ValidationError

import engine
from s3palette.domain import keys
from s3palette.external.recipe import read_recipe, recipe_json
from s3palette.recipes import build_recipe
from s3palette.storage import ObjectStore

__all__ = ["JobMessage", "MessageRefused", "PhotoItem", "Place", "job_message"]


class MessageRefused(Exception):
    """The bytes are no message of a version this build knows. One sentence."""


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True)


class Place(_Part):
    """One object: its key for the callback, and a signed address to read it or to write it, once or again."""

    key: str
    url: str


class PhotoItem(_Part):
    """One photo. GET `input`; PUT the others as raw bytes, each address until the photo has ended."""

    idx: int = Field(ge=0)
    input: Place
    output: Place
    """PNG at input size."""
    preview: Place
    """JPEG, longer side at most 512 px."""
    instances: Place
    """JSON: boxes, scores, areas, states of the instances by concept."""
    masks: Mapping[str, Place]
    """Concept -> where its label map goes, where it is found: PNG at photo size, 0 none, k instance #k."""
    etag: str | None = None
    """Of the photo as it was confirmed; sent as If-Match with GET, a changed photo is refused with 412."""
    refinement: engine.Refinement = engine.Refinement()
    """What the user said about this photo alone."""


class JobMessage(_Part):
    """The photos of one job that are to be done now. Fields are added, never changed, within a version."""

    version: Literal[1] = 1
    job: str
    user: str
    preset: str
    """For the record: nothing has to be looked up by it."""
    attempt: int = Field(ge=1)
    """1 at first; more where an answer was missing."""
    recipe: Annotated[engine.Recipe, PlainValidator(read_recipe), PlainSerializer(recipe_json)]
    """Resolved concepts and protected ones, see `s3palette.external.recipe`."""
    items: tuple[PhotoItem, ...]
    callback_url: str
    """POST each photo's result here, with the callback secret."""
    idempotency_prefix: str
    concurrency: int = Field(ge=1)
    """Photos of this job that may be worked on at the same time."""

    def recipe_for(self, item: PhotoItem) -> engine.Recipe:
        """The recipe with what is special about one photo."""
        return replace(self.recipe, refinement=item.refinement)

    def idempotency_key(self, idx: int) -> str:
        """What the callback for photo `idx` carries: the same for a repeat, another for another attempt."""
        return f"{self.idempotency_prefix}{self.attempt}:{idx}"

    def dump(self) -> bytes:
        return self.model_dump_json().encode()

    @classmethod
    def load(cls, body: bytes) -> JobMessage:
        """Raises MessageRefused."""
        try:
            return cls.model_validate_json(body)
        except ValidationError as error:
            first = error.errors(include_url=False, include_context=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"])) or "body"
            raise MessageRefused(f"The message is not understood: {where}: {first['msg'][:200]}.") from None


def job_message(
    job_id: str, attempt: int, work: Mapping[str, Any], *, store: ObjectStore, base_url: str, concurrency: int
) -> JobMessage:
    """The message for what a job answered to `GetOffer`; its addresses are signed now.

    Raises ValidationFailed where the rule does not hold any more, after a change of the presets.
    """
    user_id = work["user_id"]
    rule = work["preset"], work["concepts"], work["protect"]
    recipe = build_recipe(*rule, measure=work["measure"])

    def place(key: str) -> Place:
        return Place(key=key, url=store.presign_put(key, base_url))

    def item(idx: int) -> PhotoItem:
        source = keys.input_key(user_id, job_id, idx)
        masks = {each.concept: keys.mask_key(user_id, job_id, idx, each.concept) for each in recipe.prompts}
        return PhotoItem(
            idx=idx,
            input=Place(key=source, url=store.presign_get(source, base_url)),
            output=place(keys.output_key(user_id, job_id, idx)),
            preview=place(keys.preview_key(user_id, job_id, idx)),
            instances=place(keys.instances_key(user_id, job_id, idx)),
            masks={concept: place(key) for concept, key in masks.items()},
            etag=work["etags"].get(idx),
            refinement=build_recipe(*rule, work["refinements"].get(str(idx)), work["measure"]).refinement,
        )

    return JobMessage(
        job=job_id,
        user=user_id,
        preset=work["preset"],
        attempt=attempt,
        recipe=recipe,
        items=tuple(item(idx) for idx in work["idxs"]),
        callback_url=f"{base_url}/jobs/{job_id}/callback",
        idempotency_prefix=f"{job_id}:",
        concurrency=concurrency,
    )
