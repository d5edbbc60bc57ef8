"""What has to be true of a pack before it judges anybody, beside what `load_pack` sees in its text."""

from __future__ import annotations

from django.conf import settings
from django.utils.module_loading import import_string

from governance.domain.errors import Conflict
from governance.policy import Pack
from governance.selectors.plugins import pack_problems


def refuse_unfit(pack: Pack) -> None:
    """Raise `Conflict` for a pack that cannot be put in force: a plug-in that is not the pinned one, an example that fails.

    `PACK_CHECKS` names functions of apps above this one, which know how gates measure; each gives sentences.
    """
    if problems := pack_problems(pack):
        raise Conflict(" ".join(problems), code="plugin_differs")
    for name in settings.PACK_CHECKS:
        if problems := import_string(name)(pack):
            raise Conflict(" ".join(problems), code="examples_fail")
