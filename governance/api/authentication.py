"""Bearer tokens for programs, the session for pages that call the API."""

from __future__ import annotations

from rest_framework.authentication import BaseAuthentication, get_authorization_header
from rest_framework.authentication import SessionAuthentication as _SessionAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from governance.models import ApiToken, Person
from governance.services.tokens import find_token


class TokenAuthentication(BaseAuthentication):
    """`Authorization: Bearer grl_…`."""

    def authenticate(self, request: Request) -> tuple[Person, ApiToken] | None:
        parts = get_authorization_header(request).split()
        if not parts or parts[0].lower() != b"bearer":
            return None
        token = find_token(parts[1].decode("latin-1")) if len(parts) == 2 else None
        if token is None:
            raise AuthenticationFailed("The token is unknown, expired or revoked. Ask an administrator for a new one.")
        return token.person, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class SessionAuthentication(_SessionAuthentication):
    """Django's, asking for a bearer token when nobody is signed in."""

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"
