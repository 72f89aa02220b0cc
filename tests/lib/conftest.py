"""What tests of lib share: an empty cache."""

import pytest
from caches import use_cache


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache; the folder where its models are kept."""
    monkeypatch.delenv("LIB_MODEL_DIR", raising=False)
    return use_cache(tmp_path / "cache", monkeypatch)
