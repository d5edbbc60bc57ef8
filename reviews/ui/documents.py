"""Documents made from a case: a page that prints, and Markdown to take away."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from governance.policy.documents import DocumentTemplate, GeneratedDocument, Grid, Nothing, as_markdown
from governance.ui.drafts import caller_of
from reviews.selectors.decision_view import decision_view
from reviews.selectors.documents import generate, material_of, templates_for
from reviews.selectors.lineage import lineage


@require_GET
def page(request: HttpRequest, pk: int, slug: str) -> HttpResponse:
    """One document, with links to the others of the case."""
    made, others = _made(request, pk, slug)
    sections = [
        {
            "title": section.title,
            "why": section.why,
            "parts": [
                {"grid": part}
                if isinstance(part, Grid)
                else {"nothing": part.says}
                if isinstance(part, Nothing)
                else {"text": part.text}
                for part in section.parts
            ],
        }
        for section in made.sections
    ]
    return render(request, "reviews/document.html", {"d": made, "pk": pk, "sections": sections, "templates": others})


@require_GET
def markdown(request: HttpRequest, pk: int, slug: str) -> HttpResponse:
    """The same as Markdown; everything people wrote is escaped."""
    made, _ = _made(request, pk, slug)
    name = f"{made.template.slug}-S-{pk}.md"
    headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "no-store"}
    return HttpResponse(as_markdown(made), content_type="text/markdown; charset=utf-8", headers=headers)


def _made(request: HttpRequest, pk: int, slug: str) -> tuple[GeneratedDocument, tuple[DocumentTemplate, ...]]:
    caller = caller_of(request)
    view = decision_view(pk, caller)
    known = templates_for(view.kind)
    template = next((template for template in known if template.slug == slug), None)
    if template is None:
        raise Http404
    return generate(template, material_of(view, lineage(caller, pk))), known
