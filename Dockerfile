# syntax=docker/dockerfile:1
# One image for web, worker, beat and migrations; docker-compose.yml shows the commands.

# Both stages. A tag may name other contents tomorrow: a deployment that wants to know what it runs names a digest, which
# `docker buildx imagetools inspect python:3.11-slim-bookworm` prints, and renews it when Debian or Python mend something:
#     docker build --build-arg PYTHON_IMAGE=python:3.11-slim-bookworm@sha256:... .
# Another Debian release would bring another client library than mysqlclient was built with, so there is one name.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS builder
# Compilers and headers stay in this stage: mysqlclient is built here, the final image gets only the result.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends gcc libmariadb-dev pkg-config \
    && rm -rf /var/lib/apt/lists/*
RUN python -m venv /opt/venv
COPY requirements/base.txt requirements/mysql.txt /requirements/
# Nothing but what the locks have hashes of runs while this image is built: wheels run nothing, and mysqlclient, the only
# one that is built, is built with the setuptools of base.txt instead of one that pip would fetch for it.
RUN /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --only-binary :all: -r /requirements/base.txt \
    && /opt/venv/bin/pip install --no-cache-dir --disable-pip-version-check \
        --require-hashes --no-binary :all: --no-build-isolation -r /requirements/mysql.txt

FROM ${PYTHON_IMAGE}
# The client library that mysqlclient is linked with; Debian's security updates of it come with a rebuild.
# hadolint ignore=DL3008
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libmariadb3 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin app
COPY --from=builder /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=enterprise_catalog.settings.production \
    WEB_BIND=0.0.0.0:8160
WORKDIR /app
COPY manage.py gunicorn.conf.py ./
COPY docker/healthcheck.py docker/build_static.sh ./docker/
COPY enterprise_catalog ./enterprise_catalog
# Owned by root: the service can read its code and not change it.
RUN sh docker/build_static.sh
USER 10001
EXPOSE 8160
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 CMD ["python", "docker/healthcheck.py"]
CMD ["gunicorn", "enterprise_catalog.wsgi", "--worker-tmp-dir", "/dev/shm"]
