"""Settings from the environment. An invalid or missing setting stops the process at startup with a one-line error."""

import ipaddress
import socket
import sys
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, ValidationError, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from chassis.claims import Claims
from chassis.database import driver_url
from chassis.sealing import MasterKeys
from chassis.tls import Certificates
from contracts.access import Role
from contracts.time_zones import time_zones


class Settings(BaseSettings):
    """The settings that every service has; each is the environment variable of its name in capitals."""

    # What was given is not repeated with what is wrong about it: some of it is secret.
    model_config = SettingsConfigDict(extra="ignore", hide_input_in_errors=True)

    database_url: str = Field(
        repr=False,
        description="postgresql://user:password@host:port/database of this service",
    )
    kafka_bootstrap_servers: str = Field(description="host:port of one or more brokers, by comma")
    kafka_user: str = Field("", description="user at the broker, by SCRAM-SHA-512 over TLS; empty: no authentication")
    kafka_password: SecretStr = Field(SecretStr(""), description="that user's password")
    kafka_ca_file: str = Field("", description="certificates the broker's is checked with; empty: the system's")
    kafka_certificate_file: str = Field(
        "",
        description="certificate, with those that signed it, that the process shows the broker (mutual TLS); beside or"
        " instead of a user. Files that are replaced are read again at the next connection",
    )
    kafka_key_password: SecretStr = Field(SecretStr(""), description="password of the key, if it has one")
    kafka_key_file: str = Field("", validate_default=True, description="the certificate's key, in PEM")
    topic_prefix: str = Field("", description="prefix of topic and group names, when installations share a broker")
    environment: Literal["production", "local"] = Field(
        "production",
        description="`local`: one machine or a cluster to try things on; the issuer may be on loopback or without TLS."
        " `production`: it may not",
    )
    oidc_issuer: str = Field(
        description="issuer of the bearer tokens; its key set is discovered from it. In production an"
        " https address that is not of loopback"
    )
    oidc_audience: str = Field("linework", description="audience that a token must name")
    oidc_roles_claim: str = Field(
        "roles",
        min_length=1,
        description="claim with the roles: its name, or a dotted path such as `realm_access.roles`; a list of names or"
        " an object of them",
    )
    oidc_areas_claim: str = Field("areas", min_length=1, description="claim with the areas: name or dotted path")
    oidc_areas_required: bool = Field(
        False, description="true: a token without the claim of areas reaches no area instead of every area"
    )
    oidc_name_claim: str = Field(
        "name",
        min_length=1,
        description="claim with the person's name: name or dotted path; without it `preferred_username`",
    )
    oidc_role_map: dict[str, Role] = Field(
        default_factory=dict,
        description='JSON object of the provider\'s role names and ours, such as `{"Platform team": "operator"}`; only'
        " listed names count then. Empty: the names are ours",
    )
    sealing_master_keys: SecretStr = Field(
        description="secret, the same in all services: `id:base64 of 32 bytes` of each master key, by comma; the first"
        " wraps sealing keys, all unwrap them"
    )
    intake_url: str = Field("", description="address of intake, which the other services ask for personal data")
    recordings_url: str = Field(
        "",
        description="address that plays a recording, such as https://pbx.example/play/{recording_id}; empty: unknown",
    )
    time_zone: str = Field(
        "Asia/Shanghai",
        description="name of the IANA database: refusals show local times of this zone to a reader whose zone is"
        " unknown",
    )
    default_language: Literal["en", "zh"] = Field(
        "en", description="language of a reader whose request names neither Chinese nor English"
    )
    errors_url: str = Field(
        "",
        description="address of a page of the error codes, such as https://docs.example/errors; `#` and the code are"
        " put behind it, as the `type` of a problem document. Empty: the page that each service has at `/v1/errors`",
    )
    root_path: str = Field(
        "",
        pattern=r"^(/[A-Za-z0-9._~-]+)*$",
        description="prefix under which a gateway serves this service, such as `/intake`; the gateway may take it away"
        " or leave it. Empty: none",
    )
    http_host: str = Field("127.0.0.1", description="address that both processes listen on")
    http_port: int = Field(8000, ge=1, le=65535, description="port of the HTTP process")
    worker_port: int = Field(8010, ge=1, le=65535, description="port of the worker's probes and metrics")
    worker_id: str = Field("0", description="static name of this worker in its consumer groups")
    database_pool_size: int = Field(8, ge=1, description="connections of one process")
    drain_seconds: float = Field(
        0.0,
        ge=0,
        description="how long the HTTP process still serves after SIGTERM, while /readyz fails",
    )
    catch_up_seconds: float = Field(5.0, ge=0, description="how long a read or an act waits for a version on its way")
    kafka_poll_seconds: float = Field(
        60.0,
        gt=0,
        description="a worker that has not polled for so long while a broker responds is not alive; up to half as"
        " long again, so that not all workers restart together",
    )
    kafka_silent_seconds: float = Field(
        20.0,
        gt=0,
        description="a worker without a response of a broker for so long is not ready; an idle consumer asks four times"
        " within it, and every 5 seconds at least",
    )
    kafka_restart_seconds: float = Field(
        900.0,
        gt=0,
        description="a worker without a response of a broker for so long is not alive; up to half as long again. A"
        " restart does not bring a broker back, so this is long",
    )
    kafka_stalled_seconds: float = Field(
        60.0,
        gt=0,
        description="a worker is not ready when a partition has not moved for so long though it ends further on; not"
        " alive after five times as long, if the same process had moved it before",
    )
    request_bytes_limit: int = Field(1_048_576, description="larger request bodies are refused with 413")
    requests_per_second_limit: int = Field(
        2000,
        ge=1,
        description="so many requests a second of one caller to one process, twice as many at once; more are refused"
        " with 429. The default is more than a process can answer, so that imports never meet it; where only people"
        " call, 20 is plenty",
    )
    streams_limit: int = Field(10, ge=1, description="live streams of one caller at a time in one process; then 429")
    idempotency_keys_kept_days: int = Field(7, ge=1, description="how long the reply to a command is stored")
    changes_kept_hours: int = Field(
        48, ge=1, le=8760, description="for how long a stream of changes can be resumed; then its client starts again"
    )
    parked_kept_days: int = Field(90, ge=1, description="how long parked records are kept once released or discarded")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field("INFO", description="lowest level that is logged")
    otlp_endpoint: str = Field(
        "",
        description="endpoint for traces by OTLP over HTTP, such as http://collector:4318/v1/traces; empty: where"
        " `OTEL_EXPORTER_OTLP_ENDPOINT` says, or no traces",
    )
    trace_ratio: float = Field(
        0.1,
        ge=0,
        le=1,
        description="share of requests that are traced, unless the caller has decided; if not given,"
        " `OTEL_TRACES_SAMPLER` counts",
    )

    @field_validator("database_url")
    @classmethod
    def _is_an_address(cls, url: str) -> str:
        driver_url(url)
        return url

    @field_validator("kafka_ca_file")
    @classmethod
    def _holds_certificates(cls, name: str) -> str:
        if (fault := Certificates(ca_file=name).fault()) is not None:
            raise ValueError(f"{name}: {fault}")
        return name

    @field_validator("kafka_key_file")
    @classmethod
    def _is_the_key_of_the_certificate(cls, key_file: str, info: ValidationInfo) -> str:
        certificate_file = info.data.get("kafka_certificate_file", "")
        if certificate_file and not key_file:
            raise ValueError("it is missing beside KAFKA_CERTIFICATE_FILE")
        if key_file and not certificate_file:
            raise ValueError("it is given without KAFKA_CERTIFICATE_FILE, which is missing")
        password = info.data.get("kafka_key_password", SecretStr("")).get_secret_value()
        fault = Certificates("", certificate_file, key_file, password).fault()
        if fault is not None:
            raise ValueError(f"{certificate_file}, {key_file}: {fault}")
        return key_file

    @field_validator("time_zone")
    @classmethod
    def _is_a_time_zone(cls, name: str) -> str:
        if name not in time_zones():
            raise ValueError("it is not the name of a time zone, such as Asia/Shanghai")
        return name

    @field_validator("oidc_issuer")
    @classmethod
    def _is_an_issuer_to_trust(cls, issuer: str, info: ValidationInfo) -> str:
        fault = issuer_fault(issuer) if info.data.get("environment") != "local" else None
        if fault is not None:
            raise ValueError(f"{fault}; in production its tokens cannot be trusted (ENVIRONMENT=local allows it)")
        return issuer

    @field_validator("sealing_master_keys")
    @classmethod
    def _can_be_read(cls, keys: SecretStr) -> SecretStr:
        MasterKeys.parse(keys.get_secret_value())
        return keys

    @property
    def kafka_certificates(self) -> Certificates:
        password = self.kafka_key_password.get_secret_value()
        return Certificates(self.kafka_ca_file, self.kafka_certificate_file, self.kafka_key_file, password)

    @property
    def claims(self) -> Claims:
        return Claims(
            roles=self.oidc_roles_claim,
            areas=self.oidc_areas_claim,
            name=self.oidc_name_claim,
            absent_areas=() if self.oidc_areas_required else None,
            role_map=self.oidc_role_map,
        )

    @property
    def master_keys(self) -> MasterKeys:
        return MasterKeys.parse(self.sealing_master_keys.get_secret_value())

    @classmethod
    def from_environment(cls) -> Self:
        """The settings, or an exit that names every variable that is missing or wrong."""
        try:
            return cls()
        except SettingsError:
            # Its message repeats the value.
            sys.exit("cannot start, the environment is not complete: OIDC_ROLE_MAP: not a JSON object")
        except ValidationError as error:
            faults = [
                f"{str(fault['loc'][0]).upper()}: {fault['msg'][:1].lower()}{fault['msg'][1:]}"
                for fault in error.errors()
            ]
            sys.exit("cannot start, the environment is incomplete or invalid: " + "; ".join(faults))


def issuer_fault(issuer: str) -> str | None:
    """Why tokens of this issuer must not be believed in production, or None.

    Without TLS anyone on the network path can answer with keys of their own; on loopback the issuer is the one that
    gives a token to every caller.
    """
    try:
        address = urlsplit(issuer)
        host, _ = (address.hostname or "").rstrip("."), address.port
    except ValueError:
        return "it is not an address"
    if address.scheme != "https":
        return "the issuer is without TLS: its address does not begin with https://"
    if not host or address.username is not None or address.query or address.fragment:
        return "it is not the address of an issuer"
    return "the issuer is on loopback" if _is_loopback(host) else None


def _is_loopback(host: str) -> bool:
    if host == "localhost" or host.endswith(".localhost") or host.startswith("localhost."):
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        try:
            # `127.1` and `0x7f000001` are valid addresses for a client.
            address = ipaddress.ip_address(socket.inet_aton(host))
        except (OSError, UnicodeEncodeError):
            return False
    mapped = getattr(address, "ipv4_mapped", None)
    return any(one.is_loopback or one.is_unspecified for one in (address, mapped) if one is not None)
