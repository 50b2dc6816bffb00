"""S3 Palette: name a domain's components, apply one rule to a whole album, deliver a consistent set."""

__all__ = ["__version__"]

__version__ = "0.1.0"
