"""Publishing: a finished run goes out to others, to the Hugging Face Hub, to OTLP receivers, to OpenSearch.

from smoltrace.publish import Options, publish

publish(smoltrace.load_run("latest"), "hub", Options(private=False))
"""

from smoltrace.publish.targets import Options, publish

__all__ = ["Options", "publish"]
