"""The small Wan-VACE; the adapter is in `vace`."""
