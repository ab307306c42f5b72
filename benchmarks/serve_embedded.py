"""An OpenAI-compatible server on loopback over the embedded Gemma 3 270M, to measure the `openai` generator against.

    python benchmarks/serve_embedded.py

Prints the base URL and serves until it is stopped. The model is a base model without a chat template; it is given the
plainest one.
"""

from __future__ import annotations

import time

import xllamacpp

from octavo.generation.weights import embedded_path

TEMPLATE = "{{ bos_token }}{% for m in messages %}{{ m.content }}\n\n{% endfor %}Answer:"

if __name__ == "__main__":
    parameters = xllamacpp.CommonParams()
    parameters.model.path = str(embedded_path())
    parameters.n_ctx = 12288
    parameters.n_parallel = 1
    parameters.verbosity = -1
    parameters.chat_template = TEMPLATE
    server = xllamacpp.Server(parameters)
    print(f"{server.listening_address}/v1", flush=True)
    while True:
        time.sleep(60)
