"""The large Wan-VACE; the adapter is in `vace`."""
