"""As much CBOR as the messages of a plugin need."""

import struct


def encode_head(major, number):
    for limit, info, form in ((24, None, None), (1 << 8, 24, ">B"), (1 << 16, 25, ">H"), (1 << 32, 26, ">I")):
        if number < limit:
            return bytes([major << 5 | number]) if form is None else bytes([major << 5 | info]) + struct.pack(form, number)
    return bytes([major << 5 | 27]) + struct.pack(">Q", number)


def encode(value):
    if value is None or value is True or value is False:
        return {None: b"\xf6", True: b"\xf5", False: b"\xf4"}[value]
    if isinstance(value, int):
        return encode_head(0, value) if value >= 0 else encode_head(1, -1 - value)
    if isinstance(value, float):
        return b"\xfb" + struct.pack(">d", value)
    if isinstance(value, str):
        text = value.encode()
        return encode_head(3, len(text)) + text
    if isinstance(value, dict):
        pairs = b"".join(encode(key) + encode(item) for key, item in value.items())
        return encode_head(5, len(value)) + pairs
    return encode_head(4, len(value)) + b"".join(map(encode, value))


def read_exactly(stream, count):
    data = stream.read(count)
    if len(data) != count:
        raise EOFError
    return data


def read(stream):
    """The next value of a stream; EOFError at its end."""
    first = read_exactly(stream, 1)[0]
    major, info = first >> 5, first & 31
    if major == 7:
        if info == 27:
            return struct.unpack(">d", read_exactly(stream, 8))[0]
        return {20: False, 21: True, 22: None}[info]
    number = info if info < 24 else int.from_bytes(read_exactly(stream, 1 << (info - 24)), "big")
    if major == 0:
        return number
    if major == 1:
        return -1 - number
    if major in (2, 3):
        data = read_exactly(stream, number)
        return data if major == 2 else data.decode()
    if major == 4:
        return [read(stream) for _ in range(number)]
    return {read(stream): read(stream) for _ in range(number)}
