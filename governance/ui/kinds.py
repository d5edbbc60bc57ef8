"""Pages that exist once for each kind of workload: which one is asked for, and the way to the others."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import Http404, HttpRequest

from governance.domain.vocabulary import Kind
from governance.selectors.policy import installed_kinds


@dataclass(frozen=True)
class KindTab:
    """One kind as a link. `here`: it is the one shown."""

    kind: Kind
    title: str
    here: bool


def kinds_of_page(request: HttpRequest) -> tuple[Kind, list[KindTab]]:
    """The kind asked for by `?kind=` or in the form (ML models unless told otherwise), and all kinds as links.

    Raises `Http404` for a kind without a pack in force.
    """
    installed = installed_kinds()
    given = request.POST.get("kind") or request.GET.get("kind") or Kind.ML_MODEL
    found = next((each for each in installed if each.kind == given), None)
    if found is None and given != Kind.ML_MODEL:
        raise Http404
    kind = found.kind if found is not None else Kind.ML_MODEL
    return kind, [KindTab(each.kind, each.title, each.kind == kind) for each in installed]
