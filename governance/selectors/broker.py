"""Whether the broker answers, asked seldom: nothing needs it but the speed with which work begins."""

from __future__ import annotations

import threading
import time

from celery import current_app

ASK_AGAIN = 5.0
_TIMEOUTS = {"socket_timeout": 1, "socket_connect_timeout": 1}
_lock = threading.Lock()
_known: tuple[float, bool] = (-ASK_AGAIN, True)


def broker_answers() -> bool:
    """Whether a connection to the broker can be opened; an answer is kept for some seconds. Takes about a second at most."""
    global _known
    with _lock:
        asked, answer = _known
        if time.monotonic() - asked < ASK_AGAIN:
            return answer
        answer = _try()
        _known = time.monotonic(), answer
    return answer


def _try() -> bool:
    options = {**current_app.conf.broker_transport_options, **_TIMEOUTS}
    try:
        with current_app.connection_for_write(connect_timeout=1, transport_options=options) as link:
            link.ensure_connection(max_retries=0, timeout=1)
    except Exception:  # every kind of fault is the same news: messages wait
        return False
    return True
