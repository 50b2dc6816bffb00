"""Pictures for people: what was found in a photo, and before / after sheets of an album."""

from s3palette.sheets._marks import Swatch
from s3palette.sheets.album import AlbumRule, PhotoView, found_words
from s3palette.sheets.contact import Row, contact_sheet, thumbnail
from s3palette.sheets.overlay import concept_colours, overlay, with_legend

__all__ = [
    "AlbumRule",
    "PhotoView",
    "Row",
    "Swatch",
    "concept_colours",
    "contact_sheet",
    "found_words",
    "overlay",
    "thumbnail",
    "with_legend",
]
