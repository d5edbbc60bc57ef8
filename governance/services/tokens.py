"""API tokens: made once, shown once, hashed at rest."""

from __future__ import annotations

import hashlib
import json
import secrets
import zlib
from collections.abc import Iterable
from datetime import datetime, timedelta

from django.db import connection
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.errors import FieldError, InvalidInput
from governance.domain.vocabulary import Scope
from governance.models import ApiToken, Person, TrustRule, Unit
from governance.selectors.access import HELD_NOW, Caller
from governance.services.administration import require_administrator
from governance.services.work import unit_of_work

PREFIX = "grl_"
LONGEST_DAYS = 365


def issue_token(
    *,
    caller: Caller,
    person: Person,
    unit: Unit,
    name: str,
    scopes: Iterable[Scope],
    days: int = 90,
    proved_at: datetime | None = None,
) -> tuple[ApiToken, str]:
    """Make a token: 256 random bits with prefix and checksum. Returns the row and the secret, which is shown only now.

    For administrators of the unit, who have just proved who they are; see administration.py. Raises `InvalidInput` without a
    name or a scope, or for more than a year.
    """
    require_administrator(caller, unit.pk, proved_at)
    wanted, name = sorted({scope.value for scope in scopes}), name.strip()
    if not name or not wanted or not 1 <= days <= LONGEST_DAYS:
        raise InvalidInput(
            f"The token was not made: it needs a name, a scope, and 1 to {LONGEST_DAYS} days.",
            errors=(FieldError("/name" if not name else "/scopes" if not wanted else "/days", "missing", "Fill it in."),),
        )
    with unit_of_work(caller) as work:
        row, secret = new_token(person, unit, name, wanted, timezone.now() + timedelta(days=days))
        work.note(
            "token.issued", row, {"scopes": row.scopes, "person": person.reference, "expires_at": row.expires_at.isoformat()}
        )
    return row, secret


def new_token(
    person: Person, unit: Unit, name: str, scopes: list[str], until: datetime, *, rule: TrustRule | None = None
) -> tuple[ApiToken, str]:
    """The row of a token, and its secret. Who may have one is checked before, and noted after, by the callers."""
    body = secrets.token_urlsafe(32)
    secret = f"{PREFIX}{body}{_checksum(body)}"
    row = ApiToken.objects.create(
        name=name[:120],
        person=person,
        unit=unit,
        sha256=hash_of(secret),
        shown=secret[:10],
        scopes=scopes,
        expires_at=until,
        trust_rule=rule,
    )
    return row, secret


def revoke_token(*, caller: Caller, token: ApiToken, proved_at: datetime | None = None) -> None:
    """End a token at once."""
    require_administrator(caller, token.unit_id, proved_at)
    with unit_of_work(caller) as work:
        if ApiToken.objects.filter(pk=token.pk, revoked_at__isnull=True).update(revoked_at=Now()):
            work.note("token.revoked", token)


def find_token(secret: str) -> ApiToken | None:
    """The live token of a secret, with its person and their roles, or None. One query; none for made-up strings."""
    if not secret.startswith(PREFIX) or secret[-6:] != _checksum(secret[len(PREFIX) : -6]):
        return None
    with connection.cursor() as cursor:  # a raw queryset takes longer to map these columns than the database to find them
        cursor.execute(_LIVE, [hash_of(secret)])
        for row in cursor.fetchall():
            person = Person.from_db(connection.alias, _PERSON, row[: len(_PERSON)])
            person.__dict__["held_now"] = row[len(_PERSON)]
            token = ApiToken(**dict(zip(_COLUMNS, row[len(_PERSON) + 1 :], strict=True)), person=person)
            token.scopes = json.loads(token.scopes)
            _note_use(token)
            return token
    return None


def _note_use(token: ApiToken) -> None:
    """Once a minute is enough to see whether a token is in use, and spares a write per request."""
    stale = Q(last_used_at__isnull=True) | Q(last_used_at__lt=Now() - timedelta(minutes=1))
    if token.last_used_at is None or token.last_used_at < timezone.now() - timedelta(minutes=1):
        ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=Now())


_COLUMNS = tuple(field.attname for field in ApiToken._meta.concrete_fields if field.attname != "person_id")
# what hardly any request of a program asks of a person is read when it does
_PERSON = tuple(field.attname for field in Person._meta.concrete_fields if field.attname not in ("password", "known_as"))
_LIVE = f"""
SELECT {", ".join(f"p.{name}" for name in _PERSON)}, {HELD_NOW}, {", ".join(f"t.{name}" for name in _COLUMNS)}
FROM governance_apitoken t JOIN governance_person p ON p.id = t.person_id
WHERE t.sha256 = %s AND t.revoked_at IS NULL AND t.expires_at > statement_timestamp() AND p.is_active
"""


def hash_of(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def _checksum(body: str) -> str:
    return f"{zlib.crc32(body.encode()) & 0xFFFFFF:06x}"
