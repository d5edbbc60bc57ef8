"""Drafts of the next version of a pack: begun from the one in force or imported, changed by policy authors, dropped.

Proposing and ruling are in `reviews.services.policy_life`: people are told of them.
"""

from __future__ import annotations

import hashlib
import re

from django.db.models.functions import Now
from django.utils import timezone

from governance.domain.errors import Conflict, FieldError, Forbidden, InvalidInput, NotFound
from governance.domain.vocabulary import Role
from governance.models import PolicyDraft, PolicyPack
from governance.policy import PackError
from governance.policy.bands import Band
from governance.policy.editing import beside, with_bands, with_example, with_outcome, with_version, written
from governance.policy.rules import Rule
from governance.policy.trying import read_document, try_all
from governance.selectors.access import Caller
from governance.selectors.policy import pack_in_force
from governance.services.work import Work, unit_of_work

_PERCENT = re.compile(r"\s*(-?\d{1,6}(?:[.,]\d{1,6})?)\s*%?\s*\Z")


def require_author(caller: Caller) -> None:
    """Refuse whoever is not a policy author signed in as a person. Commands on the server may import."""
    if caller.person is None:
        return
    if caller.token is not None:
        raise Forbidden("Policy is changed by people, not by tokens. Sign in.", code="person_needed")
    if Role.POLICY_AUTHOR not in caller.any_roles:
        raise Forbidden("Only a policy author changes the policy. Tell one what does not fit.", code="role_needed")


def start_draft(*, caller: Caller, kind: str, why: str) -> PolicyDraft:
    """Begin a draft from the pack in force. Raises `InvalidInput` without a reason."""
    require_author(caller)
    _say_why(why)
    row, _ = pack_in_force(kind)
    base = PolicyPack.objects.get(pk=row.pk)
    with unit_of_work(caller) as work:
        return _begin(work, base, with_version(base.source, next_version(base.name)), base.questionnaire, why, "")


def import_draft(*, caller: Caller, source: str, questionnaire: str, why: str, origin: str) -> PolicyDraft:
    """Begin a draft from files: a folder or a git revision. Its version is the one the files say. Raises `PackError`."""
    require_author(caller)
    _say_why(why)
    document = read_document(source)
    try:
        base: PolicyPack | None = PolicyPack.objects.get(pk=pack_in_force(document.kind)[0].pk)
    except Conflict:
        base = None
    with unit_of_work(caller) as work:
        return _begin(work, base, source, questionnaire, why, origin, name=document.pack, kind=document.kind)


def _begin(
    work: Work,
    base: PolicyPack | None,
    source: str,
    questionnaire: str,
    why: str,
    origin: str,
    *,
    name: str = "",
    kind: str = "",
) -> PolicyDraft:
    draft = PolicyDraft.objects.create(
        name=name or (base.name if base else ""),
        kind=kind or (base.kind if base else ""),
        base=base,
        source=source,
        questionnaire=questionnaire,
        why=why.strip(),
        author=work.caller.person,
        origin=origin[:300],
    )
    said = {"pack": draft.name, "base": base.digest if base else None, "text": text_digest(source), "origin": origin[:300]}
    work.note("policy.draft_started", draft, said)
    return draft


def change_text(*, caller: Caller, draft_id: int, source: str, questionnaire: str | None = None) -> PolicyDraft:
    """Keep another text of the draft, usable yet or not: what is wrong with it is shown, and nothing typed is lost."""
    with unit_of_work(caller) as work:
        draft = _open(caller, draft_id)
        # a text area sends carriage returns, which YAML would keep inside quoted text
        clean = source.replace("\r\n", "\n")
        _keep(work, draft, clean, draft.questionnaire if questionnaire is None else questionnaire.replace("\r\n", "\n"), {})
    return draft


def change_limits(*, caller: Caller, draft_id: int, rule_id: str, yellow: str, red: str) -> PolicyDraft:
    """Change where a rule's bands start, as people type it (`4`, `4 %`, `0.04`), and add examples beside the new limits.

    Percent rules take percent. Examples whose result changes are kept as they were: they fail until somebody has looked at them.
    Raises `InvalidInput` naming the field.
    """
    with unit_of_work(caller) as work:
        draft = _open(caller, draft_id)
        rule = _rule(draft, rule_id)
        bands = rule.bands
        if bands is None:
            raise InvalidInput(f"{rule_id} has no limits. Change it in the text.")
        source, said = draft.source, dict[str, object]()
        for name, given, band in (("yellow", yellow, bands.yellow), ("red", red, bands.red)):
            if band is None or not given.strip():
                continue
            number = _number(given, rule, name)
            if number == band.limit:
                continue
            new = Band(band.sign, number)
            source = with_bands(source, rule_id, **{"yellow": None, "red": None, name: written(new)})
            inside, outside = beside(rule, new)
            source = _with_new_example(source, rule_id, rule, inside, name)
            milder = "yellow" if name == "red" and bands.yellow is not None else "held"
            source = _with_new_example(source, rule_id, rule, outside, milder)
            said[name] = number
        if said:
            _keep(work, draft, source, draft.questionnaire, {"rule": rule_id, "limits": said})
    return draft


def accept_examples(*, caller: Caller, draft_id: int, rule_id: str) -> PolicyDraft:
    """Write down that the rule's failing examples are meant to come out as they do now: somebody looked at each."""
    with unit_of_work(caller) as work:
        draft = _open(caller, draft_id)
        source = draft.source
        failing = [row for row in try_all(read_document(source)) if row.rule == rule_id and not row.passes]
        for row in reversed(failing):
            source = with_outcome(source, rule_id, row.number, row.came)
        if failing:
            _keep(work, draft, source, draft.questionnaire, {"rule": rule_id, "examples": [row.number for row in failing]})
    return draft


def drop_draft(*, caller: Caller, draft_id: int) -> PolicyDraft:
    """Give a draft up. It stays on record."""
    with unit_of_work(caller) as work:
        draft = _open(caller, draft_id)
        draft.state = PolicyDraft.DROPPED
        draft.save(update_fields=["state"])
        work.note("policy.draft_dropped", draft, {"pack": draft.name})
    return draft


def locked_draft(draft_id: int) -> PolicyDraft:
    """The draft, locked until the end of the transaction. Raises `NotFound`."""
    draft = PolicyDraft.objects.select_for_update(of=("self",)).filter(pk=draft_id).first()
    if draft is None:
        raise NotFound("There is no such draft.")
    return draft


def next_version(name: str) -> str:
    """The next free version number of this month."""
    now = timezone.now()
    prefix = f"{now.year}.{now.month}."
    taken = PolicyPack.objects.filter(name=name, version__startswith=prefix).values_list("version", flat=True)
    last = max((int(version.removeprefix(prefix)) for version in taken), default=0)
    return f"{prefix}{last + 1}"


def text_digest(source: str) -> str:
    """What an audit event names a text by."""
    return f"sha256:{hashlib.sha256(source.encode()).hexdigest()}"


def _open(caller: Caller, draft_id: int) -> PolicyDraft:
    require_author(caller)
    draft = locked_draft(draft_id)
    if draft.state != PolicyDraft.OPEN:
        raise Conflict("This draft is frozen: it was proposed, approved or dropped. Start a new one.", code="frozen")
    return draft


def _keep(work: Work, draft: PolicyDraft, source: str, questionnaire: str, said: dict[str, object]) -> None:
    before = text_digest(draft.source + draft.questionnaire)
    draft.source, draft.questionnaire = source, questionnaire
    person = work.caller.person
    if person is not None and person.pk not in draft.hands:
        draft.editors = [*draft.editors, person.pk]
    draft.save(update_fields=["source", "questionnaire", "editors"])
    PolicyDraft.objects.filter(pk=draft.pk).update(changed_at=Now())
    after = text_digest(source + questionnaire)
    work.note("policy.draft_changed", draft, {"pack": draft.name, "before": before, "after": after, **said})


def _rule(draft: PolicyDraft, rule_id: str) -> Rule:
    found = next((rule for rule in read_document(draft.source).rules if rule.id == rule_id), None)
    if found is None:
        raise NotFound(f"There is no rule {rule_id} in this draft.")
    return found


def _number(given: str, rule: Rule, name: str) -> float:
    found = _PERCENT.match(given)
    if found is None:
        example = "4 %" if rule.unit == "percent" else "0.04"
        raise InvalidInput(
            f"“{given[:40]}” is no number.", errors=(FieldError(f"/{name}", "number", f"Write a number such as {example}."),)
        )
    number = float(found[1].replace(",", "."))
    return round(number / 100, 12) if rule.unit == "percent" else number


def _with_new_example(source: str, rule_id: str, rule: Rule, number: float, gives: str) -> str:
    """The text with an example at a number, unless one is there already."""
    if any(example.facts == {rule.about: number} for example in rule.examples):
        return source
    label = f"{number * 100:.10g} %" if rule.unit == "percent" else f"{number:.10g}"
    return with_example(source, rule_id, label, {rule.about: number}, gives)


def _say_why(why: str) -> None:
    if not why.strip():
        raise InvalidInput(
            "Say why the policy has to change.",
            errors=(FieldError("/why", "missing", "One or two sentences; they stay on record beside the version."),),
        )


__all__ = [
    "PackError",
    "accept_examples",
    "change_limits",
    "change_text",
    "drop_draft",
    "import_draft",
    "locked_draft",
    "next_version",
    "require_author",
    "start_draft",
    "text_digest",
]
