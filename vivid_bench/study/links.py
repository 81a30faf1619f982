"""The links of a served study: one with a token that nobody can guess for each rater, and one for whoever runs it."""

from __future__ import annotations

import csv
import io
import secrets
from hmac import compare_digest
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from vivid_bench.errors import InputError
from vivid_bench.files import atomic_path, disk_errors_named
from vivid_bench.study.types import StudyKey

SERVED = "served"
LINKS = "links.json"
LINKS_TABLE = "links.csv"
TOKEN_BYTES = 24


class Links(BaseModel):
    """Who holds which token, as `links.json` keeps it.

    Attributes:
        admin: the token of the page that shows progress and exports answers.
        raters: rater -> token.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    study: str
    admin: str
    raters: dict[str, str]

    def rater(self, token: str) -> str | None:
        """Return whose token this is, None if nobody's; how long that takes tells nothing of the tokens."""
        found = [rater for rater, own in self.raters.items() if _same(own, token)]
        return found[0] if found else None

    def is_admin(self, token: str) -> bool:
        """Whether this is the admin page's token."""
        return _same(self.admin, token)


def load_links(study: Path, key: StudyKey) -> Links:
    """Return a study's links, made the first time and kept in its folder `served`, which its owner alone can read.

    Raises:
        InputError: links of another study, or a file that is none, or a folder that cannot be written.
    """
    path = study / SERVED / LINKS
    with disk_errors_named(path):
        path.parent.mkdir(mode=0o700, exist_ok=True)
    if not path.exists():
        links = Links(study=key.study, admin=_token(), raters={plan.rater: _token() for plan in key.raters})
        write_secret(path, links.model_dump_json(indent=2) + "\n")
        return links
    fix = "move the folder away; new links are made then"
    try:
        links = Links.model_validate_json(path.read_bytes())
    except ValidationError as error:
        raise InputError(path, expected="a study's links", found="something else", fix=fix) from error
    if links.study != key.study or links.raters.keys() != {plan.rater for plan in key.raters}:
        expected = f"links of study {key.study} for {len(key.raters)} raters"
        found = f"those of {links.study} for {len(links.raters)}"
        raise InputError(path, expected=expected, found=found, fix=fix)
    return links


def addresses(links: Links, base: str) -> dict[str, str]:
    """Return each rater's address, below a server's `http://host:port`."""
    return {rater: f"{base}/r/{token}/" for rater, token in links.raters.items()}


def write_table(study: Path, by_rater: dict[str, str]) -> Path:
    """Write the raters' addresses as `served/links.csv`, to be sent out from; return its path."""
    table = io.StringIO()
    csv.writer(table, lineterminator="\n").writerows([("rater", "link"), *by_rater.items()])
    path = study / SERVED / LINKS_TABLE
    write_secret(path, table.getvalue())
    return path


def write_secret(path: Path, text: str) -> None:
    """Write UTF-8 text atomically to a file that its owner alone can read."""
    with atomic_path(path) as temporary:
        temporary.touch(mode=0o600)
        temporary.write_text(text, encoding="utf-8", newline="\n")


def _token() -> str:
    return secrets.token_urlsafe(TOKEN_BYTES)


def _same(own: str, token: str) -> bool:
    return compare_digest(own.encode(), token.encode())
