"""The one settings file, read from the environment. `manage.py doctor` says what is wrong with it and the line to set."""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from urllib.parse import unquote, urlsplit

from celery.schedules import crontab

from governance.domain.secret_values import secret_value

BASE_DIR = Path(__file__).resolve().parent.parent.parent


def _flag(name: str, default: bool = False) -> bool:
    return os.environ.get(name, str(default)).strip().lower() in {"1", "true", "yes", "on"}


DEBUG = _flag("GUIDERAIL_DEBUG")
# the demo organisation was loaded here: its sign-in links work
DEMO = _flag("GUIDERAIL_DEMO")
HOME = Path(os.environ.get("GUIDERAIL_HOME") or BASE_DIR / "var").resolve()
PUBLIC_URL = os.environ.get("GUIDERAIL_PUBLIC_URL", "http://localhost:8000").rstrip("/")
_public = urlsplit(PUBLIC_URL)
_https = _public.scheme == "https"


def _secret_key() -> str:
    """The key from the environment, else one kept beside the data of a single-machine installation."""
    given = secret_value("GUIDERAIL_SECRET_KEY")
    if given:
        return given
    kept = HOME / "secret_key"
    if not kept.exists():
        HOME.mkdir(parents=True, exist_ok=True)
        kept.touch(mode=0o600)
        kept.write_text(secrets.token_urlsafe(50))
    return kept.read_text().strip()


SECRET_KEY = _secret_key()
ALLOWED_HOSTS = [
    _public.hostname or "localhost",
    "localhost",
    "127.0.0.1",
    "[::1]",
    *filter(None, os.environ.get("GUIDERAIL_HOSTS", "").split(",")),
]
CSRF_TRUSTED_ORIGINS = [PUBLIC_URL]

INSTALLED_APPS = [
    "governance",
    "gates",
    "reviews",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django_htmx",
    "allauth",
    "allauth.account",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
]

MIDDLEWARE = [
    "governance.ui.request_id.RequestIdMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "governance.ui.security_headers.SecurityHeadersMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "governance.ui.unavailable.UnavailableMiddleware",
    "django.middleware.common.CommonMiddleware",
    "reviews.api.asking_again.AskedAgainMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "governance.ui.sign_in.SignInRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "governance.ui.errors.DomainErrorMiddleware",
]

ROOT_URLCONF = "governance.config.urls"
WSGI_APPLICATION = "governance.config.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "governance.ui.navigation.navigation",
            ],
        },
    },
]


def _database() -> dict[str, object]:
    """PostgreSQL from DATABASE_URL; `postgresql:///name?host=/socket/dir` for a Unix socket."""
    url = urlsplit(secret_value("DATABASE_URL", "postgresql://guiderail:guiderail@localhost:5432/guiderail"))
    query = dict(part.split("=", 1) for part in url.query.split("&") if "=" in part)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": unquote(url.path.lstrip("/")) or "guiderail",
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": unquote(query.pop("host", url.hostname or "")),
        "PORT": str(url.port or ""),
        "CONN_MAX_AGE": int(os.environ.get("GUIDERAIL_DB_CONN_MAX_AGE", "60")),
        "CONN_HEALTH_CHECKS": True,
        "OPTIONS": {"connect_timeout": 5, **{k: unquote(v) for k, v in query.items()}},
    }


DATABASES = {"default": _database()}

AUTH_USER_MODEL = "governance.Person"
AUTHENTICATION_BACKENDS = ["django.contrib.auth.backends.ModelBackend", "allauth.account.auth_backends.AuthenticationBackend"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
ACCOUNT_ADAPTER = "governance.ui.sign_in.ClosedSignUpAdapter"
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_LOGIN_METHODS = {"username", "email"}
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 300
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "10/m/ip,5/5m/key", "reauthenticate": "20/m/user"}

SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_AGE = 8 * 3600
if _https:
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = "__Host-sessionid", "__Host-csrftoken"
    SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = True
    SECURE_HSTS_SECONDS = 31_536_000
    SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
else:
    _port = _public.port or 80
    # two demos on one host share cookies across ports unless their names differ
    SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = f"guiderail_session_{_port}", f"guiderail_csrf_{_port}"
CSRF_COOKIE_SAMESITE = "Lax"
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = "same-origin"

LANGUAGE_CODE = "en-gb"
TIME_ZONE = os.environ.get("GUIDERAIL_TIME_ZONE", "UTC")
USE_TZ = True

STATIC_URL = "/static/"
STATIC_ROOT = HOME / "static"
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": str(HOME / "files")}},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
EVIDENCE_DIR = Path(os.environ.get("GUIDERAIL_EVIDENCE_DIR") or HOME / "evidence")
AUDIT_KEY_FILE = os.environ.get("GUIDERAIL_AUDIT_KEY_FILE") or HOME / "keys" / "audit.ed25519"
# the keys that sign permits' attestations: every web process reads them
PERMIT_KEYS_DIR = Path(os.environ.get("GUIDERAIL_PERMIT_KEYS_DIR") or HOME / "keys" / "permits")
# folders that receive every checkpoint; at least one should lie outside the database's own volume
AUDIT_SINKS = [sink for sink in os.environ.get("GUIDERAIL_AUDIT_SINKS", str(HOME / "checkpoints")).split(os.pathsep) if sink]
EVIDENCE_MAX_BYTES = int(os.environ.get("GUIDERAIL_EVIDENCE_MAX_BYTES", str(2 * 1024**3 - 1)))
API_BODY_MAX_BYTES = 32 * 1024**2
# asked before a policy pack comes into force; each gives sentences about what is wrong
PACK_CHECKS = ["gates.services.pack_checks.condition_problems"]
# where decisions written in Rego come from, see governance/services/deciding_elsewhere.py
OPA_URL, REGO_DIR = os.environ.get("GUIDERAIL_OPA_URL", ""), os.environ.get("GUIDERAIL_REGO_DIR", "")
# hosts that addresses typed on pages may lead to although they are not public, or not https; see governance/services/outgoing.py
OUTGOING_HOSTS = frozenset(filter(None, os.environ.get("GUIDERAIL_OUTGOING_HOSTS", "").replace(",", " ").split()))
# with "1" no secret of an outgoing webhook is kept in the database: each names one of the environment, see docs/webhooks.md
WEBHOOK_SECRETS_OUTSIDE = os.environ.get("GUIDERAIL_WEBHOOK_SECRETS_OUTSIDE", "") == "1"
# model registries by name, such as "main=https://mlflow.example.org". Their secrets: GUIDERAIL_MLFLOW_<NAME>_TOKEN (or _USERNAME
# and _PASSWORD) and GUIDERAIL_MLFLOW_<NAME>_WEBHOOK_SECRET, each also as a file with _FILE
MLFLOW_SERVERS = dict(
    pair.partition("=")[::2] for pair in os.environ.get("GUIDERAIL_MLFLOW_SERVERS", "").replace(",", " ").split() if "=" in pair
)
# where deployments wait for a permit, see docs/deployment-gates.md. Their secrets: GUIDERAIL_GITHUB_APP_KEY and
# GUIDERAIL_GITHUB_WEBHOOK_SECRET, GUIDERAIL_GITLAB_TOKEN and GUIDERAIL_GITLAB_WEBHOOK_SECRET, each also as a file with _FILE
GITHUB_API = os.environ.get("GUIDERAIL_GITHUB_API", "https://api.github.com").rstrip("/")
GITHUB_APP_ID = os.environ.get("GUIDERAIL_GITHUB_APP_ID", "")
GITLAB_URL = os.environ.get("GUIDERAIL_GITLAB_URL", "https://gitlab.com").rstrip("/")
DATA_UPLOAD_MAX_MEMORY_SIZE = 8 * 1024**2
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2_000
FILE_UPLOAD_MAX_MEMORY_SIZE = 1024**2

EMAIL_BACKEND = (
    "django.core.mail.backends.smtp.EmailBackend"
    if os.environ.get("EMAIL_HOST")
    else "django.core.mail.backends.console.EmailBackend"
)
EMAIL_HOST = os.environ.get("EMAIL_HOST", "")
EMAIL_PORT = int(os.environ.get("EMAIL_PORT", "25"))
EMAIL_HOST_USER, EMAIL_HOST_PASSWORD = os.environ.get("EMAIL_HOST_USER", ""), secret_value("EMAIL_HOST_PASSWORD")
EMAIL_USE_TLS, EMAIL_USE_SSL = _flag("EMAIL_USE_TLS"), _flag("EMAIL_USE_SSL")
EMAIL_TIMEOUT = 10
DEFAULT_FROM_EMAIL = os.environ.get("GUIDERAIL_FROM_EMAIL", "guiderail@localhost")

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "governance.api.authentication.TokenAuthentication",
        "governance.api.authentication.SessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["governance.api.parsers.BoundedJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "EXCEPTION_HANDLER": "governance.api.problems.handle",
    "UNAUTHENTICATED_USER": None,
}
SPECTACULAR_SETTINGS = {
    "TITLE": "Guiderail",
    "DESCRIPTION": "Governance review for what an ML organisation deploys. Errors are RFC 9457 problem documents.",
    "VERSION": "1",
    "SERVE_INCLUDE_SCHEMA": False,
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
}

# The row is the truth; the message only wakes a worker. Hence no result backend, no retries, no countdowns.
REDIS_URL = secret_value("REDIS_URL", "redis://localhost:6379/0")
_filesystem_broker = REDIS_URL.startswith("filesystem://")
CELERY_BROKER_URL = "filesystem://" if _filesystem_broker else REDIS_URL
CELERY_BROKER_TRANSPORT_OPTIONS: dict[str, object] = (
    {"data_folder_in": REDIS_URL[13:], "data_folder_out": REDIS_URL[13:], "control_folder": REDIS_URL[13:] + "-control"}
    if _filesystem_broker
    else {
        "socket_timeout": 5,
        "socket_connect_timeout": 2,
        "visibility_timeout": 3600,
        "health_check_interval": 15,
        "queue_order_strategy": "priority",
    }
)
CELERY_BROKER_CONNECTION_MAX_RETRIES = None
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_SERIALIZER = "json"
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = False
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TASK_SOFT_TIME_LIMIT = 1500
CELERY_TASK_TIME_LIMIT = 1800
CELERY_TASK_DEFAULT_QUEUE = "default"
CELERY_TASK_PUBLISH_RETRY = False
CELERY_TASK_ROUTES = {
    "gates.run_light": {"queue": "gates"},
    "gates.run_heavy": {"queue": "gates.heavy"},
    "reviews.try_gates": {"queue": "gates.heavy"},  # one slot for all its collectors: light runs of submissions go past it
}
CELERY_TIMEZONE = "UTC"
# a worker that takes nothing for so long while messages wait is ended, see worker_watch.py; 0: never. Above Celery's longest
# pause between two attempts to connect, 30 s
CELERY_WORKER_STUCK_SECONDS = float(os.environ.get("GUIDERAIL_WORKER_STUCK_SECONDS", "45"))
RELAY_SECONDS = float(os.environ.get("GUIDERAIL_RELAY_SECONDS", "5"))
CELERY_BEAT_SCHEDULE = {
    "relay": {"task": "gates.relay", "schedule": RELAY_SECONDS, "options": {"expires": max(RELAY_SECONDS, 1)}},
    "previews": {"task": "reviews.tidy_previews", "schedule": 20.0, "options": {"expires": 20}},
    "forget-identities": {"task": "governance.forget_identities", "schedule": 3600.0, "options": {"expires": 3600}},
    "registries": {"task": "reviews.registries", "schedule": 15.0, "options": {"expires": 15}},
    "ask-registries": {"task": "reviews.ask_registries", "schedule": 60.0, "options": {"expires": 60}},
    "deployment-gates": {"task": "reviews.deployment_gates", "schedule": 10.0, "options": {"expires": 10}},
    "ask-deployments": {"task": "reviews.ask_deployments", "schedule": 60.0, "options": {"expires": 60}},
    "backtests": {"task": "reviews.tidy_backtests", "schedule": 20.0, "options": {"expires": 20}},
    "keep-stricter": {"task": "reviews.keep_stricter", "schedule": 300.0, "options": {"expires": 300}},
    "replay": {"task": "reviews.replay", "schedule": crontab(hour="1", minute="30"), "options": {"expires": 3600}},
    "settle": {"task": "reviews.settle_due", "schedule": 10.0, "options": {"expires": 10}},
    "checkpoint": {"task": "governance.checkpoint", "schedule": 900.0, "options": {"expires": 900}},
    "deliver": {"task": "reviews.deliver", "schedule": 60.0, "options": {"expires": 60}},
    "digests": {"task": "reviews.deliver_digests", "schedule": crontab(hour="7", minute="0"), "options": {"expires": 3600}},
    "webhooks": {"task": "reviews.webhooks", "schedule": 5.0, "options": {"expires": 5}},
    "reconcile": {"task": "reviews.reconcile", "schedule": crontab(hour="2", minute="30"), "options": {"expires": 3600}},
    "remind": {"task": "reviews.remind", "schedule": 300.0, "options": {"expires": 300}},
    "lapse": {"task": "reviews.lapse_waivers", "schedule": 300.0, "options": {"expires": 300}},
    "expire": {"task": "reviews.expire_permits", "schedule": 300.0, "options": {"expires": 300}},
    **{
        f"heartbeat-{queue}": {
            "task": "gates.heartbeat",
            "schedule": 10.0,
            "args": (queue,),
            "options": {"expires": 10, "queue": queue},
        }
        for queue in ("default", "gates", "gates.heavy")
    },
}

# Gate runs. A run whose worker stops renewing its lease is taken over; the relay sends again what nobody took.
GATE_LEASE_SECONDS = float(os.environ.get("GUIDERAIL_GATE_LEASE_SECONDS", "30"))
GATE_MAX_ATTEMPTS = int(os.environ.get("GUIDERAIL_GATE_MAX_ATTEMPTS", "3"))
# how long a run waits for a worker that has its collector while other workers are there; then it counts as not assessed
GATE_UNKNOWN_SECONDS = float(os.environ.get("GUIDERAIL_GATE_UNKNOWN_SECONDS", "3600"))
GATE_RETRY_SECONDS = float(os.environ.get("GUIDERAIL_GATE_RETRY_SECONDS", "5"))
# how many heavy runs (SHAP) a worker holds at a time that takes light ones as well; its other slots stay free for those
GATE_HEAVY_BESIDE_LIGHT = int(os.environ.get("GUIDERAIL_HEAVY_BESIDE_LIGHT", "1"))
GATE_REDISPATCH_SECONDS = float(os.environ.get("GUIDERAIL_GATE_REDISPATCH_SECONDS", "30"))

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "plain": {
            "()": "governance.domain.scrubbing.ScrubbingFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s",
        }
    },
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": os.environ.get("GUIDERAIL_LOG_LEVEL", "INFO")},
}
