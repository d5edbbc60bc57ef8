"""The same call twice makes one thing: `Idempotency-Key` for what people make through the API."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from django.db.models.functions import Now

from governance.domain.canonical import digest
from governance.domain.errors import Conflict
from governance.models import RepeatedCall
from governance.selectors.access import Caller, Repeat
from governance.services.work import CalledBefore

KEPT = timedelta(days=7)


def once(caller: Caller, *, key: str, operation: str, body: Mapping[str, Any], act: Callable[[Caller], int]) -> tuple[int, bool]:
    """Do `act` as that caller unless the key was used for it before. Returns the id of what was made, and whether it was now.

    `act` is a service that opens one `unit_of_work` and tells it what it makes (`Work.gives`): key and change are one
    transaction. Without a key it is simply done. Raises `Conflict` (`idempotency_key_reused`) when the key came with something
    else; whatever `act` raises.
    """
    if not key or caller.person is None:
        return act(caller), True
    # as text: canonical JSON knows no numbers as large as an id in an address may be
    repeat = Repeat(key, digest(json.dumps([operation, dict(body)], sort_keys=True)))
    known = _known(caller, repeat)
    if known is None:
        try:
            return act(replace(caller, repeat=repeat)), True
        except CalledBefore:  # the same call came in between
            known = _known(caller, repeat)
    if known is None:
        raise Conflict("The same call is under way. Send it again in a moment.", code="under_way")
    return known, False


def forget_calls(*, limit: int = 10_000) -> int:
    """Forget keys that are older than a week."""
    old = RepeatedCall.objects.filter(at__lt=Now() - KEPT).values_list("pk", flat=True)[:limit]
    return RepeatedCall.objects.filter(pk__in=list(old)).delete()[0]


def _known(caller: Caller, repeat: Repeat) -> int | None:
    row = RepeatedCall.objects.filter(person=caller.person, key=repeat.key).first()
    if row is None:
        return None
    if row.digest != repeat.digest:
        raise Conflict(
            "This Idempotency-Key was used for something else. Send another key, or the same content as before.",
            code="idempotency_key_reused",
        )
    return row.made
