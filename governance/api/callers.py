"""Who calls the API."""

from __future__ import annotations

from rest_framework.exceptions import NotAuthenticated
from rest_framework.request import Request

from governance.domain.errors import Forbidden
from governance.models import ApiToken, Person
from governance.selectors.access import Caller, caller_for


def caller_of(request: Request) -> Caller:
    """The caller of an authenticated API request."""
    token = request.auth if isinstance(request.auth, ApiToken) else None
    if not isinstance(request.user, Person):  # IsAuthenticated lets nobody else through; who forgets it does not open a door
        raise NotAuthenticated
    return caller_for(request.user, token=token, origin="api", request_id=getattr(request, "request_id", ""))


def unit_of(caller: Caller) -> int:
    """The unit in which a call creates things: the token's, else the person's own."""
    if caller.home_unit is None:
        raise Forbidden("You belong to no business unit yet. Ask an administrator to add you to one.", code="no_unit")
    return caller.home_unit


def person_named(name: str) -> int:
    """The id of somebody by user name; 0, which no service takes, where there is nobody of that name."""
    return Person.objects.filter(username=name, is_active=True).values_list("pk", flat=True).first() or 0
