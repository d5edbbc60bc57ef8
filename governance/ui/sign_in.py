"""Signing in: everything needs it but an explicit list; nobody signs up by themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from allauth.account.adapter import DefaultAccountAdapter
from django.contrib.auth.middleware import LoginRequiredMiddleware
from django.http import Http404, HttpRequest, HttpResponseBase

from governance.selectors.access import Caller, caller_for

# URL names that answer without a person; the API authenticates by itself
PUBLIC = frozenset({"account_login", "demo_sign_in", "healthz", "readyz", "permit_keys"})
# of the account pages only these exist here: people are added, and their addresses kept, by administrators or single sign-on
ACCOUNT_PAGES = frozenset(
    {"account_login", "account_logout", "account_reauthenticate", "account_change_password", "account_inactive"}
)
PUBLIC_PREFIXES = ("/api/", "/static/")


class ClosedSignUpAdapter(DefaultAccountAdapter):  # type: ignore[misc]
    """People are added by an administrator or by single sign-on."""

    def is_open_for_signup(self, request: HttpRequest) -> bool:
        return False


class SignInRequiredMiddleware(LoginRequiredMiddleware):
    """Sends anonymous visitors to the sign-in page and gives everybody else a `request.caller`."""

    def process_view(
        self,
        request: HttpRequest,
        view_func: Callable[..., HttpResponseBase],
        view_args: tuple[Any, ...],
        view_kwargs: dict[str, Any],
    ) -> HttpResponseBase | None:
        match = request.resolver_match
        name = match.url_name or "" if match else ""
        if name.startswith("account_") and name not in ACCOUNT_PAGES:
            raise Http404
        if request.path.startswith(PUBLIC_PREFIXES) or name in PUBLIC:
            return None
        if request.user.is_authenticated:
            request.caller = caller_of(request)  # type: ignore[attr-defined]
        return super().process_view(request, view_func, view_args, view_kwargs)


def caller_of(request: HttpRequest) -> Caller:
    """The signed-in person as a caller, with the roles that hold now."""
    return caller_for(request.user, request_id=getattr(request, "request_id", ""))  # type: ignore[arg-type]
