"""The policy library: every version of every pack, readable before any submission, and what differs between any two."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_GET

from governance.domain.vocabulary import Track
from governance.models import DataSource, PolicyPack, ReplayRun
from governance.policy import Pack
from governance.policy.assessment import limit_of
from governance.policy.differing import differences
from governance.selectors.conflicts import precedents_of
from governance.selectors.policy import installed_kinds, pack_in_force, pack_of
from governance.selectors.registers import dated_sources
from governance.ui.drafts import caller_of
from governance.ui.fields import FieldView, Option
from governance.ui.kinds import kinds_of_page


@require_GET
def policies(request: HttpRequest) -> HttpResponse:
    """The pack in force of a kind (`?kind=`): categories, tracks, rules, gates, version rules, approved sources."""
    kind, kinds = kinds_of_page(request)
    row, pack = pack_in_force(kind)
    return render(request, "governance/policy.html", {**_library(request, row, pack), "kinds": kinds, "kind": kind})


@require_GET
def version(request: HttpRequest, pk: int) -> HttpResponse:
    """Any version of a pack, as it was or will be."""
    row = get_object_or_404(PolicyPack.objects.defer("source", "questionnaire"), pk=pk)
    return render(request, "governance/policy.html", {**_library(request, row, pack_of(row)), "kind": row.kind})


@require_GET
def versions(request: HttpRequest) -> HttpResponse:
    """Every version with its dates, who approved it and why; and whether stored decisions still come out as they were."""
    rows = PolicyPack.objects.defer("source", "questionnaire").prefetch_related("rulings__by", "drafts__author")
    rows = rows.order_by("name", "-active_from", "-id")
    now, newest = timezone.now(), dict[str, PolicyPack]()
    found = []
    for row in rows:
        in_force = row.active_from is not None and row.active_from <= now
        if in_force and row.kind not in newest:
            newest[row.kind] = row
    for row in rows:
        if row.active_from is None:
            state = "not in force"
        elif row.active_from > now:
            state = "approved, to come"
        else:
            state = "in force" if newest.get(row.kind) == row else "retired"
        approval = next((ruling for ruling in row.rulings.all() if ruling.decision == "approve"), None)
        draft = next(iter(row.drafts.all()), None)
        found.append({"row": row, "state": state, "approval": approval, "draft": draft})
    options = [Option(str(row.pk), f"{row.name} {row.version}") for row in rows]
    fields = [FieldView(name=name, label=label, kind="select", options=options) for name, label in (("a", "From"), ("b", "to"))]
    replays = ReplayRun.objects.all()[:14]
    return render(request, "governance/policy_versions.html", {"versions": found, "fields": fields, "replays": replays})


@require_GET
def compare(request: HttpRequest) -> HttpResponse:
    """What differs between two versions of a pack (`?a=&b=`), in words."""
    chosen = [request.GET.get(name, "") for name in ("a", "b")]
    if not all(value.isdigit() for value in chosen):
        raise Http404
    rows = [get_object_or_404(PolicyPack.objects.defer("source", "questionnaire"), pk=int(value)) for value in chosen]
    found = differences(pack_of(rows[0]), pack_of(rows[1]))
    return render(request, "governance/policy_compare.html", {"before": rows[0], "after": rows[1], "differences": found})


@require_GET
def learn(request: HttpRequest, slug: str) -> HttpResponse:
    """What a rule is about: why it matters, what good enough looks like, how to change it, worked examples, what was decided."""
    for each in installed_kinds():
        _, pack = pack_in_force(each.kind)
        rules = [rule for rule in pack.rules if rule.learn == slug]
        if rules:
            break
    else:
        raise Http404
    context = {
        "title": rules[0].title,
        "rules": [_rule(rule) for rule in rules],
        "pack": pack,
        "precedents": precedents_of(pack.name, [rule.id for rule in rules]),
    }
    return render(request, "governance/learn_rule.html", context)


@require_GET
def learn_question(request: HttpRequest, name: str) -> HttpResponse:
    """What a question asks: why, what good enough looks like, an example, and what "I do not know" leads to."""
    for each in installed_kinds():
        _, pack = pack_in_force(each.kind)
        question = pack.form.by_id.get(name)
        if question is not None:
            break
    else:
        raise Http404
    rules = [_rule(rule) for rule in pack.rules if name in rule.reads]
    return render(request, "governance/learn_question.html", {"question": question, "rules": rules, "pack": pack})


def _library(request: HttpRequest, row: PolicyPack, pack: Pack) -> dict[str, Any]:
    return {
        "policy": row,
        "pack": pack,
        "tracks": [_track(pack, track) for track in (Track.GREEN, Track.YELLOW, Track.RED)],
        "rules": [_rule(rule) for rule in pack.rules],
        "gates": [_gate(use) for use in pack.gates],
        "library": pack.document.library,
        "conditions": pack.document.cel_conditions,
        "in_force": row.active_from is not None and row.active_from <= timezone.now(),
        "sources": _sources(request),
    }


def _sources(request: HttpRequest) -> Iterable[DataSource]:
    return dated_sources(caller_of(request))[:200]


def _track(pack: Pack, track: Track) -> dict[str, Any]:
    plan = pack.document.tracks[track]
    return {"track": track.value, "why": plan.why, "due": plan.due, "steps": plan.steps, "deploy": plan.deploy}


def _rule(rule: Any) -> dict[str, Any]:
    tracks = (
        [rule.track.value] if rule.track else [name for name in ("yellow", "red") if rule.bands and getattr(rule.bands, name)]
    )
    bands = ", ".join(f"{name} from {limit_of(getattr(rule.bands, name), rule)}" for name in tracks) if rule.bands else ""
    return {
        "id": rule.id,
        "title": rule.title,
        "why": rule.why,
        "fact": rule.about,
        "tracks": tracks,
        "bands": bands,
        "on_unknown": rule.on_unknown,
        "editable_by": rule.editable_by,
        "change": rule.change.text,
        "learn": rule.learn,
        "adds_steps": rule.adds_steps,
        "examples": rule.examples,
        "held": rule.held,
        "stages": rule.stages.says if rule.stages is not None else "",
    }


def _gate(use: Any) -> dict[str, Any]:
    blocking = use.blocking if isinstance(use.blocking, bool) else [track.value for track in use.blocking]
    return {
        "code": use.gate,
        "why": use.why,
        "tracks": [track.value for track in use.tracks],
        "blocking": "always" if blocking is True else "never" if blocking is False else ", ".join(blocking),
        "limits": use.limits,
        "origin": use.source or use.note or "",
        "needs": list(use.needs),
    }
