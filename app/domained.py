"""A library's domains: showing and changing them, and how each is searched."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from pydantic import ValidationError

from octavo.ingest.embedding import Embedding, Space
from octavo.ingest.model import State
from octavo.ingest.store.catalogue import DocumentInfo
from octavo.opened import OpenLibrary
from octavo.retrieval.domains import EXAMPLES, DomainError, default_examples, read_examples, valid_name
from octavo.retrieval.embedder import SentenceEmbedder
from octavo.retrieval.tuning import TUNINGS, UNTUNED, Tuning, write_tunings
from octavo.shelf import LibraryError

OnProgress = Callable[[int, int], None]


def quietly(done: int, of: int) -> None:
    """Shows no progress."""


class DomainedLibrary(OpenLibrary):
    """The part of `Library` about domains; one process at a time changes them."""

    def domains(self) -> dict[str, list[DocumentInfo]]:
        """The ready documents of each domain, by name; those of none under ""."""
        found: dict[str, list[DocumentInfo]] = defaultdict(list)
        for info in self.documents():
            if info.state is State.READY:
                found[info.domain or ""].append(info)
        return dict(sorted(found.items()))

    def set_domain(self, domain: str | None, documents: Sequence[str]) -> None:
        """Puts documents (names or hashes) into a domain, or into none. Raises as `find`, and for a bad name."""
        if domain is not None and not valid_name(domain):
            raise LibraryError(f"{domain!r} cannot be a domain's name: up to 60 letters, digits, spaces, - _ and .")
        chosen = [self.find(document).sha256 for document in documents]
        with self._writing():
            self.catalogue.set_domain(dict.fromkeys(chosen, domain))
            self._fill_domains()

    def discover_domains(self, count: int | None = None, seed: int = 0, replace: bool = False) -> None:
        """Groups the documents by what they are about, into `count` domains or as many as fit best.

        Domains that are there stand in the way unless `replace`. Raises LibraryError and DomainError.
        """
        if not replace and any(self.domains().keys() - {""}):
            raise LibraryError("this library has domains already: --replace finds new ones in their place")
        with self._writing():
            self._refresh()
            self.catalogue.set_domain(self.engine.domains.discover(count, seed))
            self.catalogue.choose(EXAMPLES, "")
            self._keep_tunings({})

    def use_domains(self, examples: str | None = None, replace: bool = False) -> None:
        """Takes domains that are told by examples, JSON as `read_examples` has it, or the eight of UniDoc-Bench.

        Each document is put where it surely belongs, else into none. Domains that are there stand in the way unless
        `replace`. Raises LibraryError and DomainError.
        """
        text = default_examples() if examples is None else examples
        read_examples(text)
        if not replace and any(self.domains().keys() - {""}):
            raise LibraryError("this library has domains already: --replace puts these in their place")
        with self._writing():
            ready = self.engine.domains.ready()
            self.catalogue.set_domain(dict.fromkeys(ready))
            self.catalogue.choose(EXAMPLES, text)
            self.catalogue.set_domain(self.engine.domains.place(ready))
            self._keep_tunings({})

    def identify_domain(self, question: str) -> dict[str, float]:
        """Domain -> probability that the question belongs there, the likeliest first.

        Raises DomainError, and LibraryError for an empty question.
        """
        if not question.strip():
            raise LibraryError("the question is empty")
        return self.engine.domains.identify(question)

    # How each is searched

    def tunings(self) -> dict[str, Tuning]:
        """How each domain is searched that is not searched like the rest."""
        self._follow_choice()
        return dict(self.engine.domains.tunings)

    def tune_domain(
        self,
        domain: str,
        model: str | None = None,
        weights: Mapping[str, float] | None = None,
        k: int | None = None,
        reset: bool = False,
        on_progress: OnProgress = quietly,
    ) -> Tuning:
        """Gives a domain an embedder of its own (folder, name or "embedded"), `weights` of the lists, and `k` hits.

        What is None stays as it was, or with `reset` becomes as everywhere. A folder is copied into the library. Until
        the domain's texts, and those of no domain, are embedded the library stays as it was. Raises DomainError for an
        unknown domain, ModelMissingError, and LibraryError.
        """
        with self._writing():
            self._follow_choice()
            known = self.engine.domains
            if domain not in (names := known.names()):
                raise DomainError(f"no domain {domain!r} in this library; there is {', '.join(names) or 'none yet'}")
            before = UNTUNED if reset else known.tunings.get(domain, UNTUNED)
            tuning = _changed(before, weights or {}, k)
            if model is not None:
                own = SentenceEmbedder(model, self.settings.device)
                space = Space(own.name, own.encode, documents=known.inside(domain))
                self._fill(Embedding(self.catalogue, self.files, [space]), on_progress)
                tuning = tuning.model_copy(update={"embedder": self.models.keep(model)})
            self._keep_tunings({**known.tunings, domain: tuning})
        self.index.sync()
        return tuning

    def _keep_tunings(self, tunings: dict[str, Tuning]) -> None:
        before = self._models()
        self.catalogue.choose(TUNINGS, write_tunings(tunings))
        self._follow_choice()
        self._forget(before)

    def _models(self) -> set[str]:
        """The names of all models that vectors are of."""
        return {self.embedder.name, self.looker.name, *(own.name for own in self.engine.embedders.values())}

    def _forget(self, before: set[str]) -> None:
        """Drops what was kept of models that were in use `before` and are no more."""
        for model in before - self._models():
            self.catalogue.forget_vectors(model)
        self.models.keep_only({self._choice, *self.engine.embedders})

    # Vectors

    def _domain_spaces(self) -> Iterator[Space]:
        """The texts of each domain with an embedder of its own."""
        for domain, tuning in self.engine.domains.tunings.items():
            if tuning.embedder:
                own = self.engine.embedders[tuning.embedder]
                yield Space(own.name, own.encode, documents=self.engine.domains.inside(domain))

    def _fill_domains(self) -> None:
        self._fill(Embedding(self.catalogue, self.files, list(self._domain_spaces())))

    def _fill(self, embedding: Embedding, on_progress: OnProgress = quietly) -> None:
        missing, done = embedding.missing(), 0
        for made in embedding.fill():
            done += made
            on_progress(done, missing)


def _changed(before: Tuning, weights: Mapping[str, float], k: int | None) -> Tuning:
    fresh = {"weights": before.weights.model_dump() | dict(weights), "k": before.k if k is None else k}
    try:
        return Tuning.model_validate(before.model_dump() | fresh)
    except ValidationError as error:
        raise LibraryError(f"a domain cannot be searched so: {error.errors()[0]['msg']}") from error
