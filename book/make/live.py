"""Run the experiments that several chapters show, on all cores, so that the chapters find them in the cache.

    python -m book.make.live

A chapter computes by itself what is missing, only more slowly: this changes when a number is computed, never which.
"""

import time

from book.paper import plan
from lib.experiments import processes, run


def main() -> None:
    wanted, started = plan.shared(), time.perf_counter()
    with processes() as executor:
        for experiment in wanted:
            run(experiment, executor)
    print(f"{len(wanted)} experiments of the chapters are computed ({time.perf_counter() - started:.0f} s).")


if __name__ == "__main__":
    main()
