"""The version of this release: of every package of the repository, of the APIs and of the telemetry."""

VERSION = "0.1.0"
