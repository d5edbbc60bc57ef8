"""Text that people typed stays text in Markdown: the reader of this product draws no markup of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from governance.domain.markdown_text import document, heading, plain, table

READER = MarkdownIt("gfm-like", {"html": True, "linkify": False})


@pytest.mark.parametrize(
    "typed",
    [
        "<script>alert(1)</script>",
        "[x](javascript:alert(1)) ![p](http://e/p)",
        "**bold** _it_ `code` ~~gone~~",
        "# heading",
        "- item",
        "1. item",
        "---",
        "a | b",
        "&lt;b&gt; &#60;",
        "back\\slash \\<b>",
        "http://example.org www.example.org a@b.org",
        "one\n\n# two\x00\u202e",
        "[id]: http://example.org",
    ],
)
def test_signs_of_markup_come_out_as_they_went_in(typed: str) -> None:
    drawn = READER.render(plain(typed))
    said = drawn.removeprefix("<p>").removesuffix("</p>\n")
    assert "<" not in said, drawn
    wanted = " ".join(typed.replace("\x00", "").replace("\u202e", "").split())
    assert said == wanted.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")


@given(st.text(max_size=60))
def test_no_text_adds_a_row_or_a_cell(typed: str) -> None:
    drawn = READER.render(table(("a", "b"), [(typed, "x")]))
    assert drawn.count("<tr>") == 2 and drawn.count("<td>") == 2


def test_blocks_stand_apart() -> None:
    assert document([heading(2, "*a*"), "", "b"]) == "## \\*a\\*\n\nb\n"
