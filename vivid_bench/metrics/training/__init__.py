"""Scripts that made the weights in `vivid_bench/metrics/weights`: `python -m vivid_bench.metrics.training.<name>`."""
