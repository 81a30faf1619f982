from __future__ import annotations

import shutil

import pytest
from submitted import EXAMPLE, Bench, Quiet, write_suite

from vivid_bench.methods import find_method
from vivid_bench.run import RunOptions, run_methods
from vivid_bench.submission.pack import pack
from vivid_bench.submission.runs import Suites


@pytest.fixture(scope="session")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """The example method, run on a small suite and packed; not to be written to."""
    bench = Bench(tmp_path_factory.mktemp("bench"))
    write_suite(bench.suite)
    shutil.copytree(EXAMPLE, bench.method)
    known = find_method(f"{bench.method / 'method.py'}:BlurFill")
    run_methods([known], [bench.split()], RunOptions(bench.runs), Quiet())
    pack([bench.runs], bench.method / "method.toml", bench.archive, Suites(str(bench.suite)))
    return bench
