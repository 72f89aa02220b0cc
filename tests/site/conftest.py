"""Fixtures of the built book."""

from built import browser, executed, served, site  # noqa: F401
