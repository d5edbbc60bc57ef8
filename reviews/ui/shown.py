"""When a person was first shown what they decide on. It travels signed in the page's own links and forms: no script, no write on
GET. Bound to person, case and dossier, so that a time from elsewhere, or of an earlier state of the case, counts for nothing."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.core import signing
from django.http import HttpRequest
from django.utils import timezone

from governance.domain.decision import DecisionView

NAME = "shown"
LONGEST = timedelta(days=30)
_SALT = "reviews.shown"


def first_shown(request: HttpRequest, view: DecisionView) -> tuple[str, datetime]:
    """What to put into the page's links and forms, and since when the person has had this dossier before them."""
    about = [request.user.pk, view.id, view.dossier_digest]
    sent = request.POST.get(NAME) or request.GET.get(NAME, "")
    try:
        *carried, moment = signing.loads(sent, salt=_SALT, max_age=LONGEST) if sent else [None]
    except (signing.BadSignature, TypeError, ValueError):
        carried, moment = [], None
    if carried == about and isinstance(moment, str):
        return sent, datetime.fromisoformat(moment)
    now = timezone.now()
    return signing.dumps([*about, now.isoformat()], salt=_SALT), now
