# make install   a virtual environment in .venv with dextwist and what its developers need
# make serve     the daemon on http://127.0.0.1:5556/dex, with etc/dex.yaml
# make example   the example application on http://127.0.0.1:5555/
# make check     format, lint, types, import direction: seconds
# make test      the whole suite; its last line counts
# make bench     measure the daemon; options in BENCH, for example: make bench BENCH='--scenarios refresh'

PYTHON ?= python3
VENV = .venv
BIN = $(VENV)/bin

.PHONY: install serve example check test bench

install: $(VENV)/installed

$(VENV)/installed: setup.cfg pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo 'Python 3.11 or newer is needed; name it with: make PYTHON=/path/to/python3' >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || .ci/packages python3-venv
	test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --editable '.[dev]'
	@touch $@

serve: install
	@echo
	@echo '  dextwist serves http://127.0.0.1:5556/dex'
	@echo '  To log in: run "make example" in another terminal and open http://127.0.0.1:5555/'
	@echo '  User admin@example.com with the password: password'
	@echo '  Or choose "Example", which lets everybody in as a made-up person.'
	@echo '  Stop with Ctrl-C.'
	@echo
	@exec $(BIN)/twistd --nodaemon --pidfile= dex -c etc/dex.yaml

example: install
	@exec $(BIN)/python examples/example-app/example_app.py

check: install
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m twisted.trial --reporter=text --temp-directory=_trial_temp_check tests.test_imports

test: install
	@.ci/peers
	@$(BIN)/python -m tests.run

bench: install
	@$(BIN)/python -m benchmarks $(BENCH)
