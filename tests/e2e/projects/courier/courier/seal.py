"""A signature and a check sum around a message."""

import crcmod.predefined
from itsdangerous import Signer

crc = crcmod.predefined.mkPredefinedCrcFun("crc-32")


def put_seal(message: str, secret: str) -> str:
    signed = Signer(secret).sign(message).decode()
    return f"{crc(signed.encode()):08x} {signed}"


def open_seal(sealed: str, secret: str) -> str:
    sum, signed = sealed.split(" ", 1)
    if int(sum, 16) != crc(signed.encode()):
        raise ValueError("damaged on the way")
    return Signer(secret).unsign(signed).decode()
