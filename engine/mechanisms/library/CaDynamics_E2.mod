TITLE Calcium in a shell under the membrane: inflow by currents, decay to rest

COMMENT
As in Hay E, Hill S, Schurmann F, Markram H, Segev I (2011) Models of neocortical layer 5b pyramidal cells capturing
a wide range of dendritic and perisomatic active properties. PLoS Comput Biol 7:e1002107, ModelDB 139653; and in
Eyal G, Verhoog MB, Testa-Silva G, Deitcher Y, Benavides-Piccione R, DeFelipe J, de Kock CPJ, Mansvelder HD, Segev I
(2018) Human cortical pyramidal neurons: from spines to spikes via models. Front Cell Neurosci 12:181, ModelDB
238347; after Destexhe A, Mainen ZF, Sejnowski TJ (1994) Neural Comput 6:14-18.

The concentration starts at what the ion has (5e-5 mM in NEURON), not at the rest it decays to.
ENDCOMMENT

NEURON {
    SUFFIX CaDynamics_E2
    USEION ca READ ica WRITE cai
    RANGE gamma, decay, depth, minCai
    THREADSAFE
}

UNITS {
    (mV) = (millivolt)
    (mA) = (milliamp)
    (um) = (micron)
    (mM) = (milli/liter)
    FARADAY = (faraday) (coulombs)
}

PARAMETER {
    gamma = 0.000501 (1) <0, 1>     : share of the inflow that no buffer takes
    decay = 460 (ms) <1e-9, 1e9>    : time constant of removal
    depth = 0.1 (um) <1e-9, 1e9>    : of the shell
    minCai = 1e-4 (mM) <0, 1e9>     : rest
}

STATE {
    cai (mM)   : inside
}

ASSIGNED {
    ica (mA/cm2)
}

BREAKPOINT {
    SOLVE pool METHOD cnexp
}

DERIVATIVE pool {
UNITSOFF
    cai' = -10000 * ica * gamma / (2 * FARADAY * depth) - (cai - minCai) / decay
UNITSON
}
