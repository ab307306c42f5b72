"""Checks what a library needs to work, and says what to do where something is missing."""

from __future__ import annotations

import importlib.metadata
import os
import shutil
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, NamedTuple

from octavo.ingest.readers import BACKENDS, make_reader
from octavo.ingest.store.database import parse_url
from octavo.ingest.text import count
from octavo.kernels.device import has_bfloat16, resolve_device
from octavo.settings import EMBEDDED, Settings

if TYPE_CHECKING:
    from octavo.retrieval.embedder import Embedder

_PACKAGES = ["torch", "transformers", "sentence-transformers", "langchain-core", "streamlit"]
FAISS_MISSING = "FAISS is not installed: pip install 'octavo[cpu]', or 'octavo[gpu]' with a GPU"
_LOW_DISK = 2 * 2**30


class Fault(Exception):
    """What a check found wrong; the message says what to do."""


class Check(NamedTuple):
    """One thing examined: whether it is as it should be, and what was found."""

    name: str
    ok: bool
    detail: str


def examine(settings: Settings) -> list[Check]:
    """All checks, in the order in which things build on each other; none stops the others."""
    return [
        _check("packages", _packages),
        _check("reader", lambda: _reader(settings)),
        _check("faiss", lambda: _faiss(settings)),
        _check("processor", lambda: _processor(settings)),
        _check("embedder", lambda: _embedder(settings)),
        _check("generator", lambda: _generator(settings)),
        _check("library", lambda: _library(settings)),
        _check("settings", lambda: _settings(settings)),
    ]


def _check(name: str, look: Callable[[], str]) -> Check:
    try:
        return Check(name, True, look())
    except Exception as error:  # noqa: BLE001 - a check that breaks is a finding
        return Check(name, False, _line(error))


def _line(error: Exception) -> str:
    if isinstance(error, Fault):
        return str(error)
    if isinstance(error, ModuleNotFoundError) and error.name == "faiss":
        return FAISS_MISSING
    try:
        from octavo.errors import explain  # here, as it imports every layer, FAISS too
    except ImportError:
        known = None
    else:
        known = explain(error)
    return known or f"{type(error).__name__}: {error}"


def _packages() -> str:
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in _PACKAGES)


def _reader(settings: Settings) -> str:
    make_reader(settings.reader, settings.ocr)
    bringing = importlib.metadata.packages_distributions()  # cv2 comes with a distribution of another name
    names = [bringing[package][0] if package in bringing else package for package in BACKENDS[settings.reader].packages]
    return ", ".join(f"{name} {importlib.metadata.version(name)}" for name in names)


def _faiss(settings: Settings) -> str:
    import faiss
    import torch

    from octavo.retrieval.gpu import faiss_gpus

    gpus = faiss_gpus(settings.device)
    built = "for GPUs" if hasattr(faiss, "StandardGpuResources") else "without GPUs"
    if not gpus and settings.device != "cpu" and torch.cuda.is_available():
        return f"{faiss.__version__}, built {built}; torch searches on the GPU in its place"
    where = ", ".join(f"cuda:{number}" for number in gpus) or "the CPU"
    return f"{faiss.__version__}, built {built}; searches on {where}"


def _processor(settings: Settings) -> str:
    import torch

    gpus = [torch.cuda.get_device_name(n) for n in range(torch.cuda.device_count())]
    cores = f"{os.cpu_count()} cores, {'bfloat16' if has_bfloat16() else 'float32 only'}"
    return f"{cores}, {', '.join(gpus) or 'no GPU'}; models run on {resolve_device(settings.device)}"


def _embedder(settings: Settings) -> str:
    from octavo.retrieval.embedder import SentenceEmbedder

    embedder: Embedder = SentenceEmbedder(settings.embedder or EMBEDDED, settings.device)
    if settings.embedder is None and (settings.library / "files").is_dir():
        with suppress(ModuleNotFoundError):  # FAISS, which has a check of its own
            from octavo.library import Library

            with Library(settings=settings) as library:
                embedder = library.embedder
    return f"{embedder.name}, {embedder.encode(['a']).shape[1]} dimensions"


def _generator(settings: Settings) -> str:
    if settings.generator == "local":
        from octavo.generation.local import LlamaCppChat
        from octavo.generators import local_chat, local_name

        local = local_chat(settings)
        name = local.path.name if isinstance(local, LlamaCppChat) else local_name(settings.local_model)
        return f"local: {name}, through {local._llm_type}{', sees pictures' if local.vision else ''}"
    if settings.generator == "openai":
        return f"openai: {settings.openai_model} at {settings.openai_base_url} (not called)"
    return "extractive: no model needed"


def _library(settings: Settings) -> str:
    free = shutil.disk_usage(
        next(p for p in (settings.library.resolve(), *settings.library.resolve().parents) if p.exists())
    ).free
    if free < _LOW_DISK:
        raise Fault(f"only {free / 2**30:.1f} GiB of disk left at {settings.library}: free some first")
    if not (settings.library / "files").is_dir():  # opening a library makes it, which is not for us to do
        return f"no library at {settings.library} yet; `octavo ingest FOLDER` makes it"
    from octavo import calibrating
    from octavo.library import Library

    with Library(settings=settings) as library:
        infos = library.documents()
        states = Counter(str(info.state) for info in infos)
        lacking = [i.name for i in infos if not library.files.pdf(i.sha256).is_file()]
        indexed, index = len(library.index.vectors), library.index.vectors.vectors.type
        calibrated = "".join(f"; {line}" for line in calibrating.told(library))
    if lacking:
        raise Fault(f"the file of {lacking[0]} is gone from the library: ingest it again")
    counts = ", ".join(f"{n} {state}" for state, n in sorted(states.items())) or "no documents"
    chunks = f"{count(indexed, 'chunk')} indexed, {index}"
    return f"{settings.library}: {counts}; {chunks}{calibrated}; {free / 2**30:.0f} GiB free"


def _settings(settings: Settings) -> str:
    values = settings.model_dump(mode="json")
    if settings.database_url:
        url = parse_url(settings.database_url).difference_update_query(["password"])
        values["database_url"] = url.render_as_string(hide_password=True)
    return ", ".join(f"{name}={value}" for name, value in values.items())
