"""The engine's own errors.

EngineError
├── BadPhoto          the photo itself cannot be used; trying again cannot help
├── BadMask           a mask that was given for the photo does not fit it
└── NeedsModel        no concept of the recipe can be found by the segmenter in use
"""

__all__ = ["BadPhoto", "EngineError", "NeedsModel"]


class EngineError(Exception):
    """A photo fails with this one sentence, meant for a person; a retry gives the same result."""

    code = "ENGINE_ERROR"


class BadPhoto(EngineError):
    """Not an image, truncated, too large, of an unsupported kind."""

    code = "BAD_PHOTO"


class BadMask(EngineError):
    """A label map of another size than the photo, or with gaps in its numbers."""

    code = "BAD_MASK"


class NeedsModel(EngineError):
    """Every concept of the recipe needs a model that the segmenter in use is not."""

    code = "NEEDS_MODEL"
