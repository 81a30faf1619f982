import math

import pytest

from vivid_bench.errors import UnknownNameError, VividBenchError
from vivid_bench.registry import Registry, package_folder


def test_names_load_lazily_and_keep_their_order() -> None:
    registry = Registry("number", {"pi": "math:pi", "missing": "no_such_module:x"})
    assert list(registry) == ["pi", "missing"]
    assert len(registry) == 2
    assert "pi" in registry
    assert registry.load("pi") == math.pi
    with pytest.raises(ModuleNotFoundError):
        registry.load("missing")


def test_a_name_taken_twice_raises() -> None:
    registry = Registry("number", {"pi": "math:pi"})
    with pytest.raises(VividBenchError, match='number "pi" is registered twice: math:pi and math:tau'):
        registry.register("pi", "math:tau")


def test_unknown_name() -> None:
    with pytest.raises(UnknownNameError, match='did you mean "pi"'):
        Registry("number", {"pi": "math:pi"}).load("pie")


def test_package_folder() -> None:
    assert (package_folder("vivid_bench.baselines") / "telea" / "method.toml").is_file()
