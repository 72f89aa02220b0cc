"""An empty cache for a test, and what tests of trainings and checkpoints do with it."""

from lib import training


def use_cache(folder, monkeypatch):
    monkeypatch.setenv("LIB_CACHE_DIR", str(folder))
    return folder / "models"


def files(folder):
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def weights_of(classifier):
    return {name: value.numpy().tobytes() for name, value in classifier.state_dict().items()}


def forbid_training(monkeypatch):
    def fail(*arguments):
        raise AssertionError("a model was trained that should have been loaded")
    monkeypatch.setattr(training, "_train", fail)


def interrupt(monkeypatch, module, name, call):
    """Let a function of ``module`` raise KeyboardInterrupt at one of its calls, as Ctrl-C would."""
    function, calls = getattr(module, name), []

    def interrupted(*arguments, **options):
        calls.append(name)
        if len(calls) == call:
            raise KeyboardInterrupt
        return function(*arguments, **options)

    monkeypatch.setattr(module, name, interrupted)
