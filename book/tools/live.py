"""Run the experiments that several chapters show, on all cores, so that the chapters find them in the cache.

    python -m book.tools.live

A chapter computes by itself what is missing, only more slowly: this changes when a number is computed, never which.
"""

import time

import lib
from lib.classifiers import CLASSIFIERS
from lib.experiments import Experiment, live, processes, run

NEWS_VARIANTS = (
    {"explain": {"by_type": True}},
    {"explain": {"target": "predicted"}, "measure": {"target": "predicted"}},
    {"explain": {"of": "logit"}},
    {"explain": {"of": "probability"}},
    {"measure": {"operator": "mask"}},
    {"measure": {"operator": "delete"}},
    {"explain": {"operator": "mask"}},
    {"explain": {"operator": "delete"}},
    {"measure": {"ties": "first"}},
    {"recipe": {"start": "random"}},
)


def experiments() -> list[Experiment]:
    """What the chapters ask for: both corpora of the paper, or BBC News where AG's News is not on the machine."""
    news = "ag_news" if lib.data.available("ag_news") else "bbc_news"
    return [*(live(corpus, name) for corpus in ("imdb", news) for name in CLASSIFIERS),
            *(live(news, name, **changes) for changes in NEWS_VARIANTS for name in CLASSIFIERS),
            *(live("imdb", name, measure={"operator": "delete"}, documents=50, K=50) for name in CLASSIFIERS),
            live(news, "bilstm", recipe={"readout": "last"}), live("imdb", "fasttext", explain={"by_type": True}),
            live("imdb", "fasttext", precision="float32")]


def main() -> None:
    wanted, started = experiments(), time.perf_counter()
    with processes() as executor:
        for experiment in wanted:
            run(experiment, executor)
    print(f"{len(wanted)} experiments of the chapters are computed ({time.perf_counter() - started:.0f} s).")


if __name__ == "__main__":
    main()
