"""A preview's document and its text in one answer: both say the same."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.test import Client

from reviews.selectors.verdict_texts import RENDERED
from tests.governance import making

pytestmark = pytest.mark.django_db(transaction=True)


def test_each_text_comes_with_the_document() -> None:
    making.policy()
    client = Client(**making.bearer(making.token(making.person("dana"))))  # type: ignore[arg-type]
    body = {"system": "s", "kind": "ml_model", "version": "1", "environment": "production"}

    def ask(rendered: str) -> Any:
        return client.post(f"/api/v1/preview?rendered={rendered}", json.dumps(body), content_type="application/json")

    for name, render in RENDERED.items():
        document = ask(name).json()
        text = document.pop("rendered")
        assert text == render(document)
    assert "rendered" not in ask("").json()
    assert ask("html").status_code == 422
