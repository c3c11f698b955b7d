"""The words that all rooms share: values, names, limits, and the frames that pass between stages.

Belongs here: a word that two rooms use, and what it means. Must not be put here: rules about
events or money, and anything that opens a file or reads a clock. Everything here is pure.
"""
