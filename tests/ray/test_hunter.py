"""serve_apps.hunter: the page on the shared cluster, under its prefix, from a store that a test filled."""

import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from skystamp.store import open_store
from tests import hunting

pytestmark = [
    pytest.mark.usefixtures("cluster"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.timeout(300),
]


@pytest.fixture(scope="module")
def client(cluster: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """Somebody before the page."""
    from ray import serve

    from serve_apps import hunter

    url = f"sqlite:///{tmp_path_factory.mktemp('hunter') / 'store.db'}"
    store = open_store(url)
    hunting.fill(store)
    store.close()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    serve.run(hunter.build(hunter.Args(store=url)), name="hunter", route_prefix="/hunter")
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=60) as made:
        yield made
    serve.shutdown()  # the next module starts it on a port of its own


def test_the_page_and_its_files_come_under_the_prefix(client: httpx.Client):
    page = client.get("/hunter", params={"from": "2023-11-01", "until": "2023-11-30"}, follow_redirects=True)

    assert page.status_code == 200
    assert "ZTF23aaa" in page.text
    assert "/hunter/static/hunter.js" in page.text
    assert client.get("/hunter/static/hunter.js").status_code == 200
    assert client.get("/hunter/objects/ztf/ZTF23aaa").status_code == 200


def test_a_vote_comes_through_the_proxy(client: httpx.Client):
    origin = {"origin": str(client.base_url).rstrip("/")}
    client.post("/hunter/session", data={"secret": "Ada"}, headers=origin)
    text = client.get("/hunter/").text
    word = text.partition('<meta name="word" content="')[2].partition('"')[0]

    fields = {"object": "ztf/ZTF23aaa", "label": "SN", "word": word}
    answer = client.post("/hunter/votes", data=fields, headers={**origin, "accept": "application/json"})

    assert answer.status_code == 200
    assert answer.json()["state"] == "possible"


def test_settings_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from serve_apps import hunter

    monkeypatch.chdir(tmp_path)

    application = hunter.build(hunter.Args(store="sqlite:///store.db", tokens="tokens.json"))

    (args,) = application._bound_deployment.init_args
    assert (args.store, args.tokens) == (f"sqlite:///{tmp_path}/store.db", f"{tmp_path}/tokens.json")
