"""The served site: who may ask, what is answered, and that it is the run as it is now."""

from __future__ import annotations

import json
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from tunescope.errors import InputError
from tunescope.files import read_json, write_json
from tunescope.study.result import Run
from tunescope.viewer import assets
from tunescope.viewer.frame import policy
from tunescope.viewer.server import current as watching
from tunescope.viewer.server.app import make_app
from tunescope.viewer.server.current import CurrentSite, stamp
from tunescope.viewer.server.security import LARGEST_POST, Rules
from tunescope.viewer.server.serve import address_of, bind, view
from tunescope.viewer.site import Served
from tunescope.viewer.tryout.bench import Bench

HOME = "http://127.0.0.1:8765"


@pytest.fixture(scope="module")
def run_folder(tiny_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a run's folder of its own, as tests change it."""
    folder = tmp_path_factory.mktemp("served") / "run"
    shutil.copytree(tiny_run.path, folder)
    return folder


@pytest.fixture(scope="module")
def site(run_folder: Path) -> CurrentSite:
    return CurrentSite(run_folder, Served(live=True))


def client_of(site: CurrentSite, rules: Rules | None = None, address: str = HOME) -> TestClient:
    app = make_app(site, rules or Rules.of("127.0.0.1", 8765), Bench("cpu"))
    return TestClient(app, base_url=address, follow_redirects=False)


@pytest.fixture
def client(site: CurrentSite) -> TestClient:
    return client_of(site)


def post(client: TestClient, path: str, content: Any, **headers: str) -> Any:
    given = {"Origin": HOME, "Content-Type": "application/json"} | headers
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    return client.post(path, content=body, headers={k: v for k, v in given.items() if v})


# --- pages ---------------------------------------------------------------------------------------


def test_what_is_served_is_what_is_exported_but_for_the_policy(
    client: TestClient, site: CurrentSite, tiny_run: Run
) -> None:
    from tunescope.viewer.site import Site

    exported = Site(tiny_run)
    for path in ("index.html", "layers/base-tuned/index.html", "static/page.js"):
        answer = client.get(f"/{path}")
        assert answer.status_code == 200
        content = exported.get(path)
        assert content is not None
        assert answer.headers["content-type"] == content.kind
        if path.endswith(".js"):
            assert answer.content == content.body
        assert "http-equiv" not in answer.text
    assert client.get("/").content == client.get("/index.html").content


def test_every_answer_carries_the_headers_that_protect_it(client: TestClient) -> None:
    for path in ("/", "/static/page.js", "/nothing.html", "/api/nothing", "/../x"):
        headers = client.get(path).headers
        assert headers["content-security-policy"] == policy(live=True)
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers["cross-origin-opener-policy"] == "same-origin"
        assert headers["cross-origin-resource-policy"] == "same-origin"
        assert "server" not in headers


def test_a_browser_keeps_a_page_and_asks_whether_it_still_holds(client: TestClient) -> None:
    first = client.get("/")
    assert first.headers["cache-control"] == "private, no-cache"
    again = client.get("/", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    other = client.get("/", headers={"If-None-Match": 'W/"0123456789abcdef"'})
    assert other.status_code == 200
    assert client.get("/nothing.html").headers["cache-control"] == "no-store"


def test_pages_are_compressed_images_are_not(client: TestClient, site: CurrentSite) -> None:
    assert client.get("/").headers["content-encoding"] == "gzip"
    plain = client.get("/", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == client.get("/").content
    image = next(path for path in site.site.paths() if path.endswith(".png"))
    assert "content-encoding" not in client.get(f"/{image}").headers


def test_head_is_get_without_a_body(client: TestClient) -> None:
    answer = client.head("/")
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["etag"] == client.get("/").headers["etag"]


def test_what_is_not_there_is_said_on_a_page_of_the_site(client: TestClient) -> None:
    answer = client.get("/layers/other/index.html")
    assert answer.status_code == 404
    assert "There is no such page" in answer.text
    assert 'href="../../index.html"' in answer.text


def test_a_page_that_fails_says_why_and_the_others_are_served(
    client: TestClient, site: CurrentSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    kind = next(pages for pages in site.site.kinds if pages.folder == "layers")

    def fails(_: str) -> None:
        raise InputError("the file <x> is broken")

    monkeypatch.setattr(kind, "get", fails)
    answer = client.get("/layers/base-tuned/index.html")
    assert answer.status_code == 500
    assert "the file &lt;x&gt; is broken" in answer.text
    assert client.get("/").status_code == 200


# --- who may ask ---------------------------------------------------------------------------------

OUTSIDE = (
    "/../study.toml", "/%2e%2e/study.toml", "/static/../../study.toml", "/static/%2e%2e/app.py",
    "/static/..%2f..%2fsite.py", "//etc/passwd", "/%2fetc/passwd", "/etc/passwd",
    "/static//etc/passwd", "/static/page.js%00", "/%00", "/..%5c..%5cstudy.toml",
    "/static/..\\..\\site.py", "/static/%c0%ae%c0%ae/site.py", "/.hidden", "/static/.",
    "/layers/base-tuned/..%2f..%2findex.html", "/study.toml", "/manifest.json",
    "/annotations.json", "/corpora/odd/words.parquet", "/" + "a" * 5000, "/static/" + "x/" * 500,
    *(
        f"/{start}{'9' * 5000}{end}"
        for start, end in (
            ("concepts/odd/tuned/layer-", "/index.html"), ("concepts/odd/contexts/", ".js"),
            ("concepts/odd/tuned/layer-02/", ".html"), ("map/odd-base-tuned/layer-", ".html"),
            ("neurons/odd-tuned/layer-01/", ".html"),
        )
    ),
)  # fmt: skip


@pytest.mark.parametrize("path", OUTSIDE)
def test_no_address_leads_out_of_the_site(client: TestClient, path: str) -> None:
    scope_path = path.encode()
    answer = client.get(path)
    assert answer.status_code == 404, scope_path
    for secret in (b"root:", b"[models.", b"from __future__", b'"versions"'):
        assert secret not in answer.content


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8765", 200), ("localhost:8765", 200), ("LOCALHOST", 200), ("[::1]:8765", 200),
        ("localhost.", 200), ("evil.example", 403), ("evil.example:8765", 403), ("", 403),
        ("127.0.0.1.evil.example", 403), ("localhost@evil.example", 403), ("10.0.0.1", 403),
    ],
)  # fmt: skip
def test_the_host_is_this_machine(client: TestClient, host: str, status: int) -> None:
    assert client.get("/", headers={"Host": host}).status_code == status


@pytest.mark.parametrize(
    ("bound", "host", "allowed"),
    [
        ("192.168.1.5", "192.168.1.5:1", True), ("192.168.1.5", "192.168.1.6:1", False),
        ("Machine", "machine:1", True), ("machine", "other:1", False),
        ("0.0.0.0", "192.168.1.6:1", True), ("::", "[fe80::1]:1", True),
        ("0.0.0.0", "evil.example:1", False), ("0.0.0.0", socket.gethostname(), True),
    ],
)  # fmt: skip
def test_bound_elsewhere_it_is_called_by_that_name(bound: str, host: str, allowed: bool) -> None:
    assert Rules.of(bound, 1).names(host) == allowed


def test_bound_elsewhere_nothing_is_shown_without_the_token(site: CurrentSite) -> None:
    rules = Rules.of("192.168.1.5", 8765)
    assert rules.token is not None
    assert len(rules.token) > 40
    assert Rules.of("192.168.1.5", 8765).token != rules.token
    client = client_of(site, rules, "http://192.168.1.5:8765")
    wrong = f"token={rules.token[:-1]}"
    for path in ("/", "/index.html", "/static/page.js", "/nothing", "/api/bench", f"/?{wrong}"):
        answer = client.get(path)
        assert answer.status_code == 403
        assert "tiny" not in answer.text
        assert "set-cookie" not in answer.headers
    sent = {"Origin": "http://192.168.1.5:8765"}
    assert post(client, "/api/annotate", {}, **sent).status_code == 403
    opened = client.get(f"/layers/base-tuned/index.html?token={rules.token}")
    assert opened.status_code == 200
    assert rules.token not in opened.text
    assert 'content="0; url=./index.html"' in opened.text
    cookie = opened.headers["set-cookie"]
    assert cookie.startswith(f"tunescope-8765={rules.token};")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert client.get("/").status_code == 200  # the client holds the cookie now
    assert "cross-origin-opener-policy" not in client.get("/").headers
    client.cookies.clear()
    client.cookies.set("tunescope-8765", "x")
    assert client.get("/").status_code == 403


def test_on_this_machine_no_token_is_needed() -> None:
    for host in ("127.0.0.1", "localhost", "::1", "127.0.0.2"):
        assert Rules.of(host, 1).token is None
    assert address_of(Rules("::1", 5)) == "http://[::1]:5/"
    assert address_of(Rules("10.0.0.1", 5, "secret")) == "http://10.0.0.1:5/?token=secret"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_pages_can_only_be_read(client: TestClient, method: str) -> None:
    answer = client.request(method, "/index.html", headers={"Origin": HOME})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),  # allowed to ask, and told that the site is read-only
        ({"Origin": "http://localhost:8765"}, 403),
        ({"Origin": "null"}, 403),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "http://127.0.0.1:9999"}, 403),
        ({"Origin": ""}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
        ({"Sec-Fetch-Site": "same-site"}, 403),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": ""}, 415),
    ],
)
def test_only_pages_of_the_site_may_send(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    answer = post(client, "/api/annotate", {}, **headers)
    assert answer.status_code == status
    assert ("read-only" in answer.json()["error"]) == (headers == {})


def test_what_is_sent_is_small_and_json(client: TestClient) -> None:
    assert post(client, "/api/try", b" " * (LARGEST_POST + 1)).status_code == 413
    assert post(client, "/api/try", b" " * 10, **{"Content-Length": "x"}).status_code == 411
    for body in (b"{", b"[]", b"\xff", b"[" * 20_000, b""):
        answer = post(client, "/api/try", body)
        assert answer.status_code == 422
        assert "JSON" in answer.json()["error"]
    assert post(client, "/api/nothing", {}).status_code == 404
    assert client.get("/api/try").status_code in (404, 405)


def test_no_socket_is_opened(client: TestClient) -> None:
    from starlette.websockets import WebSocketDisconnect

    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/"):
        pass


# --- annotations ---------------------------------------------------------------------------------


def filled(site: CurrentSite, **values: Any) -> dict[str, Any]:
    key = site.site.run.latent.clustered["odd", "tuned"].key
    place = {"corpus": "odd", "model": "tuned", "layer": 1, "concept": 3, "clustering": key}
    return {"annotation": place | {"meaningful": "yes", "name": "<b>verbs</b>"} | values}


def test_a_site_is_read_only_unless_asked_to_be_annotated(
    client: TestClient, site: CurrentSite, run_folder: Path
) -> None:
    answer = post(client, "/api/annotate", filled(site))
    assert answer.status_code == 403
    assert "--annotate" in answer.json()["error"]
    assert not (run_folder / "annotations.json").exists()


def test_annotations_are_kept_checked_and_change_pages(run_folder: Path) -> None:
    site = CurrentSite(run_folder, Served(live=True, annotate=True))
    client = client_of(site)
    before = client.get("/").headers["etag"]
    saved = post(client, "/api/annotate", filled(site))
    assert saved.status_code == 200
    time = saved.json()["time"]
    assert client.get("/").headers["etag"] != before
    assert post(client, "/api/annotate", filled(site)).status_code == 409
    assert post(client, "/api/annotate", filled(site, concept=99)).status_code == 422
    assert post(client, "/api/annotate", {}).status_code == 422
    again = CurrentSite(run_folder, Served(live=True, annotate=True))
    assert again.site.annotations.of("odd", "tuned", 1)[3].name == "<b>verbs</b>"
    gone = filled(site, meaningful="", name="") | {"seen": time}
    assert post(client, "/api/annotate", gone).json() == {"time": ""}
    assert again.site.annotations.all() == {}
    (run_folder / "annotations.json").unlink()


# --- the run as it is now ------------------------------------------------------------------------


@pytest.fixture
def looks_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "INTERVAL", 0.0)
    monkeypatch.setattr(watching, "SHARE", 1e9)


@pytest.mark.usefixtures("looks_at_once")
def test_results_that_come_later_are_shown(run_folder: Path) -> None:
    failed = run_folder / "failed.json"
    assert read_json(failed) == {}
    client = client_of(CurrentSite(run_folder, Served(live=True)))
    time.sleep(0.01)
    first = client.get("/")
    assert "no such file" not in first.text
    write_json(failed, {"task t": "no such file"})
    later = client.get("/", headers={"If-None-Match": first.headers["etag"]})
    write_json(failed, {})
    assert later.status_code == 200
    assert "no such file" in later.text


@pytest.mark.usefixtures("looks_at_once")
def test_a_run_that_is_being_written_is_shown_as_it_was(run_folder: Path) -> None:
    site = CurrentSite(run_folder, Served(live=True))
    time.sleep(0.01)
    study = run_folder / "study.toml"
    text = study.read_text(encoding="utf-8")
    study.write_text("[", encoding="utf-8")
    try:
        assert client_of(site).get("/").status_code == 200
    finally:
        study.write_text(text, encoding="utf-8")


def test_a_step_that_begins_anew_or_ends_is_noticed(run_folder: Path) -> None:
    before = stamp(run_folder)
    assert stamp(run_folder) == before
    manifest = run_folder / "triggers" / "odd" / "tuned" / "manifest.json"
    away = manifest.with_name("away.json")
    manifest.rename(away)
    without = stamp(run_folder)
    away.rename(manifest)
    assert without != before == stamp(run_folder)
    (run_folder / "annotations.json").write_text("{}")
    assert stamp(run_folder) == before
    (run_folder / "annotations.json").unlink()


def test_no_run_no_server(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not a run's folder"):
        view(tmp_path)


def test_warming_makes_every_page_that_is_entered(run_folder: Path) -> None:
    site = CurrentSite(run_folder, Served(live=True))
    kind: Any = next(pages for pages in site.site.kinds if pages.folder == "layers")
    assert kind._made == {}
    site.warm()
    assert kind._made.keys() == {link.path for link in kind.links()}


def test_the_charts_script_is_made_apart_and_is_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    here = assets.vega()
    monkeypatch.setattr(assets, "_made", [])
    assets.vega_apart()
    assert assets._made == [here]
    monkeypatch.setattr(assets, "_made", [])
    monkeypatch.setattr(assets, "BUNDLE", "raise SystemExit(1)")
    assets.vega_apart()
    assert assets._made == []
    assert assets.vega() == here


# --- the port ------------------------------------------------------------------------------------


def test_another_port_is_taken_where_none_was_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    with bind("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        monkeypatch.setattr("tunescope.viewer.server.serve.PORT", port)
        with bind("127.0.0.1", None) as second:
            assert second.getsockname()[1] not in (0, port)
        with pytest.raises(InputError, match=f"port {port}"):
            bind("127.0.0.1", port)
    with pytest.raises(InputError, match="no address or name"):
        bind("no.such.host.invalid", None)
    for host, wrong in (("127.0.0.1", 70_000), ("203.0.113.7", None)):
        with pytest.raises(InputError, match="cannot serve"):
            bind(host, wrong)


# --- the command ---------------------------------------------------------------------------------


def test_the_command_prints_the_address_serves_and_ends_when_interrupted(run_folder: Path) -> None:
    command = "from tunescope.cli import main; main()"
    arguments = ["view", str(run_folder), "--port", "0", "--no-open"]
    with subprocess.Popen(
        [sys.executable, "-c", command, *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as running:  # fmt: skip
        assert running.stdout is not None
        line = running.stdout.readline()
        try:
            port = int(line.split()[1].rstrip("/").rsplit(":", 1)[1])
            with socket.create_connection(("127.0.0.1", port)) as asking:
                asking.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
                assert asking.recv(12) == b"HTTP/1.1 200"  # and the connection stays open
                running.send_signal(signal.SIGINT)
                _, complaints = running.communicate(timeout=20)
        finally:
            running.kill()
    assert line.startswith("tiny: http://127.0.0.1:")
    assert "read-only" in line
    assert (running.returncode, complaints) == (0, "")
