"""Compiled functions: how they are compiled, and a buffer as the machine has it.

Belongs here: numba, and nothing of what is read. Must not be put here: JSON, events, digests.

A buffer has `WORD_BYTES` to spare behind its last byte, so that a word may be read or written
at any of its bytes; no place is checked, and none may be negative.
"""

from typing import Any

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

WORD_BYTES = 8
"""Bytes of a word; the first is its lowest."""

compiled = numba.njit(
    nogil=True,
    cache=bool(numba.config.CACHE_DIR),  # See `compiled_cache`; else it might run what is no more.
    forceinline=True,
    _nrt=False,
    error_model="numpy",
)
"""Compiled once a machine (20 s), kept on disk, run without the interpreter's lock; allocates
nothing. Each function becomes part of its callers: left to itself LLVM makes calls of the smallest
ones, and the scanner is half as fast again."""


def _pointer(context: Any, builder: Any, array: Any, values: Any, bits: int) -> Any:
    data = cgutils.create_struct_proxy(array)(context, builder, value=values[0]).data
    place = builder.gep(builder.bitcast(data, ir.IntType(8).as_pointer()), [values[1]])
    return builder.bitcast(place, ir.IntType(bits).as_pointer())


@intrinsic
def byte_at(typing: Any, buffer: Any, at: Any) -> Any:
    """The byte at `at`, as a signed integer that does not overflow."""

    def read(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place = _pointer(context, builder, signature.args[0], values, 8)
        return builder.zext(builder.load(place), ir.IntType(64))

    return types.int64(buffer, types.int64), read


@intrinsic
def word_at(typing: Any, buffer: Any, at: Any) -> Any:
    """The eight bytes from `at` on, as an unsigned word."""

    def read(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(_pointer(context, builder, signature.args[0], values, 64), align=1)

    return types.uint64(buffer, types.int64), read


@intrinsic
def put_word(typing: Any, buffer: Any, at: Any, word: Any) -> Any:
    """Writes the eight bytes of a word from `at` on."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place = _pointer(context, builder, signature.args[0], values, 64)
        builder.store(values[2], place, align=1)
        return context.get_dummy_value()

    return types.none(buffer, types.int64, types.uint64), write


@intrinsic
def lowest_bit(typing: Any, word: Any) -> Any:
    """Number of the lowest bit that is set in a word that is not 0."""

    def read(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), read
