"""Git's credential requests: allowed hosts, and rejected requests."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from iamcreds.errors import GitRequestError
from iamcreds.state.git_credential import GitRequest, parse_request, require_allowed_host, require_repository

HOST = "git-codecommit.us-east-1.amazonaws.com"
ALLOWED = (
    HOST,
    f"{HOST}:443",
    HOST.upper(),
    "git-codecommit-fips.us-gov-west-1.amazonaws.com",
    "git-codecommit.cn-north-1.amazonaws.com.cn",
    "git-codecommit.ap-southeast-2.amazonaws.com",
    "git-codecommit.us-east-1.vpce.amazonaws.com",
    "vpce-1a-2b.git-codecommit.us-east-1.vpce.amazonaws.com",
    "vpce-1a-2b.git-codecommit-fips.us-east-1.vpce.amazonaws.com:443",
)
REJECTED = (
    "",
    "github.com",
    f"{HOST}.evil.example",
    f"{HOST}/.evil.example",
    f"{HOST}#.evil",
    f"{HOST}?.evil",
    f"{HOST}\\.evil",
    f"{HOST}@evil.example",
    f"evil.example/{HOST}",
    f"{HOST}:22",
    f"{HOST}:",
    f"{HOST}.",
    f" {HOST}",
    "evil\\@localhost",
    "localhost.evil.example",
    "git-codecommit.s3.amazonaws.com",
    "git-codecommit.s3-us-west-2.amazonaws.com",
    "git-codecommit.s3.us-east-1.amazonaws.com",
    "evil.git-codecommit.us-east-1.amazonaws.com",
    "evil.git-codecommit.us-east-1.vpce.amazonaws.com",
    "[::1",
    "[",
    "]",
)
SEPARATORS = ("\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029", "\r", "\0", "\t", "\x7f")
"""The characters at which `str.splitlines` splits but git does not, and control characters."""


def is_allowed(request: bytes, *, allow_localhost: bool = False) -> bool:
    """Return True if the request gets a password."""
    try:
        require_allowed_host(parse_request(request), allow_localhost=allow_localhost)
    except GitRequestError:
        return False
    return True


@pytest.mark.parametrize("host", ALLOWED)
def test_allowed_hosts(host: str) -> None:
    """CodeCommit's endpoints and VPC endpoints get a password over HTTPS, and over no other protocol."""
    assert is_allowed(f"protocol=https\nhost={host}\npath=v1/repos/x\n\n".encode())
    assert is_allowed(f"url=https://{host}/v1/repos/x\n".encode())
    for protocol in ("http", "ssh", "", "HTTPS", "ftp"):
        assert not is_allowed(f"protocol={protocol}\nhost={host}\n".encode())
    assert not is_allowed(f"host={host}\n".encode())


@pytest.mark.parametrize("host", REJECTED)
@pytest.mark.parametrize("allow_localhost", [False, True])
def test_rejected_hosts(host: str, *, allow_localhost: bool) -> None:
    """The whole host is compared: a prefix, an infix or a suffix of CodeCommit's name is rejected."""
    request = f"protocol=https\nhost={host}\n".encode()
    assert not is_allowed(request, allow_localhost=allow_localhost)
    if "/" not in host and "?" not in host and "#" not in host:
        assert not is_allowed(f"url=https://{host}/x\n".encode(), allow_localhost=allow_localhost)


@pytest.mark.parametrize("host", ["localhost", "localhost:8080", "127.0.0.1:8080", "[::1]", "[::1]:8080"])
@pytest.mark.parametrize("protocol", ["http", "https"])
def test_localhost(host: str, protocol: str) -> None:
    """This machine gets a password only if the user allows it."""
    request = f"protocol={protocol}\nhost={host}\n".encode()
    assert not is_allowed(request)
    assert is_allowed(request, allow_localhost=True)
    assert not is_allowed(request.replace(b"protocol=", b"protocol=x"), allow_localhost=True)


@pytest.mark.parametrize("separator", SEPARATORS)
def test_smuggled_lines(separator: str) -> None:
    """A host that contains a line separator of other programs, percent-decoded by git, gets no password."""
    smuggled = f"{separator}protocol=https{separator}host={HOST}{separator}@127.0.0.2:4899"
    assert not is_allowed(f"protocol=http\nhost={smuggled}\n".encode(), allow_localhost=True)
    assert not is_allowed(f"protocol=https\nhost={HOST}\nusername={separator}\n".encode(), allow_localhost=True)


@pytest.mark.parametrize("key", ["protocol", "host", "path", "username", "url"])
def test_repeated_keys(key: str) -> None:
    """A second value of a relevant key is rejected, even if it equals the first one."""
    value = {"protocol": "https", "host": HOST, "url": f"https://{HOST}"}.get(key, "x")
    others = (
        "" if key == "url" else "".join(f"{k}={v}\n" for k, v in (("protocol", "https"), ("host", HOST)) if k != key)
    )
    assert is_allowed(f"{others}{key}={value}\n".encode())
    with pytest.raises(GitRequestError, match=" twice"):
        parse_request(f"{others}{key}={value}\n{key}={value}\n".encode())
    if key in ("protocol", "host"):
        assert not is_allowed(f"url=https://{HOST}/x\n{key}={value}\n".encode())


def test_unknown_keys() -> None:
    """Keys that newer versions of git add are ignored, and may repeat."""
    more = 'capability[]=authtype\ncapability[]=state\nwwwauth[]=Basic realm="x"\nwwwauth[]=y\nno separator\n'
    request = parse_request(f"{more}protocol=https\nhost={HOST}\nusername=jane-at-1\n\n".encode())
    assert request == GitRequest("https", HOST, "jane-at-1")


def test_url() -> None:
    """A URL counts as the keys that git derives from it; an invalid one is rejected."""
    assert parse_request(f"url=https://jane-at-1@{HOST}/v1".encode()) == GitRequest("https", HOST, "jane-at-1")
    for url in ("", HOST, "https:", f"https://a@b@{HOST}", "https://[::1?x", "https://x\\@y"):
        assert not is_allowed(f"url={url}\n".encode())


WHOLE = (f"protocol=https\nhost={HOST}", "protocol=http", "\n", "host=", "url=https://", "username=", "=", "@")
PARTS = st.sampled_from([*WHOLE, "%0b", "/", ":443", "localhost", *SEPARATORS, *REJECTED]) | st.text(max_size=5)


@given(st.lists(PARTS, max_size=8).map("".join))
@example(f"protocol=http\nhost=\x0bprotocol=https\x0bhost={HOST}\x0b@127.0.0.2:4899\n")
@example("protocol=https\nhost=[::1\n")
def test_any_request(text: str) -> None:
    """A request gets a password only if git itself reads an allowed host and HTTPS from it; no request crashes."""
    request = text.encode("utf-8", "surrogatepass")
    if is_allowed(request):
        lines = request.split(b"\n")  # git's own rule
        hosts = [line for line in lines if line.startswith((b"host=", b"url="))]
        assert len(hosts) == 1
        allowed = tuple(name.lower() for name in ALLOWED)
        host = hosts[0].decode().split("=", 1)[1].lower().removeprefix("https://").split("/")[0].rpartition("@")[2]
        assert host in allowed
        assert b"protocol=https" in lines or hosts[0].lower().startswith(b"url=https://")
        assert not any(byte < 0x20 or byte > 0x7E for byte in request.replace(b"\n", b""))


@given(st.binary(max_size=80))
def test_any_bytes(request: bytes) -> None:
    """Any bytes are accepted or rejected without a crash."""
    assert is_allowed(request) in (False, True)


@pytest.mark.parametrize("host", ALLOWED)
def test_repository(host: str) -> None:
    """The HTTPS URL of a repository at each of CodeCommit's endpoints is accepted."""
    require_repository(f"https://{host}/v1/repos/My_product.api-2")


REPOSITORY = f"https://{HOST}/v1/repos/product"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "codecommit::us-east-1://product",
        f"ssh://{HOST}/v1/repos/product",
        REPOSITORY.replace("https", "http"),
        *(f"https://{host}/v1/repos/product" for host in REJECTED),
        "http://localhost/v1/repos/product",
        "https://127.0.0.1:8443/v1/repos/product",
        REPOSITORY.replace("https://", "https://jane@"),
        REPOSITORY.replace("https://", "https://jane:hunter2@"),
        REPOSITORY.replace("https://", "https://:hunter2@"),
        f"https://{HOST}",
        f"https://{HOST}/v1/repos/",
        f"https://{HOST}/v1/repos/{'a' * 101}",
        *(f"{REPOSITORY}{end}" for end in ("/", "/x", "?x", "#x", " ", "\n", '"', "%0a", "\nkind: Pod", "ä")),
        f" {REPOSITORY}",
    ],
)
def test_rejected_repositories(url: str) -> None:
    """Any other URL is rejected; a password in it is not quoted."""
    with pytest.raises(GitRequestError) as raised:
        require_repository(url)
    assert "hunter2" not in str(raised.value)
