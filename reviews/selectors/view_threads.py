"""Threads of a case as everybody sees them: what is published."""

from __future__ import annotations

from governance.domain.decision_review import RemarkView, ThreadView
from reviews.selectors.loading import Loaded


def thread_views(loaded: Loaded) -> tuple[ThreadView, ...]:
    """Threads with at least one published remark, what must be fixed first."""
    labels = {f"finding:{row.pk}": row.about for row in loaded.findings}
    views = []
    for row in loaded.threads:
        remarks = tuple(
            RemarkView(loaded.name(r.by_id), r.disposition, r.text, r.revision, r.published_at)
            for r in loaded.remarks
            if r.thread_id == row.pk and r.published_at is not None
        )
        if remarks:
            label = labels.get(f"{row.about_kind}:{row.about}", row.about)
            views.append(ThreadView(row.pk, row.about_kind, row.about, label, row.disposition, remarks))
    order = {"must_fix": 0, "question": 1}
    return tuple(sorted(views, key=lambda view: (order.get(view.disposition, 2), view.id)))
