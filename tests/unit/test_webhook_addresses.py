"""Promise 14: no one reaches inside through a webhook URL. Addresses in every spelling, and names that change."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Sequence
from contextlib import closing

import pytest

from app.core import settings
from app.core.errors import Invalid
from app.webhooks.addresses import Rules, check, check_name, is_public
from app.webhooks.dialing import Letter, Outcome, Post
from tests.standins.receiver import receiving, status

INSIDE = [
    "0.0.0.0",  # noqa: S104
    "0.1.2.3", "10.0.0.1", "10.255.255.255", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.255.0.9",
    "168.63.129.16", "169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.192", "192.0.2.1", "192.88.99.1",
    "192.168.1.1", "198.18.0.1", "198.51.100.7", "203.0.113.7", "224.0.0.1", "239.255.255.250", "240.0.0.1",
    "255.255.255.255", "::", "::1", "::7f00:1", "::ffff:127.0.0.1", "::ffff:a00:1", "64:ff9b::7f00:1",
    "64:ff9b::10.0.0.1", "64:ff9b:1::1", "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2", "2001:db8::1",
    "2002:7f00:1::", "2002:c0a8:101::1", "3fff::1", "fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1",
    "ff02::1", "2a00:1450::5efe:10.0.0.1", "2a00:1450::200:5efe:a00:1", "",
]  # fmt: skip
OUTSIDE = [
    "1.1.1.1", "8.8.8.8", "100.63.255.255", "100.128.0.1", "126.255.255.255", "128.0.0.1", "169.253.1.1", "172.15.0.1",
    "172.32.0.1", "192.0.1.1", "192.169.0.1", "198.17.0.1", "198.20.0.1", "223.255.255.255", "2606:4700:4700::1111",
    "2a00:1450:4001:81b::200e", "::ffff:8.8.8.8", "64:ff9b::8.8.8.8", "2001:4860:4860::8888",
]  # fmt: skip
PUBLIC = Rules()


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_not_public(address: str) -> None:
    assert is_public(address) is False


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_outside_is_public(address: str) -> None:
    assert is_public(address) is True


REFUSED = [
    ("ftp://shop.example.com/", "not-url"),
    ("file:" + "///etc/passwd", "not-url"),
    ("gopher://shop.example.com:443/", "not-url"),
    ("//shop.example.com/x", "not-url"),
    ("shop.example.com", "not-url"),
    ("https://", "not-url"),
    ("https:///x", "not-url"),
    ("https://shop.example.com:0/", "not-url"),
    ("https://shop.example.com:99999/", "not-url"),
    ("https://shop.example.com:x/", "not-url"),
    ("https://shop example.com/", "not-url"),
    ("https://shop.example.com\\@10.0.0.1/", "not-url"),
    ("https://shop.example.com/#part", "not-url"),
    ("https://ショップ.example.com/", "not-url"),
    ("https://①②⑦.⓪.⓪.①/", "not-url"),
    ("https://127。0。0。1/", "not-url"),
    ("https://-shop.example.com/", "not-url"),
    ("https://[::1/", "not-url"),
    ("https://user@shop.example.com/", "url-userinfo"),
    ("https://user:word@shop.example.com/", "url-userinfo"),
    ("https://shop.example.com@10.0.0.1/", "url-userinfo"),
    ("https://shop.example.com:22/", "url-port"),
    ("https://shop.example.com:6379/", "url-port"),
    ("https://shop.example.com:8000/", "url-port"),
    ("https://127.0.0.1/", "url-inside"),
    ("https://127.0.0.1./", "url-inside"),
    ("https://2130706433/", "url-inside"),
    ("https://0x7f000001/", "url-inside"),
    ("https://0x7f.1/", "url-inside"),
    ("https://017700000001/", "url-inside"),
    ("https://0177.0.0.1/", "url-inside"),
    ("https://127.1/", "url-inside"),
    ("https://10.1/", "url-inside"),
    ("https://0/", "url-inside"),
    ("https://169.254.169.254/latest/meta-data/", "url-inside"),
    ("https://999.999.999.999/", "url-inside"),
    ("https://1.2.3.4.5/", "url-inside"),
    ("https://[::1]/", "url-inside"),
    ("https://[::ffff:127.0.0.1]/", "url-inside"),
    ("https://[64:ff9b::a00:1]/", "url-inside"),
    ("https://[fd00:ec2::254]/", "url-inside"),
    ("https://localhost/", "url-inside"),
    ("https://LOCALHOST./", "url-inside"),
    ("https://db.localhost/", "url-inside"),
    ("https://redis/", "url-inside"),
    ("https://printer.local/", "url-inside"),
    ("https://metadata.google.internal/", "url-inside"),
    ("https://nas.home.arpa/", "url-inside"),
]
TAKEN = [
    "https://shop.example.com/hooks?shop=1", "https://shop.example.com:8443/", "http://shop.example.com/",
    "https://SHOP.example.com./", "https://8.8.8.8/", "https://[2606:4700:4700::1111]/", "https://a_b.example.com/",
    "https://0x7f.example.com/",
]  # fmt: skip


def code_of(refused: pytest.ExceptionInfo[Invalid]) -> tuple[str, str]:
    (fault,) = refused.value.facts["errors"]  # type: ignore[misc]
    return fault["pointer"], fault["code"]


@pytest.mark.parametrize(("url", "code"), REFUSED)
def test_a_url_that_leads_inside_or_nowhere_is_refused(url: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        check(url, PUBLIC)
    assert code_of(refused) == ("/url", code)


@pytest.mark.parametrize("url", TAKEN)
def test_a_public_url_is_taken(url: str) -> None:
    check(url, PUBLIC)


def test_production_takes_https_only() -> None:
    check("https://shop.example.com/", Rules(https_only=True))
    with pytest.raises(Invalid) as refused:
        check("http://shop.example.com/", Rules(https_only=True))
    assert code_of(refused) == ("/url", "not-https")


def test_tests_may_reach_their_own_machine_but_no_other_scheme() -> None:
    check("http://127.0.0.1:5000/", Rules(allow_private=True))
    with pytest.raises(Invalid):
        check("ftp://127.0.0.1/", Rules(allow_private=True))


@pytest.mark.parametrize("found", [["10.0.0.1"], ["8.8.8.8", "127.0.0.1"], ["::1"], ["2002:7f00:1::"]])
def test_a_name_that_has_an_address_inside_is_refused_when_it_is_named(found: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        check_name("https://shop.example.com/", PUBLIC, lambda _host, _port: found)
    assert code_of(refused) == ("/url", "url-inside")


@pytest.mark.parametrize("found", [[], ["8.8.8.8"], ["1.1.1.1", "2606:4700:4700::1111"]])
def test_a_name_with_public_addresses_or_none_yet_is_taken(found: list[str]) -> None:
    check_name("https://shop.example.com/", PUBLIC, lambda _host, _port: found)


class Names:
    """A resolver whose answers follow one another; the last one stays."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self.answers = list(answers)
        self.asked: list[tuple[str, int]] = []

    def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append((host, port))
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def letter(url: str) -> Letter:
    return Letter("d", "e", 1, url, {"content-type": "application/json"}, b"{}")


@pytest.fixture
def ear() -> Iterator[socket.socket]:
    """A socket inside that hears every attempt to connect, on IPv4 and IPv6."""
    with socket.socket(socket.AF_INET6) as listening:
        listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listening.bind(("::", 0))
        listening.listen()
        listening.setblocking(False)
        yield listening


def assert_untouched(ear: socket.socket) -> None:
    with pytest.raises(BlockingIOError):
        ear.accept()


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",  # noqa: S104
        "127.0.0.1", "2130706433", "0x7f000001", "0177.0.0.1", "127.1", "0", "localhost", "[::1]", "[::]",
        "[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "inside.example.com",
    ],
)  # fmt: skip
def test_the_dialer_makes_no_connection_inside(ear: socket.socket, host: str) -> None:
    names = {"inside.example.com": ["127.0.0.1"]}
    plain = socket.getaddrinfo

    def resolver(name: str, port: int) -> list[str]:
        return names.get(name) or [str(entry[4][0]) for entry in plain(name, port, type=socket.SOCK_STREAM)]

    post = Post(PUBLIC, resolver)
    assert post.send(letter(f"http://{host}:{ear.getsockname()[1]}/")) == Outcome(error="forbidden-address")
    assert_untouched(ear)


def test_the_ear_hears_who_is_let_in(ear: socket.socket, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(settings, "WEBHOOK_TOTAL_SECONDS", 0.2)
    post = Post(Rules(allow_private=True))
    assert post.send(letter(f"http://127.0.0.1:{ear.getsockname()[1]}/")) == Outcome(error="timeout")
    ear.accept()[0].close()


def test_one_address_inside_among_public_ones_forbids_them_all(ear: socket.socket) -> None:
    post = Post(PUBLIC, Names(["8.8.8.8", "127.0.0.1"]))
    assert post.send(letter(f"http://shop.example.com:{ear.getsockname()[1]}/")) == Outcome(error="forbidden-address")
    assert_untouched(ear)


def test_a_name_that_changes_after_the_check_is_judged_again(ear: socket.socket) -> None:
    names = Names(["8.8.8.8"], ["127.0.0.1"])
    check_name("http://shop.example.com/", PUBLIC, names)
    post = Post(PUBLIC, names)
    assert post.send(letter(f"http://shop.example.com:{ear.getsockname()[1]}/")) == Outcome(error="forbidden-address")
    assert_untouched(ear)


def test_a_name_is_asked_once_and_the_judged_address_is_dialled() -> None:
    """Asked a second time the name would lead nowhere; the receiver hears the name it goes by."""
    names = Names(["127.0.0.1"], ["240.0.0.1"])
    with receiving() as shop, closing(Post(Rules(allow_private=True), names)) as post:
        assert post.send(letter(f"http://shop.example.com:{shop.port}/x")) == Outcome(status=200)
        assert names.asked == [("shop.example.com", shop.port)]
        (came,) = shop.received
        assert (came.path, came.headers["host"]) == ("/x", f"shop.example.com:{shop.port}")


def test_a_name_without_an_address_is_no_connection() -> None:
    assert Post(PUBLIC, Names([])).send(letter("https://shop.example.com/")) == Outcome(error="no-connection")


def test_a_redirect_inside_is_not_followed(ear: socket.socket) -> None:
    inside = f"http://127.0.0.1:{ear.getsockname()[1]}/"
    with receiving() as shop, closing(Post(Rules(allow_private=True))) as post:
        for code in (301, 302, 303, 307, 308):
            shop.script.append(status(code, Location=inside))
            assert post.send(letter(shop.url)) == Outcome(status=code)
        assert len(shop.received) == 5
    assert_untouched(ear)
