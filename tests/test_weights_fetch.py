"""Downloads from a server that the test starts on this machine: whole, cut off, wrong, refused."""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import pytest
from file_server import COMMIT, Server, Shown, be_the_hub, serving

from vivid_bench import downloads, weights
from vivid_bench.errors import DownloadError, InputError
from vivid_bench.weights import Weights
from vivid_bench.weights_fetch import fetch

CONTENT = bytes(range(256)) * 40
DIGEST = hashlib.sha256(CONTENT).hexdigest()
FILE = f"net-{DIGEST[:8]}.pth"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as state:
        yield state


@pytest.fixture(autouse=True)
def empty_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> None:
    """No weights but those the test fetches; the hub is the test's server."""
    monkeypatch.setattr(weights, "SHIPPED", tmp_path / "shipped")
    monkeypatch.delenv("VIVID_BENCH_WEIGHTS", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setenv("HF_TOKEN", "secret")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    be_the_hub(server, monkeypatch)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> Callable[[Weights], Weights]:
    """Put an entry into the catalogue."""

    def put(entry: Weights) -> Weights:
        monkeypatch.setattr(weights, "catalogue", lambda: {entry.name: entry})
        monkeypatch.setattr("vivid_bench.weights_check.catalogue", lambda: {entry.name: entry})
        return entry

    return put


Known = Callable[[Weights], Weights]


def on_a_server(server: Server, file: str = FILE) -> Weights:
    return Weights(
        name="net", kind="file", licence="MIT", used_by=("x",), url=f"{server.url}/models/{file}", file=file, size=10240
    )


def on_the_hub(sha256: str | None = DIGEST, other_file: str | None = None) -> Weights:
    return Weights(
        name="vit", kind="folder", licence="MIT", used_by=("x",), hub="someone/vit", revision=COMMIT,
        settings=("config.json",), file="model.bin", other_file=other_file, sha256=sha256,
    )  # fmt: skip


def hub_path(file: str) -> str:
    return f"/someone/vit/resolve/{COMMIT}/{file}"


def test_a_file_goes_to_the_cache_or_to_a_folder(server: Server, known: Known, tmp_path: Path) -> None:
    server.files[f"/models/{FILE}"] = CONTENT
    entry = known(on_a_server(server))
    shown = Shown()
    path = fetch(entry, None, shown)
    assert path == tmp_path / "cache" / "vivid-bench" / "weights" / "net" / FILE
    assert path.read_bytes() == CONTENT
    assert shown.downloads == {FILE: (len(CONTENT), len(CONTENT))}
    path = fetch(entry, tmp_path / "to", shown)
    assert path == tmp_path / "to" / "net" / FILE
    assert [p.name for p in path.parent.iterdir()] == [FILE]


def test_what_is_there_is_not_fetched_again(server: Server, known: Known, tmp_path: Path) -> None:
    server.files[f"/models/{FILE}"] = CONTENT
    entry = known(on_a_server(server))
    path = fetch(entry, tmp_path, Shown())
    server.requests.clear()
    assert fetch(entry, tmp_path, Shown()) == path
    assert server.requests == []
    path.write_bytes(b"broken")
    with pytest.raises(InputError, match="delete it and run `vivid-bench weights fetch net`"):
        fetch(entry, tmp_path, Shown())


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_was_cut_off_goes_on(server: Server, known: Known, tmp_path: Path, ranges: bool) -> None:
    server.files[f"/models/{FILE}"] = CONTENT
    server.cut_after = 4000
    server.ranges = ranges
    entry = known(on_a_server(server))
    with pytest.raises(DownloadError, match="run the same command again to go on"):
        fetch(entry, tmp_path, Shown())
    assert (tmp_path / "net" / f".{FILE}.part").stat().st_size == 4000
    server.cut_after = None
    shown = Shown()
    assert fetch(entry, tmp_path, shown).read_bytes() == CONTENT
    assert server.requests[-1] == ("GET", f"/models/{FILE}", "bytes=4000-")
    assert shown.downloads == {FILE: (len(CONTENT), len(CONTENT))}
    assert not list((tmp_path / "net").glob(".*"))


def test_a_download_that_was_stopped_after_its_last_byte_is_not_made_again(
    server: Server, known: Known, tmp_path: Path
) -> None:
    part = tmp_path / "net" / f".{FILE}.part"
    part.parent.mkdir()
    part.write_bytes(CONTENT)
    assert fetch(known(on_a_server(server)), tmp_path, Shown()).read_bytes() == CONTENT
    assert server.requests == []


@pytest.mark.parametrize("left", [CONTENT[:-1] + b"!", CONTENT + b"more"])
def test_a_part_that_is_as_long_as_the_file_is_fetched_anew(
    server: Server, known: Known, tmp_path: Path, left: bytes
) -> None:
    server.files[f"/models/{FILE}"] = CONTENT
    part = tmp_path / "net" / f".{FILE}.part"
    part.parent.mkdir()
    part.write_bytes(left)
    assert fetch(known(on_a_server(server)), tmp_path, Shown()).read_bytes() == CONTENT


def test_a_wrong_file_is_removed(server: Server, known: Known, tmp_path: Path) -> None:
    server.files[f"/models/{FILE}"] = CONTENT[:-1]
    with pytest.raises(InputError, match=f"expected sha256 {DIGEST[:8]}"):
        fetch(known(on_a_server(server)), tmp_path, Shown())
    assert list((tmp_path / "net").iterdir()) == []


def test_a_file_that_the_server_lacks(server: Server, known: Known, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"models/net-.*\.pth: the server answered 404"):
        fetch(known(on_a_server(server)), tmp_path, Shown())


def test_a_full_disk_is_seen_before_the_download(
    server: Server, known: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server.files[f"/models/{FILE}"] = CONTENT
    server.files |= {hub_path("config.json"): b"{}", hub_path("model.bin"): CONTENT}
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=5000))
    for entry in (on_a_server(server), on_the_hub()):
        with pytest.raises(InputError, match="of room"):
            fetch(known(entry), tmp_path, Shown())
    assert not list(tmp_path.rglob("*.pth"))
    assert not list(tmp_path.rglob("*.bin*"))


def test_no_network_is_said_at_once(server: Server, known: Known, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    entry = on_a_server(Server(url=f"http://127.0.0.1:{port}"))
    with pytest.raises(DownloadError, match=r"cannot reach 127\.0\.0\.1: .*copy DIR here, and set VIVID_BENCH_WEIGHTS"):
        fetch(known(entry), tmp_path, Shown())


def test_a_network_that_swallows_everything_is_given_up(known: Known, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(downloads, "CONNECT_SECONDS", 0.05)
    test_is_over = Event()

    def no_answer(*_: object) -> object:
        test_is_over.wait()
        raise OSError

    monkeypatch.setattr("socket.create_connection", no_answer)
    with pytest.raises(DownloadError, match="no answer in"):
        fetch(known(on_a_server(Server(url="http://example.invalid"))), None, Shown())
    test_is_over.set()


def test_a_repository_of_the_hub(server: Server, known: Known, tmp_path: Path) -> None:
    server.files |= {hub_path("config.json"): b"{}", hub_path("model.bin"): CONTENT}
    entry = known(on_the_hub())
    shown = Shown()
    path = fetch(entry, tmp_path, shown)
    assert path == tmp_path / "vit"
    assert sorted(p.name for p in path.iterdir()) == ["config.json", "model.bin"]
    assert (path / "model.bin").read_bytes() == CONTENT
    assert shown.downloads == {"config.json": (2, 2), "model.bin": (len(CONTENT), len(CONTENT))}


def test_a_repository_goes_on_after_a_cut(server: Server, known: Known, tmp_path: Path) -> None:
    server.files |= {hub_path("config.json"): b"{}", hub_path("model.bin"): CONTENT}
    entry = known(on_the_hub())
    server.cut_after = 4000
    with pytest.raises(DownloadError, match=r"model\.bin: .*run the same command again to go on"):
        fetch(entry, tmp_path, Shown())
    server.cut_after = None
    assert (fetch(entry, tmp_path, Shown()) / "model.bin").read_bytes() == CONTENT
    assert server.requests[-1] == ("GET", hub_path("model.bin"), "bytes=4000-")


def test_the_token_stays_with_the_hub(server: Server, known: Known, tmp_path: Path) -> None:
    with serving() as storage:
        for at in (server, storage):
            at.files |= {hub_path("config.json"): b"{}", hub_path("model.bin"): CONTENT}
        server.redirect = storage.url.replace("127.0.0.1", "localhost")
        fetch(known(on_the_hub()), tmp_path, Shown())
        assert server.tokens.count("Bearer secret") >= 2
        assert storage.tokens == [None, None]


def test_a_wrong_file_of_the_hub_is_removed(server: Server, known: Known, tmp_path: Path) -> None:
    server.files |= {hub_path("config.json"): b"{}", hub_path("model.bin"): CONTENT}
    with pytest.raises(InputError, match="expected sha256 000000000000…"):
        fetch(known(on_the_hub("0" * 64)), tmp_path, Shown())
    assert [path.name for path in (tmp_path / "vit").iterdir()] == ["config.json"]


def test_what_the_hub_says_of_a_file_is_compared(server: Server, known: Known, tmp_path: Path) -> None:
    server.files |= {hub_path("config.json"): b"{}", hub_path("model.bin"): CONTENT}
    entry = known(on_the_hub(None))
    part = tmp_path / "vit" / ".model.bin.part"
    part.parent.mkdir()
    part.write_bytes(b"left by another version")
    with pytest.raises(InputError, match=f"expected sha256 {DIGEST[:12]}…"):
        fetch(entry, tmp_path, Shown())
    assert (fetch(entry, tmp_path, Shown()) / "model.bin").read_bytes() == CONTENT


def test_a_repository_with_the_older_name_only(server: Server, known: Known, tmp_path: Path) -> None:
    server.files |= {hub_path("config.json"): b"{}", hub_path("older.bin"): CONTENT}
    path = fetch(known(on_the_hub(None, other_file="older.bin")), tmp_path, Shown())
    assert (path / "older.bin").read_bytes() == CONTENT


def test_a_file_that_the_hub_lacks(known: Known, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"vit: https://huggingface\.co/someone/vit: .*"):
        fetch(known(on_the_hub()), tmp_path, Shown())


def test_the_hubs_offline_switch_is_respected(
    server: Server, known: Known, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match="HF_HUB_OFFLINE is set"):
        fetch(known(on_the_hub()), tmp_path, Shown())
    assert server.requests == []
