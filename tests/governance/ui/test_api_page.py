"""The page on which the API is read: everything of the document is on it, also without scripts."""

from __future__ import annotations

import re

import pytest

from governance.ui.api_page import operations
from tests.governance import making
from tests.stack import ROOT

pytestmark = pytest.mark.django_db


def test_every_operation_is_listed_and_the_viewer_comes_from_here() -> None:
    answer = making.browser(making.person()).get("/connect/api")
    text = answer.content.decode()
    assert len(operations()) > 40
    assert all(row.path in text and row.address in text for row in operations())
    assert "No token can review, sign, waive or grant" in text and "What you try is real" in text
    assert 'src="http' not in text and 'href="http' not in text
    home = making.browser(making.person()).get("/connect").content.decode()
    assert 'href="/connect/api"' in home


def test_the_table_of_acts_names_every_operation_and_none_that_is_gone() -> None:
    table = (ROOT / "docs" / "api.md").read_text().split("| Act |")[1]
    named = re.findall(r"`([a-z_]+)`", table)
    known = {row.address.rsplit("/", 1)[1] for row in operations()}
    assert set(named) == known, {"gone": set(named) - known, "not in the table": known - set(named)}
    assert len(named) == len(set(named)), "each once"
