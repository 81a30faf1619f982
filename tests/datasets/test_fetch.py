"""Fetching sets from a server that the test starts on this machine: whole, cut off, wrong, refused, killed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from file_server import COMMIT, Server, Shown, be_the_hub, put_on_the_hub, serving

from vivid_bench.datasets import fetch as fetch_module
from vivid_bench.datasets.fetch import fetch, record_of, unfinished
from vivid_bench.datasets.fetch_plan import choose, plan_fetch
from vivid_bench.datasets.types import Card, Download
from vivid_bench.errors import DownloadError, InputError, UnknownNameError, VividBenchError

from .test_unpack import as_tar, as_zip, unpacked

FILES = {"toy/a/00000.jpg": bytes(range(256)) * 40, "toy/list.txt": b"a\n"}
HUB = "someone/toy"
CARD = Card(
    name="toy", title="Toy", homepage="https://example.org", licence="CC0", citation="nobody", tasks=("delete",),
    layout="toy/<id>/00000.jpg", certain=True, source="here",
)  # fmt: skip


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving() as state:
        be_the_hub(state, monkeypatch)
        monkeypatch.setenv("HF_TOKEN", "secret")
        yield state


@pytest.fixture
def archive(tmp_path: Path) -> bytes:
    return as_zip(tmp_path / "made.zip", FILES).read_bytes()


def card_with(**download: str | None) -> Card:
    return replace(CARD, downloads={"main": Download(**download)})  # type: ignore[arg-type]


def on_a_server(server: Server, content: bytes, *, sha256: bool = True) -> Card:
    server.files["/sets/toy.zip"] = content
    digest = hashlib.sha256(content).hexdigest() if sha256 else None
    return card_with(url=f"{server.url}/sets/toy.zip", sha256=digest)


def fetched(card: Card, to: Path, shown: Shown | None = None) -> None:
    fetch(plan_fetch(card, None, to), to, shown or Shown())


def visible(folder: Path) -> dict[str, bytes]:
    return {name: content for name, content in unpacked(folder).items() if not name.startswith(".")}


def test_an_archive_is_unpacked_and_nothing_else_is_left(server: Server, archive: bytes, tmp_path: Path) -> None:
    card, shown = on_a_server(server, archive), Shown()
    plan = plan_fetch(card, None, tmp_path / "to")
    assert (plan.bytes_to_come, plan.bytes_needed) == (len(archive), 2 * len(archive))
    fetch(plan, tmp_path / "to", shown)
    record = record_of(tmp_path / "to", "toy", "main")
    assert unpacked(tmp_path / "to") == FILES | {".fetched/toy-main.json": record.read_bytes()}
    assert json.loads(record.read_text()) == {
        "name": "toy", "part": "main", "source": f"{server.url}/sets/toy.zip", "licence": "CC0"
    }  # fmt: skip
    assert shown.downloads == {"toy main": (len(archive), len(archive)), "unpack toy.zip": (10242, 10242)}
    assert unfinished(tmp_path / "to") == []


def test_a_tar_of_a_url_with_a_query_and_no_hash(server: Server, tmp_path: Path) -> None:
    server.files["/sets/1"] = as_tar(tmp_path / "x", FILES, "w:gz").read_bytes()
    fetched(card_with(url=f"{server.url}/sets/1?download=1"), tmp_path / "to")
    assert visible(tmp_path / "to") == FILES


@pytest.mark.parametrize("ranges", [True, False])
def test_a_download_that_was_cut_off_goes_on(server: Server, archive: bytes, tmp_path: Path, ranges: bool) -> None:
    card, to = on_a_server(server, archive), tmp_path / "to"
    server.cut_after, server.ranges = 100, ranges
    with pytest.raises(DownloadError, match="run the same command again to go on"):
        fetched(card, to)
    assert visible(to) == {}
    assert unfinished(to) == [f"{to}: toy-main is not fetched whole; give the same `data fetch` again to go on"]
    server.cut_after = None
    assert plan_fetch(card, None, to).bytes_to_come == len(archive) - 100
    shown = Shown()
    fetched(card, to, shown)
    assert server.requests[-1] == ("GET", "/sets/toy.zip", "bytes=100-")
    assert shown.downloads["toy main"] == (len(archive), len(archive))
    assert visible(to) == FILES
    assert unfinished(to) == []


def test_a_wrong_hash_is_refused_and_removed(server: Server, archive: bytes, tmp_path: Path) -> None:
    card, to = on_a_server(server, archive), tmp_path / "to"
    server.files["/sets/toy.zip"] = archive[:-1] + b"!"
    with pytest.raises(InputError, match=r"expected sha256 .*; run the same command again"):
        fetched(card, to)
    assert visible(to) == {}
    assert not list(to.rglob("*.zip*"))


def test_a_file_that_the_server_lacks(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"sets/toy\.zip: the server answered 404"):
        plan_fetch(card_with(url=f"{server.url}/sets/toy.zip"), None, tmp_path / "to")
    assert not (tmp_path / "to").exists()


def test_no_room(server: Server, archive: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    card, to = on_a_server(server, archive), tmp_path / "to"
    plan = plan_fetch(card, None, to)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=len(archive) - 1))
    with pytest.raises(InputError, match="of room"):
        fetch(plan, to, Shown())
    assert visible(to) == {}
    # Room for the archive, and for no more than that.
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=len(archive)))
    with pytest.raises(InputError, match="of room"):
        fetch(plan, to, Shown())
    assert visible(to) == {}
    monkeypatch.undo()
    fetch(plan, to, Shown())
    assert visible(to) == FILES


@pytest.mark.parametrize("name", ["../evil", "/etc/evil"])
def test_a_hostile_archive_leaves_nothing_that_looks_like_a_set(server: Server, tmp_path: Path, name: str) -> None:
    evil = as_zip(tmp_path / "evil.zip", FILES | {name: b"evil"}).read_bytes()
    with pytest.raises(InputError, match="a path that leads out of the folder"):
        fetched(on_a_server(server, evil), tmp_path / "to")
    assert visible(tmp_path / "to") == {}
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("dies_in", ["unpack", "_check_free", "_move", "write_text", "rmtree"])
def test_a_kill_at_any_moment(
    server: Server, archive: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, dies_in: str
) -> None:
    """What is there after the kill is nothing, or, once moving began, what the next command completes."""
    card, to = on_a_server(server, archive), tmp_path / "to"
    owner = fetch_module.shutil if dies_in == "rmtree" else fetch_module
    real = getattr(owner, dies_in)

    def dies(*arguments: object, **options: object) -> None:
        if dies_in != "rmtree" or str(arguments[0]).endswith("toy-main"):
            real(*arguments, **options)
            raise KeyboardInterrupt

    monkeypatch.setattr(owner, dies_in, dies)
    with pytest.raises(KeyboardInterrupt):
        fetched(card, to)
    monkeypatch.setattr(owner, dies_in, real)
    assert visible(to) in ({}, FILES)
    gets = len(server.requests)
    if record_of(to, "toy", "main").exists():
        assert visible(to) == FILES
    else:
        assert unfinished(to) != []
        fetched(card, to)
    assert visible(to) == FILES
    assert unfinished(to) == []
    # At most its size is asked again: no byte comes twice.
    assert len(server.requests) - gets <= 1


def test_two_parts_share_a_folder_and_other_files_are_not_replaced(server: Server, tmp_path: Path) -> None:
    parts = {"a": {"toy/README": b"1", "toy/a/x": b"a"}, "b": {"toy/README": b"1", "toy/b/x": b"b"}}
    parts["c"] = {"toy/README": b"2", "toy/c/x": b"c"}
    for part, files in parts.items():
        server.files[f"/{part}.zip"] = as_zip(tmp_path / part, files).read_bytes()
    card = replace(CARD, downloads={part: Download(url=f"{server.url}/{part}.zip") for part in parts})
    to = tmp_path / "to"
    for part in "ab":
        fetch(plan_fetch(card, part, to), to, Shown())
    assert visible(to) == parts["a"] | parts["b"]
    with pytest.raises(InputError, match=r"toy/README: expected nothing, or the set's own file, found another one"):
        fetch(plan_fetch(card, "c", to), to, Shown())
    assert visible(to) == parts["a"] | parts["b"]
    (to / "toy" / "README").unlink()
    server.requests.clear()
    fetch(plan_fetch(card, "c", to), to, Shown())
    assert visible(to) == parts["a"] | parts["b"] | parts["c"]
    assert server.requests == []


def hub_files(tmp_path: Path) -> dict[str, bytes]:
    return {
        ".gitattributes": b"* lfs",
        "clips.csv": b"id\na\n",
        "shard.tar": as_tar(tmp_path / "shard", FILES).read_bytes(),
        "more/toy.zip": as_zip(tmp_path / "zip", FILES).read_bytes(),
    }


def test_a_set_of_the_hub(server: Server, tmp_path: Path) -> None:
    files, to, shown = hub_files(tmp_path), tmp_path / "to", Shown()
    put_on_the_hub(server, HUB, files)
    fetched(card_with(hub=HUB), to, shown)
    expected = {"clips.csv": files["clips.csv"], "shard.tar": files["shard.tar"]}
    assert visible(to) == expected | {f"more/{name}": content for name, content in FILES.items()}
    size = sum(len(files[name]) for name in ("clips.csv", "shard.tar", "more/toy.zip"))
    assert shown.downloads["toy main"] == (size, size)
    assert f"/datasets/{HUB}/tree/{COMMIT}" in record_of(to, "toy", "main").read_text()
    tokens = [t for (_, path, _), t in zip(server.requests, server.tokens, strict=True) if HUB in path]
    assert tokens == ["Bearer secret"] * 5


def test_zips_that_are_shards_stay_as_they_are(server: Server, tmp_path: Path) -> None:
    files, to = hub_files(tmp_path), tmp_path / "to"
    put_on_the_hub(server, HUB, files)
    fetched(replace(CARD, downloads={"main": Download(hub=HUB, zip_shards=True)}), to)
    assert visible(to) == {name: content for name, content in files.items() if not name.startswith(".")}


def test_a_set_of_the_hub_goes_on_after_a_cut(server: Server, tmp_path: Path) -> None:
    files, to = hub_files(tmp_path), tmp_path / "to"
    put_on_the_hub(server, HUB, files)
    plan = plan_fetch(card_with(hub=HUB), None, to)
    server.cut_after = 3000
    with pytest.raises(DownloadError, match="run the same command again to go on"):
        fetch(plan, to, Shown())
    assert visible(to) == {}
    server.cut_after = None
    server.requests.clear()
    again = plan_fetch(card_with(hub=HUB), None, to)
    assert again.bytes_to_come == (plan.bytes_to_come or 0) - 3000 - len(files["clips.csv"])
    fetch(again, to, Shown())
    assert visible(to)["shard.tar"] == files["shard.tar"]
    downloads = [(path.rpartition("/")[2], asked) for _, path, asked in server.requests if "/resolve/" in path]
    assert downloads == [("shard.tar", "bytes=3000-"), ("toy.zip", None)]


@pytest.mark.parametrize("name", ["clips.csv", "shard.tar"])
def test_a_wrong_file_of_the_hub(server: Server, tmp_path: Path, name: str) -> None:
    """A small one is compared with git's hash, a large one with its sha256."""
    files = hub_files(tmp_path)
    put_on_the_hub(server, HUB, files)
    server.files[f"/datasets/{HUB}/resolve/{COMMIT}/{name}"] = files[name][:-1] + b"!"
    with pytest.raises(InputError, match=f"{name}.part: expected .*found .*; run the same command again"):
        fetched(card_with(hub=HUB), tmp_path / "to")
    assert visible(tmp_path / "to") == {}


def test_a_file_that_changed_between_two_attempts(server: Server, tmp_path: Path) -> None:
    files, to = hub_files(tmp_path), tmp_path / "to"
    put_on_the_hub(server, HUB, files)
    del server.files[f"/datasets/{HUB}/resolve/{COMMIT}/more/toy.zip"]
    with pytest.raises(DownloadError, match="404"):
        fetched(card_with(hub=HUB), to)
    put_on_the_hub(server, HUB, files | {"clips.csv": b"id\nb\n"})
    fetched(card_with(hub=HUB), to)
    assert visible(to)["clips.csv"] == b"id\nb\n"


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "a/../../evil"])
def test_names_of_the_hub_are_checked_before_anything_comes(server: Server, tmp_path: Path, name: str) -> None:
    put_on_the_hub(server, HUB, {"a.txt": b"a", name: b"evil"})
    with pytest.raises(InputError, match=r"evil \(a path that leads out of the folder\); nothing was downloaded"):
        plan_fetch(card_with(hub=HUB), None, tmp_path / "to")
    assert not any("/resolve/" in path for _, path, _ in server.requests)


def test_a_gated_set_says_where_its_terms_are(server: Server, tmp_path: Path) -> None:
    put_on_the_hub(server, HUB, {"a.txt": b"a"}, gated=True)
    with pytest.raises(DownloadError, match=r"huggingface\.co/datasets/someone/toy is gated: accept its terms there"):
        plan_fetch(card_with(hub=HUB), None, tmp_path / "to")


def test_a_set_that_the_hub_lacks(server: Server, tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"toy: https://huggingface\.co/datasets/someone/toy: ."):
        plan_fetch(card_with(hub=HUB), None, tmp_path / "to")


def test_the_hubs_offline_switch_is_respected(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match="toy: HF_HUB_OFFLINE is set; unset it, or run the same command on"):
        plan_fetch(card_with(hub=HUB), None, tmp_path / "to")
    assert server.requests == []


def test_parts() -> None:
    by_hand = Download(by_hand="fill in the form")
    card = replace(CARD, downloads={"first": Download(url="http://x/y.zip"), "second": by_hand})
    assert choose(card, None)[0] == "first"
    with pytest.raises(VividBenchError, match="toy second cannot be fetched by a program: fill in the form; then"):
        choose(card, "second")
    with pytest.raises(UnknownNameError, match='unknown part of toy "secnd": did you mean "second"'):
        choose(card, "secnd")
    with pytest.raises(VividBenchError, match=r"toy: no download is known; see https://example\.org"):
        choose(CARD, None)


def test_a_network_that_goes_away_is_no_fault_of_the_disk(
    server: Server, archive: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    card = on_a_server(server, archive)

    def fail(*_: object) -> bytes:
        raise OSError(113, "No route to host")

    with monkeypatch.context() as patch:
        patch.setattr("http.client.HTTPResponse.read", fail)
        with pytest.raises(DownloadError, match=r"No route to host; run the same command again to go on"):
            fetched(card, tmp_path / "to")
    fetched(card, tmp_path / "to")
    assert visible(tmp_path / "to") == FILES


def test_a_file_where_the_set_has_a_folder_is_left_alone(server: Server, archive: bytes, tmp_path: Path) -> None:
    (tmp_path / "to").mkdir()
    (tmp_path / "to/toy").write_text("mine")
    with pytest.raises(InputError, match=r"to/toy: expected nothing, or the set's own file, found another one"):
        fetched(on_a_server(server, archive), tmp_path / "to")
    assert (tmp_path / "to/toy").read_text() == "mine"
