"""Sessions of onnxruntime for models that run beside other processes: one thread each, which waits without spinning."""

from __future__ import annotations

from pathlib import Path

from onnxruntime import InferenceSession, SessionOptions


class OneThreadSession(InferenceSession):  # type: ignore[misc]
    """A model, by its path or as bytes, on the CPU; with an `arena` it keeps its memory from run to run."""

    def __init__(self, model: Path | str | bytes, arena: bool = True) -> None:
        options = SessionOptions()
        options.intra_op_num_threads = 1
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.enable_cpu_mem_arena = arena
        options.log_severity_level = 3
        super().__init__(model, options, providers=["CPUExecutionProvider"])
