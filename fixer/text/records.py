"""`dataclass` and what goes with it, like those of the standard library, at a tenth of what they cost at start-up.

The library's decorator compiles up to seven functions for each class, at import, and there are more than a hundred
classes here: half of the start-up. This one makes `__init__` when the first object is made, and the rest without
compiling. What it makes works with `dataclasses.fields`, `dataclasses.replace` and `pickle`. Of the options it knows
those that are used here. Type checkers see the library's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from dataclasses import dataclass as dataclass
    from dataclasses import field as field
    from dataclasses import fields as fields
    from dataclasses import replace as replace
    from typing import ParamSpec, TypeVar

    Parameters = ParamSpec("Parameters")
    Record = TypeVar("Record")

    def maker(cls: Callable[Parameters, Record]) -> Callable[Parameters, Record]:
        """A function that makes what `cls`, a frozen record, makes, in a third of the time."""

else:
    _MISSING = object()
    _NO_METADATA = {}

    class _Field:
        """What `field` was told, and the field's name."""

        __slots__ = ("compare", "default", "factory", "init", "metadata", "name", "type")

        def __init__(self, default, factory, init, compare, metadata):
            self.default = default
            self.factory = factory
            self.init = init
            self.compare = compare
            self.metadata = metadata

    def field(*, default=_MISSING, default_factory=_MISSING, init=True, compare=True, metadata=_NO_METADATA):
        """As `dataclasses.field`."""
        return _Field(default, default_factory, init, compare, metadata)

    def fields(record):
        """The fields of a record, or of its class, in order: each has its name, its type and its metadata."""
        return tuple(record.__record__.values())

    def replace(record, /, **changes):
        """As `dataclasses.replace`."""
        for one in record.__record__.values():
            if one.init and one.name not in changes:
                changes[one.name] = getattr(record, one.name)
        return record.__class__(**changes)

    def dataclass(*, frozen=False, slots, eq=True, repr=True):
        """As `dataclasses.dataclass` with `slots=True`."""
        if not slots:
            raise TypeError("a record has slots")
        return lambda cls: _record(cls, frozen, eq, repr)

    def _record(cls, frozen, eq, repr):
        fields = {}
        for base in cls.__mro__[-1:0:-1]:
            fields.update(vars(base).get("__record__", {}))
        content = dict(vars(cls))
        own = [_declared(name, kind, content) for name, kind in cls.__annotations__.items() if "ClassVar" not in kind]
        inherited = set(fields)
        fields.update((one.name, one) for one in own)
        for name in ("__dict__", "__weakref__"):
            content.pop(name, None)
        content["__record__"] = fields
        content["__slots__"] = tuple(one.name for one in own if one.name not in inherited)
        content["__match_args__"] = tuple(one.name for one in fields.values() if one.init)
        content["__dataclass_fields__"] = _FIELDS
        if repr:
            content.setdefault("__repr__", _repr)
        if frozen:
            content.update(__setattr__=_frozen, __delattr__=_frozen, __getstate__=_get_state, __setstate__=_set_state)
        made = type(cls)(cls.__name__, cls.__bases__, content)
        made.__qualname__ = cls.__qualname__
        made.__init__ = _first_init(made, frozen)
        if eq and "__eq__" not in content:
            _make_late(made, "__eq__", lambda: _eq(made))
        if eq and content.get("__hash__") is None:  # Python puts None there for a class that has __eq__
            made.__hash__ = None
            if frozen:
                _make_late(made, "__hash__", lambda: _hash(made))
        return made

    def _declared(name, kind, content):
        default = content.pop(name, _MISSING)
        found = default if isinstance(default, _Field) else field(default=default)
        found.name, found.type = name, kind
        return found

    def _make_late(cls, name, make):
        """A method that is compiled when it is first called."""

        def late(self, *args, **kwargs):
            return _put(cls, name, make())(self, *args, **kwargs)

        setattr(cls, name, late)

    def _put(cls, name, method):
        method.__qualname__ = f"{cls.__qualname__}.{name}"
        method.__module__ = cls.__module__
        setattr(cls, name, method)
        return method

    _FEW = 8
    """As many records of a class are made before it is worth while to compile an `__init__` for it."""

    def _first_init(cls, frozen):
        """The `__init__` of the first records, which is not compiled: where one small file is worked on, there are few
        of most."""
        made = 0

        def __init__(self, *args, **kwargs):
            nonlocal made
            made += 1
            wanted = {name: one for name, one in cls.__record__.items() if one.init}
            given = {**dict(zip(wanted, args, strict=False)), **kwargs}
            needed = {name for name, one in wanted.items() if one.factory is _MISSING and one.default is _MISSING}
            fits = needed <= given.keys() <= wanted.keys() and len(given) == len(args) + len(kwargs)
            if made > _FEW or not fits:
                _put(cls, "__init__", _init(cls, frozen))(self, *args, **kwargs)
                return
            for name, one in wanted.items():
                value = given[name] if name in given else one.default if one.factory is _MISSING else one.factory()
                object.__setattr__(self, name, value)
            if hasattr(cls, "__post_init__"):
                self.__post_init__()

        return __init__

    def maker(cls):
        """Objects of a class without a `__setattr__` of its own are filled in a quarter of the time. So they are made
        in such a subclass, and then become what they are to be."""
        if hasattr(cls, "__post_init__"):
            raise TypeError("what a record does after it was made would not be done")
        loose = {"__slots__": (), "__setattr__": object.__setattr__, "__delattr__": object.__delattr__}
        parameters, values, known = _signature(cls)
        known.update(_make=object.__new__, _cls=cls, _loose=type(cls)(cls.__name__, (cls,), loose))
        body = ["self = _make(_loose)", *(f"self.{name} = {value}" for name, value in values.items())]
        body += ["self.__class__ = _cls", "return self"]
        return _compiled(f"def make({', '.join(parameters)}):", body, known)

    def _init(cls, frozen):
        """Slots are filled through their descriptors, which a frozen class does not keep from it."""
        parameters, values, known = _signature(cls)
        for name in values if frozen else ():
            known[f"_set_{name}"] = getattr(cls, name).__set__
        fill = "_set_{0}(self, {1})" if frozen else "self.{0} = {1}"
        body = [fill.format(name, value) for name, value in values.items()]
        if hasattr(cls, "__post_init__"):
            body.append("self.__post_init__()")
        return _compiled(f"def __init__({', '.join(['self', *parameters])}):", body or ["pass"], known)

    def _signature(cls):
        """The parameters of what makes a record, the value of each field by its name, and what these use."""
        known = {"_missing": _MISSING}
        parameters, values = [], {}
        for name, one in cls.__record__.items():
            if not one.init:
                continue
            values[name] = name
            if one.factory is not _MISSING:
                known[f"_make_{name}"] = one.factory
                parameters.append(f"{name}=_missing")
                values[name] = f"_make_{name}() if {name} is _missing else {name}"
            elif one.default is not _MISSING:
                known[f"_default_{name}"] = one.default
                parameters.append(f"{name}=_default_{name}")
            else:
                parameters.append(name)
        return parameters, values, known

    def _eq(cls):
        mine, others = _values(cls, "self"), _values(cls, "other")
        body = ["if other.__class__ is not self.__class__: return NotImplemented", f"return {mine} == {others}"]
        return _compiled("def __eq__(self, other):", body, {})

    def _hash(cls):
        return _compiled("def __hash__(self):", [f"return hash({_values(cls, 'self')})"], {})

    def _values(cls, of):
        return "(" + "".join(f"{of}.{one.name}, " for one in cls.__record__.values() if one.compare) + ")"

    def _compiled(head, body, known):
        exec(head + "\n " + "\n ".join(body), known)
        return next(value for name, value in known.items() if head.startswith(f"def {name}("))

    def _repr(self):
        values = ", ".join(f"{name}={getattr(self, name)!r}" for name in self.__record__)
        return f"{self.__class__.__qualname__}({values})"

    def _frozen(self, name, *value):
        from dataclasses import FrozenInstanceError

        raise FrozenInstanceError(f"cannot change field {name!r}")

    def _get_state(self):
        return [getattr(self, name) for name in self.__record__]

    def _set_state(self, state):
        for name, value in zip(self.__record__, state, strict=True):
            object.__setattr__(self, name, value)

    class _Fields:
        """`__dataclass_fields__`, made when somebody asks."""

        def __get__(self, instance, cls):
            import dataclasses as library

            fields = []
            for one in cls.__record__.values():
                options = {"init": one.init, "compare": one.compare, "metadata": one.metadata}
                if one.default is not _MISSING:
                    options["default"] = one.default
                if one.factory is not _MISSING:
                    options["default_factory"] = one.factory
                fields.append((one.name, one.type, library.field(**options)))
            return library.make_dataclass(cls.__name__, fields).__dataclass_fields__

    _FIELDS = _Fields()
