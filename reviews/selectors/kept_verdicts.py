"""Verdicts kept in the memory of a web process while nothing happens: pipelines ask again and again, and mostly nothing did.

Every change writes an audit event in its own transaction, so as long as the chain ends where it ended, nothing changed but
the time. A kept verdict names the chain's end, the version of the submission's row, and the moment from which time alone could
change it. It is kept for tokens only: what they read depends on nobody's roles.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone
from rest_framework.renderers import JSONRenderer

from governance.selectors.access import Caller
from reviews.selectors.decision_view import view_of
from reviews.selectors.loading import Loaded, load
from reviews.selectors.verdict import etag_of, verdict_document

MOST = 500
LONGEST = timedelta(minutes=1)

_AT = """SELECT h.chain, s.xmin::text, s.unit_id, statement_timestamp()
FROM governance_audithead h, governance_submission s WHERE h.id = 1 AND s.id = %s"""
_kept: OrderedDict[int, Kept] = OrderedDict()
_turning = threading.Lock()


@dataclass(frozen=True)
class Kept:
    """A verdict with its tag, and as it is sent. `stands_at`: the chain's end and the row's version when it was built; `until`:
    see the module.
    """

    document: dict[str, Any]
    tag: str
    body: bytes
    stands_at: tuple[bytes, str]
    until: datetime

    @property
    def headers(self) -> dict[str, str]:
        return {"ETag": self.tag, "Cache-Control": "private, no-cache", "Vary": "Accept, Authorization, Cookie"}


def kept_verdict(submission_id: int, caller: Caller) -> Kept | None:
    """The verdict where it is kept and the caller may see it; None says nothing of whether there is one. One statement."""
    return _found(submission_id, caller, _stands_at(submission_id))


def verdict_of(submission_id: int, caller: Caller) -> Kept:
    """The verdict as the caller may see it. Raises `NotFound`. One statement when nothing happened since it was built last."""
    at = _stands_at(submission_id)
    if (found := _found(submission_id, caller, at)) is not None:
        return found
    stands_at, _, now = at
    # what happens while it is built makes the chain longer: then it is built again the next time
    loaded = load(caller=caller, submission_id=submission_id, history=False)
    document = verdict_document(view_of(loaded, caller))
    built = Kept(
        document,
        etag_of(document),
        JSONRenderer().render(document),
        stands_at or (b"", ""),
        min([now + LONGEST, *_moments(loaded, now)]),
    )
    # a draft is judged by what stands in registers and calendars today, whatever happened to it
    if caller.token is not None and stands_at is not None and loaded.material.decision is not None:
        with _turning:
            _kept[submission_id] = built
            _kept.move_to_end(submission_id)
            while len(_kept) > MOST:
                _kept.popitem(last=False)
    return built


Standing = tuple[tuple[bytes, str] | None, int, datetime]
"""Where the chain and the row stand (None where there is no such submission), the submission's unit, the database's clock."""


def _found(submission_id: int, caller: Caller, at: Standing) -> Kept | None:
    stands_at, unit, now = at
    if caller.token is None or stands_at is None or not (caller.sees_all_units or unit in caller.units):
        return None
    with _turning:
        found = _kept.get(submission_id)
        if found is None or found.stands_at != stands_at or now >= found.until:
            return None
        _kept.move_to_end(submission_id)
        return found


def _stands_at(submission_id: int) -> Standing:
    with connection.cursor() as cursor:
        cursor.execute(_AT, [submission_id])
        row = cursor.fetchone()
    if row is None:
        return None, 0, timezone.now()
    chain, version, unit, now = row
    return (bytes(chain), version), unit, now


def _moments(loaded: Loaded, now: datetime) -> Iterator[datetime]:
    """When time alone changes the verdict: permits and waivers end, audits of waivers are missed, days turn."""
    midnight = datetime.combine((now + timedelta(days=1)).astimezone(UTC).date(), time(), UTC)
    ends = [*(row.expires_at for row in loaded.permits), *(row.expires_at for row in loaded.waivers), midnight]
    yield from (end for end in ends if end > now)
