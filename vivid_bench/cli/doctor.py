"""`vivid-bench doctor`: what this machine has, what is missing, and the fix."""

from __future__ import annotations

import typer

from vivid_bench.cli import options as opt

MIN_TORCH = (2, 6)


def doctor(json: opt.Json = False) -> None:
    """Show versions, device, decoder and weights, each with the fix where something is missing."""
    from vivid_bench.cli.console import print_json, print_rows

    rows = [*_versions(), *_device(), *_decoder(), *_weights()]
    if json:
        print_json([{"what": w, "found": f, "state": s, "fix": x} for w, f, s, x in rows])
    else:
        print_rows(None, ("what", "found", "state", "fix"), rows)
    if any(state == "missing" for _, _, state, _ in rows):
        raise typer.Exit(1)


def _versions() -> list[tuple[str, str, str, str]]:
    import platform

    from vivid_bench.machine import PACKAGES, package_versions

    found = package_versions()
    rows = [("python", platform.python_version(), "ok", "")]
    for name in PACKAGES:
        state = "ok" if name in found else "missing"
        rows.append((name, found.get(name, "–"), state, "" if name in found else f"pip install {name}"))
    return rows


def _device() -> list[tuple[str, str, str, str]]:
    from vivid_bench.machine import environment, resolve_device

    device = resolve_device("auto")
    fix = "" if device == "cuda" else "no GPU found by torch: fine for the mini suite, slow for full-size models"
    return [("device", f"{device}: {environment(device).device_name}", "ok", fix)]


def _decoder() -> list[tuple[str, str, str, str]]:
    from vivid_bench.video import decoder_versions, missing_codecs

    missing = missing_codecs()
    fix = f"this PyAV lacks {', '.join(missing)}: pip install --force-reinstall av" if missing else ""
    return [("decoder", decoder_versions(), "missing" if missing else "ok", fix)]


def _weights() -> list[tuple[str, str, str, str]]:
    from vivid_bench.methods import known_methods

    rows = []
    for known in known_methods().values():
        if known.card.weights:
            present = (known.folder / known.card.weights).exists()
            state, fix = ("ok", "") if present else ("missing", "reinstall vivid-bench")
            rows.append((f"weights of {known.card.name}", known.card.weights, state, fix))
    return rows
