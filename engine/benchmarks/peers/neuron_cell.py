"""A cell in NEURON with the sections, segments and membrane of the engine's."""

from typing import Any


class NeuronCell:
    """Its sections carry its name, so that many can live side by side.

    Parameters
    ----------
    h
        NEURON's interpreter.
    given
        ``path``, ``stub`` (or None) and ``sections``: name → nseg, ra, cm and mechanisms.
    number : int
    """

    all: Any

    def __init__(self, h: Any, given: dict[str, Any], number: int) -> None:
        self.number = number
        path = given["path"]
        swc = path.lower().endswith(".swc")
        reader = h.Import3d_SWC_read() if swc else h.Import3d_Neurolucida3()
        reader.quiet = 1
        reader.input(path)
        h.Import3d_GUI(reader, 0).instantiate(self)
        self.sections = {s.name().rpartition(".")[2]: s for s in self.all}
        if given["stub"]:
            self._stub(h, given["stub"])
        assert set(self.sections) == set(given["sections"]), "other sections than the engine's"
        for name, about in given["sections"].items():
            self._membrane(self.sections[name], about)

    def _stub(self, h: Any, stub: dict[str, Any]) -> None:
        for name in [name for name in self.sections if name.startswith("axon")]:
            h.delete_section(sec=self.sections.pop(name))
        up = self.sections["soma[0]"](stub["attach"])
        for i, (length, diameter) in enumerate(stub["cylinders"]):
            axon = self.sections[f"axon[{i}]"] = h.Section(name=f"stub{i}", cell=self)
            axon.L, axon.diam = length, diameter
            axon.connect(up)
            up = axon(1)

    def _membrane(self, section: Any, about: dict[str, Any]) -> None:
        section.nseg, section.Ra = about["nseg"], about["ra"]
        for segment, cm in zip(section, about["cm"], strict=True):
            segment.cm = cm
        for mechanism, parameters in about["mechanisms"].items():
            section.insert(mechanism)
            for parameter, values in parameters.items():
                for segment, value in zip(section, values, strict=True):
                    setattr(getattr(segment, mechanism), parameter, value)

    def __str__(self) -> str:
        return f"Cell[{self.number}]"
