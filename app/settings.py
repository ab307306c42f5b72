"""Settings: what a library's owner may choose, from the command line, `OCTAVO_*` variables or `octavo.toml`.

Knows nothing of what the settings do. Earlier sources win: arguments, environment, file, defaults.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from octavo.retrieval.model import IndexType, Mode, Rule

EMBEDDED = "embedded"
Generator = Literal["extractive", "local", "openai"]
Reader = Literal["pymupdf", "pdfium"]


class Settings(BaseSettings):
    """All settings of one library; every field may be given as `OCTAVO_<FIELD>`."""

    model_config = SettingsConfigDict(env_prefix="OCTAVO_", toml_file="octavo.toml", extra="forbid", frozen=True)

    library: Path = Field(Path("octavo-library"), description="folder that holds all of a library's state")
    database_url: str | None = Field(
        default_factory=lambda: os.environ.get("DATABASE_URL") or None,
        description="URL of the catalogue's database; default: $DATABASE_URL, else SQLite in the library",
    )
    device: str = Field("auto", description="where models run: auto (the first GPU, if any), cpu, cuda or cuda:N")

    embedder: str | None = Field(
        None,
        description="'embedded' (all-MiniLM-L6-v2), a sentence-transformers name or folder; default: what "
        "`octavo index --model` chose for the library, else 'embedded'",
    )
    visual_embedder: str | None = Field(
        None,
        description="embeds pictures: a sentence-transformers name or folder, or one of `octavo train-pages`; "
        "default: the text under them",
    )
    index: IndexType = Field(
        IndexType.AUTO, description="index of vectors: exact, ivf, or auto (ivf where there are many)"
    )
    reranker: str | None = Field(
        None, description="a sentence-transformers CrossEncoder, name or folder, that ranks what is found anew"
    )
    k: int = Field(10, ge=1, le=1000, description="hits that a search returns")
    mode: Mode = Field(Mode.TEXT, description="what is searched: text, image, fusion or joint")
    domain: str | None = Field(
        None, description="search in this domain only; 'auto' identifies it if sure, 'weighted' weighs"
    )
    documents_first: bool = Field(True, description="look first for the documents that a question names, then in them")
    selection: Rule = Field(
        Rule.ALL, description="which hits an answer may use: all, by the gap or ratio rule, or as calibrated"
    )
    expand: int = Field(4, ge=0, le=100, description="chunks that an answer's hits may bring by their links; 0: none")
    gamma: float = Field(0.15, ge=0, description="gap rule: a fall of the score's logarithm that ends the evidence")
    ratio: float = Field(1.2, gt=1, description="ratio rule: how many times a hit's score the best may be, at most")

    generator: Generator = Field("extractive", description="what writes answers")
    local_model: str = Field(
        EMBEDDED, description="'embedded' (Gemma 3 270M), a GGUF file, a transformers folder or a hub id"
    )
    local_projector: Path | None = Field(None, description="GGUF file of the vision projector of a GGUF local model")
    keep_visual: float = Field(
        1.0, gt=0, le=1, description="share of each picture's tokens that a local transformers model reads"
    )
    max_pictures: int = Field(4, ge=0, le=100, description="most pictures that a model is shown with one question")
    openai_base_url: str = Field("http://127.0.0.1:8080/v1", description="OpenAI-compatible endpoint")
    openai_model: str = Field("default", description="model name sent to the endpoint")
    openai_api_key: SecretStr = Field(SecretStr("none"), description="key sent to the endpoint")
    openai_images: bool = Field(False, description="the endpoint's model sees pictures: send them")
    max_answer_tokens: int = Field(512, ge=16, le=8192)

    reader: Reader = Field("pymupdf", description="what reads PDFs: pymupdf (AGPL), or pdfium (permissive licences)")
    workers: int = Field(os.cpu_count() or 1, ge=1, description="processes that read PDFs")
    max_bytes: int = Field(500 * 2**20, ge=1, description="largest PDF accepted, in bytes")
    max_pages: int = Field(5000, ge=1, description="most pages accepted in one PDF")
    ocr: bool = Field(True, description="read pages without a text layer by OCR, some seconds each")
    page_seconds: float = Field(60.0, gt=0, description="processor time that reading one page may take")
    worker_bytes: int = Field(3 * 2**30, ge=2**30, description="address space of one reading process, in bytes")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls)
