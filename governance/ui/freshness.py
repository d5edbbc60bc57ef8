"""When a session last proved who it is. A sign-in link alone proves nothing."""

from __future__ import annotations

from datetime import UTC, datetime

from allauth.account.authentication import get_authentication_records
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlencode

from governance.domain.freshness import fresh


def authenticated_at(request: HttpRequest) -> datetime | None:
    """When this session last proved who it is, by password, passkey or code; None when it never did."""
    times = [record["at"] for record in get_authentication_records(request, request.user) if "at" in record]
    return datetime.fromtimestamp(max(times), UTC) if times else None


def is_fresh(request: HttpRequest) -> bool:
    """Whether that is recent enough for a signature."""
    return fresh(authenticated_at(request), timezone.now())


def confirm_address(back_to: str) -> str:
    """The page on which a person confirms that it is them, and comes back."""
    return f"{reverse('account_reauthenticate')}?{urlencode({'next': back_to})}"
