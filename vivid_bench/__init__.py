"""vivid-bench: the benchmark for video local editing."""

__version__ = "0.1.0"
