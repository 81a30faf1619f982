"""Baseline methods, one folder each: adapter.py, method.toml, README.md."""
