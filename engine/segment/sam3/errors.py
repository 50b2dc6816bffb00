"""Why SAM 3 cannot be used here."""

__all__ = ["Sam3Unavailable"]


class Sam3Unavailable(Exception):
    """Weights, packages or hardware are missing. One sentence that says what to do; trying again cannot help."""
