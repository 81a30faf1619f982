"""What the names of VIVID-10M's files say: which is a mask, of what, in which form, and which video it belongs to.

Nothing is opened here. The authors' names are those of the first commit of their project page (InkosiZhong/VIVID on
GitHub, 97b372d: `asserts/videos/dataset/00049967/source_video.mp4`, `mask_clip0000_instance0000_ori_mask_dilated.mp4`)
and of its `scripts/utils.py` at 474986a, which lists the forms of masks and finds captions. How the set itself is laid
out on the hub is not known here, so names of other habits are taken too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import PurePosixPath
from typing import Any

from vivid_bench.images import IMAGE_SUFFIXES
from vivid_bench.masks import MASK_KINDS
from vivid_bench.types import Task
from vivid_bench.video import VIDEO_SUFFIXES

MEDIA_SUFFIXES = (*VIDEO_SUFFIXES, *IMAGE_SUFFIXES)

LAYOUT = (
    "<8-digit id>/source_video.mp4 + mask_clip0000_{instance|remove}0000_{ori_mask|ori_mask_dilated|convexHull_mask|"
    "rectangle_mask}.mp4 + local_caption/v2/local_caption_clip0000_instance0000.txt\n"
    "or <id>/source.mp4 + mask.mp4 + caption.txt (or clips.json); images as .jpg + .png\n"
    "or .tar and .zip shards of these, or of <key>.mp4 + <key>.mask.mp4 + <key>.txt + <key>.json\n"
    "or .parquet with bytes in source (video, image) and mask, and a caption\n"
    "or a .csv, .jsonl or .parquet that lists source, mask and caption"
)
"""What is read, a line each; the first is the authors' own naming."""

BOTH = "add,modify"
"""What an instance's mask serves: the set makes no difference between the two."""

SERVES: dict[Task, tuple[str, ...]] = {"add": ("add", BOTH), "modify": ("modify", BOTH), "delete": ("delete",)}
"""Task -> the values of a row's task that it takes."""

LOOKED_FOR = "source_video, source, video, <clip>, video_<clip>, <id> or <id>_src, with a video's or image's suffix"

_OF_CLIP = ("{}", "source_video_{}", "source_{}", "video_{}", "image_{}")
_FORMS = {"ori_mask": "original", "convexHull_mask": "hull", "rectangle_mask": "rect"}
_MASK = re.compile(
    r"mask_(?P<clip>clip\d+)_(?P<entity>(?P<what>instance|remove)\d+)"
    r"_(?P<form>ori_mask|convexHull_mask|rectangle_mask)(?P<dilated>_dilated)?"
)
_VIDEO_ID = re.compile(r"\d{8}")
_TASK_WORDS = {
    "add": "add", "insert": "add", "addition": "add", "insertion": "add", "modify": "modify", "edit": "modify",
    "modification": "modify", "delete": "delete", "remove": "delete", "deletion": "delete", "removal": "delete",
    "instance": BOTH, BOTH: BOTH,
}  # fmt: skip

ALIASES: dict[str, tuple[str, ...]] = {
    "id": ("id", "sample_id", "key", "__key__"),
    "task": ("task", "edit_type"),
    "source": ("source", "video", "image", "source_path", "video_path", "image_path"),
    "mask": ("mask", "mask_video", "mask_path"),
    "prompt": ("prompt", "caption", "local_caption", "text"),
    "mask_kind": ("mask_kind", "mask_type"),
    "frames": ("frames", "num_frames", "n_frames"),
    "height": ("height",),
    "width": ("width",),
    "source_video": ("source_video", "video_id"),
    "reference": ("reference", "reference_path", "ground_truth"),
    "hole": ("hole",),
}
"""What a list may say of a sample -> the names that lists, columns and json files may give it, in any case of letters;
the first that is there counts."""


@dataclass(frozen=True)
class MaskName:
    """What a mask's name says.

    Attributes:
        clip: e.g. `clip0000`.
        entity: e.g. `instance0000` or `remove0000`.
        task: a row's task.
        kind: one of `masks.MASK_KINDS`.
    """

    clip: str
    entity: str
    task: str
    kind: str

    @property
    def caption(self) -> str:
        """The name of the entity's caption; all forms of a mask share it."""
        return f"local_caption_{self.clip}_{self.entity}.txt"


def parse_mask(name: str) -> MaskName | None:
    """Return what a file's name says, or None when it is no mask in the authors' naming.

    Example:
        >>> parse_mask("mask_clip0000_remove0001_convexHull_mask.mp4").kind
        'hull'
    """
    stem, suffix = split_name(name)
    found = _MASK.fullmatch(stem) if suffix in MEDIA_SUFFIXES else None
    if found is None:
        return None
    kind = _FORMS[found["form"]]
    if found["dilated"]:
        kind = "expand" if kind == "original" else f"{kind}+expand"
    return MaskName(found["clip"], found["entity"], BOTH if found["what"] == "instance" else "delete", kind)


def sample_id(video: str, mask: str) -> str:
    """Return the id of a sample whose mask has the authors' naming, the same wherever the file lies.

    Example:
        >>> sample_id("00049967", "mask_clip0000_instance0000_ori_mask.mp4")
        '00049967_clip0000_instance0000_ori_mask'
    """
    return f"{video}_{split_name(mask)[0].removeprefix('mask_')}"


def split_name(name: str) -> tuple[str, str]:
    """Return the stem and the lower-case suffix of a path's last part."""
    last = PurePosixPath(name)
    return last.stem, last.suffix.lower()


def is_media(name: str) -> bool:
    """Return whether a name is a video's or an image's."""
    return split_name(name)[1] in MEDIA_SUFFIXES


def is_image(name: str) -> bool:
    """Return whether a name is an image's: a clip of one frame."""
    return split_name(name)[1] in IMAGE_SUFFIXES


def is_video_id(name: str) -> bool:
    """Return whether a folder's name is one of the set's numbers of eight digits."""
    return _VIDEO_ID.fullmatch(name) is not None


def is_of_one_video(name: str, names: Sequence[str]) -> bool:
    """Return whether a folder, of this name and with these files, belongs to one video."""
    stems = {split_name(file)[0] for file in names if is_media(file)}
    return is_video_id(name) or {"source", "mask"} <= stems or any(parse_mask(file) for file in names)


def video_of(name: str) -> str | None:
    """Return the video's number that a key or a path begins with or passes through; None when there is none."""
    for part in PurePosixPath(name).parts:
        if found := re.match(r"(\d{8})(?!\d)", part):
            return found[1]
    return None


def pick_source(names: Sequence[str], video: str, clip: str, mask: str) -> str | None:
    """Return the name, of those in a video's folder, of the clip that a mask belongs to; None: none, or no telling.

    What is named after the clip comes before what is named after the video, which counts only where the masks are of
    one clip: of several, nothing says which it is. An image's source is an image, a video's a video.
    """
    media: dict[str, str] = {}
    for name in names:
        if is_media(name) and is_image(name) == is_image(mask):
            media.setdefault(split_name(name)[0], name)
    wanted = [*(pattern.format(clip) for pattern in _OF_CLIP), f"{video}_{clip}"]
    if len({parsed.clip for name in names if (parsed := parse_mask(name))}) <= 1:
        wanted += ["source_video", "source", "video", "source_image", "image", video, f"{video}_src", "src"]
    return next((media[stem] for stem in wanted if stem in media), None)


def pick_caption(names: Sequence[str], mask: MaskName) -> str | None:
    """Return the name of an entity's caption: below `local_caption/v2`, else in the last version there is."""
    found = [name for name in names if PurePosixPath(name).name == mask.caption]
    return max(found, key=lambda name: ("local_caption/v2/" in name, name), default=None)


@dataclass(frozen=True)
class Keyed:
    """Files that share a key, as the members of a webdataset do; those that are missing are None.

    Attributes:
        has_media: whether any of them is a video or an image, whatever it is called.
        twice: a field that several files would fill, with nothing to tell which; empty: none.
    """

    key: str
    source: str | None = None
    mask: str | None = None
    caption: str | None = None
    facts: str | None = None
    reference: str | None = None
    has_media: bool = False
    twice: str = ""


_FIELDS = {
    "": "source", "video": "source", "source": "source", "src": "source", "image": "source", "mask": "mask",
    "reference": "reference", "txt": "caption", "caption": "caption", "local_caption": "caption", "prompt": "caption",
    "json": "facts", "meta": "facts", "metadata": "facts",
}  # fmt: skip


def keyed(names: Sequence[str]) -> Iterator[Keyed]:
    """Group one folder's files by key: `<key>.mp4 <key>.mask.mp4 <key>.txt <key>.json`, or `<key>_src` and `_mask`.

    The key ends at the first dot of the last part, as webdataset has it. Beside a mask that is a video, an image is no
    source (a thumbnail).
    """
    split = sorted((*_key_and_field(name), name) for name in names)
    for key, group in groupby(split, key=lambda entry: entry[0]):
        fields: dict[str, list[str]] = {}
        for _, field, name in group:
            fields.setdefault(field, []).append(name)
        has_media = any(is_media(name) for files in fields.values() for name in files)
        fields.pop("", None)
        masks, sources = fields.get("mask", []), fields.get("source", [])
        if len(sources) > 1 and masks and not is_image(masks[0]):
            fields["source"] = [name for name in sources if not is_image(name)] or sources
        twice = next((field for field, files in fields.items() if len(files) > 1), "")
        yield Keyed(key, **{field: files[0] for field, files in fields.items()}, has_media=has_media, twice=twice)


def _key_and_field(name: str) -> tuple[str, str]:
    path = PurePosixPath(name)
    key, _, rest = path.name.partition(".")
    if is_media(name):
        word = rest.rpartition(".")[0]
        if not word and (found := re.fullmatch(r"(.+)_(src|source|mask)", key)):
            key, word = found[1], found[2]
        # A crop or a half made for the page has a key of its own, with nothing beside it.
    else:
        stem, _, suffix = rest.rpartition(".")
        word = (stem or suffix) if suffix in ("txt", "json") else "unknown"
    return (path.parent / key).as_posix(), _FIELDS.get(word, "")


def fields_of(entry: Mapping[str, Any]) -> dict[str, Any]:
    """Return a list's entry by the fields of a row; what is empty or unknown is left out."""
    stated = {str(name).lower(): value for name, value in entry.items()}
    found = {}
    for field, names in ALIASES.items():
        for name in names:
            if (value := stated.get(name)) not in (None, ""):
                found[field] = value
                break
    return found


def task_of(word: object) -> str | None:
    """Return a row's task for what a list calls it; None for what it does not know."""
    return _TASK_WORDS.get(str(word).strip().lower())


def kind_of(word: object) -> str | None:
    """Return one of `masks.MASK_KINDS` for what a list calls it; None for what it does not know."""
    name = str(word).strip()
    if name in MASK_KINDS:
        return name
    named = parse_mask(f"mask_clip0_instance0_{name}.mp4")
    return named.kind if named else None
