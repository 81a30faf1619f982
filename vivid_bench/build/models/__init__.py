"""The builder's stages with real models: detection, tracking, captions and motion. Nothing here downloads."""
