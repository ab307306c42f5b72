"""What benchmarks/index.py compares: types of index and stores that people use, behind one interface.

A contender has `build(vectors, passing)`, given which rows pass in each case; `delete(keys)`; and `search(queries,
effort, case)`, which gives keys of shape (n, K) and is tried with each of its `efforts` until it finds enough. One that
leaves files has `disk()`, in bytes, and `close()`.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

K = 10
Vectors = NDArray[np.float32]
Keys = NDArray[np.int64]


class Octavo:
    """`octavo.retrieval.vectors.Vectors`, which chooses its effort itself."""

    efforts = (0,)

    def __init__(self, index_type: str) -> None:
        from octavo.retrieval.vectors import Vectors as Index

        self.index = Index(index_type)

    def build(self, vectors: Vectors, passing: dict[str, NDArray[np.bool_]]) -> None:
        from octavo.retrieval.passing import Among

        self.index.add(range(len(vectors)), vectors)
        self.among = {case: Among(mask.nonzero()[0]) for case, mask in passing.items() if case.endswith("pass")}

    def delete(self, keys: Keys) -> None:
        self.index.remove(keys.tolist())

    def search(self, queries: Vectors, effort: int, case: str) -> Keys:
        return self.index.search(queries, K, self.among.get(case))[0]


class Faiss:
    """One of FAISS's own types, its candidates ranked by the exact vectors (`IndexRefineFlat`)."""

    def __init__(self, name: str, depth: int) -> None:
        self.name, self.depth = name, depth
        self.efforts = [16, 23, 32, 45, 64, 90, 128, 181, 256, 362, 512, 724, 1024, 1448, 2048, 4096]

    def build(self, vectors: Vectors, passing: dict[str, NDArray[np.bool_]]) -> None:
        lists = round(1.6 * len(vectors) ** 0.5)
        self.base = faiss.index_factory(vectors.shape[1], self.name.format(lists), faiss.METRIC_INNER_PRODUCT)
        if hasattr(self.base, "cp"):
            self.base.cp.niter = 10
        self.index = faiss.IndexRefineFlat(self.base)
        self.index.train(vectors[:: max(1, len(vectors) // (64 * lists))])
        self.index.add(vectors)
        self.passing = {case: np.packbits(mask, bitorder="little") for case, mask in passing.items() if case != "all"}

    def delete(self, keys: Keys) -> None:
        """They are left out by the selector, as the case's name says."""

    def search(self, queries: Vectors, effort: int, case: str) -> Keys:
        selector = faiss.IDSelectorBitmap(self.passing[case]) if case in self.passing else None
        if "HNSW" in self.name:
            inner = faiss.SearchParametersHNSW(efSearch=effort, sel=selector)
        else:
            inner = faiss.IVFSearchParameters(nprobe=min(effort, self.base.nlist), sel=selector)
        parameters = faiss.IndexRefineSearchParameters(k_factor=self.depth / K, base_index_params=inner)
        return self.index.search(queries, K, params=parameters)[1]


class Hnswlib:
    """hnswlib with M 16 and ef_construction 200."""

    efforts = (16, 32, 64, 90, 128, 181, 256, 362, 512, 724, 1024, 2048)

    def build(self, vectors: Vectors, passing: dict[str, NDArray[np.bool_]]) -> None:
        import hnswlib

        self.index = hnswlib.Index("ip", vectors.shape[1])
        self.index.init_index(len(vectors), M=16, ef_construction=200)
        self.index.set_num_threads(1)
        self.index.add_items(vectors)
        self.passing = {case: mask.tolist() for case, mask in passing.items() if case.endswith("pass")}

    def delete(self, keys: Keys) -> None:
        for key in keys.tolist():
            self.index.mark_deleted(key)

    def search(self, queries: Vectors, effort: int, case: str) -> Keys:
        self.index.set_ef(effort)
        mask = self.passing.get(case)
        return self.index.knn_query(queries, K, filter=None if mask is None else mask.__getitem__)[0]


class Lance:
    """LanceDB's IVF_HNSW_SQ on disk, refined by the exact vectors, with bitmap indexes of the filters' columns."""

    efforts = (1, 2, 4, 8, 16, 32, 64)

    def build(self, vectors: Vectors, passing: dict[str, NDArray[np.bool_]]) -> None:
        import lancedb
        import pyarrow as pa

        self.folder = tempfile.mkdtemp(prefix="lance-")
        columns = {case[:2].strip(): mask for case, mask in passing.items() if case != "all"}

        def batches() -> Iterator[Any]:
            for start in range(0, len(vectors), 50_000):
                part = pa.array(np.ascontiguousarray(vectors[start : start + 50_000]).ravel())
                rows = len(part) // vectors.shape[1]
                yield pa.record_batch(
                    {
                        "key": pa.array(np.arange(start, start + rows)),
                        "vector": pa.FixedSizeListArray.from_arrays(part, vectors.shape[1]),
                    }
                    | {f"passes{name}": pa.array(mask[start : start + rows]) for name, mask in columns.items()}
                )

        first = next(batches())
        self.table = lancedb.connect(self.folder).create_table("chunks", batches(), schema=first.schema)
        self.table.create_index(metric="dot", index_type="IVF_HNSW_SQ", num_partitions=max(1, len(vectors) // 100_000))
        for name in columns:
            self.table.create_scalar_index(f"passes{name}", index_type="BITMAP")

    def disk(self) -> int:
        return sum(path.stat().st_size for path in Path(self.folder).rglob("*") if path.is_file())

    def delete(self, keys: Keys) -> None:
        self.table.delete("passes20 = false")

    def search(self, queries: Vectors, effort: int, case: str) -> Keys:
        found = []
        for query in queries:
            search = self.table.search(query).distance_type("dot").nprobes(20).ef(64 * effort).refine_factor(2)
            if case.endswith("pass"):
                search = search.where(f"passes{case[:2].strip()} = true", prefilter=True)
            keys = search.select(["key"]).limit(K).to_arrow()["key"].to_numpy()
            found.append(np.pad(keys, (0, K - len(keys)), constant_values=-1))
        return np.asarray(found)

    def close(self) -> None:
        shutil.rmtree(self.folder)


class Chroma:
    """ChromaDB in memory, its HNSW with M 16 and ef_construction 200, the filters' columns as metadata."""

    efforts = (32, 64, 128, 256, 512, 1024)

    def build(self, vectors: Vectors, passing: dict[str, NDArray[np.bool_]]) -> None:
        import chromadb

        configuration = {"hnsw": {"space": "ip", "ef_construction": 200, "max_neighbors": 16, "num_threads": 1}}
        client = chromadb.EphemeralClient(chromadb.Settings(anonymized_telemetry=False))
        self.table = client.create_collection("chunks", configuration=configuration)
        columns = {case: mask for case, mask in passing.items() if case.endswith("pass")}
        for start in range(0, len(vectors), 5_000):
            rows = range(start, min(start + 5_000, len(vectors)))
            metadata = [{case: bool(mask[row]) for case, mask in columns.items()} for row in rows]
            self.table.add([str(row) for row in rows], embeddings=vectors[start : rows.stop], metadatas=metadata)

    def delete(self, keys: Keys) -> None:
        for start in range(0, len(keys), 5_000):
            self.table.delete([str(key) for key in keys[start : start + 5_000]])

    def search(self, queries: Vectors, effort: int, case: str) -> Keys:
        if effort != getattr(self, "effort", None):
            self.table.modify(configuration={"hnsw": {"ef_search": effort}})
            self.effort = effort
        where = {case: True} if case.endswith("pass") else None
        found = self.table.query(query_embeddings=queries, n_results=K, where=where, include=[])["ids"]
        return np.asarray([[int(key) for key in ids] + [-1] * (K - len(ids)) for ids in found])


CONTENDERS: dict[str, Callable[[], Any]] = {
    "octavo exact": lambda: Octavo("exact"),
    "octavo ivf": lambda: Octavo("ivf"),
    "faiss IVF,SQ8": lambda: Faiss("IVF{},SQ8", 40),
    "faiss IVF,RaBitQfs": lambda: Faiss("IVF{},RaBitQfs", 200),
    "faiss HNSW32,SQ8": lambda: Faiss("HNSW32,SQ8", 40),
    "hnswlib": Hnswlib,
    "lancedb": Lance,
    "chromadb": Chroma,
}
