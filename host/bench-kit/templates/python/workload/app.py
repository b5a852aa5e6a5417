"""What can be measured."""

from wit_world import exports
from wit_world.imports import types


class Plugin(exports.Plugin):
    def describe(self) -> types.Descriptor:
        n = types.Parameter(
            name="n",
            summary="How many numbers",
            unit="1",
            defaults=[types.Value_Integer(4096)],
            domain=types.Domain_Between((types.Value_Integer(1), types.Value_Integer(1 << 16))),
        )
        add = types.Scenario(
            name="sum",
            driver="workload",
            family="example",
            summary="Adds numbers that lie in memory.",
            # The column `limit` then says how far it is from what the machine can read.
            limit="memory-read",
            parameters=[n],
            metrics=[],
            requirements=[],
        )
        return types.Descriptor(name="{{name}}", version="0.1.0", summary="Adds numbers.", scenarios=[add])
