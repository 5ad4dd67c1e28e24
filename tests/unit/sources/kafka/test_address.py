"""kafka.address: URLs and settings files, and no secret anywhere."""

import sys
from pathlib import Path

import pytest

from skystamp.errors import UsageError
from skystamp.sources.kafka.address import Address, Settings, client_settings, is_kafka, library, parse, read_settings


def test_a_url_names_brokers_topics_group_and_start() -> None:
    address = parse("kafka://a:9092,b:9093/ztf_1,ztf_2?group=g&start=latest", reader=True)

    assert address == Address("a:9092,b:9093", ("ztf_1", "ztf_2"), "g", "latest")
    assert str(address) == "kafka://a:9092,b:9093/ztf_1,ztf_2"


def test_a_topic_may_be_a_pattern() -> None:
    assert parse("kafka://a:1/%5Eztf_.%2A_programid1?group=g", reader=True).topics == ("^ztf_.*_programid1",)


@pytest.mark.parametrize(
    ("url", "reader", "sentence"),
    [
        ("kafka://a:1/t", True, "should name its consumer group"),
        ("kafka://a:1/t?group=g&start=middle", True, "earliest or latest"),
        ("kafka://a:1/?group=g", True, "should be kafka://HOST:PORT"),
        ("kafka://a/t?group=g", True, "should be kafka://HOST:PORT"),
        ("kafka://a:1,b/t?group=g", True, "should be kafka://HOST:PORT"),
        ("kafka:///t?group=g", True, "should be kafka://HOST:PORT"),
        ("kafka://a:1/t,u", False, "should be one topic"),
        ("kafka://a:1/^t", False, "should be one topic"),
        ("kafka://a:1/t?group=g", False, "no option but group and start"),
    ],
)
def test_another_url_is_refused(url: str, reader: bool, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        parse(url, reader=reader)


@pytest.mark.parametrize("url", ["kafka://me:hunter2@a:1/t?group=g", "kafka://a:1/t?group=g&sasl.password=hunter2"])
def test_a_secret_in_a_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(url, reader=True)

    assert "hunter2" not in str(refused.value)
    assert "settings file" in str(refused.value)


def test_a_settings_file_is_read_for_both_sides_and_never_shown(tmp_path: Path) -> None:
    path = tmp_path / "kafka.conf"
    path.write_text(
        "# how to log in\n\nsecurity.protocol=SASL_SSL\nsasl.password = a=b \n"
        "consumer.session.timeout.ms=2000\nproducer.linger.ms=9\n"
    )

    settings = read_settings(path, {"sasl.username": "me", "sasl.password": "of the environment"})

    both = {"security.protocol": "SASL_SSL", "sasl.password": "a=b", "sasl.username": "me"}
    assert settings.consumer == {**both, "session.timeout.ms": "2000"}
    assert settings.producer == {**both, "linger.ms": "9"}
    assert "a=b" not in repr(settings)


@pytest.mark.parametrize("line", ["enable.auto.commit=true", "consumer.group.id=x", "producer.acks=0"])
def test_settings_on_which_delivery_hangs_are_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "kafka.conf"
    path.write_text(f"a=b\n{line}\n")

    with pytest.raises(UsageError, match="line 2"):
        read_settings(path)


def test_a_line_that_is_no_setting_is_refused_by_its_number_alone(tmp_path: Path) -> None:
    path = tmp_path / "kafka.conf"
    path.write_text("hunter2\n")

    with pytest.raises(UsageError) as refused:
        read_settings(path)

    assert "line 1" in str(refused.value)
    assert "hunter2" not in str(refused.value)


def test_a_settings_file_that_is_missing_is_said(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="should be a readable file"):
        read_settings(tmp_path / "none")


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "confluent_kafka", None)

    with pytest.raises(UsageError, match=r"pip install skystamp\[kafka\]"):
        library()


def test_the_client_is_told_where_the_brokers_are() -> None:
    address = parse("kafka://a:1/t?group=g", reader=True)

    made = client_settings(address, Settings({"x": "y"}).consumer)

    assert made == {"bootstrap.servers": "a:1", "client.id": "skystamp", "x": "y"}
    assert is_kafka("kafka://a:1/t")
    assert not is_kafka("/a/kafka")
