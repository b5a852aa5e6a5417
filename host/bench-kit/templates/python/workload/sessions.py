"""How it is measured, and how the result is checked. The name of this file is that of the interface."""

from array import array

from componentize_py_types import Err
from wit_world.exports import sessions
from wit_world.imports import types


class Session(sessions.Session):
    def __init__(self, n: int):
        self.numbers = array("Q", range(1, n + 1))
        self.found = 0

    @classmethod
    def open(cls, scenario, arguments):
        """Everything that is not to be timed: input is made here."""
        if scenario != "sum":
            raise Err(types.Error_UnknownScenario(scenario))
        values = {argument.name: argument.value.value for argument in arguments}
        return cls(values["n"])

    def iterate(self, times):
        """Timed: `times` operations and nothing else."""
        for _ in range(times):
            self.found = sum(self.numbers)
        return types.Outcome(operations=times, bytes=times * len(self.numbers) * 8, checksum=self.found)

    def verify(self):
        """Compares the result with one that was found in another way. A figure counts only if this passes."""
        n = len(self.numbers)
        expected = n * (n + 1) // 2
        detail = f"expected {expected}, found {self.found}"
        return [types.Check(name="sum", passed=self.found == expected, detail=detail)]
