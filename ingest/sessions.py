"""Options of onnxruntime for models that run beside other processes: one thread each, which waits without spinning."""

from __future__ import annotations

from onnxruntime import SessionOptions


class OneThread(SessionOptions):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.intra_op_num_threads = 1
        self.add_session_config_entry("session.intra_op.allow_spinning", "0")
