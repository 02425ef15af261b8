"""Records behave like the dataclasses of the standard library that type checkers take them for."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from typing import ClassVar, Generic, TypeVar

import pytest

from fixer.text.records import dataclass, field, fields, maker, replace

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int = 0
    note: str = field(default="", compare=False)
    names: ClassVar[tuple[str, ...]] = ("x", "y")


@dataclass(frozen=True, slots=True)
class Deep(Point):
    z: int = 7


@dataclass(slots=True)
class Basket(Generic[T]):
    things: list[T] = field(default_factory=list)
    size: int = field(init=False, metadata={"tree": False})

    def __post_init__(self) -> None:
        self.size = len(self.things)


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    name: str

    def __str__(self) -> str:
        return self.name


def test_making() -> None:
    assert Point(1).y == 0
    assert Point(y=2, x=1) == Point(1, 2)
    assert (Deep(1, 2, "n").z, Deep(1, 2, "n", 3).z) == (7, 3)
    assert Point.names == ("x", "y")
    with pytest.raises(TypeError, match=r"Point\.__init__"):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        Point(1, other=2)  # type: ignore[call-arg]


def test_the_first_ones_are_made_as_the_later_ones() -> None:
    @dataclass(frozen=True, slots=True)
    class Pair:
        left: int
        right: list[int] = field(default_factory=list)
        sum: int = field(init=False, default=0)

    for _ in range(20):
        assert (Pair(1).right, Pair(1, [2]).right, Pair(left=1, right=[3]).right) == ([], [2], [3])
        for wrong in (lambda: Pair(), lambda: Pair(1, [], 3), lambda: Pair(1, left=2), lambda: Pair(1, sum=3)):
            with pytest.raises(TypeError, match=r"__init__"):
                wrong()


def test_makers() -> None:
    make = maker(Deep)
    assert (make(1), make(1, 2, "n", 3)) == (Deep(1), Deep(1, 2, "n", 3))
    made = make(1)
    assert type(made) is Deep
    with pytest.raises(dataclasses.FrozenInstanceError):
        made.z = 2  # type: ignore[misc]
    assert pickle.loads(pickle.dumps(made)) == made
    with pytest.raises(TypeError):
        make(1, 2, "n", 3, 4)  # type: ignore[call-arg]
    with pytest.raises(TypeError):
        maker(Basket)


def test_comparing() -> None:
    assert Point(1, note="a") == Point(1, note="b")
    assert hash(Point(1, note="a")) == hash(Point(1, note="b"))
    assert Point(1) != Point(2)
    assert Point(1) != Deep(1)
    assert Point(1) != (1, 0, "")  # type: ignore[comparison-overlap]
    assert len({Point(1), Point(1), Point(2)}) == 2
    assert Node("a") != Node("a")
    assert len({Node("a"), Node("a")}) == 2
    assert Basket([1]) == Basket([1])
    with pytest.raises(TypeError):
        hash(Basket([1]))


def test_frozen() -> None:
    point = Point(1)
    with pytest.raises(dataclasses.FrozenInstanceError):
        point.x = 2  # type: ignore[misc]
    with pytest.raises(dataclasses.FrozenInstanceError):
        del point.x
    with pytest.raises(AttributeError):
        Basket([1]).other = 1  # type: ignore[attr-defined]
    assert not hasattr(point, "__dict__")


def test_every_object_has_its_own_default() -> None:
    first, second = Basket[int](), Basket[int]()
    first.things.append(1)
    assert second.things == []
    assert Basket([1, 2]).size == 2


def test_showing() -> None:
    assert repr(Deep(1)) == "Deep(x=1, y=0, note='', z=7)"
    assert str(Node("a")) == "a"


def test_matching() -> None:
    match Deep(1, 2):
        case Point(x, y):
            assert (x, y) == (1, 2)


@pytest.mark.parametrize("record", [Point(1, 2, "n"), Deep(1), Basket([1, 2])])
def test_copies(record: object) -> None:
    assert pickle.loads(pickle.dumps(record)) == record
    assert copy.copy(record) == record
    assert copy.deepcopy(record) == record


def test_replacing() -> None:
    for function in (replace, dataclasses.replace):
        assert function(Deep(1, 2, "n"), y=3) == Deep(1, 3, "n")
        assert function(Basket([1]), things=[1, 2]).size == 2
        with pytest.raises(TypeError):
            function(Point(1), other=2)


@pytest.mark.parametrize("kind", [Point, Deep, Basket, Node])
def test_fields_are_the_librarys(kind: type) -> None:
    assert dataclasses.is_dataclass(kind)
    ours, theirs = fields(kind), dataclasses.fields(kind)
    assert [(f.name, f.type, f.init, dict(f.metadata)) for f in ours] == [
        (f.name, f.type, f.init, dict(f.metadata)) for f in theirs
    ]
