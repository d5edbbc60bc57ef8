"""Markdown as HTML: raw HTML off in the parser, and what comes out is cleaned again."""

from __future__ import annotations

import nh3
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

_PARSER = MarkdownIt("commonmark", {"html": False}).enable("table")
_BLOCKS = {"blockquote", "h3", "h4", "h5", "hr", "li", "ol", "p", "pre", "table", "tbody", "td", "th", "thead", "tr", "ul"}
_TAGS = {"a", "br", "code", "em", "strong", *_BLOCKS}


def render(text: str) -> SafeString:
    """Safe HTML of a Markdown text: no raw HTML, no images, links to http, https, mailto and pages of our own only."""
    cleaned = nh3.clean(
        _PARSER.render(text),
        tags=_TAGS,
        attributes={"a": {"href", "title"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return mark_safe(cleaned)
