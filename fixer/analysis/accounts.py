"""Users and groups that the file makes: `useradd -u 1000 app`, `adduser -D app`, `groupadd -g 1000 app`.

Options: useradd(8), groupadd(8), usermod(8) of shadow; adduser(8) of Debian; adduser and addgroup of busybox.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections import Counter
from collections.abc import Callable, Iterable, Mapping

from fixer.analysis.bases import Account, BaseImage
from fixer.analysis.commands import Call
from fixer.analysis.values import Known, Unknown, Value, decimal
from fixer.text.records import replace
from fixer.text.regex import regex

MENTION = regex(r"useradd|adduser|usermod|groupadd|addgroup|groupmod|userdel|deluser|newusers|/etc/passwd")
"""A RUN without any of these makes no account that is asked for here."""

_TAKES = frozenset(
    ("-u", "--uid", "-g", "--gid", "-d", "--home", "--home-dir", "-h", "-b", "--base-dir", "-s", "--shell", "-c",
     "--comment", "--gecos", "-G", "--groups", "--ingroup", "-k", "--skel", "-K", "--key", "-p", "--password", "-e",
     "--expiredate", "-f", "--inactive", "--firstuid", "--lastuid", "-l", "--login")
)  # fmt: skip

HomeOf = Callable[[str], Value]


class Accounts:
    """What is known of users and groups at one point. `strangers` says why other users may be there; None if there are
    none but those that are known."""

    __slots__ = ("_groups", "_made", "_of_uid", "_places", "_taken", "_users", "family", "strangers")

    def __init__(
        self, users: Mapping[str, Account], groups: Mapping[str, int | None], strangers: str | None, family: str | None
    ) -> None:
        self.strangers = strangers
        self.family = family
        self._set_users(users)
        self._set_groups(groups)

    @property
    def users(self) -> Mapping[str, Account]:
        return self._users

    @property
    def groups(self) -> Mapping[str, int | None]:
        return self._groups

    @classmethod
    def of_base(cls, base: BaseImage | Unknown) -> Accounts:
        root = {"root": Account("root", 0, 0, Known("/root"))}
        if isinstance(base, Unknown) or not base.known:
            return cls(root, {"root": 0}, "the base image may have more users", None)
        groups = {a.name: a.gid for a in base.accounts.values() if a.uid == a.gid}
        strangers = None if base.all_accounts else f"the image {base.reference} may have more users"
        return cls({**root, **base.accounts}, {"root": 0, **groups}, strangers, base.family)

    def copy(self) -> Accounts:
        return Accounts(self.users, self.groups, self.strangers, self.family)

    def lose(self, why: str) -> None:
        """From now on only root is sure."""
        self._set_users({"root": self.users["root"]} if "root" in self.users else {})
        self._set_groups({"root": 0})
        self.strangers = why

    def take_users(self, other: Accounts) -> None:
        """/etc/passwd is that of another stage."""
        self._set_users(other.users)
        self.strangers = other.strangers

    def by_uid(self, uid: int) -> Account | None:
        """The first with that number."""
        found = self._of_uid.get(uid)
        return self._users[found[0][1]] if found else None

    # Numbers are looked up for every account that is made: they have tables of their own.

    def _set_users(self, users: Mapping[str, Account]) -> None:
        self._users: dict[str, Account] = {}
        self._made = 0
        self._places: dict[str, int] = {}
        self._of_uid: dict[int, list[tuple[int, str]]] = {}
        for name, account in users.items():
            self._put_user(name, account)

    def _put_user(self, name: str, account: Account) -> None:
        """An account that was there keeps its place in the file."""
        old = self._users.get(name)
        if old is None:
            self._made += 1
            self._places[name] = self._made
        elif old.uid != account.uid:
            self._forget_uid(old, name)
        self._users[name] = account
        if account.uid is not None and (old is None or old.uid != account.uid):
            insort(self._of_uid.setdefault(account.uid, []), (self._places[name], name))

    def _drop_user(self, name: str) -> None:
        old = self._users.pop(name, None)
        if old is not None:
            self._forget_uid(old, name)
            del self._places[name]

    def _forget_uid(self, account: Account, name: str) -> None:
        if account.uid is not None:
            same = self._of_uid[account.uid]
            del same[bisect_left(same, (self._places[name], name))]

    def _set_groups(self, groups: Mapping[str, int | None]) -> None:
        self._groups = dict(groups)
        self._taken = Counter(self._groups.values())

    def _put_group(self, name: str, gid: int | None) -> None:
        if name in self._groups:
            self._taken[self._groups[name]] -= 1
        self._groups[name] = gid
        self._taken[gid] += 1

    def run(self, calls: Iterable[Call]) -> None:
        """Take over what the calls of one RUN do to the accounts."""
        for call in calls:
            self.call(call)

    def call(self, call: Call) -> None:
        name = call.program
        if name in ("useradd", "adduser"):
            self.add_user(call, debian_style=name == "adduser" and self.family != "redhat")
        elif name in ("groupadd", "addgroup"):
            self.add_group(call)
        elif name == "usermod":
            self.change_user(call)
        elif name == "groupmod":
            _, operands = _split(call)
            for operand in operands[-1:]:
                self._put_group(operand, None)
                self.forget_gid(operand)
        elif name in ("userdel", "deluser"):
            _, operands = _split(call)
            for operand in operands[:1]:
                self._drop_user(operand)
        elif any(_writes_passwd(call, r.target) for r in call.redirects if r.op in (">", ">>")):
            self.passwd_lines(call)
        elif name in ("newusers", "cp", "mv", "tee", "sed") and _names_passwd(call):
            self.lose("/etc/passwd is written by a command")

    def add_user(self, call: Call, *, debian_style: bool) -> None:
        options, operands = _split(call)
        if options is None or not operands:
            self.lose(f"a `{call.program}` whose words are not known")
            return
        if call.program == "adduser" and len(operands) == 2:
            return
        user = operands[-1] if call.program == "useradd" else operands[0]
        sure = (call.fatal and not call.conditional) or (self.strangers is None and user not in self.users)
        if not sure or call.loop:
            home = Unknown(f"the account {user} may have been there before")
            self._put_user(user, Account(user, None, None, home))
            return
        uid = _number(options.get("-u", options.get("--uid")))
        gid = self.gid_of(user, uid, options, call.program == "useradd" or not debian_style)
        self._put_user(user, Account(user, uid, gid, _home_of(user, options, debian_style)))

    def gid_of(self, user: str, uid: int | None, options: dict[str, str | None], shadow: bool) -> int | None:
        group = options.get("--gid", options.get("--ingroup"))
        if group is None:
            group = options.get("-g") if shadow else options.get("-G")
        if group is not None:
            number = decimal(group)
            return number if number is not None and shadow else self.groups.get(group, number)
        if "--group" in options and user in self.groups:
            return self.groups[user]
        system = any(o in options for o in ("-r", "--system", "-S"))
        if uid is None or system or "-N" in options or "--no-user-group" in options:
            return None
        # A group of its own, with the user's number where that is free and in the range for people.
        alone = self._taken[uid] == 0
        gid = uid if alone and 1000 <= uid <= 60000 and (shadow or self.family == "alpine") else None
        if gid is not None and user not in self.groups:
            self._put_group(user, gid)
        return gid

    def add_group(self, call: Call) -> None:
        options, operands = _split(call)
        if options is None or not operands:
            return
        if call.program == "addgroup" and len(operands) == 2:
            return
        group = operands[-1] if call.program == "groupadd" else operands[0]
        sure = call.fatal and not call.conditional
        self._put_group(group, _number(options.get("-g", options.get("--gid"))) if sure else None)

    def change_user(self, call: Call) -> None:
        options, operands = _split(call)
        if options is None or not operands:
            self.lose("a `usermod` whose words are not known")
            return
        user = operands[-1]
        account = self.users.get(user, Account(user, None, None, Unknown(f"the home of {user} is not known")))
        sure = call.fatal and not call.conditional
        if "-l" in options or "--login" in options:
            self._drop_user(user)
            new = options.get("-l", options.get("--login"))
            if new and sure:
                account = replace(account, name=new)
                user = new
        if "-u" in options or "--uid" in options:
            account = replace(account, uid=_number(options.get("-u", options.get("--uid"))) if sure else None)
        if "-g" in options or "--gid" in options:
            group = options.get("-g", options.get("--gid"))
            gid = self.groups.get(group, _number(group)) if group is not None and sure else None
            account = replace(account, gid=gid)
        home = options.get("-d", options.get("--home"))
        if home is not None:
            account = replace(account, home=Known(home) if sure else Unknown(f"the home of {user} is not known"))
        self._put_user(user, account)

    def forget_gid(self, group: str) -> None:
        account = self.users.get(group)
        if account is not None:
            self._put_user(group, replace(account, gid=None))

    def passwd_lines(self, call: Call) -> None:
        """`echo 'app:x:1000:1000::/home/app:/bin/sh' >> /etc/passwd`."""
        lines = [w.value for w in call.words[1:] if isinstance(w, Known) and not w.value.startswith("-")]
        fields = lines[0].strip().split(":") if call.program in ("echo", "printf") and len(lines) == 1 else []
        uid, gid = (decimal(fields[2]), decimal(fields[3])) if len(fields) == 7 else (None, None)
        if uid is None or gid is None or call.conditional:
            self.lose("/etc/passwd is written by a command")
            return
        self._put_user(fields[0], Account(fields[0], uid, gid, Known(fields[5] or "/")))


def _split(call: Call) -> tuple[dict[str, str | None] | None, list[str]]:
    """Options with their words, and operands; no options at all (None) if a word is not known."""
    options: dict[str, str | None] = {}
    operands: list[str] = []
    words = call.words[1:]
    at = 0
    known = True
    while at < len(words):
        word = words[at]
        at += 1
        if isinstance(word, Unknown):
            known = False
            continue
        text = word.value
        if not text.startswith("-") or text == "-":
            operands.append(text)
            continue
        option, equals, value = text.partition("=")
        if not text.startswith("--") and len(text) > 2 and text[:2] in _TAKES:
            options[text[:2]] = text[2:].lstrip("=")
            continue
        if not text.startswith("--") and len(text) > 2:
            for letter in text[1:-1]:
                options["-" + letter] = None
            option, equals = "-" + text[-1], ""
        if equals:
            options[option] = value
        elif option in _TAKES and at < len(words):
            operand = words[at]
            options[option] = operand.value if isinstance(operand, Known) else None
            at += 1
        else:
            options[option] = None
    return (options if known else None), operands


def _number(text: str | None) -> int | None:
    return decimal(text) if text is not None else None


def _home_of(user: str, options: dict[str, str | None], debian_style: bool) -> Value:
    names = ("-d", "--home", "--home-dir") if not debian_style else ("--home", "-h", "-d")
    for name in names:
        if name in options:
            home = options[name]
            return Known(home) if home is not None else Unknown(f"the home of {user} is not known")
    if "-b" in options or "--base-dir" in options:
        base = options.get("-b", options.get("--base-dir"))
        return Known(f"{base.rstrip('/')}/{user}") if base else Unknown(f"the home of {user} is not known")
    if debian_style and "--system" in options:
        # /home/NAME before Debian 12, /nonexistent since.
        return Unknown(f"the home of the system user {user} depends on the version of adduser")
    return Known(f"/home/{user}")


def home_made(call: Call) -> Value | None:
    """The home that a call makes, or moves to, for a user: left as it is where it is there already, without the files
    that a home begins with, and with the owner that it has. None if it makes none, as far as its words say.

    useradd makes one without `-m` where the distribution's settings say so, which nobody knows here.
    """
    if call.program not in ("useradd", "adduser", "usermod"):
        return None
    options, operands = _split(call)
    if options is None:
        return Unknown(f"the words of {call.program} are not known")
    moves = call.program == "usermod"
    if not operands or any(option in options for option in ("-M", "--no-create-home", "-H")):
        return None
    if moves:
        home = options.get("-d", options.get("--home")) if "-m" in options or "--move-home" in options else None
        return Known(home) if home is not None else None
    return _home_of(operands[-1 if call.program == "useradd" else 0], options, call.program == "adduser")


def _writes_passwd(call: Call, target: object) -> bool:
    return getattr(target, "static", None) == "/etc/passwd"


def _names_passwd(call: Call) -> bool:
    return any(isinstance(word, Known) and word.value == "/etc/passwd" for word in call.words)
