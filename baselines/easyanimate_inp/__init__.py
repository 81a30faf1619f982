"""EasyAnimate V5.1 InP."""
