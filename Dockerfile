# One image for web, worker, beat and the one-shot migration; docker-compose.yml says which is which.
FROM python:3.12-slim-bookworm AS build
ENV UV_LINK_MODE=copy UV_COMPILE_BYTECODE=1 UV_PYTHON_DOWNLOADS=never
RUN pip install --no-cache-dir uv==0.13.8
WORKDIR /app
COPY pyproject.toml uv.lock ./
RUN uv sync --locked --no-dev --no-cache

FROM python:3.12-slim-bookworm
# libgomp1: LightGBM and XGBoost; fonts-dejavu-core: the letters in charts
RUN apt-get update \
    && apt-get install -y --no-install-recommends libgomp1 fonts-dejavu-core \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --create-home --home-dir /home/guiderail guiderail \
    && install -d -o guiderail -g guiderail /var/lib/guiderail /var/lib/guiderail/static
WORKDIR /app
COPY --from=build /app/.venv /app/.venv
COPY manage.py ./
COPY governance governance
COPY gates gates
COPY reviews reviews
COPY templates templates
COPY static static
ENV PATH=/app/.venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    DJANGO_SETTINGS_MODULE=governance.config.settings GUIDERAIL_HOME=/var/lib/guiderail
USER guiderail
VOLUME /var/lib/guiderail
EXPOSE 8000
# /dev/shm: gunicorn's heartbeat must not wait for a slow disk
CMD ["gunicorn", "governance.config.wsgi:application", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", \
     "--threads", "8", "--no-control-socket", "--worker-tmp-dir", "/dev/shm", "--timeout", "120"]
