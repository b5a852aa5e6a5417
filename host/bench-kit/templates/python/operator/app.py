"""An operator that copies each object it sees into another namespace. The driver specifies the scenario `chain`: the host links operators
of this kind into a chain, and times an object on its way through them."""

import json

from componentize_py_types import Err
from wit_world import exports
from wit_world.exports.operator import Watch
from wit_world.imports import bench_host_workload_types as types
from wit_world.imports import control_plane
from wit_world.imports.bench_host_operator_types import Event_Deleted, Key


class Plugin(exports.Plugin):
    def describe(self) -> types.Descriptor:
        arms = types.Requirement(capability="arm:wasm", purpose="it is built as a component only", optional=False)
        chain = types.Scenario(
            name="chain",
            driver="operator",
            family="",
            summary="",
            limit=None,
            parameters=[],
            metrics=[],
            requirements=[arms],
        )
        summary = "Copies what it sees to the next namespace."
        return types.Descriptor(name="{{name}}", version="0.1.0", summary=summary, scenarios=[chain])


class State:
    """The state of this instance, which is one operator: where it writes to, and how many objects it has copied."""

    to = ""
    copied = 0


class Operator(exports.Operator):
    def start(self, arguments):
        """The host says which namespace to watch, and which one to write to."""
        values = dict(arguments)
        State.to = values["apply"]
        return [Watch(kind="TestResource", namespace=values["watch"])]

    def reconcile(self, event):
        """Copies the object's `nonce`, by which the host knows it, and says how many there were. What fails is tried again by the host."""
        if isinstance(event, Event_Deleted):
            return
        seen = event.value
        spec = json.dumps({"nonce": json.loads(seen.spec)["nonce"], "count": State.copied + 1})
        try:
            control_plane.apply(Key(kind=seen.key.kind, namespace=State.to, name=seen.key.name), spec)
        except Err as error:
            raise Err(str(error.value))
        State.copied += 1

    def suspend(self):
        """The state that is kept while the operator is unloaded."""
        return f"{State.copied} {State.to}".encode()

    def resume(self, state):
        copied, _, State.to = state.decode().partition(" ")
        State.copied = int(copied)
