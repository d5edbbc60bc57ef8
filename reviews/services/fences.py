"""Turns what the database refuses into the refusals of the product."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import IntegrityError

from governance.domain.errors import Conflict, DomainError, Forbidden, SegregationOfDuties

_REFUSALS: dict[str, type[DomainError]] = {"23G01": SegregationOfDuties, "23G02": Conflict, "23G03": Forbidden}


@contextmanager
def fences() -> Iterator[None]:
    """Around writes that database triggers guard. Must enclose the transaction: after a refusal it cannot go on."""
    try:
        yield
    except IntegrityError as exc:
        cause = exc.__cause__
        refusal = _REFUSALS.get(getattr(cause, "sqlstate", "") or "")
        if refusal is not None:
            diagnosis = getattr(cause, "diag", None)
            raise refusal(getattr(diagnosis, "message_primary", None) or str(exc)) from exc
        if "one_decision_per_step_and_dossier" in str(exc):
            raise Conflict(
                "Somebody else decided this step in the same moment. Look at the case again.", code="already_decided"
            ) from exc
        raise
