"""Carries messages: signs them, seals them with a check sum, and looks at both when they arrive."""

from courier.seal import open_seal, put_seal

__all__ = ["open_seal", "put_seal"]
