# syntax=docker/dockerfile:1

FROM python:3.13-slim AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_NO_INPUT=1
WORKDIR /src
COPY requirements ./requirements
RUN python -m venv /opt/build \
    && /opt/build/bin/pip install --require-hashes -r requirements/build.txt \
    && python -m venv /opt/exchange \
    && /opt/exchange/bin/pip install --require-hashes -r requirements/runtime.txt
COPY . .
RUN /opt/build/bin/pip wheel --no-deps --no-build-isolation --wheel-dir /dist . \
    && /opt/exchange/bin/pip install --no-deps --no-index /dist/*.whl

FROM python:3.13-slim
RUN useradd --create-home --uid 10001 exchange
COPY --from=build /opt/exchange /opt/exchange
ENV PATH=/opt/exchange/bin:$PATH PYTHONUNBUFFERED=1
USER exchange
WORKDIR /home/exchange
ENTRYPOINT ["exchange"]
CMD ["--help"]
