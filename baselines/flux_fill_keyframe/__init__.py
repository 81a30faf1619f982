"""FLUX.1-Fill on a keyframe, propagated without learning."""
