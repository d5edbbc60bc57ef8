"""Changing a register: somebody proposes, somebody else decides, and both stay on record. One way for every register."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

from governance.domain.errors import Conflict, FieldError, Forbidden, InvalidInput
from governance.domain.register_fields import read_values
from governance.domain.registers import REGISTERS, Register, register_named
from governance.domain.vocabulary import Scope
from governance.models import DataSource, RegisterChange, RegisterEntry, RegisterRuling
from governance.prefill.source_dumps import entries_of
from governance.selectors.access import Caller
from governance.selectors.registers import Entry, may_decide, may_propose, values_of
from governance.services.work import Work, unit_of_work

LONGEST_NAME = 300


def propose(
    *,
    caller: Caller,
    unit_id: int,
    name: str,
    values: Mapping[str, Any],
    why: str,
    origin: str = "page",
    register: str = "sources",
) -> RegisterChange | None:
    """Propose a new entry or a change of one. Nothing that rules read changes yet. None when everything is so already.

    Raises `Forbidden`, and `InvalidInput` naming each value that cannot be used.
    """
    with unit_of_work(caller) as work:
        return _propose(work, register_named(register), unit_id, name, values, why, origin)


def propose_file(
    *, caller: Caller, unit_id: int, file: str, data: bytes, why: str, register: str = "sources"
) -> list[RegisterChange]:
    """Propose every entry of a CSV, for sources also of a Feast dump or OpenLineage events, that differs. All or nothing."""
    chosen = register_named(register)
    kind, found = entries_of(file, data, table_only=chosen.key != "sources")
    if not found:
        raise InvalidInput(f"{file} holds no entry.")
    with unit_of_work(caller) as work:
        made = [_propose(work, chosen, unit_id, each.name, each.values, why, kind) for each in found]
    return [change for change in made if change is not None]


def decide(*, caller: Caller, change_id: int, approved: bool, reason: str) -> RegisterRuling:
    """Decide about a proposal; approved, it becomes the entry that rules and gates read, in the same transaction."""
    if len(reason.strip()) < 10:
        detail = "Say in a sentence why."
        raise InvalidInput(detail, errors=(FieldError("/reason", "missing", detail),))
    with unit_of_work(caller) as work:
        change = RegisterChange.objects.select_for_update(of=("self",)).select_related("ruling").get(pk=change_id)
        if hasattr(change, "ruling"):
            raise Conflict("It was decided already.", code="already_decided")
        if refused := may_decide(caller, change):
            raise Forbidden(refused, code="may_not_decide")
        assert caller.person is not None
        ruling = RegisterRuling.objects.create(change=change, approved=approved, reason=reason.strip()[:500], by=caller.person)
        if approved:
            _apply(change)
        word = _word(register_named(change.register))
        action = f"register.{word}_approved" if approved else f"register.{word}_refused"
        told = {"change": change.pk, "values": change.values, "proposed_by": change.proposed_by.reference}
        work.note(action, f"{word}:{change.unit_id}:{change.pk}", {"name": change.name, **told}, unit=change.unit_id)
    return ruling


def _propose(
    work: Work, register: Register, unit_id: int, name: str, values: Mapping[str, Any], why: str, origin: str
) -> RegisterChange | None:
    caller = work.caller
    caller.require_scope(Scope.SUBMIT)
    if refused := may_propose(caller, unit_id):
        raise Forbidden(refused, code="role_needed")
    name, why = " ".join(name.split()), why.strip()
    errors = []
    if not name or len(name) > LONGEST_NAME:
        errors.append(FieldError("/name", "invalid", f"Give the name as metadata spells it, up to {LONGEST_NAME} letters."))
    if len(why) < 10:
        errors.append(FieldError("/why", "missing", "Say in a sentence why it belongs into the register."))
    read, wrong = read_values(register.fields, values)
    row = _row(register, unit_id, name)
    now = values_of(register, row)
    if not wrong:
        errors += register.check({**now, **read})
    if errors or wrong:
        every = (*errors, *wrong)
        raise InvalidInput(f"{name or 'The entry'}: " + " ".join(each.detail for each in every[:5]), errors=every)
    new = {field: value for field, value in read.items() if row is None or now[field] != value}
    if row is not None and not new:
        return None
    assert caller.person is not None
    change = RegisterChange.objects.create(
        register=register.key,
        unit_id=unit_id,
        name=name,
        values=new,
        why=why[:500],
        origin=origin,
        proposed_by=caller.person,
    )
    told = {"name": name, "values": new, "change": change.pk, "from": origin}
    word = _word(register)
    work.note(f"register.{word}_proposed", f"{word}:{unit_id}:{change.pk}", told, unit=unit_id)
    return change


def _word(register: Register) -> str:
    """One entry in the audit trail: source, architecture, vendor, region."""
    return register.key.removesuffix("s")


def _row(register: Register, unit_id: int, name: str) -> Entry | None:
    if register.key == "sources":
        return DataSource.objects.filter(unit_id=unit_id, name=name).first()
    return RegisterEntry.objects.filter(register=register.key, unit_id=unit_id, name=name).first()


def _apply(change: RegisterChange) -> None:
    """Write the approved values into the entry; what the proposal does not name stays."""
    register = REGISTERS[change.register]
    # an entry that is new is approved by being decided, unless the proposal says that it is only registered
    fresh = {"approved": True} if any(field.name == "approved" for field in register.fields) else {}
    if register.key != "sources":
        row = (
            RegisterEntry.objects.select_for_update()
            .filter(register=register.key, unit_id=change.unit_id, name=change.name)
            .first()
        )
        if row is None:
            RegisterEntry.objects.create(
                register=register.key, unit_id=change.unit_id, name=change.name, values={**fresh, **change.values}
            )
        else:
            row.values = {**row.values, **change.values}
            row.save(update_fields=["values"])
        return
    dates = {field.name for field in register.fields if field.kind == "date"}
    values = {name: dt.date.fromisoformat(value) if name in dates and value else value for name, value in change.values.items()}
    DataSource.objects.update_or_create(
        unit_id=change.unit_id, name=change.name, defaults=values, create_defaults={**fresh, **values}
    )
