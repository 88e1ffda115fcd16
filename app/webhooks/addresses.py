"""Which addresses a webhook may go to: public ones, by http(s), and nothing behind our own door.

A URL is judged by its form and by every address its name has. What a name means may change at any time, so `dialing`
asks again and connects to the very address that was judged.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import SplitResult, urlsplit

from app.core import settings
from app.core.errors import invalid

Resolver = Callable[[str, int], Sequence[str]]
Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# The special-purpose registries of IANA, and what clouds put at public-looking addresses.
_INSIDE_4 = tuple(
    ipaddress.IPv4Network(text)
    for text in (
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "168.63.129.16/32", "169.254.0.0/16",
        "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15",
        "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
    )
)  # fmt: skip
_GLOBAL_6 = ipaddress.IPv6Network("2000::/3")
_INSIDE_6 = tuple(
    ipaddress.IPv6Network(text) for text in ("2001::/23", "2001:db8::/32", "2002::/16", "3ffe::/16", "3fff::/20")
)
_CARRIES_4 = tuple(ipaddress.IPv6Network(text) for text in ("::ffff:0:0/96", "64:ff9b::/96"))
_ISATAP = 0x5EFE

_HOST = re.compile(r"[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?(\.[a-z0-9]([a-z0-9_-]{0,62}[a-z0-9])?)*\.?")
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)")
_OURS = ("localhost", "local", "internal", "intranet", "lan", "home.arpa", "corp", "private")


@dataclass(frozen=True, slots=True)
class Rules:
    """What the installation allows."""

    allow_private: bool = False
    https_only: bool = False


def is_public(text: str) -> bool:
    """Whether an address, as a resolver gives it, is somewhere on the public Internet."""
    try:
        return _is_public(ipaddress.ip_address(text))
    except ValueError:
        return False  # a scoped address (fe80::1%eth0) and whatever else is none


def _is_public(address: Address) -> bool:
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _INSIDE_4)
    if address.scope_id is not None:
        return False
    number = int(address)
    if any(address in network for network in _CARRIES_4):
        return _is_public(ipaddress.IPv4Address(number & 0xFFFFFFFF))
    is_tunnel = (number >> 32) & 0xFDFFFFFF == _ISATAP
    return address in _GLOBAL_6 and not is_tunnel and not any(address in network for network in _INSIDE_6)


def resolve(host: str, port: int) -> Sequence[str]:
    """Every address of a name, as the machine's resolver tells them; none when there is none."""
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return ()
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


def check(url: str, rules: Rules) -> SplitResult:
    """Refuse, with 422 at `/url`, what can be seen to be wrong without asking anybody."""
    parts = _parts(url)
    if parts.scheme not in {"http", "https"}:
        raise invalid("/url", "not-url")
    if parts.username is not None or parts.password is not None:
        raise invalid("/url", "url-userinfo")
    if rules.https_only and parts.scheme != "https":
        raise invalid("/url", "not-https")
    if not rules.allow_private:
        if port_of(parts) not in settings.WEBHOOK_PORTS:
            raise invalid("/url", "url-port")
        if is_inside(str(parts.hostname)):
            raise invalid("/url", "url-inside")
    return parts


def check_name(url: str, rules: Rules, resolver: Resolver = resolve) -> None:
    """As `check`, and look the name up, for two seconds at most; a name nobody knows yet may be known tomorrow.

    Not inside a transaction: it asks the network.
    """
    parts = check(url, rules)
    if rules.allow_private:
        return
    pool = ThreadPoolExecutor(1, thread_name_prefix="lookup")
    try:
        asked = pool.submit(resolver, str(parts.hostname), port_of(parts))
        found = asked.result(timeout=settings.WEBHOOK_LOOKUP_SECONDS)
    except TimeoutError:
        return
    finally:
        pool.shutdown(wait=False)
    if not all(is_public(address) for address in found):
        raise invalid("/url", "url-inside")


def port_of(parts: SplitResult) -> int:
    """The port of a URL that was checked."""
    return parts.port or (443 if parts.scheme == "https" else 80)


def _parts(url: str) -> SplitResult:
    """The parts of a URL all of whose readers agree on where it leads: no spaces, backslashes or odd letters."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise invalid("/url", "not-url") from error
    host = parts.hostname or ""
    is_odd = not url.isascii() or any(c <= " " or c in "\\\x7f" for c in url)
    if is_odd or port == 0 or parts.fragment or not (_HOST.fullmatch(host) or _literal(host)):
        raise invalid("/url", "not-url")
    return parts


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        return None


def is_inside(host: str) -> bool:
    """Whether a host is seen to be inside: an address that is not public, in any spelling, or a name of a local net."""
    address = _literal(host)
    if address is not None:
        return not _is_public(address)
    name = host.rstrip(".")
    last = name.rsplit(".", 1)[-1]
    if _NUMBER.fullmatch(last):  # 2130706433, 0x7f.1, 0177.0.0.1: numbers to every resolver
        try:
            return not is_public(socket.inet_ntoa(socket.inet_aton(name)))
        except OSError:
            return True
    return "." not in name or any(name == ours or name.endswith("." + ours) for ours in _OURS)
