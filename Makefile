# make book   the site, from nothing but Python, git and make        make help   everything else
#
# PYTHON    the Python that makes the environment, 3.11 or later:    make book PYTHON=python3.12
# PIP_ARGS  arguments for pip, such as another package index:        make book PIP_ARGS="--extra-index-url URL"
# The README gives the plain commands behind `make book` and `make test`, for machines without make.

PYTHON ?= python3
PIP_ARGS ?=
HOLD ?= torch==2.13.0 soupsieve==2.8.4
BIN := .venv/bin

.DEFAULT_GOAL := help
.PHONY: help book test pdf bench reference data lab notebooks lock clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## /{printf "make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# Sphinx warns about a page only when it reads it: after a failure the pages it has read are forgotten, so that the next
# run fails as well. The results of the chapters that ran are kept.
book: .venv/ready  ## train the classifiers, run every chapter, build the site into _build/html
	$(BIN)/python -m book.make.train
	$(BIN)/python -m book.make.live
	$(BIN)/python -m book.site.web
	$(BIN)/jupyter-book build . --toc book/_toc.yml -n -W --keep-going || { rm -rf _build/.doctrees; exit 1; }
	@echo
	@echo "The book is in _build/html: open _build/html/index.html, or serve it with"
	@echo "    $(BIN)/python -m http.server -d _build/html"
	@echo "and open http://localhost:8000"

# Two processes, each with one thread: more threads than cores slow each other down.
test: book  ## all tests; those of the pages read the book that was built
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n 2 --dist loadfile

pdf: book  ## the book as one PDF, _build/which-words-matter.pdf (needs Chromium or Chrome)
	$(BIN)/python -m book.site.pdf

bench: .venv/ready  ## time the explanations, and write the numbers that the chapter on cost shows (ten minutes)
	$(BIN)/python -m book.make.bench

reference: .venv/ready  ## the paper's experiments on many documents and five seeds, into lib/results/tables (the paper's: five hours)
	$(BIN)/python -m book.make.reference

data: .venv/ready  ## download AG's News, the full IMDB and SST from their official addresses (optional)
	$(BIN)/python -m book.make.download

lab: .venv/ready  ## JupyterLab, in which a double-click on a chapter opens it as a notebook
	$(BIN)/python -m book.make.lab start

notebooks: book  ## every chapter as an .ipynb file in notebooks/
	@mkdir -p notebooks
	cp _build/html/notebooks/*.ipynb notebooks/

clean:  ## remove the site, the executed chapters and the notebooks (not .venv, data or classifiers)
	rm -rf _build notebooks

# The environment. The two marker files are written last, so a half-made environment is noticed and made again.
# Another lock: start afresh, because pip would leave behind what the lock no longer names.
.venv/locked: requirements.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed: make book PYTHON=...")'
	rm -rf .venv
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install $(PIP_ARGS) -r requirements.lock
	@touch $@

# Makes `import lib` work everywhere in the environment. setuptools comes from the lock: nothing is downloaded here.
.venv/ready: .venv/locked pyproject.toml
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation -e .
	@touch $@

# Resolve pyproject.toml anew, in a throw-away environment of the oldest Python the project promises (3.11), so that
# the versions found exist for later ones too. HOLD keeps packages back: the torch that the published results were made
# with, and a soupsieve that still runs on Python 3.11.0 to 3.11.4.
lock:  ## resolve the dependencies anew into requirements.lock
	rm -rf _build/lock
	$(PYTHON) -m venv _build/lock
	_build/lock/bin/python -m pip install $(PIP_ARGS) "setuptools>=77" $(HOLD) -e ".[book,test]"
	_build/lock/bin/python -m book.make.lock requirements.lock
	rm -rf _build/lock
