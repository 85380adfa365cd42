"""From sections to compartments: nseg rules, areas, axial conductances (NEURON's numbers)."""
