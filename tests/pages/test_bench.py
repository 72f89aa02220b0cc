"""Benchmarks: the table of goals follows from the timings, and what is timed runs."""

import os
import subprocess
import sys

import pandas as pd
import pytest
from built import ROOT
from pandas.testing import assert_frame_equal

from book.make import bench
from lib.results import kept

WHERE = ["machine", "torch", "lib_version", "date"]


def timings(**seconds):
    """Timings in which every path of every work takes 1 s, but for those given as work_path_classifier=seconds."""
    timed = {(target.work, path, name) for target in bench.TARGETS
             for path in ("library", target.against) for name in target.classifiers}
    rows = [(*each, 1.0) for each in timed]
    rows += [("growth of LOO", "library", name, 1.0) for name in ("fasttext", "textcnn") for _ in range(3)]
    table = pd.DataFrame(rows, columns=["work", "path", "classifier", "seconds"])
    for key, value in seconds.items():
        work, path, name = key.replace("_", " ").rsplit(" ", 2)
        chosen = (table.work == work) & (table.path == path) & (table.classifier == name)
        assert chosen.any()
        table.loc[table.index[chosen][0], "seconds"] = value
    return table


def row(table, work, classifier, against):
    chosen = table[(table.work == work) & (table.classifier == classifier) & (table.against == against)]
    return chosen.iloc[0]


def test_the_targets_are_those_that_were_set():
    found = {(row.work, row.classifier, row.against): (row.goal, row.limit)
             for row in bench.targets_of(timings()).itertuples()}
    assert len(found) == 19
    assert found["SignedGI", "bilstm", "bare"] == ("at most", 1.15)
    assert found["LOO", "textcnn", "captum"] == ("at least", 15)
    assert found["full AOPC", "bilstm", "bare"] == ("at most", 1.25)
    assert found["growth of LOO", "textcnn", "a straight line"] == ("within", 0.2)
    assert found["growth of LOO", "textcnn", "its fastest length"] == ("at most", 1.2)


def test_faster_means_the_other_takes_longer():
    table = bench.targets_of(timings(LOO_general_textcnn=30.0))
    assert row(table, "LOO", "textcnn", "general").measured == 30
    assert row(table, "LOO", "textcnn", "general").met and not row(table, "LOO", "textcnn", "captum").met


def test_at_most_means_that_we_do_not_take_much_longer():
    table = bench.targets_of(timings(SignedGI_library_textcnn=1.2, SignedGI_library_fasttext=1.1))
    assert row(table, "SignedGI", "fasttext", "bare").met and not row(table, "SignedGI", "textcnn", "bare").met
    assert row(table, "SignedGI", "textcnn", "captum").measured == pytest.approx(1 / 1.2, abs=0.01)


def test_growth_is_the_slowest_length_over_the_fastest():
    table = bench.targets_of(timings(growth_of_LOO_library_textcnn=1.3))
    assert row(table, "growth of LOO", "textcnn", "its fastest length").measured == 1.3
    assert not row(table, "growth of LOO", "textcnn", "its fastest length").met
    assert row(table, "growth of LOO", "fasttext", "its fastest length").met


def test_growth_is_also_the_largest_distance_from_a_line_through_zero():
    # 1.728, 1 and 1 s for the same number of words: the geometric mean is 1.2 s, and 1.728 lies 44 % above it.
    for seconds, off, met in ((1.728, 0.44, False), (1.331, 0.21, False), (1.157625, 0.1025, True)):
        ratios = bench.targets_of(timings(growth_of_LOO_library_textcnn=seconds))
        found = row(ratios, "growth of LOO", "textcnn", "a straight line")
        assert found.measured == pytest.approx(off, abs=1e-3) and found.met == met


def test_the_table_in_the_book_follows_from_the_timings_in_the_book():
    found = bench.targets_of(kept.timings("cost"))
    assert_frame_equal(found, kept.timings("cost_targets").drop(columns=WHERE), check_dtype=False)


def test_every_timing_says_where_it_was_measured():
    for name in ("cost", "cost_targets"):
        table = kept.timings(name)
        assert table[WHERE].notna().all(axis=None) and len(table[WHERE].drop_duplicates()) == 1


def test_a_table_that_is_not_there_gets_one_clear_sentence():
    with pytest.raises(FileNotFoundError, match="no .*nothing.csv: .*make bench"):
        kept.timings("nothing")


def test_what_is_timed_runs():
    """Each benchmark of FastText once, without timing."""
    command = [sys.executable, "-m", "pytest", "book/make/benchmarks.py", "-q", "-o", "python_functions=bench_*",
               "--benchmark-disable", "-k", "fasttext and not ag_news and not long"]
    done = subprocess.run(command, cwd=ROOT, env=os.environ | {"TQDM_DISABLE": "1"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "passed" in done.stdout and "failed" not in done.stdout
