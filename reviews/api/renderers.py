"""The verdict document in the formats pipelines read. What is not a verdict stays JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.utils.encoders import JSONEncoder

from reviews.selectors.verdict import SCHEMA
from reviews.selectors.verdict_texts import RENDERED


class VerdictRenderer(BaseRenderer):
    """Base: renders a verdict by `of`, and anything else (a refusal) as JSON."""

    charset = "utf-8"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Mapping[str, Any] | None = None
    ) -> bytes:
        if not isinstance(data, Mapping) or data.get("schema") != SCHEMA:
            return b"" if data is None else json.dumps(data, cls=JSONEncoder, ensure_ascii=False).encode()
        return self.of(data).encode()

    def of(self, verdict: Mapping[str, Any]) -> str:
        raise NotImplementedError


class MarkdownRenderer(VerdictRenderer):
    """For a comment on a pull request."""

    media_type = "text/markdown"
    format = "md"

    def of(self, verdict: Mapping[str, Any]) -> str:
        return RENDERED["markdown"](verdict)


class SarifRenderer(VerdictRenderer):
    """For code scanning."""

    media_type = "application/sarif+json"
    format = "sarif"

    def of(self, verdict: Mapping[str, Any]) -> str:
        return RENDERED["sarif"](verdict)


class JUnitRenderer(VerdictRenderer):
    """For test reports."""

    media_type = "application/junit+xml"
    format = "junit"

    def of(self, verdict: Mapping[str, Any]) -> str:
        return RENDERED["junit"](verdict)


VERDICT_RENDERERS = [JSONRenderer, MarkdownRenderer, SarifRenderer, JUnitRenderer]
