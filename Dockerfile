# Octavo's chat, for a CPU unless the arguments say otherwise; compose.yaml has both. What is in it came from wheels
# alone, so neither stage needs a package of Debian's.
ARG PYTHON=3.11.15-slim-bookworm

FROM python:${PYTHON} AS build
# For a GPU: TORCH_INDEX=https://pypi.org/simple and FAISS=gpu.
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ARG FAISS=cpu
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /opt/octavo
ENV PATH=/opt/octavo/bin:$PATH
# torch first and by its exact pin, as in the Makefile; what changes less often is the earlier layer.
RUN pip install --index-url "${TORCH_INDEX}" torch==2.13.0
WORKDIR /source
COPY . .
# hadolint ignore=DL3013
RUN pip install ".[${FAISS},embedded,postgres]"

FROM python:${PYTHON}
RUN useradd --uid 10001 --create-home octavo && install --directory --owner octavo /library /home/octavo/.cache
COPY --from=build /opt/octavo /opt/octavo
ENV PATH=/opt/octavo/bin:$PATH OCTAVO_LIBRARY=/library PYTHONUNBUFFERED=1
USER 10001
WORKDIR /home/octavo
VOLUME /library
EXPOSE 8501
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:8501/_stcore/health', timeout=4)"]
ENTRYPOINT ["octavo"]
# Every address of the container, which is reached through the port that is published, and that is loopback's.
CMD ["serve", "--host", "0.0.0.0"]
