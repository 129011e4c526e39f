# Two commands need nothing but python3 >= 3.11: `make demo` and `make test`. Each does all of its own set-up.

VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# A folder with a CPU build of torch, where PIP_FIND_LINKS names one; otherwise uv picks the build for this machine.
TORCH := $(if $(PIP_FIND_LINKS),--find-links $(PIP_FIND_LINKS),--torch-backend=auto)

.PHONY: demo test check fix bench-model bench-decisions bench-headlines bench-timing bench-unfinished bench-speed pds clean

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

bench-headlines: $(STAMP)  ## which of two headlines is clicked more; needs ../shared/data; ENCODER names a full encoder
	@$(BIN)/python -m benchmarks.headlines $(if $(ENCODER),--encoder $(ENCODER))

bench-timing: $(STAMP)  ## how much of a claimed effect of the hour is real; needs ../shared/data
	@$(BIN)/python -m benchmarks.timing

bench-unfinished: $(STAMP)  ## what posts that have not finished are worth to a forecast; needs ../shared/data
	@$(BIN)/python -m benchmarks.unfinished

bench-speed: $(STAMP)  ## seconds of processor, memory and size, beside LightGBM
	@$(BIN)/python -m benchmarks.speed

# Kept outside of the checkout, for all of them: it is a few hundred megabytes of other people's work.
PDS := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/kairos-tests/pds
pds:  ## Bluesky's own server, for the tests of its connector; needs node and npm
	@mkdir -p $(PDS) && cp tests/connectors/pds/package.json $(PDS)/
	@cd $(PDS) && npm install --no-audit --no-fund --loglevel=error

$(STAMP): pyproject.toml constraints.txt
	@test -x $(BIN)/python || python3 -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python $(TORCH) -c constraints.txt --group dev -e .
	@touch $@

clean:
	rm -rf $(VENV) .mypy_cache .pytest_cache .ruff_cache dist
