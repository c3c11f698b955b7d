"""Exports: files of a generation for other tools, one module per export.

Belongs here: how a generation looks in another tool's format. Must not be put here: figures that
no mart has. To add an export, add a module that defines `EXPORT`.
"""
