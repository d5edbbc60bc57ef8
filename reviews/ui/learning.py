"""Where people learn: courses by role, the glossary, roles with whom to ask, and every help file with version and owner."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from gates.ui import markdown
from governance.domain.vocabulary import Role
from governance.policy.learning import glossary, roles_guide
from governance.policy.lessons import lessons
from governance.ui.drafts import caller_of
from reviews.selectors.courses import course, role_pages, written
from reviews.selectors.learning_records import asked_of_roles


@require_GET
def index(request: HttpRequest) -> HttpResponse:
    """The reader's own courses first, then the others, and what can be read beside them."""
    held = caller_of(request).any_roles
    guides = roles_guide().roles
    context = {
        "mine": [guide for guide in guides if guide.role in held],
        "others": [guide for guide in guides if guide.role not in held],
        "lessons": lessons(),
        "written": written(),
    }
    return render(request, "reviews/learn.html", context)


@require_GET
def words(request: HttpRequest) -> HttpResponse:
    """The glossary, in alphabetical order."""
    found = glossary()
    return render(
        request, "reviews/glossary.html", {"glossary": found, "terms": sorted(found.terms, key=lambda t: t.term.lower())}
    )


@require_GET
def roles(request: HttpRequest) -> HttpResponse:
    """Every role: what it does, what it may not, its queue, and whom to ask."""
    return render(request, "reviews/roles.html", {"pages": role_pages(caller_of(request)), "guide": roles_guide()})


@require_GET
def role_course(request: HttpRequest, role: str) -> HttpResponse:
    """One course, made to be printed."""
    found = course(caller_of(request), role)
    gates = [{"gate": gate, "good": markdown.render(gate.docs.get("What good enough looks like", ""))} for gate in found.gates]
    context = {"c": found, "gates": gates, "guide": roles_guide(), "submits": found.page.role is Role.SUBMITTER}
    asked = asked_of_roles().get(found.page.role, {})
    context["lessons"] = [lesson for lesson in lessons() if lesson.lesson in asked]
    return render(request, "reviews/course.html", context)
