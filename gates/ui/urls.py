"""Pages of the gates: catalogue, charts, progress. (`snum` is registered by the submissions' own pages.)"""

from django.urls import URLPattern, URLResolver, path

from gates.ui import catalogue, charts, progress

urlpatterns: list[URLPattern | URLResolver] = [
    path("gates", catalogue.gates, name="gates"),
    path("gates/<slug:code>", catalogue.gate, name="gate"),
    path("charts/<int:pk>.svg", charts.svg, name="chart_svg"),
    path("charts/<int:pk>.csv", charts.table, name="chart_csv"),
    path("submissions/<snum:pk>/progress", progress.submission_progress, name="submission_progress"),
    path("submissions/<snum:pk>/runs/<slug:collector>/cancel", progress.run_cancel, name="run_cancel"),
    path("submissions/<snum:pk>/runs/<slug:collector>/again", progress.run_again, name="run_again"),
]
