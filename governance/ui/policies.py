"""The policy, readable before any submission: every rule, gate and question with why, limit and who can change it."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from governance.domain.vocabulary import Kind, Track
from governance.models import DataSource
from governance.policy import Pack
from governance.selectors.access import visible
from governance.selectors.policy import pack_in_force
from governance.ui.drafts import caller_of


@require_GET
def policies(request: HttpRequest) -> HttpResponse:
    """The pack in force: tracks, rules, gates, approved sources."""
    row, pack = pack_in_force(Kind.ML_MODEL)
    context = {
        "policy": row,
        "pack": pack,
        "tracks": [_track(pack, track) for track in (Track.GREEN, Track.YELLOW, Track.RED)],
        "rules": [_rule(rule) for rule in pack.rules],
        "gates": [_gate(use) for use in pack.gates],
        "sources": visible(DataSource.objects.select_related("unit"), caller_of(request)).order_by("name")[:200],
    }
    return render(request, "governance/policy.html", context)


@require_GET
def learn(request: HttpRequest, slug: str) -> HttpResponse:
    """What a rule is about: why it matters, what good enough looks like, how to change it, worked examples."""
    _, pack = pack_in_force(Kind.ML_MODEL)
    rules = [rule for rule in pack.rules if rule.learn == slug]
    if not rules:
        raise Http404
    context = {"title": rules[0].title, "rules": [_rule(rule) for rule in rules], "pack": pack}
    return render(request, "governance/learn_rule.html", context)


@require_GET
def learn_question(request: HttpRequest, name: str) -> HttpResponse:
    """What a question asks: why, what good enough looks like, an example, and what "I do not know" leads to."""
    _, pack = pack_in_force(Kind.ML_MODEL)
    question = pack.form.by_id.get(name)
    if question is None:
        raise Http404
    rules = [_rule(rule) for rule in pack.rules if name in rule.reads]
    return render(request, "governance/learn_question.html", {"question": question, "rules": rules, "pack": pack})


def _track(pack: Pack, track: Track) -> dict[str, Any]:
    plan = pack.document.tracks[track]
    return {"track": track.value, "why": plan.why, "due": plan.due, "steps": plan.steps, "deploy": plan.deploy}


def _rule(rule: Any) -> dict[str, Any]:
    tracks = (
        [rule.track.value] if rule.track else [name for name in ("yellow", "red") if rule.bands and getattr(rule.bands, name)]
    )
    bands = (
        ", ".join(f"{name} from {getattr(rule.bands, name).sign} {getattr(rule.bands, name).limit:g}" for name in tracks)
        if rule.bands
        else ""
    )
    return {
        "id": rule.id,
        "title": rule.title,
        "why": rule.why,
        "fact": rule.about,
        "tracks": tracks,
        "bands": bands,
        "on_unknown": rule.on_unknown,
        "editable_by": rule.editable_by,
        "change": str(rule.change),
        "learn": rule.learn,
        "adds_steps": rule.adds_steps,
        "examples": rule.examples,
        "held": rule.held,
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
