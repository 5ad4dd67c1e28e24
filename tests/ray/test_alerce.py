"""serve_apps.alerce: the API on the shared cluster, under its prefix, asked by ALeRCE's own client."""

import socket
from pathlib import Path

import httpx
import pytest

from skystamp.store import open_store
from tests import alerce as packets

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.timeout(300),
]


@pytest.mark.usefixtures("cluster")
def test_the_client_is_answered_under_the_prefix(tmp_path: Path):
    from alerce.core import Alerce
    from ray import serve

    from serve_apps import alerce

    url = f"sqlite:///{tmp_path / 'store.db'}"
    store = open_store(url)
    packets.fill(store, only=(packets.ONE,))
    store.close()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    serve.start(http_options={"host": "127.0.0.1", "port": port})
    serve.run(alerce.build(alerce.Args(store=url)), name="alerce", route_prefix="/ztf")
    client, here = Alerce(), f"http://127.0.0.1:{port}"
    client.legacy_ztf_client.load_config_from_object({"ZTF_API_URL": here})
    client.legacy_stamps_client.load_config_from_object({"AVRO_URL": f"{here}/ztf"})
    candid = int(client.query_detections(packets.ONE, survey="ztf")[-1]["candid"])

    listed = client.query_objects(survey="ztf", format="json")
    told = httpx.get(f"{here}/ztf/client.json").json()

    assert [one["oid"] for one in listed["items"]] == [packets.ONE]
    assert len(client.get_stamps(packets.ONE, candid=candid, survey="ztf", format="numpy")) == 3
    assert told["ztf"]["ZTF_API_URL"] == f"{here}/ztf"
    serve.shutdown()  # the next module starts it on a port of its own


def test_settings_are_made_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    from serve_apps import alerce

    monkeypatch.chdir(tmp_path)

    application = alerce.build(alerce.Args(store="sqlite:///store.db", tokens="tokens.json"))

    (args,) = application._bound_deployment.init_args
    assert (args.store, args.tokens) == (f"sqlite:///{tmp_path}/store.db", f"{tmp_path}/tokens.json")
