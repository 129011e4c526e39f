# Two commands need nothing but python3 >= 3.11: `make demo` and `make test`. Each does all of its own set-up.

VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# A folder with a CPU build of torch, where PIP_FIND_LINKS names one; otherwise uv picks the build for this machine.
TORCH := $(if $(PIP_FIND_LINKS),--find-links $(PIP_FIND_LINKS),--torch-backend=auto)

.PHONY: demo test check fix model-card bench-model bench-decisions clean

demo: $(STAMP)  ## four simulated weeks in time lapse, no key, no network
	@$(BIN)/kairos demo

test: $(STAMP)  ## the whole test suite
	$(BIN)/python -m pytest -q

check: $(STAMP)  ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fix: $(STAMP)  ## mend what style can mend by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench-model: $(STAMP)  ## the model against all rivals on accounts it never saw; needs ../shared/data
	@$(BIN)/python -m benchmarks.model

bench-decisions: $(STAMP)  ## what its choices cost beside an oracle's, in simulated worlds
	@$(BIN)/python -m benchmarks.decisions

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || python3 -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python $(TORCH) -c constraints.txt --group dev -e .
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache dist
