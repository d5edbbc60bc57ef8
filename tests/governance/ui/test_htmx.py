"""Page or part, from one place."""

from __future__ import annotations

import pytest
from django.test import RequestFactory

from governance.ui.htmx import render_page_or_part, wants_part


@pytest.mark.parametrize(
    ("headers", "part"),
    [
        ({}, False),
        ({"HX-Request": "true"}, True),
        ({"HX-Request": "true", "HX-Boosted": "true"}, False),
        ({"HX-Request": "true", "HX-History-Restore-Request": "true"}, False),
        ({"HX-Request": "false"}, False),
    ],
)
def test_who_gets_a_part(headers: dict[str, str], part: bool) -> None:
    assert wants_part(RequestFactory().get("/", headers=headers)) is part


@pytest.mark.parametrize(("headers", "whole"), [({}, True), ({"HX-Request": "true"}, False)])
def test_the_answer_says_that_it_differs_by_header(headers: dict[str, str], whole: bool) -> None:
    request = RequestFactory().get("/", headers=headers)
    context = {"label": "Rows", "value": 7, "title": "Rows"}
    response = render_page_or_part(request, "errors/error.html", "components/_tile.html", context, status=422)
    assert response.status_code == 422
    assert (b"<html" in response.content) is whole
    assert (b'class="tile"' in response.content) is not whole
    assert {"HX-Request", "HX-Boosted", "HX-History-Restore-Request"} <= {name.strip() for name in response["Vary"].split(",")}
