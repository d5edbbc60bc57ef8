"""Sign-in links of the demo organisation. They exist only where the demo was loaded into this installation."""

from __future__ import annotations

from django.conf import settings
from django.contrib.auth import login
from django.core import signing
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect

from governance.models import Person

SALT = "guiderail.demo-sign-in"


def sign_in_path(person: Person) -> str:
    """The link's path for a demo person."""
    return f"/demo/sign-in/{signing.dumps(person.username, salt=SALT)}"


def sign_in(request: HttpRequest, signed: str) -> HttpResponse:
    """Sign in as the demo person named in the link."""
    if not settings.DEMO:
        raise Http404
    try:
        username = signing.loads(signed, salt=SALT)
    except signing.BadSignature as exc:
        raise Http404 from exc
    person = Person.objects.filter(username=username, is_active=True).first()
    if person is None:
        raise Http404
    login(request, person, backend="django.contrib.auth.backends.ModelBackend")
    return redirect("/")
