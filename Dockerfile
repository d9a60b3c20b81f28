# mxgan in a container, without root: docker build -t mxgan . && docker run --rm -v "$PWD/runs:/home/mxgan/runs" mxgan
# EXTRAS=run is one engine, MXNet on x86-64 and PyTorch on Arm. EXTRAS=pytorch brings PyTorch with CUDA, for NVIDIA GPUs.
ARG PYTHON=3.12

FROM python:${PYTHON}-slim AS base
# MXNet takes these two from the system
RUN apt-get update \
    && apt-get install --yes --no-install-recommends libgomp1 libquadmath0 \
    && rm -rf /var/lib/apt/lists/* \
    && useradd --create-home --uid 1000 mxgan

FROM base AS build
WORKDIR /src
COPY pyproject.toml setup.py README.md LICENSE run_gan.py ./
COPY mxgan mxgan
ARG EXTRAS=run
RUN python -m venv /opt/mxgan \
    && /opt/mxgan/bin/pip install --no-cache-dir --only-binary :all: ".[${EXTRAS}]"

# For .devcontainer: the checkout comes from outside, and so does what is installed into it.
FROM base AS develop
RUN apt-get update \
    && apt-get install --yes --no-install-recommends git make \
    && rm -rf /var/lib/apt/lists/*
USER mxgan

FROM base
COPY --from=build /opt/mxgan /opt/mxgan
ENV PATH=/opt/mxgan/bin:$PATH
USER mxgan
WORKDIR /home/mxgan
RUN mkdir runs
VOLUME /home/mxgan/runs
ENTRYPOINT ["mxgan"]
CMD ["train"]
