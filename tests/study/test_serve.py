"""The rating server over HTTP: what it gives out, what it takes, and what it never shows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from made_study import made_study
from served_study import CLIP, STUDY, Served, answer, answers_of, made_folder, made_key, mode, running

from vivid_bench.errors import InputError
from vivid_bench.study.answers import read_answers
from vivid_bench.study.links import addresses, load_links, write_table
from vivid_bench.study.saved import read_key
from vivid_bench.study.serve import MAX_BODY_BYTES, find_packets
from vivid_bench.study.store import STORE

KEY = made_key()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    folder = made_folder(tmp_path / "study", KEY)
    with running(folder, KEY) as found:
        yield found


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A server that several tests share, none of which may leave an answer."""
    folder = made_folder(tmp_path_factory.mktemp("unchanged") / "study", KEY)
    with running(folder, KEY) as found:
        yield found


def test_a_packet_is_served_behind_its_link(unchanged: Served) -> None:
    status, headers, body = unchanged.browser("GET", unchanged.of("r001"))
    assert status == 200
    assert headers["content-type"].startswith("text/html")
    assert headers["cache-control"] == "no-store"
    assert KEY.raters[0].packet in body.decode()
    assert KEY.raters[1].packet in unchanged.browser("GET", unchanged.of("r002"))[2].decode()


def test_the_address_needs_no_slash_and_follows_no_host(unchanged: Served) -> None:
    path = unchanged.of("r001")[:-1]
    status, headers, _ = unchanged.browser("GET", path, Host="elsewhere.example")
    assert status == 307
    assert headers["location"] == "./" + path.rsplit("/", 1)[1] + "/"


def test_media_come_whole_or_in_parts(unchanged: Served) -> None:
    path = unchanged.of("r001") + "media/0a1b.mp4"
    status, headers, body = unchanged.browser("GET", path)
    assert (status, body, headers["content-type"]) == (200, CLIP, "video/mp4")
    assert headers["accept-ranges"] == "bytes"
    assert headers["cache-control"].startswith("private, max-age=")
    status, headers, body = unchanged.browser("GET", path, Range="bytes=100-199")
    assert (status, body, headers["content-range"]) == (206, CLIP[100:200], f"bytes 100-199/{len(CLIP)}")


@pytest.mark.parametrize(
    "path",
    [
        "media/none.mp4", "media/", "media", "key.json", "../key.json", "media/../index.html", "media/..%2findex.html",
        "media/..%2f..%2f..%2fkey.json", "media/%2e%2e/%2e%2e/%2e%2e/key.json", "media//etc/passwd",
        "media/%2fetc%2fpasswd", "media/0a1b.mp4%00", "index.html/", "answers", "../r002/", "docs", "openapi.json",
    ],
)  # fmt: skip
def test_nothing_else_is_served(unchanged: Served, path: str) -> None:
    status, _, body = unchanged.browser("GET", unchanged.of("r001") + path)
    assert status in (404, 405)
    assert b"secret" not in body


@pytest.mark.parametrize(
    "path", ["/", "/r/", "/r//", "/r/x/", "/admin/", "/admin/x/", "/docs", "/key.json", "/served/"]
)
def test_without_a_token_there_is_nothing(unchanged: Served, path: str) -> None:
    assert unchanged.browser("GET", path)[0] == 404


def test_a_token_opens_its_own_pages_only(unchanged: Served) -> None:
    rater, admin = unchanged.links.raters["r001"], unchanged.links.admin
    assert unchanged.browser("GET", f"/admin/{rater}/")[0] == 404
    assert unchanged.browser("GET", f"/admin/{rater}/export")[0] == 404
    assert unchanged.browser("GET", f"/r/{admin}/")[0] == 404
    assert unchanged.browser("GET", f"/r/{rater.swapcase()}/")[0] == 404
    assert unchanged.browser("GET", "/r/%ff%c3%a9/")[0] == 404


def test_a_link_to_a_file_outside_is_not_served(tmp_path: Path) -> None:
    folder = made_folder(tmp_path, KEY)
    media = folder / "packets" / "r001" / "media"
    (media / "out.mp4").symlink_to(folder / "key.json")
    assert set(find_packets(folder, KEY)["r001"].media) == {"0a1b.mp4"}


def test_no_page_says_which_method_is_which(served: Served) -> None:
    served.send("i002")
    pages = [served.of("r001") + name for name in ("", "state")] + [f"/admin/{served.links.admin}/"]
    for page in pages:
        _, _, body = served.browser("GET", page)
        assert b"secret" not in body
        assert b"key-" not in body


@pytest.mark.parametrize("path", ["", "state", "media/0a1b.mp4", "nothing"])
def test_every_reply_carries_the_headers(unchanged: Served, path: str) -> None:
    headers = unchanged.browser("GET", unchanged.of("r001") + path)[1]
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert "server" not in headers


def test_answers_are_kept_dated_by_the_server_and_given_back(served: Served) -> None:
    assert served.browser.json("GET", served.of("r001") + "state") == (200, {
        "study": STUDY, "rater": "r001", "packet": KEY.raters[0].packet, "answers": [], "finished": False,
    })  # fmt: skip
    kept = {
        "item": "i002", "values": {"visual-quality": 1, "overall": 1}, "seconds": 4.5,
        "at": "2026-06-01T12:00:00+00:00",
    }  # fmt: skip
    assert served.send("i002") == (200, {"answer": kept})
    assert served.browser.json("GET", served.of("r001") + "state")[1]["answers"] == [kept]
    assert served.browser.json("GET", served.of("r002") + "state")[1]["answers"] == []


def test_the_first_answer_stands(served: Served) -> None:
    _, first = served.send("i002", 1)
    assert served.send("i002", 1) == (200, first)
    assert served.send("i002", 2) == (409, first)
    assert served.send("i002", 2, "r002")[0] == 200


def test_a_reply_that_came_after_the_deadline_still_says_that_the_answer_stands(served: Served) -> None:
    _, first = served.send("i002", 1)
    served.clock[0] = datetime(2026, 6, 30, 23, 59, 59, tzinfo=UTC)
    assert served.send("i003")[0] == 200
    served.clock[0] = datetime(2026, 7, 1, tzinfo=UTC)
    assert served.send("i004") == (410, {"detail": "this study ended on 2026-06-30"})
    assert served.send("i002", 1) == (200, first)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("", "Invalid JSON"), ("[]", "an object"), ("[" * 10_000, "Invalid JSON"), ("\udcff", "Invalid JSON"),
        ('{"item": "i002", "values": {"overall": 1}, "seconds": 1, "at": ""}', "i002: expected answers to"),
        ('{"item": "i099", "values": {"overall": 1}, "seconds": 1, "at": ""}', "i099 is no item of r001"),
        ('{"item": "i002", "values": {"overall": 1, "visual-quality": 5}, "seconds": 1, "at": ""}', "found 5"),
        ('{"item": "i002", "values": {"overall": 1, "visual-quality": "tie"}, "seconds": 1, "at": ""}', "found tie"),
        ('{"item": "i002", "values": {"overall": 1, "visual-quality": "<b>"}, "seconds": 1, "at": ""}', "values"),
        ('{"item": "i002", "values": {"overall": 1, "visual-quality": 1}, "seconds": -1, "at": ""}', "seconds"),
        ('{"item": "i002", "values": {"overall": 1, "visual-quality": 1}, "seconds": NaN, "at": ""}', ""),
        ('{"item": "i002", "values": {"overall": true, "visual-quality": 1}, "seconds": 1, "at": ""}', "overall"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_refused_and_not_kept(unchanged: Served, body: str, said: str) -> None:
    status, _, reply = unchanged.browser(
        "POST", unchanged.of("r001") + "answers", body.encode(errors="surrogateescape")
    )
    assert status == 422
    assert said in json.loads(reply)["detail"]
    assert unchanged.browser.json("GET", unchanged.of("r001") + "state")[1]["answers"] == []


def test_a_large_body_is_refused(unchanged: Served) -> None:
    body = answer("i002").model_dump_json() + " " * MAX_BODY_BYTES
    assert unchanged.browser("POST", unchanged.of("r001") + "answers", body)[0] == 413


def test_finishing_needs_every_item_but_the_training_item(served: Served) -> None:
    for item in ("i001", "i002", "i003"):
        served.send(item)
    finish = served.of("r001") + "finish"
    assert served.browser.json("POST", finish, "{}") == (409, {"missing": ["i004"]})
    served.send("i004")
    assert served.browser.json("POST", finish, "{}") == (200, {"finished": True})
    assert served.browser.json("POST", finish, "{}") == (200, {"finished": True})
    assert served.browser.json("GET", served.of("r001") + "state")[1]["finished"] is True


def test_the_admin_page_shows_progress_and_exports_a_file_that_reads_back(served: Served, tmp_path: Path) -> None:
    for item in ("i001", "i002", "i003", "i004"):
        served.send(item)
    served.send("i002", 2, "r002")
    served.browser("POST", served.of("r001") + "finish", "{}")
    admin = f"/admin/{served.links.admin}/"
    _, headers, body = served.browser("GET", admin)
    page = body.decode()
    assert headers["content-security-policy"].startswith("default-src 'none'")
    assert headers["cache-control"] == "no-store"
    assert "<strong>1</strong> of 2 raters have finished, 2 have begun" in page
    assert "<strong>4</strong> of 6 items are answered" in page
    assert "3 / 3" in page
    assert "1 / 3" in page
    assert "2026-06-01 12:00:00" in page
    _, headers, body = served.browser("GET", admin + "export")
    assert headers["content-disposition"] == f'attachment; filename="answers-{STUDY}.json"'
    path = tmp_path / "export.json"
    path.write_bytes(body)
    exported = read_answers(KEY, Path("key.json"), [path])
    stored = read_answers(KEY, Path("key.json"), [], served.folder / STORE)
    assert exported == stored
    assert [len(rater.answers) for rater in exported.raters] == [4, 1]
    assert exported.problems == ("r002: 1 of 3 items answered; used as far as they go",)


def test_what_the_disk_refuses_is_not_acknowledged(tmp_path: Path) -> None:
    folder = made_folder(tmp_path, KEY)
    with running(folder, KEY) as served:
        # Nothing here can fill a disk; a connection that may not write fails at the same place.
        served.store._database.execute("PRAGMA query_only=1")
        status, reply = served.send("i002")
        assert status == 503
        assert str(reply["detail"]).startswith("not stored: ")


def test_links_are_made_once_and_are_their_owners_alone(tmp_path: Path) -> None:
    folder = made_folder(tmp_path, KEY)
    links = load_links(folder, KEY)
    assert load_links(folder, KEY) == links
    tokens = [links.admin, *links.raters.values()]
    assert len(set(tokens)) == 3
    assert all(len(token) == 32 for token in tokens)  # 24 random bytes in base64
    table = write_table(folder, addresses(links, "http://host:1"))
    assert table.read_text().splitlines()[:2] == ["rater,link", f"r001,http://host:1/r/{links.raters['r001']}/"]
    assert mode(folder / "served") == 0o700
    assert mode(folder / "served" / "links.json") == mode(table) == 0o600


def test_links_of_another_study_are_refused(tmp_path: Path) -> None:
    folder = made_folder(tmp_path, KEY)
    load_links(folder, KEY)
    with pytest.raises(InputError, match=f"expected links of study {'f' * 16}"):
        load_links(folder, made_key(study="f" * 16))
    with pytest.raises(InputError, match=f"links of study {STUDY} for 1 raters, found those of {STUDY} for 2"):
        load_links(folder, made_key(raters=KEY.raters[:1]))
    (folder / "served" / "links.json").write_text("{}")
    with pytest.raises(InputError, match="expected a study's links"):
        load_links(folder, KEY)


def test_a_packet_without_one_of_its_clips_is_refused(tmp_path: Path) -> None:
    folder = made_study(tmp_path)
    (clip, *_) = sorted((folder / "packets" / "r002" / "media").iterdir())
    find_packets(folder, read_key(folder))
    clip.unlink()
    with pytest.raises(InputError, match=f"expected every clip of the page, found 1 missing, first {clip.name}"):
        find_packets(folder, read_key(folder))


def test_packets_that_are_not_the_keys_are_refused(tmp_path: Path) -> None:
    folder = made_folder(tmp_path, KEY)
    (folder / "packets" / "r002" / "index.html").write_text("another")
    with pytest.raises(InputError, match="expected the packet 000000000000… of the key, found another"):
        find_packets(folder, KEY)
    (folder / "packets" / "r001" / "index.html").unlink()
    with pytest.raises(InputError, match="expected a packet"):
        find_packets(folder, KEY)


def test_answers_of_a_finished_rater_count(served: Served) -> None:
    for item in ("i002", "i003", "i004"):
        served.send(item)
    served.browser("POST", served.of("r001") + "finish", "{}")
    collected = read_answers(KEY, Path("key.json"), [], served.folder / STORE)
    (rater,) = collected.raters
    assert collected.problems == ()
    assert [a.values for a in rater.answers] == [a.values for a in answers_of().answers]
