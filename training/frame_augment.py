"""Augmentation of frames: one draw a clip, the same for all its frames.

What the third seed's README lists, but drawn once a clip: it drew anew for every frame, so that a video
flickered between flips. Mirroring changes who signs with which hand; a class whose sign is one-sided is left.
"""
