"""Scale factors between the engine's units (ms, mV, nA, µS, nF, µm; densities as in NMODL).

Nothing else in the engine holds a unit conversion.
"""

US_PER_S_CM2_UM2 = 1e-2
"""A conductance density of 1 S/cm² over 1 µm² of membrane is 1e-2 µS."""

NA_PER_MA_CM2_UM2 = 1e-2
"""A current density of 1 mA/cm² over 1 µm² of membrane is 1e-2 nA."""

NF_PER_UF_CM2_UM2 = 1e-5
"""A specific capacitance of 1 µF/cm² over 1 µm² of membrane is 1e-5 nF."""

MOHM_UM_PER_OHM_CM = 1e-2
"""A resistivity of 1 Ω·cm is 1e-2 MΩ·µm: R [MΩ] = Ra [Ω·cm] · 1e-2 · L [µm] / (area [µm²])."""

ABSOLUTE_ZERO_C = -273.15
FARADAY = 96485.33212331001
"""C/mol, 2018 CODATA (NEURON 9's default)."""
GAS_CONSTANT = 8.31446261815324
"""J/(mol K), 2018 CODATA."""
ELEMENTARY_CHARGE = 1.602176634e-19
"""C, exact since 2019."""
BOLTZMANN = 1.380649e-23
"""J/K, exact since 2019."""
