"""Users and groups that the file makes: `useradd -u 1000 app`, `adduser -D app`, `groupadd -g 1000 app`.

Options: useradd(8), groupadd(8), usermod(8) of shadow; adduser(8) of Debian; adduser and addgroup of busybox.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

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

    __slots__ = ("family", "groups", "strangers", "users")

    def __init__(
        self, users: dict[str, Account], groups: dict[str, int | None], strangers: str | None, family: str | None
    ) -> None:
        self.users = users
        self.groups = groups
        self.strangers = strangers
        self.family = family

    @classmethod
    def of_base(cls, base: BaseImage | Unknown) -> Accounts:
        root = {"root": Account("root", 0, 0, Known("/root"))}
        if isinstance(base, Unknown) or not base.known:
            return cls(root, {"root": 0}, "the base image may have more users", None)
        groups = {a.name: a.gid for a in base.accounts.values() if a.uid == a.gid}
        strangers = None if base.all_accounts else f"the image {base.reference} may have more users"
        return cls({**root, **base.accounts}, {"root": 0, **groups}, strangers, base.family)

    def copy(self) -> Accounts:
        return Accounts(dict(self.users), dict(self.groups), self.strangers, self.family)

    def lose(self, why: str) -> None:
        """From now on only root is sure."""
        self.users = {"root": self.users["root"]} if "root" in self.users else {}
        self.groups = {"root": 0}
        self.strangers = why

    def by_uid(self, uid: int) -> Account | None:
        return next((a for a in self.users.values() if a.uid == uid), None)

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
                self.groups[operand] = None
                self.forget_gid(operand)
        elif name in ("userdel", "deluser"):
            _, operands = _split(call)
            for operand in operands[:1]:
                self.users.pop(operand, None)
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
            self.users[user] = Account(user, None, None, Unknown(f"the account {user} may have been there before"))
            return
        uid = _number(options.get("-u", options.get("--uid")))
        self.users[user] = Account(
            user, uid, self.gid_of(user, uid, options, call.program == "useradd" or not debian_style),
            _home_of(user, options, debian_style),
        )  # fmt: skip

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
        alone = uid not in self.groups.values()
        gid = uid if alone and 1000 <= uid <= 60000 and (shadow or self.family == "alpine") else None
        if gid is not None:
            self.groups.setdefault(user, gid)
        return gid

    def add_group(self, call: Call) -> None:
        options, operands = _split(call)
        if options is None or not operands:
            return
        if call.program == "addgroup" and len(operands) == 2:
            return
        group = operands[-1] if call.program == "groupadd" else operands[0]
        sure = call.fatal and not call.conditional
        self.groups[group] = _number(options.get("-g", options.get("--gid"))) if sure else None

    def change_user(self, call: Call) -> None:
        options, operands = _split(call)
        if options is None or not operands:
            self.lose("a `usermod` whose words are not known")
            return
        user = operands[-1]
        account = self.users.get(user, Account(user, None, None, Unknown(f"the home of {user} is not known")))
        sure = call.fatal and not call.conditional
        if "-l" in options or "--login" in options:
            self.users.pop(user, None)
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
        self.users[user] = account

    def forget_gid(self, group: str) -> None:
        for name, account in self.users.items():
            if name == group:
                self.users[name] = replace(account, gid=None)

    def passwd_lines(self, call: Call) -> None:
        """`echo 'app:x:1000:1000::/home/app:/bin/sh' >> /etc/passwd`."""
        lines = [w.value for w in call.words[1:] if isinstance(w, Known) and not w.value.startswith("-")]
        fields = lines[0].strip().split(":") if call.program in ("echo", "printf") and len(lines) == 1 else []
        uid, gid = (decimal(fields[2]), decimal(fields[3])) if len(fields) == 7 else (None, None)
        if uid is None or gid is None or call.conditional:
            self.lose("/etc/passwd is written by a command")
            return
        self.users[fields[0]] = Account(fields[0], uid, gid, Known(fields[5] or "/"))


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


def _writes_passwd(call: Call, target: object) -> bool:
    return getattr(target, "static", None) == "/etc/passwd"


def _names_passwd(call: Call) -> bool:
    return any(isinstance(word, Known) and word.value == "/etc/passwd" for word in call.words)
