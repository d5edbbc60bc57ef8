"""A pipeline that asks for the verdict again is answered before sessions, forms and pages are thought of.

Pipelines wait by asking, and mostly nothing happened. Where the verdict is kept (see `reviews.selectors.kept_verdicts`) and the
token may read it, the answer is the one the view would give: with the same checks of token, scope and unit, the same headers
and the same bytes. Whatever is out of the ordinary goes on to the view, which says what is wrong.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from django.http import HttpRequest, HttpResponse, HttpResponseNotModified

from governance.domain.vocabulary import Scope
from governance.selectors.access import caller_for
from governance.services.tokens import find_token
from reviews.selectors.kept_verdicts import Kept, kept_verdict

_PATH = re.compile(r"/api/v1/submissions/(?:S-)?([0-9]{1,18})/verdict")
_JSON = frozenset({"", "*/*", "application/json"})


class AskedAgainMiddleware:
    """Stands after what every answer needs (request id, security headers, the host's name) and before the rest."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        kept = _kept(request)
        if kept is None:
            return self.get_response(request)
        if kept.tag in tags_of(request.headers.get("If-None-Match", "")):
            return HttpResponseNotModified(headers=kept.headers)
        return HttpResponse(kept.body, content_type="application/json", headers=kept.headers)


def tags_of(header: str) -> frozenset[str]:
    """The tags that an `If-None-Match` names; weak ones count as strong."""
    return frozenset(tag.strip().removeprefix("W/") for tag in header.split(",") if tag.strip())


def _kept(request: HttpRequest) -> Kept | None:
    if request.method != "GET" or request.META.get("QUERY_STRING") or request.headers.get("Accept", "") not in _JSON:
        return None
    asked = _PATH.fullmatch(request.path_info)
    said = request.headers.get("Authorization", "").split()
    if asked is None or len(said) != 2 or said[0].lower() != "bearer":
        return None
    token = find_token(said[1])
    if token is None or Scope.READ.value not in token.scopes:
        return None
    return kept_verdict(int(asked[1]), caller_for(token.person, token=token, origin="api"))
