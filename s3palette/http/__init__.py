"""The HTTP entrance: routes, envelope, bearer auth. Knows the actors only by the protocols in `ports`."""

from s3palette.http.app import create_app
from s3palette.http.ports import Brain, Deps, Readiness, Reads, SignupLimiter

__all__ = ["Brain", "Deps", "Readiness", "Reads", "SignupLimiter", "create_app"]
