"""``python -m book.make.train``: the classifiers of the plan are trained, measured, and packed for another machine."""

import zipfile
from concurrent.futures import ThreadPoolExecutor

import pytest
from small import RECIPES, corpus, fit

from book.make import train as tool
from book.paper import plan
from lib import checkpoints, training
from lib.experiments import Experiment


@pytest.fixture(autouse=True)
def pack(tmp_path, monkeypatch):
    """An empty cache, and a place for the pack of this test alone."""
    monkeypatch.delenv("LIB_MODEL_DIR", raising=False)
    monkeypatch.setenv("LIB_CACHE_DIR", str(tmp_path / "cache"))
    monkeypatch.setattr(tool, "PACK", tmp_path / "pack" / "models.zip")
    return tool.PACK


def test_the_tool_trains_prints_accuracies_and_packs(pack, monkeypatch, capsys):
    """From one end to the other, on a small corpus and with small recipes."""
    monkeypatch.setattr(tool, "processes", lambda: ThreadPoolExecutor(1))  # another process would not see the changes
    monkeypatch.setattr(plan, "TRAINED", tuple((name, kind) for name in ("imdb", "ag_news") for kind in RECIPES))
    monkeypatch.setattr(plan, "shared", lambda: [Experiment("imdb", "textcnn", 2, recipe={"filters": 4})])
    monkeypatch.setattr(tool.lib.data, "available", lambda name: name == "imdb")
    monkeypatch.setattr(tool.lib.data, "load", lambda name, **options: corpus())
    for name in RECIPES:
        monkeypatch.setitem(training.RECIPES, name, {**training.RECIPE, "start": "random", "updates": 5})
    tool.main()
    printed = capsys.readouterr().out
    assert printed.count("test accuracy 0.") == len(RECIPES) + 1 and "ag_news: not on this machine" in printed
    with zipfile.ZipFile(pack) as archive:
        names = archive.namelist()
        assert archive.testzip() is None
    kinds = sorted(name.split("-")[1] for name in names)
    assert kinds == sorted([*RECIPES, "textcnn"]), "with the recipe of an experiment"


def test_the_pack_unzips_into_a_folder_of_ready_models(pack, tmp_path, monkeypatch):
    trained = {name: fit(name) for name in RECIPES}
    tool.pack([checkpoints.find(classifier.key) for classifier in trained.values()])
    with zipfile.ZipFile(pack) as archive:
        archive.extractall(tmp_path / "ready")
    monkeypatch.setenv("LIB_CACHE_DIR", str(tmp_path / "another"))
    monkeypatch.setenv("LIB_MODEL_DIR", str(tmp_path / "ready"))
    monkeypatch.setattr(training, "_train", None)
    for name, classifier in trained.items():
        found = fit(name).state_dict()
        assert found and all(found[part].equal(weights) for part, weights in classifier.state_dict().items())


def test_where_nothing_can_be_kept_nothing_is_trained(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("LIB_CACHE_DIR", str(tmp_path / "file"))
    monkeypatch.setattr(tool, "processes", None)
    with pytest.warns(UserWarning, match="Nothing can be kept in"), pytest.raises(SystemExit, match="was trained"):
        tool.main()
