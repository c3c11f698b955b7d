"""Compiled functions: how numba compiles them, and how they access the bytes of a buffer.

A buffer has `WORD_BYTES` spare bytes behind its last one, so a word may be read or written at each
of its bytes. Places are not checked. A place must not be negative.
"""

from typing import Any

import numba
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic

WORD_BYTES = 8
"""Bytes of a word. The first byte is the lowest."""

compiled = numba.njit(
    nogil=True,
    # Off until `keep_compiled` has run: numba would otherwise reuse code compiled from older
    # sources.
    cache=bool(numba.config.CACHE_DIR),
    forceinline=True,
    _nrt=False,
    error_model="numpy",
)
"""Compiles a function once per machine (20 s), and keeps it on disk.

A compiled function runs without the interpreter's lock, and allocates nothing. Every function is
inlined into its callers. Without that, LLVM calls the smallest ones, which makes the scanner
slower.
"""


def _pointer(context: Any, builder: Any, array: Any, values: Any, bits: int) -> Any:
    data = cgutils.create_struct_proxy(array)(context, builder, value=values[0]).data
    place = builder.gep(builder.bitcast(data, ir.IntType(8).as_pointer()), [values[1]])
    return builder.bitcast(place, ir.IntType(bits).as_pointer())


@intrinsic
def byte_at(typing: Any, buffer: Any, at: Any) -> Any:
    """The byte at `at`, as a signed 64-bit integer from 0 to 255."""

    def read(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place = _pointer(context, builder, signature.args[0], values, 8)
        return builder.zext(builder.load(place), ir.IntType(64))

    return types.int64(buffer, types.int64), read


@intrinsic
def word_at(typing: Any, buffer: Any, at: Any) -> Any:
    """The eight bytes that begin at `at`, as an unsigned word."""

    def read(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.load(_pointer(context, builder, signature.args[0], values, 64), align=1)

    return types.uint64(buffer, types.int64), read


@intrinsic
def put_word(typing: Any, buffer: Any, at: Any, word: Any) -> Any:
    """Writes the eight bytes of a word, beginning at `at`."""

    def write(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        place = _pointer(context, builder, signature.args[0], values, 64)
        builder.store(values[2], place, align=1)
        return context.get_dummy_value()

    return types.none(buffer, types.int64, types.uint64), write


@intrinsic
def lowest_bit(typing: Any, word: Any) -> Any:
    """The number of the lowest bit that is set in a word, which must not be 0."""

    def read(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.uint64), read


@intrinsic
def prefetch(typing: Any, buffer: Any, at: Any) -> Any:
    """Asks the processor for the bytes at `at`, which are written soon. It does not wait."""

    def ask(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        word = ir.IntType(32)
        place = _pointer(context, builder, signature.args[0], values, 8)
        function = builder.module.declare_intrinsic(
            "llvm.prefetch",
            (place.type,),
            ir.FunctionType(ir.VoidType(), [place.type, word, word, word]),
        )
        # Write, keep it in all caches, data.
        builder.call(function, [place, *(ir.Constant(word, number) for number in (1, 3, 1))])
        return context.get_dummy_value()

    return types.none(buffer, types.int64), ask
