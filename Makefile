# Every path here is relative, so a checkout may lie in a folder with spaces in its name.
SHELL := /bin/bash
export PYTHON

AFFECTSCOPE := .venv/bin/affectscope
SAMPLE := assets/sample/sample.mp4
PICTURE := runs/sample/trajectories.png
DATA := ../shared/data
EXAMPLES := runs/examples
SCREEN := $(if $(DISPLAY)$(WAYLAND_DISPLAY),window,headless)

.NOTPARALLEL:
.PHONY: help run results test test-slow test-gpu lint format models environment developer clean

help: ## list these targets
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

run: models ## the app on the sample clip; without a display, a picture of its analysis
ifeq ($(SCREEN),window)
	$(AFFECTSCOPE) replay $(SAMPLE)
else
	@$(MAKE) --no-print-directory $(PICTURE)
	@echo "there is no display; the trajectories of the sample clip are in $(PICTURE)"
endif

$(PICTURE): $(SAMPLE) $(wildcard assets/*.safetensors) $(wildcard desktop/*.py inference/*.py extractors/*.py)
	$(AFFECTSCOPE) analyze $(SAMPLE) --out runs --picture

results: developer ## what is missing of docs/results.md, from the labelled data in DATA; takes hours
	$(AFFECTSCOPE) models fetch
	$(AFFECTSCOPE) extract $(DATA)/ckplus48 --kind ckplus --out $(EXAMPLES)/ckplus
	$(AFFECTSCOPE) extract $(DATA)/ravdess --kind ravdess --variants 4 --out $(EXAMPLES)/ravdess
	$(AFFECTSCOPE) extract $(DATA)/meld --kind meld --out $(EXAMPLES)/meld
	$(AFFECTSCOPE) extract $(DATA)/ict_mmmo --kind mmmo --out $(EXAMPLES)/mmmo
	.venv/bin/python benchmarks/dhmd_results.py --examples $(EXAMPLES)
	.venv/bin/python benchmarks/baseline_results.py --examples $(EXAMPLES)
	.venv/bin/python benchmarks/network_speed.py --records docs/results.json
	.venv/bin/python scripts/write_results.py

test: developer ## all tests
	$(AFFECTSCOPE) models fetch
	QT_QPA_PLATFORM=offscreen .venv/bin/python -m pytest -n 2 --dist loadfile $(PYTEST_ARGS)

test-slow: developer ## what takes minutes: compilers, a cluster
	$(AFFECTSCOPE) models fetch
	QT_QPA_PLATFORM=offscreen .venv/bin/python -m pytest -m slow $(PYTEST_ARGS)

test-gpu: developer ## what needs an NVIDIA GPU and requirements-tensorrt.txt
	$(AFFECTSCOPE) models fetch
	.venv/bin/python -m pytest -m gpu $(PYTEST_ARGS)

lint: developer ## ruff, mypy and the import rule
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

format: developer ## rewrite the code in the house's form
	.venv/bin/ruff check --fix
	.venv/bin/ruff format

models: environment ## the pretrained files and the network's engine, into the user's cache
	$(AFFECTSCOPE) models fetch
	$(AFFECTSCOPE) compile

environment: ## what the app needs: system libraries, .venv
	@setup/system_packages.sh $(SCREEN)
	@setup/environment.sh run

developer: ## what developers need besides
	@setup/system_packages.sh tests
	@setup/environment.sh dev

clean: ## remove what the targets above made here (the model cache stays)
	rm -rf .venv build dist runs .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +
