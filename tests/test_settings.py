"""Settings: defaults, the environment, refusals in one sentence, and secrets that are made once."""

from __future__ import annotations

import os
import pickle
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from s3palette.settings import Settings, SettingsError, load_settings, read_settings, unknown_variables

LONG = "x" * 32


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in [name for name in os.environ if name.startswith("S3P_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("S3P_DATA_DIR", str(tmp_path / "data"))


def test_defaults_are_the_documented_ones(tmp_path: Path) -> None:
    settings = load_settings()
    assert (settings.http_host, settings.http_port, settings.engine) == ("127.0.0.1", 8000, "auto")
    assert (settings.max_photo_bytes, settings.max_pixels, settings.url_ttl) == (60_000_000, 64_000_000, 3600)
    assert settings.public_url is None
    assert settings.signup_limit == 0
    assert settings.data_dir == tmp_path / "data"


def test_the_data_dir_follows_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("S3P_DATA_DIR")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "xdg"))
    assert load_settings().data_dir == tmp_path / "xdg" / "s3palette"


def test_an_argument_wins_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3P_HTTP_PORT", "9000")
    assert load_settings().http_port == 9000
    assert load_settings(http_port=9001).http_port == 9001


def test_an_empty_variable_is_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("S3P_HTTP_PORT", "S3P_ENGINE", "S3P_JWT_SECRET", "S3P_CORS_ORIGINS", "S3P_PUBLIC_URL"):
        monkeypatch.setenv(name, "")
    settings = load_settings()
    assert (settings.http_port, settings.engine, settings.cors_origins) == (8000, "auto", ())
    assert settings.public_url is None
    assert len(settings.jwt_secret.get_secret_value()) == 64


def test_origins_are_separated_by_commas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3P_CORS_ORIGINS", "https://a.example, https://b.example:8443")
    assert load_settings().cors_origins == ("https://a.example", "https://b.example:8443")


def test_a_public_url_loses_its_last_slash() -> None:
    assert load_settings(public_url="https://api.example.com/v1/").public_url == "https://api.example.com/v1"


@pytest.mark.parametrize(
    ("name", "value", "says"),
    [
        ("S3P_ENGINE", "onnx", "'auto', 'classical', 'sam3' or 'external'"),
        ("S3P_ENGINE", "sam3", "needs S3P_SAM3_WEIGHTS"),
        ("S3P_HTTP_PORT", "http", "valid integer"),
        ("S3P_HTTP_PORT", "70000", "65535"),
        ("S3P_PUBLIC_URL", "api.example.com", "https://host"),
        ("S3P_PUBLIC_URL", "ftp://x", "https://host"),
        ("S3P_PUBLIC_URL", "http://x/?a=b", "https://host"),
        ("S3P_EXTERNAL_URL", "gpu.example.com/jobs", "https://host/path"),
        ("S3P_EXTERNAL_URL", "http://x:99999/jobs", "https://host/path"),
        ("S3P_EXTERNAL_URL", "http://x/jobs#part", "https://host/path"),
        ("S3P_EXTERNAL_URL", "http://gpu example/jobs", "https://host/path"),
        ("S3P_EXTERNAL_URL", "http://x/jobs\n", "https://host/path"),
        ("S3P_PUBLIC_URL", "https://api..example.com", "https://host"),
        ("S3P_PUBLIC_URL", "http://x:99999", "https://host"),
        ("S3P_CORS_ORIGINS", "localhost:3000/path", "not an origin"),
        ("S3P_CLIENT_ADDRESS_HEADER", "X Forwarded", "header name"),
        ("S3P_SIGNUP_LIMIT", "-1", "greater than or equal to 0"),
        ("S3P_SIGNUP_LIMIT", "5", "S3P_CLIENT_ADDRESS_HEADER"),
        ("S3P_URL_TTL", "0", "greater than or equal to 1"),
        ("S3P_STORE", "tape", "'folder' or 's3'"),
        ("S3P_STORE", "s3", "S3P_S3_ENDPOINT, S3P_S3_ACCESS_KEY, S3P_S3_SECRET_KEY, S3P_S3_BUCKET"),
        ("S3P_S3_BUCKET", "album", "S3P_STORE is not"),
        ("S3P_S3_BUCKET", "Album_1", "3 to 63 lower-case letters"),
        ("S3P_S3_ENDPOINT", "minio:9000", "http://host:port"),
        ("S3P_S3_ENDPOINT", "https://host/path", "bare address"),
        ("S3P_S3_PUBLIC_ENDPOINT", "https://key:secret@host", "bare address"),
        ("S3P_S3_REGION", "Frankfurt am Main", "S3P_S3_REGION"),
        ("S3P_ENGINE_MIN_REPLICAS", "2", "S3P_ENGINE_REPLICAS=1"),
        ("S3P_ENGINE_MIN_REPLICAS", "-1", "greater than or equal to 0"),
        ("S3P_UPLOAD_WITHIN_S", "inf", "less than or equal"),
        ("S3P_TOKEN_TTL_DAYS", "nan", "S3P_TOKEN_TTL_DAYS"),
    ],
)
def test_what_cannot_be_used_is_refused_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, says: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError) as refusal:
        load_settings()
    message = str(refusal.value)
    assert name in message
    assert says in message
    assert "\n" not in message
    assert message.endswith(".")


def test_every_problem_is_named_and_no_secret_is_shown() -> None:
    with pytest.raises(SettingsError) as refusal:
        load_settings(jwt_secret="hunter2", http_port=0, nonsense=1)
    lines = str(refusal.value).splitlines()
    assert {line.split()[0] for line in lines} == {"S3P_HTTP_PORT", "S3P_NONSENSE"}
    assert "hunter2" not in str(refusal.value)


def test_a_limit_with_a_header_is_fine() -> None:
    assert load_settings(signup_limit=5, client_address_header="X-Forwarded-For").signup_limit == 5


def test_a_bucket_needs_its_four_settings_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {"s3_endpoint": "http://minio:9000/", "s3_access_key": "key", "s3_secret_key": "hush", "s3_bucket": "album"}
    settings = load_settings(store="s3", **given)
    assert (settings.s3_endpoint, settings.s3_public_endpoint) == ("http://minio:9000", None)
    assert settings.s3_region == "us-east-1"
    assert "hush" not in repr(settings)
    for name in given:
        with pytest.raises(SettingsError, match=f"^S3P_STORE=s3 needs S3P_{name.upper()}:"):
            load_settings(store="s3", **{**given, name: None if name != "s3_secret_key" else ""})
    assert load_settings(store="folder", **given).store == "folder"


def test_secrets_are_made_once_and_are_private(tmp_path: Path) -> None:
    first, second = load_settings(), load_settings()
    names = ("jwt_secret", "callback_secret", "device_key", "storage_secret")
    assert [getattr(first, name) for name in names] == [getattr(second, name) for name in names]
    assert len({getattr(first, name).get_secret_value() for name in names}) == len(names)
    files = sorted((tmp_path / "data" / "secrets").iterdir())
    assert [file.name for file in files] == sorted([*names, "ray_token"])
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert stat.S_IMODE((tmp_path / "data" / "secrets").stat().st_mode) == 0o700


def test_a_given_secret_is_not_written_down(tmp_path: Path) -> None:
    settings = load_settings(jwt_secret=LONG)
    assert settings.jwt_secret.get_secret_value() == LONG
    assert not (tmp_path / "data" / "secrets" / "jwt_secret").exists()


def test_processes_that_start_at_once_agree(tmp_path: Path) -> None:
    program = "from s3palette.settings import load_settings; print(load_settings().jwt_secret.get_secret_value())"
    running = [subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE) for _ in range(3)]
    answers = {process.communicate()[0] for process in running}
    assert len(answers) == 1
    assert len(answers.pop().strip()) == 64


def test_a_damaged_secret_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "data" / "secrets"
    folder.mkdir(parents=True)
    (folder / "jwt_secret").write_text("")
    with pytest.raises(SettingsError, match="too short"):
        load_settings()


def test_a_data_dir_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SettingsError, match="S3P_DATA_DIR"):
        load_settings(data_dir=tmp_path / "file")


def test_settings_travel_between_processes_and_print_no_secret() -> None:
    settings = load_settings(jwt_secret=LONG)
    copy: Settings = pickle.loads(pickle.dumps(settings))
    assert copy == settings
    assert LONG not in repr(settings)
    assert LONG not in str(settings)


def test_a_short_secret_works_and_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3P_JWT_SECRET", "short")
    monkeypatch.setenv("S3P_CALLBACK_SECRET", "x" * 32)
    settings = load_settings()
    assert settings.jwt_secret.get_secret_value() == "short"
    assert settings.short_secrets == ("S3P_JWT_SECRET",)


def test_the_callback_secret_signs_where_no_other_is_set() -> None:
    settings = load_settings(callback_secret="c" * 32)
    assert settings.outside_secret == settings.callback_secret
    other = load_settings(callback_secret="c" * 32, external_secret="short", jwt_secret=LONG)
    assert other.outside_secret.get_secret_value() == "short"
    assert other.short_secrets == ("S3P_EXTERNAL_SECRET",)


def test_an_external_address_is_kept_as_it_is() -> None:
    url = "https://gpu.example.com/jobs/?key=k"
    assert load_settings(external_url=url).external_url == url


@pytest.mark.parametrize(
    ("host", "url"),
    [("0.0.0.0", "http://127.0.0.1:81"), ("10.0.0.7", "http://10.0.0.7:81"), ("::1", "http://[::1]:81")],
)
def test_where_this_machine_reaches_the_system(host: str, url: str) -> None:
    assert load_settings(http_host=host, http_port=81).local_url == url


def test_a_log_without_its_device_key_is_not_given_a_new_one() -> None:
    settings = load_settings()
    settings.log_path.write_bytes(b"")
    (settings.secrets_dir / "device_key").unlink()
    with pytest.raises(SettingsError, match="put the secrets folder back"):
        load_settings()
    assert not (settings.secrets_dir / "device_key").exists()
    assert load_settings(device_key="k" * 32).device_key.get_secret_value() == "k" * 32


def test_looking_at_settings_makes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3P_DATA_DIR", str(tmp_path / "typo"))
    assert read_settings().data_dir == tmp_path / "typo"
    assert not (tmp_path / "typo").exists()


def test_misspelled_variables_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("S3P_HTTP_PROT", "1")
    assert unknown_variables() == ["S3P_HTTP_PROT"]


@pytest.mark.parametrize(("name", "value"), [("S3P_DATA_DIR", "~nobody-at-all/x"), ("S3P_PUBLIC_URL", "http://[::1")])
def test_odd_values_are_one_sentence(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=f"^{name} .*; give .*$"):
        load_settings()
