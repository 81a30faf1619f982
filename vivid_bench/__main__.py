"""`python -m vivid_bench` is the `vivid-bench` command."""

from vivid_bench.cli.main import main

if __name__ == "__main__":
    main()
