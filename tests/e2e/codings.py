"""Content codings for tests: gzip of Python's own; br and zstd by the libraries that are there for every client."""
import ctypes
import gzip


def _gzip(data, _size):
    return gzip.decompress(data)


def _br(data, size):
    library, out, got = ctypes.CDLL("libbrotlidec.so.1"), ctypes.create_string_buffer(size), ctypes.c_size_t(size)
    done = library.BrotliDecoderDecompress(ctypes.c_size_t(len(data)), data, ctypes.byref(got), out)
    assert done == 1, "not brotli, or more than there should be"
    return memoryview(out)[:got.value].tobytes()


def _zstd(data, size):
    library, out = ctypes.CDLL("libzstd.so.1"), ctypes.create_string_buffer(size)
    library.ZSTD_decompress.restype = ctypes.c_size_t
    got = library.ZSTD_decompress(out, ctypes.c_size_t(size), data, ctypes.c_size_t(len(data)))
    assert got <= size, "not zstd, or more than there should be"
    return memoryview(out)[:got].tobytes()


CODINGS = {"gzip": _gzip, "br": _br, "zstd": _zstd}


def decoded(response, size=1 << 20):
    """The content of a response, whatever its coding."""
    if "content-encoding" not in response:
        return response.body
    return CODINGS[response["content-encoding"]](response.body, size)
