"""How surfaces lie in space: from a photo's lines or a user's rectangle to homographies, photo pixels -> metres."""

from engine.planes._facets import Facet, facets_of
from engine.planes._view import View, view_of

__all__ = ["Facet", "View", "facets_of", "view_of"]
