# Two commands for users: `make up` and `make test`. The rest is for those who change the code.
.PHONY: up browser-landmarks pictures test coverage loadtest test-import sbom audit release lint types train-asl-words lock clean

PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
TORCH := torch==2.13.0
INSTALL = $(BIN)/pip install --quiet --disable-pip-version-check

up: $(VENV)/run.stamp
	@exec $(BIN)/signstream up

test: $(VENV)/dev.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	@rest=$$(mktemp); beside=$$(mktemp); trap 'kill $$(jobs -p) 2>/dev/null; rm -f $$rest $$beside' INT TERM EXIT; \
	nice -n 19 $(PYTEST) $(COMPUTING) --timeout 900 -p no:cacheprovider >$$beside 2>&1 & computing=$$!; \
	nice -n 5 $(PYTEST) $(WATCHING:%=--ignore=%) $(COMPUTING:%=--ignore=%) -p no:cacheprovider >$$rest 2>&1 & waiting=$$!; \
	$(PYTEST) $(WATCHING); watched=$$?; \
	wait $$waiting; waited=$$?; cat $$rest; wait $$computing; computed=$$?; cat $$beside; \
	exit $$((watched | waited | computed))

# Three at a time, because most tests wait for something: those that watch a camera or a page, with the processor to
# themselves when they want it; those that only compute, on what the others leave of it; and all the rest.
PYTEST := $(BIN)/python -m pytest --durations 15
WATCHING := tests/pages tests/whole tests/gateway/ingest
COMPUTING := tests/training tests/fuzz tests/deploy/models tests/deploy/bench/test_keypoints.py \
	tests/deploy/bench/test_hard_cases.py tests/shared/bundles tests/shared/landmarks \
	tests/workers/recognizers/presets tests/workers/recognizers/ctc tests/workers/keypoints/test_tracker.py \
	tests/workers/keypoints/test_holistic.py tests/workers/keypoints/test_int8.py

# MediaPipe for browsers, so that the Live page can send landmarks instead of pictures. Needs npm; the lock holds the
# package's hash and no address. Without it everything else works.
HOLISTIC := gateway/static/holistic/assets
browser-landmarks: $(HOLISTIC)/holistic.js

$(HOLISTIC)/holistic.js: deploy/browser_landmarks/package-lock.json
	deploy/browser_landmarks/fetch.sh $(HOLISTIC)

# The pictures of docs/, of the running app; needs Chromium, the recordings and, for one of them, `browser-landmarks`.
pictures: $(VENV)/dev.stamp
	$(BIN)/python -m pytest -q tests/pages/pictures.py

# Which of shared, gateway and workers the tests run through, branches too, in the processes that they start as well.
# Fails where a test does or where one of the three has less than pyproject.toml asks for; tells all of it first.
MEASURED := tests/shared tests/gateway tests/workers tests/whole tests/loadtests
coverage: $(VENV)/training.stamp
	$(BIN)/coverage erase
	@failed=0; $(BIN)/coverage run -m pytest --timeout 900 --durations 15 $(MEASURED) || failed=1; \
	$(BIN)/coverage combine -q || exit 1; \
	$(BIN)/coverage report --sort=cover --show-missing; \
	mkdir -p build && $(BIN)/coverage json -q --fail-under 0 -o build/coverage.json; \
	for package in shared gateway workers; do \
		percent=$$($(BIN)/coverage report --include="$$package/*" --format=total --fail-under 0); \
		$(BIN)/coverage report --include="$$package/*" >/dev/null && met="met" || { met="NOT MET"; failed=1; }; \
		printf '%-8s %6s %% of lines and branches, $(LEAST) %% asked for: %s\n' $$package "$$percent" "$$met"; \
	done; \
	[ $$failed = 0 ] || { echo "a test failed, or too little is covered: see above"; exit 1; }

LEAST = $(shell sed -n 's/^fail_under = //p' pyproject.toml)

# A short load test of a Signstream that it starts: docs/loadtests.md.
loadtest: $(VENV)/dev.stamp
	$(BIN)/python -m loadtests.short

lint: $(VENV)/dev.stamp
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

types: $(VENV)/dev.stamp
	$(BIN)/mypy

# Trains the shipped bundle again from the recordings in ../shared/data (or SIGNSTREAM_DATA).
train-asl-words: $(VENV)/training.stamp
	$(BIN)/signstream train asl-words

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is missing. On Debian 12: sudo apt-get install python3.11 python3.11-venv" >&2; exit 1; }
	@$(PYTHON) -c "import ensurepip, venv" 2>/dev/null || { echo "Python's venv module is missing: sudo apt-get install python3.11-venv" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# A wheel is checked against its hash in the lock; the lock leaves nothing to resolve, hence --no-deps.
$(VENV)/run.stamp: requirements.lock pyproject.toml | $(BIN)/python
	$(INSTALL) --no-deps --require-hashes -r requirements.lock
	$(INSTALL) --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/dev.stamp: requirements-dev.lock $(VENV)/run.stamp
	$(INSTALL) --no-deps --require-hashes -r requirements-dev.lock
	@touch $@

# PyTorch's CPU build comes from wherever pip is configured to find it, held by the lock so that it moves nothing.
$(VENV)/training.stamp: requirements-training.lock $(VENV)/dev.stamp
	$(INSTALL) --no-deps --require-hashes -r requirements-training.lock
	$(INSTALL) $(TORCH) -c requirements-training.in
	@touch $@

# TensorFlow, for the importers of Keras and TFLite models, in an environment of its own.
.venv-import: requirements-importers.lock
	$(PYTHON) -m venv $@
	$@/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-importers.lock
	@touch $@

test-import: .venv-import
	.venv-import/bin/python -m pytest -c /dev/null --rootdir . --noconftest -q -p no:cacheprovider tests/training/importers/apart

# Known holes in what Signstream runs on, as the package index lists them, and what is inside (CycloneDX).
.venv-checks: requirements-checks.lock
	$(PYTHON) -m venv $@
	$@/bin/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements-checks.lock
	@touch $@

sbom: .venv-checks
	@mkdir -p build
	.venv-checks/bin/cyclonedx-py requirements requirements.lock --output-reproducible -o build/sbom.json
	@echo "build/sbom.json lists what is inside"

audit: .venv-checks
	.venv-checks/bin/pip-audit --no-deps --disable-pip --require-hashes -r requirements.lock

# Wheel, sdist and SBOM in dist/, of what is committed. The wheel is looked at and run from a clean environment.
release: $(VENV)/dev.stamp sbom
	$(BIN)/python -m deploy.release

# Needs uv (`pip install uv`). No address is recorded.
COMPILE = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --overrides requirements.overrides
lock:
	$(COMPILE) requirements.in -o requirements.lock
	$(COMPILE) -c requirements.lock requirements-dev.in -o requirements-dev.lock
	$(COMPILE) -c requirements-dev.lock requirements-training.in -o requirements-training.lock
	$(COMPILE) requirements-importers.in -o requirements-importers.lock
	$(COMPILE) requirements-checks.in -o requirements-checks.lock

clean:
	rm -rf $(VENV) .venv-import .venv-checks build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache
