"""Routes without FastAPI's dependency machinery on the way of a request.

A handler's signature is what FastAPI documents in the OpenAPI schema: `(call: Call, <path parameters>: str,
body: Model, query: Annotated[Model, Query()])`. At run time these routes fill it in themselves: they know that a
body is JSON and that the answer is a Response already, which costs far less than the general case.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.exceptions import HTTPException
from starlette.routing import Match
from starlette.types import Receive, Scope, Send

from s3palette.http.body import checked, read_json
from s3palette.http.call import BODY, ROUTE, USER_ID, Call

__all__ = ["CallbackRoute", "EdgeRoute", "UserRoute"]


class EdgeRoute(APIRoute):
    """A route anybody may call. GET answers HEAD too."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        super().__init__(path, endpoint, **options)
        self._pattern = re.compile(self.path_regex.pattern.removesuffix("$"))
        hints = get_type_hints(endpoint)
        self.query_model: type[BaseModel] | None = hints.get("query")
        self.body_model, self._body_optional = _model(hints.get("body"))
        self.verbs = frozenset(self.methods or ())
        self._answers = self.verbs | {"HEAD"} if "GET" in self.verbs else self.verbs

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        if scope["type"] != "http":
            return Match.NONE, {}
        found = self._pattern.fullmatch(scope["path"].removeprefix(scope.get("root_path", "")))
        if found is None:
            return Match.NONE, {}
        fits = Match.FULL if scope["method"] in self._answers else Match.PARTIAL
        return fits, {"path_params": found.groupdict()}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] not in self._answers:
            raise HTTPException(405)
        scope[ROUTE] = self.path
        call = Call(scope, receive)
        await self.admit(call)
        given: dict[str, Any] = dict(scope["path_params"])
        if self.body_model is not None:
            value = await read_json(call, optional=self._body_optional)
            scope[BODY] = value
            absent = value is None and self._body_optional
            given["body"] = None if absent else checked(self.body_model, value, "body")
        if self.query_model is not None:
            # An empty parameter is an absent one, as forms send it.
            asked = {name: text for name, text in call.query_params.items() if text}
            given["query"] = checked(self.query_model, asked, "query")
        answer = await self.endpoint(call, **given)
        await answer(scope, receive, send)

    async def admit(self, call: Call) -> None:
        """Raises where the caller may not use the route; comes before the body is looked at."""


class UserRoute(EdgeRoute):
    """A route for signed-up users."""

    async def admit(self, call: Call) -> None:
        call.scope[USER_ID] = await call.services.guard.user(call.headers.get("authorization"), call.now)


class CallbackRoute(EdgeRoute):
    """A route for GPU workers outside the cluster."""

    async def admit(self, call: Call) -> None:
        call.services.callback_secret.check(call.headers)


def _model(hint: Any) -> tuple[type[BaseModel] | None, bool]:
    """(model, may be absent) of a handler's `body` parameter."""
    if hint is None:
        return None, False
    if get_origin(hint) in (Union, UnionType):
        (model,) = (each for each in get_args(hint) if each is not NoneType)
        return model, True
    return hint, False
