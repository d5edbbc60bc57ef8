"""JSON bodies: bounded, and refused in words when they cannot be read."""

from __future__ import annotations

import json
from typing import IO, Any

from django.conf import settings
from rest_framework.exceptions import APIException, ParseError
from rest_framework.parsers import BaseParser
from rest_framework.utils import json as strict_json


class TooLarge(APIException):
    """The body is larger than any JSON body needs to be."""

    status_code = 413
    default_code = "too_large"


class BoundedJSONParser(BaseParser):
    """Reads at most `API_BODY_MAX_BYTES`; NaN, infinity and bottomless nesting are refused."""

    media_type = "application/json"

    def parse(self, stream: IO[bytes], media_type: str | None = None, parser_context: Any = None) -> Any:
        limit = settings.API_BODY_MAX_BYTES
        data = stream.read(limit + 1)
        if len(data) > limit:
            raise TooLarge(
                f"A JSON body has up to {limit // 1024**2} MiB. Store large metadata files with POST /api/v1/evidence first, "
                "and name their sha256 in “sources”."
            )
        try:
            return strict_json.loads(data.decode("utf-8"))
        except UnicodeDecodeError as exc:
            raise ParseError(f"The body is not UTF-8 (at byte {exc.start}). Send JSON in UTF-8.") from exc
        except json.JSONDecodeError as exc:
            raise ParseError(f"The body is not JSON: {exc.msg} in line {exc.lineno}, column {exc.colno}.") from exc
        except (ValueError, RecursionError) as exc:
            raise ParseError(
                "The body holds a number or nesting that JSON does not know (NaN, infinity, thousands of levels)."
            ) from exc
