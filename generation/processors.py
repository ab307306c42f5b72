"""What turns text and pictures into a model's inputs, loaded so that pictures need Pillow alone.

Knows nothing of prompts. Some processors (Qwen-VL's) insist on a part for videos, which only torchvision can run; where
that is missing, they are loaded without it and take pictures all the same.
"""

from __future__ import annotations

from typing import Any


def load_processor(name: str, config: Any, vision: bool, local_files_only: bool) -> Any:
    """The processor of the model `name`, whose configuration is `config`; the tokenizer of one without `vision`.

    Its tokenizer can pad.
    """
    from transformers import AutoProcessor, AutoTokenizer
    from transformers.models.auto.processing_auto import PROCESSOR_MAPPING
    from transformers.utils.import_utils import is_torchvision_available

    kind: Any = AutoProcessor if vision else AutoTokenizer
    if vision and not is_torchvision_available() and type(config) in PROCESSOR_MAPPING:
        own: Any = PROCESSOR_MAPPING[type(config)]
        if "video_processor" in own.get_attributes():
            kind = without_videos(own)
    processor = kind.from_pretrained(name, local_files_only=local_files_only, trust_remote_code=False)
    tokenizer = processor.tokenizer if vision else processor
    if tokenizer.pad_token is None:  # many that were made for one text at a time have none; it is masked out
        tokenizer.pad_token = tokenizer.eos_token or tokenizer.unk_token or tokenizer.convert_ids_to_tokens(0)
    return processor


def without_videos(kind: Any) -> Any:
    """The processor class `kind` but for its video part: a processor has the parts that its `__init__` names."""

    class Pictures(kind):  # type: ignore[misc]
        def __init__(self, image_processor: Any = None, tokenizer: Any = None, chat_template: Any = None) -> None:
            super().__init__(image_processor, tokenizer, chat_template=chat_template)

    Pictures.__name__ = Pictures.__qualname__ = kind.__name__
    return Pictures
