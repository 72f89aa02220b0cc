"""Run the experiments that several chapters show, one on each core, so that the chapters find them in the cache.

    python -m book.make.live

A chapter computes by itself what is missing, only more slowly: this changes when a number is computed, never which.
"""

import time

from book.paper import plan
from lib.experiments import Experiment, processes, run


def compute(experiment: Experiment) -> None:
    """Run an experiment for the cache: its numbers need not come back from the process that computed them."""
    run(experiment)


def main() -> None:
    wanted, started = plan.shared(), time.perf_counter()
    longest_first = sorted(wanted, key=lambda experiment: -plan.CLASSIFIERS.index(experiment.classifier))
    with processes() as executor:
        for _ in executor.map(compute, longest_first):
            pass
    print(f"{len(wanted)} experiments of the chapters are computed ({time.perf_counter() - started:.0f} s).")


if __name__ == "__main__":
    main()
