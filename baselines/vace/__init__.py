"""Wan-VACE; its two sizes, `vace_1_3b` and `vace_14b`, share this adapter."""
