"""What if: drop metadata, move facts, see the track. Nothing is recorded."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_http_methods

from governance.domain.errors import DomainError, InvalidInput
from governance.domain.incoming import NewAnswer, NewSource, NewSubmission
from governance.domain.vocabulary import Kind
from governance.policy import Pack, RuleStatus, headline
from governance.selectors.evidence import MAX_SOURCE_BYTES
from governance.selectors.policy import pack_in_force
from governance.selectors.previewing import Preview, preview_new
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView, Option
from governance.ui.htmx import render_page_or_part, wants_part
from governance.ui.kinds import kinds_of_page

MOST_MOVABLE = 10
MOVABLE = (
    "decision.domain",
    "decision.automated",
    "decision.affects_customers",
    "decision.reversible",
    "impact.financial",
    "data.contains_pii",
    "data.protected_attributes",
    "performance.relative_change",
    "model.threshold_change",
    "rollout.circuit_breaker",
)


@require_http_methods(["GET", "POST"])
def what_if(request: HttpRequest) -> HttpResponse:
    """The track of files and facts that nobody hands in."""
    kind, kinds = kinds_of_page(request)
    preview: Preview | None = None
    problem = ""
    if request.method == "POST":
        try:
            preview = _preview(request, kind)
        except DomainError as exc:
            problem = exc.detail
    fields = _fields(request, kind)
    context: dict[str, Any] = {
        "fields": fields,
        "problem": problem,
        "preview": preview,
        "track": None,
        "kinds": kinds,
        "kind": kind,
    }
    if preview is not None:
        context |= {
            "track": preview.assessment.track,
            "sentence": headline(preview.assessment),
            "reasons": preview.assessment.reasons(),
            "would_change": [way.to_json() for way in preview.ways],
            "problems": preview.problems,
            "envelope": preview.assessment.envelope.says if preview.assessment.envelope is not None else "",
            "held": [row for row in preview.assessment.checked if row.status is RuleStatus.HELD],
        }
    # a part is swapped in only when the answer is a good one: the problem is said in it
    status = 422 if problem and not wants_part(request) else 200
    return render_page_or_part(request, "governance/what_if.html", "governance/_what_if_result.html", context, status=status)


def _preview(request: HttpRequest, kind: Kind) -> Preview:
    caller = caller_of(request)
    if caller.home_unit is None:
        raise InvalidInput("You belong to no business unit yet. Ask an administrator to add you to one.")
    sources = []
    for upload in request.FILES.getlist("files")[:40]:
        if (upload.size or 0) > MAX_SOURCE_BYTES:
            raise InvalidInput(f"{upload.name} is too large for a metadata file; the limit is {MAX_SOURCE_BYTES // 1024**2} MiB.")
        sources.append(NewSource(upload.name or "file", bytes(upload.read())))
    movable = _movable(pack_in_force(kind)[1])
    answers = {name: NewAnswer(text) for name in movable if (text := request.POST.get(name, "").strip())}
    new = NewSubmission(
        system=request.POST.get("system", "").strip() or "what-if",
        kind=kind,
        version="what-if",
        environment="production",
        sources=tuple(sources),
        answers=answers,
    )
    return preview_new(caller=caller, unit_id=caller.home_unit, new=new)


def _movable(pack: Pack) -> list[str]:
    """The facts people may move: the usual ones of a model, else what the rules of the kind read and the form asks."""
    asked = pack.form.by_id
    usual = [name for name in MOVABLE if name in asked]
    if pack.kind == Kind.ML_MODEL:
        return usual
    read = dict.fromkeys(name for rule in pack.rules for name in rule.reads if name in asked and asked[name].asked)
    return list(read)[:MOST_MOVABLE]


def _fields(request: HttpRequest, kind: Kind) -> list[FieldView]:
    _, pack = pack_in_force(kind)
    fields = [
        FieldView(
            name="system",
            label="System",
            hint="To compare with its champion; leave empty for a new one.",
            value=request.POST.get("system", ""),
            optional=True,
        )
    ]
    by_id = pack.form.by_id
    for name in _movable(pack):
        question = by_id[name]
        value = request.POST.get(name, "")
        choices = [Option("", "as the files say"), *(Option(choice.value, choice.label) for choice in question.choices)]
        if question.type == "bool":
            choices = [Option("", "as the files say"), Option("true", "Yes"), Option("false", "No")]
        one_of = question.type in ("choice", "bool")
        hint = f"For example {question.example.removesuffix('.')}."
        if question.type == "list" and question.choices:
            hint = f"Any of {', '.join(choice.value for choice in question.choices)}, with commas; none for an empty list."
        fields.append(
            FieldView(
                name=name,
                label=question.ask,
                kind="select" if one_of else "text",
                options=choices if one_of else (),
                value=value,
                hint="" if one_of else hint,
                optional=True,
            )
        )
    return fields
