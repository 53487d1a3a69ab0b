"""OpenTelemetry receivers: spans and metrics of runs as OTLP over HTTP, while a run goes on and afterwards."""
